//! Keeping which records name which files (`file_uses`), in the transaction of the record's change.
//!
//! A path that is not in the registry is kept in the record and names no file here.

use super::logged_table::LoggedTable;
use crate::db::dialect::Dialect;
use crate::db::sql::{Ident, Sql};

impl LoggedTable<'_> {
    /// Appends the statements that note the files of a new record.
    pub(super) fn write_file_claims(&self, sql: &mut Sql) {
        if !self.files.is_empty() {
            self.write_claim(sql);
            sql.push("; ");
        }
    }

    /// Appends the statements that note the files of a changed record, if they changed.
    pub(super) fn write_file_changes(&self, sql: &mut Sql) {
        if self.files.is_empty() {
            return;
        }
        match sql.dialect() {
            Dialect::Sqlite => {
                self.write_release(sql);
                sql.push(" AND ");
                self.write_is_changed(sql);
                sql.push("; ");
                self.write_claim(sql);
                sql.push(" AND ");
                self.write_is_changed(sql);
                sql.push("; ");
            }
            Dialect::Postgres => {
                sql.push("IF ");
                self.write_is_changed(sql);
                sql.push(" THEN ");
                self.write_release(sql);
                sql.push("; ");
                self.write_claim(sql);
                sql.push("; END IF; ");
            }
        }
    }

    /// Appends the statement that notes that a deleted record names nothing any more.
    pub(super) fn write_file_releases(&self, sql: &mut Sql) {
        if !self.files.is_empty() {
            self.write_release(sql);
            sql.push("; ");
        }
    }

    fn write_release(&self, sql: &mut Sql) {
        sql.push("DELETE FROM file_uses WHERE collection_id = ")
            .uuid_literal(self.collection)
            .push(" AND record_id = OLD.id");
    }

    fn write_claim(&self, sql: &mut Sql) {
        sql.push("INSERT INTO file_uses (path, collection_id, record_id) SELECT f.path, ")
            .uuid_literal(self.collection)
            .push(
                ", NEW.id FROM files f WHERE f.account_id = NEW.account_id AND f.state = 'stored' AND f.path IN (",
            )
            .list(" UNION ALL ", self.files, |sql, column| write_paths(sql, column))
            .push(")");
    }

    fn write_is_changed(&self, sql: &mut Sql) {
        sql.push("(")
            .list(" OR ", self.files, |sql, column| {
                let (operator, cast) = match sql.dialect() {
                    Dialect::Sqlite => (" IS NOT ", ""),
                    Dialect::Postgres => (" IS DISTINCT FROM ", "::text"),
                };
                sql.column("NEW", column).push(cast).push(operator);
                sql.column("OLD", column).push(cast);
            })
            .push(")");
    }
}

/// Appends a query for the paths in a column: of a description, or of each in a list.
fn write_paths(sql: &mut Sql, column: &Ident) {
    let [one, is_one, several, is_several] = match sql.dialect() {
        Dialect::Sqlite => [
            "SELECT json_extract(",
            ", '$.path') WHERE json_type(",
            " UNION ALL SELECT json_extract(e.value, '$.path') FROM json_each(",
            ") e WHERE e.type = 'object' AND json_type(",
        ],
        Dialect::Postgres => [
            "SELECT ",
            " ->> 'path' WHERE json_typeof(",
            " UNION ALL SELECT e.item ->> 'path' FROM json_array_elements(CASE WHEN json_typeof(",
            " END) AS e(item) WHERE json_typeof(e.item) = 'object'",
        ],
    };
    sql.push(one).column("NEW", column).push(is_one);
    sql.column("NEW", column).push(") = 'object'").push(several);
    sql.column("NEW", column);
    match sql.dialect() {
        Dialect::Sqlite => {
            sql.push(is_several)
                .column("NEW", column)
                .push(") = 'array'");
        }
        Dialect::Postgres => {
            sql.push(") = 'array' THEN ")
                .column("NEW", column)
                .push(is_several);
        }
    }
}
