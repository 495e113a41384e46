//! Every setting with its value and where that comes from, for people who run the server.

use figment::value::Value;
use figment::{Figment, Source};

use super::{EXAMPLE, env};

/// Values that are never shown; so is the password in a database's URL.
const SECRETS: [&str; 7] = [
    "auth.secret_key",
    "auth.token_secret",
    "auth.encryption_key",
    "auth.old_encryption_keys",
    "auth.superadmin_password",
    "mail.smtp_password",
    "files.s3_secret_access_key",
];

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettingOrigin {
    /// Nobody set it.
    Default,
    /// The configuration file.
    File,
    /// An environment variable.
    Environment,
    /// A flag of the command.
    Flag,
}

/// A setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Its section and name, as in `server.port`.
    pub key: String,
    /// The environment variable that sets it.
    pub variable: Option<String>,
    /// What it does; empty where the name says it.
    pub description: String,
    /// Its value as it would stand in the file; `null` for a secret that is set.
    pub value: Option<String>,
    /// Its default as it would stand in the file.
    pub default: String,
    /// Where the value comes from.
    pub origin: SettingOrigin,
}

/// All settings, in the order of the example file.
pub(super) fn of(figment: &Figment) -> Vec<Setting> {
    let mut section = "";
    let mut settings = Vec::new();
    let mut above = Vec::new();
    for line in EXAMPLE.lines() {
        if let Some(name) = line
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
        {
            section = name;
            above.clear();
        } else if let Some(comment) = line.strip_prefix('#') {
            above.push(comment.trim());
        } else if let Some((name, rest)) = line.split_once(" = ") {
            let (default, comment) = split_comment(rest);
            let comment = if comment.contains("; ") || above.is_empty() {
                comment.to_owned()
            } else {
                above.join(" ")
            };
            settings.push(setting(
                figment,
                format!("{section}.{name}"),
                default,
                &comment,
            ));
            above.clear();
        }
    }
    settings
}

fn setting(figment: &Figment, key: String, default: &str, comment: &str) -> Setting {
    let description = match comment.split_once("; ") {
        Some((names, text)) if names.starts_with(env::PREFIX) => text,
        _ if comment.starts_with(env::PREFIX) => "",
        _ => comment,
    };
    let found = figment.find_value(&key).ok();
    let origin = match (&found, figment.find_metadata(&key)) {
        (None, _) | (_, None) => SettingOrigin::Default,
        (_, Some(metadata)) => match &metadata.source {
            Some(Source::File(_)) => SettingOrigin::File,
            _ if metadata.name.starts_with("environment") => SettingOrigin::Environment,
            _ => SettingOrigin::Flag,
        },
    };
    let value = match found {
        Some(_) if SECRETS.contains(&key.as_str()) => None,
        Some(Value::String(_, url)) if key == "database.url" => Some(text(&without_password(&url))),
        Some(value) => Some(
            toml::Value::try_from(&value)
                .map_or_else(|_| default.to_owned(), |value| value.to_string()),
        ),
        None => Some(default.to_owned()),
    };
    let (variable, description, default) = (
        env::name_of(&key),
        description.to_owned(),
        default.to_owned(),
    );
    Setting {
        key,
        variable,
        description,
        value,
        default,
        origin,
    }
}

fn text(value: &str) -> String {
    toml::Value::String(value.to_owned()).to_string()
}

/// The value and the comment behind it.
fn split_comment(rest: &str) -> (&str, &str) {
    match rest.rsplit_once(" # ") {
        Some((value, comment)) => (value.trim(), comment.trim()),
        None => (rest.trim(), ""),
    }
}

fn without_password(url: &str) -> String {
    let hidden = || {
        let (scheme, rest) = url.split_once("://")?;
        let (credentials, host) = rest.rsplit_once('@')?;
        let user = credentials.split(':').next().unwrap_or_default();
        Some(format!("{scheme}://{user}:***@{host}"))
    };
    hidden().unwrap_or_else(|| url.to_owned())
}

#[cfg(test)]
mod tests {
    use crate::config::{Config, Sources};

    use super::*;

    fn with(variables: &[(&str, &str)]) -> Vec<Setting> {
        let variables = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let sources = Sources {
            variables,
            port: Some(1234),
            ..Sources::default()
        };
        Config::read(&sources)
            .expect("valid")
            .config
            .settings
            .to_vec()
    }

    fn find<'a>(settings: &'a [Setting], key: &str) -> &'a Setting {
        settings
            .iter()
            .find(|setting| setting.key == key)
            .expect("a setting")
    }

    #[test]
    fn every_setting_is_told_with_its_default_and_what_it_does() {
        let settings = with(&[]);
        let told: Vec<_> = settings
            .iter()
            .map(|setting| setting.key.as_str())
            .collect();
        let mut known: Vec<_> = env::keys().collect();
        known.dedup();
        for key in known {
            assert!(told.contains(&key), "{key}");
        }
        for setting in &settings {
            assert!(!setting.description.is_empty(), "{}", setting.key);
        }
        let host = find(&settings, "server.host");
        assert_eq!(
            (host.default.as_str(), host.value.as_deref()),
            ("\"127.0.0.1\"", Some("\"127.0.0.1\""))
        );
        assert_eq!(
            (host.description.as_str(), host.origin),
            ("0.0.0.0 for all addresses", SettingOrigin::Default)
        );
        assert_eq!(host.variable.as_deref(), Some("SNACKBASE_HOST"));
    }

    #[test]
    fn a_value_tells_where_it_comes_from() {
        let settings = with(&[("SNACKBASE_APP_NAME", "Mine")]);
        let name = find(&settings, "server.app_name");
        assert_eq!(
            (name.value.as_deref(), name.origin),
            (Some("\"Mine\""), SettingOrigin::Environment)
        );
        let port = find(&settings, "server.port");
        assert_eq!(
            (port.value.as_deref(), port.origin),
            (Some("1234"), SettingOrigin::Flag)
        );
    }

    #[test]
    fn secrets_are_not_told() {
        let key = "a-long-secret-that-nobody-may-see-anywhere";
        let url = "postgres://me:hidden@127.0.0.1/db";
        let settings = with(&[
            ("SNACKBASE_SECRET_KEY", key),
            ("SNACKBASE_DATABASE_URL", url),
        ]);
        let secret = find(&settings, "auth.secret_key");
        assert_eq!(
            (secret.value.as_deref(), secret.origin),
            (None, SettingOrigin::Environment)
        );
        assert_eq!(
            find(&settings, "database.url").value.as_deref(),
            Some("\"postgres://me:***@127.0.0.1/db\"")
        );
        let all = format!("{settings:?}");
        assert!(!all.contains(key) && !all.contains("hidden"));
    }

    #[test]
    fn everything_that_holds_a_secret_is_known_to() {
        let secret = |key: &str| {
            ["secret", "password", "_key"]
                .iter()
                .any(|part| key.ends_with(part))
        };
        for key in env::keys().filter(|key| secret(key)) {
            assert!(SECRETS.contains(&key), "{key} looks like a secret");
        }
    }
}
