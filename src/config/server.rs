//! `[server]`, `[log]`, `[cors]` and `[security]`.

use std::path::PathBuf;

use serde::Deserialize;

/// What kind of installation this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Environment {
    /// On somebody's machine: documentation is served, mails are shown on the terminal.
    Development,
    /// For users: HTTPS is insisted on where browsers are concerned.
    Production,
    /// Under a test suite.
    Testing,
}

/// Where the server listens and what it is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ServerConfig {
    /// The address to listen on.
    pub host: String,
    /// The port to listen on; 0 for any that is free.
    pub port: u16,
    /// The folder of the database, the generated secrets and the files.
    pub data_dir: PathBuf,
    /// What kind of installation this is.
    pub environment: Environment,
    /// The name in mails and in `/api/v1`.
    pub app_name: String,
    /// The URL under which people reach the server, for links in mails; empty for the address it
    /// listens on.
    pub external_url: String,
    /// Where all routes of the API are; fixed.
    pub api_prefix: String,
    /// Whether a proxy in front of the server is believed about the address of a client
    /// (`X-Forwarded-For`).
    pub trust_proxy: bool,
    /// How long requests may go on after the server was told to stop, in seconds.
    pub shutdown_seconds: u64,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            host: "127.0.0.1".into(),
            port: 8000,
            data_dir: "./sb_data".into(),
            environment: Environment::Development,
            app_name: "SnackBase".into(),
            external_url: String::new(),
            api_prefix: "/api/v1".into(),
            trust_proxy: false,
            shutdown_seconds: 10,
        }
    }
}

impl ServerConfig {
    /// The URL under which people reach the server, without a slash at its end.
    pub fn public_url(&self) -> String {
        if !self.external_url.is_empty() {
            return self.external_url.trim_end_matches('/').to_owned();
        }
        let host = match self.host.as_str() {
            "0.0.0.0" | "::" => "localhost".to_owned(),
            host if host.contains(':') => format!("[{host}]"),
            host => host.to_owned(),
        };
        format!("http://{host}:{}", self.port)
    }

    pub(super) fn check(&self, problems: &mut super::Problems) {
        if self.host.is_empty() {
            problems.add(
                "server.host",
                "is empty: give an address such as 127.0.0.1 or 0.0.0.0",
            );
        }
        if self.api_prefix.trim_end_matches('/') != "/api/v1" {
            problems.add(
                "server.api_prefix",
                "is fixed: clients expect the API at /api/v1. Leave it out",
            );
        }
        if !self.external_url.is_empty()
            && !self.external_url.starts_with("http://")
            && !self.external_url.starts_with("https://")
        {
            problems.add("server.external_url", "must start with http:// or https://");
        }
    }
}

/// How the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Text on a terminal, JSON otherwise.
    Auto,
    /// Lines for people.
    #[serde(alias = "console")]
    Text,
    /// One JSON object a line.
    Json,
}

/// What is logged, and how.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogConfig {
    /// `error`, `warn`, `info`, `debug`, `trace`, or a list such as `info,snackbase::mail=debug`.
    pub level: String,
    /// Text or JSON.
    pub format: LogFormat,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self {
            level: "info".into(),
            format: LogFormat::Auto,
        }
    }
}

impl LogConfig {
    pub(super) fn check(&self, problems: &mut super::Problems) {
        let directives = self.directives();
        // The filter takes a word that is no level for the name of a module, and is silent about
        // everything else.
        let strange = directives.split(',').any(|part| {
            !part.contains('=')
                && part
                    .trim()
                    .parse::<tracing_subscriber::filter::LevelFilter>()
                    .is_err()
        });
        if strange || tracing_subscriber::EnvFilter::try_new(directives).is_err() {
            let remedy = "use error, warn, info, debug or trace, or a list such as info,snackbase::mail=debug";
            problems.add(
                "log.level",
                format!("`{}` is not understood: {remedy}", self.level),
            );
        }
    }

    /// The level in the words of the filter: other systems' names for levels are understood as
    /// well.
    pub fn directives(&self) -> String {
        match self.level.to_ascii_lowercase().as_str() {
            "critical" | "fatal" => "error".into(),
            "warning" => "warn".into(),
            other => other.to_owned(),
        }
    }
}

/// Which web pages of other origins may call the API.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CorsConfig {
    /// Origins such as `https://app.example.com`; `*` for all. The default is for development.
    pub origins: Vec<String>,
    /// Whether browsers may send cookies and the like.
    pub allow_credentials: bool,
    /// Methods; `*` for all.
    pub allow_methods: Vec<String>,
    /// Request headers; `*` for all.
    pub allow_headers: Vec<String>,
}

impl Default for CorsConfig {
    fn default() -> Self {
        let all = || vec!["*".to_owned()];
        Self {
            origins: [
                "http://localhost:3000",
                "http://localhost:8000",
                "http://localhost:5173",
            ]
            .map(Into::into)
            .into(),
            allow_credentials: true,
            allow_methods: all(),
            allow_headers: all(),
        }
    }
}

impl CorsConfig {
    /// The origins that count in an installation of this kind: in production, the development
    /// servers of the default are not among them.
    pub fn origins_in(&self, environment: Environment) -> &[String] {
        if environment == Environment::Production && self.origins == Self::default().origins {
            return &[];
        }
        &self.origins
    }

    pub(super) fn check(&self, problems: &mut super::Problems) {
        for origin in &self.origins {
            let well_formed = ["http://", "https://"].iter().any(|scheme| {
                origin
                    .strip_prefix(scheme)
                    .is_some_and(|host| !host.is_empty() && !host.contains('/'))
            });
            if origin != "*" && !well_formed {
                problems.add(
                    "cors.origins",
                    format!("`{origin}` is no origin: write https://app.example.com, or *"),
                );
            }
        }
    }
}

/// Headers that tell browsers to be careful.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SecurityConfig {
    /// Whether they are sent.
    pub headers_enabled: bool,
    /// `Strict-Transport-Security`, in seconds; sent in production only.
    pub hsts_max_age: u64,
    /// Whether requests that a trusted proxy took over plain HTTP are sent to HTTPS, at the
    /// external URL; in production only.
    pub https_redirect_enabled: bool,
    /// `Content-Security-Policy`.
    pub csp_policy: String,
    /// `Permissions-Policy`.
    pub permissions_policy: String,
}

impl SecurityConfig {
    pub(super) fn check(&self, server: &ServerConfig, problems: &mut super::Problems) {
        let redirects =
            self.https_redirect_enabled && server.environment == Environment::Production;
        if redirects && !server.external_url.starts_with("https://") {
            let remedy =
                "needs server.external_url, with https://: that is where requests are sent";
            problems.add("security.https_redirect_enabled", remedy);
        }
    }

    /// What the operator should know of settings that have no effect as they are.
    pub(super) fn notice(&self, server: &ServerConfig) -> Option<String> {
        let is_deaf = self.https_redirect_enabled && !server.trust_proxy;
        let notice = "security.https_redirect_enabled has no effect without server.trust_proxy: only a proxy that is \
                      trusted can say what came over plain HTTP";
        is_deaf.then(|| notice.to_owned())
    }
}

impl Default for SecurityConfig {
    fn default() -> Self {
        Self {
            headers_enabled: true,
            hsts_max_age: 31_536_000,
            https_redirect_enabled: false,
            csp_policy: "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
                         img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; \
                         object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
                .into(),
            permissions_policy: "geolocation=(), microphone=(), camera=(), payment=(), usb=(), magnetometer=(), \
                                 gyroscope=(), accelerometer=()"
                .into(),
        }
    }
}
