//! `aggregate`: counts, sums and extremes over the records that the caller may list, in groups.
//!
//! What the caller does not see in the clear can be neither aggregated nor grouped by.

mod having;
mod query;

use serde_json::Value as Json;

use super::Records;
use super::list::{Selection, write_source};
use crate::access::{FieldView, RecordScope};
use crate::auth::Caller;
use crate::db::{ColumnKind, DbError, Doc, JsonEntry, Sql};
use crate::error::{Error, Result};
use crate::schema::{Body, Collection, Field, Operation};
use having::Having;
pub use query::{AggregateQuery, RawAggregateQuery};
use query::{Function, FunctionKind};

/// Groups that an answer has at most.
const MAX_GROUPS: i64 = 10_000;
/// The longest text that records are grouped by: the database holds one for each record.
const MAX_KEY_BYTES: i64 = 1_000;
/// Keys that a row has at most.
const MAX_KEYS: usize = 40;

const FUNCTIONS: &str = "Invalid aggregation functions";
const GROUP_BY: &str = "Invalid group_by";

/// What a value of the answer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Number,
    Text,
    Day,
    Instant,
}

impl Shape {
    fn kind(self) -> ColumnKind {
        match self {
            Self::Number => ColumnKind::Number,
            Self::Text | Self::Day => ColumnKind::Text,
            Self::Instant => ColumnKind::Timestamp,
        }
    }
}

/// A column of the table.
#[derive(Clone)]
struct Column {
    ident: crate::db::Ident,
    kind: ColumnKind,
}

/// A function over a column, ready to be written.
struct Measure {
    alias: String,
    kind: FunctionKind,
    column: Option<Column>,
    shape: Shape,
}

/// The groups' rows, as JSON documents.
#[derive(Clone, Debug, Default)]
pub struct Aggregate {
    /// One row for each group.
    pub rows: Vec<Doc>,
}

impl Records {
    /// Aggregates the records that the caller may list.
    pub(super) async fn try_aggregate(
        &self,
        caller: &Caller,
        collection: &str,
        query: &AggregateQuery,
    ) -> Result<Aggregate> {
        let collection = self.collection(collection)?;
        let scope = RecordScope::open(caller, &collection, Operation::List)?;
        let view = scope.view();
        let measures: Vec<Measure> = query
            .functions
            .iter()
            .map(|function| measure(&collection, &view, function))
            .collect::<Result<_>>()?;
        let groups: Vec<(&str, Column)> = query
            .group_by
            .iter()
            .map(|name| Ok((name.as_str(), group(&collection, &view, name)?)))
            .collect::<Result<_>>()?;
        if let Some((name, _)) = groups
            .iter()
            .find(|(name, _)| measures.iter().any(|m| m.alias == *name))
        {
            let message = format!("'{name}' is the name of a function's result, too");
            return Err(Error::refused(GROUP_BY, message));
        }
        if measures.len() + groups.len() > MAX_KEYS {
            let message =
                format!("At most {MAX_KEYS} functions and fields to group by go together");
            return Err(Error::refused(FUNCTIONS, message));
        }
        let having = query
            .having
            .as_deref()
            .map(|text| Having::parse(text, &measures))
            .transpose()?;
        let selection = Selection::prepare(
            &scope,
            &view,
            query.filter.as_deref(),
            query.search.as_deref(),
        )?;
        let names = query
            .functions
            .iter()
            .filter_map(|function| function.field.as_deref());
        let computed = computed(
            &collection,
            names.chain(query.group_by.iter().map(String::as_str)),
        );
        let reads = self.db.reads(scope.reader());
        let write_source = |sql: &mut Sql| write_rows(sql, &scope, &selection, &computed);
        for (name, column) in groups
            .iter()
            .filter(|(_, column)| column.kind == ColumnKind::Text)
        {
            let mut sql = self.db.sql();
            sql.varied().push("SELECT CAST(1 AS BIGINT)");
            write_source(&mut sql);
            sql.push(if computed.is_empty() {
                " AND "
            } else {
                " WHERE "
            });
            sql.push("octet_length(")
                .column("r", &column.ident)
                .push(") > ")
                .number(MAX_KEY_BYTES)
                .push(" LIMIT 1");
            if reads.count(sql.build()).await? > 0 {
                let message = format!(
                    "'{name}' holds texts of more than {MAX_KEY_BYTES} bytes: leave them out with filter"
                );
                return Err(Error::refused(GROUP_BY, message));
            }
        }
        let mut sql = self.db.sql();
        sql.varied();
        write_statement(&mut sql, write_source, &measures, &groups, having.as_ref());
        let rows =
            reads
                .docs(sql.build(), self.answer_bytes)
                .await
                .map_err(|error| match error {
                    DbError::Check(_) => out_of_range(),
                    other => other.into(),
                })?;
        if rows.len() > usize::try_from(MAX_GROUPS).unwrap_or(usize::MAX) {
            let message = format!(
                "There are more than {MAX_GROUPS} groups: narrow them with filter or having"
            );
            return Err(Error::refused(GROUP_BY, message));
        }
        // Where the database calculates on with infinity, the text is no JSON number.
        let readable = |row: &Doc| serde_json::from_str::<Body>(row).is_ok();
        if rows.iter().all(readable) {
            Ok(Aggregate { rows })
        } else {
            Err(out_of_range())
        }
    }
}

fn out_of_range() -> Error {
    Error::refused(FUNCTIONS, "The values are too large to be added up")
}

fn measure(collection: &Collection, view: &FieldView, function: &Function) -> Result<Measure> {
    let refuse = |message: String| Err(Error::refused(FUNCTIONS, message));
    let alias = function.alias();
    let Some(name) = &function.field else {
        return Ok(Measure {
            alias,
            kind: function.kind,
            column: None,
            shape: Shape::Number,
        });
    };
    let column = visible(collection, view, name, FUNCTIONS)?;
    let is_own = collection.field(name).is_some();
    let shape = match (function.kind, column.kind) {
        (FunctionKind::Count, _) => Shape::Number,
        (kind, _) if !is_own => {
            return refuse(format!(
                "{}() takes a field of the collection, not '{name}'",
                kind.name()
            ));
        }
        (_, ColumnKind::Number) => Shape::Number,
        (kind @ (FunctionKind::Sum | FunctionKind::Avg), _) => {
            return refuse(format!(
                "{}() takes a number; '{name}' is none",
                kind.name()
            ));
        }
        (_, ColumnKind::Text) => Shape::Text,
        (_, ColumnKind::Date) => Shape::Day,
        (_, ColumnKind::DateTime | ColumnKind::Timestamp) => Shape::Instant,
        (kind, _) => {
            return refuse(format!(
                "{}() takes a number, a time or a text; '{name}' is none",
                kind.name()
            ));
        }
    };
    Ok(Measure {
        alias,
        kind: function.kind,
        column: Some(column),
        shape,
    })
}

fn group(collection: &Collection, view: &FieldView, name: &str) -> Result<Column> {
    let column = visible(collection, view, name, GROUP_BY)?;
    if column.kind == ColumnKind::Json {
        return Err(Error::refused(
            GROUP_BY,
            format!("'{name}' cannot be grouped by: it holds documents"),
        ));
    }
    Ok(column)
}

/// A column that the caller sees in the clear.
fn visible(
    collection: &Collection,
    view: &FieldView,
    name: &str,
    label: &'static str,
) -> Result<Column> {
    if let Some(field) = collection.field(name) {
        if !view.shows_in_clear(field) {
            return Err(Error::refused(
                label,
                format!("Field '{name}' cannot be seen, so it cannot be used here"),
            ));
        }
        return Ok(Column {
            ident: field.column.clone(),
            kind: field.column_kind(),
        });
    }
    let system = collection.projection(|_| false);
    match system.iter().find(|system| system.key == name) {
        Some(system) => Ok(Column {
            ident: system.column.clone(),
            kind: system.kind,
        }),
        None => Err(Error::refused(
            label,
            format!("Field '{name}' does not exist"),
        )),
    }
}

/// The computed fields among these, each once.
fn computed<'a>(
    collection: &'a Collection,
    names: impl Iterator<Item = &'a str>,
) -> Vec<&'a Field> {
    let mut fields: Vec<&Field> = Vec::new();
    for field in names
        .filter_map(|name| collection.field(name))
        .filter(|field| field.computed.is_some())
    {
        if !fields.iter().any(|known| known.name == field.name) {
            fields.push(field);
        }
    }
    fields
}

/// Appends the records. Those with computed fields are a query of their own, in which these are
/// columns: each is calculated once, and a group's key is the same expression wherever it stands.
fn write_rows(sql: &mut Sql, scope: &RecordScope<'_>, selection: &Selection, computed: &[&Field]) {
    if computed.is_empty() {
        write_source(sql, scope, selection);
        return;
    }
    sql.push(" FROM (SELECT r.*");
    for field in computed {
        sql.push(", ");
        let value = |sql: &mut Sql| field.projected().write(sql, "r");
        if field.column_kind() == ColumnKind::Number {
            sql.as_stored_number(value);
        } else {
            value(sql);
        }
        sql.push(" AS ").ident(&field.column);
    }
    write_source(sql, scope, selection);
    sql.push(") r");
}

fn write_statement(
    sql: &mut Sql,
    write_source: impl FnOnce(&mut Sql),
    measures: &[Measure],
    groups: &[(&str, Column)],
    having: Option<&Having>,
) {
    let results = measures.iter().map(|measure| JsonEntry {
        key: &measure.alias,
        kind: measure.shape.kind(),
        value: Box::new(|sql| measure.write(sql)),
    });
    let keys = groups.iter().map(|(name, column)| JsonEntry {
        key: name,
        kind: column.shown(),
        value: Box::new(|sql| column.write(sql)),
    });
    let entries: Vec<JsonEntry<'_>> = results.chain(keys).collect();
    sql.push("SELECT ").json_object(&entries);
    write_source(sql);
    if !groups.is_empty() {
        sql.push(" GROUP BY ")
            .list(", ", groups, |sql, (_, column)| column.write(sql));
    }
    if let Some(having) = having {
        sql.push(" HAVING ");
        having.write(sql, measures);
    }
    if !groups.is_empty() {
        sql.push(" ORDER BY ")
            .list(", ", groups, |sql, (_, column)| {
                column.write(sql);
                sql.push(" NULLS FIRST");
            });
        sql.push(" LIMIT ").number(MAX_GROUPS + 1);
    }
}

impl Column {
    /// Values that compare equal are equal: times as instants.
    fn write(&self, sql: &mut Sql) {
        let column = |sql: &mut Sql| {
            sql.column("r", &self.ident);
        };
        if self.kind == ColumnKind::DateTime {
            sql.instant(self.kind, column)
        } else {
            sql.column("r", &self.ident)
        };
    }

    /// How what [`Column::write`] yields is shown.
    fn shown(&self) -> ColumnKind {
        if self.kind == ColumnKind::DateTime {
            ColumnKind::Timestamp
        } else {
            self.kind
        }
    }
}

impl Measure {
    fn write(&self, sql: &mut Sql) {
        let Some(column) = &self.column else {
            sql.push("count(*)");
            return;
        };
        match self.kind {
            FunctionKind::Count => {
                sql.push("count(").column("r", &column.ident).push(")");
            }
            FunctionKind::Sum | FunctionKind::Avg => {
                sql.push(if self.kind == FunctionKind::Sum {
                    "sum("
                } else {
                    "avg("
                });
                // Not in integers, which overflow.
                sql.real(|sql| {
                    sql.column("r", &column.ident);
                });
                sql.push(")");
            }
            FunctionKind::Min | FunctionKind::Max => {
                sql.push(if self.kind == FunctionKind::Min {
                    "min("
                } else {
                    "max("
                });
                column.write(sql);
                sql.push(")");
            }
        }
    }
}

/// The answer's body.
impl Aggregate {
    /// `{"results": […], "total_groups": n}`.
    pub fn to_json(&self) -> String {
        format!(
            "{{\"results\":[{}],\"total_groups\":{}}}",
            self.rows.join(","),
            Json::from(self.rows.len())
        )
    }
}
