use serde_json::{Value, json};

use crate::harness::{Backend, TestApp, open};

crate::both![
    deleting_takes_the_records_along_and_says_how_many,
    what_is_referred_to_cannot_be_deleted,
    a_name_can_be_used_again,
];

fn fields() -> Value {
    json!([{"name": "a", "type": "text", "unique": true}])
}

async fn deleting_takes_the_records_along_and_says_how_many(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let collection = app.collection("Posts", &fields(), &open()).await;
    let (user, other) = (app.register().await, app.register().await);
    user.create("Posts", &json!({})).await;
    other.create("Posts", &json!({})).await;
    let id = collection["id"].as_str().unwrap();
    let deleted = app
        .admin
        .delete(&format!("/collections/{id}"))
        .await
        .ok(200);
    for (key, value) in [
        ("collection_id", json!(id)),
        ("collection_name", json!("Posts")),
        ("table_name", json!("col_posts")),
        ("records_deleted", json!(2)),
    ] {
        assert_eq!(deleted[key], value, "{key}");
    }
    assert!(deleted["message"].is_string() && deleted["migration_revision"].is_string());
    user.get("/records/Posts").await.refused(404, "Posts");
    app.admin
        .delete(&format!("/collections/{id}"))
        .await
        .refused(404, "");
    app.admin
        .get("/collections/Posts/rules")
        .await
        .refused(404, "");
}

async fn what_is_referred_to_cannot_be_deleted(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    app.collection("authors", &fields(), &open()).await;
    let reference = json!([{"name": "author", "type": "reference", "collection": "authors", "on_delete": "cascade"}]);
    app.collection("books", &reference, &open()).await;
    app.admin
        .delete("/collections/authors")
        .await
        .refused(409, "books");
    app.admin.delete("/collections/books").await.ok(200);
    app.admin.delete("/collections/authors").await.ok(200);
    // A reference to oneself does not count.
    let reference = json!([{"name": "parent", "type": "reference", "collection": "nodes", "on_delete": "restrict"}]);
    app.collection("nodes", &reference, &open()).await;
    let user = app.register().await;
    let root = user.create_id("nodes", &json!({})).await;
    user.create("nodes", &json!({"parent": root})).await;
    assert_eq!(
        app.admin.delete("/collections/nodes").await.ok(200)["records_deleted"],
        2
    );
}

async fn a_name_can_be_used_again(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let user = app.register().await;
    for round in 0..3 {
        let kind = ["text", "number", "json"][round];
        let value = [json!("x"), json!(1.5), json!({"y": 2})][round].clone();
        app.collection("again", &json!([{"name": "a", "type": kind}]), &open())
            .await;
        let created = user.create("again", &json!({"a": value})).await;
        assert_eq!(created["a"], value);
        assert_eq!(user.get("/records/again").await.ok(200)["total"], 1);
        app.admin.delete("/collections/again").await.ok(200);
    }
}
