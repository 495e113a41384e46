use serde_json::json;

use crate::harness::{Backend, PASSWORD, TestApp, User, eventually};

crate::both![
    a_forgotten_password_is_replaced_by_the_link,
    forgetting_tells_nothing,
    a_new_password_ends_every_session,
    requests_for_mails_are_throttled,
    new_passwords_that_are_weak_are_told_below_detail,
];

const NEW: &str = "Another-Horse-43!";

async fn link(app: &TestApp, user: &User) -> String {
    let body = json!({"email": user.email, "account": user.account_slug});
    app.anonymous()
        .post("/auth/forgot-password", &body)
        .await
        .ok(200);
    let mail = || app.services().accounts.mailer().newest_to(&user.email);
    eventually("the mail", async || mail().is_some()).await;
    mail().unwrap().token
}

async fn a_forgotten_password_is_replaced_by_the_link(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let user = app.register().await;
    let token = link(&app, &user).await;
    let anonymous = app.anonymous();
    let status = anonymous
        .get(&format!("/auth/verify-reset-token/{token}"))
        .await
        .ok(200);
    assert!(
        status["valid"] == true && status["expires_at"].is_string(),
        "{status}"
    );
    let status = anonymous
        .get("/auth/verify-reset-token/nonsense")
        .await
        .ok(200);
    assert_eq!(status, json!({"valid": false, "expires_at": null}));
    let reset = async |token: &str, password: &str| {
        anonymous
            .post(
                "/auth/reset-password",
                &json!({"token": token, "new_password": password}),
            )
            .await
    };
    reset(&token, "short").await.refused(422, "");
    assert_eq!(reset(&token, "longenough").await.status, 400);
    reset("nonsense", NEW).await.refused(400, "");
    reset(&token, NEW).await.ok(200);
    reset(&token, NEW).await.refused(400, "");
    let request = json!({"account": user.account_slug, "email": user.email, "password": PASSWORD});
    anonymous
        .post("/auth/login", &request)
        .await
        .refused(401, "");
    anonymous.login(&user.account_slug, &user.email, NEW).await;
}

async fn new_passwords_that_are_weak_are_told_below_detail(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let user = app.register().await;
    let admin = &app.admin;
    let new = json!({"email": "new@example.com", "password": "NoSpecial1234", "account_id": user.account_id, "role": "user"});
    let weak = json!({"token": "nonsense", "new_password": "NoSpecial1234"});
    for answer in [
        admin.post("/users", &new).await,
        admin
            .put(
                &format!("/users/{}/password", user.id),
                &json!({"new_password": "NoSpecial1234"}),
            )
            .await,
        app.anonymous().post("/auth/reset-password", &weak).await,
    ] {
        let body = answer.refused(400, "special");
        let (detail, problem) = (&body["detail"], &body["detail"]["details"][0]);
        assert_eq!(detail["error"], "Validation error", "{body}");
        assert_eq!(
            (&problem["field"], &problem["code"]),
            (&json!("password"), &json!("password_no_special")),
            "{body}"
        );
        assert!(body["errors"]["password"][0].is_string(), "{body}");
    }
}

async fn forgetting_tells_nothing(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let user = app.register().await;
    let mut answers = Vec::new();
    for (email, account) in [
        (user.email.as_str(), user.account_slug.as_str()),
        ("nobody@example.com", &user.account_slug),
        (&user.email, "nowhere"),
    ] {
        let answer = app
            .anonymous()
            .post(
                "/auth/forgot-password",
                &json!({"email": email, "account": account}),
            )
            .await;
        answers.push((answer.status, answer.text));
    }
    assert!(
        answers
            .iter()
            .all(|answer| *answer == answers[0] && answer.0 == 200),
        "{answers:?}"
    );
    let without = json!({"email": user.email});
    app.anonymous()
        .post("/auth/forgot-password", &without)
        .await
        .problems(&[("account", "required")]);
}

async fn a_new_password_ends_every_session(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let user = app.register().await;
    user.get("/auth/me").await.ok(200);
    let path = format!("/users/{}/password", user.id);
    assert_eq!(
        app.admin
            .put(&path, &json!({"new_password": "weak"}))
            .await
            .status,
        400
    );
    app.admin.put(&path, &json!({})).await.refused(422, "");
    app.admin
        .put(&path, &json!({"new_password": NEW}))
        .await
        .ok(200);
    user.get("/auth/me").await.refused(401, "");
    let refresh = json!({"refresh_token": user.refresh_token});
    app.anonymous()
        .post("/auth/refresh", &refresh)
        .await
        .refused(401, "");
    app.anonymous()
        .login(&user.account_slug, &user.email, NEW)
        .await;
}

async fn requests_for_mails_are_throttled(backend: Backend) {
    let app = TestApp::spawn_with(backend, |config| config.limits.mails_per_identity = 2).await;
    let user = app.register().await;
    let body = json!({"email": user.email, "account": user.account_slug});
    for _ in 0..2 {
        app.anonymous()
            .post("/auth/forgot-password", &body)
            .await
            .ok(200);
    }
    app.anonymous()
        .post("/auth/forgot-password", &body)
        .await
        .refused(429, "");
}
