//! Stored macros: one value out of the records of one collection, for rules.
//!
//! ```text
//! macro = "SELECT" value [ "FROM" collection [ "WHERE" condition ] ]
//! value = "COUNT" "(" "*" ")" | ( "COUNT" | "SUM" | "AVG" | "MIN" | "MAX" ) "(" expression ")" | expression
//! ```
//!
//! Value and condition are written in the language of rules. `AND`, `OR`, `NOT`, `LIKE` and `<>`
//! are other spellings of `&&`, `||`, `!`, `~` and `!=`. `$1`, `$2`, … and `:name` stand for the
//! parameters. A value that is no aggregate is the oldest record's. Nothing else of SQL is known
//! here: the query that is carried out is written from the checked form, for the records of the
//! caller's account.

use serde_json::Value as Json;

use super::ast::Node;
use super::check::{self, QueryScope};
use super::ir::{Condition, Number, Operand, Text};
use super::problem::Problem;
use super::{Auth, Columns, MAX_SOURCE, eval, parser, sql};
use crate::db::{ColumnKind, Computed, Sql};

/// What a macro selects.
#[derive(Clone, Debug)]
pub(super) struct Select {
    pub value: Item,
    /// The collection's name, and where it was written.
    pub collection: Option<(String, usize)>,
    pub condition: Option<Node>,
}

#[derive(Clone, Debug)]
pub(super) enum Item {
    /// The number of records.
    Count,
    Aggregate {
        function: Aggregate,
        argument: Node,
        at: usize,
    },
    Value(Node),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Aggregate {
    Count,
    Sum,
    Average,
    Min,
    Max,
}

impl Aggregate {
    pub fn named(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "count" => Some(Self::Count),
            "sum" => Some(Self::Sum),
            "avg" => Some(Self::Average),
            "min" => Some(Self::Min),
            "max" => Some(Self::Max),
            _ => None,
        }
    }
}

/// A macro as it is stored: parsed, and checked when it is used.
#[derive(Clone, Debug)]
pub struct StoredMacro {
    pub(super) parameters: Vec<String>,
    pub(super) select: Select,
}

impl StoredMacro {
    /// Parses a macro. `parameters` are the names that it may use.
    ///
    /// # Errors
    ///
    /// What is wrong with it, and where.
    pub fn parse(source: &str, parameters: &[String]) -> Result<Self, Problem> {
        if source.len() > MAX_SOURCE {
            let message = format!("the query is longer than {MAX_SOURCE} bytes");
            return Err(Problem {
                position: 0,
                message,
            });
        }
        let select =
            parser::parse_select(source, parameters).map_err(|fault| fault.problem(source))?;
        Ok(Self {
            parameters: parameters.to_vec(),
            select,
        })
    }

    /// Checks a macro against the collections that there are, with nothing known about its
    /// parameters.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it, in the order of position.
    pub fn check(&self, source: &str, columns: &dyn Columns) -> Result<(), Vec<Problem>> {
        check::check_query(source, &self.select, columns, QueryScope::unknown()).map(|_| ())
    }

    /// How many arguments it takes.
    pub fn arity(&self) -> usize {
        self.parameters.len()
    }

    /// The collection that it reads, if it reads one.
    pub fn collection(&self) -> Option<&str> {
        self.select
            .collection
            .as_ref()
            .map(|(name, _)| name.as_str())
    }

    /// Every part of it that may name a field.
    pub(super) fn nodes(&self) -> impl Iterator<Item = &Node> {
        let value = match &self.select.value {
            Item::Count => None,
            Item::Aggregate { argument, .. } => Some(argument),
            Item::Value(value) => Some(value),
        };
        value.into_iter().chain(&self.select.condition)
    }
}

/// A stored macro with arguments, ready to be carried out by itself.
#[derive(Clone, Debug)]
pub struct MacroValue(Option<Operand>);

impl StoredMacro {
    /// The macro with literal arguments: texts, numbers, booleans and null.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it.
    pub fn with(
        &self,
        source: &str,
        arguments: &[Json],
        columns: &dyn Columns,
    ) -> Result<MacroValue, Vec<Problem>> {
        let arguments: Vec<Option<Operand>> =
            arguments.iter().map(literal).collect::<Result<_, _>>()?;
        check::check_query(source, &self.select, columns, QueryScope::of(arguments)).map(MacroValue)
    }
}

impl MacroValue {
    /// The value as a key of documents, for a caller.
    pub fn for_caller<'a>(&'a self, auth: &'a Auth<'a>) -> Option<CallerValue<'a>> {
        self.0.as_ref().map(|operand| CallerValue { operand, auth })
    }
}

/// A macro's value for one caller.
#[derive(Clone, Copy, Debug)]
pub struct CallerValue<'a> {
    operand: &'a Operand,
    auth: &'a Auth<'a>,
}

impl CallerValue<'_> {
    /// Of what kind it is.
    pub fn kind(&self) -> ColumnKind {
        self.operand.kind()
    }
}

impl Computed for CallerValue<'_> {
    fn write(&self, sql: &mut Sql, alias: &'static str) {
        let steps = eval::Steps::new();
        let scope = eval::Scope {
            record: None,
            auth: self.auth,
            data: None,
            steps: &steps,
        };
        sql::Writer {
            sql,
            alias,
            scope,
            constants: false,
        }
        .value(self.operand);
    }
}

/// A literal as an argument.
fn literal(value: &Json) -> Result<Option<Operand>, Vec<Problem>> {
    let wrong = |message: &str| {
        vec![Problem {
            position: 0,
            message: message.to_owned(),
        }]
    };
    Ok(Some(match value {
        Json::Null => return Ok(None),
        Json::Bool(truth) => Operand::Bool(Box::new(Condition::Constant(Some(*truth)))),
        Json::String(text) if !text.contains('\0') => {
            Operand::Text(Text::Literal(text.as_str().into()))
        }
        Json::Number(number) => match number.as_f64().filter(|number| number.is_finite()) {
            Some(number) => Operand::Number(Number::Literal(number)),
            None => return Err(wrong("this number is too large")),
        },
        _ => {
            return Err(wrong(
                "a parameter is a text without NUL, a number, a boolean or null",
            ));
        }
    }))
}
