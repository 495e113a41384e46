//! The order of a list, and the part of it that lies beyond a record: in SQL that an index can
//! serve.

use serde_json::Value as Json;

use super::query::SortKey;
use crate::db::{ColumnKind, Kind, Projected, Sql, Value};
use crate::schema::Collection;

/// A sort key with its column.
struct Column<'a> {
    key: Projected<'a>,
    kind: ColumnKind,
    /// Whether the smallest comes first.
    ascends: bool,
    /// Whether it is a user-defined field: NULL is smaller than everything, on both databases.
    own: bool,
    nullable: bool,
}

/// The order in which a page is read: against that of the list, if the page lies before a cursor.
pub(super) struct Order<'a> {
    columns: Vec<Column<'a>>,
}

/// The values of the order's columns in one record.
pub(super) struct Position(Vec<Value>);

/// A stretch of the list. What lies beyond a record is one or two of them, and each is a stretch of
/// an index too: with `OR` between them, an index would be read from its beginning.
#[derive(Clone, Copy, Debug)]
pub(super) enum Part {
    /// The whole list.
    All,
    /// What comes after a record that has a value in the first column, among those that have one.
    Valued,
    /// Everything without a value in the first column.
    Nulls,
    /// What comes after a record without a value in the first column, among those without one.
    RestOfNulls,
    /// Everything with a value in the first column.
    AllValued,
}

impl<'a> Order<'a> {
    /// The order of a collection by these keys; those that the collection does not have were
    /// refused before.
    pub fn new(collection: &'a Collection, keys: &[SortKey], reversed: bool) -> Self {
        let system = collection.projection(|_| false);
        let column = |key: &SortKey| {
            let ascends = key.descending == reversed;
            let (key, own, nullable) = match collection.field(&key.field) {
                Some(field) => (field.projected(), true, !field.required),
                None => system
                    .iter()
                    .find(|s| s.key == key.field)
                    .map(|s| (*s, false, false))?,
            };
            Some(Column {
                kind: key.kind,
                key,
                ascends,
                own,
                nullable,
            })
        };
        Self {
            columns: keys.iter().filter_map(column).collect(),
        }
    }

    /// Appends the keys for `ORDER BY`.
    pub fn write(&self, sql: &mut Sql) {
        sql.list(", ", &self.columns, |sql, column| {
            column.write(sql);
            sql.push(if column.ascends { " ASC" } else { " DESC" });
            if column.own {
                sql.push(if column.ascends {
                    " NULLS FIRST"
                } else {
                    " NULLS LAST"
                });
            }
        });
    }

    /// Reads the values of a record; `None` if they do not fit the columns.
    pub fn position(&self, values: &[Json]) -> Option<Position> {
        if values.len() != self.columns.len() {
            return None;
        }
        self.columns
            .iter()
            .zip(values)
            .map(|(column, value)| bound(column.kind, value))
            .collect::<Option<_>>()
            .map(Position)
    }

    /// The stretches beyond a record, in order; without one, the whole list.
    pub fn parts(&self, position: Option<&Position>) -> &'static [Part] {
        let (Some(first), Some(value)) = (self.columns.first(), position.and_then(|p| p.0.first()))
        else {
            return &[Part::All];
        };
        match (is_null(value), first.ascends) {
            (true, true) => &[Part::RestOfNulls, Part::AllValued],
            (true, false) => &[Part::RestOfNulls],
            (false, false) if first.nullable => &[Part::Valued, Part::Nulls],
            (false, _) => &[Part::Valued],
        }
    }

    /// Appends `AND …` for a stretch.
    pub fn write_part(&self, sql: &mut Sql, part: Part, position: Option<&Position>) {
        let (Some((first, rest)), Some(Position(values))) = (self.columns.split_first(), position)
        else {
            return;
        };
        sql.push(" AND ");
        match part {
            Part::All => {
                sql.push("1 = 1");
            }
            Part::Valued => write_beyond(sql, &self.columns, values, false),
            Part::Nulls => {
                first.write(sql);
                sql.push(" IS NULL");
            }
            Part::RestOfNulls => {
                first.write(sql);
                sql.push(" IS NULL AND ");
                write_beyond(sql, rest, &values[1..], true);
            }
            Part::AllValued => {
                first.write(sql);
                sql.push(" IS NOT NULL");
            }
        }
    }
}

impl Column<'_> {
    fn write(&self, sql: &mut Sql) {
        if self.kind == ColumnKind::Date {
            // Days sort as text, and so an index on them helps.
            self.key.write(sql, "r");
            return;
        }
        sql.instant(self.kind, |sql| {
            self.key.write(sql, "r");
        });
    }
}

fn is_null(value: &Value) -> bool {
    matches!(value, Value::Null(_))
}

/// Appends the condition for what comes after the values. Without `nulls` records that have nothing
/// in the first column may be left out, if the values have something there.
fn write_beyond(sql: &mut Sql, columns: &[Column<'_>], values: &[Value], nulls: bool) {
    let (Some((first, rest)), Some(value)) = (columns.split_first(), values.first()) else {
        sql.push("1 = 0");
        return;
    };
    let nulls = nulls && first.nullable && !first.ascends;
    let one_way = rest
        .iter()
        .all(|column| !column.nullable && column.ascends == first.ascends);
    if one_way && !nulls && !values.iter().any(is_null) {
        // One comparison of rows, which an index on these columns answers.
        sql.push("(")
            .list(", ", columns, |sql, column| column.write(sql));
        sql.push(if first.ascends { ") > (" } else { ") < (" });
        sql.list(", ", values, |sql, value| {
            sql.arg(value.clone());
        });
        sql.push(")");
        return;
    }
    if !nulls && !is_null(value) {
        // Implied by what follows; it tells an index on the first column where to begin.
        first.write(sql);
        sql.push(if first.ascends { " >= " } else { " <= " })
            .arg(value.clone())
            .push(" AND ");
    }
    sql.push("(");
    for last in 0..columns.len() {
        sql.push(if last > 0 { " OR (" } else { "(" });
        for (index, (column, value)) in columns.iter().zip(values).take(last + 1).enumerate() {
            if index > 0 {
                sql.push(" AND ");
            }
            if index < last {
                write_equal(sql, column, value);
            } else {
                write_after(sql, column, value);
            }
        }
        sql.push(")");
    }
    sql.push(")");
}

fn write_equal(sql: &mut Sql, column: &Column<'_>, value: &Value) {
    column.write(sql);
    if is_null(value) {
        sql.push(" IS NULL");
    } else {
        sql.push(" = ").arg(value.clone());
    }
}

fn write_after(sql: &mut Sql, column: &Column<'_>, value: &Value) {
    match (is_null(value), column.ascends) {
        // NULL is the smallest: everything else is above it, nothing below.
        (true, false) => {
            sql.push("1 = 0");
        }
        (true, true) => {
            column.write(sql);
            sql.push(" IS NOT NULL");
        }
        (false, false) => {
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
        (false, true) => {
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
        (ColumnKind::Timestamp | ColumnKind::DateTime, Json::String(text)) => {
            Value::Time(crate::expr::parse_instant(text)?)
        }
        (ColumnKind::Text | ColumnKind::Reference | ColumnKind::Date, Json::String(text)) => {
            text.into()
        }
        _ => return None,
    })
}
