use serde_json::{Value, json};

use crate::harness::{Backend, Client, TestApp, User, Ws, open};

crate::both![
    subscriptions_and_their_ends_are_acknowledged,
    events_have_the_published_shape,
    operations_select_events_in_every_published_form,
    nonsense_is_answered_and_the_connection_lives_on,
    a_hundred_subscriptions_are_enough,
    without_a_valid_token_there_is_no_upgrade,
    every_way_to_send_a_token_works,
    a_subscriber_of_nothing_hears_nothing_and_unsubscribing_stops_events,
];

async fn posts(backend: Backend) -> (TestApp, User) {
    let app = TestApp::spawn(backend).await;
    app.collection(
        "posts",
        &json!([{"name": "title", "type": "text"}, {"name": "j", "type": "json"}]),
        &open(),
    )
    .await;
    app.collection("marks", &json!([{"name": "n", "type": "number"}]), &open())
        .await;
    let user = app.register().await;
    (app, user)
}

fn path(record: &Value) -> String {
    format!("/records/posts/{}", record["id"].as_str().unwrap())
}

async fn subscriptions_and_their_ends_are_acknowledged(backend: Backend) {
    let (_app, user) = posts(backend).await;
    let mut ws = Ws::connect(&user).await;
    ws.send(
        &json!({"action": "subscribe", "collection": "posts", "operations": ["create", "delete"]}),
    )
    .await;
    let ack = ws.frame().await;
    assert_eq!(
        (&ack["type"], &ack["status"], &ack["collection"]),
        (&json!("subscribed"), &json!("subscribed"), &json!("posts"))
    );
    assert_eq!(ack["operations"], json!(["create", "delete"]));
    // A collection that does not exist is acknowledged as well: what exists is no secret to be
    // found out here.
    ws.send(&json!({"type": "subscribe", "collection": "nowhere"}))
        .await;
    assert_eq!(ws.frame().await["type"], "subscribed");
    ws.send(&json!({"action": "unsubscribe", "collection": "posts"}))
        .await;
    let ack = ws.frame().await;
    assert_eq!(
        (&ack["type"], &ack["status"], &ack["collection"]),
        (
            &json!("unsubscribed"),
            &json!("unsubscribed"),
            &json!("posts")
        )
    );
    ws.send(&json!({"action": "ping"})).await;
    assert_eq!(ws.frame().await["type"], "pong");
    ws.close().await;
}

async fn events_have_the_published_shape(backend: Backend) {
    let (_app, user) = posts(backend).await;
    let mut ws = Ws::connect(&user).await;
    ws.subscribe("posts").await;
    let created = user
        .create(
            "posts",
            &json!({"title": "a\n\"b\"", "j": {"k": [1, null]}}),
        )
        .await;
    let event = ws.frame().await;
    let id = created["id"].as_str().unwrap();
    for (key, value) in [
        ("type", "posts.create"),
        ("collection", "posts"),
        ("operation", "create"),
        ("id", id),
    ] {
        assert_eq!(event[key], value, "{event}");
    }
    // The data is what a GET shows, and the time that of the write.
    assert_eq!(event["data"], user.get(&path(&created)).await.ok(200));
    assert_eq!(event["timestamp"], created["created_at"]);
    assert!(event["cursor"].is_string());
    let changed = user
        .patch(&path(&created), &json!({"title": "c"}))
        .await
        .ok(200);
    let event = ws.frame().await;
    assert_eq!(
        (&event["type"], &event["data"]),
        (&json!("posts.update"), &changed)
    );
    assert_eq!(event["change"], Value::Null);
    user.delete(&path(&created)).await.ok(204);
    let event = ws.frame().await;
    assert_eq!(
        (&event["type"], &event["data"]),
        (&json!("posts.delete"), &json!({"id": id}))
    );
}

async fn operations_select_events_in_every_published_form(backend: Backend) {
    let (_app, user) = posts(backend).await;
    let all = ["posts.create", "posts.update", "posts.delete"];
    let cases: [(Value, &[&str]); 8] = [
        (json!(["create"]), &all[..1]),
        (json!(["update", "delete"]), &all[1..]),
        (json!("delete"), &all[2..]),
        (json!(null), &all),
        (json!([]), &all),
        (json!(["fly"]), &[]),
        (json!(["fly", "create"]), &all[..1]),
        (json!("update"), &all[1..2]),
    ];
    let mut ws = Ws::connect(&user).await;
    ws.subscribe("marks").await;
    for (operations, expected) in cases {
        // Subscribing again replaces the operations.
        ws.send(&json!({"action": "subscribe", "collection": "posts", "operations": operations}))
            .await;
        assert_eq!(ws.frame().await["type"], "subscribed");
        let record = user.create("posts", &json!({"title": "a"})).await;
        user.patch(&path(&record), &json!({"title": "b"}))
            .await
            .ok(200);
        user.delete(&path(&record)).await.ok(204);
        user.create("marks", &json!({})).await;
        for kind in expected {
            ws.expect_event(kind).await;
        }
        ws.expect_event("marks.create").await;
    }
}

async fn nonsense_is_answered_and_the_connection_lives_on(backend: Backend) {
    let (_app, user) = posts(backend).await;
    let mut ws = Ws::connect(&user).await;
    let cases = [
        ("{", "Invalid JSON"),
        ("", "Invalid JSON"),
        ("[]", "Invalid JSON"),
        ("\"subscribe\"", "Invalid JSON"),
        ("null", "Invalid JSON"),
        (r#"{"action":"fly"}"#, "Unknown action"),
        ("{}", "Unknown action"),
        (r#"{"action":5}"#, "Unknown action"),
        (r#"{"action":"subscribe"}"#, "Missing collection"),
        (
            r#"{"action":"subscribe","collection":""}"#,
            "Missing collection",
        ),
        (
            r#"{"action":"subscribe","collection":7}"#,
            "Missing collection",
        ),
        (r#"{"action":"unsubscribe"}"#, "Missing collection"),
    ];
    for (text, error) in cases {
        ws.send_text(text).await;
        let answer = ws.frame().await;
        assert_eq!(
            (&answer["error"], &answer["type"]),
            (&json!(error), &Value::Null),
            "{text}"
        );
        assert!(answer["code"].is_string(), "{answer}");
    }
    ws.send_binary(br#"{"action":"ping"}"#.to_vec()).await;
    assert_eq!(ws.frame().await["type"], "pong");
    ws.send_binary(vec![0xff, 0xfe]).await;
    assert_eq!(ws.frame().await["error"], "Invalid JSON");
    ws.send_text(&"[".repeat(20_000)).await;
    assert_eq!(ws.frame().await["error"], "Invalid JSON");
    ws.subscribe("posts").await;
    user.create("posts", &json!({})).await;
    ws.expect_event("posts.create").await;
    // What is much too large ends it.
    ws.send_text(&"x".repeat(100_000)).await;
    assert_eq!(ws.end().await.code, 1009);
}

async fn a_hundred_subscriptions_are_enough(backend: Backend) {
    let (_app, user) = posts(backend).await;
    let mut ws = Ws::connect(&user).await;
    ws.subscribe("posts").await;
    for index in 1..100 {
        ws.subscribe(&format!("other{index}")).await;
    }
    ws.send(&json!({"action": "subscribe", "collection": "marks"}))
        .await;
    let refusal = ws.frame().await;
    assert_eq!(
        (&refusal["error"], &refusal["type"]),
        (&json!("Max subscriptions reached (100)"), &Value::Null)
    );
    // The others live on, and one of them can be changed.
    ws.send(&json!({"action": "subscribe", "collection": "posts", "operations": ["create"]}))
        .await;
    assert_eq!(ws.frame().await["operations"], json!(["create"]));
    user.create("marks", &json!({})).await;
    user.create("posts", &json!({})).await;
    ws.expect_event("posts.create").await;
    ws.send(&json!({"action": "unsubscribe", "collection": "other1"}))
        .await;
    assert_eq!(ws.frame().await["type"], "unsubscribed");
    ws.subscribe("marks").await;
    user.create("marks", &json!({})).await;
    ws.expect_event("marks.create").await;
}

async fn without_a_valid_token_there_is_no_upgrade(backend: Backend) {
    let (app, user) = posts(backend).await;
    let long = format!("?token={}", "x".repeat(5000));
    for query in [
        "",
        "?token=",
        "?token=nonsense",
        &format!("?token={}", user.refresh_token),
        "?token=%00%ff",
        &long,
    ] {
        assert_eq!(
            Ws::try_connect(&app.base, query, &[]).await.err(),
            Some(401),
            "{query}"
        );
        let path = format!("/realtime/subscribe{query}");
        app.anonymous().get(&path).await.refused(401, "");
    }
    user.post("/auth/logout", &json!({})).await;
    assert_eq!(
        Ws::try_connect(&app.base, &format!("?token={}", user.token), &[])
            .await
            .err(),
        Some(401)
    );
    let visitor: Client = app.visitor_of(&user);
    visitor
        .get("/realtime/subscribe?collection=posts")
        .await
        .refused(401, "");
}

async fn every_way_to_send_a_token_works(backend: Backend) {
    let (app, user) = posts(backend).await;
    let bearer = format!("Bearer {}", user.token);
    assert!(
        Ws::try_connect(&app.base, "", &[("authorization", &bearer)])
            .await
            .is_ok()
    );
    assert_eq!(
        Ws::connect_with_protocol(&app.base, &user.token).await,
        Some(user.token.clone())
    );
    let offer = format!("snackbase, {}", user.token);
    assert_eq!(
        Ws::connect_with_protocol(&app.base, &offer)
            .await
            .as_deref(),
        Some("snackbase")
    );
    // A token in the URL wins.
    let query = format!("?token={}", user.token);
    assert!(
        Ws::try_connect(&app.base, &query, &[("authorization", "Bearer bad")])
            .await
            .is_ok()
    );
}

async fn a_subscriber_of_nothing_hears_nothing_and_unsubscribing_stops_events(backend: Backend) {
    let (_app, user) = posts(backend).await;
    let mut ws = Ws::connect(&user).await;
    ws.subscribe("marks").await;
    user.create("posts", &json!({})).await;
    user.create("marks", &json!({})).await;
    ws.expect_event("marks.create").await;
    ws.subscribe("posts").await;
    ws.send(&json!({"action": "unsubscribe", "collection": "posts"}))
        .await;
    assert_eq!(ws.frame().await["type"], "unsubscribed");
    user.create("posts", &json!({})).await;
    user.create("marks", &json!({})).await;
    ws.expect_event("marks.create").await;
}
