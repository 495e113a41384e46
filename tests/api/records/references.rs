use serde_json::{Value, json};

use crate::harness::{Backend, TestApp, User, open};

crate::both![
    a_reference_needs_a_record_of_the_same_account,
    deleting_what_is_referred_to_cascades_nulls_or_is_refused,
    a_collection_may_refer_to_itself,
    a_superadmins_reference_is_looked_up_in_the_records_account,
];

async fn books(backend: Backend) -> (TestApp, User) {
    let app = TestApp::spawn(backend).await;
    app.collection(
        "authors",
        &json!([{"name": "name", "type": "text"}]),
        &open(),
    )
    .await;
    for (name, on_delete) in [
        ("books", "cascade"),
        ("notes", "set_null"),
        ("prizes", "restrict"),
    ] {
        let author = json!({"name": "author", "type": "reference", "collection": "authors", "on_delete": on_delete});
        app.collection(name, &json!([author]), &open()).await;
    }
    let user = app.register().await;
    (app, user)
}

async fn a_reference_needs_a_record_of_the_same_account(backend: Backend) {
    let (app, user) = books(backend).await;
    let author = user.create_id("authors", &json!({"name": "mine"})).await;
    let book = user.create("books", &json!({"author": author})).await;
    assert_eq!(book["author"], author.as_str());
    let stranger = app.register().await;
    let body = json!({"author": author});
    stranger
        .post("/records/books", &body)
        .await
        .problems(&[("author", "invalid_reference")]);
    let own = stranger.create_id("books", &json!({})).await;
    let path = format!("/records/books/{own}");
    stranger
        .patch(&path, &body)
        .await
        .problems(&[("author", "invalid_reference")]);
    stranger
        .put(&path, &body)
        .await
        .problems(&[("author", "invalid_reference")]);
    let batch = json!({"records": [{"author": author}]});
    let refusal = stranger
        .post("/records/books/batch", &batch)
        .await
        .refused(400, "");
    assert_eq!(refusal["index"], 0);
    assert_eq!(stranger.get(&path).await.ok(200)["author"], Value::Null);
}

async fn deleting_what_is_referred_to_cascades_nulls_or_is_refused(backend: Backend) {
    let (_app, user) = books(backend).await;
    let author = user.create_id("authors", &json!({"name": "a"})).await;
    let reference = json!({"author": author});
    let book = user.create_id("books", &reference).await;
    let note = user.create_id("notes", &reference).await;
    let prize = user.create_id("prizes", &reference).await;
    let path = format!("/records/authors/{author}");
    let refusal = user.delete(&path).await.refused(409, "");
    assert_eq!(refusal["error"], "Conflict");
    user.delete_with("/records/authors/batch", &json!({"ids": [author]}))
        .await
        .refused(409, "");
    user.get(&format!("/records/books/{book}")).await.ok(200);
    user.delete(&format!("/records/prizes/{prize}"))
        .await
        .ok(204);
    user.delete(&path).await.ok(204);
    user.get(&format!("/records/books/{book}"))
        .await
        .refused(404, "");
    assert_eq!(
        user.get(&format!("/records/notes/{note}")).await.ok(200)["author"],
        Value::Null
    );
}

async fn a_collection_may_refer_to_itself(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let parent = json!({"name": "parent", "type": "reference", "collection": "nodes", "on_delete": "cascade"});
    app.collection("nodes", &json!([parent]), &open()).await;
    let user = app.register().await;
    let root = user.create_id("nodes", &json!({})).await;
    let child = user.create_id("nodes", &json!({"parent": root})).await;
    let grandchild = user.create_id("nodes", &json!({"parent": child})).await;
    user.patch(
        &format!("/records/nodes/{root}"),
        &json!({"parent": grandchild}),
    )
    .await
    .ok(200);
    user.delete(&format!("/records/nodes/{child}"))
        .await
        .ok(204);
    assert_eq!(user.get("/records/nodes").await.ok(200)["total"], 0);
}

async fn a_superadmins_reference_is_looked_up_in_the_records_account(backend: Backend) {
    let (app, user) = books(backend).await;
    let author = user.create_id("authors", &json!({"name": "a"})).await;
    let book = user.create_id("books", &json!({})).await;
    let changed = app
        .admin
        .patch(
            &format!("/records/books/{book}"),
            &json!({"author": author}),
        )
        .await
        .ok(200);
    assert_eq!(changed["author"], author.as_str());
    let body = json!({"author": author});
    app.admin
        .post("/records/books", &body)
        .await
        .problems(&[("author", "invalid_reference")]);
    let body = json!({"author": author, "account_id": user.account_id});
    app.admin.create("books", &body).await;
}
