//! Clients that mean no good.

use serde_json::{Value, json};

use crate::harness::{Backend, Sse, TestApp, User, Ws, open, soon};

crate::both![
    frames_of_every_wrong_shape_are_answered_and_never_end_the_server,
    a_flood_of_messages_is_cut_and_others_do_not_notice,
    many_snapshots_at_once_are_refused_before_they_fill_the_memory,
    filters_that_are_too_expensive_lead_to_a_resync_and_delay_nobody_else,
];

async fn posts(backend: Backend) -> (TestApp, User) {
    let app = TestApp::spawn(backend).await;
    app.collection("posts", &json!([{"name": "text", "type": "text"}]), &open())
        .await;
    let user = app.register().await;
    (app, user)
}

/// The server still serves.
async fn lives(user: &User) {
    let mut ws = Ws::connect(user).await;
    ws.subscribe("posts").await;
    let id = user.create_id("posts", &json!({"text": "a"})).await;
    assert_eq!(ws.frame().await["id"], id.as_str());
}

async fn frames_of_every_wrong_shape_are_answered_and_never_end_the_server(backend: Backend) {
    let (_app, user) = posts(backend).await;
    let values = [
        json!(null),
        json!(true),
        json!(-1),
        json!(1e300),
        json!(""),
        json!("\u{0}"),
        json!("\u{202e}'; DROP TABLE users; --"),
        json!("x".repeat(40_000)),
        json!([]),
        json!([[[[]]]]),
        json!({}),
        json!({"a": {"b": {}}}),
    ];
    let keys = [
        "action",
        "type",
        "collection",
        "operations",
        "account",
        "ref",
        "record",
        "filter",
        "fields",
        "expand",
        "since",
        "snapshot",
        "sort",
        "limit",
        "old",
        "token",
    ];
    for action in ["subscribe", "unsubscribe", "auth"] {
        let mut ws = Ws::connect(&user).await;
        for key in keys {
            for value in &values {
                let mut message = json!({"action": action, "collection": "posts", "ref": "r"});
                message[key] = value.clone();
                ws.send(&message).await;
                let answer = ws.frame().await;
                assert!(
                    answer["error"].is_string() || answer["type"].is_string(),
                    "{message}: {answer}"
                );
                // A client that asks for a snapshot of nothing hears of it as well.
                if answer["type"] == "subscribed" {
                    ws.send(&json!({"action": "ping"})).await;
                    while ws.frame().await["type"] != "pong" {}
                }
            }
        }
    }
    let mut ws = Ws::connect(&user).await;
    ws.send_binary(vec![0; 1000]).await;
    assert_eq!(ws.frame().await["code"], "invalid_json");
    ws.send_text(&format!("{{\"action\":{}", "[".repeat(50_000)))
        .await;
    assert_eq!(ws.frame().await["code"], "invalid_json");
    ws.send_binary(vec![b'{'; 200_000]).await;
    assert_eq!(ws.end().await.code, 1009);
    for query in [
        "?since=%00",
        "?limit=-1",
        "?snapshot=maybe",
        "?filter=%00&collection=posts",
        "?record=%00&collection=posts",
    ] {
        let path = format!("/realtime/subscribe{query}");
        assert!(
            soon("an answer", user.send_head(&path)).await < 500,
            "{query}"
        );
    }
    lives(&user).await;
}

async fn a_flood_of_messages_is_cut_and_others_do_not_notice(backend: Backend) {
    let (_app, user) = posts(backend).await;
    let mut witness = Ws::connect(&user).await;
    witness.subscribe("posts").await;
    let mut flood = Ws::connect(&user).await;
    let message = json!({"action": "subscribe", "collection": "posts", "ref": "x", "since": "a:1"});
    for _ in 0..3000 {
        flood.send(&message).await;
    }
    let id = user.create_id("posts", &json!({"text": "a"})).await;
    assert_eq!(witness.frame().await["id"], id.as_str());
    let mut limited = false;
    for _ in 0..3000 {
        limited |= flood.frame().await["code"] == "rate_limited";
        if limited {
            break;
        }
    }
    assert!(limited);
}

async fn many_snapshots_at_once_are_refused_before_they_fill_the_memory(backend: Backend) {
    let (_app, user) = posts(backend).await;
    let text = "x".repeat(50_000);
    let records: Vec<Value> = (0..50).map(|_| json!({"text": text})).collect();
    for _ in 0..2 {
        user.post("/records/posts/batch", &json!({"records": records}))
            .await
            .ok(201);
    }
    let mut ws = Ws::connect(&user).await;
    for number in 0..20 {
        ws.send(
            &json!({"action": "subscribe", "collection": "posts", "ref": number, "snapshot": true}),
        )
        .await;
    }
    ws.send(&json!({"action": "ping"})).await;
    let (mut refused, mut shown) = (0, 0);
    while refused + shown < 20 {
        let frame = ws.frame().await;
        refused += usize::from(frame["code"] == "rate_limited");
        shown += usize::from(frame["type"] == "snapshot" && frame["has_more"].is_boolean());
    }
    assert!(
        shown >= 1 && refused >= 1,
        "{shown} shown, {refused} refused"
    );
    drop(ws);
    let stream = Sse::open(&user, "?collection=posts").await;
    drop(stream);
    lives(&user).await;
}

async fn filters_that_are_too_expensive_lead_to_a_resync_and_delay_nobody_else(backend: Backend) {
    const FILTERS: usize = 20;
    let (app, user) = posts(backend).await;
    let stranger = app.register().await;
    let (mut cheap, mut witness, mut ws) = (
        Ws::connect(&user).await,
        Ws::connect(&stranger).await,
        Ws::connect(&user).await,
    );
    cheap.subscribe("posts").await;
    witness.subscribe("posts").await;
    for number in 0..FILTERS {
        let filter = format!("text ~ '%{}{number}%'", "a_".repeat(490));
        ws.send(
            &json!({"action": "subscribe", "collection": "posts", "ref": number, "filter": filter}),
        )
        .await;
        assert_eq!(ws.frame().await["type"], "subscribed");
    }
    let id = user
        .create_id("posts", &json!({"text": "a".repeat(600_000)}))
        .await;
    assert_eq!(cheap.patient_frame().await["id"], id.as_str());
    let told = ws.patient_frame().await;
    assert_eq!(
        (&told["type"], &told["reason"]),
        (&json!("resync"), &json!("access"))
    );
    // Some of them were judged.
    assert!(
        told["ref"].as_u64().is_some_and(|number| number > 0),
        "{told}"
    );
    let other = stranger.create_id("posts", &json!({"text": "b"})).await;
    assert_eq!(witness.patient_frame().await["id"], other.as_str());
}
