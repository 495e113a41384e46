//! The log: text on a terminal, JSON otherwise. It never holds a token, a password or a request's body.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

use crate::config::{LogConfig, LogFormat};

/// Starts logging to the standard error stream. A program that logs its own way already keeps doing so.
pub fn start(config: &LogConfig) {
    // Drivers and HTTP libraries tell too much of what passes through them.
    let directives = format!("{},sqlx=warn,hyper=warn,tower=warn,rustls=warn", config.directives());
    let filter = EnvFilter::try_new(directives).unwrap_or_else(|_| EnvFilter::new("info"));
    let text = match config.format {
        LogFormat::Auto => std::io::stderr().is_terminal(),
        LogFormat::Text => true,
        LogFormat::Json => false,
    };
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // An error means that a subscriber is there already.
    let _ = if text { builder.compact().with_target(false).try_init() } else { builder.json().try_init() };
}
