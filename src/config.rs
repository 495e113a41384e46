//! The configuration: defaults, overridden by `snackbase.toml`, by `SNACKBASE_*` variables, by
//! flags.
//!
//! A key is a field of a section's struct, a line in `snackbase.toml.example` (a test compares
//! them) and a row in [`env`]. Whatever is unknown or out of range stops the start, with the key's
//! name and where it came from.

mod audit;
mod auth;
mod database;
pub mod env;
mod files;
mod limits;
mod mail;
mod problems;
mod rooms;
mod secrets;
mod server;
mod settings;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use figment::Figment;
use figment::providers::{Format as _, Toml};
use serde::Deserialize;

pub use audit::AuditConfig;
pub use auth::{AuthConfig, EmailVerification};
pub use database::{DatabaseConfig, DatabaseTarget};
pub use files::{FileStore, FilesConfig};
pub use limits::{LimitsConfig, RealtimeConfig};
pub use mail::{MailConfig, MailSecurity};
pub use problems::{ConfigError, Problems};
pub use rooms::RoomsConfig;
pub use server::{CorsConfig, Environment, LogConfig, LogFormat, SecurityConfig, ServerConfig};
pub use settings::{Setting, SettingOrigin};

/// A file with every key and its default.
pub const EXAMPLE: &str = include_str!("../snackbase.toml.example");
/// The file that is read if it is there and no other is named.
pub const FILE: &str = "snackbase.toml";

/// Everything that can be configured.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where the server listens and what it is.
    pub server: ServerConfig,
    /// Which database, and how it is used.
    pub database: DatabaseConfig,
    /// Secrets, tokens, passwords and who may sign in.
    pub auth: AuthConfig,
    /// How mails are sent.
    pub mail: MailConfig,
    /// How realtime connections behave.
    pub realtime: RealtimeConfig,
    /// How much rooms may hold and carry.
    pub rooms: RoomsConfig,
    /// Where uploaded files are kept, and what is taken.
    pub files: FilesConfig,
    /// How much a client may ask for.
    pub limits: LimitsConfig,
    /// The audit trail.
    pub audit: AuditConfig,
    /// What is logged, and how.
    pub log: LogConfig,
    /// Which web pages of other origins may call the API.
    pub cors: CorsConfig,
    /// Headers that tell browsers to be careful.
    pub security: SecurityConfig,
    /// Every setting, for people: empty if a program made the configuration itself.
    #[serde(skip)]
    pub settings: Arc<[Setting]>,
}

/// Where a configuration is read from.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// The file; without one, [`FILE`] if it is there.
    pub file: Option<PathBuf>,
    /// Environment variables; those without our prefix are passed over.
    pub variables: Vec<(String, String)>,
    /// `--host`.
    pub host: Option<String>,
    /// `--port`.
    pub port: Option<u16>,
    /// `--data-dir`.
    pub data_dir: Option<PathBuf>,
}

impl Sources {
    /// The environment of this process.
    pub fn process() -> Self {
        let text = |value: std::ffi::OsString| value.to_string_lossy().into_owned();
        Self {
            variables: std::env::vars_os()
                .map(|(k, v)| (text(k), text(v)))
                .collect(),
            ..Self::default()
        }
    }
}

/// A configuration that was read and checked.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The configuration, with its secrets.
    pub config: Config,
    /// The file that was read.
    pub file: Option<PathBuf>,
    /// What the operator should know: settings without effect.
    pub notices: Vec<String>,
}

impl Config {
    /// Reads and checks a configuration. Secrets that are not configured are read from the data
    /// folder, and made there at the first start.
    pub fn load(sources: &Sources) -> Result<Loaded, ConfigError> {
        let mut loaded = Self::read(sources)?;
        secrets::complete(&mut loaded.config)?;
        Ok(loaded)
    }

    /// Reads and checks a configuration, without touching the data folder.
    pub fn read(sources: &Sources) -> Result<Loaded, ConfigError> {
        let variables = env::read(&sources.variables)?;
        let file = file(sources, variables.file.as_deref())?;
        let mut figment = Figment::new();
        if let Some(file) = &file {
            figment = figment.merge(Toml::file_exact(file));
        }
        for variable in variables.settings {
            figment = figment.merge(variable);
        }
        figment = figment.merge(env::flag("server.host", sources.host.as_deref()));
        figment = figment.merge(env::flag("server.port", sources.port));
        figment = figment.merge(env::flag("server.data_dir", sources.data_dir.as_deref()));
        let mut config: Self = figment.extract().map_err(problems::of_figment)?;
        config.settings = settings::of(&figment).into();
        let mut problems = Problems::default();
        config.check(&mut problems);
        problems.into_result(&figment)?;
        let mut notices = variables.notices;
        notices.extend(config.security.notice(&config.server));
        Ok(Loaded {
            config,
            file,
            notices,
        })
    }

    /// Checks a configuration that a program made itself, and fills in its secrets as
    /// [`Config::load`] does.
    pub fn prepare(mut self) -> Result<Self, ConfigError> {
        let mut problems = Problems::default();
        self.check(&mut problems);
        problems.into_result(&Figment::new())?;
        secrets::complete(&mut self)?;
        Ok(self)
    }

    fn check(&self, problems: &mut Problems) {
        self.server.check(problems);
        self.database.check(problems);
        self.auth.check(problems);
        self.mail.check(problems);
        self.realtime.check(problems);
        self.rooms.check(problems);
        self.files.check(problems);
        self.limits.check(problems);
        self.audit.check(problems);
        self.log.check(problems);
        self.cors.check(problems);
        self.security.check(&self.server, problems);
        if self.database.is_postgres() && self.auth.secret_key.expose().is_empty() {
            problems.add(
                "auth.secret_key",
                "must be set with PostgreSQL, because every node has to sign with the same one. \
                 Make one with `openssl rand -base64 48`",
            );
        }
    }

    /// Whether an address must be confirmed before its user may sign in.
    pub fn verification_required(&self) -> bool {
        match self.auth.email_verification {
            EmailVerification::Auto => self.mail.has_transport(),
            EmailVerification::Required => true,
            EmailVerification::Off => false,
        }
    }

    /// A configuration for tests: everything in one folder, any port, weak and therefore quick
    /// hashes.
    pub fn for_tests(data_dir: &Path) -> Self {
        let mut config = Self::default();
        config.server.data_dir = data_dir.into();
        config.server.port = 0;
        config.server.environment = Environment::Testing;
        config.auth.secret_key =
            crate::secret::Secret::new("0123456789abcdef0123456789abcdef".into());
        config.auth.token_secret =
            crate::secret::Secret::new("fedcba9876543210fedcba9876543210".into());
        config.auth.encryption_key =
            crate::secret::Secret::new("a0b1c2d3e4f5a6b7c8d9e0f1a2b3c4d5".into());
        config.auth.argon2_memory_kib = 64;
        config.auth.argon2_iterations = 1;
        config
    }
}

fn file(sources: &Sources, variable: Option<&Path>) -> Result<Option<PathBuf>, ConfigError> {
    match sources.file.as_deref().or(variable) {
        Some(file) if file.is_file() => Ok(Some(file.to_owned())),
        Some(file) => Err(ConfigError::one(format!(
            "{}: there is no such file",
            file.display()
        ))),
        None => Ok(Some(PathBuf::from(FILE)).filter(|file| file.is_file())),
    }
}

#[cfg(test)]
mod tests;
