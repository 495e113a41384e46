use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use snackbase::error::Error;

use super::{app, define, events};
use crate::harness::{Backend, TestApp, Ws, eventually, open};

crate::both![
    everybody_in_the_room_hears_a_message_in_order,
    a_newcomer_gets_the_last_messages,
    a_room_without_history_remembers_nothing,
    messages_come_over_http_and_name_who_sent_them,
    hooks_publish_without_any_rule,
    commands_without_sense_are_refused_and_the_connection_lives,
    answers_come_in_the_order_of_the_commands,
];

async fn everybody_in_the_room_hears_a_message_in_order(backend: Backend) {
    let app = app(backend).await;
    let user = app.register().await;
    let (mut a, mut b, mut elsewhere) = (
        Ws::connect(&user).await,
        Ws::connect(&user).await,
        Ws::connect(&user).await,
    );
    let own = a.join("doc:42").await["self"].clone();
    b.join("doc:42").await;
    elsewhere.join("doc:43").await;
    let data = json!({"x": [1, 2.5, "ü\n", null]});
    a.send(&json!({"action": "publish", "room": "doc:42", "event": "typing", "data": data, "ref": "9"})).await;
    let echo = a.next_of("room.message").await;
    let keys: Vec<&str> = echo
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(
        keys,
        ["type", "room", "event", "data", "from", "user", "timestamp"]
    );
    let expected = [json!("doc:42"), json!("typing"), data, own, json!(user.id)];
    assert_eq!(
        ["room", "event", "data", "from", "user"].map(|key| echo[key].clone()),
        expected
    );
    assert_eq!(a.next_of("ack").await["ref"], "9");
    assert_eq!(b.next_of("room.message").await, echo);
    for n in 0..100 {
        a.send(&json!({"action": "publish", "room": "doc:42", "event": n.to_string(), "echo": n % 2 == 0})).await;
    }
    let all: Vec<String> = (0..100).map(|n| n.to_string()).collect();
    assert_eq!(events(&mut b, 100).await, all);
    let echoed: Vec<String> = all.iter().step_by(2).cloned().collect();
    assert_eq!(events(&mut a, 50).await, echoed);
    elsewhere.publish("doc:43", "own", &Value::Null).await;
    elsewhere.send(&json!({"action": "ping"})).await;
    assert_eq!(
        elsewhere.frame().await["type"],
        "pong",
        "it heard nothing of another room"
    );
}

async fn a_newcomer_gets_the_last_messages(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    define(&app, "doc:{id}", &json!({"history": 3})).await;
    let user = app.register().await;
    let mut a = Ws::connect(&user).await;
    a.join("doc:1").await;
    for n in 0..5 {
        a.publish("doc:1", &n.to_string(), &json!(n)).await;
    }
    let mut b = Ws::connect(&user).await;
    let heard = |state: &Value| -> Vec<i64> {
        let messages = state["messages"].as_array().unwrap();
        assert!(
            messages
                .iter()
                .all(|message| message["type"] == "room.message" && message["room"] == "doc:1")
        );
        messages
            .iter()
            .map(|message| message["data"].as_i64().unwrap())
            .collect()
    };
    assert_eq!(heard(&b.join("doc:1").await), [] as [i64; 0]);
    assert_eq!(
        heard(&b.join_as("doc:1", &json!({"history": 2})).await),
        [3, 4]
    );
    assert_eq!(
        heard(&b.join_as("doc:1", &json!({"history": 1_000_000})).await),
        [2, 3, 4]
    );
}

async fn a_room_without_history_remembers_nothing(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    define(&app, "doc:{id}", &json!({"history": 0})).await;
    let user = app.register().await;
    let mut ws = Ws::connect(&user).await;
    ws.join("doc:1").await;
    ws.publish("doc:1", "x", &Value::Null).await;
    assert_eq!(
        ws.join_as("doc:1", &json!({"history": 10})).await["messages"],
        json!([])
    );
}

async fn messages_come_over_http_and_name_who_sent_them(backend: Backend) {
    let app = app(backend).await;
    define(
        &app,
        "news:{topic}",
        &json!({"publish_rule": "@room.topic = 'free' || @has_role('admin')"}),
    )
    .await;
    let user = app.register().await;
    let colleague = app.colleague_of(&user).await;
    let mut ws = Ws::connect(&colleague).await;
    ws.join("news:x").await;
    ws.join("news:free").await;
    let body = json!({"event": "headline", "data": {"text": "It works"}});
    user.post("/realtime/rooms/news:x/publish", &body)
        .await
        .ok(204);
    let message = ws.next_of("room.message").await;
    assert_eq!(
        (&message["data"], &message["from"]),
        (&body["data"], &Value::Null)
    );
    assert_eq!(message["user"], user.id);
    colleague
        .post("/realtime/rooms/news:x/publish", &body)
        .await
        .refused(403, "publish");
    colleague
        .post(
            "/realtime/rooms/news%3Afree/publish",
            &json!({"event": "own"}),
        )
        .await
        .ok(204);
    let message = ws.next_of("room.message").await;
    assert_eq!(
        (&message["event"], &message["data"]),
        (&json!("own"), &Value::Null)
    );
    // A superadmin names the account; without that it is the own one.
    let of_account = |account: &str| json!({"event": "above", "account": account});
    app.admin
        .post(
            "/realtime/rooms/news:x/publish",
            &json!({"event": "nobody is there"}),
        )
        .await
        .ok(204);
    app.admin
        .post(
            "/realtime/rooms/news:x/publish",
            &of_account(&user.account_slug),
        )
        .await
        .ok(204);
    assert_eq!(ws.next_of("room.message").await["event"], "above");
    app.admin
        .post("/realtime/rooms/news:x/publish", &of_account("nobody"))
        .await
        .refused(404, "Account not found");
    user.post(
        "/realtime/rooms/news:x/publish",
        &of_account(&user.account_id),
    )
    .await
    .ok(204);
    user.post("/realtime/rooms/news:x/publish", &of_account("system"))
        .await
        .refused(403, "accounts");
    user.post("/realtime/rooms/unknown/publish", &body)
        .await
        .refused(404, "not defined");
    for bad in [
        json!({}),
        json!({"event": ""}),
        json!({"event": "x".repeat(65)}),
        json!({"event": "a\u{0}"}),
    ] {
        user.post("/realtime/rooms/news:x/publish", &bad)
            .await
            .refused(422, "");
    }
    let large = json!({"event": "x", "data": "x".repeat(20_000)});
    user.post("/realtime/rooms/news:x/publish", &large)
        .await
        .refused(422, "bytes");
    app.anonymous()
        .post("/realtime/rooms/news:free/publish", &body)
        .await
        .refused(401, "");
    app.visitor_of(&user)
        .post("/realtime/rooms/news:free/publish", &body)
        .await
        .refused(401, "");
}

async fn hooks_publish_without_any_rule(backend: Backend) {
    let failed: Arc<Mutex<Vec<Error>>> = Arc::default();
    let noted = failed.clone();
    let app = TestApp::spawn_built(
        backend,
        |_| {},
        |builder| {
            let rooms = builder.rooms();
            assert!(matches!(
                rooms.publish(snackbase::id::SYSTEM_ACCOUNT, "doc:1", "x", &1),
                Err(Error::Unavailable(_))
            ));
            builder.hooks(|hooks| {
                hooks.on_record_after_create(move |event| {
                    let account = event.change.account_id.unwrap();
                    let title = event.record().unwrap()["title"].clone();
                    for room in ["doc:1", "undefined"] {
                        if let Err(error) = rooms.publish(account, room, "created", &title) {
                            noted.lock().unwrap().push(error);
                        }
                    }
                    std::future::ready(Ok(event))
                })
            })
        },
    )
    .await;
    define(&app, "doc:{id}", &json!({"publish_rule": null})).await;
    app.collection(
        "posts",
        &json!([{"name": "title", "type": "text"}]),
        &open(),
    )
    .await;
    let (user, stranger) = (app.register().await, app.register().await);
    let mut ws = Ws::connect(&user).await;
    ws.join("doc:1").await;
    let refused = ws
        .ask(&json!({"action": "publish", "room": "doc:1", "event": "x"}))
        .await;
    assert_eq!(refused["code"], "forbidden");
    stranger
        .create("posts", &json!({"title": "of another account"}))
        .await;
    user.create("posts", &json!({"title": "Hello"})).await;
    let message = ws.next_of("room.message").await;
    assert_eq!(
        (&message["event"], &message["data"]),
        (&json!("created"), &json!("Hello"))
    );
    assert_eq!(
        (&message["from"], &message["user"]),
        (&Value::Null, &Value::Null)
    );
    let both_refused = || std::future::ready(failed.lock().unwrap().len() == 2);
    eventually("the hook is refused once per record", both_refused).await;
    let failed = failed.lock().unwrap();
    assert!(
        failed
            .iter()
            .all(|error| matches!(error, Error::NotFound(_))),
        "{failed:?}"
    );
}

async fn commands_without_sense_are_refused_and_the_connection_lives(backend: Backend) {
    let app = app(backend).await;
    let mut ws = Ws::connect(&app.register().await).await;
    for action in ["join", "leave", "publish", "presence"] {
        for message in [
            json!({"action": action}),
            json!({"action": action, "room": 7}),
            json!({"action": action, "room": ""}),
        ] {
            assert_eq!(ws.ask(&message).await["code"], "missing_room", "{message}");
        }
    }
    for (code, message) in [
        (
            "undefined_room",
            json!({"action": "join", "room": "nowhere"}),
        ),
        ("undefined_room", json!({"action": "join", "room": "doc:"})),
        (
            "undefined_room",
            json!({"action": "join", "room": format!("doc:{}", "x".repeat(300))}),
        ),
        (
            "invalid_message",
            json!({"action": "join", "room": "doc:1", "presence": [1]}),
        ),
        (
            "not_joined",
            json!({"action": "publish", "room": "doc:1", "event": "x"}),
        ),
        (
            "invalid_message",
            json!({"action": "publish", "room": "doc:1"}),
        ),
        (
            "invalid_message",
            json!({"action": "publish", "room": "doc:1", "event": {"a": 1}}),
        ),
        (
            "not_joined",
            json!({"action": "presence", "room": "doc:1", "presence": {}}),
        ),
        (
            "invalid_message",
            json!({"action": "presence", "room": "doc:1"}),
        ),
    ] {
        let mut with_reference = message.clone();
        with_reference["ref"] = json!("r");
        let refused = ws.ask(&with_reference).await;
        assert_eq!(
            (&refused["code"], &refused["ref"]),
            (&json!(code), &json!("r")),
            "{message}"
        );
        assert_eq!(refused["room"], message["room"]);
        assert!(refused["type"].is_null() && refused["error"].is_string());
    }
    // Whoever is not in a room has left it.
    assert_eq!(
        ws.ask(&json!({"action": "leave", "room": "doc:1", "ref": 1}))
            .await["type"],
        "ack"
    );
    ws.join("doc:1").await;
}

async fn answers_come_in_the_order_of_the_commands(backend: Backend) {
    let app = app(backend).await;
    let mut ws = Ws::connect(&app.register().await).await;
    ws.join("doc:1").await;
    for n in 0..50 {
        let publish = json!({"action": "publish", "room": "doc:1", "event": "x", "ref": n});
        ws.send(&publish).await;
        ws.send(&json!({"action": "ping"})).await;
    }
    let mut answers = Vec::new();
    while answers.len() < 150 {
        let frame = ws.frame().await;
        if frame["type"] != "room.diff" {
            answers.push(frame["type"].as_str().unwrap().to_owned());
        }
    }
    assert_eq!(answers, ["room.message", "ack", "pong"].repeat(50));
}
