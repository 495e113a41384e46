//! Checked form to an answer, in memory.

use std::borrow::Cow;
use std::cell::Cell;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use super::Sent;
use super::ast::{Comparison, Question};
use super::caller::Auth;
use super::instant::parse_instant;
use super::ir::{Condition, Leaf, Number, Operand, Path, Pick, Text, Time};
use super::number;
use crate::clock::Clock;
use crate::db::{
    ColumnKind, JsonType, Kind, SEALED, Value as Bound, is_pattern, matches_pattern, pattern_steps,
};

/// The first and the last millisecond of the years 1 to 9999.
const MILLIS: std::ops::RangeInclusive<f64> = -62_135_596_800_000.0..=253_402_300_799_999.0;

/// Upper limit of the steps of one evaluation: the bytes of texts that are copied or searched
/// through, and a sixteenth of those that are only looked up. It is some tens of milliseconds.
const MAX_STEPS: usize = 32 << 20;
/// Bytes that are looked up in one step.
const LOOKED_UP: usize = 16;

thread_local! {
    static STEPS_TAKEN: Cell<u64> = const { Cell::new(0) };
}

/// The steps that evaluations have taken on this thread so far.
pub fn steps_taken() -> u64 {
    STEPS_TAKEN.get()
}

/// The steps that one evaluation may still take.
pub(super) struct Steps(Cell<Option<usize>>);

impl Steps {
    pub fn new() -> Self {
        Self(Cell::new(Some(MAX_STEPS)))
    }

    /// Takes some; `None` from the time on when there were not enough.
    fn take(&self, steps: usize) -> Option<()> {
        let left = self.0.get().and_then(|left| left.checked_sub(steps));
        self.0.set(left);
        left?;
        STEPS_TAKEN.set(STEPS_TAKEN.get().wrapping_add(steps as u64));
        Some(())
    }

    /// Whether there were enough.
    pub fn were_enough(&self) -> bool {
        self.0.get().is_some()
    }
}

/// What an expression is evaluated over.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    pub record: Option<&'a Map<String, Value>>,
    pub auth: &'a Auth<'a>,
    pub data: Option<Sent<'a>>,
    pub steps: &'a Steps,
}

/// An operand's value; only values of one type meet.
#[derive(PartialEq, PartialOrd)]
enum Datum<'a> {
    Text(Cow<'a, str>),
    Number(f64),
    Bool(bool),
    Time(DateTime<Utc>),
}

impl<'a> Scope<'a> {
    pub fn condition(&self, condition: &'a Condition) -> Option<bool> {
        match condition {
            Condition::Constant(truth) => *truth,
            Condition::Flag(leaf) => self.flag(leaf),
            Condition::PathFlag(path) => self.part(path)?.as_bool(),
            Condition::PathIs { path, kind } => {
                let part = self.part(path)?;
                Some(match kind {
                    JsonType::Text => part.is_string(),
                    JsonType::Number => part.is_number(),
                    JsonType::Boolean => part.is_boolean(),
                })
            }
            Condition::Asked {
                about,
                question: Question::IsSet,
            } => Some(self.part(about).is_some()),
            Condition::Asked {
                about,
                question: Question::Changed,
            } => Some(self.is_changed(about)),
            Condition::Missing { path, negated } => match self.part(path) {
                None => Some(!negated),
                Some(Value::Null) => None,
                Some(_) => Some(*negated),
            },
            Condition::InGroup(group) => {
                Some(self.auth.groups.iter().any(|name| **name == **group))
            }
            Condition::All(parts) => self.combine(parts, false),
            Condition::Any(parts) => self.combine(parts, true),
            Condition::Not(inner) => self.condition(inner).map(|truth| !truth),
            Condition::IsNull { operand, negated } => Some(self.is_null(operand) != *negated),
            Condition::Compare { op, left, right } => {
                let (left, right) = (self.datum(left)?, self.datum(right)?);
                Some(match op {
                    Comparison::Equal => left == right,
                    Comparison::NotEqual => left != right,
                    Comparison::Less => left < right,
                    Comparison::Greater => left > right,
                    Comparison::LessOrEqual => left <= right,
                    Comparison::GreaterOrEqual => left >= right,
                    Comparison::Like => return None,
                })
            }
            Condition::Like { text, pattern } => {
                let (text, pattern) = (self.text(text)?, self.text(pattern)?);
                self.steps.take(pattern_steps(&text, &pattern))?;
                is_pattern(&pattern).then(|| matches_pattern(&text, &pattern))
            }
            Condition::OneOf { left, options } => {
                let left = self.datum(left)?;
                let mut answer = Some(false);
                for option in options {
                    match self.datum(option) {
                        Some(option) if option == left => return Some(true),
                        Some(_) => {}
                        None => answer = None,
                    }
                }
                answer
            }
            Condition::Mixed { answer, operands } => {
                let complete = !operands.iter().any(|operand| self.is_null(operand));
                complete.then_some(*answer)
            }
            // Only the database knows: whoever asks here is told nothing.
            Condition::Query(_) => None,
            Condition::Pick(pick) => self.pick(pick, |part| self.condition(part)),
        }
    }

    /// `decisive` as soon as a part is that; else NULL if a part is NULL; else the opposite.
    fn combine(&self, parts: &'a [Condition], decisive: bool) -> Option<bool> {
        let mut answer = Some(!decisive);
        for part in parts {
            match self.condition(part) {
                Some(truth) if truth == decisive => return Some(decisive),
                Some(_) => {}
                None => answer = None,
            }
        }
        answer
    }

    pub fn is_null(&self, operand: &'a Operand) -> bool {
        match operand {
            Operand::Json(leaf) => self.value(leaf).is_none_or(Value::is_null),
            Operand::Path(path) => self.part(path).is_none_or(Value::is_null),
            other => self.datum(other).is_none(),
        }
    }

    fn datum(&self, operand: &'a Operand) -> Option<Datum<'a>> {
        match operand {
            Operand::Text(text) => self.text(text).map(Datum::Text),
            Operand::Number(number) => self.number(number).map(Datum::Number),
            Operand::Bool(condition) => self.condition(condition).map(Datum::Bool),
            Operand::Time(time) => self.time(time).map(Datum::Time),
            Operand::Json(_) | Operand::Path(_) => None,
        }
    }

    fn value(&self, leaf: &Leaf) -> Option<&'a Value> {
        match leaf {
            Leaf::Field(field) if field.inner => None,
            Leaf::Field(field) => self.record?.get(&*field.name),
            Leaf::Data(field) => self.data?.values.get(&*field.name),
        }
    }

    /// What stands in a document under keys.
    fn part(&self, path: &Path) -> Option<&'a Value> {
        under(self.value(&path.leaf)?, &path.keys)
    }

    /// Whether the field of a part was sent.
    pub fn is_sent(&self, path: &Path) -> bool {
        self.value(&path.leaf).is_some()
    }

    /// Whether what was sent for a part differs from what the record has. A new record has had
    /// nothing.
    fn is_changed(&self, path: &Path) -> bool {
        if !self.is_sent(path) {
            return false;
        }
        if self.data.is_some_and(|sent| sent.is_new) {
            return self.part(path).is_some_and(|sent| !sent.is_null());
        }
        let before = Path {
            leaf: Leaf::Field(path.leaf.field().clone()),
            keys: path.keys.clone(),
        };
        let before = self.part(&before).filter(|value| !value.is_null());
        match path.leaf.field().kind {
            ColumnKind::Json => {
                let sent = self
                    .sent_document(path)
                    .and_then(|document| under(document, &path.keys));
                match (before, sent.filter(|value| !value.is_null())) {
                    (Some(before), Some(sent)) => !is_same_document(before, sent),
                    (before, sent) => before.is_some() != sent.is_some(),
                }
            }
            ColumnKind::Sealed => {
                let (is_null, is_new) = self.sealed(path);
                is_new || (is_null && before.is_some())
            }
            kind => bound(kind, before) != bound(kind, self.part(path)),
        }
    }

    /// Whether null was sent for an encrypted field, and whether a new value was. Encrypted values
    /// do not compare: every one is new but what stands for the value that there is.
    pub fn sealed(&self, path: &Path) -> (bool, bool) {
        match self.part(path) {
            None => (false, false),
            Some(sent) => (sent.is_null(), !sent.is_null() && sent != SEALED),
        }
    }

    /// What was sent for a part as a value of its field's kind, to be compared in the database;
    /// NULL if it is of another.
    pub fn sent(&self, path: &Path) -> Bound {
        bound(path.leaf.field().kind, self.part(path))
    }

    /// The document in which a part was sent, if there is one.
    pub fn sent_document(&self, path: &Path) -> Option<&'a Value> {
        self.value(&path.leaf)
            .filter(|value| !value.is_null() && !has_nul(value))
    }

    pub fn flag(&self, leaf: &Leaf) -> Option<bool> {
        self.value(leaf)?.as_bool()
    }

    /// One of several values.
    fn pick<T, V: PartialEq>(
        &self,
        pick: &'a Pick<T>,
        value: impl Fn(&'a T) -> Option<V>,
    ) -> Option<V> {
        match pick {
            Pick::If {
                condition,
                then,
                otherwise,
            } => {
                let chosen = if self.condition(condition) == Some(true) {
                    then
                } else {
                    otherwise
                };
                value(chosen.as_deref()?)
            }
            Pick::Coalesce(parts) => parts.iter().find_map(value),
            Pick::NullIf(left, right) => {
                let left = value(left)?;
                (value(right).as_ref() != Some(&left)).then_some(left)
            }
        }
    }

    pub fn text(&self, text: &'a Text) -> Option<Cow<'a, str>> {
        Some(match text {
            Text::Literal(text) => Cow::Borrowed(text),
            Text::Leaf(leaf) => Cow::Borrowed(self.leaf_text(leaf)?),
            Text::Path(path) => Cow::Borrowed(self.storable(self.part(path)?)?),
            Text::Caller(attribute) => Cow::Borrowed(attribute.of(self.auth)?),
            Text::Query(_) => return None,
            Text::Pick(pick) => return self.pick(pick, |part| self.text(part)),
            Text::Concat(parts) => Cow::Owned(
                parts
                    .iter()
                    .map(|part| self.copied(part))
                    .collect::<Option<Vec<_>>>()?
                    .concat(),
            ),
            Text::Case { upper: true, text } => Cow::Owned(self.copied(text)?.to_ascii_uppercase()),
            Text::Case { upper: false, text } => {
                Cow::Owned(self.copied(text)?.to_ascii_lowercase())
            }
            Text::Trim(text) => Cow::Owned(self.copied(text)?.trim_matches(' ').to_owned()),
            Text::Substring {
                text,
                start,
                length,
            } => {
                let text = self.copied(text)?;
                let rest = text.chars().skip(*start as usize - 1);
                Cow::Owned(
                    rest.take(length.map_or(usize::MAX, |length| length as usize))
                        .collect(),
                )
            }
        })
    }

    /// A text whose characters are looked at one by one.
    fn copied(&self, text: &'a Text) -> Option<Cow<'a, str>> {
        let text = self.text(text)?;
        self.steps.take(text.len())?;
        Some(text)
    }

    fn leaf_text(&self, leaf: &Leaf) -> Option<&'a str> {
        self.storable(self.value(leaf)?)
    }

    /// Text with a NUL cannot reach PostgreSQL, so it is NULL.
    fn storable(&self, value: &'a Value) -> Option<&'a str> {
        let text = value.as_str()?;
        self.steps.take(text.len() / LOOKED_UP)?;
        (!text.contains('\0')).then_some(text)
    }

    pub fn number(&self, number: &'a Number) -> Option<f64> {
        match number {
            Number::Literal(value) => Some(*value),
            Number::Leaf(leaf) => self.value(leaf)?.as_f64(),
            Number::Factor(leaf) => self
                .value(leaf)?
                .as_f64()
                .filter(|value| number::usable(*value)),
            Number::Path(path) => self
                .part(path)?
                .as_f64()
                .filter(|value| number::usable(*value)),
            Number::Negative(inner) => self.number(inner).map(|value| -value),
            Number::Binary { op, left, right } => {
                number::apply(*op, self.number(left)?, self.number(right)?)
            }
            Number::Query(_) => None,
            Number::Pick(pick) => self.pick(pick, |part| self.number(part)),
            #[expect(clippy::cast_precision_loss, reason = "no text is that long")]
            Number::Length(text) => Some(self.copied(text)?.chars().count() as f64),
            Number::Abs(inner) => self.number(inner).map(f64::abs),
            Number::Floor(inner) => self.number(inner).map(f64::floor),
            #[expect(clippy::cast_precision_loss, reason = "the years 1 to 9999 fit")]
            Number::Millis(time) => Some(self.time(time)?.timestamp_millis() as f64),
        }
    }

    pub fn time(&self, time: &'a Time) -> Option<DateTime<Utc>> {
        match time {
            Time::Literal { instant, .. } => Some(*instant),
            Time::Leaf(leaf) => parse_instant(self.leaf_text(leaf)?),
            Time::Query(_) => None,
            Time::Pick(pick) => self.pick(pick, |part| self.time(part)),
            Time::Now => Some(Clock::System.now()),
            #[expect(clippy::cast_possible_truncation, reason = "it is whole and in range")]
            Time::OfMillis(number) => {
                let millis = self
                    .number(number)
                    .filter(|millis| MILLIS.contains(millis))?;
                DateTime::from_timestamp_millis(millis as i64)
            }
        }
    }
}

/// What stands in a document under keys.
fn under<'v>(document: &'v Value, keys: &[Box<str>]) -> Option<&'v Value> {
    keys.iter()
        .try_fold(document, |value, key| value.as_object()?.get(&**key))
}

/// Whether a document has a NUL somewhere, with which it cannot reach PostgreSQL.
fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(has_nul),
        Value::Object(entries) => entries
            .iter()
            .any(|(key, value)| key.contains('\0') || has_nul(value)),
        _ => false,
    }
}

/// A value as one of a kind that compares.
fn bound(kind: ColumnKind, value: Option<&Value>) -> Bound {
    match kind {
        ColumnKind::Number => value
            .and_then(Value::as_f64)
            .map_or(Bound::Null(Kind::Real), Bound::Real),
        ColumnKind::Boolean => value
            .and_then(Value::as_bool)
            .map_or(Bound::Null(Kind::Bool), Bound::Bool),
        ColumnKind::Timestamp | ColumnKind::DateTime | ColumnKind::Date => {
            Bound::time_or_null(value.and_then(text_of).and_then(parse_instant))
        }
        ColumnKind::Text | ColumnKind::Reference | ColumnKind::Json | ColumnKind::Sealed => {
            Bound::text_or_null(value.and_then(text_of))
        }
    }
}

/// Whether two documents say the same: the order of keys does not matter, nor how a number is
/// written.
fn is_same_document(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => {
            one == other || one.as_f64() == other.as_f64()
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len()
                && one
                    .iter()
                    .zip(other)
                    .all(|(one, other)| is_same_document(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            let is_in_other = |(key, one): (&String, &Value)| {
                other
                    .get(key)
                    .is_some_and(|other| is_same_document(one, other))
            };
            one.len() == other.len() && one.iter().all(is_in_other)
        }
        _ => one == other,
    }
}

/// Text with a NUL cannot reach PostgreSQL, so it is NULL.
fn text_of(value: &Value) -> Option<&str> {
    value.as_str().filter(|text| !text.contains('\0'))
}
