//! Comparisons: which operator goes with which type, and what a comparison of different types
//! means.

use std::mem::discriminant;
use std::sync::Arc;

use chrono::NaiveTime;

use super::super::ast::{Comparison, Node};
use super::super::caller::Attribute;
use super::super::instant::{parse_day, parse_instant, stored_day};
use super::super::ir::{Condition, Leaf, Operand, Path, Text, Time};
use super::{Checker, Purpose, Reported};
use crate::db::{ColumnKind, MAX_PATTERN_CHARS};
use crate::email;
use crate::expr::TextFormat;
use crate::id::RecordId;

/// Upper limit, in characters, of all patterns of `~` in one filter.
const MAX_FILTER_PATTERN_CHARS: usize = 4 * MAX_PATTERN_CHARS;

/// What stands between two operands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Operator {
    Compare(Comparison),
    In,
}

impl Operator {
    fn symbol(self) -> &'static str {
        match self {
            Self::Compare(op) => op.symbol(),
            Self::In => "IN",
        }
    }

    /// Whether the operator goes with an operand, on either side.
    fn accepts(self, operand: &Operand) -> bool {
        let equality = matches!(
            self,
            Self::Compare(Comparison::Equal | Comparison::NotEqual)
        );
        match operand {
            Operand::Text(text) if is_reference(text) => equality || self == Self::In,
            Operand::Text(_) | Operand::Path(_) => true,
            Operand::Number(_) | Operand::Time(_) => self != Self::Compare(Comparison::Like),
            Operand::Bool(_) => equality,
            Operand::Json(_) => false,
        }
    }
}

impl Checker<'_> {
    pub(super) fn comparison(
        &mut self,
        op: Comparison,
        left: &Node,
        right: &Node,
        at: usize,
    ) -> Result<Condition, Reported> {
        let (left_at, right_at) = (left.at, right.at);
        let (left, right) = (self.operand(left), self.operand(right));
        let (left, right) = (left?, right?);
        for operand in [&left, &right].into_iter().flatten() {
            // `json = null` is a test for NULL, which goes with everything.
            let tests_null = matches!(op, Comparison::Equal | Comparison::NotEqual)
                && (left.is_none() || right.is_none());
            if !tests_null {
                self.applies(Operator::Compare(op), operand, at)?;
            }
        }
        if let (Comparison::Like, Some(pattern)) = (op, &right) {
            self.check_pattern(pattern, right_at)?;
        }
        match (left, right, op) {
            (Some(Operand::Path(path)), Some(other), _) => {
                self.path_comparison(op, path, other, true, at)
            }
            (Some(other), Some(Operand::Path(path)), _) => {
                self.path_comparison(op, path, other, false, at)
            }
            // A pattern is no value.
            (Some(left), Some(right), Comparison::Like) => Ok(compare(op, left, right)),
            (Some(left), Some(right), _) => {
                let (left, right) = self.aligned(left, left_at, right, right_at)?;
                Ok(compare(op, left, right))
            }
            (Some(operand), None, Comparison::Equal | Comparison::NotEqual)
            | (None, Some(operand), Comparison::Equal | Comparison::NotEqual) => {
                Ok(is_null(operand, op == Comparison::NotEqual))
            }
            (None, None, Comparison::Equal | Comparison::NotEqual) => {
                Ok(Condition::Constant(Some(op == Comparison::Equal)))
            }
            _ => Ok(Condition::Constant(None)),
        }
    }

    /// `x IN (a, b)` is `x = a || x = b`, also where one of them is written `null`.
    pub(super) fn membership(
        &mut self,
        left: &Node,
        items: &[Node],
        at: usize,
    ) -> Result<Condition, Reported> {
        let left_at = left.at;
        let left = self.operand(left);
        let checked: Vec<_> = items
            .iter()
            .map(|item| (self.operand(item), item.at))
            .collect();
        let left = left?;
        if let Some(left) = &left {
            self.applies(Operator::In, left, at)?;
        }
        let (mut alike, mut different, mut parts) = (Vec::new(), Vec::new(), Vec::new());
        for (item, item_at) in checked {
            let item = item?;
            if let Some(item) = &item {
                self.applies(Operator::In, item, item_at)?;
            }
            let (left, item) = match (left.clone(), item) {
                (Some(left), Some(item)) => (left, item),
                (Some(operand), None) | (None, Some(operand)) => {
                    parts.push(is_null(operand, false));
                    continue;
                }
                (None, None) => {
                    parts.push(Condition::Constant(Some(true)));
                    continue;
                }
            };
            let (left, item) = match (left, item) {
                (Operand::Path(path), item) => {
                    parts.push(self.path_comparison(
                        Comparison::Equal,
                        path,
                        item,
                        true,
                        item_at,
                    )?);
                    continue;
                }
                (left, Operand::Path(path)) => {
                    parts.push(self.path_comparison(
                        Comparison::Equal,
                        path,
                        left,
                        false,
                        item_at,
                    )?);
                    continue;
                }
                pair => pair,
            };
            let literal_left = matches!(left, Operand::Text(Text::Literal(_)));
            let (left, item) = self.aligned(left, left_at, item, item_at)?;
            match (discriminant(&left) == discriminant(&item), literal_left) {
                (true, true) => parts.push(compare(Comparison::Equal, left, item)),
                (true, false) => alike.push(item),
                (false, _) => different.push(item),
            }
        }
        if let Some(left) = left {
            if !different.is_empty() {
                different.push(left.clone());
                parts.push(Condition::Mixed {
                    answer: false,
                    operands: different,
                });
            }
            if !alike.is_empty() {
                parts.push(Condition::OneOf {
                    left,
                    options: alike,
                });
            }
        }
        Ok(match (parts.pop(), parts.is_empty()) {
            (Some(only), true) => only,
            (last, _) => {
                parts.extend(last);
                Condition::Any(parts)
            }
        })
    }

    /// Refuses a pattern that is too long, and a filter with too many: on PostgreSQL the time that
    /// a comparison takes is the product of the lengths of text and pattern, and nothing can
    /// interrupt it.
    fn check_pattern(&mut self, pattern: &Operand, at: usize) -> Result<(), Reported> {
        let length = match pattern {
            Operand::Text(Text::Literal(text)) => text.chars().count(),
            _ => MAX_PATTERN_CHARS,
        };
        if length > MAX_PATTERN_CHARS {
            return self.report(
                at,
                format!("a pattern of ~ has {MAX_PATTERN_CHARS} characters at most"),
            );
        }
        self.pattern_chars += length;
        if self.purpose == Purpose::Filter && self.pattern_chars > MAX_FILTER_PATTERN_CHARS {
            let message = format!(
                "the patterns of ~ in a filter have {MAX_FILTER_PATTERN_CHARS} characters at most together; \
                 one that is not written out counts as {MAX_PATTERN_CHARS}"
            );
            return self.report(at, message);
        }
        Ok(())
    }

    fn applies(
        &mut self,
        operator: Operator,
        operand: &Operand,
        at: usize,
    ) -> Result<(), Reported> {
        if operator.accepts(operand) {
            return Ok(());
        }
        let allowed = match operand {
            Operand::Text(text) if is_reference(text) => "=, !=, IN, IS NULL and IS NOT NULL",
            Operand::Text(_) | Operand::Path(_) => {
                "=, !=, <, >, <=, >=, ~, IN, IS NULL and IS NOT NULL"
            }
            Operand::Number(_) | Operand::Time(_) => {
                "=, !=, <, >, <=, >=, IN, IS NULL and IS NOT NULL"
            }
            Operand::Bool(_) => "=, !=, IS NULL and IS NOT NULL",
            Operand::Json(_) => "IS NULL and IS NOT NULL only",
        };
        self.report(
            at,
            format!(
                "{} does not go with {}; it takes {allowed}",
                operator.symbol(),
                noun(operand)
            ),
        )
    }

    /// Reads a text literal as what it is compared with: an instant, an id, an e-mail address.
    fn aligned(
        &mut self,
        left: Operand,
        left_at: usize,
        right: Operand,
        right_at: usize,
    ) -> Result<(Operand, Operand), Reported> {
        match (left, right) {
            (Operand::Text(Text::Literal(text)), right @ Operand::Time(_)) => {
                Ok((self.instant(&text, left_at)?, right))
            }
            (left @ Operand::Time(_), Operand::Text(Text::Literal(text))) => {
                Ok((left, self.instant(&text, right_at)?))
            }
            (Operand::Text(Text::Literal(text)), right) => Ok((formatted(text, &right), right)),
            (left, Operand::Text(Text::Literal(text))) => {
                let text = formatted(text, &left);
                Ok((left, text))
            }
            same => Ok(same),
        }
    }

    pub(super) fn instant(&mut self, text: &str, at: usize) -> Result<Operand, Reported> {
        let day = parse_day(text);
        match day.map(|day| day.and_time(NaiveTime::MIN).and_utc()).or_else(|| parse_instant(text)) {
            Some(instant) => {
                let day = day.map(|day| stored_day(day).into());
                Ok(Operand::Time(Time::Literal { instant, day }))
            }
            None => self.report(
                at,
                "this is compared with a date or time: write 'YYYY-MM-DD' or 'YYYY-MM-DDTHH:MM:SSZ' \
                 (seconds, fraction and zone may be left out, offsets are ±HH:MM)",
            ),
        }
    }
}

pub(super) fn compare(op: Comparison, left: Operand, right: Operand) -> Condition {
    match (left, right) {
        (Operand::Text(text), Operand::Text(pattern)) if op == Comparison::Like => {
            Condition::Like { text, pattern }
        }
        (left, right) if discriminant(&left) == discriminant(&right) => {
            Condition::Compare { op, left, right }
        }
        (left, right) => Condition::Mixed {
            answer: op == Comparison::NotEqual,
            operands: vec![left, right],
        },
    }
}

/// A test for NULL; of what was sent, whether it is missing.
pub(super) fn is_null(operand: Operand, negated: bool) -> Condition {
    match operand.sent() {
        Some(path) => Condition::Missing { path, negated },
        None => Condition::IsNull { operand, negated },
    }
}

/// A text literal as what it is next to, if that has a format and the text is of it.
fn formatted(text: Arc<str>, other: &Operand) -> Operand {
    let read = match other {
        Operand::Text(Text::Caller(Attribute::Id | Attribute::AccountId)) => read_id(&text),
        // Callers are known by what their spellings have in common.
        Operand::Text(Text::Caller(Attribute::Email)) => email::normalize_identity(&text),
        Operand::Text(Text::Leaf(leaf)) => match leaf.field().format {
            TextFormat::Plain => None,
            TextFormat::Id => read_id(&text),
            TextFormat::Email => email::normalize(&text),
        },
        _ => None,
    };
    Operand::Text(Text::Literal(read.map_or(text, Into::into)))
}

fn read_id(text: &str) -> Option<String> {
    RecordId::parse(text).map(|id| id.to_string())
}

fn is_reference(text: &Text) -> bool {
    matches!(text, Text::Leaf(leaf) if leaf.field().kind == ColumnKind::Reference)
}

/// An operand in words.
pub(super) fn noun(operand: &Operand) -> String {
    let (noun, leaf) = match operand {
        Operand::Text(Text::Leaf(leaf)) if leaf.field().kind == ColumnKind::Reference => {
            ("the reference", Some(leaf))
        }
        Operand::Text(Text::Leaf(leaf)) => ("the text", Some(leaf)),
        Operand::Text(_) => ("text", None),
        Operand::Number(super::Number::Leaf(leaf)) => ("the number", Some(leaf)),
        Operand::Number(_) => ("a number", None),
        Operand::Bool(condition) => match condition.as_ref() {
            Condition::Flag(leaf) => ("the boolean", Some(leaf)),
            _ => ("a boolean", None),
        },
        Operand::Time(Time::Leaf(leaf)) => ("the date or time", Some(leaf)),
        Operand::Time(_) => ("a date or time", None),
        Operand::Json(leaf) => ("the document", Some(leaf)),
        Operand::Path(Path { leaf, keys }) => {
            let data = if matches!(leaf, Leaf::Data(_)) {
                "@request.data."
            } else {
                ""
            };
            return format!(
                "the part `{data}{}.{}` of a document",
                leaf.field().name,
                keys.join(".")
            );
        }
    };
    match leaf {
        None => noun.to_owned(),
        Some(Leaf::Field(field)) => format!("{noun} `{}`", field.name),
        Some(Leaf::Data(field)) => format!("{noun} `@request.data.{}`", field.name),
    }
}
