//! Lists that other programs and people rely on: a change of one is seen in review. Accept it with
//! `cargo insta review`, or `INSTA_UPDATE=always cargo test --test api -- snapshots::`.
//!
//! The API document has a snapshot of its own, `admin-ui/openapi.json`.

use std::fmt::Write as _;

use serde_json::json;
use snackbase::db::{Dialect, Ident};
use snackbase::hooks::Hooks;
use snackbase::http::route_table;
use snackbase::id::CollectionId;
use snackbase::schema::FieldDefinition;
use snackbase::schema::ddl;
use snackbase::schema::definition::check_fields;

#[test]
fn every_route_has_the_declared_level_and_scope() {
    let mut table = String::new();
    for route in route_table() {
        let scope = route.access.api_key.scope().map_or("-", |s| s.name());
        let level = route.access.level.name();
        let note = if route.is_documented {
            ""
        } else {
            "undocumented"
        };
        let (method, path) = (route.method, &route.path);
        let line = format!("{level:15} {scope:20} {method:6} {path} {note}");
        writeln!(table, "{}", line.trim_end()).unwrap();
    }
    insta::assert_snapshot!(table);
}

#[test]
fn embedding_programs_can_hook_into_these_events() {
    insta::assert_snapshot!(Hooks::EVENTS.join("\n"));
}

#[test]
fn a_collection_is_a_table_like_this_on_sqlite() {
    insta::assert_snapshot!(statements(Dialect::Sqlite));
}

#[test]
fn a_collection_is_a_table_like_this_on_postgresql() {
    insta::assert_snapshot!(statements(Dialect::Postgres));
}

/// The statements that make a collection with a field of every type.
fn statements(dialect: Dialect) -> String {
    let definitions = json!([
        {"name": "title", "type": "text", "required": true, "searchable": true},
        {"name": "code", "type": "text", "unique": true},
        {"name": "price", "type": "number", "index": true},
        {"name": "done", "type": "boolean", "default": false},
        {"name": "at", "type": "datetime"},
        {"name": "day", "type": "date"},
        {"name": "mail", "type": "email", "pii": true, "mask_type": "email"},
        {"name": "link", "type": "url"},
        {"name": "more", "type": "json"},
        {"name": "picture", "type": "file"},
        {"name": "secret", "type": "text", "encrypted": true},
        {"name": "parent", "type": "reference", "collection": "items", "on_delete": "cascade"},
        {"name": "total", "type": "computed", "expression": "price * 2", "return_type": "number"}
    ]);
    let mut definitions: Vec<FieldDefinition> = serde_json::from_value(definitions).unwrap();
    let fields = check_fields(&mut definitions).unwrap();
    let name = ddl::table_name("items").unwrap();
    let table = ddl::Table {
        id: CollectionId(uuid::Uuid::nil()),
        name: &name,
        fields: &fields,
    };
    let target = |collection: &str| -> Option<Ident> { ddl::table_name(collection) };
    let statements = ddl::create(dialect, &table, target);
    let texts: Vec<&str> = statements.iter().map(snackbase::db::Stmt::text).collect();
    texts.join(";\n\n")
}
