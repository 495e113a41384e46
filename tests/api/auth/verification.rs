//! Addresses that must be confirmed before their users may sign in.

use serde_json::json;
use snackbase::config::EmailVerification;

use crate::harness::{Backend, PASSWORD, TestApp, eventually};

crate::both![
    an_unconfirmed_address_cannot_sign_in_until_the_link_is_used,
    asking_for_another_mail_tells_nothing,
    a_superadmin_can_confirm_an_address,
];

async fn strict(backend: Backend) -> TestApp {
    TestApp::spawn_with(backend, |config| {
        config.auth.email_verification = EmailVerification::Required;
    })
    .await
}

async fn register(app: &TestApp) -> serde_json::Value {
    let body = json!({"email": "ann@example.com", "password": PASSWORD, "account_name": "acme"});
    app.anonymous().post("/auth/register", &body).await.ok(201)
}

fn login() -> serde_json::Value {
    json!({"account": "acme", "email": "ann@example.com", "password": PASSWORD})
}

fn token(app: &TestApp) -> Option<String> {
    app.services()
        .accounts
        .mailer()
        .newest_to("ann@example.com")
        .map(|mail| mail.token)
}

async fn an_unconfirmed_address_cannot_sign_in_until_the_link_is_used(backend: Backend) {
    let app = strict(backend).await;
    register(&app).await;
    let anonymous = app.anonymous();
    let refusal = anonymous
        .post("/auth/login", &login())
        .await
        .refused(401, "");
    let message = refusal["message"].as_str().unwrap().to_lowercase();
    assert!(
        message.contains("email") || message.contains("verify"),
        "{message}"
    );
    // A wrong password learns nothing about that.
    let mut wrong = login();
    wrong["password"] = json!("Wrong-Horse-42!");
    assert_ne!(
        anonymous.post("/auth/login", &wrong).await.refused(401, "")["message"],
        refusal["message"]
    );
    let link = token(&app).unwrap();
    for bad in ["", "nonsense", &link[1..]] {
        let answer = anonymous
            .post("/auth/verify-email", &json!({"token": bad}))
            .await;
        assert!([400, 422].contains(&answer.status), "{}", answer.text);
    }
    let verified = anonymous
        .post("/auth/verify-email", &json!({"token": link}))
        .await
        .ok(200);
    assert_eq!(
        (
            &verified["user"]["email"],
            &verified["user"]["email_verified"]
        ),
        (&json!("ann@example.com"), &json!(true))
    );
    anonymous
        .post("/auth/verify-email", &json!({"token": link}))
        .await
        .refused(400, "");
    let session = anonymous.post("/auth/login", &login()).await.ok(200);
    assert_eq!(session["user"]["email_verified"], true);
}

async fn asking_for_another_mail_tells_nothing(backend: Backend) {
    let app = strict(backend).await;
    register(&app).await;
    let first = token(&app).unwrap();
    let ask = async |email: &str, account: &str| {
        let body = json!({"email": email, "account": account});
        app.anonymous()
            .post("/auth/resend-verification", &body)
            .await
    };
    let known = ask("ann@example.com", "acme").await;
    assert_eq!(known.text, ask("nobody@example.com", "acme").await.text);
    assert_eq!(known.text, ask("ann@example.com", "nowhere").await.text);
    known.ok(200);
    eventually("another mail", async || {
        token(&app).is_some_and(|token| token != first)
    })
    .await;
    // The newer link replaces the older one.
    app.anonymous()
        .post("/auth/verify-email", &json!({"token": first}))
        .await
        .refused(400, "");
    app.anonymous()
        .post("/auth/verify-email", &json!({"token": token(&app)}))
        .await
        .ok(200);
    app.anonymous().post("/auth/login", &login()).await.ok(200);
}

async fn a_superadmin_can_confirm_an_address(backend: Backend) {
    let app = strict(backend).await;
    let id = register(&app).await["user"]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    for _ in 0..2 {
        app.admin
            .post(&format!("/users/{id}/verify"), &json!({}))
            .await
            .ok(200);
    }
    app.anonymous().post("/auth/login", &login()).await.ok(200);
    app.admin
        .post(&format!("/users/{id}/resend-verification"), &json!({}))
        .await
        .refused(400, "");
}
