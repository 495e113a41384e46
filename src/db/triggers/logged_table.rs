//! What a trigger writes about a row: its document, what changed in it, and whether it is too
//! large.

use uuid::Uuid;

use crate::db::dialect::{AccountName, ColumnKind, Computed, Dialect, Projected};
use crate::db::sql::{Ident, Sql, Stmt};

/// The smallest value, in bytes, of the limit for records.
pub const MIN_RECORD_BYTES: usize = 16 * 1024;
/// Size of a record's stored values, in bytes, up to which it is not compared with the limit: in a
/// JSON document a byte takes at most six, and the limit is at least [`MIN_RECORD_BYTES`].
const UNCHECKED_RECORD_BYTES: i64 = 2 * 1024;
/// The key of the row in `meta` that holds the limit for records, in bytes.
const RECORD_LIMIT_KEY: &str = "record_bytes";
/// Size of a value, in bytes, beyond which the entry of an update leaves it out if it did not
/// change.
const LONG_VALUE_BYTES: i64 = 4 * 1024;

/// The statement that stores the limit for records, in bytes, where triggers read it.
pub fn set_record_limit(bytes: usize) -> Stmt {
    let text = "INSERT INTO meta (key, value) VALUES ($1, $2) \
                ON CONFLICT (key) DO UPDATE SET value = excluded.value WHERE meta.value <> excluded.value";
    Stmt::fixed(
        text,
        vec![RECORD_LIMIT_KEY.into(), bytes.to_string().into()],
    )
}

/// A table whose changes are logged.
#[derive(Clone, Copy, Debug)]
pub struct LoggedTable<'a> {
    /// The collection's id.
    pub collection: Uuid,
    /// The table's name.
    pub table: &'a Ident,
    /// Columns in which NULL fails the write.
    pub required: &'a [&'a Ident],
    /// The keys of the logged document.
    pub columns: &'a [Projected<'a>],
    /// Those of them that users define.
    pub fields: &'a [Projected<'a>],
    /// Columns that describe uploaded files.
    pub files: &'a [&'a Ident],
}

impl<'a> LoggedTable<'a> {
    /// Appends the document of the row that a trigger sees as `alias`.
    pub(super) fn write_document(&self, sql: &mut Sql, alias: &'static str) {
        sql.document(alias, self.columns, AccountName::Null);
    }

    /// The stored fields whose values have no bound of their own.
    pub(super) fn unbounded_columns(&self) -> impl Iterator<Item = &'a Projected<'a>> {
        let kinds = [
            ColumnKind::Text,
            ColumnKind::Json,
            ColumnKind::Sealed,
            ColumnKind::DateTime,
        ];
        self.fields
            .iter()
            .filter(move |column| column.computed.is_none() && kinds.contains(&column.kind))
    }

    /// The columns whose values are left out of an update's entry if they are long and did not
    /// change.
    fn omissible_columns(&self) -> impl Iterator<Item = &'a Projected<'a>> {
        self.unbounded_columns()
            .filter(|column| matches!(column.kind, ColumnKind::Text | ColumnKind::Json))
    }

    /// Appends whether the row that a trigger sees as `NEW` can be larger than the limit: without
    /// looking it up.
    pub(super) fn write_is_large(&self, sql: &mut Sql) {
        self.write_size(sql, "NEW", stored_bytes);
        sql.push(" > ").number(UNCHECKED_RECORD_BYTES);
    }

    /// Appends whether the row that a trigger sees as `NEW` is larger than the limit and, if it was
    /// there before, larger than it was: records that were stored under another limit can be made
    /// smaller.
    pub(super) fn write_is_too_large(&self, sql: &mut Sql, is_update: bool) {
        self.write_size(sql, "NEW", json_bytes);
        sql.push(" > (SELECT CAST(value AS BIGINT) FROM meta WHERE key = ")
            .text_literal(RECORD_LIMIT_KEY)
            .push(")");
        if is_update {
            sql.push(" AND ");
            self.write_size(sql, "NEW", json_bytes);
            sql.push(" > ");
            self.write_size(sql, "OLD", json_bytes);
        }
    }

    fn write_size(
        &self,
        sql: &mut Sql,
        alias: &'static str,
        measure: fn(&mut Sql, &'static str, &Projected<'_>),
    ) {
        sql.push("(")
            .list(" + ", self.unbounded_columns(), |sql, column| {
                sql.push("coalesce(");
                measure(sql, alias, column);
                sql.push(", 0)");
            });
        sql.push(")");
    }

    /// Appends what an update's entry says of the record: `record` without the long values that did
    /// not change, `previous` with the earlier values of what did, and `omitted` with the names of
    /// what is left out.
    pub(super) fn write_update(&self, sql: &mut Sql) {
        let short: Vec<ShortOrChanged<'_>> = self
            .columns
            .iter()
            .map(|column| ShortOrChanged {
                column: column.column,
                kind: column.kind,
            })
            .collect();
        let mut columns = self.columns.to_vec();
        for (column, short) in columns.iter_mut().zip(&short) {
            if self
                .omissible_columns()
                .any(|omissible| omissible.key == column.key)
            {
                column.computed = Some(short);
            }
        }
        sql.document("NEW", &columns, AccountName::Null);
        sql.push(", '{' || substr(")
            .list(" || ", self.columns, |sql, column| {
                // To compare computed values would be to compute them twice more.
                let is_stored = column.computed.is_none();
                sql.push(if is_stored { "CASE WHEN NOT " } else { "(" });
                if is_stored {
                    is_unchanged(sql, column.column, column.kind);
                    sql.push(" THEN ");
                }
                sql.text_literal(&format!(",\"{}\":", column.key))
                    .push(" || ");
                sql.json_text("OLD", column);
                sql.push(if is_stored { " ELSE '' END" } else { ")" });
            });
        sql.push(", 2) || '}', ");
        self.write_omitted(sql, |sql, column| {
            sql.push("CASE WHEN ");
            is_long(sql, column.column);
            sql.push(" AND ");
            is_unchanged(sql, column.column, column.kind);
            let kind = if column.kind == ColumnKind::Json {
                'j'
            } else {
                't'
            };
            sql.push(" THEN ")
                .text_literal(&format!("{kind}:{},", column.key))
                .push(" ELSE '' END");
        });
    }

    /// Appends the same for a record that is deleted: no document, the one of before, and nothing
    /// that is left out.
    pub(super) fn write_delete(&self, sql: &mut Sql) {
        sql.push("NULL, ");
        self.write_document(sql, "OLD");
        sql.push(", ");
        self.write_omitted(sql, |sql, _| {
            sql.push("''");
        });
    }

    /// Appends NULL unless the record had a long value, then the names of those that are left out.
    fn write_omitted(&self, sql: &mut Sql, name: impl FnMut(&mut Sql, &Projected<'_>)) {
        if self.omissible_columns().next().is_none() {
            sql.push("NULL");
            return;
        }
        sql.push("CASE WHEN ")
            .list(" OR ", self.omissible_columns(), |sql, column| {
                is_long(sql, column.column);
            });
        sql.push(" THEN ")
            .list(" || ", self.omissible_columns(), name);
        sql.push(" END");
    }
}

/// A column's new value, or NULL if it is long and did not change.
#[derive(Debug)]
struct ShortOrChanged<'a> {
    column: &'a Ident,
    kind: ColumnKind,
}

impl Computed for ShortOrChanged<'_> {
    fn write(&self, sql: &mut Sql, alias: &'static str) {
        sql.push("CASE WHEN ");
        is_long(sql, self.column);
        sql.push(" AND ");
        is_unchanged(sql, self.column, self.kind);
        sql.push(" THEN NULL ELSE ")
            .column(alias, self.column)
            .push(" END");
    }
}

/// Appends whether a column's value was long before the change.
fn is_long(sql: &mut Sql, column: &Ident) {
    sql.push("octet_length(").column("OLD", column);
    sql.push(if sql.dialect() == Dialect::Postgres {
        "::text) > "
    } else {
        ") > "
    })
    .number(LONG_VALUE_BYTES);
}

/// Appends whether a column has the value that it had.
fn is_unchanged(sql: &mut Sql, column: &Ident, kind: ColumnKind) {
    // PostgreSQL compares JSON as text only.
    let (operator, cast) = match (sql.dialect(), kind) {
        (Dialect::Sqlite, _) => (" IS ", ""),
        (Dialect::Postgres, ColumnKind::Json) => (" IS NOT DISTINCT FROM ", "::text"),
        (Dialect::Postgres, _) => (" IS NOT DISTINCT FROM ", ""),
    };
    sql.push("(")
        .column("NEW", column)
        .push(cast)
        .push(operator);
    sql.column("OLD", column).push(cast).push(")");
}

/// Appends the size of a stored value in bytes.
pub(super) fn stored_bytes(sql: &mut Sql, alias: &'static str, column: &Projected<'_>) {
    sql.push("octet_length(").column(alias, column.column);
    sql.push(if sql.dialect() == Dialect::Postgres {
        "::text)"
    } else {
        ")"
    });
}

/// Appends the size of a stored value in a JSON document, in bytes.
fn json_bytes(sql: &mut Sql, alias: &'static str, column: &Projected<'_>) {
    if column.kind != ColumnKind::Text {
        stored_bytes(sql, alias, column);
        return;
    }
    let (before, after) = match sql.dialect() {
        Dialect::Sqlite => ("octet_length(json_quote(", "))"),
        Dialect::Postgres => ("octet_length(to_json(", ")::text)"),
    };
    sql.push(before).column(alias, column.column).push(after);
}
