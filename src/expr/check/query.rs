//! Stored macros: a query over the records of another collection, in place of a value.

use std::sync::Arc;

use super::super::ast::{Node, NodeKind};
use super::super::caller::Attribute;
use super::super::ir::{Condition, Number, Operand, Query, Selected, Text, Time};
use super::super::number;
use super::super::problem::Problem;
use super::super::query::{Aggregate, Item, Select, StoredMacro};
use super::compare::noun;
use super::{Checker, Reported, Typed};
use crate::db::Fragment;
use crate::expr::{Column, Columns, Purpose};

/// What the parameters of a stored macro stand for; `None` while nothing is known about them.
pub(in super::super) struct QueryScope {
    arguments: Option<Vec<Typed>>,
}

impl QueryScope {
    /// Nothing is known about the parameters.
    pub fn unknown() -> Self {
        Self { arguments: None }
    }

    /// The parameters stand for these; `None` is null.
    pub fn of(arguments: Vec<Typed>) -> Self {
        Self {
            arguments: Some(arguments),
        }
    }
}

/// A macro without `FROM` has no fields.
struct NoFields;

impl Columns for NoFields {
    fn column(&self, _: &str) -> Option<Column> {
        None
    }
}

/// Checks a stored macro by itself.
pub(in super::super) fn check_query(
    source: &str,
    select: &Select,
    columns: &dyn Columns,
    scope: QueryScope,
) -> Result<Typed, Vec<Problem>> {
    let mut checker = Checker::new(columns, Purpose::Rule { data: false });
    let result = checker.select(select, scope, |outer, inner| {
        outer.faults.extend(inner);
        Reported
    });
    match result {
        Ok(operand) if checker.faults.is_empty() => Ok(operand),
        _ => Err(checker.problems(source)),
    }
}

impl Checker<'_> {
    /// The value of a parameter.
    pub(super) fn argument(&self, index: usize) -> Typed {
        self.query.as_ref()?.arguments.as_ref()?.get(index)?.clone()
    }

    /// Whether a node is a parameter of which nothing is known.
    pub(super) fn is_unknown(&self, node: &Node) -> bool {
        let unknown = self
            .query
            .as_ref()
            .is_some_and(|scope| scope.arguments.is_none());
        unknown && matches!(node.kind, NodeKind::Parameter(_))
    }

    /// A use of a stored macro.
    pub(super) fn stored(
        &mut self,
        name: &str,
        stored: &StoredMacro,
        args: &[Node],
        at: usize,
    ) -> Result<Typed, Reported> {
        if self.query.is_some() {
            return self.report(
                at,
                format!("{name}: a macro cannot use another stored macro"),
            );
        }
        if args.len() != stored.arity() {
            let message = format!(
                "{name} takes {} arguments, not {}",
                stored.arity(),
                args.len()
            );
            return self.report(at, message);
        }
        let arguments: Vec<_> = args.iter().map(|arg| self.operand(arg)).collect();
        let arguments = arguments.into_iter().collect::<Result<Vec<_>, _>>()?;
        self.select(&stored.select, QueryScope::of(arguments), |outer, inner| {
            // Its places are in the macro's text, not in this one.
            let messages: Vec<_> = inner.into_iter().map(super::Fault::into_message).collect();
            outer.faults.push(super::Fault::new(
                at,
                format!("in {name}: {}", messages.join("; ")),
            ));
            Reported
        })
    }

    fn select(
        &mut self,
        select: &Select,
        scope: QueryScope,
        failed: impl FnOnce(&mut Self, Vec<super::Fault>) -> Reported,
    ) -> Result<Typed, Reported> {
        let (source, columns): (_, &dyn Columns) = match &select.collection {
            None => (None, &NoFields),
            Some((name, at)) => {
                let Some((source, columns)) = self.columns.collection(name) else {
                    let fault = super::Fault::new(*at, format!("there is no collection `{name}`"));
                    return Err(failed(self, vec![fault]));
                };
                self.reads.add(Attribute::AccountId);
                (Some(source), columns)
            }
        };
        let mut inner = Checker::new(columns, Purpose::Rule { data: false });
        inner.query = Some(scope);
        let condition = select
            .condition
            .as_ref()
            .map(|condition| inner.condition(condition))
            .transpose();
        let value = inner.selected(&select.value, source.is_some());
        let (Ok(condition), Ok(value), true) = (condition, value, inner.faults.is_empty()) else {
            return Err(failed(self, inner.faults));
        };
        if let Some((name, _)) = &select.collection {
            self.collections
                .entry(name.as_str().into())
                .or_default()
                .extend(inner.fields);
        }
        self.clock |= inner.clock;
        self.reads.merge(inner.reads);
        Ok(match (source, value) {
            (None, Selected::First(operand)) => Some(operand),
            (Some(source), value) => Some(query(source, value, condition)),
            (None, _) => None,
        })
    }

    fn selected(&mut self, item: &Item, has_records: bool) -> Result<Selected, Reported> {
        let (function, argument, at) = match item {
            Item::Count if has_records => return Ok(Selected::Count),
            Item::Count => return self.report(0, "an aggregate needs FROM and a collection"),
            Item::Value(node) => {
                return match self.operand(node)? {
                    Some(Operand::Json(_) | Operand::Path(_)) => self.report(
                        node.at,
                        "a document or an untyped part of one cannot be selected; use a part as a text, a number, …",
                    ),
                    Some(Operand::Number(number)) => Ok(Selected::First(Operand::Number(number::operand(number)))),
                    Some(operand) => Ok(Selected::First(operand)),
                    None if self.is_unknown(node) => Ok(Selected::First(Operand::Text(Text::Literal("".into())))),
                    // A null of some type.
                    None => Ok(Selected::First(Operand::Bool(Box::new(Condition::Constant(None))))),
                };
            }
            Item::Aggregate {
                function,
                argument,
                at,
            } => (*function, argument, *at),
        };
        if !has_records {
            return self.report(at, "an aggregate needs FROM and a collection");
        }
        let operand = match self.operand(argument)? {
            Some(Operand::Number(number)) => Operand::Number(number::operand(number)),
            Some(Operand::Path(path))
                if matches!(function, Aggregate::Sum | Aggregate::Average) =>
            {
                Operand::Number(Number::Path(path))
            }
            Some(operand) => operand,
            None => return self.report(argument.at, "an aggregate needs a field"),
        };
        let fits = match function {
            Aggregate::Count => true,
            Aggregate::Sum | Aggregate::Average => matches!(operand, Operand::Number(_)),
            Aggregate::Min | Aggregate::Max => !matches!(
                operand,
                Operand::Bool(_) | Operand::Json(_) | Operand::Path(_)
            ),
        };
        if fits {
            Ok(Selected::Aggregate(function, operand))
        } else {
            self.report(
                argument.at,
                format!("this aggregate does not go with {}", noun(&operand)),
            )
        }
    }
}

fn query(source: Fragment, item: Selected, condition: Option<Condition>) -> Operand {
    enum Type {
        Text,
        Number,
        Bool,
        Time,
    }
    let kind = match &item {
        Selected::Count
        | Selected::Aggregate(Aggregate::Count | Aggregate::Sum | Aggregate::Average, _) => {
            Type::Number
        }
        Selected::Aggregate(_, operand) | Selected::First(operand) => match operand {
            Operand::Text(_) => Type::Text,
            Operand::Number(_) => Type::Number,
            Operand::Time(_) => Type::Time,
            Operand::Bool(_) | Operand::Json(_) | Operand::Path(_) => Type::Bool,
        },
    };
    let query = Arc::new(Query {
        source,
        item,
        condition,
    });
    match kind {
        Type::Text => Operand::Text(Text::Query(query)),
        Type::Number => Operand::Number(Number::Query(query)),
        Type::Bool => Operand::Bool(Box::new(Condition::Query(query))),
        Type::Time => Operand::Time(Time::Query(query)),
    }
}
