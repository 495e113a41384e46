//! The published protocol over WebSocket.

use serde_json::{Value, json};

use super::{define, posts};
use crate::harness::{Backend, TestApp, Ws, open};

crate::both![
    every_frame_is_as_published,
    nothing_that_a_client_sends_ends_the_connection,
    operations_narrow_what_is_heard,
    the_hundred_and_first_subscription_is_refused_and_the_others_live_on,
    bad_credentials_are_refused_before_the_upgrade,
    a_token_may_come_in_any_header,
    a_message_that_is_too_large_ends_the_connection,
];

fn keys(frame: &Value) -> Vec<&str> {
    frame.as_object().unwrap().keys().map(String::as_str).collect()
}

async fn every_frame_is_as_published(backend: Backend) {
    let (_app, user) = posts(backend, &open()).await;
    let mut ws = Ws::connect(&user).await;
    ws.send(&json!({"action": "subscribe", "collection": "posts"})).await;
    let ack = ws.frame().await;
    assert_eq!(keys(&ack), ["type", "status", "collection", "operations", "timestamp"]);
    assert_eq!((&ack["type"], &ack["status"]), (&json!("subscribed"), &json!("subscribed")));
    assert_eq!(ack["operations"], json!(["create", "update", "delete"]));

    let created = user.create("posts", &json!({"title": "a"})).await;
    let id = created["id"].as_str().unwrap();
    let path = format!("/records/posts/{id}");
    let event = ws.frame().await;
    assert_eq!(keys(&event), ["type", "timestamp", "collection", "operation", "id", "cursor", "data"]);
    assert_eq!((&event["type"], &event["collection"]), (&json!("posts.create"), &json!("posts")));
    assert_eq!((&event["operation"], &event["id"]), (&json!("create"), &json!(id)));
    assert_eq!(event["timestamp"], created["created_at"]);
    assert_eq!(event["data"], user.get(&path).await.ok(200));

    let updated = user.patch(&path, &json!({"title": "b"})).await.ok(200);
    let event = ws.frame().await;
    assert_eq!((&event["type"], &event["data"]), (&json!("posts.update"), &updated));
    assert_eq!(event["timestamp"], updated["updated_at"]);

    user.delete(&path).await;
    let event = ws.frame().await;
    assert_eq!((&event["type"], &event["data"]), (&json!("posts.delete"), &json!({"id": id})));

    ws.send(&json!({"action": "ping"})).await;
    let pong = ws.frame().await;
    assert_eq!((keys(&pong), &pong["type"]), (vec!["type", "timestamp"], &json!("pong")));
    ws.send(&json!({"action": "unsubscribe", "collection": "posts"})).await;
    let ack = ws.frame().await;
    assert_eq!(keys(&ack), ["type", "status", "collection", "timestamp"]);
    assert_eq!((&ack["type"], &ack["status"]), (&json!("unsubscribed"), &json!("unsubscribed")));
    user.create("posts", &json!({})).await;
    ws.subscribe("other").await;
}

async fn nothing_that_a_client_sends_ends_the_connection(backend: Backend) {
    let (_app, user) = posts(backend, &open()).await;
    let mut ws = Ws::connect(&user).await;
    for (sent, error) in [
        ("{", "Invalid JSON"),
        ("", "Invalid JSON"),
        ("[]", "Invalid JSON"),
        ("\"x\"", "Invalid JSON"),
        ("{}", "Unknown action"),
        (r#"{"action":"fly"}"#, "Unknown action"),
        (r#"{"action":7}"#, "Unknown action"),
        (r#"{"action":"subscribe"}"#, "Missing collection"),
        (r#"{"action":"subscribe","collection":""}"#, "Missing collection"),
        (r#"{"action":"subscribe","collection":null}"#, "Missing collection"),
        (r#"{"action":"unsubscribe"}"#, "Missing collection"),
    ] {
        ws.send_text(sent).await;
        let frame = ws.frame().await;
        assert_eq!((&frame["error"], &frame["type"]), (&json!(error), &Value::Null), "{sent}");
    }
    ws.send_binary(vec![0xff, 0xfe]).await;
    assert_eq!(ws.frame().await["error"], "Invalid JSON");
    ws.send_binary(br#"{"action":"ping"}"#.to_vec()).await;
    assert_eq!(ws.frame().await["type"], "pong");
    ws.send(&json!({"type": "subscribe", "collection": "does_not_exist"})).await;
    assert_eq!(ws.frame().await["type"], "subscribed");
    ws.send(&json!({"action": "unsubscribe", "collection": "never_subscribed"})).await;
    assert_eq!(ws.frame().await["type"], "unsubscribed");
}

async fn operations_narrow_what_is_heard(backend: Backend) {
    let (_app, user) = posts(backend, &open()).await;
    let mut ws = Ws::connect(&user).await;
    for all in [json!(null), json!([]), json!(["create", "update", "delete", "fly"])] {
        ws.send(&json!({"action": "subscribe", "collection": "posts", "operations": all})).await;
        assert_eq!(ws.frame().await["operations"], json!(["create", "update", "delete"]));
        user.create("posts", &json!({})).await;
        ws.expect_event("posts.create").await;
    }
    ws.send(&json!({"action": "subscribe", "collection": "posts", "operations": "delete"})).await;
    assert_eq!(ws.frame().await["operations"], json!(["delete"]));
    let id = user.create_id("posts", &json!({})).await;
    user.delete(&format!("/records/posts/{id}")).await;
    assert_eq!(ws.expect_event("posts.delete").await, json!({"id": id}));
}

async fn the_hundred_and_first_subscription_is_refused_and_the_others_live_on(backend: Backend) {
    let (_app, user) = posts(backend, &open()).await;
    let mut ws = Ws::connect(&user).await;
    ws.subscribe("posts").await;
    for number in 1..100 {
        ws.subscribe(&format!("c{number}")).await;
    }
    ws.send(&json!({"action": "subscribe", "collection": "one_more"})).await;
    let refusal = json!({"error": "Max subscriptions reached (100)", "code": "max_subscriptions", "collection": "one_more"});
    assert_eq!(ws.frame().await, refusal);
    ws.send(&json!({"action": "subscribe", "collection": "posts", "operations": ["create"]})).await;
    assert_eq!(ws.frame().await["type"], "subscribed");
    user.create("posts", &json!({})).await;
    ws.expect_event("posts.create").await;
}

async fn bad_credentials_are_refused_before_the_upgrade(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let header = [("authorization", "Bearer nonsense")];
    let refused: [(&str, &[(&'static str, &str)]); 4] =
        [("", &[]), ("?token=", &[]), ("?token=nonsense", &[]), ("", &header)];
    for (query, headers) in refused {
        assert_eq!(Ws::try_connect(&app.base, query, headers).await.err(), Some(401), "{query}");
    }
    app.anonymous().get("/realtime/ws").await.refused(401, "");
    app.admin.get("/realtime/ws").await.refused(400, "WebSocket");
}

async fn a_token_may_come_in_any_header(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    define(&app, &open()).await;
    let user = app.register().await;
    let bearer = format!("Bearer {}", user.token);
    let mut ws = Ws::try_connect(&app.base, "", &[("authorization", &bearer)]).await.ok().unwrap();
    ws.subscribe("posts").await;
    let token = user.token.as_str();
    assert_eq!(Ws::connect_with_protocol(&app.base, token).await.as_deref(), Some(token));
    let pair = format!("snackbase, {token}");
    assert_eq!(Ws::connect_with_protocol(&app.base, &pair).await.as_deref(), Some("snackbase"));
}

async fn a_message_that_is_too_large_ends_the_connection(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let mut ws = Ws::connect(&app.admin).await;
    ws.send_text(&" ".repeat(70_000)).await;
    assert_eq!(ws.end().await.code, 1009);
}
