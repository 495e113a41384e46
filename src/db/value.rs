//! Values that statements bind. A NULL carries its type, because PostgreSQL wants to know it.

use chrono::{DateTime, Utc};
use serde_json::Value as Json;

pub use crate::clock::canonical_time;

/// The type of a bound value; for a NULL it is all there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// UTF-8 text.
    Text,
    /// A 64-bit integer.
    Int,
    /// A double.
    Real,
    /// A boolean.
    Bool,
    /// An instant; text in canonical form on SQLite, `timestamptz` on PostgreSQL.
    Time,
    /// A JSON document; text on SQLite, `json` on PostgreSQL.
    Json,
}

/// One bound argument.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// SQL NULL of a type.
    Null(Kind),
    /// UTF-8 text.
    Text(String),
    /// A 64-bit integer.
    Int(i64),
    /// A double.
    Real(f64),
    /// A boolean.
    Bool(bool),
    /// An instant, kept to the millisecond.
    Time(DateTime<Utc>),
    /// JSON text that is known to be valid.
    Json(String),
}

impl Value {
    /// The type of this value.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Null(kind) => *kind,
            Self::Text(_) => Kind::Text,
            Self::Int(_) => Kind::Int,
            Self::Real(_) => Kind::Real,
            Self::Bool(_) => Kind::Bool,
            Self::Time(_) => Kind::Time,
            Self::Json(_) => Kind::Json,
        }
    }

    /// The value the way documents show it.
    pub fn shown(&self) -> Json {
        match self {
            Self::Null(_) => Json::Null,
            Self::Text(text) => Json::String(text.clone()),
            Self::Int(number) => Json::from(*number),
            Self::Real(number) => Json::from(*number),
            Self::Bool(truth) => Json::Bool(*truth),
            Self::Time(time) => Json::String(canonical_time(*time)),
            Self::Json(text) => serde_json::from_str(text).unwrap_or_default(),
        }
    }

    /// Text, or a NULL of type text.
    pub fn text_or_null(text: Option<impl Into<String>>) -> Self {
        text.map_or(Self::Null(Kind::Text), |text| Self::Text(text.into()))
    }

    /// An instant, or a NULL of type time.
    pub fn time_or_null(time: Option<DateTime<Utc>>) -> Self {
        time.map_or(Self::Null(Kind::Time), Self::Time)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}
impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}
impl From<&String> for Value {
    fn from(text: &String) -> Self {
        Self::Text(text.clone())
    }
}
impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}
impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Real(number)
    }
}
impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Self::Bool(truth)
    }
}
impl From<DateTime<Utc>> for Value {
    fn from(time: DateTime<Utc>) -> Self {
        Self::Time(time)
    }
}

/// Ids are stored as text.
macro_rules! from_id {
    ($($id:ident),*) => {
        $(impl From<crate::id::$id> for Value {
            fn from(id: crate::id::$id) -> Self {
                Self::Text(id.0.to_string())
            }
        })*
    };
}
from_id!(AccountId, UserId, CollectionId, RecordId);
