//! How connections live and end.

use serde_json::json;

use crate::harness::{Backend, PASSWORD, Sse, TestApp, Ws, eventually, open};

crate::both![
    heartbeats_come_in_time,
    a_connection_ends_with_its_token,
    a_connection_ends_with_its_session,
    a_connection_ends_when_its_user_is_deactivated,
    a_connection_ends_when_the_password_changes,
    everyone_is_sent_away_when_the_server_stops,
    a_user_has_no_more_connections_than_allowed,
    connections_that_are_gone_are_forgotten,
];

async fn heartbeats_come_in_time(backend: Backend) {
    let app = TestApp::spawn_with(backend, |config| config.realtime.heartbeat_seconds = 1).await;
    let user = app.register().await;
    let mut ws = Ws::connect(&user).await;
    let mut sse = Sse::open(&user, "").await;
    for _ in 0..2 {
        let beat = ws.any_frame().await;
        assert!(
            beat["type"] == "heartbeat" && beat["timestamp"].is_string(),
            "{beat}"
        );
        let beat = sse.any_event().await.unwrap();
        assert_eq!(
            (beat.name.as_str(), &beat.data["type"]),
            ("heartbeat", &json!("heartbeat"))
        );
        assert_eq!(beat.id, None, "a heartbeat is no place to go on from");
    }
}

async fn a_connection_ends_with_its_token(backend: Backend) {
    let app = TestApp::spawn_with(backend, |config| config.auth.access_token_seconds = 2).await;
    let user = app.register().await;
    let mut ws = Ws::connect(&user).await;
    let mut sse = Sse::open(&user, "").await;
    let end = ws.end().await;
    assert_eq!((end.code, end.reason.as_str()), (4401, "Token expired"));
    while sse.any_event().await.is_some() {}
    assert!(
        sse.comments.iter().any(|comment| comment.contains("4401")),
        "{:?}",
        sse.comments
    );
}

async fn a_connection_ends_with_its_session(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    app.collection("posts", &json!([{"name": "a", "type": "text"}]), &open())
        .await;
    let user = app.register().await;
    let other = app
        .anonymous()
        .login(&user.account_slug, &user.email, PASSWORD)
        .await;
    let (mut ending, mut staying) = (Ws::connect(&user).await, Ws::connect(&other).await);
    staying.subscribe("posts").await;
    let mut stream = Sse::open(&user, "").await;
    user.post("/auth/logout", &json!({})).await;
    assert_eq!(ending.end().await.code, 1008);
    while stream.any_event().await.is_some() {}
    other.create("posts", &json!({"a": "b"})).await;
    staying.expect_event("posts.create").await;
}

async fn a_connection_ends_when_its_user_is_deactivated(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let user = app.register().await;
    let mut ws = Ws::connect(&user).await;
    app.admin
        .delete(&format!("/users/{}", user.id))
        .await
        .ok(204);
    assert_eq!(ws.end().await.code, 1008);
}

async fn a_connection_ends_when_the_password_changes(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let user = app.register().await;
    let mut ws = Ws::connect(&user).await;
    let body = json!({"new_password": "Another-Horse-43!"});
    app.admin
        .put(&format!("/users/{}/password", user.id), &body)
        .await
        .ok(200);
    assert_eq!(ws.end().await.code, 1008);
}

async fn everyone_is_sent_away_when_the_server_stops(backend: Backend) {
    let mut app = TestApp::spawn(backend).await;
    app.collection("posts", &json!([{"name": "a", "type": "text"}]), &open())
        .await;
    let user = app.register().await;
    let (mut one, mut two) = (Ws::connect(&user).await, Ws::connect(&user).await);
    one.subscribe("posts").await;
    let mut stream = Sse::open(&user, "?collection=posts").await;
    user.create("posts", &json!({"a": "last words"})).await;
    one.expect_event("posts.create").await;
    app.stop();
    assert_eq!((one.end().await.code, two.end().await.code), (1001, 1001));
    while stream.any_event().await.is_some() {}
    drop((one, two));
    app.ended().await;
}

async fn a_user_has_no_more_connections_than_allowed(backend: Backend) {
    let app = TestApp::spawn_with(backend, |config| {
        config.realtime.max_connections_per_user = 2;
    })
    .await;
    let (user, other) = (app.register().await, app.register().await);
    let query = format!("?token={}", user.token);
    let (first, _second) = (Ws::connect(&user).await, Ws::connect(&user).await);
    assert_eq!(
        Ws::try_connect(&app.base, &query, &[]).await.err(),
        Some(429)
    );
    let _others = Ws::connect(&other).await;
    first.close().await;
    eventually("a free place", async || {
        Box::pin(Ws::try_connect(&app.base, &query, &[]))
            .await
            .is_ok()
    })
    .await;
}

async fn connections_that_are_gone_are_forgotten(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let user = app.register().await;
    for round in 0..20 {
        let mut ws = Ws::connect(&user).await;
        ws.subscribe("anything").await;
        let stream = Sse::open(&user, "?collection=anything").await;
        drop(stream);
        if round % 2 == 0 {
            ws.close().await;
        }
    }
    eventually("the end of all connections", async || {
        app.services().hub.connected() == 0
    })
    .await;
}
