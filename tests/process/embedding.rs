//! A program that embeds the server: `examples/hooks.rs`.

use serde_json::json;

use crate::harness::{Backend, Database, PASSWORD, Process, Ws, open};

crate::both![the_example_refuses_fills_in_and_notes];

async fn the_example_refuses_fills_in_and_notes(backend: Backend) {
    let database = Database::create(backend).await;
    let mut server = Process::example("hooks", &database);
    let admin = server.admin().await;
    let fields = json!([{"name": "title", "type": "text"}, {"name": "slug", "type": "text"}]);
    for name in ["articles", "letters"] {
        let mut collection = open();
        collection["name"] = json!(name);
        collection["fields"] = fields.clone();
        admin.post("/collections", &collection).await.ok(201);
    }
    let body = json!({"email": "user@example.com", "password": PASSWORD, "account_name": "acme"});
    server
        .anonymous()
        .post("/auth/register", &body)
        .await
        .ok(201);
    let user = server
        .anonymous()
        .login("acme", "user@example.com", PASSWORD)
        .await;
    let mut ws = Ws::connect(&user).await;
    assert!(server.wait_for("is connected as").starts_with(&user.id));
    ws.subscribe("articles").await;

    user.post("/records/articles", &json!({"title": "BUY NOW"}))
        .await
        .refused(418, "Please do not shout");
    let batch = json!({"records": [{"title": "fine"}, {"title": "BUY NOW"}]});
    user.post("/records/articles/batch", &batch)
        .await
        .refused(418, "Please do not shout");
    assert_eq!(user.get("/records/articles").await.ok(200)["total"], 0);

    let created = user
        .create("articles", &json!({"title": "Hello, World!"}))
        .await;
    assert_eq!(created["slug"], "hello-world");
    assert_eq!(ws.expect_event("articles.create").await, created);
    let given = user
        .create("articles", &json!({"title": "Hello", "slug": "own"}))
        .await;
    assert_eq!(given["slug"], "own");
    // Other collections are no concern of these hooks.
    assert_eq!(
        user.create("letters", &json!({"title": "BUY NOW"})).await["slug"],
        json!(null)
    );
    assert!(server.terminate(), "it ends well when it is asked to");
}
