//! Computed fields: expressions that have a value instead of an answer.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::ir::Operand;
use super::{Auth, Columns, MAX_SOURCE, Problem, check, eval, parser, sql};
use crate::db::{ColumnKind, Computed, Sql};

/// The expression of a computed field, parsed and checked.
#[derive(Debug)]
pub struct Formula {
    pub(super) operand: Operand,
    pub(super) clock: bool,
    fields: BTreeSet<Arc<str>>,
}

impl Formula {
    /// Parses and checks an expression over the stored fields of a record. `wanted` is the type
    /// that a part of a document is taken as.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it, in the order of position; of syntax errors, the first.
    pub fn compile(
        source: &str,
        columns: &dyn Columns,
        wanted: ColumnKind,
    ) -> Result<Self, Vec<Problem>> {
        if source.len() > MAX_SOURCE {
            let message = format!("the expression is longer than {MAX_SOURCE} bytes");
            return Err(vec![Problem {
                position: 0,
                message,
            }]);
        }
        let node = parser::parse_computed(source).map_err(|fault| vec![fault.problem(source)])?;
        let check::CheckedValue {
            operand,
            clock,
            fields,
        } = check::check_value(source, &node, columns, wanted)?;
        Ok(Self {
            operand,
            clock,
            fields,
        })
    }

    /// How its values are compared and shown. A day is an instant, its first.
    pub fn kind(&self) -> ColumnKind {
        self.operand.kind()
    }

    /// The names of the fields that it reads.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().map(|name| &**name)
    }
}

impl Computed for Formula {
    fn write(&self, sql: &mut Sql, alias: &'static str) {
        let auth = Auth::default();
        let steps = eval::Steps::new();
        let scope = eval::Scope {
            record: None,
            auth: &auth,
            data: None,
            steps: &steps,
        };
        let write = |sql: &mut Sql| {
            sql::Writer {
                sql,
                alias,
                scope,
                constants: true,
            }
            .value(&self.operand);
        };
        match self.operand {
            Operand::Text(_) => {
                sql.computed_text(write);
            }
            _ => write(sql),
        }
    }
}
