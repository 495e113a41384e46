use serde_json::{Value, json};

use crate::harness::{Backend, TestApp, closed, open};

crate::both![
    what_is_exported_can_be_imported_elsewhere,
    a_taken_name_stops_the_whole_import,
    taken_names_can_be_skipped_or_updated,
    collections_may_refer_to_one_another_in_any_order,
    an_import_that_fails_leaves_nothing_behind,
    files_of_another_shape_are_refused,
];

fn fields() -> Value {
    json!([
        {"name": "title", "type": "text", "required": true, "options": {"max_length": 80}},
        {"name": "mail", "type": "email", "pii": true, "mask_type": "email"}
    ])
}

fn file(collections: &Value) -> Value {
    json!({"version": "1.0", "exported_at": "2026-01-01T00:00:00Z", "exported_by": "a@example.com",
        "collections": collections})
}

async fn what_is_exported_can_be_imported_elsewhere(backend: Backend) {
    let (one, two) = (TestApp::spawn(backend).await, TestApp::spawn(backend).await);
    let mut rules = open();
    rules["update_rule"] = json!("@owns_record && title != 'x'");
    rules["view_fields"] = json!("[\"title\"]");
    let posts = one.collection("Posts", &fields(), &rules).await;
    one.collection("pages", &fields(), &closed()).await;
    let answer = one.admin.get("/collections/export").await;
    let disposition = answer.header("content-disposition").unwrap().to_owned();
    let (name, date) = disposition.split_at("attachment; filename=collections_export_".len());
    assert!(
        name.starts_with("attachment; filename=") && date.len() == "20260101_000000.json".len(),
        "{disposition}"
    );
    let export = answer.ok(200);
    assert_eq!(
        (&export["version"], &export["exported_by"]),
        (&json!("1.0"), &json!(one.admin.email))
    );
    let names: Vec<&Value> = export["collections"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| &c["name"])
        .collect();
    assert_eq!(names, ["Posts", "pages"]);
    let result = two
        .admin
        .post("/collections/import", &json!({"data": export}))
        .await
        .ok(200);
    assert_eq!(
        (
            &result["success"],
            &result["imported_count"],
            &result["failed_count"]
        ),
        (&json!(true), &json!(2), &json!(0))
    );
    assert_eq!(result["collections"][0]["status"], "imported");
    assert_eq!(result["migrations_created"].as_array().unwrap().len(), 2);
    let again = two.admin.get("/collections/export").await.ok(200);
    assert_eq!(again["collections"], export["collections"]);
    // It is a real collection there.
    let user = two.register().await;
    assert_eq!(
        user.create("Posts", &json!({"title": "a"})).await["title"],
        "a"
    );
    // Chosen by id; ids that do not exist are left out.
    let chosen = format!(
        "/collections/export?collection_ids={},nowhere",
        posts["id"].as_str().unwrap()
    );
    assert_eq!(
        one.admin.get(&chosen).await.ok(200)["collections"],
        json!([export["collections"][0]])
    );
}

async fn a_taken_name_stops_the_whole_import(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    app.collection("posts", &fields(), &closed()).await;
    let data = file(
        &json!([{"name": "fresh", "schema": fields()}, {"name": "POSTS", "schema": fields()}]),
    );
    for body in [
        json!({"data": data}),
        json!({"data": data, "strategy": "error"}),
    ] {
        let refusal = app
            .admin
            .post("/collections/import", &body)
            .await
            .refused(409, "posts");
        assert_eq!(
            (&refusal["error"], &refusal["field"]),
            (&json!("Conflict"), &json!("name"))
        );
    }
    assert_eq!(
        app.admin.get("/collections/names").await.ok(200)["names"],
        json!(["posts"])
    );
}

async fn taken_names_can_be_skipped_or_updated(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    app.collection("posts", &fields(), &closed()).await;
    let mut changed = fields();
    changed
        .as_array_mut()
        .unwrap()
        .push(json!({"name": "tag", "type": "text"}));
    let data = file(&json!([
        {"name": "posts", "schema": changed, "rules": {"list_rule": "", "create_rule": "tag = 'x'"}},
        {"name": "pages", "schema": fields()}
    ]));
    let import = |strategy: &str| json!({"data": data, "strategy": strategy});
    let skipped = app
        .admin
        .post("/collections/import", &import("skip"))
        .await
        .ok(200);
    assert_eq!(
        (&skipped["skipped_count"], &skipped["imported_count"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(
        app.admin.get("/collections/posts").await.ok(200)["fields_count"],
        2
    );
    let updated = app
        .admin
        .post("/collections/import", &import("update"))
        .await
        .ok(200);
    assert_eq!(
        (&updated["updated_count"], &updated["success"]),
        (&json!(2), &json!(true))
    );
    assert_eq!(updated["collections"][0]["status"], "updated");
    let rules = app.admin.get("/collections/posts/rules").await.ok(200);
    assert_eq!(
        (&rules["list_rule"], &rules["create_rule"]),
        (&json!(""), &json!("tag = 'x'"))
    );
    // What an update may not do, an import may not do either.
    let data = file(&json!([{"name": "posts", "schema": fields()}]));
    let body = json!({"data": data, "strategy": "update"});
    app.admin
        .post("/collections/import", &body)
        .await
        .refused(400, "deletion");
}

async fn collections_may_refer_to_one_another_in_any_order(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let reference = |name: &str, to: &str| json!({"name": name, "type": "reference", "collection": to, "on_delete": "cascade"});
    let data = file(&json!([
        {"name": "books", "schema": [reference("author", "authors"), reference("sequel", "books")], "rules": open()},
        {"name": "authors", "schema": [{"name": "name", "type": "text"}, reference("best", "BOOKS")], "rules": open()}
    ]));
    app.admin
        .post("/collections/import", &json!({"data": data}))
        .await
        .ok(200);
    let user = app.register().await;
    let author = user.create_id("authors", &json!({"name": "A"})).await;
    let book = user.create_id("books", &json!({"author": author})).await;
    user.patch(
        &format!("/records/authors/{author}"),
        &json!({"best": book}),
    )
    .await
    .ok(200);
    user.delete(&format!("/records/authors/{author}"))
        .await
        .ok(204);
    assert_eq!(user.get("/records/books").await.ok(200)["total"], 0);
}

async fn an_import_that_fails_leaves_nothing_behind(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let good = json!({"name": "good", "schema": fields()});
    let bad_field = json!({"name": "other", "schema": [{"name": "1x", "type": "text"}]});
    let bad_target = json!({"name": "other", "schema": [{"name": "r", "type": "reference", "collection": "no", "on_delete": "cascade"}]});
    let bad_rule =
        json!({"name": "other", "schema": fields(), "rules": {"list_rule": "nothing = 1"}});
    let empty = json!({"name": "other", "schema": []});
    for (bad, status, part) in [
        (&bad_field, 400, "data.collections[1].schema[0].name"),
        (&bad_target, 400, "data.collections[1].schema[0].collection"),
        (&bad_rule, 400, "data.collections[1].rules"),
        (&empty, 422, ""),
        (&good, 400, "data.collections[1].name"),
    ] {
        let body = json!({"data": file(&json!([good, bad]))});
        app.admin
            .post("/collections/import", &body)
            .await
            .refused(status, part);
        assert_eq!(
            app.admin.get("/collections/names").await.ok(200)["total"],
            0
        );
    }
    app.collection("good", &fields(), &open()).await;
}

async fn files_of_another_shape_are_refused(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let mut newer = file(&json!([]));
    newer["version"] = json!("2.0");
    app.admin
        .post("/collections/import", &json!({"data": newer}))
        .await
        .refused(400, "2.0");
    for missing in ["version", "exported_at", "exported_by", "collections"] {
        let mut data = file(&json!([]));
        data.as_object_mut().unwrap().remove(missing);
        app.admin
            .post("/collections/import", &json!({"data": data}))
            .await
            .refused(422, "");
    }
    let body = json!({"data": file(&json!([])), "strategy": "merge"});
    app.admin
        .post("/collections/import", &body)
        .await
        .refused(422, "");
    app.admin
        .post("/collections/import", &json!({}))
        .await
        .refused(422, "");
    let user = app.register().await;
    user.get("/collections/export").await.refused(403, "");
    user.post("/collections/import", &json!({"data": file(&json!([]))}))
        .await
        .refused(403, "");
}
