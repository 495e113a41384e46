//! Files in a bucket. Needs a service, see `tests/with-s3.sh`; without one these tests pass over it.

use reqwest::Method;
use serde_json::json;
use snackbase::config::FileStore;
use snackbase::files::{FileProblem, StoreName};

use super::upload::PNG;
use crate::harness::{Backend, TestApp, address, open};

crate::both![files_are_kept_in_a_bucket, files_move_between_stores,];

/// A server with a bucket of its own.
async fn app(backend: Backend, store: FileStore) -> Option<(TestApp, String)> {
    let endpoint = std::env::var("SNACKBASE_TEST_S3_URL").ok()?;
    let bucket = format!("bucket-{}", snackbase::id::new_id());
    let made = reqwest::Client::new()
        .put(format!("{endpoint}/{bucket}"))
        .send()
        .await
        .unwrap();
    assert!(made.status().is_success(), "{made:?}");
    let app = TestApp::spawn_with(backend, |config| {
        config.files.store = store;
        config.files.s3_bucket.clone_from(&bucket);
        config.files.s3_endpoint.clone_from(&endpoint);
        config.files.s3_access_key_id = "key".into();
        config.files.s3_secret_access_key = snackbase::secret::Secret::new("secret".into());
        config.files.max_bytes = 64 * 1024 * 1024;
        config.files.grace_seconds = 0;
    })
    .await;
    Some((app, bucket))
}

/// The keys of all objects.
async fn keys(app: &TestApp, store: StoreName) -> Vec<String> {
    let listed = app.services().files.stores().list(store, "").await.unwrap();
    listed.into_iter().map(|object| object.key).collect()
}

async fn files_are_kept_in_a_bucket(backend: Backend) {
    let Some((app, _)) = app(backend, FileStore::S3).await else {
        return;
    };
    app.collection("posts", &json!([{"name": "f", "type": "file"}]), &open())
        .await;
    let user = app.register().await;
    let small = user.upload_text("0123456789").await;
    assert!(
        small["path"]
            .as_str()
            .unwrap()
            .starts_with(&format!("s3/{}/", user.account_id))
    );
    assert_eq!(user.get(&address(&small)).await.text, "0123456789");
    let part = user
        .request(Method::GET, &address(&small))
        .header("range", "bytes=-3");
    assert_eq!(user.send(part).await.text, "789");
    // Large enough for several parts.
    let text = "0123456789abcdef".repeat(20 * 1024 * 1024 / 16);
    let large = user.upload_text(&text).await;
    assert!(user.get(&address(&large)).await.text == text);
    let empty = user.upload_text("").await;
    assert_eq!(user.get(&address(&empty)).await.text, "");
    let picture = user.upload("a.png", "image/png", PNG).await.ok(201)["file"].clone();
    for _ in 0..2 {
        let thumbnail = user
            .get(&format!("{}?thumb=100x100", address(&picture)))
            .await;
        assert_eq!(thumbnail.status, 200, "{}", thumbnail.text);
    }
    assert_eq!(keys(&app, StoreName::S3).await.len(), 5);
    let id = user.create_id("posts", &json!({"f": picture})).await;
    user.delete(&format!("/records/posts/{id}")).await.ok(204);
    assert_eq!(app.services().files.sweep().await.unwrap(), 1);
    user.delete(&address(&large)).await.ok(204);
    assert_eq!(keys(&app, StoreName::S3).await.len(), 2);
    assert!(
        app.services()
            .files
            .check(true)
            .await
            .unwrap()
            .problems
            .is_empty()
    );
}

async fn files_move_between_stores(backend: Backend) {
    let Some((app, _)) = app(backend, FileStore::Local).await else {
        return;
    };
    let user = app.register().await;
    let file = user.upload_text("words").await;
    let files = &app.services().files;
    assert_eq!(files.migrate(StoreName::S3).await.unwrap(), 1);
    assert_eq!(files.migrate(StoreName::S3).await.unwrap(), 0);
    assert!(keys(&app, StoreName::Local).await.is_empty());
    assert_eq!(user.get(&address(&file)).await.text, "words");
    let key = file["path"].as_str().unwrap();
    files.stores().delete(StoreName::S3, key).await.unwrap();
    let missing = files.check(false).await.unwrap().problems;
    assert_eq!(missing, [FileProblem::Missing(key.to_owned())]);
    user.get(&address(&file)).await.refused(404, "");
}
