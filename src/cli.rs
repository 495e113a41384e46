//! The command line: one function for each command.

mod api_key;
mod audit;
mod backup;
mod config;
mod encryption;
mod files;
mod output;
mod serve;
mod superadmin;
mod types;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::config::{Config, Loaded, Sources};
use crate::error::{Error, Result};
use crate::telemetry;
use output::print_line;

/// A whole backend in one binary.
#[derive(Debug, Parser)]
#[command(name = "snackbase", version, about, arg_required_else_help = true)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// Options of every command.
#[derive(Debug, Args)]
struct Global {
    /// The configuration file [default: snackbase.toml, if it is there]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The folder of the database and the generated secrets [default: `./sb_data`]
    #[arg(long, global = true, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the API and the admin UI
    Serve {
        /// The address to listen on [default: 127.0.0.1]
        #[arg(long)]
        host: Option<String>,
        /// The port to listen on; 0 for any that is free [default: 8000]
        #[arg(long)]
        port: Option<u16>,
    },
    /// Superadmins, who administer the whole server
    #[command(subcommand)]
    Superadmin(superadmin::Command),
    /// API keys, for programs
    #[command(subcommand)]
    ApiKey(api_key::Command),
    /// The audit trail
    #[command(subcommand)]
    Audit(audit::Command),
    /// Bring the database up to date and stop
    Migrate,
    /// Write a copy of the SQLite database into a file, while the server runs or not
    Backup {
        /// The file; it must not exist yet
        file: PathBuf,
    },
    /// Put a copy in the place of the SQLite database; no server may run on it
    Restore {
        /// The file that `backup` wrote
        file: PathBuf,
        /// Replace the database that is there
        #[arg(long)]
        force: bool,
    },
    /// Uploaded files
    #[command(subcommand)]
    Files(files::Command),
    /// The keys of encrypted fields
    #[command(subcommand)]
    Encryption(encryption::Command),
    /// The configuration
    #[command(subcommand)]
    Config(config::Command),
    /// Show what would be used: version, database, folders
    Info,
    /// Print the collections as types of another language
    #[command(subcommand)]
    Types(types::Command),
    /// Print the API document (OpenAPI, JSON)
    Openapi,
}

/// Runs the command that the arguments name.
pub fn run() -> ExitCode {
    let executed = execute(Cli::parse());
    if let Err(error) = &executed {
        telemetry::tell(format_args!("error: {error}"));
    }
    telemetry::flush();
    if executed.is_ok() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn execute(cli: Cli) -> Result<()> {
    let mut sources = Sources {
        file: cli.global.config,
        data_dir: cli.global.data_dir,
        ..Sources::process()
    };
    match cli.command {
        Command::Openapi => print_line(crate::http::openapi_json()),
        Command::Config(command) => config::run(&command, &sources),
        Command::Info => config::info(&sources),
        Command::Backup { file } => block_on(backup::save(&file, &read(&sources)?)),
        Command::Restore { file, force } => {
            block_on(backup::restore(&file, force, &read(&sources)?))
        }
        Command::Serve { host, port } => {
            sources.host = host;
            sources.port = port;
            block_on(serve::run(load(&sources)?))
        }
        Command::Superadmin(command) => block_on(superadmin::run(command, load(&sources)?.config)),
        Command::ApiKey(command) => block_on(api_key::run(command, load(&sources)?.config)),
        Command::Audit(command) => block_on(audit::run(command, load(&sources)?.config)),
        Command::Files(command) => block_on(files::run(command, load(&sources)?.config)),
        Command::Encryption(command) => block_on(encryption::run(command, load(&sources)?.config)),
        Command::Types(command) => block_on(types::run(command, load(&sources)?.config)),
        Command::Migrate => block_on(async {
            let app =
                crate::app::App::build(load(&sources)?.config, crate::hooks::Hooks::default())
                    .await?;
            app.close().await;
            print_line("The database is up to date.")
        }),
    }
}

/// The configuration, without making the secrets that are missing.
fn read(sources: &Sources) -> Result<Config> {
    Ok(Config::read(sources).map_err(Error::internal)?.config)
}

fn load(sources: &Sources) -> Result<Loaded> {
    let loaded = Config::load(sources).map_err(Error::internal)?;
    telemetry::start(&loaded.config.log);
    Ok(loaded)
}

fn block_on<F: Future<Output = Result<()>>>(task: F) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(Error::internal)?;
    let result = runtime.block_on(task);
    // A hash or a DNS look-up that still runs must not hold up the end.
    runtime.shutdown_background();
    result
}
