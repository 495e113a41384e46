//! Checked form to an answer, in memory.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use super::ast::Comparison;
use super::caller::Auth;
use super::instant::parse_instant;
use super::ir::{Condition, Leaf, Number, Operand, Text, Time};
use super::like::{MAX_PATTERN, like};
use super::number;

/// What an expression is evaluated over.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    pub record: Option<&'a Map<String, Value>>,
    pub auth: &'a Auth<'a>,
    pub data: Option<&'a Map<String, Value>>,
}

/// An operand's value; only values of one type meet.
#[derive(PartialEq, PartialOrd)]
enum Datum<'a> {
    Text(&'a str),
    Number(f64),
    Bool(bool),
    Time(DateTime<Utc>),
}

impl<'a> Scope<'a> {
    pub fn condition(&self, condition: &'a Condition) -> Option<bool> {
        match condition {
            Condition::Constant(truth) => *truth,
            Condition::Flag(leaf) => self.flag(leaf),
            Condition::InGroup(group) => Some(self.auth.groups.iter().any(|name| **name == **group)),
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
                (pattern.len() <= MAX_PATTERN).then(|| like(text, pattern))
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
            other => self.datum(other).is_none(),
        }
    }

    fn datum(&self, operand: &'a Operand) -> Option<Datum<'a>> {
        match operand {
            Operand::Text(text) => self.text(text).map(Datum::Text),
            Operand::Number(number) => self.number(number).map(Datum::Number),
            Operand::Bool(condition) => self.condition(condition).map(Datum::Bool),
            Operand::Time(time) => self.time(time).map(Datum::Time),
            Operand::Json(_) => None,
        }
    }

    fn value(&self, leaf: &Leaf) -> Option<&'a Value> {
        match leaf {
            Leaf::Field(field) => self.record?.get(&*field.name),
            Leaf::Data(field) => self.data?.get(&*field.name),
        }
    }

    pub fn flag(&self, leaf: &Leaf) -> Option<bool> {
        self.value(leaf)?.as_bool()
    }

    pub fn text(&self, text: &'a Text) -> Option<&'a str> {
        match text {
            Text::Literal(text) => Some(text),
            Text::Leaf(leaf) => self.leaf_text(leaf),
            Text::Caller(attribute) => attribute.of(self.auth),
        }
    }

    /// Text with a NUL cannot reach PostgreSQL, so it is NULL.
    fn leaf_text(&self, leaf: &Leaf) -> Option<&'a str> {
        self.value(leaf)?.as_str().filter(|text| !text.contains('\0'))
    }

    pub fn number(&self, number: &Number) -> Option<f64> {
        match number {
            Number::Literal(value) => Some(*value),
            Number::Leaf(leaf) => self.value(leaf)?.as_f64(),
            Number::Factor(leaf) => self.value(leaf)?.as_f64().filter(|value| number::usable(*value)),
            Number::Negative(inner) => self.number(inner).map(|value| -value),
            Number::Binary { op, left, right } => number::apply(*op, self.number(left)?, self.number(right)?),
        }
    }

    pub fn time(&self, time: &Time) -> Option<DateTime<Utc>> {
        match time {
            Time::Literal { instant, .. } => Some(*instant),
            Time::Leaf(leaf) => parse_instant(self.leaf_text(leaf)?),
        }
    }
}
