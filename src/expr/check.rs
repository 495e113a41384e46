//! Syntax tree to checked form: resolves names, expands macros, decides types.
//!
//! All problems are collected; [`Reported`] stands for a part that has one already.

mod compare;
mod names;

use std::collections::BTreeSet;
use std::sync::Arc;

use super::ast::{Comparison, Node, NodeKind};
use super::caller::Reads;
use super::ir::{Condition, MAX_WRITTEN, Number, Operand, Text};
use super::problem::{Fault, Problem};
use super::{Columns, Purpose, macros, number};

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
}

pub(super) fn check(
    source: &str,
    node: &Node,
    columns: &dyn Columns,
    purpose: Purpose,
) -> Result<Checked, Vec<Problem>> {
    let mut checker =
        Checker { columns, purpose, faults: Vec::new(), reads: Reads::default(), fields: BTreeSet::new() };
    let condition = checker.condition(node);
    if let Ok(condition) = &condition
        && condition.written() > MAX_WRITTEN
    {
        checker.faults.push(Fault::new(0, "the expression is too large: nest % and mixed lists less deeply"));
    }
    if let (Ok(condition), true) = (condition, checker.faults.is_empty()) {
        return Ok(Checked { condition, reads: checker.reads, fields: checker.fields });
    }
    let mut problems: Vec<_> = checker.faults.into_iter().map(|fault| fault.problem(source)).collect();
    problems.sort_by_key(|problem| problem.position);
    Err(problems)
}

struct Checker<'a> {
    columns: &'a dyn Columns,
    purpose: Purpose,
    faults: Vec<Fault>,
    reads: Reads,
    fields: BTreeSet<Arc<str>>,
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
                Some(operand) => Condition::IsNull { operand, negated: *negated },
                None => Condition::Constant(Some(!negated)),
            }),
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
        let Some(operand) = operand else { return Ok(Condition::Constant(None)) };
        let unless = |right| Condition::Compare { op: Comparison::NotEqual, left: operand.clone(), right };
        match (&operand, self.purpose) {
            (Operand::Bool(condition), _) => Ok(condition.as_ref().clone()),
            (Operand::Text(_), Purpose::Rule { .. }) => Ok(unless(Operand::Text(Text::Literal("".into())))),
            (Operand::Number(_), Purpose::Rule { .. }) => Ok(unless(Operand::Number(Number::Literal(0.0)))),
            (Operand::Text(_) | Operand::Number(_) | Operand::Time(_) | Operand::Json(_), _) => {
                self.report(at, format!("{} is no condition; compare it with something", compare::noun(&operand)))
            }
        }
    }

    fn operand(&mut self, node: &Node) -> Result<Typed, Reported> {
        let operand = match &node.kind {
            NodeKind::Null => return Ok(None),
            NodeKind::Text(text) => Operand::Text(Text::Literal(text.as_str().into())),
            NodeKind::Number(value) => Operand::Number(Number::Literal(*value)),
            NodeKind::Name(name) if name.starts_with('@') => return self.variable(name, node.at),
            NodeKind::Name(name) => self.field(name, node.at)?,
            NodeKind::Call { name, args } if name.starts_with('@') => return self.expanded(name, args, node.at),
            NodeKind::Call { name, .. } => {
                return self.report(node.at, format!("functions such as {name}(…) are not available here"));
            }
            NodeKind::Negative(inner) => Operand::Number(match self.number(inner, "-", node.at)? {
                Number::Literal(value) => Number::Literal(-value),
                Number::Negative(inner) => *inner,
                other => Number::Negative(Box::new(other)),
            }),
            NodeKind::Arithmetic { op, left, right } => {
                let left = self.number(left, op.symbol(), node.at);
                let right = self.number(right, op.symbol(), node.at);
                let (left, right) = (Box::new(number::operand(left?)), Box::new(number::operand(right?)));
                let result = Number::Binary { op: *op, left, right };
                if !number::is_safe(&result) {
                    return self.report(
                        node.at,
                        "this calculation could leave the range of a number; use fewer factors or smaller ones",
                    );
                }
                Operand::Number(result)
            }
            NodeKind::Bool(_)
            | NodeKind::Not(_)
            | NodeKind::All(_)
            | NodeKind::Any(_)
            | NodeKind::Compare { .. }
            | NodeKind::In { .. }
            | NodeKind::IsNull { .. }
            | NodeKind::HasGroup(_) => Operand::Bool(Box::new(self.condition(node)?)),
        };
        Ok(Some(operand))
    }

    /// An operand of arithmetic.
    fn number(&mut self, node: &Node, symbol: &str, at: usize) -> Result<Number, Reported> {
        match self.operand(node)? {
            Some(Operand::Number(number)) => Ok(number),
            Some(other) => self.report(at, format!("{symbol} calculates with numbers, not {}", compare::noun(&other))),
            None => self.report(at, format!("{symbol} calculates with numbers, not null")),
        }
    }

    fn expanded(&mut self, name: &str, args: &[Node], at: usize) -> Result<Typed, Reported> {
        if matches!(self.purpose, Purpose::Filter) {
            return self.report(at, format!("{name} is not available in a filter"));
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
