//! Page cursors: the sort values and the id of the record at the edge of a page.
//!
//! A cursor is opaque to clients. It says only where to go on; every page is checked with the caller's rights of now,
//! so a forged one shows nothing that a filter could not.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::query::SortKey;
use crate::db::{ColumnKind, Kind, Projected, Sql, Value};
use crate::schema::{Body, Collection};

/// The edge of a page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    #[serde(rename = "s")]
    sort: String,
    #[serde(rename = "v")]
    values: Vec<Json>,
}

impl Cursor {
    /// The cursor of a record in an order.
    pub fn of(record: &Body, keys: &[SortKey], sort: &str) -> Self {
        let values = keys.iter().map(|key| record.get(&key.field).cloned().unwrap_or_default()).collect();
        Self { sort: sort.to_owned(), values }
    }

    /// Reads a cursor; `None` if it is none, or belongs to another order.
    pub fn parse(text: &str, sort: &str) -> Option<Self> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok()?;
        let cursor: Self = serde_json::from_slice(&bytes).ok()?;
        (cursor.sort == sort).then_some(cursor)
    }

    /// The text for clients.
    pub fn encode(&self) -> String {
        // A cursor holds text, numbers and booleans only: it can always be written.
        BASE64_URL_SAFE_NO_PAD.encode(serde_json::to_vec(self).unwrap_or_default())
    }
}

/// A sort key with its column.
pub(super) struct Column<'a> {
    pub key: Projected<'a>,
    pub kind: ColumnKind,
    pub descending: bool,
    pub nullable: bool,
}

impl Column<'_> {
    fn write(&self, sql: &mut Sql) {
        sql.instant(self.kind, |sql| {
            self.key.write(sql, "r");
        });
    }

    /// Appends the key with its direction. NULL is smaller than everything, on both databases.
    pub fn write_order(&self, sql: &mut Sql, reversed: bool) {
        self.write(sql);
        let descending = self.descending != reversed;
        sql.push(if descending { " DESC" } else { " ASC" });
        if self.nullable {
            sql.push(if descending { " NULLS LAST" } else { " NULLS FIRST" });
        }
    }
}

/// The columns of an order; keys that the collection does not have were refused before.
pub(super) fn columns<'a>(collection: &'a Collection, keys: &[SortKey]) -> Vec<Column<'a>> {
    let system = collection.projection(|_| false);
    let column = |key: &SortKey| {
        let (key_of, nullable) = match collection.field(&key.field) {
            Some(field) => (field.projected(), true),
            None => system.iter().find(|s| s.key == key.field).map(|s| (*s, false))?,
        };
        Some(Column { kind: key_of.kind, key: key_of, descending: key.descending, nullable })
    };
    keys.iter().filter_map(column).collect()
}

/// Appends the condition for records after the cursor in the order, or before it when `reversed`. `None` if the
/// cursor's values do not fit the columns.
pub(super) fn write_after(sql: &mut Sql, columns: &[Column<'_>], cursor: &Cursor, reversed: bool) -> Option<()> {
    if columns.len() != cursor.values.len() {
        return None;
    }
    let values: Vec<Value> =
        columns.iter().zip(&cursor.values).map(|(c, v)| bound(c.kind, v)).collect::<Option<_>>()?;
    let one_way = columns.iter().all(|c| !c.nullable && c.descending == columns[0].descending);
    if one_way && values.iter().all(|value| !matches!(value, Value::Null(_))) {
        // One comparison of rows, which an index on these columns answers.
        sql.push("(").list(", ", columns, |sql, column| column.write(sql));
        sql.push(if columns[0].descending == reversed { ") > (" } else { ") < (" });
        sql.list(", ", values, |sql, value| {
            sql.arg(value);
        });
        sql.push(")");
        return Some(());
    }
    sql.push("(");
    for last in 0..columns.len() {
        if last > 0 {
            sql.push(" OR ");
        }
        sql.push("(");
        for (index, (column, value)) in columns.iter().zip(&values).take(last + 1).enumerate() {
            if index > 0 {
                sql.push(" AND ");
            }
            if index < last { equal(sql, column, value) } else { beyond(sql, column, value, reversed) }
        }
        sql.push(")");
    }
    sql.push(")");
    Some(())
}

fn equal(sql: &mut Sql, column: &Column<'_>, value: &Value) {
    column.write(sql);
    if matches!(value, Value::Null(_)) {
        sql.push(" IS NULL");
    } else {
        sql.push(" = ").arg(value.clone());
    }
}

fn beyond(sql: &mut Sql, column: &Column<'_>, value: &Value, reversed: bool) {
    let descending = column.descending != reversed;
    match (matches!(value, Value::Null(_)), descending) {
        // NULL is the smallest: everything else is above it, nothing below.
        (true, true) => {
            sql.push("1 = 0");
        }
        (true, false) => {
            column.write(sql);
            sql.push(" IS NOT NULL");
        }
        (false, true) => {
            sql.push("(");
            column.write(sql);
            sql.push(" < ").arg(value.clone());
            if column.nullable {
                sql.push(" OR ");
                column.write(sql);
                sql.push(" IS NULL");
            }
            sql.push(")");
        }
        (false, false) => {
            column.write(sql);
            sql.push(" > ").arg(value.clone());
        }
    }
}

fn bound(kind: ColumnKind, value: &Json) -> Option<Value> {
    Some(match (kind, value) {
        (ColumnKind::Number, Json::Null) => Value::Null(Kind::Real),
        (ColumnKind::Boolean, Json::Null) => Value::Null(Kind::Bool),
        (_, Json::Null) => Value::Null(Kind::Text),
        (ColumnKind::Number, Json::Number(number)) => Value::Real(number.as_f64()?),
        (ColumnKind::Boolean, Json::Bool(truth)) => Value::Bool(*truth),
        (ColumnKind::Timestamp | ColumnKind::DateTime | ColumnKind::Date, Json::String(text)) => {
            Value::Time(crate::expr::parse_instant(text)?)
        }
        (ColumnKind::Text | ColumnKind::Reference, Json::String(text)) if !text.contains('\0') => text.into(),
        _ => return None,
    })
}
