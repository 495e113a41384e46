//! `snackbase files`.

use clap::{Subcommand, ValueEnum};

use super::output::print_line;
use crate::app;
use crate::clock::Clock;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::files::{CheckReport, FileProblem, Files, StoreName};
use crate::schema::CatalogHandle;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Compare the registry of uploaded files with what the stores hold; fails if they differ
    Check {
        /// Read every file and compare its SHA-256
        #[arg(long)]
        read: bool,
        /// Delete what a store holds and the registry does not know
        #[arg(long)]
        remove_orphans: bool,
    },
    /// Remove at once what nobody needs any longer, as the server does every minute
    Sweep,
    /// Move all files into another store, while the server runs or not
    Migrate {
        /// The store
        #[arg(long, value_enum)]
        to: Target,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Target {
    /// The folder
    Local,
    /// The bucket
    S3,
}

pub(super) async fn run(command: Command, config: Config) -> Result<()> {
    let db = app::open(&config).await?;
    let catalog = CatalogHandle::load(db.clone()).await?;
    let files = Files::open(db.clone(), catalog, Clock::System, &config)?;
    let done = match command {
        Command::Check {
            read,
            remove_orphans,
        } => check(&files, read, remove_orphans).await,
        Command::Sweep => sweep(&files).await,
        Command::Migrate { to } => migrate(&files, to).await,
    };
    db.close().await;
    done
}

async fn check(files: &Files, reads: bool, removes_orphans: bool) -> Result<()> {
    let mut report = files.check(reads).await?;
    for problem in &report.problems {
        print_line(match problem {
            FileProblem::Missing(path) => format!("missing   {path}"),
            FileProblem::Damaged(path) => format!("damaged   {path}"),
            FileProblem::Orphan(store, key) => format!("orphan    {key} ({})", store.as_str()),
        })?;
    }
    let CheckReport {
        files: count,
        bytes,
        ..
    } = report;
    print_line(format!("{count} files, {bytes} bytes."))?;
    if removes_orphans {
        let removed = files.remove_orphans(&report).await?;
        print_line(format!("Removed {removed} orphans."))?;
        report
            .problems
            .retain(|problem| !matches!(problem, FileProblem::Orphan(..)));
    }
    match report.problems.len() {
        0 => Ok(()),
        count => Err(Error::internal(format!(
            "{count} of the files are not as the registry says"
        ))),
    }
}

async fn sweep(files: &Files) -> Result<()> {
    let removed = files.sweep().await?;
    print_line(format!("Removed {removed} files that no record names."))
}

async fn migrate(files: &Files, to: Target) -> Result<()> {
    let to = match to {
        Target::Local => StoreName::Local,
        Target::S3 => StoreName::S3,
    };
    let moved = files.migrate(to).await?;
    print_line(format!(
        "Moved {moved} files. New ones go where files.store says."
    ))
}
