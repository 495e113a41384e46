//! `snackbase api-key`.

use clap::Subcommand;

use super::output::print_line;
use crate::accounts::NewApiKey;
use crate::app::App;
use crate::auth::KeyScope;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::hooks::Hooks;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make an API key and print it: the only time that it is shown
    Create {
        /// The superadmin whose key it is
        #[arg(long, value_name = "ADDRESS")]
        email: String,
        /// What the key is for
        #[arg(long)]
        name: String,
        /// The account that the key is bound to: its slug, code or id [default: none, the key
        /// reaches everything]
        #[arg(long)]
        account: Option<String>,
        /// The role that a bound key acts with [default: user]
        #[arg(long, requires = "account")]
        role: Option<String>,
        /// What the key may be used for, such as records:read; can be repeated [default: everything
        /// but secrets]
        #[arg(long = "scope", value_name = "SCOPE", value_parser = scope)]
        scopes: Vec<KeyScope>,
        /// Until when the key is valid, such as 2030-01-31T12:00:00Z [default: for ever]
        #[arg(long, value_name = "TIME")]
        expires_at: Option<String>,
    },
}

fn scope(name: &str) -> Result<KeyScope, String> {
    KeyScope::parse(name).ok_or_else(|| {
        let names: Vec<&str> = KeyScope::ALL.iter().map(|scope| scope.name()).collect();
        format!("give one of {}", names.join(", "))
    })
}

pub(super) async fn run(command: Command, config: Config) -> Result<()> {
    let Command::Create {
        email,
        name,
        account,
        role,
        scopes,
        expires_at,
    } = command;
    let app = App::build(config, Hooks::default()).await?;
    let request = NewApiKey {
        name,
        expires_at,
        account_id: account,
        role_id: None,
        role,
        scopes,
    };
    let made = async {
        let owner = app.accounts.superadmin_at(&email).await?;
        let owner =
            owner.ok_or_else(|| Error::not_found(format!("There is no superadmin {email}")))?;
        app.accounts.create_api_key(&owner, request).await
    }
    .await;
    app.close().await;
    print_line(made?.key)
}
