//! `snackbase audit`.

use clap::Subcommand;

use super::output::print_line;
use crate::app;
use crate::audit;
use crate::config::Config;
use crate::error::{Error, Result};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Check that no entry of the trail was changed, removed or inserted; fails if one was
    Verify {
        /// Only the chain of this account: its id
        #[arg(long, value_name = "ID")]
        account: Option<String>,
    },
}

pub(super) async fn run(command: Command, config: Config) -> Result<()> {
    let Command::Verify { account } = command;
    let db = app::open(&config).await?;
    let verified = audit::verify(&db, account.as_deref()).await;
    db.close().await;
    let verified = verified?;
    for chain in &verified.chains {
        let checksum = chain.checksum.as_deref().unwrap_or_default();
        print_line(format!(
            "{}  {:>9} entries  {checksum}",
            chain.account_id, chain.entries
        ))?;
    }
    for problem in &verified.problems {
        let id = problem
            .id
            .map(|id| format!(", id {id}"))
            .unwrap_or_default();
        print_line(format!(
            "{}: entry {}{id}: {}",
            problem.account_id, problem.seq, problem.kind
        ))?;
    }
    if !verified.valid {
        return Err(Error::internal("The audit trail is not as it was written"));
    }
    print_line(format!(
        "The audit trail is as it was written: {} entries.",
        verified.entries
    ))
}
