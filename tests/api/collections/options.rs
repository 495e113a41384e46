use serde_json::{Value, json};
use sqlx::Row as _;

use crate::harness::{Backend, TestApp, User, open};

crate::both![
    options_bind_what_is_written,
    options_that_make_no_sense_are_refused,
    unknown_options_are_kept,
    records_that_exist_are_left_alone_when_options_change,
    an_index_comes_and_goes_with_its_attribute,
];

async fn start(backend: Backend, fields: &Value) -> (TestApp, User) {
    let app = TestApp::spawn(backend).await;
    app.collection("things", fields, &open()).await;
    let user = app.register().await;
    (app, user)
}

fn fields() -> Value {
    json!([
        {"name": "n", "type": "number", "options": {"min": -1.5, "max": 10}},
        {"name": "level", "type": "number", "options": {"enum": [1, 2, 3.0]}},
        {"name": "t", "type": "text", "options": {"min_length": 2, "max_length": 4, "pattern": "^[a-zé]+$"}},
        {"name": "status", "type": "text", "options": {"enum": ["draft", "done"]}, "default": "draft"},
        {"name": "size", "type": "text", "options": ["S", "M"]},
        {"name": "mail", "type": "email", "options": {"pattern": "@example[.]com$"}},
        {"name": "day", "type": "date", "options": {"min": "2025-01-01"}},
        {"name": "at", "type": "datetime", "options": {"max": "2025-01-01T00:00:00Z"}}
    ])
}

async fn options_bind_what_is_written(backend: Backend) {
    let (_app, user) = start(backend, &fields()).await;
    let good = json!({"n": -1.5, "level": 3, "t": "éé", "size": "S", "mail": "a@example.com", "day": "2025-01-01",
        "at": "2025-01-01T02:00:00+02:00"});
    let created = user.create("things", &good).await;
    assert_eq!(created["status"], "draft");
    let path = format!("/records/things/{}", created["id"].as_str().unwrap());
    for (field, value, code) in [
        ("n", json!(-1.6), "too_small"),
        ("n", json!(10.5), "too_large"),
        ("level", json!(4), "not_in_enum"),
        ("t", json!("a"), "too_short"),
        ("t", json!("aaaaa"), "too_long"),
        ("t", json!("A1"), "pattern_mismatch"),
        ("status", json!("Draft"), "not_in_enum"),
        ("size", json!("L"), "not_in_enum"),
        ("mail", json!("a@example.org"), "pattern_mismatch"),
        ("day", json!("2024-12-31"), "too_small"),
        ("at", json!("2025-01-01T00:00:00.001Z"), "too_large"),
        ("n", json!("x"), "invalid_type"),
    ] {
        user.post("/records/things", &json!({field: value}))
            .await
            .problems(&[(field, code)]);
        user.patch(&path, &json!({field: value}))
            .await
            .problems(&[(field, code)]);
        user.patch(&path, &json!({field: null})).await.ok(200);
    }
}

async fn options_that_make_no_sense_are_refused(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    for (kind, options, key) in [
        ("text", json!({"min": 1}), "options.min"),
        ("number", json!({"min": "1"}), "options.min"),
        ("number", json!({"min": 2, "max": 1}), "options.max"),
        ("number", json!({"max_length": 2}), "options.max_length"),
        ("text", json!({"max_length": -2}), "options.max_length"),
        (
            "text",
            json!({"min_length": 3, "max_length": 2}),
            "options.max_length",
        ),
        ("text", json!({"pattern": "("}), "options.pattern"),
        (
            "text",
            json!({"pattern": "(a{1000}){1000}"}),
            "options.pattern",
        ),
        ("text", json!({"pattern": 5}), "options.pattern"),
        ("text", json!({"enum": []}), "options.enum"),
        ("text", json!({"enum": ["a", 1]}), "options.enum"),
        ("number", json!({"enum": ["a"]}), "options.enum"),
        ("boolean", json!({"enum": [true]}), "options.enum"),
        ("date", json!({"min": "soon"}), "options.min"),
        ("text", json!(["a", 1]), "options"),
        ("text", json!("a"), "options"),
    ] {
        let body =
            json!({"name": "things", "fields": [{"name": "f", "type": kind, "options": options}]});
        app.admin
            .post("/collections", &body)
            .await
            .problems(&[(&format!("schema[0].{key}"), "options_invalid")]);
    }
    let field = json!({"name": "f", "type": "text", "options": {"enum": ["a"]}, "default": "b"});
    let body = json!({"name": "things", "fields": [field]});
    app.admin
        .post("/collections", &body)
        .await
        .problems(&[("schema[0].default", "default_invalid")]);
    for kind in ["json", "file"] {
        let body =
            json!({"name": "things", "fields": [{"name": "f", "type": kind, "index": true}]});
        app.admin
            .post("/collections", &body)
            .await
            .problems(&[("schema[0].index", "index_not_supported")]);
    }
}

async fn unknown_options_are_kept(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let options = json!({"colour": "red", "max_length": 5, "min": null});
    let fields = json!([{"name": "f", "type": "text", "options": options}, {"name": "g", "type": "number", "options": ["x"]}]);
    let created = app.collection("things", &fields, &open()).await;
    assert_eq!(
        (
            &created["schema"][0]["options"],
            &created["schema"][1]["options"]
        ),
        (&options, &json!(["x"]))
    );
}

async fn records_that_exist_are_left_alone_when_options_change(backend: Backend) {
    let (app, user) = start(
        backend,
        &json!([{"name": "t", "type": "text"}, {"name": "n", "type": "number"}]),
    )
    .await;
    let id = user.create_id("things", &json!({"t": "long enough"})).await;
    let shorter = json!({"fields": [{"name": "t", "type": "text", "options": {"max_length": 3}}, {"name": "n", "type": "number"}]});
    app.admin.put("/collections/things", &shorter).await.ok(200);
    let path = format!("/records/things/{id}");
    assert_eq!(
        user.patch(&path, &json!({"n": 1})).await.ok(200)["t"],
        "long enough"
    );
    user.patch(&path, &json!({"t": "long"}))
        .await
        .problems(&[("t", "too_long")]);
}

/// The columns of the table's indexes that serve a field, as the database tells them.
async fn indexes(app: &TestApp) -> Vec<String> {
    let url = app.database.url();
    let rows = if let Some(path) = url.strip_prefix("sqlite:///") {
        let pool = sqlx::SqlitePool::connect(&format!("sqlite:{path}"))
            .await
            .unwrap();
        let text = "SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = 'col_things' ORDER BY 1";
        sqlx::query(text)
            .fetch_all(&pool)
            .await
            .unwrap()
            .iter()
            .map(|row| row.get::<String, _>(0))
            .collect()
    } else {
        let pool = sqlx::PgPool::connect(&url).await.unwrap();
        let text =
            "SELECT indexname::text FROM pg_indexes WHERE tablename = 'col_things' ORDER BY 1";
        sqlx::query(text)
            .fetch_all(&pool)
            .await
            .unwrap()
            .iter()
            .map(|row| row.get::<String, _>(0))
            .collect::<Vec<_>>()
    };
    rows.into_iter()
        .filter(|name| name.ends_with("__index") || name.ends_with("__unique"))
        .collect()
}

async fn an_index_comes_and_goes_with_its_attribute(backend: Backend) {
    let field = |name: &str, kind: &str, index: bool, unique: bool| json!({"name": name, "type": kind, "index": index, "unique": unique});
    let all = |index: bool| {
        json!([
            field("t", "text", index, false),
            field("d", "datetime", index, false),
            field("day", "date", index, false),
            field("n", "number", index, true)
        ])
    };
    let (app, user) = start(backend, &all(true)).await;
    let expected = [
        "col_things__d__index",
        "col_things__day__index",
        "col_things__n__unique",
        "col_things__t__index",
    ];
    assert_eq!(indexes(&app).await, expected);
    assert_eq!(
        app.admin.get("/collections/things").await.ok(200)["schema"][0]["index"],
        true
    );
    for (d, n) in [
        ("2025-01-01T00:30:00+01:00", 1),
        ("2025-01-01", 2),
        ("2025-01-01 00:00:00.0019", 3),
    ] {
        user.create(
            "things",
            &json!({"d": d, "n": n, "t": "x", "day": "2025-01-01"}),
        )
        .await;
    }
    for (filter, total) in [
        ("d < '2025-01-01'", 1),
        ("d = '2025-01-01T00:00:00Z'", 1),
        ("d = '2025-01-01T00:00:00.001Z'", 1),
        (
            "d >= '2025-01-01' && day = '2025-01-01' && t = 'x' && n > 1",
            2,
        ),
    ] {
        assert_eq!(
            user.query("/records/things", &[("filter", filter)])
                .await
                .ok(200)["total"],
            total,
            "{filter}"
        );
    }
    app.admin
        .put("/collections/things", &json!({"fields": all(false)}))
        .await
        .ok(200);
    assert_eq!(indexes(&app).await, ["col_things__n__unique"]);
    let mut swapped = all(true);
    swapped[3]["unique"] = json!(false);
    app.admin
        .put("/collections/things", &json!({"fields": swapped}))
        .await
        .ok(200);
    let expected = [
        "col_things__d__index",
        "col_things__day__index",
        "col_things__n__index",
        "col_things__t__index",
    ];
    assert_eq!(indexes(&app).await, expected);
}
