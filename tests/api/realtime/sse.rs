//! The published protocol over server-sent events.

use serde_json::json;

use super::posts;
use crate::harness::{Backend, Sse, TestApp, open};

crate::both![
    subscriptions_stand_in_the_query,
    a_stream_greets_and_shows_that_it_lives,
    bad_requests_are_answered_in_json,
    a_stream_goes_on_where_it_ended,
];

async fn subscriptions_stand_in_the_query(backend: Backend) {
    let (app, user) = posts(backend, &open()).await;
    app.collection("notes", &json!([{"name": "title", "type": "text"}]), &open()).await;
    let mut by_name = Sse::open(&user, "?collection=posts&collection=notes").await;
    let mut by_operation = Sse::open(&user, "?collections=posts%3Adelete&collections=notes:create").await;
    let mut by_token = Sse::open(&app.anonymous(), &format!("?token={}&collections=posts,notes", user.token)).await;
    let id = user.create_id("posts", &json!({})).await;
    user.create("notes", &json!({"title": "n"})).await;
    user.delete(&format!("/records/posts/{id}")).await;
    for all in [&mut by_name, &mut by_token] {
        all.expect_event("posts.create").await;
        assert_eq!(all.expect_event("notes.create").await["title"], "n");
        assert_eq!(all.expect_event("posts.delete").await, json!({"id": id}));
    }
    by_operation.expect_event("notes.create").await;
    by_operation.expect_event("posts.delete").await;
}

async fn a_stream_greets_and_shows_that_it_lives(backend: Backend) {
    let app = TestApp::spawn_with(backend, |config| config.realtime.heartbeat_seconds = 1).await;
    let mut sse = Sse::open(&app.admin, "").await;
    let beat = sse.any_event().await.unwrap();
    assert_eq!(sse.comments, ["connected"]);
    assert_eq!((beat.event.as_str(), &beat.data["event"]), ("heartbeat", &json!("heartbeat")));
    assert_eq!(beat.data["type"], "heartbeat");
}

async fn bad_requests_are_answered_in_json(backend: Backend) {
    let (app, user) = posts(backend, &open()).await;
    app.anonymous().get("/realtime/subscribe?collection=posts").await.refused(401, "Missing token");
    app.anonymous().get("/realtime/events?token=nonsense").await.refused(401, "");
    let many: Vec<String> = (0..101).map(|number| format!("c{number}")).collect();
    user.get(&format!("/realtime/subscribe?collections={}", many.join(","))).await.refused(400, "(100)");
    user.get("/realtime/subscribe?collection=posts&account=*").await.refused(403, "account");
}

async fn a_stream_goes_on_where_it_ended(backend: Backend) {
    let (app, user) = posts(backend, &open()).await;
    let colleague = app.colleague_of(&user).await;
    let mut first = Sse::open(&user, "?collection=posts").await;
    for number in 0..10 {
        colleague.create("posts", &json!({"title": number.to_string()})).await;
    }
    let mut last = None;
    for number in 0..5 {
        let event = first.event().await;
        assert_eq!(event.data["data"]["title"], number.to_string());
        assert_eq!(event.id.as_deref(), event.data["cursor"].as_str());
        last = event.id;
    }
    drop(first);
    let last = last.unwrap();
    let mut again = Sse::resume(&user, "?collection=posts", &last).await;
    let mut by_query = Sse::open(&user, &format!("?collection=posts&since={last}")).await;
    for number in 10..15 {
        colleague.create("posts", &json!({"title": number.to_string()})).await;
    }
    for sse in [&mut again, &mut by_query] {
        for number in 5..15 {
            assert_eq!(sse.expect_event("posts.create").await["title"], number.to_string());
        }
    }
}
