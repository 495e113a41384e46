//! Parts of stored JSON documents: what stands under keys, and of which type it is.

use super::dialect::Dialect;
use super::sql::{Ident, Sql};
use super::value::Value;

/// A part of a stored document.
#[derive(Clone, Copy, Debug)]
pub struct JsonPath<'a> {
    /// The alias of the row.
    pub alias: &'static str,
    /// The column that holds the document.
    pub column: &'a Ident,
    /// The keys, from the outermost on: ASCII letters, digits, `_` and `@` only.
    pub keys: &'a [Box<str>],
    /// Whether the keys are written out instead of bound: for statements that take no arguments.
    pub constants: bool,
}

/// The type of a part of a document that can be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonType {
    /// A string.
    Text,
    /// A number.
    Number,
    /// True or false.
    Boolean,
}

impl JsonPath<'_> {
    fn key(&self, sql: &mut Sql, key: String) {
        if self.constants {
            sql.constant(&Value::Text(key));
        } else {
            sql.typed_arg(key);
        }
    }

    /// Appends SQLite's arguments for the part: the document and the path.
    fn arguments(&self, sql: &mut Sql) {
        sql.push("(").column(self.alias, self.column).push(", ");
        self.path(sql);
        sql.push(")");
    }

    fn path(&self, sql: &mut Sql) {
        // In quotes, a key of digits is no place in an array.
        self.key(
            sql,
            self.keys
                .iter()
                .fold("$".to_owned(), |path, key| path + ".\"" + key + "\""),
        );
    }

    /// Appends PostgreSQL's JSON value of the part.
    fn value(&self, sql: &mut Sql) {
        sql.push("(").column(self.alias, self.column);
        for key in self.keys {
            sql.push(" -> ");
            self.key(sql, key.to_string());
        }
        sql.push(")");
    }
}

impl Sql {
    /// Appends the name of the part's type; NULL if there is no such part, or if it is null.
    pub fn json_type(&mut self, path: &JsonPath<'_>) -> &mut Self {
        self.push("nullif(");
        self.raw_type(path);
        self.push(", 'null')")
    }

    /// Appends whether the part is of a type; NULL if there is no such part.
    pub fn json_is(&mut self, path: &JsonPath<'_>, kind: JsonType) -> &mut Self {
        self.push("(");
        self.raw_type(path);
        self.push(match (self.dialect(), kind) {
            (Dialect::Sqlite, JsonType::Text) => " = 'text')",
            (Dialect::Sqlite, JsonType::Number) => " IN ('integer', 'real'))",
            (Dialect::Sqlite, JsonType::Boolean) => " IN ('true', 'false'))",
            (Dialect::Postgres, JsonType::Text) => " = 'string')",
            (Dialect::Postgres, JsonType::Number) => " = 'number')",
            (Dialect::Postgres, JsonType::Boolean) => " = 'boolean')",
        })
    }

    /// Appends the part as a value of a type; NULL if it is of another one. Numbers are doubles;
    /// beyond 10³⁰, and nearer to zero than 10⁻³⁰, they are NULL: out there, the databases read
    /// digits differently.
    pub fn json_value_of(&mut self, path: &JsonPath<'_>, kind: JsonType) -> &mut Self {
        match (self.dialect(), kind) {
            (Dialect::Sqlite, JsonType::Boolean) => {
                self.push("CASE ");
                self.raw_type(path);
                self.push(" WHEN 'true' THEN TRUE WHEN 'false' THEN FALSE END")
            }
            (Dialect::Sqlite, JsonType::Text) => {
                self.push("CASE WHEN ").json_is(path, kind).push(" THEN json_extract");
                path.arguments(self);
                self.push(" END")
            }
            (Dialect::Sqlite, JsonType::Number) => self.with_value(
                |sql| {
                    sql.push("CASE WHEN ").json_is(path, kind).push(" THEN CAST(json_extract");
                    path.arguments(sql);
                    sql.push(" AS REAL) END");
                },
                |sql| {
                    sql.push("CASE WHEN _v = 0 OR abs(_v) BETWEEN 1e-30 AND 1e30 THEN _v END");
                },
            ),
            (Dialect::Postgres, _) => self.with_value(
                |sql| path.value(sql),
                |sql| {
                    sql.push(match kind {
                        JsonType::Text => "CASE WHEN json_typeof(_v) = 'string' THEN (_v #>> '{}') COLLATE \"C\" END",
                        JsonType::Number => {
                            "CASE WHEN json_typeof(_v) = 'number' THEN \
                             CASE WHEN (_v #>> '{}')::float8 = 0 OR abs((_v #>> '{}')::float8) BETWEEN 1e-30 AND 1e30 \
                             THEN (_v #>> '{}')::float8 END END"
                        }
                        JsonType::Boolean => "CASE WHEN json_typeof(_v) = 'boolean' THEN (_v #>> '{}')::boolean END",
                    });
                },
            ),
        }
    }

    /// Appends whether the part differs from the same part of another document; the order of keys
    /// does not matter, and what is not there is null.
    pub fn json_differs(
        &mut self,
        path: &JsonPath<'_>,
        other: Option<&serde_json::Value>,
    ) -> &mut Self {
        match self.dialect() {
            Dialect::Sqlite => {
                let other = Value::Json(other.map_or_else(|| "null".into(), ToString::to_string));
                let stored = |sql: &mut Self| path.arguments(sql);
                let sent = |sql: &mut Self| {
                    sql.push("(").arg(other.clone()).push(", ");
                    path.path(sql);
                    sql.push(")");
                };
                self.push("(EXISTS (")
                    .json_leaves(stored)
                    .push(" EXCEPT ")
                    .json_leaves(sent);
                self.push(") OR EXISTS (")
                    .json_leaves(sent)
                    .push(" EXCEPT ")
                    .json_leaves(stored)
                    .push("))")
            }
            Dialect::Postgres => {
                let part = other.and_then(|other| {
                    path.keys
                        .iter()
                        .try_fold(other, |value, key| value.as_object()?.get(&**key))
                });
                self.push("(nullif(");
                path.value(self);
                self.push("::jsonb, 'null') IS DISTINCT FROM nullif(");
                self.arg(Value::Json(
                    part.map_or_else(|| "null".into(), ToString::to_string),
                ));
                self.push("::jsonb, 'null'))")
            }
        }
    }

    /// Appends a query that yields everything in SQLite's part of a document, with its place, in no
    /// particular order.
    fn json_leaves(&mut self, arguments: impl Fn(&mut Self)) -> &mut Self {
        self.push(
            "SELECT fullkey, CASE type WHEN 'integer' THEN 'number' WHEN 'real' THEN 'number' ELSE type END, atom",
        );
        self.push(" FROM json_tree");
        arguments(self);
        self.push(" WHERE NOT (parent IS NULL AND type = 'null')")
    }

    fn raw_type(&mut self, path: &JsonPath<'_>) {
        match self.dialect() {
            Dialect::Sqlite => {
                self.push("json_type");
                path.arguments(self);
            }
            Dialect::Postgres => {
                self.push("json_typeof");
                path.value(self);
            }
        }
    }
}
