//! Parts of documents. What type one has is known only when there is a document: whatever stands
//! next to it says which type is meant.

use super::super::ast::Comparison;
use super::super::ir::{Condition, MAX_WRITTEN, Number, Operand, Path, Pick, Text};
use super::compare::{compare, noun};
use super::{Checker, Reported};
use crate::db::JsonType;

impl Checker<'_> {
    /// A comparison of a part of a document with something. Of another type than that, it is
    /// unequal.
    pub(super) fn path_comparison(
        &mut self,
        op: Comparison,
        path: Path,
        other: Operand,
        path_is_left: bool,
        at: usize,
    ) -> Result<Condition, Reported> {
        let kind = match &other {
            Operand::Text(_) => JsonType::Text,
            Operand::Number(_) => JsonType::Number,
            Operand::Bool(_) => JsonType::Boolean,
            Operand::Time(_) | Operand::Json(_) | Operand::Path(_) => {
                let message = format!(
                    "a part of a document is compared with a text, a number or a boolean, not with {}",
                    noun(&other)
                );
                return self.report(at, message);
            }
        };
        // It is written twice, at every level at which such comparisons are nested.
        if other.written() > MAX_WRITTEN / 2 {
            return self.report(
                at,
                "the expression is too large: nest comparisons less deeply",
            );
        }
        let value = typed(path.clone(), kind);
        let (left, right) = if path_is_left {
            (value, other.clone())
        } else {
            (other.clone(), value)
        };
        let operands = vec![Operand::Path(path.clone()), other];
        Ok(Condition::Pick(Pick::If {
            condition: Box::new(Condition::PathIs { path, kind }),
            then: Some(Box::new(compare(op, left, right))),
            otherwise: Some(Box::new(Condition::Mixed {
                answer: op == Comparison::NotEqual,
                operands,
            })),
        }))
    }
}

/// The part as a value of one type: NULL if it is of another.
pub(super) fn typed(path: Path, kind: JsonType) -> Operand {
    match kind {
        JsonType::Text => Operand::Text(Text::Path(path)),
        JsonType::Number => Operand::Number(Number::Path(path)),
        JsonType::Boolean => Operand::Bool(Box::new(Condition::PathFlag(path))),
    }
}

/// The operand, as a value of the type of another one if it is a part of a document.
pub(super) fn alike(operand: Operand, other: &Operand) -> Operand {
    match (operand, other) {
        (Operand::Path(path), Operand::Text(_)) => typed(path, JsonType::Text),
        (Operand::Path(path), Operand::Number(_)) => typed(path, JsonType::Number),
        (Operand::Path(path), Operand::Bool(_)) => typed(path, JsonType::Boolean),
        (operand, _) => operand,
    }
}
