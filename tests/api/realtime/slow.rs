//! A reader that does not read costs bounded memory and delays nobody.

use serde_json::json;

use crate::harness::{Backend, TestApp, Ws, open};

crate::both![
    a_slow_reader_hears_everything_and_delays_nobody,
    a_reader_that_never_reads_is_closed
];

const EVENTS: usize = 300;

async fn a_slow_reader_hears_everything_and_delays_nobody(backend: Backend) {
    let app = TestApp::spawn_with(backend, |config| {
        config.realtime.queue_frames = 64;
        config.realtime.queue_bytes = 512 * 1024;
    })
    .await;
    app.collection("posts", &json!([{"name": "text", "type": "text"}]), &open())
        .await;
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
    // Only now the slow one reads: what was dropped is read in the log.
    for _ in 0..EVENTS {
        slow.expect_event("posts.create").await;
    }
    user.create("posts", &json!({"text": "live again"})).await;
    assert_eq!(
        slow.expect_event("posts.create").await["text"],
        "live again"
    );
    assert_eq!(
        quick.expect_event("posts.create").await["text"],
        "live again"
    );
}

async fn a_reader_that_never_reads_is_closed(backend: Backend) {
    let app = TestApp::spawn_with(backend, |config| {
        config.realtime.queue_frames = 64;
        config.realtime.stall_seconds = 1;
    })
    .await;
    app.collection("posts", &json!([{"name": "text", "type": "text"}]), &open())
        .await;
    let user = app.register().await;
    let mut deaf = Ws::connect(&user).await;
    deaf.subscribe("posts").await;
    let text = "x".repeat(60_000);
    let mut written = 0;
    while app.services().hub.connected() > 0 {
        user.create("posts", &json!({"text": text})).await;
        written += 1;
    }
    // Whether the reason still fits into the socket is a matter of luck.
    let (heard, end) = deaf.read_to_end().await;
    assert!(end.code == 1013 || end.code == 1006, "{end:?}");
    assert!(heard < written, "{heard} of {written}");
}
