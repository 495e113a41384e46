//! The checked form: names are resolved, macros are gone, and both sides of a comparison have one
//! type.
//!
//! Every decision about meaning is made on the way here, so that the two backends only carry it
//! out.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::TextFormat;
use super::ast::{Arithmetic, Comparison, Question};
use super::caller::Attribute;
use super::query::Aggregate;
use crate::db::{ColumnKind, Fragment, Ident, JsonType};

/// Something that is true, false or NULL.
#[derive(Clone, Debug)]
pub(super) enum Condition {
    /// A constant; `None` is NULL.
    Constant(Option<bool>),
    /// A boolean field.
    Flag(Leaf),
    /// A part of a document, if it is a boolean; else NULL.
    PathFlag(Path),
    /// Whether a part of a document is of a type; not NULL if there is one.
    PathIs {
        path: Path,
        kind: JsonType,
    },
    /// What is asked about a value of the request's body, or a part of it; never NULL.
    Asked {
        about: Path,
        question: Question,
    },
    /// Whether a value of the request's body, or a part of it, is missing. NULL if it was sent as
    /// null: that is neither a value nor nothing, so that a rule lets it through only if it says
    /// so.
    Missing {
        path: Path,
        negated: bool,
    },
    /// The caller is a member of the group; never NULL.
    InGroup(Arc<str>),
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
    IsNull {
        operand: Operand,
        negated: bool,
    },
    /// A comparison of operands of one type; `~` has [`Condition::Like`].
    Compare {
        op: Comparison,
        left: Operand,
        right: Operand,
    },
    Like {
        text: Text,
        pattern: Text,
    },
    /// Equality with one of several operands of the same type.
    OneOf {
        left: Operand,
        options: Vec<Operand>,
    },
    /// A comparison of operands of different types: NULL if one of them is NULL, else always the
    /// same.
    Mixed {
        answer: bool,
        operands: Vec<Operand>,
    },
    Pick(Pick<Condition>),
    Query(Arc<Query>),
}

/// One value out of the records of a collection; only the database knows it.
#[derive(Debug)]
pub(super) struct Query {
    /// The collection's table.
    pub source: Fragment,
    pub item: Selected,
    pub condition: Option<Condition>,
}

#[derive(Debug)]
pub(super) enum Selected {
    /// The number of records.
    Count,
    Aggregate(Aggregate, Operand),
    /// The oldest record's.
    First(Operand),
}

impl Query {
    fn written(&self) -> usize {
        let item = match &self.item {
            Selected::Count => 1,
            Selected::Aggregate(_, operand) | Selected::First(operand) => operand.written(),
        };
        item.saturating_add(self.condition.as_ref().map_or(0, Condition::written))
            .saturating_add(1)
    }
}

/// One of several values of one type.
#[derive(Clone, Debug)]
pub(super) enum Pick<T> {
    /// The first if the condition is true, else the second; `None` is NULL.
    If {
        condition: Box<Condition>,
        then: Option<Box<T>>,
        otherwise: Option<Box<T>>,
    },
    /// The first that is not NULL.
    Coalesce(Vec<T>),
    /// The first, or NULL if the two are equal.
    NullIf(Box<T>, Box<T>),
}

impl<T> Pick<T> {
    /// The values that it may have.
    pub fn parts(&self) -> impl Iterator<Item = &T> {
        let (ends, list): ([Option<&T>; 2], &[T]) = match self {
            Self::If {
                then, otherwise, ..
            } => ([then.as_deref(), otherwise.as_deref()], &[]),
            Self::Coalesce(parts) => ([None, None], parts),
            Self::NullIf(left, right) => ([Some(left), Some(right)], &[]),
        };
        ends.into_iter().flatten().chain(list)
    }

    /// The same with other parts.
    pub fn map(self, change: impl Fn(T) -> T) -> Self {
        let boxed = |part: Option<Box<T>>| part.map(|part| Box::new(change(*part)));
        match self {
            Self::If {
                condition,
                then,
                otherwise,
            } => Self::If {
                condition,
                then: boxed(then),
                otherwise: boxed(otherwise),
            },
            Self::Coalesce(parts) => Self::Coalesce(parts.into_iter().map(&change).collect()),
            Self::NullIf(left, right) => {
                Self::NullIf(Box::new(change(*left)), Box::new(change(*right)))
            }
        }
    }

    fn written(&self, each: impl Fn(&T) -> usize) -> usize {
        let condition = if let Self::If { condition, .. } = self {
            condition.written()
        } else {
            0
        };
        self.parts()
            .map(each)
            .fold(condition, usize::saturating_add)
    }
}

/// Something with a type that can be compared.
#[derive(Clone, Debug)]
pub(super) enum Operand {
    Text(Text),
    Number(Number),
    Bool(Box<Condition>),
    Time(Time),
    /// JSON and files can only be tested for NULL.
    Json(Leaf),
    /// A part of one. What stands next to it says as which type it is taken.
    Path(Path),
}

/// A part of a document: what stands under keys, from the outermost on; without keys the whole.
#[derive(Clone, Debug)]
pub(super) struct Path {
    pub leaf: Leaf,
    pub keys: Arc<[Box<str>]>,
}

/// A named value of a type that the schema decides.
#[derive(Clone, Debug)]
pub(super) enum Leaf {
    /// A field of the record.
    Field(Field),
    /// A field of the request's body.
    Data(Field),
}

#[derive(Clone, Debug)]
pub(super) struct Field {
    pub name: Arc<str>,
    pub ident: Ident,
    pub kind: ColumnKind,
    pub format: TextFormat,
    /// Whether it belongs to the records that a stored macro reads, not to the record that the
    /// expression is about.
    pub inner: bool,
}

impl Leaf {
    pub fn field(&self) -> &Field {
        match self {
            Self::Field(field) | Self::Data(field) => field,
        }
    }
}

#[derive(Clone, Debug)]
pub(super) enum Text {
    Literal(Arc<str>),
    Leaf(Leaf),
    /// NULL if it is no text.
    Path(Path),
    Caller(Attribute),
    Pick(Pick<Text>),
    Query(Arc<Query>),
    /// NULL if a part is.
    Concat(Vec<Text>),
    /// ASCII letters in one case.
    Case {
        upper: bool,
        text: Box<Text>,
    },
    /// Without the spaces at its ends.
    Trim(Box<Text>),
    /// Counted in characters, the first is 1.
    Substring {
        text: Box<Text>,
        start: u32,
        length: Option<u32>,
    },
}

#[derive(Clone, Debug)]
pub(super) enum Number {
    Literal(f64),
    Leaf(Leaf),
    /// A field as an operand of [`Number::Binary`]: NULL outside the range of
    /// [`super::number::usable`].
    Factor(Leaf),
    /// NULL if it is no number, or one outside that range.
    Path(Path),
    Negative(Box<Number>),
    Binary {
        op: Arithmetic,
        left: Box<Number>,
        right: Box<Number>,
    },
    Pick(Pick<Number>),
    Query(Arc<Query>),
    /// Characters of a text.
    Length(Box<Text>),
    Abs(Box<Number>),
    Floor(Box<Number>),
    /// Milliseconds since 1970.
    Millis(Box<Time>),
}

#[derive(Clone, Debug)]
pub(super) enum Time {
    Literal {
        instant: DateTime<Utc>,
        /// The literal as written, if it is a plain day.
        day: Option<Arc<str>>,
    },
    Leaf(Leaf),
    Pick(Pick<Time>),
    Query(Arc<Query>),
    Now,
    /// The instant of whole milliseconds since 1970; NULL outside the years 1 to 9999.
    OfMillis(Box<Number>),
}

/// Operands that SQL text holds at most; `%` and lists of several types write some of theirs twice.
pub(super) const MAX_WRITTEN: usize = 500;

impl Condition {
    /// A field and an attribute that must be equal for this to be true.
    pub fn caller_match(&self) -> Option<(&str, Attribute)> {
        match self {
            Self::All(parts) => parts.iter().find_map(Self::caller_match),
            Self::Compare {
                op: Comparison::Equal,
                left: Operand::Text(left),
                right: Operand::Text(right),
            } => match (left, right) {
                (Text::Leaf(Leaf::Field(field)), Text::Caller(attribute))
                | (Text::Caller(attribute), Text::Leaf(Leaf::Field(field))) => {
                    Some((&field.name, *attribute))
                }
                _ => None,
            },
            _ => None,
        }
    }

    /// How many operands the SQL form of this writes.
    pub fn written(&self) -> usize {
        let sum = |operands: &[Operand]| {
            operands
                .iter()
                .map(Operand::written)
                .fold(0, usize::saturating_add)
        };
        match self {
            Self::Constant(_) => 0,
            Self::Flag(_)
            | Self::PathFlag(_)
            | Self::PathIs { .. }
            | Self::InGroup(_)
            | Self::Missing { .. } => 1,
            // A document is looked at from both sides.
            Self::Asked { .. } => 2,
            Self::All(parts) | Self::Any(parts) => parts
                .iter()
                .map(Self::written)
                .fold(0, usize::saturating_add),
            Self::Not(inner) => inner.written(),
            Self::IsNull { operand, .. } => operand.written(),
            Self::Compare { left, right, .. } => left.written().saturating_add(right.written()),
            // A pattern in the database is written twice.
            Self::Like { text, pattern } => text
                .written()
                .saturating_add(pattern.written().saturating_mul(2)),
            Self::Pick(pick) => pick.written(Self::written),
            Self::Query(query) => query.written(),
            Self::OneOf { left, options } => left.written().saturating_add(sum(options)),
            Self::Mixed { operands, .. } => sum(operands),
        }
    }
}

impl Operand {
    /// The value of the request's body that this is, untouched.
    pub fn sent(&self) -> Option<Path> {
        let (leaf, keys) = match self {
            Self::Text(Text::Leaf(leaf))
            | Self::Number(Number::Leaf(leaf))
            | Self::Time(Time::Leaf(leaf))
            | Self::Json(leaf) => (leaf, None),
            Self::Bool(condition) => match condition.as_ref() {
                Condition::Flag(leaf) => (leaf, None),
                _ => return None,
            },
            Self::Path(Path { leaf, keys }) => (leaf, Some(keys)),
            _ => return None,
        };
        let keys = || keys.cloned().unwrap_or_else(|| Arc::new([]));
        matches!(leaf, Leaf::Data(_)).then(|| Path {
            leaf: leaf.clone(),
            keys: keys(),
        })
    }

    /// How its values are compared and shown.
    pub fn kind(&self) -> ColumnKind {
        match self {
            Self::Text(_) => ColumnKind::Text,
            Self::Number(_) => ColumnKind::Number,
            Self::Bool(_) => ColumnKind::Boolean,
            Self::Time(_) => ColumnKind::Timestamp,
            Self::Json(_) | Self::Path(_) => ColumnKind::Json,
        }
    }

    pub fn written(&self) -> usize {
        match self {
            Self::Text(text) => text.written(),
            Self::Time(time) => time.written(),
            Self::Json(_) | Self::Path(_) => 1,
            Self::Number(number) => number.written(),
            Self::Bool(condition) => condition.written(),
        }
    }
}

impl Text {
    fn written(&self) -> usize {
        match self {
            Self::Literal(_) | Self::Leaf(_) | Self::Path(_) | Self::Caller(_) => 1,
            Self::Pick(pick) => pick.written(Self::written),
            Self::Query(query) => query.written(),
            Self::Concat(parts) => parts
                .iter()
                .map(Self::written)
                .fold(0, usize::saturating_add),
            Self::Case { text, .. } | Self::Trim(text) | Self::Substring { text, .. } => {
                text.written()
            }
        }
    }
}

impl Time {
    fn written(&self) -> usize {
        match self {
            Self::Literal { .. } | Self::Leaf(_) | Self::Now => 1,
            Self::Pick(pick) => pick.written(Self::written),
            Self::Query(query) => query.written(),
            Self::OfMillis(number) => number.written(),
        }
    }
}

impl Number {
    fn written(&self) -> usize {
        match self {
            Self::Literal(_) | Self::Leaf(_) | Self::Factor(_) | Self::Path(_) => 1,
            Self::Negative(inner) | Self::Abs(inner) | Self::Floor(inner) => inner.written(),
            Self::Binary { op, left, right } => {
                let times = if *op == Arithmetic::Remainder { 2 } else { 1 };
                left.written()
                    .saturating_add(right.written())
                    .saturating_mul(times)
            }
            Self::Pick(pick) => pick.written(Self::written),
            Self::Query(query) => query.written(),
            Self::Length(text) => text.written(),
            Self::Millis(time) => time.written(),
        }
    }
}
