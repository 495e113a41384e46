//! Field types: one table of behaviour. How a type is stored, and which JSON values it takes.

use std::sync::Arc;

use serde_json::Value as Json;

use super::constraints::Constraints;
use super::definition::OnDelete;
use super::mask::Mask;
use crate::db::{ColumnKind, Computed, Ident, Kind, Projected, Value};
use crate::email;
use crate::error::FieldError;
use crate::expr::{Formula, TextFormat, parse_day, stored_day, stored_instant};
use crate::id::RecordId;

/// The type of a user-defined field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FieldType {
    /// Text.
    Text,
    /// A double.
    Number,
    /// True or false.
    Boolean,
    /// An instant, ISO 8601.
    DateTime,
    /// A day, `YYYY-MM-DD`.
    Date,
    /// An e-mail address.
    Email,
    /// A web address.
    Url,
    /// Any JSON value.
    Json,
    /// The id of a record of another collection, in the same account.
    Reference,
    /// The description of an uploaded file.
    File,
}

impl FieldType {
    /// Every type, in the order in which messages list them.
    pub const ALL: [Self; 10] = [
        Self::Text,
        Self::Number,
        Self::Boolean,
        Self::DateTime,
        Self::Email,
        Self::Url,
        Self::Json,
        Self::Reference,
        Self::File,
        Self::Date,
    ];

    /// The name in definitions.
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::DateTime => "datetime",
            Self::Date => "date",
            Self::Email => "email",
            Self::Url => "url",
            Self::Json => "json",
            Self::Reference => "reference",
            Self::File => "file",
        }
    }

    /// The type of that name, in any case.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.name().eq_ignore_ascii_case(name))
    }

    /// How it is stored.
    pub fn column(self) -> ColumnKind {
        match self {
            Self::Text | Self::Email | Self::Url => ColumnKind::Text,
            Self::Number => ColumnKind::Number,
            Self::Boolean => ColumnKind::Boolean,
            Self::DateTime => ColumnKind::DateTime,
            Self::Date => ColumnKind::Date,
            Self::Json | Self::File => ColumnKind::Json,
            Self::Reference => ColumnKind::Reference,
        }
    }

    /// As what a text that is compared with its values is read.
    pub fn format(self) -> TextFormat {
        match self {
            Self::Email => TextFormat::Email,
            Self::Reference => TextFormat::Id,
            _ => TextFormat::Plain,
        }
    }

    /// A NULL of the type that is bound for it.
    pub fn null(self) -> Value {
        Value::Null(match self {
            Self::Number => Kind::Real,
            Self::Boolean => Kind::Bool,
            Self::Json | Self::File => Kind::Json,
            _ => Kind::Text,
        })
    }

    /// Checks a JSON value that is not null and turns it into what is bound.
    pub fn accept(self, field: &str, value: &Json) -> Result<Value, FieldError> {
        let wrong_type = |wanted: &str| {
            FieldError::new(
                field,
                "invalid_type",
                format!("Field '{field}' takes {wanted}"),
            )
        };
        let text = |wanted: &str| match value {
            Json::String(text) if text.contains('\0') => Err(FieldError::new(
                field,
                "invalid_characters",
                format!("Field '{field}' must not contain NUL characters"),
            )),
            Json::String(text) => Ok(text.as_str()),
            _ => Err(wrong_type(wanted)),
        };
        let format = |code: &str, wanted: &str| {
            FieldError::new(field, code, format!("Field '{field}' takes {wanted}"))
        };
        match self {
            Self::Text => text("text").map(Value::from),
            Self::Number => match value {
                Json::Number(number) => number.as_f64().filter(|n| n.is_finite()).map(Value::Real),
                _ => None,
            }
            .ok_or_else(|| wrong_type("a number")),
            Self::Boolean => value
                .as_bool()
                .map(Value::Bool)
                .ok_or_else(|| wrong_type("true or false")),
            Self::DateTime => {
                let wanted = "an ISO 8601 time such as 2025-12-24T22:00:00Z";
                let stored = stored_instant(text(wanted)?)
                    .ok_or_else(|| format("invalid_datetime_format", wanted))?;
                Ok(Value::Text(stored))
            }
            Self::Date => {
                let wanted = "a day such as 2025-12-24";
                let day = parse_day(text(wanted)?)
                    .ok_or_else(|| format("invalid_date_format", wanted))?;
                Ok(Value::Text(stored_day(day)))
            }
            Self::Email => {
                let wanted = "an e-mail address";
                let address = email::normalize(text(wanted)?)
                    .ok_or_else(|| format("invalid_email_format", wanted))?;
                Ok(Value::Text(address))
            }
            Self::Url => {
                let wanted = "a web address that begins with http:// or https://";
                let address = text(wanted)?;
                is_url(address)
                    .then(|| address.into())
                    .ok_or_else(|| format("invalid_url_format", wanted))
            }
            Self::Json => json_text(field, value),
            Self::Reference => {
                let id = text("the id of a record")?;
                if id.trim().is_empty() {
                    return Err(format("empty_reference", "the id of a record, or null"));
                }
                // What is no id refers to no record, which is found out where records are.
                Ok(RecordId::parse(id).map_or_else(|| id.into(), Value::from))
            }
            Self::File => accept_file(field, value),
        }
    }
}

/// A user-defined field, ready to be used.
#[derive(Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "attributes that are there or not"
)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// The column that holds it.
    pub column: Ident,
    /// Its type.
    pub kind: FieldType,
    /// Whether a record must have a value.
    pub required: bool,
    /// The value of a record that was sent none.
    pub default: Option<Json>,
    /// Whether no two records of an account may have the same value.
    pub unique: bool,
    /// Whether callers who do not see it in the clear may be told that a value exists, if it is
    /// unique.
    pub discloses_existence: bool,
    /// The collection that a reference points to.
    pub target: Option<String>,
    /// What happens to the record when the one it refers to is deleted.
    pub on_delete: Option<OnDelete>,
    /// The mask, if the field holds personal data.
    pub mask: Option<Mask>,
    /// Whether `search` looks at it.
    pub searchable: bool,
    /// Whether its values are encrypted. Answers and the change log show [`crate::db::SEALED`]
    /// instead.
    pub encrypted: bool,
    /// Whether an index serves comparisons and orders.
    pub indexed: bool,
    /// What its values must satisfy besides their type.
    pub constraints: Constraints,
    /// What computes its values. No column holds them, and nobody sends them.
    pub computed: Option<Arc<Formula>>,
}

impl Field {
    /// How its values are stored, or of what kind the computed ones are.
    pub fn column_kind(&self) -> ColumnKind {
        match &self.computed {
            Some(formula) => formula.kind(),
            None if self.encrypted => ColumnKind::Sealed,
            None => self.kind.column(),
        }
    }

    /// The field as a key of documents.
    pub fn projected(&self) -> Projected<'_> {
        Projected {
            key: &self.name,
            column: &self.column,
            kind: self.column_kind(),
            computed: self
                .computed
                .as_deref()
                .map(|formula| formula as &dyn Computed),
        }
    }

    /// Whether clashes of its values are kept from callers who do not see them.
    pub fn is_unique_and_guarded(&self) -> bool {
        self.unique && !self.discloses_existence
    }

    /// Checks a JSON value that is not null and turns it into what is bound.
    pub fn accept(&self, value: &Json) -> Result<Value, FieldError> {
        if self.kind == FieldType::File && self.constraints.files().is_list() {
            return accept_files(&self.name, value, self.constraints.files().max_select);
        }
        let accepted = self.kind.accept(&self.name, value)?;
        self.constraints.check(&self.name, value)?;
        Ok(accepted)
    }
}

fn json_text(field: &str, value: &Json) -> Result<Value, FieldError> {
    let text = value.to_string();
    // PostgreSQL stores no NUL in JSON either. Without this escape there is none; with it there may
    // be: a text that spells out the escape contains it as well, behind a backslash of its own.
    if text.contains("\\u0000") && contains_nul(value) {
        let message = format!("Field '{field}' must not contain NUL characters");
        return Err(FieldError::new(field, "invalid_characters", message));
    }
    Ok(Value::Json(text))
}

/// Whether a text or a key of the value contains the character U+0000. The depth is bounded by the
/// parser.
fn contains_nul(value: &Json) -> bool {
    match value {
        Json::String(text) => text.contains('\0'),
        Json::Array(items) => items.iter().any(contains_nul),
        Json::Object(members) => members
            .iter()
            .any(|(key, value)| key.contains('\0') || contains_nul(value)),
        Json::Null | Json::Bool(_) | Json::Number(_) => false,
    }
}

/// Several files are a list of descriptions; one alone is taken for a list of one.
fn accept_files(field: &str, value: &Json, most: usize) -> Result<Value, FieldError> {
    let parsed: Vec<Json>;
    let items = match value {
        Json::Array(items) => items,
        Json::String(text) => {
            parsed = serde_json::from_str(text).unwrap_or_else(|_| vec![value.clone()]);
            &parsed
        }
        other => {
            parsed = vec![other.clone()];
            &parsed
        }
    };
    if items.len() > most {
        let message = format!("Field '{field}' takes {most} files at most");
        return Err(FieldError::new(field, "too_many_files", message));
    }
    let descriptions: Vec<Json> = items
        .iter()
        .map(|item| describe_file(field, item).map(Json::Object))
        .collect::<Result<_, _>>()?;
    json_text(field, &Json::Array(descriptions))
}

fn accept_file(field: &str, value: &Json) -> Result<Value, FieldError> {
    json_text(field, &Json::Object(describe_file(field, value)?))
}

/// A file is described by an object, or by the same object as text.
fn describe_file(field: &str, value: &Json) -> Result<serde_json::Map<String, Json>, FieldError> {
    let parsed;
    let object = match value {
        Json::Object(object) => object,
        Json::String(text) => {
            parsed = serde_json::from_str::<serde_json::Map<String, Json>>(text).map_err(|_| {
                FieldError::new(
                    field,
                    "invalid_json",
                    format!("Field '{field}' takes a JSON object that describes a file"),
                )
            })?;
            &parsed
        }
        _ => {
            let message = format!("Field '{field}' takes an object that describes a file");
            return Err(FieldError::new(field, "invalid_type", message));
        }
    };
    for (key, is_right) in [
        ("filename", Json::is_string as fn(&Json) -> bool),
        ("size", |value| value.is_u64() || value.is_i64()),
        ("mime_type", Json::is_string),
        ("path", Json::is_string),
    ] {
        match object.get(key) {
            None => {
                let message = format!("Field '{field}' needs '{key}'");
                return Err(FieldError::new(field, "missing_file_metadata", message));
            }
            Some(value) if !is_right(value) => {
                let message = format!("Field '{field}' has a '{key}' of the wrong type");
                return Err(FieldError::new(field, "invalid_file_metadata", message));
            }
            Some(_) => {}
        }
    }
    Ok(object.clone())
}

/// `http://` or `https://`, then at least two characters without spaces, the first of them not
/// punctuation.
fn is_url(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let Some(rest) = lower
        .strip_prefix("http://")
        .or_else(|| lower.strip_prefix("https://"))
    else {
        return false;
    };
    rest.chars().count() >= 2
        && !rest.starts_with(['/', '$', '.', '?', '#'])
        && !rest.contains(char::is_whitespace)
}
