//! What goes beyond the published protocol: filters, single records, several subscriptions of a
//! collection, going on after a break, snapshots.

use serde_json::{Value, json};

use crate::harness::{Backend, Sse, TestApp, User, Ws, open};

crate::both![
    what_was_answered_before_a_subscription_is_not_told,
    several_subscriptions_of_a_collection_are_told_apart,
    one_record_is_followed_with_the_rule_and_the_fields_of_views,
    fields_and_old_values_are_what_the_subscriber_sees,
    a_break_is_bridged_with_the_cursor_of_the_last_event_or_of_a_list,
    a_snapshot_comes_first_and_then_everything_after_it,
    a_snapshot_under_writes_has_no_gap_and_no_repetition,
    what_cannot_be_subscribed_to_is_refused_with_the_reference,
    large_records_that_were_missed_come_in_pieces_and_complete,
    a_plain_client_never_sees_a_new_kind_of_frame,
];

const WRITERS: usize = 4;
const WRITES: usize = 40;

async fn posts(backend: Backend) -> (TestApp, User) {
    let app = TestApp::spawn_with(backend, |config| config.realtime.checkpoint_seconds = 1).await;
    let fields = json!([
        {"name": "n", "type": "number"},
        {"name": "state", "type": "text"},
        {"name": "mail", "type": "email", "pii": true, "mask_type": "email"}
    ]);
    app.collection("posts", &fields, &open()).await;
    let user = app.register().await;
    (app, user)
}

async fn subscribe(ws: &mut Ws, message: &Value) {
    let mut message = message.clone();
    message["action"] = json!("subscribe");
    ws.send(&message).await;
    let ack = ws.frame().await;
    assert_eq!(
        (&ack["type"], &ack["ref"]),
        (&json!("subscribed"), &message["ref"]),
        "{ack}"
    );
}

fn summary(frame: &Value) -> String {
    let change = frame["change"].as_str().unwrap_or("-");
    let operation = frame["operation"].as_str().unwrap_or_default();
    format!(
        "{} {operation} {change} {}",
        frame["ref"], frame["data"]["n"]
    )
}

async fn what_was_answered_before_a_subscription_is_not_told(backend: Backend) {
    let (_app, user) = posts(backend).await;
    for n in 0..20 {
        let (mut plain, mut knowing) = (Ws::connect(&user).await, Ws::connect(&user).await);
        user.create("posts", &json!({"n": n})).await;
        plain.subscribe("posts").await;
        user.create("posts", &json!({"n": n})).await;
        knowing
            .send(&json!({"action": "subscribe", "collection": "posts", "ref": 1}))
            .await;
        let cursor = knowing.frame().await["cursor"].clone();
        let mut stream = Sse::open(&user, "?collection=posts").await;
        let mut later = Ws::connect(&user).await;
        subscribe(
            &mut later,
            &json!({"collection": "posts", "ref": 1, "since": cursor}),
        )
        .await;
        assert_eq!(
            later.frame().await["count"],
            0,
            "nothing came between the acknowledgement and this"
        );
        let id = user.create_id("posts", &json!({"n": n})).await;
        plain.expect_event("posts.create").await;
        assert_eq!(plain.frame().await["id"], id.as_str());
        assert_eq!(knowing.frame().await["id"], id.as_str());
        assert_eq!(later.frame().await["id"], id.as_str());
        assert_eq!(stream.event().await.data["id"], id.as_str());
    }
}

async fn several_subscriptions_of_a_collection_are_told_apart(backend: Backend) {
    let (_app, user) = posts(backend).await;
    let mut ws = Ws::connect(&user).await;
    subscribe(
        &mut ws,
        &json!({"collection": "posts", "ref": "open", "filter": "state = 'open'"}),
    )
    .await;
    subscribe(
        &mut ws,
        &json!({"collection": "posts", "ref": 2, "filter": "n > 1", "operations": ["create"]}),
    )
    .await;
    subscribe(&mut ws, &json!({"collection": "posts"})).await;
    let id = user
        .create_id("posts", &json!({"n": 2, "state": "open"}))
        .await;
    let mut heard = Vec::new();
    for _ in 0..3 {
        heard.push(summary(&ws.frame().await));
    }
    heard.sort();
    assert_eq!(
        heard,
        ["\"open\" create - 2", "2 create - 2", "null create - 2"]
            .map(|line| with_double(line, heard[0].contains("2.0")))
    );
    user.patch(&format!("/records/posts/{id}"), &json!({"state": "shut"}))
        .await
        .ok(200);
    let mut frames = [ws.frame().await, ws.frame().await];
    frames.sort_by_key(|frame| frame["ref"].to_string());
    assert_eq!(
        (&frames[0]["ref"], &frames[0]["change"]),
        (&json!("open"), &json!("left"))
    );
    assert_eq!(frames[0]["data"], json!({"id": id}));
    assert_eq!(
        (&frames[1]["ref"], &frames[1]["operation"]),
        (&Value::Null, &json!("update"))
    );
    // Each ends alone, by its name.
    ws.send(&json!({"action": "unsubscribe", "ref": "open"}))
        .await;
    let ack = ws.frame().await;
    assert_eq!(
        (&ack["type"], &ack["ref"]),
        (&json!("unsubscribed"), &json!("open"))
    );
    ws.send(&json!({"action": "unsubscribe", "collection": "posts"}))
        .await;
    assert_eq!(ws.frame().await["type"], "unsubscribed");
    user.create("posts", &json!({"n": 3, "state": "open"}))
        .await;
    assert_eq!(ws.frame().await["ref"], 2);
}

/// Databases differ in how they write whole numbers.
fn with_double(line: &str, double: bool) -> String {
    if double {
        format!("{line}.0")
    } else {
        line.to_owned()
    }
}

async fn one_record_is_followed_with_the_rule_and_the_fields_of_views(backend: Backend) {
    let (app, user) = posts(backend).await;
    let rules =
        json!({"list_rule": "n > 100", "view_rule": "state = 'open'", "view_fields": ["state"]});
    app.rules("posts", &rules).await;
    let id = user
        .create_id("posts", &json!({"n": 1, "state": "open"}))
        .await;
    let mut ws = Ws::connect(&user).await;
    subscribe(
        &mut ws,
        &json!({"collection": "posts", "record": id, "ref": "one", "snapshot": true}),
    )
    .await;
    let first = ws.frame().await;
    assert_eq!(
        (&first["type"], &first["items"][0]["state"]),
        (&json!("snapshot"), &json!("open"))
    );
    assert_eq!(first["items"][0]["n"], Value::Null);
    assert_eq!(ws.frame().await["type"], "live");
    user.create("posts", &json!({"n": 200, "state": "open"}))
        .await;
    app.admin
        .patch(&format!("/records/posts/{id}"), &json!({"n": 3}))
        .await
        .ok(200);
    let event = ws.frame().await;
    assert_eq!(
        (&event["operation"], &event["id"]),
        (&json!("update"), &json!(id))
    );
    assert_eq!(
        (&event["data"]["state"], &event["data"]["n"]),
        (&json!("open"), &Value::Null)
    );
    app.admin
        .patch(&format!("/records/posts/{id}"), &json!({"state": "shut"}))
        .await
        .ok(200);
    assert_eq!(ws.frame().await["change"], "left");
}

async fn fields_and_old_values_are_what_the_subscriber_sees(backend: Backend) {
    let (app, user) = posts(backend).await;
    let colleague = app.colleague_of(&user).await;
    let id = user
        .create_id("posts", &json!({"n": 1, "mail": "ann@example.com"}))
        .await;
    let mut ws = Ws::connect(&colleague).await;
    subscribe(
        &mut ws,
        &json!({"collection": "posts", "fields": "mail", "old": true, "operations": ["update", "delete"]}),
    )
    .await;
    user.patch(
        &format!("/records/posts/{id}"),
        &json!({"mail": "bob@example.com"}),
    )
    .await
    .ok(200);
    let event = ws.frame().await;
    assert_eq!(
        (&event["data"]["mail"], &event["old"]["mail"]),
        (&json!("b***@example.com"), &json!("a***@example.com"))
    );
    assert!(
        event["data"].get("n").is_none() && event["old"].get("n").is_none(),
        "{event}"
    );
    user.delete(&format!("/records/posts/{id}")).await.ok(204);
    let event = ws.frame().await;
    assert_eq!(
        (&event["data"], &event["old"]["mail"]),
        (&json!({"id": id}), &json!("b***@example.com"))
    );
}

async fn a_break_is_bridged_with_the_cursor_of_the_last_event_or_of_a_list(backend: Backend) {
    let (_app, user) = posts(backend).await;
    let mut ws = Ws::connect(&user).await;
    subscribe(&mut ws, &json!({"collection": "posts", "ref": "a"})).await;
    user.create("posts", &json!({"n": 0})).await;
    let seen = ws.frame().await["cursor"].clone();
    ws.close().await;
    let list = user.get("/records/posts").await;
    let listed = json!(list.header("x-realtime-cursor").unwrap());
    let id = user.create_id("posts", &json!({"n": 1})).await;
    let got = user.get(&format!("/records/posts/{id}")).await;
    assert!(got.header("x-realtime-cursor").is_some());
    for n in 2..20 {
        user.create("posts", &json!({"n": n})).await;
    }
    for since in [&seen, &listed] {
        let mut ws = Ws::connect(&user).await;
        subscribe(
            &mut ws,
            &json!({"collection": "posts", "ref": "a", "since": since}),
        )
        .await;
        let mut numbers = Vec::new();
        let replayed = loop {
            let frame = ws.frame().await;
            if frame["type"] == "replayed" {
                break frame;
            }
            numbers.push(frame["data"]["n"].as_f64().unwrap());
        };
        // A list's cursor may be a little behind what it shows, never ahead.
        numbers.retain(|n| *n > 0.0);
        assert_eq!(numbers, (1..20).map(f64::from).collect::<Vec<_>>());
        assert!(
            replayed["count"].as_u64().unwrap() >= 19 && replayed["ref"] == "a",
            "{replayed}"
        );
        ws.close().await;
    }
    let mut ws = Ws::connect(&user).await;
    subscribe(
        &mut ws,
        &json!({"collection": "posts", "ref": "a", "since": seen}),
    )
    .await;
    while ws.frame().await["type"] != "replayed" {}
    let created = user.create_id("posts", &json!({"n": 0})).await;
    assert_eq!(ws.frame().await["id"], created.as_str());
    // A cursor of somewhere else is no secret failure.
    let mut ws = Ws::connect(&user).await;
    subscribe(
        &mut ws,
        &json!({"collection": "posts", "ref": "a", "since": "elsewhere:5"}),
    )
    .await;
    let resync = ws.frame().await;
    assert_eq!(
        (&resync["type"], &resync["reason"], &resync["ref"]),
        (&json!("resync"), &json!("epoch"), &json!("a"))
    );
    assert!(resync["cursor"].is_string());
}

async fn a_snapshot_comes_first_and_then_everything_after_it(backend: Backend) {
    let (app, user) = posts(backend).await;
    let colleague = app.colleague_of(&user).await;
    let records: Vec<Value> = (0..100)
        .map(|n| json!({"n": n, "mail": "ann@example.com"}))
        .collect();
    for _ in 0..2 {
        user.post("/records/posts/batch", &json!({"records": records}))
            .await
            .ok(201);
    }
    let mut ws = Ws::connect(&colleague).await;
    let wish = json!({"collection": "posts", "ref": "s", "snapshot": true, "filter": "n < 75", "sort": "n,id", "limit": 150});
    subscribe(&mut ws, &wish).await;
    let mut items = Vec::new();
    for (count, more) in [(100, Value::Null), (50, json!(false))] {
        let page = ws.frame().await;
        assert_eq!(
            (&page["type"], &page["ref"], &page["has_more"]),
            (&json!("snapshot"), &json!("s"), &more)
        );
        let page = page["items"].as_array().unwrap();
        assert_eq!(page.len(), count);
        items.extend(page.iter().map(|item| item["n"].as_f64().unwrap()));
        assert!(page.iter().all(|item| item["mail"] == "a***@example.com"));
    }
    assert!(items.is_sorted());
    assert_eq!(ws.frame().await["type"], "live");
    user.create("posts", &json!({"n": 80})).await;
    user.create("posts", &json!({"n": 7})).await;
    assert_eq!(ws.frame().await["data"]["n"].as_f64(), Some(7.0));
    // Superadmins see what they ask for.
    let stranger = app.register().await;
    stranger.create("posts", &json!({"n": 1})).await;
    let mut ws = Ws::connect(&app.admin).await;
    let wish = json!({"collection": "posts", "snapshot": true, "account": stranger.account_slug});
    subscribe(&mut ws, &wish).await;
    assert_eq!(ws.frame().await["items"].as_array().unwrap().len(), 1);
}

async fn a_snapshot_under_writes_has_no_gap_and_no_repetition(backend: Backend) {
    let (_app, user) = posts(backend).await;
    let writers = (0..WRITERS).map(|writer| {
        let user = user.clone();
        tokio::spawn(async move {
            for n in 0..WRITES {
                user.create("posts", &json!({"n": writer * WRITES + n}))
                    .await;
            }
        })
    });
    let writers: Vec<_> = writers.collect();
    let mut clients = Vec::new();
    for _ in 0..6 {
        let user = user.clone();
        clients.push(tokio::spawn(async move {
            let mut ws = Ws::connect(&user).await;
            let wish = json!({"collection": "posts", "ref": "s", "snapshot": true, "limit": 1000});
            subscribe(&mut ws, &wish).await;
            let mut ids = Vec::new();
            while ids.len() < WRITERS * WRITES {
                let frame = ws.frame().await;
                if frame["type"] == "snapshot" {
                    ids.extend(
                        frame["items"]
                            .as_array()
                            .unwrap()
                            .iter()
                            .map(|item| item["id"].to_string()),
                    );
                } else if frame["type"] != "live" {
                    ids.push(frame["id"].to_string());
                }
            }
            ids
        }));
        tokio::time::sleep(std::time::Duration::from_millis(15)).await;
    }
    for writer in writers {
        writer.await.unwrap();
    }
    for client in clients {
        let mut ids = client.await.unwrap();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), WRITERS * WRITES);
    }
}

async fn what_cannot_be_subscribed_to_is_refused_with_the_reference(backend: Backend) {
    let (app, user) = posts(backend).await;
    let colleague = app.colleague_of(&user).await;
    app.collection(
        "locked",
        &json!([{"name": "n", "type": "number"}]),
        &json!({}),
    )
    .await;
    let mut ws = Ws::connect(&colleague).await;
    for (wish, code) in [
        (
            json!({"collection": "posts", "filter": "n >"}),
            "invalid_filter",
        ),
        (
            json!({"collection": "posts", "filter": "unknown = 1"}),
            "invalid_filter",
        ),
        (
            json!({"collection": "posts", "filter": "mail = 'ann@example.com'"}),
            "invalid_filter",
        ),
        (
            json!({"collection": "posts", "filter": "x".repeat(30_000)}),
            "invalid_filter",
        ),
        (
            json!({"collection": "posts", "filter": 5}),
            "invalid_message",
        ),
        (
            json!({"collection": "posts", "snapshot": true, "sort": "unknown"}),
            "invalid_message",
        ),
        (
            json!({"collection": "posts", "snapshot": true, "limit": 100_000}),
            "invalid_message",
        ),
        (
            json!({"collection": "posts", "snapshot": true, "since": "a:1"}),
            "invalid_message",
        ),
        (
            json!({"collection": "posts", "expand": ["n"]}),
            "invalid_message",
        ),
        (
            json!({"collection": "nowhere", "filter": "n = 1"}),
            "not_found",
        ),
        (
            json!({"collection": "nowhere", "snapshot": true}),
            "not_found",
        ),
        (
            json!({"collection": "posts", "snapshot": true, "record": "nonsense"}),
            "not_found",
        ),
        (
            json!({"collection": "locked", "snapshot": true}),
            "forbidden",
        ),
    ] {
        let mut message = wish.clone();
        message["action"] = json!("subscribe");
        message["ref"] = json!("r");
        ws.send(&message).await;
        let refusal = ws.frame().await;
        assert_eq!(
            (&refusal["code"], &refusal["ref"], &refusal["type"]),
            (&json!(code), &json!("r"), &Value::Null),
            "{wish}: {refusal}"
        );
    }
    user.create("posts", &json!({"n": 1})).await;
    ws.send(&json!({"action": "ping"})).await;
    assert_eq!(
        ws.frame().await["type"],
        "pong",
        "nothing was subscribed to"
    );
}

async fn large_records_that_were_missed_come_in_pieces_and_complete(backend: Backend) {
    let (_app, user) = posts(backend).await;
    let mut ws = Ws::connect(&user).await;
    ws.send(&json!({"action": "subscribe", "collection": "posts", "ref": 1}))
        .await;
    let cursor = ws.frame().await["cursor"].clone();
    drop(ws);
    let text = "x".repeat(900_000);
    for n in 0..8 {
        user.create(
            "posts",
            &json!({"n": n, "state": if n % 4 == 3 { "small" } else { &text }}),
        )
        .await;
    }
    let mut ws = Ws::connect(&user).await;
    subscribe(
        &mut ws,
        &json!({"collection": "posts", "ref": 1, "since": cursor}),
    )
    .await;
    for n in 0..8 {
        assert_eq!(ws.expect_event("posts.create").await["n"], n);
    }
    assert_eq!(ws.frame().await["count"], 8);
}

async fn a_plain_client_never_sees_a_new_kind_of_frame(backend: Backend) {
    let (app, user) = posts(backend).await;
    let mut plain = Ws::connect(&user).await;
    plain.subscribe("posts").await;
    let mut knowing = Ws::connect(&user).await;
    subscribe(&mut knowing, &json!({"collection": "posts", "ref": 1})).await;
    app.rules("posts", &json!({"list_rule": "n > 0"})).await;
    let resync = knowing.frame().await;
    assert_eq!(
        (&resync["type"], &resync["reason"]),
        (&json!("resync"), &json!("rules"))
    );
    user.create("posts", &json!({"n": 0})).await;
    while knowing.any_frame().await["type"] != "checkpoint" {}
    user.create("posts", &json!({"n": 1})).await;
    let mut event = plain.any_frame().await;
    while event["type"] == "heartbeat" {
        event = plain.any_frame().await;
    }
    assert_eq!(
        (&event["type"], event["data"]["n"].as_f64()),
        (&json!("posts.create"), Some(1.0))
    );
    assert!(
        event.get("ref").is_none() && event.get("old").is_none(),
        "{event}"
    );
}
