//! The query of a URL, for routes that the API document does not describe. Endpoints that it
//! describes take [`super::QueryParams`].

use axum::extract::{FromRequestParts, RawQuery};
use axum::http::request::Parts;
use serde_json::json;

use crate::error::{Error, Problem, Result};
use crate::spelling::hint;

/// The query, key by key, in order; keys may repeat.
#[derive(Clone, Debug, Default)]
pub struct Query(Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for Query {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(
        parts: &mut Parts,
        state: &S,
    ) -> std::result::Result<Self, Self::Rejection> {
        let RawQuery(query) = RawQuery::from_request_parts(parts, state).await?;
        Ok(Self::read(query.as_deref().unwrap_or_default()))
    }
}

impl Query {
    /// Reads the part of a URL behind its `?`.
    pub fn read(query: &str) -> Self {
        Self(
            form_urlencoded::parse(query.as_bytes())
                .into_owned()
                .collect(),
        )
    }

    /// The last value of a key.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0
            .iter()
            .rev()
            .find(|(name, _)| name == key)
            .map(|(_, value)| value.as_str())
    }

    /// Every value of a key.
    pub fn all<'q>(&'q self, key: &'q str) -> impl Iterator<Item = &'q str> {
        self.0
            .iter()
            .filter(move |(name, _)| name == key)
            .map(|(_, value)| value.as_str())
    }

    /// The keys.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// A whole number in a range, or the default.
    pub fn number(
        &self,
        key: &str,
        default: i64,
        range: std::ops::RangeInclusive<i64>,
    ) -> Result<i64> {
        let Some(text) = self.get(key) else {
            return Ok(default);
        };
        let Ok(number) = text.trim().parse::<i64>() else {
            let msg = "Input should be a valid integer, unable to parse string as an integer";
            return Err(Error::malformed(Problem::query(
                key,
                "int_parsing",
                msg,
                text,
            )));
        };
        if number < *range.start() {
            let msg = format!("Input should be greater than or equal to {}", range.start());
            let problem = Problem::query(key, "greater_than_equal", msg, text);
            return Err(Error::malformed(problem.with(json!({"ge": range.start()}))));
        }
        if number > *range.end() {
            let msg = format!("Input should be less than or equal to {}", range.end());
            let problem = Problem::query(key, "less_than_equal", msg, text);
            return Err(Error::malformed(problem.with(json!({"le": range.end()}))));
        }
        Ok(number)
    }

    /// `true`/`false`, `1`/`0`, `yes`/`no`, `on`/`off`, or the default.
    pub fn flag(&self, key: &str, default: bool) -> Result<bool> {
        match self.get(key).map(str::to_ascii_lowercase).as_deref() {
            None => Ok(default),
            Some("true" | "1" | "yes" | "on") => Ok(true),
            Some("false" | "0" | "no" | "off") => Ok(false),
            Some(other) => Err(Error::malformed(Problem::query(
                key,
                "bool_parsing",
                "Input should be a valid boolean",
                other,
            ))),
        }
    }
}

/// The refusal of a parameter that an endpoint does not take.
pub(super) fn unknown_parameter(name: &str, known: &[&str]) -> Error {
    let shown: String = name.chars().take(100).collect();
    let expected = if known.is_empty() {
        "there are none here".into()
    } else {
        format!("expected one of {}", known.join(", "))
    };
    let hint = hint(name, known.iter().copied());
    Error::refused(
        "Unsupported query parameter",
        format!("unknown query parameter '{shown}'; {expected}{hint}"),
    )
}
