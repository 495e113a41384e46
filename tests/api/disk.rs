//! A disk that is nearly full: what makes the database larger is refused, everything else goes on.

use serde_json::json;

use crate::harness::{Backend, PASSWORD, SUPERADMIN, TestApp, open};

async fn app_with(min_free_disk_bytes: u64) -> TestApp {
    TestApp::spawn_with(Backend::Sqlite, |config| {
        config.database.min_free_disk_bytes = min_free_disk_bytes;
    })
    .await
}

#[tokio::test]
async fn writes_are_refused_while_the_disk_is_low_and_reads_and_sign_ins_go_on() {
    let app = app_with(u64::MAX).await;
    let refusal = app
        .admin
        .post("/collections", &json!({"name": "notes", "schema": []}))
        .await
        .refused(507, "disk");
    assert_eq!(refusal["error"], "insufficient_storage");
    for path in [
        "/records/notes",
        "/records/notes/batch",
        "/users",
        "/groups",
        "/auth/register",
    ] {
        app.admin.post(path, &json!({})).await.refused(507, "disk");
    }
    app.admin
        .patch("/records/notes/1", &json!({}))
        .await
        .refused(507, "disk");
    app.admin
        .put("/records/notes/1", &json!({}))
        .await
        .refused(507, "disk");
    app.admin.get("/collections").await.ok(200);
    app.admin
        .delete("/collections/notes")
        .await
        .refused(404, "");
    let ready = app.anonymous().get("//ready").await.ok(200);
    assert_eq!(ready["disk"], "low");
    app.anonymous().login("system", SUPERADMIN, PASSWORD).await;
}

#[tokio::test]
async fn with_enough_space_writes_are_taken() {
    let app = app_with(1).await;
    app.collection(
        "notes",
        &json!([{"name": "title", "type": "text"}]),
        &open(),
    )
    .await;
    app.register()
        .await
        .create("notes", &json!({"title": "a"}))
        .await;
}
