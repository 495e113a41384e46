//! A reader that does not read costs bounded memory and delays nobody.

use serde_json::json;

use crate::harness::{Backend, TestApp, Ws, open};

crate::both![a_slow_reader_is_closed_and_others_hear_everything];

const EVENTS: usize = 300;

async fn a_slow_reader_is_closed_and_others_hear_everything(backend: Backend) {
    let app = TestApp::spawn_with(backend, |config| {
        config.realtime.queue_frames = 64;
        config.realtime.queue_bytes = 512 * 1024;
    })
    .await;
    app.collection("posts", &json!([{"name": "text", "type": "text"}]), &open()).await;
    let user = app.register().await;
    let mut slow = Ws::connect(&user).await;
    slow.subscribe("posts").await;
    let mut quick = Ws::connect(&user).await;
    quick.subscribe("posts").await;
    // More than the sockets' buffers and the queue can hold.
    let text = "x".repeat(60_000);
    let writing = async {
        for _ in 0..EVENTS {
            user.create("posts", &json!({"text": text})).await;
        }
    };
    let reading = async {
        for _ in 0..EVENTS {
            quick.expect_event("posts.create").await;
        }
    };
    tokio::join!(writing, reading);
    // Only now the slow one reads: what was sent before. Whether the reason still fits into the socket is a matter of
    // luck; that it is not sent everything is not.
    let (heard, end) = slow.read_to_end().await;
    assert!(end.code == 1013 || end.code == 1006, "{end:?}");
    assert!(heard < EVENTS, "{heard} events waited for a reader who did not read");
    quick.send(&json!({"action": "ping"})).await;
    assert_eq!(quick.frame().await["type"], "pong");
}
