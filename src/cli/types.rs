//! `snackbase types`: the collections as types of another language.

use clap::Subcommand;

use super::output::print_text;
use crate::app::App;
use crate::collections::typescript;
use crate::config::Config;
use crate::error::Result;
use crate::hooks::Hooks;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// TypeScript interfaces for the records of every collection
    Typescript,
}

pub(super) async fn run(command: Command, config: Config) -> Result<()> {
    let app = App::build(config, Hooks::default()).await?;
    let types = match command {
        Command::Typescript => app
            .collections
            .all()
            .await
            .map(|collections| typescript(&collections)),
    };
    app.close().await;
    print_text(&types?)
}
