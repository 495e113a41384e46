//! Open sessions, and ending them.

use serde_json::{Value, json};

use crate::harness::{Backend, PASSWORD, TestApp, User, Ws};

crate::both![
    a_user_sees_and_ends_the_own_sessions,
    ending_a_session_ends_its_connections_and_no_others,
    all_sessions_but_one_end_together,
    sessions_of_others_are_for_those_who_administer_them,
    a_session_that_is_not_ones_own_looks_as_if_it_were_not_there,
];

async fn again(app: &TestApp, user: &User) -> User {
    app.anonymous()
        .with_header("user-agent", "Test/1.0")
        .login(&user.account_slug, &user.email, PASSWORD)
        .await
}

fn ids(list: &Value, current: bool) -> Vec<&str> {
    let items = list["items"].as_array().unwrap().iter();
    items
        .filter(|item| item["is_current"] == current)
        .map(|item| item["id"].as_str().unwrap())
        .collect()
}

async fn a_user_sees_and_ends_the_own_sessions(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let first = app.register().await;
    let body = json!({"account": first.account_slug, "email": first.email, "password": PASSWORD});
    let browser = app.anonymous().with_header("user-agent", "Test/1.0");
    let second = app
        .anonymous()
        .user(&browser.post("/auth/login", &body).await.ok(200));
    let list = second.get("/auth/sessions").await.ok(200);
    assert_eq!(
        (
            &list["total"],
            ids(&list, true).len(),
            ids(&list, false).len()
        ),
        (&json!(2), 1, 1)
    );
    let own = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|item| item["is_current"] == true)
        .unwrap();
    assert_eq!(
        (&own["user_agent"], &own["ip_address"]),
        (&json!("Test/1.0"), &json!("127.0.0.1"))
    );
    for key in ["created_at", "refreshed_at", "expires_at"] {
        assert!(own[key].as_str().unwrap().ends_with('Z'), "{own}");
    }
    assert!(own.get("token_hash").is_none());
    let other = ids(&list, false)[0].to_owned();
    for _ in 0..2 {
        second
            .delete(&format!("/auth/sessions/{other}"))
            .await
            .ok(204);
    }
    first.get("/auth/me").await.refused(401, "");
    app.anonymous()
        .post(
            "/auth/refresh",
            &json!({"refresh_token": first.refresh_token}),
        )
        .await
        .refused(401, "");
    assert_eq!(second.get("/auth/sessions").await.ok(200)["total"], 1);
    second
        .delete(&format!("/auth/sessions/{}", own["id"].as_str().unwrap()))
        .await
        .ok(204);
    second.get("/auth/sessions").await.refused(401, "");
}

async fn ending_a_session_ends_its_connections_and_no_others(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let first = app.register().await;
    let second = again(&app, &first).await;
    let (mut ended, mut kept) = (Ws::connect(&first).await, Ws::connect(&second).await);
    let list = second.get("/auth/sessions").await.ok(200);
    second
        .delete(&format!("/auth/sessions/{}", ids(&list, false)[0]))
        .await
        .ok(204);
    assert_eq!(ended.end().await.code, 1008);
    kept.send(&json!({"action": "ping"})).await;
    assert_eq!(kept.frame().await["type"], "pong");
}

async fn all_sessions_but_one_end_together(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let first = app.register().await;
    let (second, third) = (again(&app, &first).await, again(&app, &first).await);
    second.delete("/auth/sessions").await.ok(204);
    second.get("/auth/me").await.ok(200);
    for gone in [&first, &third] {
        gone.get("/auth/me").await.refused(401, "");
    }
    assert_eq!(second.get("/auth/sessions").await.ok(200)["total"], 1);
    app.anonymous().get("/auth/sessions").await.refused(401, "");
}

async fn sessions_of_others_are_for_those_who_administer_them(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let owner = app.register().await;
    let stranger = app.register().await;
    let colleague = app.colleague_of(&owner).await;
    let path = format!("/users/{}/sessions", colleague.id);
    colleague.get(&path).await.refused(403, "admin");
    colleague
        .delete(&format!("/users/{}/sessions", owner.id))
        .await
        .refused(403, "");
    stranger.get(&path).await.refused(404, "");
    stranger.delete(&path).await.refused(404, "");
    app.anonymous().get(&path).await.refused(401, "");
    for admin in [&owner, &app.admin] {
        let session = again(&app, &colleague).await;
        let list = admin.get(&path).await.ok(200);
        let id = list["items"][0]["id"].as_str().unwrap();
        assert!(ids(&list, true).is_empty());
        stranger
            .delete(&format!("{path}/{id}"))
            .await
            .refused(404, "");
        admin.delete(&format!("{path}/{id}")).await.ok(204);
        session.get("/auth/me").await.refused(401, "");
        again(&app, &colleague).await;
        admin.delete(&path).await.ok(204);
        assert_eq!(admin.get(&path).await.ok(200)["total"], 0);
    }
    colleague.get("/auth/me").await.refused(401, "");
    owner.get("/auth/me").await.ok(200);
    // Superadmins' sessions are not an account's.
    owner
        .get(&format!("/users/{}/sessions", app.admin.id))
        .await
        .refused(404, "");
}

async fn a_session_that_is_not_ones_own_looks_as_if_it_were_not_there(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let (mine, theirs) = (app.register().await, app.register().await);
    let list = theirs.get("/auth/sessions").await.ok(200);
    mine.delete(&format!("/auth/sessions/{}", ids(&list, true)[0]))
        .await
        .refused(404, "");
    mine.delete("/auth/sessions/nonsense")
        .await
        .refused(404, "");
    let crossed = format!("/users/{}/sessions/{}", mine.id, ids(&list, true)[0]);
    mine.delete(&crossed).await.refused(404, "");
    app.admin.delete(&crossed).await.refused(404, "");
    app.admin
        .get("/users/nonsense/sessions")
        .await
        .refused(404, "");
    theirs.get("/auth/me").await.ok(200);
}
