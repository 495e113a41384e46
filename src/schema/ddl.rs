//! The tables of collections: from a definition, or the difference of two, to statements.
//!
//! Each table has triggers that write the change log, so that no way of writing a record can forget
//! it: single writes, batches, cascades of the database itself. They also enforce `required`, which
//! SQLite cannot add to a column later.

use super::definition::OnDelete;
use super::field::{Field, FieldType};
use crate::db::{ColumnKind, Dialect, Ident, LoggedTable, Projected, Sql, Stmt};
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

/// The statements that make a table. `target` names the table behind a collection that a field
/// refers to.
pub fn create(
    dialect: Dialect,
    table: &Table<'_>,
    target: impl Fn(&str) -> Option<Ident>,
) -> Vec<Stmt> {
    let mut sql = Sql::new(dialect);
    sql.push("CREATE TABLE ")
        .ident(table.name)
        .push(" (\"id\" ");
    sql.push(dialect.column_type(ColumnKind::Text))
        .push(" PRIMARY KEY, \"account_id\" ");
    sql.push(dialect.column_type(ColumnKind::Text))
        .push(" NOT NULL REFERENCES accounts (id) ON DELETE CASCADE");
    for (column, kind) in [
        ("created_at", ColumnKind::Timestamp),
        ("created_by", ColumnKind::Text),
        ("updated_at", ColumnKind::Timestamp),
        ("updated_by", ColumnKind::Text),
    ] {
        sql.push(", ")
            .ident(&Ident::fixed(column))
            .push(" ")
            .push(dialect.column_type(kind))
            .push(" NOT NULL");
    }
    for field in table.fields.iter().filter(|field| field.computed.is_none()) {
        sql.push(", ");
        column(&mut sql, table.name, field, &target);
    }
    sql.push(")").push(dialect.clustered_by_key());
    let mut statements = vec![
        sql.build(),
        default_order_index(dialect, table.name),
        newest_of_all(dialect, table.name),
    ];
    for field in table.fields {
        statements.extend(indexes(dialect, table.name, field));
    }
    statements.extend(log_triggers(dialect, table, false));
    statements.extend(dialect.create_search(table.name, &searched(table.fields)));
    statements
}

/// The columns with a full-text index.
fn searched(fields: &[Field]) -> Vec<&Ident> {
    super::searchable(fields)
        .into_iter()
        .map(|field| &field.column)
        .collect()
}

/// The statements that drop a table and what belongs to it. `own` are the columns that refer to the
/// table itself: SQLite would hold them against dropping it.
pub fn drop(dialect: Dialect, table: &Ident, fields: &[Field], own: &[&Ident]) -> Vec<Stmt> {
    let mut statements = Vec::new();
    if !own.is_empty() {
        statements.extend(dialect.drop_log_triggers(table));
        let mut sql = Sql::new(dialect);
        sql.push("UPDATE ")
            .ident(table)
            .push(" SET ")
            .list(", ", own, |sql, column| {
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

/// The statements that give a table what every table has by now: tables made by older versions may
/// lack some of it.
pub fn renew(
    dialect: Dialect,
    table: &Table<'_>,
    target: impl Fn(&str) -> Option<Ident>,
) -> Vec<Stmt> {
    let mut statements = vec![
        default_order_index(dialect, table.name),
        newest_of_all(dialect, table.name),
    ];
    let refuses = |field: &&Field| matches!(field.on_delete, Some(OnDelete::Restrict) | None);
    for field in table.fields.iter().filter(refuses) {
        if let Some(target) = field.target.as_deref().and_then(&target) {
            let constraint = table.name.suffixed(&field.column);
            statements.extend(dialect.relax_reference(
                table.name,
                &constraint,
                &field.column,
                &target,
            ));
        }
    }
    statements.extend(log_triggers(dialect, table, true));
    let searched = searched(table.fields);
    statements.extend(dialect.drop_search(table.name, &searched));
    statements.extend(dialect.create_search(table.name, &searched));
    statements
}

/// The statements that lead from one list of fields to another: fields are added, constraints come
/// and go.
pub fn alter(
    dialect: Dialect,
    table: &Table<'_>,
    before: &[Field],
    target: impl Fn(&str) -> Option<Ident>,
) -> Vec<Stmt> {
    let mut statements = Vec::new();
    for field in table.fields.iter().filter(|field| field.computed.is_none()) {
        let Some(old) = before.iter().find(|old| old.name == field.name) else {
            let mut sql = Sql::new(dialect);
            sql.push("ALTER TABLE ")
                .ident(table.name)
                .push(" ADD COLUMN ");
            column(&mut sql, table.name, field, &target);
            if let (true, Some(default)) = (field.required, &field.default) {
                // Records that exist get the default; a required field without one is refused
                // before.
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
            statements.push(drop_index(dialect, &unique_name(table.name, field)));
        }
        match (has_own_index(old), has_own_index(field)) {
            (false, true) => statements.push(own_index(dialect, table.name, field)),
            (true, false) => {
                statements.push(drop_index(dialect, &own_index_name(table.name, field)));
            }
            _ => {}
        }
    }
    statements.push(newest_of_all(dialect, table.name));
    let (old, new) = (searched(before), searched(table.fields));
    if old != new {
        statements.extend(dialect.drop_search(table.name, &old));
        statements.extend(dialect.create_search(table.name, &new));
    }
    statements.extend(log_triggers(dialect, table, true));
    statements
}

/// The statements that give a table another name, and everything that is named after it.
pub fn rename_table(dialect: Dialect, table: &Table<'_>, name: &Ident) -> Vec<Stmt> {
    let mut statements = dialect.drop_log_triggers(table.name);
    statements.extend(dialect.drop_trigger_function(table.name));
    statements.extend(dialect.drop_search(table.name, &searched(table.fields)));
    let stored: Vec<&Field> = table
        .fields
        .iter()
        .filter(|field| field.computed.is_none())
        .collect();
    statements.push(drop_index(dialect, &order_index_name(table.name)));
    statements.push(drop_index_if_there(dialect, &newest_index_name(table.name)));
    for field in &stored {
        statements.extend(
            index_names(table.name, field)
                .iter()
                .map(|index| drop_index(dialect, index)),
        );
        let constraint = |table: &Ident| table.suffixed(&field.column);
        if field.target.is_some() {
            statements.extend(dialect.rename_constraint(
                table.name,
                &constraint(table.name),
                &constraint(name),
            ));
        }
    }
    let mut sql = Sql::new(dialect);
    sql.push("ALTER TABLE ")
        .ident(table.name)
        .push(" RENAME TO ")
        .ident(name);
    statements.push(sql.build());
    statements.push(default_order_index(dialect, name));
    statements.push(newest_of_all(dialect, name));
    for field in stored {
        statements.extend(indexes(dialect, name, field));
    }
    statements.extend(dialect.create_search(name, &searched(table.fields)));
    statements.extend(log_triggers(
        dialect,
        &Table {
            id: table.id,
            name,
            fields: table.fields,
        },
        false,
    ));
    statements
}

/// The statements that give columns other names, and everything that is named after them; triggers
/// must be made anew. The fields stand in the same order.
pub fn rename_columns(
    dialect: Dialect,
    table: &Ident,
    before: &[Field],
    after: &[Field],
) -> Vec<Stmt> {
    let renamed = || {
        before
            .iter()
            .zip(after)
            .filter(|(old, new)| old.name != new.name && old.computed.is_none())
    };
    let touches_search = renamed().any(|(old, _)| old.searchable);
    let mut statements = dialect.drop_log_triggers_to_rename(table);
    if touches_search {
        statements.extend(dialect.drop_search(table, &searched(before)));
    }
    for (old, new) in renamed() {
        statements.extend(
            index_names(table, old)
                .iter()
                .map(|index| drop_index(dialect, index)),
        );
        if old.target.is_some() {
            let constraint = |field: &Field| table.suffixed(&field.column);
            statements.extend(dialect.rename_constraint(table, &constraint(old), &constraint(new)));
        }
        let mut sql = Sql::new(dialect);
        sql.push("ALTER TABLE ")
            .ident(table)
            .push(" RENAME COLUMN ")
            .ident(&old.column);
        sql.push(" TO ").ident(&new.column);
        statements.push(sql.build());
        statements.extend(indexes(dialect, table, new));
    }
    if touches_search {
        statements.extend(dialect.create_search(table, &searched(after)));
    }
    statements
}

/// The names of the indexes that a field has.
fn index_names(table: &Ident, field: &Field) -> Vec<Ident> {
    let mut names = Vec::new();
    if field.unique {
        names.push(unique_name(table, field));
    }
    if has_own_index(field) {
        names.push(own_index_name(table, field));
    }
    if field.target.is_some() {
        names.push(reference_index_name(table, field));
    }
    names
}

/// Whether an index of that name serves a field.
pub fn has_index(table: &Ident, field: &Field, index: &str) -> bool {
    index_names(table, field)
        .iter()
        .any(|name| name.as_str() == index)
}

fn order_index_name(table: &Ident) -> Ident {
    table.suffixed(&Ident::fixed("newest"))
}

fn newest_index_name(table: &Ident) -> Ident {
    table.suffixed(&Ident::fixed("$newest"))
}

fn reference_index_name(table: &Ident, field: &Field) -> Ident {
    table
        .suffixed(&field.column)
        .suffixed(&Ident::fixed("reference"))
}

/// The name of a field's unique index: what PostgreSQL says when it is violated.
pub fn unique_name(table: &Ident, field: &Field) -> Ident {
    table
        .suffixed(&field.column)
        .suffixed(&Ident::fixed("unique"))
}

fn column(sql: &mut Sql, table: &Ident, field: &Field, target: impl Fn(&str) -> Option<Ident>) {
    let dialect = sql.dialect();
    sql.ident(&field.column)
        .push(" ")
        .push(dialect.column_type(field.column_kind()));
    let Some(target) = field.target.as_deref().and_then(target) else {
        return;
    };
    sql.push(" CONSTRAINT ")
        .ident(&table.suffixed(&field.column))
        .push(" REFERENCES ")
        .ident(&target)
        .push(" (\"id\")");
    sql.push(match field.on_delete {
        Some(OnDelete::Cascade) => " ON DELETE CASCADE",
        Some(OnDelete::SetNull) => " ON DELETE SET NULL",
        Some(OnDelete::Restrict) | None => dialect.on_delete_refuse(),
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
    sql.push("CREATE INDEX IF NOT EXISTS ")
        .ident(&order_index_name(table))
        .push(" ON ")
        .ident(table);
    sql.push(" (\"account_id\", \"created_at\", \"id\")");
    sql.build()
}

/// The same for lists across accounts.
fn newest_of_all(dialect: Dialect, table: &Ident) -> Stmt {
    let mut sql = Sql::new(dialect);
    sql.push("CREATE INDEX IF NOT EXISTS ")
        .ident(&newest_index_name(table))
        .push(" ON ")
        .ident(table);
    sql.push(" (\"created_at\", \"id\")");
    sql.build()
}

fn indexes(dialect: Dialect, table: &Ident, field: &Field) -> Vec<Stmt> {
    let mut statements = Vec::new();
    if field.unique {
        statements.push(unique_index(dialect, table, field));
    }
    if has_own_index(field) {
        statements.push(own_index(dialect, table, field));
    }
    if field.target.is_some() {
        // The foreign key looks referring records up by this column alone, so it comes first.
        let mut sql = Sql::new(dialect);
        let name = reference_index_name(table, field);
        sql.push("CREATE INDEX ")
            .ident(&name)
            .push(" ON ")
            .ident(table)
            .push(" (")
            .ident(&field.column);
        sql.push(", \"account_id\")");
        statements.push(sql.build());
    }
    statements
}

fn unique_index(dialect: Dialect, table: &Ident, field: &Field) -> Stmt {
    unique_index_over(dialect, table, field, |sql| compared(sql, field))
}

fn unique_index_over(
    dialect: Dialect,
    table: &Ident,
    field: &Field,
    value: impl FnOnce(&mut Sql),
) -> Stmt {
    let mut sql = Sql::new(dialect);
    sql.push("CREATE UNIQUE INDEX ")
        .ident(&unique_name(table, field))
        .push(" ON ")
        .ident(table);
    sql.push(" (\"account_id\", ");
    value(&mut sql);
    sql.push(dialect.index_order()).push(")");
    sql.build()
}

/// Appends what must be unique of a field's value: the instant of a time, an e-mail address without
/// regard to case.
fn compared(sql: &mut Sql, field: &Field) {
    let column = |sql: &mut Sql| {
        sql.ident(&field.column);
    };
    match field.kind {
        FieldType::DateTime => sql
            .push("(")
            .instant(ColumnKind::DateTime, column)
            .push(")"),
        FieldType::Email => sql.push("(").ascii_case(false, column).push(")"),
        _ => sql.ident(&field.column),
    };
}

/// The statements that replace a unique index that an older version made over the text of times or
/// e-mail addresses.
pub(super) struct UniqueRenewal {
    /// Drops the index.
    pub drop: Stmt,
    /// Finds values that are equal now: the ids of two records for each.
    pub clashes: Stmt,
    /// Makes the index, if there are none.
    pub create: Stmt,
    /// Makes it as it was, if there are some.
    pub restore: Stmt,
    /// Makes the other index that such a field has.
    pub index: Option<Stmt>,
}

impl UniqueRenewal {
    /// The statements for a field; none if its index has always been right.
    pub(super) fn of(dialect: Dialect, table: &Ident, field: &Field) -> Option<Self> {
        if !field.unique || !matches!(field.kind, FieldType::DateTime | FieldType::Email) {
            return None;
        }
        let mut clashes = Sql::new(dialect);
        clashes
            .push("SELECT min(id), max(id) FROM ")
            .ident(table)
            .push(" WHERE ")
            .ident(&field.column);
        clashes.push(" IS NOT NULL GROUP BY account_id, ");
        compared(&mut clashes, field);
        clashes.push(" HAVING count(*) > 1 ORDER BY 1");
        Some(Self {
            drop: drop_index_if_there(dialect, &unique_name(table, field)),
            clashes: clashes.build(),
            create: unique_index(dialect, table, field),
            restore: unique_index_over(dialect, table, field, |sql| {
                sql.ident(&field.column);
            }),
            index: has_own_index(field).then(|| own_index(dialect, table, field)),
        })
    }
}

/// An index that was asked for; the one of a unique field serves as well, unless it is over
/// something else than the values.
fn has_own_index(field: &Field) -> bool {
    if field.unique {
        field.kind == FieldType::Email
    } else {
        field.indexed
    }
}

fn own_index_name(table: &Ident, field: &Field) -> Ident {
    table
        .suffixed(&field.column)
        .suffixed(&Ident::fixed("index"))
}

/// The account comes first: every statement names it. Times are indexed by what they mean, which is
/// how they compare.
fn own_index(dialect: Dialect, table: &Ident, field: &Field) -> Stmt {
    let mut sql = Sql::new(dialect);
    sql.push("CREATE INDEX IF NOT EXISTS ")
        .ident(&own_index_name(table, field))
        .push(" ON ")
        .ident(table);
    sql.push(" (\"account_id\", ");
    match field.column_kind() {
        // Days compare as the text that they are.
        ColumnKind::Date => sql.ident(&field.column),
        kind => sql
            .push("(")
            .instant(kind, |sql| {
                sql.ident(&field.column);
            })
            .push(")"),
    };
    sql.push(dialect.index_order()).push(", \"id\")");
    sql.build()
}

fn drop_index(dialect: Dialect, name: &Ident) -> Stmt {
    let mut sql = Sql::new(dialect);
    sql.push("DROP INDEX ").ident(name);
    sql.build()
}

fn drop_index_if_there(dialect: Dialect, name: &Ident) -> Stmt {
    let mut sql = Sql::new(dialect);
    sql.push("DROP INDEX IF EXISTS ").ident(name);
    sql.build()
}

/// The statements that add the records of a table to the usage of their accounts.
pub fn count_usage(dialect: Dialect, table: &Table<'_>) -> Vec<Stmt> {
    with_logged(table, |logged| logged.count_usage(dialect))
}

/// The statement that takes the records of a table out of the usage of their accounts, before it is
/// dropped.
pub fn discount_usage(dialect: Dialect, table: &Table<'_>) -> Stmt {
    with_logged(table, |logged| logged.discount_usage(dialect))
}

fn log_triggers(dialect: Dialect, table: &Table<'_>, replace: bool) -> Vec<Stmt> {
    with_logged(table, |logged| dialect.log_triggers(logged, replace))
}

fn with_logged<T>(table: &Table<'_>, use_logged: impl FnOnce(&LoggedTable<'_>) -> T) -> T {
    let mut columns: Vec<Projected<'_>> = super::system_columns().collect();
    let system = columns.len();
    columns.extend(table.fields.iter().map(Field::projected));
    let required: Vec<&Ident> = table
        .fields
        .iter()
        .filter(|field| field.required)
        .map(|field| &field.column)
        .collect();
    let files: Vec<&Ident> = table
        .fields
        .iter()
        .filter(|field| field.kind == FieldType::File && field.computed.is_none())
        .map(|field| &field.column)
        .collect();
    use_logged(&LoggedTable {
        collection: table.id.0,
        table: table.name,
        required: &required,
        columns: &columns,
        fields: &columns[system..],
        files: &files,
    })
}
