//! Whatever is sent: the answer is the client's fault, never the server's, and the server goes on.

mod bodies;
mod bytes;
mod misspelt;
mod sweep;
mod texts;

use reqwest::Method;
use serde_json::json;

use crate::harness::{Answer, Backend, TestApp, User, open};

async fn start(backend: Backend) -> (TestApp, User) {
    let app = TestApp::spawn_with(backend, |config| config.limits.body_bytes = 200_000).await;
    let fields = json!([{"name": "text", "type": "text"}, {"name": "n", "type": "number"}, {"name": "j", "type": "json"}]);
    app.collection("items", &fields, &open()).await;
    let user = app.register().await;
    (app, user)
}

/// Bad requests must leave a server that serves.
async fn healthy(app: &TestApp, user: &User) {
    assert_eq!(
        app.anonymous().get("//ready").await.ok(200)["status"],
        "ready"
    );
    let id = user
        .create_id("items", &json!({"text": "still here"}))
        .await;
    user.get(&format!("/records/items/{id}")).await.ok(200);
}

async fn post(user: &User, body: impl Into<reqwest::Body>) -> Answer {
    let request = user
        .request(Method::POST, "/records/items")
        .header("content-type", "application/json")
        .body(body);
    user.send(request).await
}
