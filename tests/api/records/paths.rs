//! Parts of JSON documents in filters, rules, computed fields and subscriptions.

use serde_json::{Value, json};

use crate::harness::{Backend, TestApp, User, Ws, open};

crate::both![
    parts_select_records_as_their_types_say,
    rules_look_into_documents_and_bodies,
    computed_fields_make_parts_sortable,
    subscriptions_are_filtered_by_parts,
    hidden_masked_and_encrypted_documents_are_no_oracle,
    a_renamed_document_keeps_its_rules,
];

async fn shops(backend: Backend) -> (TestApp, User) {
    let app = TestApp::spawn(backend).await;
    let fields = json!([
        {"name": "name", "type": "text"},
        {"name": "meta", "type": "json"},
        {"name": "photo", "type": "file"},
        {"name": "city", "type": "computed", "expression": "meta.address.city", "return_type": "text"},
        {"name": "visits", "type": "computed", "expression": "coalesce(meta.visits, 0) + 1", "return_type": "number"}
    ]);
    app.collection("shops", &fields, &open()).await;
    let user = app.register().await;
    let photo =
        json!({"filename": "a.png", "size": 2048, "mime_type": "image/png", "path": "x/a.png"});
    let records = json!({"records": [
        {"name": "a", "meta": {"address": {"city": "Berlin"}, "visits": 3, "open": true, "tags": ["x"]}, "photo": photo},
        {"name": "b", "meta": {"address": {"city": "berlin's \"Mitte\""}, "visits": "3", "open": false}},
        {"name": "c", "meta": {"address": "Berlin", "visits": null, "open": "true"}},
        {"name": "d", "meta": ["Berlin"]},
        {"name": "e"}
    ]});
    user.post("/records/shops/batch", &records).await.ok(201);
    (app, user)
}

async fn found(user: &User, filter: &str) -> String {
    let list = user
        .query("/records/shops", &[("filter", filter), ("sort", "name")])
        .await
        .ok(200);
    list["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["name"].as_str().unwrap())
        .collect()
}

async fn parts_select_records_as_their_types_say(backend: Backend) {
    let (_app, user) = shops(backend).await;
    for (filter, expected) in [
        ("meta.address.city = 'Berlin'", "a"),
        ("meta.address.city ~ 'berlin%'", "ab"),
        ("meta.address.city = 'berlin\\'s \"Mitte\"'", "b"),
        ("meta.address = 'Berlin'", "c"),
        ("meta.address != 'Berlin'", "ab"),
        ("meta.visits = 3", "a"),
        ("meta.visits = '3'", "b"),
        ("meta.visits != 3", "b"),
        ("meta.visits > 2 || meta.visits >= '3'", "ab"),
        ("meta.visits IN (1, 3, '3')", "ab"),
        ("meta.visits IS NULL", "cde"),
        ("meta.visits = null && meta IS NOT NULL", "cd"),
        ("meta.open", "a"),
        ("!meta.open", "b"),
        ("meta.open = 'true'", "c"),
        ("meta.tags.0 IS NOT NULL", ""),
        (
            "upper(meta.address.city) = 'BERLIN' && meta.visits * 2 = 6",
            "a",
        ),
        ("photo.size >= 2048 && photo.mime_type ~ 'image/%'", "a"),
        ("meta.address.city < name", "a"),
    ] {
        assert_eq!(found(&user, filter).await, expected, "{filter}");
    }
    for (filter, part) in [
        ("name.x = 1", "no document"),
        ("nothing.x = 1", "no field"),
        ("meta.a = meta.b", "a text, a number or a boolean"),
        ("meta.at > created_at", "date or time"),
        ("meta..a = 1", "single dots"),
        ("city.x = 1", "no document"),
    ] {
        user.query("/records/shops", &[("filter", filter)])
            .await
            .refused(400, part);
    }
}

async fn rules_look_into_documents_and_bodies(backend: Backend) {
    let (app, user) = shops(backend).await;
    let rules = json!({
        "list_rule": "meta.owner = @request.auth.id", "view_rule": "meta.owner = @request.auth.id || meta.public",
        "create_rule": "@request.data.meta.owner = @request.auth.id && meta.level < 3",
        "update_rule": "meta.owner = @request.auth.id && @request.data.meta.owner IS NULL", "delete_rule": "meta.level = 1"
    });
    app.rules("shops", &rules).await;
    let other = app.colleague_of(&user).await;
    let body = |level: i64, owner: &str| json!({"name": "n", "meta": {"owner": owner, "level": level, "public": level == 2}});
    user.post("/records/shops", &body(3, &user.id))
        .await
        .refused(400, "");
    user.post("/records/shops", &body(1, &other.id))
        .await
        .refused(400, "");
    user.post("/records/shops", &json!({"name": "n"}))
        .await
        .refused(400, "");
    let mine = user.create_id("shops", &body(1, &user.id)).await;
    let public = user.create_id("shops", &body(2, &user.id)).await;
    assert_eq!(user.get("/records/shops").await.ok(200)["total"], 2);
    assert_eq!(other.get("/records/shops").await.ok(200)["total"], 0);
    other.get(&format!("/records/shops/{public}")).await.ok(200);
    other
        .get(&format!("/records/shops/{mine}"))
        .await
        .refused(404, "");
    user.patch(&format!("/records/shops/{mine}"), &json!({"name": "new"}))
        .await
        .ok(200);
    user.patch(
        &format!("/records/shops/{mine}"),
        &json!({"meta": {"owner": other.id}}),
    )
    .await
    .refused(404, "");
    user.delete(&format!("/records/shops/{public}"))
        .await
        .refused(404, "");
    other
        .delete(&format!("/records/shops/{mine}"))
        .await
        .ok(204);
}

async fn computed_fields_make_parts_sortable(backend: Backend) {
    let (_app, user) = shops(backend).await;
    let list = user.get("/records/shops?sort=-city,name").await.ok(200);
    let names: String = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, "bacde");
    assert_eq!(
        (&list["items"][1]["city"], &list["items"][2]["city"]),
        (&json!("Berlin"), &Value::Null)
    );
    let visits: Vec<Option<f64>> = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["visits"].as_f64())
        .collect();
    assert_eq!(
        visits,
        [Some(1.0), Some(4.0), Some(1.0), Some(1.0), Some(1.0)]
    );
    let groups = user
        .get("/records/shops/aggregate?functions=count()&group_by=city")
        .await
        .ok(200);
    assert_eq!(
        (&groups["total_groups"], &groups["results"][1]["city"]),
        (&json!(3), &json!("Berlin"))
    );
}

async fn subscriptions_are_filtered_by_parts(backend: Backend) {
    let (app, user) = shops(backend).await;
    app.rules(
        "shops",
        &json!({"list_rule": "meta.secret != true || meta.secret IS NULL"}),
    )
    .await;
    let mut ws = Ws::connect(&user).await;
    let subscribe = json!({"action": "subscribe", "collection": "shops", "filter": "meta.address.city = 'Berlin'"});
    ws.send(&subscribe).await;
    assert_eq!(ws.frame().await["type"], "subscribed");
    user.create(
        "shops",
        &json!({"name": "no", "meta": {"address": {"city": "Bonn"}}}),
    )
    .await;
    user.create(
        "shops",
        &json!({"name": "secret", "meta": {"address": {"city": "Berlin"}, "secret": true}}),
    )
    .await;
    user.create(
        "shops",
        &json!({"name": "yes", "meta": {"address": {"city": "Berlin"}}}),
    )
    .await;
    assert_eq!(ws.expect_event("shops.create").await["name"], "yes");
}

async fn hidden_masked_and_encrypted_documents_are_no_oracle(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let fields = json!([
        {"name": "open", "type": "json"},
        {"name": "hidden", "type": "json"},
        {"name": "personal", "type": "json", "pii": true},
        {"name": "sealed", "type": "json", "encrypted": true}
    ]);
    app.collection("files", &fields, &open()).await;
    app.rules(
        "files",
        &json!({"list_fields": ["open", "personal", "sealed"]}),
    )
    .await;
    let user = app.register().await;
    let colleague = app.colleague_of(&user).await;
    let body =
        json!({"open": {"a": 1}, "hidden": {"a": 1}, "personal": {"a": 1}, "sealed": {"a": 1}});
    user.create("files", &body).await;
    let ask = async |filter: &str| {
        colleague
            .query("/records/files", &[("filter", filter)])
            .await
    };
    assert_eq!(ask("open.a = 1").await.ok(200)["total"], 1);
    ask("hidden.a = 1").await.refused(400, "hidden");
    ask("personal.a = 1").await.refused(400, "personal");
    ask("sealed.a = 1").await.refused(400, "sealed");
}

async fn a_renamed_document_keeps_its_rules(backend: Backend) {
    let (app, user) = shops(backend).await;
    app.rules(
        "shops",
        &json!({"list_rule": "meta.visits = 3", "create_rule": "@request.data.meta.visits = 3"}),
    )
    .await;
    app.admin
        .put("/collections/shops", &json!({"rename": {"meta": "more"}}))
        .await
        .ok(200);
    let rules = app.admin.get("/collections/shops/rules").await.ok(200);
    assert_eq!(
        (&rules["list_rule"], &rules["create_rule"]),
        (
            &json!("more.visits = 3"),
            &json!("@request.data.more.visits = 3")
        )
    );
    assert_eq!(
        found(&user, "more.visits IS NOT NULL && city = 'Berlin'").await,
        "a"
    );
}
