use serde_json::{Value, json};

use crate::harness::{Backend, TestApp, address, open};

crate::both![
    who_may_view_a_record_may_have_its_files,
    fields_that_are_not_seen_open_no_file,
    public_records_have_public_files,
    restricted_keys_need_the_scope,
    pocketbase_addresses_resolve,
];

async fn who_may_view_a_record_may_have_its_files(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let mut rules = open();
    rules["view_rule"] = json!("reader = @request.auth.id || created_by = @request.auth.id");
    let fields = json!([{"name": "reader", "type": "text"}, {"name": "f", "type": "file"}]);
    app.collection("letters", &fields, &rules).await;
    let user = app.register().await;
    let (reader, other) = (app.colleague_of(&user).await, app.colleague_of(&user).await);
    let file = user.upload_text("dear reader").await;
    let path = address(&file);
    reader.get(&path).await.refused(403, "");
    let letter = user
        .create_id("letters", &json!({"reader": reader.id, "f": file}))
        .await;
    assert_eq!(reader.get(&path).await.text, "dear reader");
    other.get(&path).await.refused(403, "");
    app.register()
        .await
        .get(&path)
        .await
        .refused(403, "account");
    let change = json!({"reader": other.id});
    user.patch(&format!("/records/letters/{letter}"), &change)
        .await
        .ok(200);
    reader.get(&path).await.refused(403, "");
    assert_eq!(other.get(&path).await.text, "dear reader");
    user.delete(&format!("/records/letters/{letter}"))
        .await
        .ok(204);
    other.get(&path).await.refused(403, "");
    assert_eq!(user.get(&path).await.text, "dear reader");
}

async fn fields_that_are_not_seen_open_no_file(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let fields = json!([{"name": "shown", "type": "file"}, {"name": "hidden", "type": "file"},
        {"name": "masked", "type": "file", "pii": true}]);
    let mut rules = open();
    rules["view_fields"] = json!(["shown", "masked"]);
    app.collection("papers", &fields, &rules).await;
    let user = app.register().await;
    let colleague = app.colleague_of(&user).await;
    let mut files = Vec::new();
    for name in ["shown", "hidden", "masked"] {
        files.push(user.upload_text(name).await);
    }
    let record = json!({"shown": files[0], "hidden": files[1], "masked": files[2]});
    user.create("papers", &record).await;
    assert_eq!(colleague.get(&address(&files[0])).await.text, "shown");
    colleague.get(&address(&files[1])).await.refused(403, "");
    colleague.get(&address(&files[2])).await.refused(403, "");
}

async fn public_records_have_public_files(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    app.collection("posts", &json!([{"name": "f", "type": "file"}]), &open())
        .await;
    let user = app.register().await;
    let file = user.upload_text("for all").await;
    app.anonymous().get(&address(&file)).await.refused(401, "");
    user.create("posts", &json!({"f": file})).await;
    let answer = app.anonymous().get(&address(&file)).await;
    assert_eq!((answer.status, answer.text.as_str()), (200, "for all"));
    assert_eq!(
        answer.headers["cache-control"].to_str().unwrap(),
        "public, max-age=300"
    );
    app.rules("posts", &json!({"view_rule": Value::Null})).await;
    app.anonymous().get(&address(&file)).await.refused(401, "");
    for path in ["/files/x", "/files/..%2f..%2fetc%2fpasswd", "/files/s3/x/y"] {
        app.anonymous().get(path).await.refused(401, "");
    }
}

async fn restricted_keys_need_the_scope(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let user = app.admin.bare();
    let path = address(&app.admin.upload_text("words").await);
    for (scopes, reads, writes) in [
        (json!(["files:read"]), 200, 403),
        (json!(["files:write"]), 403, 201),
        (json!(["records:read"]), 403, 403),
    ] {
        let body = json!({"name": "key", "scopes": scopes});
        let key = app.admin.post("/admin/api-keys", &body).await.ok(201)["key"].clone();
        let with_key = user.with_header("x-api-key", key.as_str().unwrap());
        assert_eq!(with_key.get(&path).await.status, reads, "{scopes}");
        assert_eq!(
            with_key.upload("a.txt", "text/plain", b"a").await.status,
            writes,
            "{scopes}"
        );
    }
}

async fn pocketbase_addresses_resolve(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let made = app
        .collection("posts", &json!([{"name": "f", "type": "file"}]), &open())
        .await;
    let user = app.register().await;
    let file = user.upload_text("for all").await;
    let id = user.create_id("posts", &json!({"f": file})).await;
    let stored = file["path"]
        .as_str()
        .unwrap()
        .split_once('/')
        .unwrap()
        .1
        .to_owned();
    let collection = made["id"].as_str().unwrap();
    for path in [
        format!("//api/files/posts/{id}/note.txt"),
        format!("//api/files/{collection}/{id}/{stored}?thumb=100x100"),
    ] {
        let answer = app.anonymous().get(&path).await;
        assert_eq!(
            (answer.status, answer.text.as_str()),
            (200, "for all"),
            "{path}"
        );
        let disposition = answer.headers["content-disposition"].to_str().unwrap();
        assert!(disposition.starts_with("inline"), "{disposition}");
    }
    for path in [
        "posts/x/note.txt",
        &format!("nowhere/{id}/note.txt"),
        &format!("posts/{id}/other.txt"),
    ] {
        app.anonymous()
            .get(&format!("//api/files/{path}"))
            .await
            .refused(404, "");
    }
    app.rules("posts", &json!({"view_rule": Value::Null})).await;
    app.anonymous()
        .get(&format!("//api/files/posts/{id}/note.txt"))
        .await
        .refused(401, "");
}
