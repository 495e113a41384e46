//! Quotas: how many records an account may have, and how many bytes in them.

use serde_json::{Value, json};
use snackbase::collections::apply_quotas;
use snackbase::config::LimitsConfig;

use crate::harness::{Backend, TestApp, User, open};

crate::both![
    an_account_has_no_more_records_than_its_quota,
    an_account_has_no_more_bytes_than_its_quota,
    writers_at_once_do_not_exceed_a_quota,
    a_quota_that_is_set_later_counts_what_is_there,
    deleted_collections_and_accounts_give_back_what_they_took,
];

async fn notes(backend: Backend, records: u64, bytes: u64) -> (TestApp, User) {
    let app = TestApp::spawn_with(backend, |config| {
        config.limits.account_records = records;
        config.limits.account_bytes = bytes;
    })
    .await;
    let fields = json!([{"name": "title", "type": "text"}, {"name": "data", "type": "json"}]);
    for name in ["notes", "tasks"] {
        app.collection(name, &fields, &open()).await;
    }
    let user = app.register().await;
    (app, user)
}

async fn usage(app: &TestApp, user: &User) -> Value {
    app.admin
        .get(&format!("/accounts/{}", user.account_id))
        .await
        .ok(200)["usage"]
        .clone()
}

async fn an_account_has_no_more_records_than_its_quota(backend: Backend) {
    let (app, user) = notes(backend, 4, 0).await;
    let other = app.register().await;
    let id = user.create_id("notes", &json!({"title": "a"})).await;
    user.create_id("tasks", &json!({"title": "b"})).await;
    let batch = |count: usize| json!({"records": vec![json!({"title": "c"}); count]});
    let refusal = user
        .post("/records/notes/batch", &batch(3))
        .await
        .refused(403, "4 records");
    assert_eq!(
        (&refusal["error"], &refusal["quota"]),
        (&json!("quota_exceeded"), &json!("records"))
    );
    assert_eq!(
        (&refusal["limit"], &refusal["index"]),
        (&json!(4), &json!(2))
    );
    assert_eq!(usage(&app, &user).await["records"], 2);
    user.post("/records/notes/batch", &batch(2)).await.ok(201);
    user.post("/records/notes", &json!({"title": "d"}))
        .await
        .refused(403, "delete records");
    assert_eq!(
        usage(&app, &user).await,
        json!({"records": 4, "max_records": 4, "bytes": 4, "max_bytes": null})
    );
    user.patch(&format!("/records/notes/{id}"), &json!({"title": "longer"}))
        .await
        .ok(200);
    user.delete(&format!("/records/notes/{id}")).await.ok(204);
    user.create("notes", &json!({"title": "d"})).await;
    for _ in 0..4 {
        other.create("notes", &json!({})).await;
    }
    for _ in 0..6 {
        app.admin
            .post("/records/notes", &json!({"title": "of the system"}))
            .await
            .ok(201);
    }
}

async fn an_account_has_no_more_bytes_than_its_quota(backend: Backend) {
    let (app, user) = notes(backend, 0, 10_000).await;
    let id = user
        .create_id("notes", &json!({"title": "x".repeat(4_000)}))
        .await;
    let path = format!("/records/notes/{id}");
    user.create("tasks", &json!({"data": ["y".repeat(4_000)]}))
        .await;
    let refusal = user
        .post("/records/notes", &json!({"title": "x".repeat(2_500)}))
        .await
        .refused(403, "10000 bytes");
    assert_eq!(refusal["quota"], "bytes");
    user.patch(&path, &json!({"title": "x".repeat(7_000)}))
        .await
        .refused(403, "");
    user.patch(&path, &json!({"title": "x".repeat(5_000)}))
        .await
        .ok(200);
    assert_eq!(usage(&app, &user).await["bytes"], 9_004);
    user.patch(&path, &json!({"title": "short"})).await.ok(200);
    user.create("notes", &json!({"title": "x".repeat(5_000)}))
        .await;
}

async fn writers_at_once_do_not_exceed_a_quota(backend: Backend) {
    let (app, user) = notes(backend, 10, 0).await;
    let writers = (0..32).map(|n| {
        let user = user.clone();
        tokio::spawn(async move {
            user.post("/records/notes", &json!({"title": n.to_string()}))
                .await
                .status
        })
    });
    let mut created = 0;
    for writer in writers.collect::<Vec<_>>() {
        let status = writer.await.unwrap();
        assert!(status == 201 || status == 403, "{status}");
        created += usize::from(status == 201);
    }
    assert_eq!(created, 10);
    assert_eq!(usage(&app, &user).await["records"], 10);
}

async fn a_quota_that_is_set_later_counts_what_is_there(backend: Backend) {
    let (app, user) = notes(backend, 0, 0).await;
    for n in 0..3 {
        user.create("notes", &json!({"title": n.to_string()})).await;
    }
    assert_eq!(usage(&app, &user).await, Value::Null);
    let services = app.services();
    let apply = async |records: u64| {
        let limits = LimitsConfig {
            account_records: records,
            ..LimitsConfig::default()
        };
        apply_quotas(&services.db, &services.catalog, &limits)
            .await
            .unwrap();
    };
    apply(3).await;
    assert_eq!(usage(&app, &user).await["records"], 3);
    user.post("/records/notes", &json!({}))
        .await
        .refused(403, "");
    apply(4).await;
    user.create("notes", &json!({})).await;
    let newcomer = app.register().await;
    newcomer.create("notes", &json!({})).await;
    assert_eq!(usage(&app, &newcomer).await["records"], 1);
    apply(0).await;
    user.create("notes", &json!({})).await;
    apply(7).await;
    assert_eq!(usage(&app, &user).await["records"], 5);
}

async fn deleted_collections_and_accounts_give_back_what_they_took(backend: Backend) {
    let (app, user) = notes(backend, 5, 0).await;
    for collection in ["notes", "notes", "notes", "tasks"] {
        user.create(collection, &json!({"title": "abc"})).await;
    }
    app.admin.delete("/collections/notes").await.ok(200);
    let left = usage(&app, &user).await;
    assert_eq!((&left["records"], &left["bytes"]), (&json!(1), &json!(3)));
    app.admin
        .delete(&format!("/accounts/{}", user.account_id))
        .await
        .ok(204);
}
