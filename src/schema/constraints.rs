//! What a field's `options` demand of its values.
//!
//! | Option | Types | |
//! |---|---|---|
//! | `min`, `max` | number, date, datetime | the smallest and the largest value |
//! | `min_length`, `max_length` | text, email, url | characters |
//! | `pattern` | text, email, url | a regular expression that matches some part of the value |
//! | `enum` | text, email, url, number | the values there are; on text also written as the list alone |
//!
//! Those of file fields are in [`super::file_options`]. Other keys are kept and mean nothing here.

use chrono::{DateTime, NaiveTime, Utc};
use regex::{Regex, RegexBuilder};
use serde_json::Value as Json;

use super::field::FieldType;
use super::file_options::{FILE_OPTIONS, FileOptions};
use crate::error::FieldError;
use crate::expr::{parse_day, parse_instant};

/// The longest pattern, in bytes.
const MAX_PATTERN: usize = 1000;
/// What a compiled pattern may take, in bytes: repetitions can make a short one large.
const MAX_COMPILED: usize = 256 * 1024;
/// The most values of an `enum`.
const MAX_CHOICES: usize = 500;

/// The options that mean something.
pub const OPTIONS: [&str; 6] = ["min", "max", "min_length", "max_length", "pattern", "enum"];

/// What values must satisfy besides their type.
#[derive(Clone, Debug, Default)]
pub struct Constraints {
    min: Option<Limit>,
    max: Option<Limit>,
    min_length: Option<u64>,
    max_length: Option<u64>,
    pattern: Option<Regex>,
    choices: Option<Vec<Json>>,
    files: FileOptions,
}

/// The end of a range, and how it was written.
#[derive(Clone, Debug)]
struct Limit {
    end: End,
    written: Json,
}

#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
enum End {
    Number(f64),
    Instant(DateTime<Utc>),
}

impl Constraints {
    /// Reads a field's options; every problem with the option's name.
    pub fn parse(kind: FieldType, options: Option<&Json>) -> Result<Self, Vec<(String, String)>> {
        let mut constraints = Self::default();
        let mut problems = Vec::new();
        match options {
            Some(Json::Array(choices))
                if kind == FieldType::Text && choices.iter().any(Json::is_string) =>
            {
                constraints.choices = read_choices(kind, &Json::Array(choices.clone()))
                    .map_err(|message| problems.push(("options".to_owned(), message)))
                    .ok();
            }
            Some(Json::Object(options)) => {
                for (key, value) in options
                    .iter()
                    .filter(|(key, value)| is_known(key) && !value.is_null())
                {
                    if let Err(message) = constraints.set(kind, key, value) {
                        problems.push((format!("options.{key}"), message));
                    }
                }
            }
            _ => {}
        }
        if let (Some(min), Some(max)) = (&constraints.min, &constraints.max)
            && min.end > max.end
        {
            problems.push(("options.max".into(), "max is smaller than min".into()));
        }
        if let (Some(min), Some(max)) = (constraints.min_length, constraints.max_length)
            && min > max
        {
            problems.push((
                "options.max_length".into(),
                "max_length is smaller than min_length".into(),
            ));
        }
        if problems.is_empty() {
            Ok(constraints)
        } else {
            Err(problems)
        }
    }

    fn set(&mut self, kind: FieldType, key: &str, value: &Json) -> Result<(), String> {
        if FILE_OPTIONS.contains(&key) {
            return if kind == FieldType::File {
                self.files.set(key, value)
            } else {
                Ok(())
            };
        }
        let takes = match key {
            "min" | "max" => matches!(
                kind,
                FieldType::Number | FieldType::Date | FieldType::DateTime
            ),
            "enum" => is_text(kind) || kind == FieldType::Number,
            _ => is_text(kind),
        };
        if !takes {
            return Err(format!(
                "{key} does not go with a field of type {}",
                kind.name()
            ));
        }
        match key {
            "min" => self.min = Some(read_limit(kind, key, value)?),
            "max" => self.max = Some(read_limit(kind, key, value)?),
            "min_length" => self.min_length = Some(read_length(key, value)?),
            "max_length" => self.max_length = Some(read_length(key, value)?),
            "pattern" => self.pattern = Some(read_pattern(value)?),
            _ => self.choices = Some(read_choices(kind, value)?),
        }
        Ok(())
    }

    /// Checks a value that has the field's type.
    pub fn check(&self, field: &str, value: &Json) -> Result<(), FieldError> {
        let fail = |code: &str, wanted: String| {
            Err(FieldError::new(
                field,
                code,
                format!("Field '{field}' {wanted}"),
            ))
        };
        if self.min.is_some() || self.max.is_some() {
            let end = end_of(value);
            if let (Some(min), Some(end)) = (&self.min, end)
                && end < min.end
            {
                return fail("too_small", format!("is at least {}", min.written));
            }
            if let (Some(max), Some(end)) = (&self.max, end)
                && end > max.end
            {
                return fail("too_large", format!("is at most {}", max.written));
            }
        }
        if let Json::String(text) = value {
            if self.min_length.is_some() || self.max_length.is_some() {
                let length = text.chars().count() as u64;
                if let Some(min) = self.min_length.filter(|min| length < *min) {
                    return fail("too_short", format!("has at least {min} characters"));
                }
                if let Some(max) = self.max_length.filter(|max| length > *max) {
                    return fail("too_long", format!("has at most {max} characters"));
                }
            }
            if let Some(pattern) = self
                .pattern
                .as_ref()
                .filter(|pattern| !pattern.is_match(text))
            {
                return fail("pattern_mismatch", format!("does not match {pattern}"));
            }
        }
        if let Some(choices) = &self.choices
            && !choices.iter().any(|choice| same(choice, value))
        {
            let known: Vec<String> = choices.iter().map(Json::to_string).collect();
            return fail("not_in_enum", format!("is one of {}", known.join(", ")));
        }
        Ok(())
    }

    /// Says the same in the words of JSON schema.
    pub fn describe(&self, schema: &mut Json) {
        for (key, limit) in [("minimum", &self.min), ("maximum", &self.max)] {
            if let Some(Limit {
                end: End::Number(_),
                written,
            }) = limit
            {
                schema[key] = written.clone();
            }
        }
        for (key, length) in [
            ("minLength", self.min_length),
            ("maxLength", self.max_length),
        ] {
            if let Some(length) = length {
                schema[key] = length.into();
            }
        }
        if let Some(pattern) = &self.pattern {
            schema["pattern"] = pattern.as_str().into();
        }
        if let Some(choices) = &self.choices {
            schema["enum"] = choices.clone().into();
        }
    }

    /// What the files of a file field must satisfy.
    pub fn files(&self) -> &FileOptions {
        &self.files
    }

    /// The values there are, if they are listed.
    pub fn choices(&self) -> Option<&[Json]> {
        self.choices.as_deref()
    }
}

fn is_known(key: &str) -> bool {
    OPTIONS.contains(&key) || FILE_OPTIONS.contains(&key)
}

fn is_text(kind: FieldType) -> bool {
    matches!(kind, FieldType::Text | FieldType::Email | FieldType::Url)
}

/// Numbers are equal however they are written.
fn same(one: &Json, other: &Json) -> bool {
    match (one.as_f64(), other.as_f64()) {
        (Some(one), Some(other)) => one.total_cmp(&other).is_eq() || (one == 0.0 && other == 0.0),
        _ => one == other,
    }
}

fn end_of(value: &Json) -> Option<End> {
    match value {
        Json::Number(number) => number.as_f64().map(End::Number),
        Json::String(text) => instant_of(text).map(End::Instant),
        _ => None,
    }
}

/// The instant of a time or day in any spelling that a field takes.
fn instant_of(text: &str) -> Option<DateTime<Utc>> {
    parse_day(text)
        .map(|day| day.and_time(NaiveTime::MIN).and_utc())
        .or_else(|| parse_instant(text))
}

fn read_limit(kind: FieldType, key: &str, value: &Json) -> Result<Limit, String> {
    let end = match (kind, value) {
        (FieldType::Number, Json::Number(_))
        | (FieldType::Date | FieldType::DateTime, Json::String(_)) => end_of(value),
        _ => None,
    };
    let wanted = match kind {
        FieldType::Number => "a number",
        FieldType::Date => "a day such as '2025-12-24'",
        _ => "a time such as '2025-12-24T22:00:00Z'",
    };
    end.map(|end| Limit {
        end,
        written: value.clone(),
    })
    .ok_or_else(|| format!("{key} takes {wanted}"))
}

fn read_length(key: &str, value: &Json) -> Result<u64, String> {
    value
        .as_u64()
        .ok_or_else(|| format!("{key} takes a whole number of characters"))
}

fn read_pattern(value: &Json) -> Result<Regex, String> {
    let Some(text) = value.as_str() else {
        return Err("pattern takes a regular expression in a text".into());
    };
    if text.len() > MAX_PATTERN {
        return Err(format!("a pattern has at most {MAX_PATTERN} bytes"));
    }
    let mut builder = RegexBuilder::new(text);
    builder
        .size_limit(MAX_COMPILED)
        .dfa_size_limit(MAX_COMPILED)
        .nest_limit(50);
    builder.build().map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => "this pattern is too large: repeat less".to_owned(),
        other => format!(
            "this is no regular expression: {}",
            other.to_string().replace('\n', " ")
        ),
    })
}

fn read_choices(kind: FieldType, value: &Json) -> Result<Vec<Json>, String> {
    let wanted = if kind == FieldType::Number {
        "numbers"
    } else {
        "texts"
    };
    let fits = |choice: &Json| {
        if kind == FieldType::Number {
            choice.is_number()
        } else {
            choice.is_string()
        }
    };
    match value {
        Json::Array(choices)
            if (1..=MAX_CHOICES).contains(&choices.len()) && choices.iter().all(fits) =>
        {
            Ok(choices.clone())
        }
        _ => Err(format!("enum takes a list of 1 to {MAX_CHOICES} {wanted}")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn constraints(kind: FieldType, options: &Json) -> Constraints {
        Constraints::parse(kind, Some(options)).unwrap()
    }

    #[test]
    fn times_are_compared_as_instants() {
        let constraints = constraints(
            FieldType::DateTime,
            &json!({"min": "2025-01-01T00:00:00+02:00", "max": "20250102"}),
        );
        for (value, code) in [
            ("2024-12-31T22:00:00Z", None),
            ("2024-12-31T21:59:59Z", Some("too_small")),
            ("2025-01-02", None),
            ("2025-01-02 00:00:01", Some("too_large")),
        ] {
            assert_eq!(
                constraints
                    .check("t", &json!(value))
                    .err()
                    .map(|e| e.code)
                    .as_deref(),
                code,
                "{value}"
            );
        }
    }

    #[test]
    fn hostile_patterns_are_refused() {
        for pattern in ["(", "a{1000}{1000}", &"a".repeat(2000), "(a){99999}"] {
            assert!(
                Constraints::parse(FieldType::Text, Some(&json!({"pattern": pattern}))).is_err(),
                "{pattern}"
            );
        }
    }
}
