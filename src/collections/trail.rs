//! What the audit trail is told of definitions.

use std::collections::HashSet;

use serde_json::{Value as Json, json};

use crate::audit::Event;
use crate::schema::Catalog;
use crate::schema::catalog::CollectionRow;

/// What is different from the catalog.
pub(super) fn changes(before: &Catalog, after: &[CollectionRow]) -> Vec<Event> {
    let known = |row: &CollectionRow| before.iter().find(|collection| collection.row.id == row.id);
    let left: HashSet<&str> = after.iter().map(|row| row.id.as_str()).collect();
    let dropped = before
        .iter()
        .filter(|collection| !left.contains(collection.row.id.as_str()));
    let dropped = dropped
        .map(|collection| Event::delete("collections", collection.id, values(&collection.row)));
    let changed = after.iter().filter_map(|row| match known(row) {
        None => Some(Event::create("collections", &row.id, values(row))),
        Some(old) if old.row == *row => None,
        Some(old) => Some(Event::update(
            "collections",
            &row.id,
            &values(&old.row),
            &values(row),
        )),
    });
    dropped.chain(changed).collect()
}

fn values(row: &CollectionRow) -> Json {
    json!({
        "name": row.name, "schema": row.schema,
        "list_rule": row.list_rule, "view_rule": row.view_rule, "create_rule": row.create_rule,
        "update_rule": row.update_rule, "delete_rule": row.delete_rule,
        "list_fields": row.list_fields, "view_fields": row.view_fields,
        "create_fields": row.create_fields, "update_fields": row.update_fields,
    })
}
