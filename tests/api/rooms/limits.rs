use serde_json::{Value, json};

use super::define;
use crate::harness::{Backend, TestApp, Ws};

crate::both![
    a_slow_reader_loses_the_oldest_messages_and_is_told_how_many,
    a_connection_is_in_no_more_rooms_than_allowed,
    a_room_has_no_more_members_than_allowed,
    what_is_too_large_is_refused,
    a_room_carries_no_more_messages_than_allowed,
];

const MESSAGES: usize = 1500;

async fn a_slow_reader_loses_the_oldest_messages_and_is_told_how_many(backend: Backend) {
    let app = TestApp::spawn_with(backend, |config| {
        config.realtime.queue_frames = 32;
        config.realtime.max_messages_per_second = 10_000;
        config.rooms.max_messages_per_second = 10_000;
    })
    .await;
    define(&app, "doc:{id}", &json!({})).await;
    let user = app.register().await;
    let (mut slow, mut quick, mut talking) = (
        Ws::connect(&user).await,
        Ws::connect(&user).await,
        Ws::connect(&user).await,
    );
    for ws in [&mut slow, &mut quick, &mut talking] {
        ws.join("doc:1").await;
    }
    // More than the sockets' buffers can hold.
    let text = "x".repeat(16_000);
    for n in 0..MESSAGES {
        let message = json!({"action": "publish", "room": "doc:1", "event": n.to_string(), "data": text, "echo": false});
        talking.send(&message).await;
        assert_eq!(
            quick.next_of("room.message").await["event"],
            n.to_string(),
            "the quick one hears everything"
        );
    }
    let (mut heard, mut lost, mut newest) = (0, 0, None);
    while heard + lost < MESSAGES {
        let frame = slow.frame().await;
        if frame["type"] == "room.lost" {
            assert_eq!(frame["room"], "doc:1");
            lost += usize::try_from(frame["count"].as_u64().unwrap()).unwrap();
        } else if frame["type"] == "room.message" {
            heard += 1;
            let number: usize = frame["event"].as_str().unwrap().parse().unwrap();
            assert!(newest < Some(number), "in order");
            newest = Some(number);
        }
    }
    assert_eq!((heard + lost, newest), (MESSAGES, Some(MESSAGES - 1)));
    assert!(lost > 0, "everything waited for a reader who did not read");
    // It is still there.
    slow.publish("doc:1", "sorry", &Value::Null).await;
}

async fn a_connection_is_in_no_more_rooms_than_allowed(backend: Backend) {
    let app = TestApp::spawn_with(backend, |config| config.rooms.max_per_connection = 2).await;
    define(&app, "doc:{id}", &json!({})).await;
    let mut ws = Ws::connect(&app.register().await).await;
    ws.join("doc:1").await;
    ws.join("doc:2").await;
    assert_eq!(
        ws.ask(&json!({"action": "join", "room": "doc:3"})).await["code"],
        "max_rooms"
    );
    ws.join("doc:1").await;
    ws.ask(&json!({"action": "leave", "room": "doc:1", "ref": 1}))
        .await;
    ws.join("doc:3").await;
}

async fn a_room_has_no_more_members_than_allowed(backend: Backend) {
    let app = TestApp::spawn_with(backend, |config| config.rooms.max_members = 2).await;
    define(&app, "doc:{id}", &json!({})).await;
    let (user, stranger) = (app.register().await, app.register().await);
    let (mut a, mut b, mut c) = (
        Ws::connect(&user).await,
        Ws::connect(&user).await,
        Ws::connect(&user).await,
    );
    a.join("doc:1").await;
    b.join("doc:1").await;
    assert_eq!(
        c.ask(&json!({"action": "join", "room": "doc:1"})).await["code"],
        "room_full"
    );
    Ws::connect(&stranger).await.join("doc:1").await;
    a.ask(&json!({"action": "leave", "room": "doc:1", "ref": 1}))
        .await;
    c.join("doc:1").await;
}

async fn what_is_too_large_is_refused(backend: Backend) {
    let app = TestApp::spawn_with(backend, |config| {
        config.rooms.max_message_bytes = 100;
        config.rooms.max_presence_bytes = 50;
    })
    .await;
    define(&app, "doc:{id}", &json!({})).await;
    let mut ws = Ws::connect(&app.register().await).await;
    let presence = |length: usize| json!({"x": "x".repeat(length - 8)});
    let join = |presence: Value| json!({"action": "join", "room": "doc:1", "presence": presence});
    assert_eq!(ws.ask(&join(presence(51))).await["code"], "too_large");
    assert_eq!(ws.ask(&join(presence(50))).await["type"], "room.state");
    let show = json!({"action": "presence", "room": "doc:1", "presence": presence(51)});
    assert_eq!(ws.ask(&show).await["code"], "too_large");
    let publish = |length: usize| {
        json!({"action": "publish", "room": "doc:1", "event": "x", "ref": 1,
        "data": "x".repeat(length - 2)})
    };
    assert_eq!(ws.ask(&publish(101)).await["code"], "too_large");
    assert_eq!(ws.ask(&publish(100)).await["type"], "ack");
    let long = json!({"action": "publish", "room": "doc:1", "event": "x".repeat(65)});
    assert_eq!(ws.ask(&long).await["code"], "invalid_message");
}

async fn a_room_carries_no_more_messages_than_allowed(backend: Backend) {
    let app = TestApp::spawn_with(backend, |config| config.rooms.max_messages_per_second = 1).await;
    define(&app, "doc:{id}", &json!({})).await;
    let user = app.register().await;
    let mut ws = Ws::connect(&user).await;
    ws.join("doc:1").await;
    ws.join("doc:2").await;
    let mut refused = false;
    for n in 0..100 {
        let message =
            json!({"action": "publish", "room": "doc:1", "event": "x", "ref": n, "echo": false});
        if ws.ask(&message).await["code"] == "rate_limited" {
            refused = true;
            break;
        }
    }
    assert!(refused);
    // Another room is another matter.
    ws.publish("doc:2", "x", &Value::Null).await;
    let mut over_http = Vec::new();
    for _ in 0..20 {
        over_http.push(
            user.post("/realtime/rooms/doc:1/publish", &json!({"event": "x"}))
                .await
                .status,
        );
    }
    assert!(over_http.contains(&429), "{over_http:?}");
}
