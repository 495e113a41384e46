//! `snackbase config` and `snackbase info`.

use clap::Subcommand;

use super::output::{print_line, print_text};
use crate::config::{Config, DatabaseTarget, EXAMPLE, Sources};
use crate::error::{Error, Result};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Check file and environment without starting
    Check,
    /// Print an example file with every key and its default
    Example,
}

pub(super) fn run(command: &Command, sources: &Sources) -> Result<()> {
    match command {
        Command::Example => print_text(EXAMPLE),
        Command::Check => {
            let loaded = Config::read(sources).map_err(Error::internal)?;
            for notice in &loaded.notices {
                print_line(format!("warning: {notice}"))?;
            }
            print_line("The configuration is valid.")
        }
    }
}

/// Shows what a start would use; no secret, no password.
pub(super) fn info(sources: &Sources) -> Result<()> {
    let loaded = Config::read(sources).map_err(Error::internal)?;
    let config = &loaded.config;
    let database = match config.database.target(&config.server.data_dir) {
        DatabaseTarget::Sqlite(options) => format!("SQLite, {}", options.path.display()),
        DatabaseTarget::Postgres(_) => "PostgreSQL".to_owned(),
    };
    let file = loaded
        .file
        .as_ref()
        .map_or("none".to_owned(), |file| file.display().to_string());
    let verification = if config.verification_required() {
        "required"
    } else {
        "off"
    };
    for (key, value) in [
        ("version", env!("CARGO_PKG_VERSION").to_owned()),
        (
            "address",
            format!("{}:{}", config.server.host, config.server.port),
        ),
        ("data folder", config.server.data_dir.display().to_string()),
        ("configuration file", file),
        ("database", database),
        ("e-mail verification", verification.to_owned()),
    ] {
        print_line(format!("{key:<20} {value}"))?;
    }
    Ok(())
}
