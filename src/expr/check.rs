//! Syntax tree to checked form: resolves names, expands macros, decides types.
//!
//! All problems are collected; [`Reported`] stands for a part that has one already.

mod compare;
mod functions;
mod names;
mod paths;
mod query;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::ast::{Comparison, Node, NodeKind};
use super::caller::Reads;
use super::ir::{Condition, MAX_WRITTEN, Number, Operand, Text};
use super::problem::{Fault, Problem};
use super::{Columns, Purpose, macros, number};
use crate::db::{ColumnKind, JsonType};

pub(super) use query::{QueryScope, check_query};

/// The part has a problem, and it is in the list.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reported;

/// An operand, or `None` for the literal `null`, which has no type of its own.
type Typed = Option<Operand>;

/// What the check yields.
pub(super) struct Checked {
    pub condition: Condition,
    pub reads: Reads,
    pub fields: BTreeSet<Arc<str>>,
    /// Whether the answer depends on the time.
    pub clock: bool,
    /// Whether it depends on the request's body.
    pub data: bool,
    /// The collections that stored macros read, and the fields of them.
    pub collections: Sources,
}

/// Names of collections, each with the names of fields.
pub(super) type Sources = BTreeMap<Arc<str>, BTreeSet<Arc<str>>>;

/// What the check of a computed field's expression yields.
pub(super) struct CheckedValue {
    pub operand: Operand,
    pub fields: BTreeSet<Arc<str>>,
    pub clock: bool,
}

/// Checks an expression that has a value. `wanted` is the type that a part of a document is taken
/// as.
pub(super) fn check_value(
    source: &str,
    node: &Node,
    columns: &dyn Columns,
    wanted: ColumnKind,
) -> Result<CheckedValue, Vec<Problem>> {
    let mut checker = Checker::new(columns, Purpose::Computed);
    let operand = checker
        .operand(node)
        .map(|operand| match (operand, wanted) {
            (Some(Operand::Path(path)), ColumnKind::Text) => {
                Some(paths::typed(path, JsonType::Text))
            }
            (Some(Operand::Path(path)), ColumnKind::Number) => {
                Some(paths::typed(path, JsonType::Number))
            }
            (Some(Operand::Path(path)), ColumnKind::Boolean) => {
                Some(paths::typed(path, JsonType::Boolean))
            }
            (operand, _) => operand,
        });
    match operand {
        Ok(Some(Operand::Json(_) | Operand::Path(_))) => {
            checker.faults.push(Fault::new(
                node.at,
                "a document cannot be computed; return text, a number, …",
            ));
        }
        Ok(Some(operand)) if operand.written() > MAX_WRITTEN => checker.faults.push(too_large()),
        Ok(Some(operand)) if checker.faults.is_empty() => {
            return Ok(CheckedValue {
                operand,
                fields: checker.fields,
                clock: checker.clock,
            });
        }
        Ok(None) => checker.faults.push(Fault::new(node.at, "null has no type")),
        _ => {}
    }
    Err(checker.problems(source))
}

fn too_large() -> Fault {
    Fault::new(
        0,
        "the expression is too large: nest % and mixed lists less deeply",
    )
}

pub(super) fn check(
    source: &str,
    node: &Node,
    columns: &dyn Columns,
    purpose: Purpose,
) -> Result<Checked, Vec<Problem>> {
    let mut checker = Checker::new(columns, purpose);
    let condition = checker.condition(node);
    if let Ok(condition) = &condition
        && condition.written() > MAX_WRITTEN
    {
        checker.faults.push(too_large());
    }
    if let (Ok(condition), true) = (condition, checker.faults.is_empty()) {
        let Checker {
            reads,
            fields,
            clock,
            data,
            collections,
            ..
        } = checker;
        return Ok(Checked {
            condition,
            reads,
            fields,
            clock,
            data,
            collections,
        });
    }
    Err(checker.problems(source))
}

struct Checker<'a> {
    columns: &'a dyn Columns,
    purpose: Purpose,
    faults: Vec<Fault>,
    reads: Reads,
    fields: BTreeSet<Arc<str>>,
    clock: bool,
    data: bool,
    /// The collections that stored macros read, and the fields of them.
    collections: Sources,
    /// Inside of a stored macro: its arguments.
    query: Option<QueryScope>,
    /// Characters of the patterns of `~` up to here.
    pattern_chars: usize,
}

impl<'a> Checker<'a> {
    fn new(columns: &'a dyn Columns, purpose: Purpose) -> Self {
        let (faults, reads, fields, collections) = Default::default();
        Self {
            columns,
            purpose,
            faults,
            reads,
            fields,
            clock: false,
            data: false,
            collections,
            query: None,
            pattern_chars: 0,
        }
    }

    /// What was found, in the order of position.
    fn problems(self, source: &str) -> Vec<Problem> {
        let mut problems: Vec<_> = self
            .faults
            .into_iter()
            .map(|fault| fault.problem(source))
            .collect();
        problems.sort_by_key(|problem| problem.position);
        problems
    }
}

impl Checker<'_> {
    fn report<T>(&mut self, at: usize, message: impl Into<String>) -> Result<T, Reported> {
        self.faults.push(Fault::new(at, message));
        Err(Reported)
    }

    fn condition(&mut self, node: &Node) -> Result<Condition, Reported> {
        match &node.kind {
            NodeKind::All(parts) => Ok(Condition::All(self.conditions(parts)?)),
            NodeKind::Any(parts) => Ok(Condition::Any(self.conditions(parts)?)),
            NodeKind::Not(inner) => Ok(Condition::Not(Box::new(self.condition(inner)?))),
            NodeKind::Compare { op, left, right } => self.comparison(*op, left, right, node.at),
            NodeKind::In { left, items } => self.membership(left, items, node.at),
            NodeKind::IsNull { operand, negated } => Ok(match self.operand(operand)? {
                Some(operand) => compare::is_null(operand, *negated),
                None => Condition::Constant(Some(!negated)),
            }),
            NodeKind::Asked { name, question } => self.asked(name, *question, node.at),
            NodeKind::HasGroup(group) => {
                self.reads.groups.insert(group.clone());
                Ok(Condition::InGroup(group.as_str().into()))
            }
            NodeKind::Bool(truth) => Ok(Condition::Constant(Some(*truth))),
            _ => {
                let operand = self.operand(node)?;
                self.truth(operand, node.at)
            }
        }
    }

    /// Checks every part, so that each of them can report.
    fn conditions(&mut self, parts: &[Node]) -> Result<Vec<Condition>, Reported> {
        let checked: Vec<_> = parts.iter().map(|part| self.condition(part)).collect();
        checked.into_iter().collect()
    }

    /// What an operand means where a condition belongs.
    fn truth(&mut self, operand: Typed, at: usize) -> Result<Condition, Reported> {
        let Some(operand) = operand else {
            return Ok(Condition::Constant(None));
        };
        let unless = |right| Condition::Compare {
            op: Comparison::NotEqual,
            left: operand.clone(),
            right,
        };
        match (&operand, self.purpose) {
            (Operand::Bool(condition), _) => Ok(condition.as_ref().clone()),
            (Operand::Path(path), _) => Ok(Condition::PathFlag(path.clone())),
            (Operand::Text(_), Purpose::Rule { .. }) => {
                Ok(unless(Operand::Text(Text::Literal("".into()))))
            }
            (Operand::Number(_), Purpose::Rule { .. }) => {
                Ok(unless(Operand::Number(Number::Literal(0.0))))
            }
            (Operand::Text(_) | Operand::Number(_) | Operand::Time(_) | Operand::Json(_), _) => {
                self.report(
                    at,
                    format!(
                        "{} is no condition; compare it with something",
                        compare::noun(&operand)
                    ),
                )
            }
        }
    }

    fn operand(&mut self, node: &Node) -> Result<Typed, Reported> {
        let operand = match &node.kind {
            NodeKind::Null => return Ok(None),
            NodeKind::Parameter(index) => return Ok(self.argument(*index)),
            NodeKind::Text(text) => Operand::Text(Text::Literal(text.as_str().into())),
            NodeKind::Number(value) => Operand::Number(Number::Literal(*value)),
            NodeKind::Name(name) if name.starts_with('@') => return self.variable(name, node.at),
            NodeKind::Name(name) => self.field(name, node.at)?,
            NodeKind::Call { name, args } if name.starts_with('@') => {
                return self.expanded(name, args, node.at);
            }
            NodeKind::Call { name, args } => return self.function(name, args, node.at),
            NodeKind::Negative(inner) => {
                Operand::Number(match self.number(inner, "-", node.at)? {
                    Number::Literal(value) => Number::Literal(-value),
                    Number::Negative(inner) => *inner,
                    other => Number::Negative(Box::new(other)),
                })
            }
            NodeKind::Arithmetic { op, left, right } => {
                let left = self.number(left, op.symbol(), node.at);
                let right = self.number(right, op.symbol(), node.at);
                let (left, right) = (
                    Box::new(number::operand(left?)),
                    Box::new(number::operand(right?)),
                );
                Operand::Number(self.safe(
                    Number::Binary {
                        op: *op,
                        left,
                        right,
                    },
                    node.at,
                )?)
            }
            NodeKind::Bool(_)
            | NodeKind::Not(_)
            | NodeKind::All(_)
            | NodeKind::Any(_)
            | NodeKind::Compare { .. }
            | NodeKind::In { .. }
            | NodeKind::IsNull { .. }
            | NodeKind::Asked { .. }
            | NodeKind::HasGroup(_) => Operand::Bool(Box::new(self.condition(node)?)),
        };
        Ok(Some(operand))
    }

    /// Refuses a calculation that could overflow.
    fn safe(&mut self, number: Number, at: usize) -> Result<Number, Reported> {
        if number::is_safe(&number) {
            return Ok(number);
        }
        let message =
            "this calculation could leave the range of a number; use fewer factors or smaller ones";
        self.report(at, message)
    }

    /// An operand of arithmetic.
    fn number(&mut self, node: &Node, symbol: &str, at: usize) -> Result<Number, Reported> {
        if self.is_unknown(node) {
            return Ok(Number::Literal(1.0));
        }
        match self.operand(node)? {
            Some(Operand::Number(number)) => Ok(number),
            Some(Operand::Path(path)) => Ok(Number::Path(path)),
            Some(other) => self.report(
                at,
                format!(
                    "{symbol} calculates with numbers, not {}",
                    compare::noun(&other)
                ),
            ),
            None => self.report(at, format!("{symbol} calculates with numbers, not null")),
        }
    }

    fn expanded(&mut self, name: &str, args: &[Node], at: usize) -> Result<Typed, Reported> {
        if let Some(place) = self.place_without_variables() {
            return self.report(at, format!("{name} is not available in {place}"));
        }
        if let Some(stored) = name
            .strip_prefix('@')
            .and_then(|name| self.columns.stored_macro(name))
        {
            return self.stored(name, stored, args, at);
        }
        match macros::expand(name, args, at) {
            Ok(node) => self.operand(&node),
            Err(fault) => {
                self.faults.push(fault);
                Err(Reported)
            }
        }
    }
}
