use serde_json::{Value, json};

use crate::harness::{Backend, TestApp, User, open};

crate::both![
    fields_can_be_added_and_used_at_once,
    fields_cannot_be_deleted_nor_change_their_type,
    what_records_violate_cannot_be_demanded,
    a_field_that_becomes_unique_is_enforced,
    a_field_that_becomes_required_or_optional_is_enforced,
    rules_and_attributes_change_without_naming_fields,
    a_refused_change_changes_nothing,
    realtime_and_rest_follow_a_changed_schema,
];

fn posts() -> Value {
    json!([{"name": "title", "type": "text"}, {"name": "n", "type": "number"}])
}

async fn start(backend: Backend) -> (TestApp, User) {
    let app = TestApp::spawn(backend).await;
    app.collection("posts", &posts(), &open()).await;
    let user = app.register().await;
    (app, user)
}

fn with(field: Value) -> Value {
    let mut fields = posts();
    fields.as_array_mut().unwrap().push(field);
    json!({"fields": fields})
}

async fn fields_can_be_added_and_used_at_once(backend: Backend) {
    let (app, user) = start(backend).await;
    let old = user.create("posts", &json!({"title": "old"})).await;
    let additions = json!([
        {"name": "tag", "type": "text", "default": "none"},
        {"name": "level", "type": "number", "required": true, "default": 3},
        {"name": "parent", "type": "reference", "collection": "posts", "on_delete": "set_null"},
        {"name": "code", "type": "text", "unique": true}
    ]);
    let mut fields = posts();
    fields
        .as_array_mut()
        .unwrap()
        .extend(additions.as_array().unwrap().iter().cloned());
    let changed = app
        .admin
        .put("/collections/posts", &json!({"schema": fields}))
        .await
        .ok(200);
    assert_eq!(
        (&changed["fields_count"], &changed["records_count"]),
        (&json!(6), &json!(1))
    );
    let path = format!("/records/posts/{}", old["id"].as_str().unwrap());
    let fetched = user.get(&path).await.ok(200);
    assert_eq!(
        (&fetched["title"], fetched["level"].as_f64()),
        (&json!("old"), Some(3.0))
    );
    let body = json!({"title": "new", "level": 1, "parent": old["id"], "code": "x"});
    let new = user.create("posts", &body).await;
    assert_eq!((&new["tag"], &new["parent"]), (&json!("none"), &old["id"]));
    user.post("/records/posts", &body)
        .await
        .refused(409, "code");
    assert_eq!(
        user.query("/records/posts", &[("filter", "level > 2")])
            .await
            .ok(200)["total"],
        1
    );
    // The new reference is a real one.
    user.delete(&path).await.ok(204);
    let orphan = user
        .get(&format!("/records/posts/{}", new["id"].as_str().unwrap()))
        .await
        .ok(200);
    assert_eq!(orphan["parent"], Value::Null);
}

async fn fields_cannot_be_deleted_nor_change_their_type(backend: Backend) {
    let (app, _user) = start(backend).await;
    let without = json!({"fields": [{"name": "title", "type": "text"}]});
    let refusal = app
        .admin
        .put("/collections/posts", &without)
        .await
        .refused(400, "deletion");
    assert_eq!(refusal["details"][0]["code"], "field_deletion_not_allowed");
    let renamed =
        json!({"fields": [{"name": "title", "type": "text"}, {"name": "m", "type": "number"}]});
    app.admin
        .put("/collections/posts", &renamed)
        .await
        .refused(400, "deletion");
    let other =
        json!({"fields": [{"name": "title", "type": "text"}, {"name": "n", "type": "text"}]});
    let refusal = app
        .admin
        .put("/collections/posts", &other)
        .await
        .refused(400, "type change");
    assert_eq!(refusal["details"][0]["code"], "type_change_not_allowed");
    app.admin
        .put("/collections/posts", &json!({"name": "pages"}))
        .await
        .refused(400, "/rename");
    app.admin
        .put("/collections/posts", &json!({"fields": []}))
        .await
        .refused(422, "");
    app.admin
        .put("/collections/nowhere", &json!({"fields": posts()}))
        .await
        .refused(404, "");
}

async fn what_records_violate_cannot_be_demanded(backend: Backend) {
    let (app, user) = start(backend).await;
    user.create("posts", &json!({"title": "same"})).await;
    user.create("posts", &json!({"title": "same"})).await;
    let unique = json!({"fields": [{"name": "title", "type": "text", "unique": true}, posts()[1]]});
    app.admin
        .put("/collections/posts", &unique)
        .await
        .refused(400, "");
    let required =
        json!({"fields": [posts()[0], {"name": "n", "type": "number", "required": true}]});
    app.admin
        .put("/collections/posts", &required)
        .await
        .refused(400, "");
    let added = with(json!({"name": "must", "type": "text", "required": true}));
    app.admin
        .put("/collections/posts", &added)
        .await
        .refused(400, "must");
    // Equal values in different accounts violate nothing.
    let (one, two) = (app.register().await, app.register().await);
    app.collection("pages", &posts(), &open()).await;
    one.create("pages", &json!({"title": "same"})).await;
    two.create("pages", &json!({"title": "same"})).await;
    app.admin.put("/collections/pages", &unique).await.ok(200);
}

async fn a_field_that_becomes_unique_is_enforced(backend: Backend) {
    let (app, user) = start(backend).await;
    user.create("posts", &json!({"title": "a"})).await;
    let unique = json!({"fields": [{"name": "title", "type": "text", "unique": true}, posts()[1]]});
    app.admin.put("/collections/posts", &unique).await.ok(200);
    let refusal = user
        .post("/records/posts", &json!({"title": "a"}))
        .await
        .refused(409, "title");
    assert_eq!(refusal["field"], "title");
    app.admin
        .put("/collections/posts", &json!({"fields": posts()}))
        .await
        .ok(200);
    user.create("posts", &json!({"title": "a"})).await;
}

async fn a_field_that_becomes_required_or_optional_is_enforced(backend: Backend) {
    let (app, user) = start(backend).await;
    user.create("posts", &json!({"n": 1})).await;
    let required =
        json!({"fields": [posts()[0], {"name": "n", "type": "number", "required": true}]});
    app.admin.put("/collections/posts", &required).await.ok(200);
    user.post("/records/posts", &json!({}))
        .await
        .problems(&[("n", "required_missing")]);
    app.admin
        .put("/collections/posts", &json!({"fields": posts()}))
        .await
        .ok(200);
    assert_eq!(user.create("posts", &json!({})).await["n"], Value::Null);
}

async fn rules_and_attributes_change_without_naming_fields(backend: Backend) {
    let (app, user) = start(backend).await;
    let changed = app
        .admin
        .put(
            "/collections/posts",
            &json!({"name": "posts", "list_rule": null}),
        )
        .await
        .ok(200);
    assert_eq!(changed["fields_count"], 2);
    user.get("/records/posts").await.refused(403, "locked");
    let masked = json!({"fields": [{"name": "title", "type": "text", "pii": true, "mask_type": "full"}, posts()[1]]});
    app.admin.put("/collections/posts", &masked).await.ok(200);
    let colleague = app.colleague_of(&user).await;
    assert_eq!(
        colleague.create("posts", &json!({"title": "abc"})).await["title"],
        "***"
    );
}

async fn a_refused_change_changes_nothing(backend: Backend) {
    let (app, user) = start(backend).await;
    let mut body = with(json!({"name": "tag", "type": "text"}));
    body["list_rule"] = json!("nonsense =");
    app.admin
        .put("/collections/posts", &body)
        .await
        .refused(400, "");
    assert_eq!(
        app.admin.get("/collections/posts").await.ok(200)["fields_count"],
        2
    );
    user.post("/records/posts", &json!({"tag": "x"}))
        .await
        .problems(&[("tag", "unknown_field")]);
    app.admin
        .put(
            "/collections/posts",
            &with(json!({"name": "tag", "type": "text"})),
        )
        .await
        .ok(200);
    user.create("posts", &json!({"tag": "x"})).await;
}

async fn realtime_and_rest_follow_a_changed_schema(backend: Backend) {
    let (app, user) = start(backend).await;
    let mut ws = crate::harness::Ws::connect(&user).await;
    ws.subscribe("posts").await;
    user.create("posts", &json!({"title": "before"})).await;
    assert_eq!(ws.expect_event("posts.create").await["title"], "before");
    app.admin
        .put(
            "/collections/posts",
            &with(json!({"name": "tag", "type": "text"})),
        )
        .await
        .ok(200);
    user.create("posts", &json!({"title": "after", "tag": "t"}))
        .await;
    let event = ws.expect_event("posts.create").await;
    assert_eq!(
        (&event["title"], &event["tag"]),
        (&json!("after"), &json!("t"))
    );
}
