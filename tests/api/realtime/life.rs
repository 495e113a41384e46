//! How connections end, and what a slow one costs.

use serde_json::json;

use super::{define, posts};
use crate::harness::{Backend, Sse, TestApp, Ws, eventually, open};

crate::both![
    signing_out_ends_the_session_s_connections,
    deactivation_ends_the_user_s_connections,
    a_new_role_applies_to_what_is_open,
    a_connection_ends_with_its_token,
    clients_are_sent_away_when_the_server_stops,
    connections_leave_nothing_behind,
    a_reader_that_does_not_read_delays_nobody,
];

async fn signing_out_ends_the_session_s_connections(backend: Backend) {
    let (_app, user) = posts(backend, &open()).await;
    let again = user.bare().login(&user.account_slug, &user.email, crate::harness::PASSWORD).await;
    let mut ended = Ws::connect(&user).await;
    let mut open = Ws::connect(&again).await;
    open.subscribe("posts").await;
    user.post("/auth/logout", &json!({"refresh_token": user.refresh_token})).await;
    assert_eq!(ended.end().await.code, 1008);
    again.create("posts", &json!({})).await;
    open.expect_event("posts.create").await;
}

async fn deactivation_ends_the_user_s_connections(backend: Backend) {
    let (app, user) = posts(backend, &open()).await;
    let colleague = app.colleague_of(&user).await;
    let mut ws = Ws::connect(&colleague).await;
    let mut sse = Sse::open(&colleague, "?collection=posts").await;
    ws.subscribe("posts").await;
    app.admin.delete(&format!("/users/{}", colleague.id)).await;
    user.create("posts", &json!({})).await;
    assert_eq!(ws.end().await.code, 1008);
    assert_eq!(sse.any_event().await, None);
    assert!(sse.comments.iter().any(|comment| comment.contains("1008")), "{:?}", sse.comments);
}

async fn a_new_role_applies_to_what_is_open(backend: Backend) {
    let mut rules = open();
    rules["list_rule"] = "@request.auth.role = 'admin'".into();
    let (app, user) = posts(backend, &rules).await;
    let colleague = app.colleague_of(&user).await;
    let mut ws = Ws::connect(&colleague).await;
    ws.subscribe("posts").await;
    let mut witness = Ws::connect(&app.admin).await;
    witness.subscribe("posts").await;
    user.create("posts", &json!({"title": "before"})).await;
    witness.expect_event("posts.create").await;
    app.admin.patch(&format!("/users/{}", colleague.id), &json!({"role_id": 1})).await.ok(200);
    user.create("posts", &json!({"title": "after"})).await;
    assert_eq!(ws.expect_event("posts.create").await["title"], "after");
}

async fn a_connection_ends_with_its_token(backend: Backend) {
    let app = TestApp::spawn_with(backend, |config| config.auth.access_token_seconds = 2).await;
    let user = app.register().await;
    let mut ws = Ws::connect(&user).await;
    let ended = ws.end().await;
    assert_eq!((ended.code, ended.reason.as_str()), (4401, "Token expired"));
}

async fn clients_are_sent_away_when_the_server_stops(backend: Backend) {
    let (mut app, user) = posts(backend, &open()).await;
    let mut ws = Ws::connect(&user).await;
    let mut sse = Sse::open(&user, "?collection=posts").await;
    ws.subscribe("posts").await;
    app.stop();
    assert_eq!(ws.end().await.code, 1001);
    assert_eq!(sse.any_event().await, None);
    app.ended().await;
}

async fn connections_leave_nothing_behind(backend: Backend) {
    let (app, user) = posts(backend, &open()).await;
    for _ in 0..20 {
        let mut ws = Ws::connect(&user).await;
        ws.subscribe("posts").await;
        let sse = Sse::open(&user, "?collection=posts").await;
        drop(ws);
        drop(sse);
    }
    user.create("posts", &json!({})).await;
    eventually("all connections to be gone", async || app.services().hub.connected() == 0).await;
}

async fn a_reader_that_does_not_read_delays_nobody(backend: Backend) {
    let app = TestApp::spawn_with(backend, |config| {
        config.realtime.queue_frames = 16;
        config.realtime.queue_bytes = 1 << 20;
    })
    .await;
    define(&app, &open()).await;
    let user = app.register().await;
    let mut deaf = Ws::connect(&user).await;
    let mut reader = Ws::connect(&user).await;
    deaf.subscribe("posts").await;
    reader.subscribe("posts").await;
    // More than the system's buffers hold for a connection.
    let title = "x".repeat(60_000);
    for number in 0..400 {
        user.create("posts", &json!({"title": title, "owner": number.to_string()})).await;
        assert_eq!(reader.expect_event("posts.create").await["owner"], number.to_string());
    }
    eventually("the deaf reader to be given up", async || app.services().hub.connected() == 1).await;
    drop(deaf);
}
