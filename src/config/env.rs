//! The `SNACKBASE_*` variables: one table from names to keys.

use std::path::PathBuf;

use figment::value::{Dict, Map, Value};
use figment::{Metadata, Profile, Provider};
use serde::Serialize;

use super::ConfigError;
use crate::spelling::nearest;

/// What all our variables start with.
pub const PREFIX: &str = "SNACKBASE_";

/// How a variable's text becomes a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// As it is.
    Text,
    /// In lower case: the name of a choice.
    Choice,
    /// A whole number.
    Number,
    /// A whole number in another unit: so many of ours each.
    Scaled(i64),
    /// A whole number whose sign does not matter.
    Magnitude,
    /// true, false, 1, 0, yes, no, on, off.
    Switch,
    /// A JSON list, or texts with commas between them.
    List,
    /// A JSON object.
    Object,
}

use Form::{Choice, List, Magnitude, Number, Object, Scaled, Switch, Text};

/// Name without prefix, key, form. Where a key has several names, the first is the one that
/// messages use.
const TABLE: &[(&str, &str, Form)] = &[
    ("HOST", "server.host", Text),
    ("PORT", "server.port", Number),
    ("DATA_DIR", "server.data_dir", Text),
    ("ENVIRONMENT", "server.environment", Choice),
    ("APP_NAME", "server.app_name", Text),
    ("EXTERNAL_URL", "server.external_url", Text),
    ("API_PREFIX", "server.api_prefix", Text),
    ("TRUST_PROXY", "server.trust_proxy", Switch),
    ("SHUTDOWN_SECONDS", "server.shutdown_seconds", Number),
    ("DATABASE_URL", "database.url", Text),
    (
        "DB_SQLITE_SYNCHRONOUS",
        "database.sqlite_synchronous",
        Choice,
    ),
    ("DB_SQLITE_READERS", "database.sqlite_readers", Number),
    (
        "DB_SQLITE_BUSY_TIMEOUT",
        "database.sqlite_busy_timeout_ms",
        Number,
    ),
    (
        "DB_SQLITE_CACHE_SIZE",
        "database.sqlite_cache_kib",
        Magnitude,
    ),
    ("DB_POOL_SIZE", "database.pool_size", Number),
    ("DB_POOL_TIMEOUT", "database.pool_timeout_seconds", Number),
    (
        "DB_MIN_FREE_DISK_BYTES",
        "database.min_free_disk_bytes",
        Number,
    ),
    (
        "CHANGE_LOG_RETENTION_HOURS",
        "database.change_log_retention_hours",
        Number,
    ),
    (
        "CHANGE_LOG_MAX_ROWS",
        "database.change_log_max_rows",
        Number,
    ),
    (
        "CHANGE_LOG_MAX_BYTES",
        "database.change_log_max_bytes",
        Number,
    ),
    ("SECRET_KEY", "auth.secret_key", Text),
    ("TOKEN_SECRET", "auth.token_secret", Text),
    ("ENCRYPTION_KEY", "auth.encryption_key", Text),
    ("OLD_ENCRYPTION_KEYS", "auth.old_encryption_keys", List),
    (
        "ACCESS_TOKEN_EXPIRE_SECONDS",
        "auth.access_token_seconds",
        Number,
    ),
    (
        "ACCESS_TOKEN_EXPIRE_MINUTES",
        "auth.access_token_seconds",
        Scaled(60),
    ),
    (
        "REFRESH_TOKEN_EXPIRE_SECONDS",
        "auth.refresh_token_seconds",
        Number,
    ),
    (
        "REFRESH_TOKEN_EXPIRE_DAYS",
        "auth.refresh_token_seconds",
        Scaled(86_400),
    ),
    (
        "REFRESH_GRACE_SECONDS",
        "auth.refresh_grace_seconds",
        Number,
    ),
    ("LINK_EXPIRE_SECONDS", "auth.link_seconds", Number),
    (
        "INVITATION_EXPIRE_SECONDS",
        "auth.invitation_seconds",
        Number,
    ),
    ("AUTH_CACHE_SECONDS", "auth.cache_seconds", Number),
    ("EMAIL_VERIFICATION", "auth.email_verification", Choice),
    ("SUPERADMIN_EMAIL", "auth.superadmin_email", Text),
    ("SUPERADMIN_PASSWORD", "auth.superadmin_password", Text),
    ("SINGLE_TENANT_MODE", "auth.single_tenant_mode", Switch),
    ("SINGLE_TENANT_ACCOUNT", "auth.single_tenant_account", Text),
    (
        "SINGLE_TENANT_ACCOUNT_NAME",
        "auth.single_tenant_account_name",
        Text,
    ),
    (
        "ACCOUNT_ADMIN_REQUIRED",
        "auth.account_admin_required",
        Switch,
    ),
    ("API_KEY_MAX_PER_USER", "auth.api_key_max_per_user", Number),
    ("SESSION_MAX_PER_USER", "auth.session_max_per_user", Number),
    ("ARGON2_MEMORY_KIB", "auth.argon2_memory_kib", Number),
    ("ARGON2_ITERATIONS", "auth.argon2_iterations", Number),
    ("ARGON2_PARALLELISM", "auth.argon2_parallelism", Number),
    ("PASSWORD_WORKERS", "auth.password_workers", Number),
    ("IS_DEMO", "auth.is_demo", Switch),
    ("SMTP_HOST", "mail.smtp_host", Text),
    ("SMTP_PORT", "mail.smtp_port", Number),
    ("SMTP_USERNAME", "mail.smtp_username", Text),
    ("SMTP_PASSWORD", "mail.smtp_password", Text),
    ("SMTP_SECURITY", "mail.smtp_security", Choice),
    ("SMTP_TIMEOUT_SECONDS", "mail.smtp_timeout_seconds", Number),
    ("MAIL_FROM_EMAIL", "mail.from_email", Text),
    ("MAIL_FROM_NAME", "mail.from_name", Text),
    ("MAIL_REPLY_TO", "mail.reply_to", Text),
    ("MAIL_QUEUE_SIZE", "mail.queue_size", Number),
    (
        "REALTIME_HEARTBEAT_SECONDS",
        "realtime.heartbeat_seconds",
        Number,
    ),
    (
        "REALTIME_MAX_SUBSCRIPTIONS",
        "realtime.max_subscriptions",
        Number,
    ),
    ("REALTIME_BACKLOG_EVENTS", "realtime.backlog_events", Number),
    ("REALTIME_QUEUE_FRAMES", "realtime.queue_frames", Number),
    ("REALTIME_QUEUE_BYTES", "realtime.queue_bytes", Number),
    (
        "REALTIME_MAX_CONNECTIONS_PER_ADDRESS",
        "realtime.max_connections_per_address",
        Number,
    ),
    (
        "REALTIME_MAX_CONNECTIONS_PER_USER",
        "realtime.max_connections_per_user",
        Number,
    ),
    ("REALTIME_STALL_SECONDS", "realtime.stall_seconds", Number),
    (
        "REALTIME_CHECKPOINT_SECONDS",
        "realtime.checkpoint_seconds",
        Number,
    ),
    (
        "REALTIME_MAX_MESSAGE_BYTES",
        "realtime.max_message_bytes",
        Number,
    ),
    (
        "REALTIME_MAX_MESSAGES_PER_SECOND",
        "realtime.max_messages_per_second",
        Number,
    ),
    (
        "ROOMS_MAX_PER_CONNECTION",
        "rooms.max_per_connection",
        Number,
    ),
    ("ROOMS_MAX_MEMBERS", "rooms.max_members", Number),
    ("ROOMS_MAX_MESSAGE_BYTES", "rooms.max_message_bytes", Number),
    (
        "ROOMS_MAX_PRESENCE_BYTES",
        "rooms.max_presence_bytes",
        Number,
    ),
    (
        "ROOMS_MAX_MESSAGES_PER_SECOND",
        "rooms.max_messages_per_second",
        Number,
    ),
    ("ROOMS_GRACE_SECONDS", "rooms.grace_seconds", Number),
    ("FILES_STORE", "files.store", Choice),
    ("STORAGE_PATH", "files.path", Text),
    ("MAX_FILE_SIZE", "files.max_bytes", Number),
    ("ALLOWED_MIME_TYPES", "files.allowed_types", List),
    ("FILES_ACCOUNT_BYTES", "files.account_bytes", Number),
    ("FILES_IDLE_SECONDS", "files.idle_seconds", Number),
    ("FILES_UNCLAIMED_SECONDS", "files.unclaimed_seconds", Number),
    ("FILES_GRACE_SECONDS", "files.grace_seconds", Number),
    ("FILES_THUMB_SIZES", "files.thumb_sizes", List),
    ("FILES_THUMB_WORKERS", "files.thumb_workers", Number),
    ("FILES_THUMB_MAX_BYTES", "files.thumb_max_bytes", Number),
    ("FILES_THUMB_MAX_PIXELS", "files.thumb_max_pixels", Number),
    ("S3_BUCKET", "files.s3_bucket", Text),
    ("S3_REGION", "files.s3_region", Text),
    ("S3_ENDPOINT", "files.s3_endpoint", Text),
    ("S3_ACCESS_KEY_ID", "files.s3_access_key_id", Text),
    ("S3_SECRET_ACCESS_KEY", "files.s3_secret_access_key", Text),
    ("BODY_LIMIT_BYTES", "limits.body_bytes", Number),
    ("ANSWER_LIMIT_BYTES", "limits.answer_bytes", Number),
    ("RECORD_LIMIT_BYTES", "limits.record_bytes", Number),
    ("ACCOUNT_RECORDS", "limits.account_records", Number),
    ("ACCOUNT_BYTES", "limits.account_bytes", Number),
    (
        "REQUEST_TIMEOUT_SECONDS",
        "limits.request_timeout_seconds",
        Number,
    ),
    (
        "HEADER_TIMEOUT_SECONDS",
        "limits.header_timeout_seconds",
        Number,
    ),
    (
        "WRITE_TIMEOUT_SECONDS",
        "limits.write_timeout_seconds",
        Number,
    ),
    (
        "MAX_CONNECTIONS_PER_ADDRESS",
        "limits.max_connections_per_address",
        Number,
    ),
    (
        "MAX_IDLE_CONNECTIONS_PER_ADDRESS",
        "limits.max_idle_connections_per_address",
        Number,
    ),
    ("BATCH_MAX_SIZE", "limits.batch_max_size", Number),
    ("MAX_EXPAND_DEPTH", "limits.max_expand_depth", Number),
    ("RATE_LIMIT_ENABLED", "limits.rate_limit_enabled", Switch),
    (
        "RATE_LIMIT_PER_MINUTE",
        "limits.rate_limit_per_minute",
        Number,
    ),
    (
        "RATE_LIMIT_AUTHENTICATED_PER_MINUTE",
        "limits.rate_limit_authenticated_per_minute",
        Number,
    ),
    ("RATE_LIMIT_BURST", "limits.rate_limit_burst", Number),
    (
        "RATE_LIMIT_ENDPOINTS",
        "limits.rate_limit_endpoints",
        Object,
    ),
    ("THROTTLE_ENABLED", "limits.throttle_enabled", Switch),
    (
        "THROTTLE_WINDOW_SECONDS",
        "limits.throttle_window_seconds",
        Number,
    ),
    (
        "LOGIN_FAILURES_PER_IDENTITY",
        "limits.login_failures_per_identity",
        Number,
    ),
    (
        "LOGIN_FAILURES_PER_ADDRESS",
        "limits.login_failures_per_address",
        Number,
    ),
    (
        "SIGN_INS_PER_IDENTITY",
        "limits.sign_ins_per_identity",
        Number,
    ),
    (
        "SIGN_INS_PER_ADDRESS",
        "limits.sign_ins_per_address",
        Number,
    ),
    (
        "REGISTRATIONS_PER_ADDRESS",
        "limits.registrations_per_address",
        Number,
    ),
    ("MAILS_PER_IDENTITY", "limits.mails_per_identity", Number),
    ("MAILS_PER_ADDRESS", "limits.mails_per_address", Number),
    ("AUDIT_LOGGING_ENABLED", "audit.logging_enabled", Switch),
    ("AUDIT_VALUE_BYTES", "audit.value_bytes", Number),
    ("LOG_LEVEL", "log.level", Text),
    ("LOG_FORMAT", "log.format", Choice),
    ("CORS_ORIGINS", "cors.origins", List),
    ("CORS_ALLOW_CREDENTIALS", "cors.allow_credentials", Switch),
    ("CORS_ALLOW_METHODS", "cors.allow_methods", List),
    ("CORS_ALLOW_HEADERS", "cors.allow_headers", List),
    (
        "SECURITY_HEADERS_ENABLED",
        "security.headers_enabled",
        Switch,
    ),
    ("HSTS_MAX_AGE", "security.hsts_max_age", Number),
    (
        "HTTPS_REDIRECT_ENABLED",
        "security.https_redirect_enabled",
        Switch,
    ),
    ("CSP_POLICY", "security.csp_policy", Text),
    ("PERMISSIONS_POLICY", "security.permissions_policy", Text),
];

/// Settings of other SnackBase servers that this one takes without effect, so that their
/// environments keep working, each with the setting of ours that comes nearest; empty where there
/// is none.
const WITHOUT_EFFECT: &[(&str, &str)] = &[
    ("API_KEY_DEFAULT_EXPIRATION_DAYS", ""),
    ("API_KEY_HEADER", ""),
    (
        "API_KEY_RATE_LIMIT_PER_MINUTE",
        "RATE_LIMIT_AUTHENTICATED_PER_MINUTE",
    ),
    ("APP_VERSION", ""),
    ("BACKUP_SCHEDULER_ENABLED", ""),
    ("DB_ECHO", "LOG_LEVEL"),
    ("DB_MAX_OVERFLOW", "DB_POOL_SIZE"),
    ("DB_POOL_RECYCLE", ""),
    ("DB_SQLITE_FOREIGN_KEYS", ""),
    ("DB_SQLITE_JOURNAL_MODE", "DB_SQLITE_SYNCHRONOUS"),
    ("DB_SQLITE_MMAP_SIZE", ""),
    ("DB_SQLITE_TEMP_STORE", ""),
    ("DEBUG", "LOG_LEVEL"),
    ("ENDPOINT_EXECUTION_TIMEOUT_SECONDS", ""),
    ("FUNCTION_CORS_ORIGINS", ""),
    ("FUNCTION_DEPENDENCY_ALLOWLIST", ""),
    ("FUNCTION_DEPENDENCY_MODE", ""),
    ("FUNCTION_ENV_BASE_PATH", ""),
    ("FUNCTION_ENV_DISK_QUOTA_MB", ""),
    ("FUNCTION_EXECUTION_RETENTION_DAYS", ""),
    ("FUNCTION_EXECUTION_TIMEOUT_SECONDS", ""),
    ("FUNCTION_MEMORY_LIMIT_MB", ""),
    ("FUNCTION_NESTED_INVOKE_LIMIT_PER_MINUTE", ""),
    ("FUNCTION_SANDBOX_MODE", ""),
    ("FUNCTION_STDOUT_MAX_BYTES", ""),
    ("FUNCTION_STREAMING_TIMEOUT_SECONDS", ""),
    ("FUNCTION_WORKER_POOL_SIZE", ""),
    ("JOB_EXECUTION_TIMEOUT", ""),
    ("JOB_RETENTION_DAYS", ""),
    ("JOB_WORKER_ENABLED", ""),
    ("JOB_WORKER_POLL_INTERVAL", ""),
    ("LOGIN_LOCKOUT_SECONDS", "THROTTLE_WINDOW_SECONDS"),
    ("LOGIN_LOCKOUT_THRESHOLD", "LOGIN_FAILURES_PER_IDENTITY"),
    ("LOGIN_RATE_LIMIT_PER_MINUTE", "LOGIN_FAILURES_PER_ADDRESS"),
    ("LOG_FILE", ""),
    ("MAX_CONCURRENT_FUNCTION_INVOKES_GLOBAL", ""),
    ("MAX_CONCURRENT_FUNCTION_INVOKES_PER_ACCOUNT", ""),
    ("MAX_ENDPOINTS_PER_ACCOUNT", ""),
    ("MAX_FUNCTIONS_PER_ACCOUNT", ""),
    ("MAX_FUNCTION_REQUEST_BODY_BYTES", ""),
    ("MAX_FUNCTION_SECRETS_PER_ACCOUNT", ""),
    ("MAX_FUNCTION_SOURCE_BYTES", ""),
    ("MAX_FUNCTION_VERSIONS_RETAINED", ""),
    ("MAX_SCHEDULED_HOOKS_PER_ACCOUNT", ""),
    ("MAX_WEBHOOKS_PER_ACCOUNT", ""),
    ("PERMISSION_CACHE_TTL_SECONDS", "AUTH_CACHE_SECONDS"),
    ("PLATFORM_AUDIENCE", ""),
    ("PLATFORM_EMAIL_CLAIM", ""),
    ("PLATFORM_ISSUER", ""),
    ("PLATFORM_JWKS_CACHE_SECONDS", ""),
    ("PLATFORM_JWKS_URL", ""),
    ("PLATFORM_MAX_TOKEN_AGE_SECONDS", ""),
    ("PLATFORM_ROLE_CLAIM", ""),
    ("PLATFORM_SOCKET_MAX_LIFETIME_SECONDS", ""),
    ("RATE_LIMIT_BURST_MULTIPLIER", "RATE_LIMIT_BURST"),
    ("RATE_LIMIT_PER_HOUR", "RATE_LIMIT_PER_MINUTE"),
    ("RESTORE_RETAIN_OLD_DATA_HOURS", ""),
    ("SAML_CLOCK_SKEW_SECONDS", ""),
    ("SCHEDULER_ENABLED", ""),
    ("SCHEDULER_POLL_INTERVAL", ""),
    ("TRUSTED_PROXIES", "TRUST_PROXY"),
    ("WEBHOOK_TIMEOUT_SECONDS", ""),
    ("WORKERS", ""),
];

/// The variable that messages name for a key.
pub(super) fn name_of(key: &str) -> Option<String> {
    TABLE
        .iter()
        .find(|(_, path, _)| *path == key)
        .map(|(name, _, _)| format!("{PREFIX}{name}"))
}

/// What the variables say.
pub(super) struct Variables {
    /// The settings.
    pub(super) settings: Vec<Setting>,
    /// `SNACKBASE_CONFIG`.
    pub(super) file: Option<PathBuf>,
    /// What has no effect, each with what was perhaps meant.
    pub(super) notices: Vec<String>,
}

/// Reads our variables; others are passed over, and empty ones count as not set. Names with our
/// prefix that we do not know are no mistake: the environment of a compose file or of a shell has
/// variables of clients of ours as well.
pub(super) fn read(variables: &[(String, String)]) -> Result<Variables, ConfigError> {
    let mut found = Variables {
        settings: Vec::new(),
        file: None,
        notices: Vec::new(),
    };
    let mut problems = Vec::new();
    for (full, text) in variables {
        let Some(name) = full
            .strip_prefix(PREFIX)
            .filter(|_| !text.trim().is_empty())
        else {
            continue;
        };
        // For the build and for test suites, not for the server.
        if name == "SKIP_UI" || name.starts_with("TEST_") || name.starts_with("BENCH_") {
            continue;
        }
        if name == "CONFIG" {
            found.file = Some(text.into());
        } else if let Some((_, near)) = WITHOUT_EFFECT.iter().find(|(known, _)| *known == name) {
            let hint = if near.is_empty() {
                String::new()
            } else {
                format!("; the nearest setting is {PREFIX}{near}")
            };
            found
                .notices
                .push(format!("{full} has no effect in this server{hint}"));
        } else if let Some((_, key, form)) = TABLE.iter().find(|(known, _, _)| *known == name) {
            match form.parse(text) {
                Ok(value) => {
                    found.settings.push(Setting {
                        origin: format!("environment variable {full}"),
                        key,
                        value,
                    });
                }
                Err(expected) => problems.push(format!(
                    "{key} [{full}]: must be {expected} (from the environment)"
                )),
            }
        } else {
            let hint = match nearest_variable(name) {
                Some(near) => format!("did you mean {PREFIX}{near}?"),
                None => "see snackbase.toml.example for those there are".to_owned(),
            };
            found
                .notices
                .push(format!("{full} is not a setting and has no effect; {hint}"));
        }
    }
    // Later settings win: the finer unit over the coarser one, whatever the order of the variables.
    found
        .settings
        .sort_by_key(|setting| setting.origin.ends_with("_SECONDS"));
    if problems.is_empty() {
        Ok(found)
    } else {
        Err(ConfigError::many(problems))
    }
}

impl Form {
    fn parse(self, text: &str) -> Result<Value, &'static str> {
        let text = text.trim();
        let number = || text.parse::<i64>().map_err(|_| "a whole number");
        match self {
            Text => Ok(text.into()),
            Choice => Ok(text.to_ascii_lowercase().into()),
            Number => Ok(number()?.into()),
            Scaled(unit) => Ok(number()?.saturating_mul(unit).into()),
            Magnitude => Ok(number()?.unsigned_abs().into()),
            Switch => match text.to_ascii_lowercase().as_str() {
                "true" | "1" | "yes" | "on" => Ok(true.into()),
                "false" | "0" | "no" | "off" => Ok(false.into()),
                _ => Err("true or false"),
            },
            List if text.starts_with('[') => {
                let list: Vec<String> =
                    serde_json::from_str(text).map_err(|_| "a JSON list of texts")?;
                Ok(list.into())
            }
            List => Ok(text
                .split(',')
                .map(str::trim)
                .filter(|t| !t.is_empty())
                .collect::<Vec<_>>()
                .into()),
            Object => {
                let object: serde_json::Map<String, serde_json::Value> =
                    serde_json::from_str(text).map_err(|_| "a JSON object")?;
                Value::serialize(object).map_err(|_| "a JSON object")
            }
        }
    }
}

/// One value from one place, for figment.
pub(super) struct Setting {
    origin: String,
    key: &'static str,
    value: Value,
}

/// A flag's value; nothing if the flag was not given.
pub(super) fn flag(key: &'static str, value: Option<impl Serialize>) -> Flag {
    let setting = value.and_then(|value| Value::serialize(value).ok());
    Flag(setting.map(|value| Setting {
        origin: "the command line".to_owned(),
        key,
        value,
    }))
}

/// A [`Setting`] that may be absent.
pub(super) struct Flag(Option<Setting>);

impl Provider for Setting {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.origin.clone())
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        let nested = figment::util::nest(self.key, self.value.clone());
        Ok(Profile::Default.collect(nested.into_dict().unwrap_or_default()))
    }
}

impl Provider for Flag {
    fn metadata(&self) -> Metadata {
        self.0
            .as_ref()
            .map_or_else(Metadata::default, Provider::metadata)
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        match &self.0 {
            Some(setting) => setting.data(),
            None => Ok(Map::new()),
        }
    }
}

/// The variable that a name was probably meant to be: a misspelt one, or one that ends with it.
fn nearest_variable(name: &str) -> Option<&'static str> {
    let known = || TABLE.iter().map(|(known, _, _)| *known);
    let ends = |known: &str| {
        known
            .strip_suffix(name)
            .is_some_and(|rest| rest.ends_with('_'))
    };
    nearest(name, known()).or_else(|| known().find(|known| ends(known)))
}

#[cfg(test)]
pub(super) fn keys() -> impl Iterator<Item = &'static str> {
    TABLE.iter().map(|(_, key, _)| *key)
}

/// The settings that are named for those without effect.
#[cfg(test)]
pub(super) fn nearest_of_others() -> impl Iterator<Item = &'static str> {
    WITHOUT_EFFECT
        .iter()
        .map(|(_, near)| *near)
        .filter(|near| !near.is_empty())
}

/// The key of a variable.
#[cfg(test)]
pub(super) fn key_of_variable(name: &str) -> Option<&'static str> {
    TABLE
        .iter()
        .find(|(known, _, _)| *known == name)
        .map(|(_, key, _)| *key)
}
