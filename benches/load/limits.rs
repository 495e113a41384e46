//! Thousands of connections need thousands of file descriptors, here and in the server.

use std::fs;
use std::process::Command;

use crate::wire::Fallible;

/// Makes sure that this process, and with it a server that it starts, may open so many files.
///
/// The limit is raised by `prlimit`, as the system call is out of reach without unsafe code.
pub fn allow_files(needed: usize) -> Fallible<()> {
    let limits = fs::read_to_string("/proc/self/limits")?;
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"));
    let mut words = line.unwrap_or_default().split_whitespace();
    let mut limit = || {
        words
            .next()
            .map(|word| word.parse().unwrap_or(usize::MAX))
            .unwrap_or_default()
    };
    let (soft, hard) = (limit(), limit());
    if soft >= needed {
        return Ok(());
    }
    let raised = hard >= needed
        && Command::new("prlimit")
            .args([
                "--pid",
                &std::process::id().to_string(),
                &format!("--nofile={hard}:{hard}"),
            ])
            .status()
            .is_ok_and(|status| status.success());
    if raised {
        return Ok(());
    }
    Err(format!(
        "{needed} open files are needed and {soft} allowed; run `ulimit -n {needed}` first (hard limit: {hard})"
    )
    .into())
}
