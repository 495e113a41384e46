//! The expression language of access rules and list filters.
//!
//! Source text becomes tokens ([`lexer`]), a syntax tree ([`parser`], [`ast`]), and a checked form
//! ([`check`], [`ir`]) in which names are resolved, macros expanded and types decided. From there
//! two backends carry it out: [`sql`] for SQLite and PostgreSQL, [`eval`] in memory over a record's
//! document. The three agree on every expression; a property test compares them.
//!
//! # Meaning
//!
//! * Logic is three-valued. A comparison with NULL is NULL; `= null` and `!= null` ask for NULL
//!   instead. `IN` is the disjunction of its equalities, also of one with `null`. A rule lets
//!   through what is true, not what is NULL.
//! * Text compares byte by byte. `~` takes a pattern: `%` and `_` are wildcards, a backslash takes
//!   them as themselves, ASCII letters match in either case. A pattern of more than 1,000
//!   characters is refused if it is a literal, else NULL.
//! * Numbers are doubles. `%` is `a - b * trunc(a / b)`. Division and remainder by zero are NULL. A
//!   stored number beyond 10³⁰ in magnitude, or nearer to zero than 10⁻³⁰ without being zero, is
//!   NULL where it is calculated with; calculations that could overflow nevertheless are refused.
//! * Dates and times compare as instants to the millisecond, further digits dropped; without a zone
//!   they are UTC. A text literal next to one is read as one ([`parse_instant`], [`parse_day`]).
//!   Next to an id or an e-mail address, it is read as one ([`TextFormat`]).
//! * Operands of different types are unequal: `=` is false, `!=` is true, an ordering is false,
//!   NULL stays NULL.
//! * JSON documents and files can be tested for NULL only, booleans for equality, references for
//!   equality and `IN`. Text literals, the caller's attributes and values of the request's body
//!   follow the same table as fields.
//! * A value of the request's body has the type of the field of that name; a value of another type
//!   is NULL, and so is a text with U+0000. Whether it is NULL is whether it was not sent; about
//!   one that was sent as null, that answer is NULL as well, as every other. `:isset` and
//!   `:changed` are never NULL.
//! * An operand may stand where a condition belongs: a boolean field is one; in rules, text means
//!   `!= ''` and a number `!= 0`. Filters refuse the latter two.
//! * Functions stand in filters and computed fields. `concat` is NULL if a part is; case means
//!   ASCII letters; `trim` takes spaces off; text is counted in characters from 1; `round` takes
//!   halves away from zero; a month is 30 days, a year 365. A computed field that another
//!   expression names is put in its place.
//! * An anonymous caller's attributes are NULL, and it is in no group. `@has_group` is never NULL.

mod ast;
mod caller;
mod check;
mod eval;
mod formula;
mod instant;
mod ir;
mod lexer;
mod macros;
mod number;
mod parser;
mod problem;
mod query;
mod rename;
mod sql;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::db::{ColumnKind, Fragment, Ident, Sql};

pub use caller::{Attribute, Auth, CallerKey, Reads};
pub use eval::steps_taken;
pub use formula::Formula;
pub use instant::{parse_day, parse_instant, stored_day, stored_instant};
pub use lexer::is_reserved_word;
pub use macros::is_built_in;
pub use problem::Problem;
pub use query::{CallerValue, MacroValue, StoredMacro};
pub use rename::{Renamed, macros_used, rename_field, rename_in_macro};

/// The longest source, in bytes.
const MAX_SOURCE: usize = 20_000;

/// The fields that an expression may refer to.
pub trait Columns {
    /// The field's column, or `None` if there is no such field.
    fn column(&self, name: &str) -> Option<Column>;

    /// The stored macro of that name, which is written without `@`.
    fn stored_macro(&self, _name: &str) -> Option<&StoredMacro> {
        None
    }

    /// The table and the fields of another collection, for macros that read it.
    fn collection(&self, _name: &str) -> Option<(Fragment, &dyn Columns)> {
        None
    }
}

/// A field's column.
#[derive(Clone, Debug)]
pub struct Column {
    /// Its name in the database.
    pub ident: Ident,
    /// How it is stored and compared.
    pub kind: ColumnKind,
    /// What computes the field, if no column holds it.
    pub computed: Option<Arc<Formula>>,
    /// As what a text that is compared with it is read.
    pub format: TextFormat,
}

/// As what a text literal is read, so that it means what it would mean if it were stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TextFormat {
    /// As it is written.
    #[default]
    Plain,
    /// An id: in capitals or without hyphens it is the same.
    Id,
    /// An e-mail address.
    Email,
}

impl Column {
    /// A column that holds the field.
    pub fn stored(ident: Ident, kind: ColumnKind) -> Self {
        let format = if kind == ColumnKind::Reference {
            TextFormat::Id
        } else {
            TextFormat::Plain
        };
        Self {
            ident,
            kind,
            computed: None,
            format,
        }
    }

    /// The same with another format.
    #[must_use]
    pub fn with_format(self, format: TextFormat) -> Self {
        Self { format, ..self }
    }
}

/// What an expression is for, which decides about the variables it may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A list filter: fields, literals and functions.
    Filter,
    /// The value of a computed field: the same.
    Computed,
    /// An access rule: `@request.auth.*` and macros too.
    Rule {
        /// Whether there is a request body, `@request.data.*`.
        data: bool,
    },
}

/// What was sent to create or change a record, as rules see it.
#[derive(Clone, Copy, Debug)]
pub struct Sent<'a> {
    /// The values by field, each as a read will show it. A field that was not sent has no key.
    pub values: &'a Map<String, Value>,
    /// Whether there has been no record yet.
    pub is_new: bool,
}

/// A parsed and checked expression. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Predicate(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    source: Box<str>,
    condition: ir::Condition,
    reads: Reads,
    fields: BTreeSet<Arc<str>>,
    clock: bool,
    data: bool,
    collections: check::Sources,
}

impl Predicate {
    /// Parses and checks an expression.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it, in the order of position; of syntax errors, the first.
    pub fn compile(
        source: &str,
        columns: &dyn Columns,
        purpose: Purpose,
    ) -> Result<Self, Vec<Problem>> {
        if source.len() > MAX_SOURCE {
            let message = format!("the expression is longer than {MAX_SOURCE} bytes");
            return Err(vec![Problem {
                position: 0,
                message,
            }]);
        }
        let node = parser::parse(source).map_err(|fault| vec![fault.problem(source)])?;
        let check::Checked {
            condition,
            reads,
            fields,
            clock,
            data,
            collections,
        } = check::check(source, &node, columns, purpose)?;
        Ok(Self(Arc::new(Inner {
            source: source.into(),
            condition,
            reads,
            fields,
            clock,
            data,
            collections,
        })))
    }

    /// The expression as it was written.
    pub fn source(&self) -> &str {
        &self.0.source
    }

    /// Appends the expression as a boolean SQL expression, safe to stand next to any operator, over
    /// the columns of `alias`. The text is the same for every caller and body; their values are
    /// bound.
    pub fn write_sql(
        &self,
        sql: &mut Sql,
        alias: &'static str,
        auth: &Auth<'_>,
        data: Option<Sent<'_>>,
    ) {
        let steps = eval::Steps::new();
        let scope = eval::Scope {
            record: None,
            auth,
            data,
            steps: &steps,
        };
        sql::Writer {
            sql,
            alias,
            scope,
            constants: false,
        }
        .condition(&self.0.condition);
    }

    /// The same about a record that is not stored: its values are bound.
    pub fn write_sql_about(
        &self,
        sql: &mut Sql,
        record: &Map<String, Value>,
        auth: &Auth<'_>,
        data: Option<Sent<'_>>,
    ) {
        let steps = eval::Steps::new();
        let scope = eval::Scope {
            record: Some(record),
            auth,
            data,
            steps: &steps,
        };
        sql::Writer {
            sql,
            alias: "",
            scope,
            constants: false,
        }
        .condition(&self.0.condition);
    }

    /// Whether the answer depends on other records. Only the database knows it then: [`Self::eval`]
    /// says NULL, which lets nobody through.
    pub fn relational(&self) -> bool {
        !self.0.collections.is_empty()
    }

    /// The collections whose records it reads, as stored macros name them, each with the fields
    /// that it reads there.
    pub fn collections(&self) -> impl Iterator<Item = (&str, &BTreeSet<Arc<str>>)> {
        self.0
            .collections
            .iter()
            .map(|(name, fields)| (&**name, fields))
    }

    /// The answer for a record's document; `None` is NULL. A key that is missing is NULL, and so is
    /// an answer that takes more than some ten million steps.
    pub fn eval(
        &self,
        record: &Map<String, Value>,
        auth: &Auth<'_>,
        data: Option<Sent<'_>>,
    ) -> Option<bool> {
        if self.relational() {
            return None;
        }
        let steps = eval::Steps::new();
        let answer = eval::Scope {
            record: Some(record),
            auth,
            data,
            steps: &steps,
        }
        .condition(&self.0.condition);
        answer.filter(|_| steps.were_enough())
    }

    /// Whether the answer depends on what was sent.
    pub fn reads_data(&self) -> bool {
        self.0.data
    }

    /// Whether the answer changes with the time, without any write.
    pub fn reads_clock(&self) -> bool {
        self.0.clock
    }

    /// What it reads of the caller.
    pub fn reads(&self) -> &Reads {
        &self.0.reads
    }

    /// The values of the attributes it reads: callers with equal keys get equal answers.
    pub fn caller_key(&self, auth: &Auth<'_>) -> CallerKey {
        self.0.reads.key(auth)
    }

    /// The names of the record's fields that it reads, each once, in alphabetical order.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        self.0.fields.iter().map(|name| &**name)
    }

    /// A field and an attribute of the caller that must be equal for the answer to be true, if
    /// there is such a pair: an index of subscribers by the attribute's value needs to look at no
    /// others.
    pub fn caller_match(&self) -> Option<(&str, Attribute)> {
        self.0.condition.caller_match()
    }
}
