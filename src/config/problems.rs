//! What is wrong with a configuration, told so that it can be put right.

use std::fmt::{self, Display};
use std::ops::RangeInclusive;

use figment::error::Kind;
use figment::{Figment, Metadata, Source};

use super::env;
use crate::spelling::nearest;

/// Why a configuration was not accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    problems: Vec<String>,
}

impl ConfigError {
    pub(super) fn one(problem: impl Into<String>) -> Self {
        Self {
            problems: vec![problem.into()],
        }
    }

    pub(super) fn many(problems: Vec<String>) -> Self {
        Self { problems }
    }
}

impl Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("The configuration cannot be used:")?;
        self.problems
            .iter()
            .try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}

impl std::error::Error for ConfigError {}

/// Collects what the sections find.
#[derive(Debug, Default)]
pub struct Problems(Vec<(&'static str, String)>);

impl Problems {
    /// Something is wrong with a key; the message goes on after its name.
    pub fn add(&mut self, key: &'static str, message: impl Into<String>) {
        self.0.push((key, message.into()));
    }

    /// The value must be in a range.
    pub fn range<T: Copy + PartialOrd + Display>(
        &mut self,
        key: &'static str,
        value: T,
        range: RangeInclusive<T>,
    ) {
        if !range.contains(&value) {
            self.add(
                key,
                format!(
                    "is {value}; it must be between {} and {}",
                    range.start(),
                    range.end()
                ),
            );
        }
    }

    pub(super) fn into_result(self, figment: &Figment) -> Result<(), ConfigError> {
        if self.0.is_empty() {
            return Ok(());
        }
        let told = self
            .0
            .into_iter()
            .map(|(key, message)| match figment.find_metadata(key) {
                Some(metadata) => {
                    format!("{key}{}: {message} ({})", variable(key), origin(metadata))
                }
                None => format!("{key}{}: {message} (not set)", variable(key)),
            });
        Err(ConfigError::many(told.collect()))
    }
}

/// A figment error in our words.
pub(super) fn of_figment(error: figment::Error) -> ConfigError {
    ConfigError::many(error.into_iter().map(|error| describe(&error)).collect())
}

fn describe(error: &figment::Error) -> String {
    let key = error.path.join(".");
    let from = error
        .metadata
        .as_ref()
        .map_or_else(String::new, |metadata| format!(" ({})", origin(metadata)));
    match &error.kind {
        Kind::UnknownField(name, known) => {
            let section = key
                .strip_suffix(name.as_str())
                .unwrap_or(&key)
                .trim_end_matches('.');
            let full = if section.is_empty() {
                name.clone()
            } else {
                format!("{section}.{name}")
            };
            let hint = match nearest(name, known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("there are: {}", known.join(", ")),
            };
            format!("{full}: unknown key; {hint}{from}")
        }
        Kind::UnknownVariant(value, known) => {
            format!(
                "{key}{}: is `{value}`; it must be one of {}{from}",
                variable(&key),
                known.join(", ")
            )
        }
        kind if key.is_empty() => format!("{kind}{from}"),
        kind => format!("{key}{}: {kind}{from}", variable(&key)),
    }
}

/// The variable for a key, in brackets.
fn variable(key: &str) -> String {
    env::name_of(key).map_or_else(String::new, |name| format!(" [{name}]"))
}

fn origin(metadata: &Metadata) -> String {
    match &metadata.source {
        Some(Source::File(path)) => format!("from {}", path.display()),
        _ => format!("from {}", metadata.name),
    }
}
