//! Hooks hear of connections and what they do, and may refuse.

use std::sync::{Arc, Mutex};

use serde_json::json;
use snackbase::hooks::{Abort, Hooks, RealtimeEvent};

use crate::harness::{Backend, TestApp, Ws, eventually, open};

crate::both![every_step_of_a_connection_is_told, a_hook_may_refuse];

async fn every_step_of_a_connection_is_told(backend: Backend) {
    let seen: Arc<Mutex<Vec<String>>> = Arc::default();
    let note = |name: &'static str| {
        let seen = seen.clone();
        move |event: RealtimeEvent| {
            seen.lock().unwrap().push(format!(
                "{name} {}",
                event.collection.as_deref().unwrap_or("-")
            ));
            std::future::ready(Ok(event))
        }
    };
    let hooks = |hooks: Hooks| {
        hooks
            .on_realtime_connect(note("connect"))
            .on_realtime_subscribe(note("subscribe"))
            .on_realtime_unsubscribe(note("unsubscribe"))
            .on_realtime_message(note("message"))
            .on_realtime_disconnect(note("disconnect"))
    };
    let app = TestApp::spawn_hooked(backend, |_| {}, hooks).await;
    let mut ws = Ws::connect(&app.admin).await;
    ws.subscribe("posts").await;
    ws.send(&json!({"action": "unsubscribe", "collection": "posts"}))
        .await;
    assert_eq!(ws.frame().await["type"], "unsubscribed");
    ws.close().await;
    eventually("the end to be told", async || {
        seen.lock().unwrap().len() == 6
    })
    .await;
    let expected = [
        "connect -",
        "message -",
        "subscribe posts",
        "message -",
        "unsubscribe posts",
        "disconnect -",
    ];
    assert_eq!(*seen.lock().unwrap(), expected);
}

async fn a_hook_may_refuse(backend: Backend) {
    let hooks = |hooks: Hooks| {
        hooks
            .on_realtime_connect(async |event| {
                let refused = event.caller.is_superadmin();
                if refused {
                    Err(Abort::new("Not for you").with_status(403))
                } else {
                    Ok(event)
                }
            })
            .on_realtime_subscribe(async |event| match event.collection.as_deref() {
                Some("private") => Err(Abort::new("Not this one")),
                _ => Ok(event),
            })
    };
    let app = TestApp::spawn_hooked(backend, |_| {}, hooks).await;
    app.collection(
        "posts",
        &json!([{"name": "title", "type": "text"}]),
        &open(),
    )
    .await;
    let user = app.register().await;
    let token = format!("?token={}", app.admin.token);
    assert_eq!(
        Ws::try_connect(&app.base, &token, &[]).await.err(),
        Some(403)
    );
    app.admin
        .get("/realtime/subscribe?collection=posts")
        .await
        .refused(403, "Not for you");
    user.get("/realtime/subscribe?collection=private")
        .await
        .refused(400, "Not this one");
    let mut ws = Ws::connect(&user).await;
    ws.send(&json!({"action": "subscribe", "collection": "private"}))
        .await;
    assert_eq!(
        ws.frame().await,
        json!({"error": "Not this one", "code": "aborted", "collection": "private"})
    );
    ws.subscribe("posts").await;
    user.create("posts", &json!({})).await;
    ws.expect_event("posts.create").await;
}
