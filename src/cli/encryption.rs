//! `snackbase encryption`.

use clap::Subcommand;

use super::output::print_line;
use crate::app::App;
use crate::config::Config;
use crate::error::Result;
use crate::hooks::Hooks;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Encrypt everything with `auth.encryption_key` that was encrypted with one of
    /// `auth.old_encryption_keys`
    Rotate,
}

pub(super) async fn run(command: Command, config: Config) -> Result<()> {
    let Command::Rotate = command;
    let app = App::build(config, Hooks::default()).await?;
    let resealed = app.records.reseal().await;
    app.close().await;
    print_line(format!(
        "{} records were encrypted anew. The old keys are not needed any more.",
        resealed?
    ))
}
