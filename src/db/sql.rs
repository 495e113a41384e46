//! The only way to write SQL: static text, quoted identifiers, bound arguments.
//!
//! A statement's text cannot grow from a runtime string, so nothing a client sends can become SQL.

use std::fmt::Write as _;
use std::sync::Arc;

use super::dialect::Dialect;
use super::value::{Kind, Value};

/// PostgreSQL cuts identifiers at 63 bytes; longer names get a physical name of their own.
const MAX_IDENT: usize = 63;

/// Column names that PostgreSQL keeps for itself.
const POSTGRES_SYSTEM_COLUMNS: [&str; 7] =
    ["tableoid", "xmin", "cmin", "xmax", "cmax", "ctid", "oid"];

/// A table, column, index or trigger name that is safe to quote.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Ident(Arc<str>);

impl Ident {
    /// An identifier known at compile time.
    pub fn fixed(name: &'static str) -> Self {
        Self(name.into())
    }

    /// The physical name for a name that a user chose. Letters, digits and `_` only; `None` for
    /// anything else. Long names and names that PostgreSQL reserves are mapped to others that no
    /// user name can equal.
    pub fn of(name: &str) -> Option<Self> {
        let valid = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if name.is_empty() || !valid {
            return None;
        }
        if POSTGRES_SYSTEM_COLUMNS.contains(&name.to_ascii_lowercase().as_str()) {
            return Some(Self(format!("${name}").into()));
        }
        Some(Self::shortened(name))
    }

    /// This name with a suffix, for what belongs to a table: its indexes, constraints and triggers.
    #[must_use]
    pub fn suffixed(&self, suffix: &Ident) -> Self {
        Self::shortened(&format!("{}__{}", self.0, suffix.0))
    }

    /// The name as the database knows it, without quotes.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn shortened(name: &str) -> Self {
        if name.len() <= MAX_IDENT {
            return Self(name.into());
        }
        // FNV-1a: stable across builds, and a clash needs equal 46-byte beginnings as well.
        let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Self(format!("{}${hash:016x}", &name[..46]).into())
    }
}

/// SQL text without arguments, rendered once and used in many statements.
#[derive(Clone, Debug)]
pub struct Fragment(Arc<str>);

/// A finished statement.
#[derive(Clone, Debug)]
pub struct Stmt {
    pub(super) text: Arc<str>,
    pub(super) args: Vec<Value>,
    pub(super) row: Option<Row>,
    /// Whether a caller of the API decides about the text, so that there may be any number of them.
    pub(super) varied: bool,
}

/// The part of an insert that yields its row: statements that differ in their values alone can go
/// as one, with a row for each.
#[derive(Clone, Debug)]
pub(super) struct Row {
    /// Where it begins in the text.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
    /// The id of the row, by which the returned documents are told apart.
    pub id: String,
}

impl Stmt {
    /// A statement whose text is known at compile time. Placeholders are `$1`, `$2`, … on both
    /// databases.
    pub fn fixed(text: &'static str, args: Vec<Value>) -> Self {
        Self {
            text: text.into(),
            args,
            row: None,
            varied: false,
        }
    }

    /// A statement whose text the database itself has stored, or that names only what it has
    /// stored.
    pub(super) fn stored(text: String) -> Self {
        Self {
            text: text.into(),
            args: Vec::new(),
            row: None,
            varied: false,
        }
    }

    /// The same statement with another value for an argument, counted from 0.
    #[must_use]
    pub fn with_arg(mut self, index: usize, value: Value) -> Self {
        if let Some(arg) = self.args.get_mut(index) {
            *arg = value;
        }
        self
    }

    /// The statement's text, for tests and messages.
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// Bytes of a statement that should not grow.
const FULL_TEXT: usize = 100_000;
/// Values of one.
const FULL_ARGS: usize = 16_000;

/// Writes one statement.
#[derive(Clone, Debug)]
pub struct Sql {
    dialect: Dialect,
    text: String,
    args: Vec<Value>,
    row: Option<Row>,
    varied: bool,
}

impl Sql {
    /// An empty statement for a dialect.
    pub fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            text: String::with_capacity(256),
            args: Vec::new(),
            row: None,
            varied: false,
        }
    }

    /// The dialect this is written in.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Says that a caller of the API decides about the text: the statement is not kept prepared
    /// unless it is used again soon.
    pub fn varied(&mut self) -> &mut Self {
        self.varied = true;
        self
    }

    /// Appends static text.
    pub fn push(&mut self, text: &'static str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    /// Appends a quoted identifier.
    pub fn ident(&mut self, ident: &Ident) -> &mut Self {
        // An `Ident` holds letters, digits, `_` and `$` only: there is nothing to escape.
        self.text.push('"');
        self.text.push_str(ident.as_str());
        self.text.push('"');
        self
    }

    /// Appends `alias."column"`, or the column alone for an empty alias: SQLite's `RETURNING` knows
    /// no alias.
    pub fn column(&mut self, alias: &'static str, column: &Ident) -> &mut Self {
        if !alias.is_empty() {
            self.text.push_str(alias);
            self.text.push('.');
        }
        self.ident(column)
    }

    /// Appends a UUID as a string literal, for DDL, which takes no arguments.
    pub fn uuid_literal(&mut self, id: uuid::Uuid) -> &mut Self {
        // Writing to a String does not fail.
        let _ = write!(self.text, "'{id}'");
        self
    }

    /// Appends a string literal with its quotes doubled, for DDL, which takes no arguments.
    pub fn text_literal(&mut self, text: &str) -> &mut Self {
        self.text.push('\'');
        self.text
            .push_str(&text.replace('\'', "''").replace('\0', ""));
        self.text.push('\'');
        self
    }

    /// Appends a string literal that stands inside of another one, for statements that make
    /// statements.
    pub(super) fn quoted_text_literal(&mut self, text: &str) -> &mut Self {
        self.text.push_str("''");
        self.text
            .push_str(&text.replace('\'', "''''").replace('\0', ""));
        self.text.push_str("''");
        self
    }

    /// Appends a number in decimal, for DDL, `LIMIT` and the like: SQLite prepares a statement anew
    /// each time the argument of a `LIMIT` is bound.
    pub fn number(&mut self, number: i64) -> &mut Self {
        let _ = write!(self.text, "{number}");
        self
    }

    /// Appends a finite double in full precision.
    pub fn double(&mut self, number: f64) -> &mut Self {
        super::functions::write_double(&mut self.text, self.dialect, number);
        self
    }

    /// Appends a comment that tells this definition of a table from others: connections to
    /// PostgreSQL keep the types of prepared statements by their text, and a table that is dropped
    /// and made anew may have columns of other types.
    pub fn definition_mark(&mut self, mark: u64) -> &mut Self {
        if self.dialect == Dialect::Postgres {
            let _ = write!(self.text, "/*{mark:x}*/");
        }
        self
    }

    /// Appends a fragment rendered before.
    pub fn fragment(&mut self, fragment: &Fragment) -> &mut Self {
        self.text.push_str(&fragment.0);
        self
    }

    /// Appends a placeholder and binds its value.
    pub fn arg(&mut self, value: impl Into<Value>) -> &mut Self {
        let value = value.into();
        let cast = match (self.dialect, value.kind()) {
            (Dialect::Postgres, Kind::Json) => "::json",
            _ => "",
        };
        self.args.push(value);
        match self.dialect {
            // Without numbers: a row's text can be repeated, and SQLite looks numbered ones up in a
            // list, one by one.
            Dialect::Sqlite => self.text.push('?'),
            Dialect::Postgres => {
                let _ = write!(self.text, "${}{cast}", self.args.len());
            }
        }
        self
    }

    /// Appends the part of an insert that yields its row, the `SELECT` with the row's values. Every
    /// argument of the statement must be in it.
    pub fn row(&mut self, id: impl std::fmt::Display, write: impl FnOnce(&mut Self)) -> &mut Self {
        let start = self.text.len();
        self.row = Some(Row {
            start,
            end: start,
            id: id.to_string(),
        });
        write(self);
        let end = self.text.len();
        if let Some(row) = &mut self.row {
            row.end = end;
        }
        self
    }

    /// Calls `each` for every item, with `separator` between them.
    pub fn list<T>(
        &mut self,
        separator: &'static str,
        items: impl IntoIterator<Item = T>,
        mut each: impl FnMut(&mut Self, T),
    ) -> &mut Self {
        for (index, item) in items.into_iter().enumerate() {
            if index > 0 {
                self.text.push_str(separator);
            }
            each(self, item);
        }
        self
    }

    /// Whether a statement that asks for many things at once should end here: databases limit a
    /// statement's length (to a million bytes) and its values (to 32,766).
    pub fn is_full(&self) -> bool {
        self.text.len() >= FULL_TEXT || self.args.len() >= FULL_ARGS
    }

    /// The finished statement.
    pub fn build(self) -> Stmt {
        Stmt {
            text: self.text.into(),
            args: self.args,
            row: self.row,
            varied: self.varied,
        }
    }

    /// The text as a fragment, or `None` if it has arguments.
    pub fn into_fragment(self) -> Option<Fragment> {
        self.args.is_empty().then(|| Fragment(self.text.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_numbered_and_cast_where_postgres_needs_it() {
        let mut sql = Sql::new(Dialect::Postgres);
        sql.push("SELECT ")
            .arg("a")
            .push(", ")
            .arg(Value::Json("{}".into()));
        assert_eq!(sql.build().text(), "SELECT $1, $2::json");
    }

    #[test]
    fn arguments_have_no_numbers_for_sqlite() {
        let mut sql = Sql::new(Dialect::Sqlite);
        sql.push("SELECT ").arg("a").push(", ").arg("b");
        assert_eq!(sql.build().text(), "SELECT ?, ?");
    }

    #[test]
    fn hostile_names_are_no_identifiers() {
        for name in ["", "a b", "a\"b", "a;--", "ä", "a$b"] {
            assert!(Ident::of(name).is_none(), "{name}");
        }
    }

    #[test]
    fn long_and_reserved_names_get_distinct_physical_names() {
        let long = "a".repeat(64);
        let longer = format!("{long}b");
        let names =
            ["xmin", &long, &longer].map(|name| Ident::of(name).map(|i| i.as_str().to_owned()));
        assert!(
            names
                .iter()
                .flatten()
                .all(|name| name.len() <= MAX_IDENT && name.contains('$'))
        );
        assert_ne!(names[1], names[2]);
    }
}
