use serde_json::{Value, json};

use super::download::on_disk;
use crate::harness::{Backend, TestApp, address, open};

crate::both![
    what_no_record_names_is_removed_in_time,
    replaced_and_deleted_files_go,
    what_a_deleted_account_had_goes,
    a_dropped_collection_lets_files_go,
];

/// A server that keeps nothing that no record names.
async fn app(backend: Backend) -> TestApp {
    let app = TestApp::spawn_with(backend, |config| {
        config.files.grace_seconds = 0;
        config.files.unclaimed_seconds = 86_400;
    })
    .await;
    app.collection("posts", &json!([{"name": "f", "type": "file"}]), &open())
        .await;
    app
}

async fn sweep(app: &TestApp) -> usize {
    app.services().files.sweep().await.unwrap()
}

async fn what_no_record_names_is_removed_in_time(backend: Backend) {
    let app = TestApp::spawn_with(backend, |config| {
        // Nothing is kept; the check knows no zero seconds but "for ever".
        config.files.unclaimed_seconds = 1;
        config.files.grace_seconds = 3600;
    })
    .await;
    app.collection("posts", &json!([{"name": "f", "type": "file"}]), &open())
        .await;
    let user = app.register().await;
    let (named, unnamed) = (
        user.upload_text("named").await,
        user.upload_text("unnamed").await,
    );
    user.create("posts", &json!({"f": named})).await;
    crate::harness::eventually("the upload is old enough", async || sweep(&app).await == 1).await;
    user.get(&address(&unnamed)).await.refused(404, "");
    assert_eq!(user.get(&address(&named)).await.text, "named");
    assert!(on_disk(&app, &named) && !on_disk(&app, &unnamed));
    let listed = user.get("/files").await.ok(200);
    assert_eq!(
        (&listed["total"], &listed["used_bytes"]),
        (&json!(1), &json!(5))
    );
}

async fn replaced_and_deleted_files_go(backend: Backend) {
    let app = app(backend).await;
    let user = app.register().await;
    let (first, second, shared) = (
        user.upload_text("first").await,
        user.upload_text("second").await,
        user.upload_text("shared").await,
    );
    let one = user.create_id("posts", &json!({"f": first})).await;
    let other = user.create_id("posts", &json!({"f": shared})).await;
    user.create("posts", &json!({"f": shared})).await;
    user.patch(&format!("/records/posts/{one}"), &json!({"f": second}))
        .await
        .ok(200);
    user.delete(&format!("/records/posts/{other}"))
        .await
        .ok(204);
    assert_eq!(sweep(&app).await, 1);
    assert!(!on_disk(&app, &first) && on_disk(&app, &second) && on_disk(&app, &shared));
    user.delete(&format!("/records/posts/{one}")).await.ok(204);
    assert_eq!(sweep(&app).await, 1);
    assert!(!on_disk(&app, &second) && on_disk(&app, &shared));
    assert_eq!(user.get(&address(&shared)).await.text, "shared");
}

async fn what_a_deleted_account_had_goes(backend: Backend) {
    let app = app(backend).await;
    let (user, other) = (app.register().await, app.register().await);
    let (named, unnamed) = (
        user.upload_text("named").await,
        user.upload_text("unnamed").await,
    );
    let kept = other.upload_text("kept").await;
    user.create("posts", &json!({"f": named})).await;
    app.admin
        .delete(&format!("/accounts/{}", user.account_id))
        .await
        .ok(204);
    sweep(&app).await;
    assert!(!on_disk(&app, &named) && !on_disk(&app, &unnamed) && on_disk(&app, &kept));
}

async fn a_dropped_collection_lets_files_go(backend: Backend) {
    let app = app(backend).await;
    let user = app.register().await;
    let file = user.upload_text("words").await;
    user.create("posts", &json!({"f": file})).await;
    let posts = app.admin.get("/collections").await.ok(200)["items"][0]["id"].clone();
    assert_eq!(sweep(&app).await, 0);
    let dropped = format!("/collections/{}", posts.as_str().unwrap());
    app.admin.delete(&dropped).await.ok(200);
    assert_eq!(sweep(&app).await, 1);
    assert!(!on_disk(&app, &file));
    let _: Value = user.get("/files").await.ok(200);
}
