use serde_json::json;

use crate::harness::{Backend, TestApp, open};

crate::both![
    open_collections_serve_visitors_of_an_account,
    visitors_must_name_an_account_that_exists,
    a_users_own_account_wins_over_the_header,
];

async fn open_collections_serve_visitors_of_an_account(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    app.collection(
        "guests",
        &json!([{"name": "name", "type": "text"}]),
        &open(),
    )
    .await;
    let user = app.register().await;
    let visitor = app.visitor_of(&user);
    let created = visitor.create("guests", &json!({"name": "me"})).await;
    assert_eq!(created["created_by"], "anonymous");
    assert_eq!(created["account_id"], user.account_id.as_str());
    let path = format!("/records/guests/{}", created["id"].as_str().unwrap());
    visitor.get(&path).await.ok(200);
    assert_eq!(
        visitor.patch(&path, &json!({"name": "you"})).await.ok(200)["updated_by"],
        "anonymous"
    );
    assert_eq!(visitor.get("/records/guests").await.ok(200)["total"], 1);
    assert_eq!(user.get("/records/guests").await.ok(200)["total"], 1);
    visitor.delete(&path).await.ok(204);
    // Slug, code and id all name the account, in any case.
    let me = user.get("/auth/me").await.ok(200);
    let code = me["account"]["account_code"].as_str().unwrap();
    for name in [
        code,
        &code.to_lowercase(),
        &user.account_slug.to_uppercase(),
        &user.account_id,
    ] {
        let visitor = app.anonymous().with_header("x-account-id", name);
        assert_eq!(
            visitor.get("/records/guests").await.ok(200)["total"],
            0,
            "{name}"
        );
    }
    // Another account's visitors see nothing of it.
    visitor.create("guests", &json!({"name": "mine"})).await;
    let stranger = app.register().await;
    assert_eq!(
        app.visitor_of(&stranger)
            .get("/records/guests")
            .await
            .ok(200)["total"],
        0
    );
}

async fn visitors_must_name_an_account_that_exists(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    app.collection(
        "guests",
        &json!([{"name": "name", "type": "text"}]),
        &open(),
    )
    .await;
    let nobody = app.anonymous();
    nobody
        .get("/records/guests")
        .await
        .refused(400, "X-Account-ID");
    nobody
        .post("/records/guests", &json!({"name": "x"}))
        .await
        .refused(400, "X-Account-ID");
    let lost = nobody.with_header("x-account-id", "no-such-account");
    lost.get("/records/guests").await.refused(404, "");
    lost.post("/records/guests", &json!({"name": "x"}))
        .await
        .refused(404, "");
}

async fn a_users_own_account_wins_over_the_header(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    app.collection(
        "guests",
        &json!([{"name": "name", "type": "text"}]),
        &open(),
    )
    .await;
    let (user, other) = (app.register().await, app.register().await);
    let confused = user.with_header("x-account-id", &other.account_slug);
    assert_eq!(
        confused.create("guests", &json!({})).await["account_id"],
        user.account_id.as_str()
    );
}
