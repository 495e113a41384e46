//! Definitions are checked while they are written.

use serde_json::{Value, json};

use crate::harness::{Backend, TestApp, open};

crate::both![
    a_new_definition_is_told_its_problems_and_nothing_is_stored,
    a_change_is_told_what_would_be_refused,
    what_is_told_is_what_saving_says,
];

async fn problems(app: &TestApp, query: &str, input: Value) -> Vec<(String, String)> {
    let told = app
        .admin
        .post(&format!("/admin/collections/validate{query}"), &input)
        .await
        .ok(200);
    let text = |problem: &Value, key: &str| problem[key].as_str().unwrap().to_owned();
    told["problems"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| (text(p, "field"), text(p, "code")))
        .collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected
        .iter()
        .map(|(field, code)| ((*field).to_owned(), (*code).to_owned()))
        .collect()
}

async fn a_new_definition_is_told_its_problems_and_nothing_is_stored(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    app.collection("posts", &json!([{"name": "n", "type": "number"}]), &open())
        .await;
    let reference = json!({"name": "post", "type": "reference", "collection": "nowhere", "on_delete": "cascade"});
    let found = problems(&app, "", json!({"name": "POSTS", "fields": [reference]})).await;
    assert_eq!(
        found,
        pairs(&[
            ("name", "name_taken"),
            ("schema[0].collection", "reference_collection_unknown")
        ])
    );
    let found = problems(
        &app,
        "",
        json!({"name": "or", "fields": [{"name": "id", "type": "text"}]}),
    )
    .await;
    assert_eq!(found[0], ("name".to_owned(), "string_too_short".to_owned()));
    assert_eq!(found[1].0, "schema[0].name", "{found:?}");
    let good = json!({"name": "orders", "fields": [{"name": "n", "type": "number"}]});
    assert_eq!(problems(&app, "", good).await, []);
    app.admin
        .get("/collections/orders")
        .await
        .refused(404, "orders");
}

async fn a_change_is_told_what_would_be_refused(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    app.collection(
        "posts",
        &json!([{"name": "n", "type": "number"}, {"name": "t", "type": "text"}]),
        &open(),
    )
    .await;
    let of = "?collection=posts";
    let other_type =
        json!({"fields": [{"name": "n", "type": "text"}, {"name": "t", "type": "text"}]});
    assert_eq!(
        problems(&app, of, other_type).await,
        pairs(&[("n", "type_change_not_allowed")])
    );
    let without = json!({"fields": [{"name": "n", "type": "number"}]});
    assert_eq!(
        problems(&app, of, without).await,
        pairs(&[("t", "field_deletion_not_allowed")])
    );
    let renamed = json!({"fields": [{"name": "m", "type": "number"}, {"name": "t", "type": "text"}], "rename": {"n": "m"}});
    assert_eq!(problems(&app, of, renamed).await, []);
    let taken = json!({"fields": [{"name": "t", "type": "number"}, {"name": "t", "type": "text"}], "rename": {"n": "t"}});
    assert_eq!(
        problems(&app, of, taken).await,
        pairs(&[("rename.n", "field_name_duplicate")])
    );
    app.admin
        .post("/admin/collections/validate?collection=nowhere", &json!({}))
        .await
        .refused(404, "nowhere");
}

async fn what_is_told_is_what_saving_says(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let bad = json!({"name": "orders", "fields": [
        {"name": "created_at", "type": "text"}, {"name": "x y", "type": "text"}, {"name": "kind", "type": "colour"},
        {"name": "size", "type": "number", "options": {"min": "much"}}]});
    let refused = app.admin.post("/collections", &bad).await;
    assert_eq!(refused.status, 400);
    let said = refused.body["details"].as_array().unwrap().clone();
    assert!(said.len() > 2, "{}", refused.text);
    let told = app
        .admin
        .post("/admin/collections/validate", &bad)
        .await
        .ok(200);
    for (said, told) in said.iter().zip(told["problems"].as_array().unwrap()) {
        assert_eq!(
            (&said["field"], &said["message"]),
            (&told["field"], &told["message"])
        );
    }
    assert_eq!(told["problems"].as_array().unwrap().len(), said.len());
}
