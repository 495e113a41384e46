//! The tables of collections: from a definition, or the difference of two, to statements.
//!
//! Each table has triggers that write the change log, so that no way of writing a record can forget it: single writes,
//! batches, cascades of the database itself. They also enforce `required`, which SQLite cannot add to a column later.

use super::definition::OnDelete;
use super::field::Field;
use crate::db::{AccountName, ColumnKind, Dialect, Ident, Projected, Sql, Stmt};
use crate::id::CollectionId;

/// A table to be made or changed.
pub struct Table<'a> {
    /// The collection whose records it holds.
    pub id: CollectionId,
    /// Its name.
    pub name: &'a Ident,
    /// Its columns, besides the system's.
    pub fields: &'a [Field],
}

/// The table of a collection's name.
pub fn table_name(collection: &str) -> Option<Ident> {
    Ident::of(&format!("col_{}", collection.to_ascii_lowercase()))
}

/// The statements that make a table. `target` names the table behind a collection that a field refers to.
pub fn create(dialect: Dialect, table: &Table<'_>, target: impl Fn(&str) -> Option<Ident>) -> Vec<Stmt> {
    let mut sql = Sql::new(dialect);
    sql.push("CREATE TABLE ").ident(table.name).push(" (\"id\" ");
    sql.push(dialect.column_type(ColumnKind::Text)).push(" PRIMARY KEY, \"account_id\" ");
    sql.push(dialect.column_type(ColumnKind::Text)).push(" NOT NULL REFERENCES accounts (id) ON DELETE CASCADE");
    for (column, kind) in [
        ("created_at", ColumnKind::Timestamp),
        ("created_by", ColumnKind::Text),
        ("updated_at", ColumnKind::Timestamp),
        ("updated_by", ColumnKind::Text),
    ] {
        sql.push(", ").ident(&Ident::fixed(column)).push(" ").push(dialect.column_type(kind)).push(" NOT NULL");
    }
    for field in table.fields {
        sql.push(", ");
        column(&mut sql, table.name, field, &target);
    }
    sql.push(")").push(dialect.clustered_by_key());
    let mut statements = vec![sql.build(), default_order_index(dialect, table.name)];
    for field in table.fields {
        statements.extend(indexes(dialect, table.name, field));
    }
    statements.extend(log_triggers(dialect, table, false));
    statements.extend(dialect.create_search(table.name, &searched(table.fields)));
    statements
}

/// The columns with a full-text index.
fn searched(fields: &[Field]) -> Vec<&Ident> {
    super::searchable(fields).into_iter().map(|field| &field.column).collect()
}

/// The statements that drop a table and what belongs to it. `own` are the columns that refer to the table itself:
/// SQLite would hold them against dropping it.
pub fn drop(dialect: Dialect, table: &Ident, fields: &[Field], own: &[&Ident]) -> Vec<Stmt> {
    let mut statements = Vec::new();
    if !own.is_empty() {
        statements.extend(dialect.drop_log_triggers(table));
        let mut sql = Sql::new(dialect);
        sql.push("UPDATE ").ident(table).push(" SET ").list(", ", own, |sql, column| {
            sql.ident(column).push(" = NULL");
        });
        statements.push(sql.build());
    }
    let mut sql = Sql::new(dialect);
    sql.push("DROP TABLE ").ident(table);
    statements.push(sql.build());
    statements.extend(dialect.drop_search_of_dropped(table, &searched(fields)));
    statements.extend(dialect.drop_trigger_function(table));
    statements
}

/// The statements that lead from one list of fields to another: fields are added, constraints come and go.
pub fn alter(
    dialect: Dialect,
    table: &Table<'_>,
    before: &[Field],
    target: impl Fn(&str) -> Option<Ident>,
) -> Vec<Stmt> {
    let mut statements = Vec::new();
    for field in table.fields {
        let Some(old) = before.iter().find(|old| old.name == field.name) else {
            let mut sql = Sql::new(dialect);
            sql.push("ALTER TABLE ").ident(table.name).push(" ADD COLUMN ");
            column(&mut sql, table.name, field, &target);
            if let (true, Some(default)) = (field.required, &field.default) {
                // Records that exist get the default; a required field without one is refused before.
                sql.push(" DEFAULT ");
                default_literal(&mut sql, field, default);
            }
            statements.push(sql.build());
            statements.extend(indexes(dialect, table.name, field));
            continue;
        };
        if field.unique && !old.unique {
            statements.push(unique_index(dialect, table.name, field));
        }
        if old.unique && !field.unique {
            let mut sql = Sql::new(dialect);
            sql.push("DROP INDEX ").ident(&unique_name(table.name, field));
            statements.push(sql.build());
        }
    }
    let (old, new) = (searched(before), searched(table.fields));
    if old != new {
        statements.extend(dialect.drop_search(table.name, &old));
        statements.extend(dialect.create_search(table.name, &new));
    }
    statements.extend(log_triggers(dialect, table, true));
    statements
}

/// The name of a field's unique index: what PostgreSQL says when it is violated.
pub fn unique_name(table: &Ident, field: &Field) -> Ident {
    table.suffixed(&field.column).suffixed(&Ident::fixed("unique"))
}

fn column(sql: &mut Sql, table: &Ident, field: &Field, target: impl Fn(&str) -> Option<Ident>) {
    let dialect = sql.dialect();
    sql.ident(&field.column).push(" ").push(dialect.column_type(field.kind.column()));
    let Some(target) = field.target.as_deref().and_then(target) else { return };
    sql.push(" CONSTRAINT ")
        .ident(&table.suffixed(&field.column))
        .push(" REFERENCES ")
        .ident(&target)
        .push(" (\"id\")");
    sql.push(match field.on_delete {
        Some(OnDelete::Cascade) => " ON DELETE CASCADE",
        Some(OnDelete::SetNull) => " ON DELETE SET NULL",
        Some(OnDelete::Restrict) | None => " ON DELETE RESTRICT",
    });
}

fn default_literal(sql: &mut Sql, field: &Field, default: &serde_json::Value) {
    use crate::db::Value;
    match field.kind.accept(&field.name, default) {
        Ok(Value::Text(text) | Value::Json(text)) => sql.text_literal(&text),
        Ok(Value::Bool(truth)) => sql.boolean(truth),
        Ok(Value::Real(number)) => sql.text_literal(&number.to_string()),
        _ => sql.push("NULL"),
    };
}

/// Lists are newest first unless they say otherwise.
fn default_order_index(dialect: Dialect, table: &Ident) -> Stmt {
    let mut sql = Sql::new(dialect);
    sql.push("CREATE INDEX ").ident(&table.suffixed(&Ident::fixed("newest"))).push(" ON ").ident(table);
    sql.push(" (\"account_id\", \"created_at\", \"id\")");
    sql.build()
}

fn indexes(dialect: Dialect, table: &Ident, field: &Field) -> Vec<Stmt> {
    let mut statements = Vec::new();
    if field.unique {
        statements.push(unique_index(dialect, table, field));
    }
    if field.target.is_some() {
        // The foreign key looks referring records up by this column alone, so it comes first.
        let mut sql = Sql::new(dialect);
        let name = table.suffixed(&field.column).suffixed(&Ident::fixed("reference"));
        sql.push("CREATE INDEX ").ident(&name).push(" ON ").ident(table).push(" (").ident(&field.column);
        sql.push(", \"account_id\")");
        statements.push(sql.build());
    }
    statements
}

fn unique_index(dialect: Dialect, table: &Ident, field: &Field) -> Stmt {
    let mut sql = Sql::new(dialect);
    sql.push("CREATE UNIQUE INDEX ").ident(&unique_name(table, field)).push(" ON ").ident(table);
    sql.push(" (\"account_id\", ").ident(&field.column).push(")");
    sql.build()
}

fn log_triggers(dialect: Dialect, table: &Table<'_>, replace: bool) -> Vec<Stmt> {
    let mut columns: Vec<Projected<'_>> = super::system_columns().collect();
    columns.extend(table.fields.iter().map(|field| Projected {
        key: &field.name,
        column: &field.column,
        kind: field.kind.column(),
    }));
    let required: Vec<&Ident> = table.fields.iter().filter(|field| field.required).map(|field| &field.column).collect();
    let document = |sql: &mut Sql, alias: &'static str| {
        sql.document(alias, &columns, AccountName::Null);
    };
    dialect.log_triggers(table.id.0, table.name, &required, &document, replace)
}
