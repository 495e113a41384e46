//! The checked form: names are resolved, macros are gone, and both sides of a comparison have one type.
//!
//! Every decision about meaning is made on the way here, so that the two backends only carry it out.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::ast::{Arithmetic, Comparison};
use super::caller::Attribute;
use crate::db::{ColumnKind, Ident};

/// Something that is true, false or NULL.
#[derive(Clone, Debug)]
pub(super) enum Condition {
    /// A constant; `None` is NULL.
    Constant(Option<bool>),
    /// A boolean field.
    Flag(Leaf),
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
    /// A comparison of operands of different types: NULL if one of them is NULL, else always the same.
    Mixed {
        answer: bool,
        operands: Vec<Operand>,
    },
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
    Caller(Attribute),
}

#[derive(Clone, Debug)]
pub(super) enum Number {
    Literal(f64),
    Leaf(Leaf),
    /// A field as an operand of [`Number::Binary`]: NULL outside the range of [`super::number::usable`].
    Factor(Leaf),
    Negative(Box<Number>),
    Binary {
        op: Arithmetic,
        left: Box<Number>,
        right: Box<Number>,
    },
}

#[derive(Clone, Debug)]
pub(super) enum Time {
    Literal {
        instant: DateTime<Utc>,
        /// The literal as written, if it is a plain day.
        day: Option<Arc<str>>,
    },
    Leaf(Leaf),
}

/// Operands that SQL text holds at most; `%` and lists of several types write some of theirs twice.
pub(super) const MAX_WRITTEN: usize = 500;

impl Condition {
    /// A field and an attribute that must be equal for this to be true.
    pub fn caller_match(&self) -> Option<(&str, Attribute)> {
        match self {
            Self::All(parts) => parts.iter().find_map(Self::caller_match),
            Self::Compare { op: Comparison::Equal, left: Operand::Text(left), right: Operand::Text(right) } => {
                match (left, right) {
                    (Text::Leaf(Leaf::Field(field)), Text::Caller(attribute))
                    | (Text::Caller(attribute), Text::Leaf(Leaf::Field(field))) => Some((&field.name, *attribute)),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// How many operands the SQL form of this writes.
    pub fn written(&self) -> usize {
        let sum = |operands: &[Operand]| operands.iter().map(Operand::written).fold(0, usize::saturating_add);
        match self {
            Self::Constant(_) => 0,
            Self::Flag(_) | Self::InGroup(_) => 1,
            Self::All(parts) | Self::Any(parts) => parts.iter().map(Self::written).fold(0, usize::saturating_add),
            Self::Not(inner) => inner.written(),
            Self::IsNull { operand, .. } => operand.written(),
            Self::Compare { left, right, .. } => left.written().saturating_add(right.written()),
            Self::Like { .. } => 2,
            Self::OneOf { left, options } => left.written().saturating_add(sum(options)),
            Self::Mixed { operands, .. } => sum(operands),
        }
    }
}

impl Operand {
    fn written(&self) -> usize {
        match self {
            Self::Text(_) | Self::Time(_) | Self::Json(_) => 1,
            Self::Number(number) => number.written(),
            Self::Bool(condition) => condition.written(),
        }
    }
}

impl Number {
    fn written(&self) -> usize {
        match self {
            Self::Literal(_) | Self::Leaf(_) | Self::Factor(_) => 1,
            Self::Negative(inner) => inner.written(),
            Self::Binary { op, left, right } => {
                let times = if *op == Arithmetic::Remainder { 2 } else { 1 };
                left.written().saturating_add(right.written()).saturating_mul(times)
            }
        }
    }
}
