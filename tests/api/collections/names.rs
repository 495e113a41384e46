//! Names that collections and fields cannot have, and those that exist with such a name from
//! before.

use serde_json::{Value, json};

use crate::harness::{Backend, TestApp, open};

crate::both![
    words_of_the_language_are_not_names,
    fields_that_have_such_a_name_already_stay,
    collections_never_collide_with_the_indexes_of_others,
];

const WORDS: [&str; 10] = [
    "null", "TRUE", "false", "in", "Is", "not", "and", "Or", "like", "Null",
];

fn text(name: &str) -> Value {
    json!({"name": name, "type": "text"})
}

async fn words_of_the_language_are_not_names(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    app.collection("things", &json!([text("a")]), &open()).await;
    for word in WORDS {
        let body = json!({"name": "others", "fields": [text("a"), text(word)]});
        let answer = app.admin.post("/collections", &body).await;
        assert!(
            answer.text.contains(word) && answer.text.contains("expression language"),
            "{}",
            answer.text
        );
        answer.problems(&[("schema[1].name", "field_name_reserved")]);
        let added = json!({"fields": [text("a"), text(word)]});
        app.admin
            .put("/collections/things", &added)
            .await
            .problems(&[("schema[1].name", "field_name_reserved")]);
        let renamed = json!({"rename": {"a": word}});
        app.admin
            .put("/collections/things", &renamed)
            .await
            .problems(&[("rename.a", "field_name_reserved")]);
        let found = app
            .admin
            .post("/admin/collections/validate", &body)
            .await
            .ok(200);
        assert!(found.to_string().contains("field_name_reserved"), "{found}");
        if word.len() > 2 {
            let body = json!({"name": word, "fields": [text("a")]});
            app.admin
                .post("/collections", &body)
                .await
                .problems(&[("name", "name_reserved")]);
            app.admin
                .post("/collections/things/rename", &json!({"name": word}))
                .await
                .refused(400, word);
        }
    }
    // What is a word of SQL, or of macros in another place, is a name.
    let fields: Vec<Value> = [
        "select", "from", "where", "nulls", "inn", "count", "between",
    ]
    .map(text)
    .to_vec();
    app.collection("selects", &json!(fields), &open()).await;
    for field in ["select", "from", "where", "nulls", "count"] {
        app.admin
            .query(
                "/records/selects",
                &[("filter", &*format!("{field} IS NULL && {field} != 'x'"))],
            )
            .await
            .ok(200);
    }
}

/// A definition from before such names were refused.
async fn fields_that_have_such_a_name_already_stay(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    app.collection("things", &json!([text("a"), text("odd")]), &open())
        .await;
    let old = "UPDATE collections SET schema = replace(schema, '\"odd\"', '\"null\"') WHERE name = 'things'";
    app.services()
        .db
        .execute(snackbase::db::Stmt::fixed(old, Vec::new()))
        .await
        .unwrap();
    let column = "ALTER TABLE \"col_things\" RENAME COLUMN \"odd\" TO \"null\"";
    app.services()
        .db
        .execute(snackbase::db::Stmt::fixed(column, Vec::new()))
        .await
        .unwrap();
    let fields = json!([text("a"), text("null"), text("more")]);
    app.admin
        .put("/collections/things", &json!({"fields": fields}))
        .await
        .ok(200);
    let user = app.register().await;
    let created = user.create("things", &json!({"a": "x", "null": "y"})).await;
    assert_eq!(created["null"], "y");
    assert_eq!(
        user.get("/records/things").await.ok(200)["items"][0]["null"],
        "y"
    );
    // It can be given another name.
    app.admin
        .put("/collections/things", &json!({"rename": {"null": "odd"}}))
        .await
        .ok(200);
    assert_eq!(
        user.get("/records/things?filter=odd='y'").await.ok(200)["total"],
        1
    );
}

async fn collections_never_collide_with_the_indexes_of_others(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let fields = json!([
        {"name": "x", "type": "text", "unique": true},
        {"name": "x__unique", "type": "text", "unique": true, "searchable": true},
        {"name": "y__z", "type": "text", "index": true},
        {"name": "newest", "type": "text", "index": true},
        {"name": "_log".trim_start_matches('_'), "type": "text", "index": true}
    ]);
    for name in ["notes__newest", "notes__x__unique", "a__b"] {
        let body = json!({"name": name, "fields": fields});
        app.admin
            .post("/collections", &body)
            .await
            .problems(&[("name", "name_invalid_format")]);
    }
    app.collection("notes", &fields, &open()).await;
    app.collection("notes_", &fields, &open()).await;
    app.admin
        .post(
            "/collections/notes/rename",
            &json!({"name": "notes__newest"}),
        )
        .await
        .refused(400, "__");
    let user = app.register().await;
    for name in ["notes", "notes_"] {
        let record = json!({"x": "1", "x__unique": "2", "y__z": "3", "newest": "4", "log": "5"});
        user.create(name, &record).await;
        user.post(&format!("/records/{name}"), &record)
            .await
            .refused(409, "");
    }
    app.admin
        .post("/collections/notes_/rename", &json!({"name": "pages"}))
        .await
        .ok(200);
    let renamed = json!({"rename": {"x": "w", "y__z": "v__x"}});
    app.admin.put("/collections/notes", &renamed).await.ok(200);
    assert_eq!(
        user.get("/records/notes?filter=w='1'").await.ok(200)["total"],
        1
    );
}
