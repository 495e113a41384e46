//! Every difference between SQLite and PostgreSQL that reaches SQL text. Nothing else matches on
//! [`Dialect`].

use super::sql::{Ident, Sql};
use super::value::{Kind, Value};

/// The database in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// Embedded SQLite.
    Sqlite,
    /// A PostgreSQL server.
    Postgres,
}

/// How a column is stored, compared and projected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ColumnKind {
    /// Text, compared byte by byte.
    Text,
    /// A double.
    Number,
    /// A boolean.
    Boolean,
    /// An instant that the server sets; typed, stored in canonical form.
    Timestamp,
    /// An instant as a client wrote it; stored verbatim as text, compared as an instant to the
    /// millisecond.
    DateTime,
    /// A day, `YYYY-MM-DD`; text that sorts.
    Date,
    /// A JSON document.
    Json,
    /// The id of a record; text.
    Reference,
    /// An encrypted value; documents show [`SEALED`] instead, and nothing compares with it.
    Sealed,
}

/// What documents show of an encrypted value.
pub const SEALED: &str = "••••••••";

impl Dialect {
    /// The column type in DDL.
    pub fn column_type(self, kind: ColumnKind) -> &'static str {
        match (self, kind) {
            // NUMERIC keeps whole numbers whole: 3 stays 3 in a document, not 3.0.
            (Self::Sqlite, ColumnKind::Number) => "NUMERIC",
            (Self::Sqlite, ColumnKind::Boolean) => "INTEGER",
            (Self::Sqlite, _) => "TEXT",
            (Self::Postgres, ColumnKind::Number) => "DOUBLE PRECISION",
            (Self::Postgres, ColumnKind::Boolean) => "BOOLEAN",
            (Self::Postgres, ColumnKind::Timestamp) => "TIMESTAMPTZ(3)",
            (Self::Postgres, ColumnKind::Json) => "JSON",
            (Self::Postgres, _) => "TEXT COLLATE \"C\"",
        }
    }

    /// What an index on a column says, so that it serves orders in which NULL is the smallest.
    pub fn index_order(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres => " NULLS FIRST",
        }
    }

    /// The name by which errors and `info` call the database.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }
}

/// One key of a JSON document: the key, and the column it comes from.
#[derive(Clone, Copy, Debug)]
pub struct Projected<'a> {
    /// The key in the document.
    pub key: &'a str,
    /// The column it is read from.
    pub column: &'a Ident,
    /// How the column is stored, or of what kind the computed value is.
    pub kind: ColumnKind,
    /// What computes the value, if no column holds it.
    pub computed: Option<&'a dyn Computed>,
}

/// A value that is computed from the columns of a row.
pub trait Computed: std::fmt::Debug + Send + Sync {
    /// Appends the value over the columns of `alias`, without arguments.
    fn write(&self, sql: &mut Sql, alias: &'static str);
}

impl Projected<'_> {
    /// Appends the value over the columns of `alias`.
    pub fn write(&self, sql: &mut Sql, alias: &'static str) {
        match self.computed {
            Some(computed) => computed.write(sql, alias),
            None => {
                sql.column(alias, self.column);
            }
        }
    }
}

/// One key of a JSON document that is calculated.
pub struct JsonEntry<'a> {
    /// The key.
    pub key: &'a str,
    /// What kind of value it is.
    pub kind: ColumnKind,
    /// Appends the expression.
    pub value: Box<dyn Fn(&mut Sql) + 'a>,
}

/// Where a document's `account_name` comes from.
#[derive(Clone, Copy, Debug)]
pub enum AccountName<'a> {
    /// It is null: single records and events.
    Null,
    /// The caller's account, known already: lists of one account.
    Known(&'a str),
    /// Looked up for each row: lists across accounts.
    LookedUp,
}

/// Documents of one page are joined with this character; JSON text cannot contain it.
pub const DOC_SEPARATOR: char = '\u{1e}';

/// Stands for a document that is too large for its place in a page.
pub const LARGE_DOC: &str = "-";

/// Keys per JSON constructor: both databases limit a function's arguments to about a hundred.
const KEYS_PER_CALL: usize = 48;

impl Sql {
    /// Appends an expression that yields one JSON document (text) from the columns of `alias`.
    pub fn document(
        &mut self,
        alias: &'static str,
        columns: &[Projected<'_>],
        account_name: AccountName<'_>,
    ) -> &mut Self {
        match self.dialect() {
            Dialect::Sqlite => self.document_sqlite(alias, columns, account_name),
            Dialect::Postgres => self.document_postgres(alias, columns, account_name),
        }
    }

    /// Appends an expression that yields one JSON document (text) from some expressions: at most
    /// [`KEYS_PER_CALL`].
    pub fn json_object(&mut self, entries: &[JsonEntry<'_>]) -> &mut Self {
        let (before, after) = match self.dialect() {
            Dialect::Sqlite => ("json_object(", ")"),
            Dialect::Postgres => ("json_build_object(", ")::text"),
        };
        self.push(before).list(", ", entries, |sql, entry| {
            sql.text_literal(entry.key).push(", ");
            sql.json_of(entry.kind, &entry.value);
        });
        self.push(after)
    }

    /// Appends a boolean literal, for DDL, which takes no arguments.
    pub fn boolean(&mut self, truth: bool) -> &mut Self {
        self.push(match (self.dialect(), truth) {
            (Dialect::Sqlite, true) => "1",
            (Dialect::Sqlite, false) => "0",
            (Dialect::Postgres, true) => "TRUE",
            (Dialect::Postgres, false) => "FALSE",
        })
    }

    /// Appends a statement that yields the documents, joined with [`DOC_SEPARATOR`], of the
    /// sub-query `page`, which yields a column `doc`. In the place of one that has more than
    /// `bytes` bytes stands [`LARGE_DOC`].
    pub fn page_of_documents(&mut self, bytes: usize, page: impl FnOnce(&mut Self)) -> &mut Self {
        self.push(match self.dialect() {
            Dialect::Sqlite => "SELECT coalesce(group_concat(CASE WHEN octet_length(doc) <= ",
            Dialect::Postgres => "SELECT coalesce(string_agg(CASE WHEN octet_length(doc) <= ",
        });
        self.number(i64::try_from(bytes).unwrap_or(i64::MAX))
            .push(" THEN doc ELSE '-' END, ");
        self.push(match self.dialect() {
            Dialect::Sqlite => "char(30)), '') FROM (",
            Dialect::Postgres => "chr(30)), '') FROM (",
        });
        page(self);
        self.push(") page")
    }

    /// The same with every document, or NULL if they have more than `bytes` bytes together: they
    /// are measured one by one first, so that no more than that is ever held. `page` is written
    /// twice.
    pub fn page_within(&mut self, bytes: usize, page: impl Fn(&mut Self)) -> &mut Self {
        self.push("SELECT CASE WHEN (SELECT coalesce(sum(octet_length(doc)), 0) FROM (");
        page(self);
        self.push(") page) <= ")
            .number(i64::try_from(bytes).unwrap_or(i64::MAX));
        self.push(match self.dialect() {
            Dialect::Sqlite => " THEN (SELECT coalesce(group_concat(doc, char(30)), '') FROM (",
            Dialect::Postgres => " THEN (SELECT coalesce(string_agg(doc, chr(30)), '') FROM (",
        });
        page(self);
        self.push(") page) END")
    }

    /// Whether what is sorted is held in memory with everything that is selected of it.
    pub fn sorts_in_memory(&self) -> bool {
        self.dialect() == Dialect::Sqlite
    }

    /// Appends `operand` as an instant that compares with a bound [`super::value::Value::Time`]: to
    /// the millisecond, further digits dropped. Values are validated when they are written;
    /// PostgreSQL's time zone is UTC.
    pub fn instant(&mut self, kind: ColumnKind, operand: impl Fn(&mut Self)) -> &mut Self {
        match (self.dialect(), kind) {
            (Dialect::Sqlite, ColumnKind::Date) => {
                operand(self);
                self.push(" || 'T00:00:00.000Z'")
            }
            (Dialect::Sqlite, ColumnKind::DateTime) => {
                // SQLite rounds what it reads, so the surplus digits go first.
                self.push("strftime('%Y-%m-%dT%H:%M:%fZ', CASE WHEN ");
                operand(self);
                self.push(" GLOB '*.[0-9][0-9][0-9][0-9]*' THEN substr(");
                operand(self);
                self.push(", 1, 23) || ltrim(substr(");
                operand(self);
                self.push(", 24), '0123456789') ELSE ");
                operand(self);
                self.push(" END)")
            }
            (Dialect::Postgres, ColumnKind::Date) => {
                operand(self);
                self.push("::timestamptz")
            }
            (Dialect::Postgres, ColumnKind::DateTime) => {
                self.push("snackbase_instant(");
                operand(self);
                self.push(")")
            }
            _ => {
                operand(self);
                self
            }
        }
    }

    /// Appends the day, UTC, of a column that the server sets: `2026-05-01`.
    pub fn day(&mut self, column: &'static str) -> &mut Self {
        let (before, after) = match self.dialect() {
            Dialect::Sqlite => ("substr(", ", 1, 10)"),
            Dialect::Postgres => ("to_char(", " AT TIME ZONE 'UTC', 'YYYY-MM-DD')"),
        };
        self.push(before).push(column).push(after)
    }

    /// Appends a statement that yields the size of the database in bytes.
    pub fn database_bytes(&mut self) -> &mut Self {
        self.push(match self.dialect() {
            Dialect::Sqlite => {
                "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
            }
            Dialect::Postgres => "SELECT pg_database_size(current_database())",
        })
    }

    /// Appends a placeholder of an explicit type and binds its value.
    pub fn typed_arg(&mut self, value: impl Into<Value>) -> &mut Self {
        let value = value.into();
        let cast = match (self.dialect(), value.kind()) {
            (Dialect::Sqlite, _) | (Dialect::Postgres, Kind::Json) => "",
            (Dialect::Postgres, Kind::Text) => "::text",
            (Dialect::Postgres, Kind::Int) => "::bigint",
            (Dialect::Postgres, Kind::Real) => "::float8",
            (Dialect::Postgres, Kind::Bool) => "::boolean",
            (Dialect::Postgres, Kind::Time) => "::timestamptz",
        };
        self.arg(value).push(cast)
    }

    /// Appends `IN` or its like for a list of texts, bound as one argument: the statement's text
    /// does not depend on how many there are.
    pub fn one_of_texts<'t>(&mut self, texts: impl IntoIterator<Item = &'t str>) -> &mut Self {
        let list: serde_json::Value = texts.into_iter().collect();
        let (before, after) = match self.dialect() {
            Dialect::Sqlite => (" IN (SELECT value FROM json_each(", "))"),
            Dialect::Postgres => (" = ANY(ARRAY(SELECT json_array_elements_text(", ")))"),
        };
        self.push(before)
            .arg(Value::Json(list.to_string()))
            .push(after)
    }

    /// Makes the comparison whose right side was just written compare text byte by byte.
    pub fn bytewise(&mut self) -> &mut Self {
        match self.dialect() {
            Dialect::Sqlite => self,
            Dialect::Postgres => self.push(" COLLATE \"C\""),
        }
    }

    /// Appends a number as a double, so that calculations with it are not done in integers.
    pub fn real(&mut self, number: impl FnOnce(&mut Self)) -> &mut Self {
        match self.dialect() {
            Dialect::Sqlite => {
                self.push("CAST(");
                number(self);
                self.push(" AS REAL)")
            }
            Dialect::Postgres => {
                number(self);
                self
            }
        }
    }

    /// Appends a double without its fraction, limited to 64 bits.
    pub fn truncated(&mut self, number: impl FnOnce(&mut Self)) -> &mut Self {
        let (before, after) = match self.dialect() {
            Dialect::Sqlite => ("CAST(", " AS INTEGER)"),
            Dialect::Postgres => (
                "trunc(least(greatest(",
                ", -9223372036854775808::float8), 9223372036854775808::float8))",
            ),
        };
        self.push(before);
        number(self);
        self.push(after)
    }

    fn document_sqlite(
        &mut self,
        alias: &'static str,
        columns: &[Projected<'_>],
        account_name: AccountName<'_>,
    ) -> &mut Self {
        let chunks = columns.len().div_ceil(KEYS_PER_CALL).max(1);
        for _ in 1..chunks {
            self.push("json_insert(");
        }
        for (index, chunk) in columns.chunks(KEYS_PER_CALL).enumerate() {
            if index == 0 {
                self.push("json_object(");
                self.entries(alias, chunk, account_name);
            } else {
                self.list("", chunk, |sql, column| {
                    sql.push(", ")
                        .text_literal(&format!("$.{}", column.key))
                        .push(", ");
                    sql.json_value(alias, column);
                });
            }
            self.push(")");
        }
        self
    }

    fn document_postgres(
        &mut self,
        alias: &'static str,
        columns: &[Projected<'_>],
        account_name: AccountName<'_>,
    ) -> &mut Self {
        let last = columns.len().div_ceil(KEYS_PER_CALL).max(1) - 1;
        for (index, chunk) in columns.chunks(KEYS_PER_CALL).enumerate() {
            self.push(match (index, last) {
                (0, 0) => "json_build_object(",
                (0, _) => "left(json_build_object(",
                (_, _) if index == last => " || ',' || substr(json_build_object(",
                _ => " || ',' || left(substr(json_build_object(",
            });
            if index == 0 {
                self.entries(alias, chunk, account_name);
            } else {
                self.list(", ", chunk, |sql, column| {
                    sql.text_literal(column.key).push(", ");
                    sql.json_value(alias, column);
                });
            }
            self.push(match (index, last) {
                (0, 0) => ")::text",
                (0, _) => ")::text, -1)",
                (_, _) if index == last => ")::text, 2)",
                _ => ")::text, 2), -1)",
            });
        }
        self
    }

    fn entries(
        &mut self,
        alias: &'static str,
        columns: &[Projected<'_>],
        account_name: AccountName<'_>,
    ) {
        self.list(", ", columns, |sql, column| {
            sql.text_literal(column.key).push(", ");
            sql.json_value(alias, column);
        });
        self.push(", 'account_name', ");
        match account_name {
            AccountName::Null => {
                self.push("NULL");
            }
            AccountName::Known(name) => {
                self.arg(name);
                if self.dialect() == Dialect::Postgres {
                    self.push("::text");
                }
            }
            AccountName::LookedUp => {
                self.push("(SELECT a.name FROM accounts a WHERE a.id = ")
                    .push(alias)
                    .push(".account_id)");
            }
        }
    }

    /// Appends the JSON text of a value, `null` for NULL.
    pub(super) fn json_text(&mut self, alias: &'static str, column: &Projected<'_>) {
        let (before, after) = match self.dialect() {
            Dialect::Sqlite => ("json_quote(", ")"),
            Dialect::Postgres => ("coalesce(to_json(", ")::text, 'null')"),
        };
        self.push(before);
        self.json_value(alias, column);
        self.push(after);
    }

    fn json_value(&mut self, alias: &'static str, column: &Projected<'_>) {
        if column.computed.is_some() && column.kind == ColumnKind::Number {
            self.json_of_double(|sql| column.write(sql, alias));
        } else {
            self.json_of(column.kind, &|sql| column.write(sql, alias));
        }
    }

    /// Appends what an operand of some kind is in a JSON document. The operand may be written more
    /// than once.
    fn json_of(&mut self, kind: ColumnKind, operand: &dyn Fn(&mut Self)) {
        let (before, after) = match (self.dialect(), kind) {
            (_, ColumnKind::Number) => return self.json_of_number(operand),
            // The constants are made once a statement, not once a row.
            (Dialect::Sqlite, ColumnKind::Boolean) => (
                "CASE ",
                " WHEN 1 THEN json('true') WHEN 0 THEN json('false') END",
            ),
            (Dialect::Sqlite, ColumnKind::Json) => ("json(", ")"),
            (_, ColumnKind::Sealed) => ("CASE WHEN ", " IS NOT NULL THEN '••••••••' END"),
            (Dialect::Postgres, ColumnKind::Timestamp) => (
                "to_char(",
                " AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')",
            ),
            _ => ("", ""),
        };
        self.push(before);
        operand(self);
        self.push(after);
    }
}
