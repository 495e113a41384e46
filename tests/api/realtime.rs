//! Who is told what, and how.

mod convergence;
mod hooks;
mod life;
mod sight;
mod sse;
mod ws;

use serde_json::{Value, json};

use crate::harness::{Backend, TestApp, User};

/// A server with a collection `posts` under these rules, and a user.
async fn posts(backend: Backend, rules: &Value) -> (TestApp, User) {
    let app = TestApp::spawn(backend).await;
    define(&app, rules).await;
    let user = app.register().await;
    (app, user)
}

async fn define(app: &TestApp, rules: &Value) {
    let fields = json!([
        {"name": "title", "type": "text"},
        {"name": "owner", "type": "text"},
        {"name": "secret", "type": "text"},
        {"name": "mail", "type": "email", "pii": true, "mask_type": "email"}
    ]);
    app.collection("posts", &fields, rules).await;
}
