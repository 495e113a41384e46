//! What is asked about values of the request's body.

use super::Writer;
use crate::db::{ColumnKind, JsonPath, Value};
use crate::expr::ir::Path;

impl<'a> Writer<'a> {
    /// Whether what was sent differs from what the record in the database has.
    pub(super) fn changed(&mut self, about: &'a Path) {
        let field = about.leaf.field();
        let (alias, column, sent) = (self.alias, &field.ident, self.scope.is_sent(about));
        self.sql.push("(");
        match field.kind {
            ColumnKind::Sealed => {
                let (is_null, is_new) = self.scope.sealed(about);
                self.bind(Value::Bool(is_new));
                self.sql.push(" OR (");
                self.bind(Value::Bool(is_null));
                self.sql
                    .push(" AND ")
                    .column(alias, column)
                    .push(" IS NOT NULL)");
            }
            ColumnKind::Json => {
                self.bind(Value::Bool(sent));
                self.sql.push(" AND ");
                let path = JsonPath {
                    alias,
                    column,
                    keys: &about.keys,
                    constants: self.constants,
                };
                self.sql
                    .json_differs(&path, self.scope.sent_document(about));
            }
            kind => {
                self.bind(Value::Bool(sent));
                self.sql.push(" AND (");
                self.sql.instant(kind, |sql| {
                    sql.column(alias, column);
                });
                self.sql.push(" IS DISTINCT FROM ");
                self.bind(self.scope.sent(about));
                self.sql.push(")");
            }
        }
        self.sql.push(")");
    }
}
