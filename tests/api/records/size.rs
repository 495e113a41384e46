//! The largest record: no way of writing stores a larger one, and what is there already can be made
//! smaller.

use std::future::ready;

use serde_json::{Value, json};
use snackbase::config::Config;
use snackbase::db::set_record_limit;

use crate::harness::{Backend, TestApp, User, open};

crate::both![
    records_up_to_the_limit_are_stored_and_larger_ones_refused_by_name,
    a_change_never_makes_a_record_larger_than_the_limit,
    the_size_is_that_of_the_document_and_not_of_what_was_sent,
    batches_with_one_large_record_store_nothing_and_name_it,
    hooks_cannot_make_a_record_larger_than_the_limit,
    records_that_are_larger_already_can_be_read_made_smaller_and_deleted,
];

const LIMIT: usize = 20_000;

fn limited(config: &mut Config) {
    config.limits.record_bytes = LIMIT;
}

fn fields() -> Value {
    json!([
        {"name": "title", "type": "text"},
        {"name": "body", "type": "text"},
        {"name": "data", "type": "json"},
        {"name": "secret", "type": "text", "encrypted": true},
        {"name": "n", "type": "number"},
    ])
}

async fn notes(backend: Backend) -> (TestApp, User) {
    let app = TestApp::spawn_with(backend, limited).await;
    app.collection("notes", &fields(), &open()).await;
    let user = app.register().await;
    (app, user)
}

fn path(record: &Value) -> String {
    format!("/records/notes/{}", record["id"].as_str().unwrap())
}

fn text(bytes: usize) -> String {
    "x".repeat(bytes)
}

async fn records_up_to_the_limit_are_stored_and_larger_ones_refused_by_name(backend: Backend) {
    let (_app, user) = notes(backend).await;
    user.create(
        "notes",
        &json!({"title": text(100), "body": text(LIMIT - 200)}),
    )
    .await;
    for (field, body) in [
        ("body", json!({"title": text(100), "body": text(LIMIT)})),
        (
            "data",
            json!({"title": text(9_000), "data": {"long": text(15_000)}}),
        ),
        ("secret", json!({"secret": text(LIMIT)})),
        (
            "title",
            json!({"title": text(11_000), "body": text(10_000)}),
        ),
    ] {
        let refusal = user
            .post("/records/notes", &body)
            .await
            .refused(413, &LIMIT.to_string());
        assert_eq!(refusal["field"], field);
        assert_eq!(refusal["details"][0]["code"], "record_too_large");
    }
    assert_eq!(user.get("/records/notes").await.ok(200)["total"], 1);
}

async fn a_change_never_makes_a_record_larger_than_the_limit(backend: Backend) {
    let (_app, user) = notes(backend).await;
    let record = user
        .create(
            "notes",
            &json!({"title": text(100), "body": text(LIMIT - 1_000)}),
        )
        .await;
    let path = path(&record);
    user.patch(&path, &json!({"title": text(2_000)}))
        .await
        .refused(413, "'title'");
    user.patch(&path, &json!({"data": [text(2_000)]}))
        .await
        .refused(413, "'data'");
    user.put(&path, &json!({"title": text(2_000), "body": text(LIMIT)}))
        .await
        .refused(413, "'body'");
    assert_eq!(user.get(&path).await.ok(200), record);
    user.patch(&path, &json!({"title": text(500), "n": 7}))
        .await
        .ok(200);
    user.patch(
        &path,
        &json!({"title": text(LIMIT - 1_000), "body": "short"}),
    )
    .await
    .ok(200);
}

async fn the_size_is_that_of_the_document_and_not_of_what_was_sent(backend: Backend) {
    let (_app, user) = notes(backend).await;
    user.post(
        "/records/notes",
        &json!({"body": "\u{1}".repeat(LIMIT / 4)}),
    )
    .await
    .refused(413, "");
    user.post(
        "/records/notes",
        &json!({"body": "\"".repeat(LIMIT * 2 / 3)}),
    )
    .await
    .refused(413, "");
    user.post(
        "/records/notes",
        &json!({"body": "ä".repeat(LIMIT * 2 / 3)}),
    )
    .await
    .refused(413, "");
    user.create("notes", &json!({"body": "ä".repeat(LIMIT / 2 - 100)}))
        .await;
}

async fn batches_with_one_large_record_store_nothing_and_name_it(backend: Backend) {
    let (_app, user) = notes(backend).await;
    let records = json!({"records": [{"title": "a"}, {"title": "b"}, {"body": text(LIMIT + 1)}, {"title": "c"}]});
    let refusal = user
        .post("/records/notes/batch", &records)
        .await
        .refused(413, "'body'");
    assert_eq!(
        (&refusal["index"], &refusal["field"]),
        (&json!(2), &json!("body"))
    );
    let record = user
        .create("notes", &json!({"title": "a", "body": text(LIMIT - 1_000)}))
        .await;
    let other = user.create("notes", &json!({"title": "b"})).await;
    let changes = json!({"records": [
        {"id": other["id"], "data": {"title": "c"}},
        {"id": record["id"], "data": {"title": text(2_000)}},
    ]});
    assert_eq!(
        user.patch("/records/notes/batch", &changes)
            .await
            .refused(413, "'title'")["index"],
        1
    );
    assert_eq!(user.get(&path(&other)).await.ok(200)["title"], "b");
    assert_eq!(user.get("/records/notes").await.ok(200)["total"], 2);
}

async fn hooks_cannot_make_a_record_larger_than_the_limit(backend: Backend) {
    let app = TestApp::spawn_hooked(backend, limited, |hooks| {
        hooks.on_record_before_create(|mut event| {
            event.data.insert("body".into(), json!(text(LIMIT + 1)));
            ready(Ok(event))
        })
    })
    .await;
    app.collection("notes", &fields(), &open()).await;
    app.register()
        .await
        .post("/records/notes", &json!({"title": "a"}))
        .await
        .refused(413, "'body'");
}

async fn records_that_are_larger_already_can_be_read_made_smaller_and_deleted(backend: Backend) {
    let (app, user) = notes(backend).await;
    app.services()
        .db
        .execute(set_record_limit(1 << 20))
        .await
        .unwrap();
    let large = json!({"title": "a", "body": text(5 * LIMIT), "data": [text(LIMIT)]});
    let (first, second) = (
        user.create("notes", &large).await,
        user.create("notes", &large).await,
    );
    app.services()
        .db
        .execute(set_record_limit(LIMIT))
        .await
        .unwrap();
    let path = path(&first);
    assert_eq!(user.get(&path).await.ok(200)["body"], large["body"]);
    user.patch(&path, &json!({"title": "b", "n": 1}))
        .await
        .ok(200);
    user.patch(&path, &json!({"title": "longer"}))
        .await
        .refused(413, "'title'");
    user.patch(&path, &json!({"data": null})).await.ok(200);
    user.patch(&path, &json!({"body": text(LIMIT - 100)}))
        .await
        .ok(200);
    user.patch(&path, &json!({"title": "longer"})).await.ok(200);
    user.patch(&path, &json!({"body": text(5 * LIMIT)}))
        .await
        .refused(413, "'body'");
    user.delete(&format!(
        "/records/notes/{}",
        second["id"].as_str().unwrap()
    ))
    .await
    .ok(204);
}
