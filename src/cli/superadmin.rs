//! `snackbase superadmin`.

use clap::Subcommand;

use super::output::print_line;
use crate::app::App;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::hooks::Hooks;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Create a superadmin
    Create {
        /// The e-mail address to sign in with
        #[arg(long)]
        email: String,
        /// The password; visible to others in the list of processes, so prefer --password-stdin
        #[arg(
            long,
            conflicts_with = "password_stdin",
            required_unless_present = "password_stdin"
        )]
        password: Option<String>,
        /// Read the password from the standard input
        #[arg(long)]
        password_stdin: bool,
    },
}

pub(super) async fn run(command: Command, config: Config) -> Result<()> {
    let Command::Create {
        email, password, ..
    } = command;
    let password = if let Some(password) = password {
        password
    } else {
        let mut line = String::new();
        std::io::stdin()
            .read_line(&mut line)
            .map_err(Error::internal)?;
        line.trim_end_matches(['\r', '\n']).to_owned()
    };
    let app = App::build(config, Hooks::default()).await?;
    let created = app.accounts.create_superadmin(&email, &password).await;
    app.close().await;
    created?;
    print_line(format!(
        "Superadmin {email} created. Sign in with the account 'system'."
    ))
}
