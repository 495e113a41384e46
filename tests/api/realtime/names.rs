//! Names in subscriptions: what is misspelt is refused by name, and what stops making sense later
//! is told.

use serde_json::{Value, json};

use crate::harness::{Backend, PocketBase, Sse, TestApp, User, Ws, open};

crate::both![
    misspelt_names_are_refused_by_name,
    the_published_protocol_acknowledges_unknown_names_with_a_warning,
    a_filter_by_a_field_that_was_renamed_ends_its_subscription_alone,
    a_filter_by_a_field_that_is_hidden_now_ends_its_subscription,
    the_id_of_a_record_is_the_same_in_capitals,
];

async fn posts(backend: Backend) -> (TestApp, User) {
    let app = TestApp::spawn(backend).await;
    let fields = json!([{"name": "count", "type": "number"}, {"name": "state", "type": "text"}]);
    app.collection("posts", &fields, &open()).await;
    let user = app.register().await;
    (app, user)
}

fn subscribe(more: &Value) -> Value {
    let mut message = json!({"action": "subscribe", "collection": "posts"});
    message
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    message
}

async fn misspelt_names_are_refused_by_name(backend: Backend) {
    let (_app, user) = posts(backend).await;
    let mut ws = Ws::connect(&user).await;
    for (more, name) in [
        (json!({"filtre": "count = 1"}), "filtre"),
        (json!({"ref": 1, "snapshott": true}), "snapshott"),
        (
            json!({"ref": 1, "operations": ["create", "craete"]}),
            "craete",
        ),
        (json!({"ref": 1, "operations": "craete"}), "craete"),
        (json!({"ref": 1, "operations": 5}), "operations"),
        (json!({"filter": "cuont = 1"}), "cuont"),
        (json!({"fields": ["count", "cuont"]}), "cuont"),
        (json!({"expand": ["athor"]}), "athor"),
        (json!({"snapshot": true, "sort": "cuont"}), "cuont"),
        (json!({"snapshot": true, "fields": "cuont"}), "cuont"),
        (json!({"ref": 1, "collection": "psots"}), "psots"),
        (json!({"old": true, "collection": "psots"}), "psots"),
        (json!({"since": "a:1", "collection": "psots"}), "psots"),
        (json!({"record": "first"}), "record"),
        (json!({"account": 5}), "account"),
    ] {
        ws.send(&subscribe(&more)).await;
        let answer = ws.frame().await;
        assert!(
            answer["error"]
                .as_str()
                .is_some_and(|error| error.contains(name)),
            "{more}: {answer}"
        );
        assert!(answer["type"].is_null(), "{answer}");
    }
    for (query, name) in [
        ("collection=posts&filtre=n", "filtre"),
        ("collection=posts&Token=x", "Token"),
        ("collection=posts&operations=craete", "craete"),
        ("collections=posts:create,craete", "craete"),
        ("collection=posts&filter=cuont+%3D+1", "cuont"),
        ("collection=posts&fields=count,cuont", "cuont"),
        ("collection=posts&expand=athor", "athor"),
        ("collection=posts&record=first", "record"),
        ("collection=psots&old=true", "psots"),
        ("collections=posts,psots&fields=count", "psots"),
        ("collection=psots&snapshot=true", "psots"),
    ] {
        let answer = user.get(&format!("/realtime/subscribe?{query}")).await;
        assert!(
            (400..500).contains(&answer.status),
            "{query}: {}",
            answer.status
        );
        let status = answer.status;
        answer.refused(status, name);
    }
    assert_eq!(
        Ws::try_connect(
            &user.base,
            &format!("?token={}&collection=posts", user.token),
            &[]
        )
        .await
        .err(),
        Some(400)
    );
    ws.subscribe("posts").await;
}

async fn the_published_protocol_acknowledges_unknown_names_with_a_warning(backend: Backend) {
    let (_app, user) = posts(backend).await;
    let mut ws = Ws::connect(&user).await;
    for (more, name) in [
        (json!({"collection": "psots"}), "psots"),
        (json!({"operations": ["craete"]}), "craete"),
        (json!({"operations": 5}), "operations"),
    ] {
        ws.send(&subscribe(&more)).await;
        let answer = ws.frame().await;
        assert_eq!(answer["type"], "subscribed", "{answer}");
        assert!(
            answer["warning"].as_str().unwrap().contains(name),
            "{answer}"
        );
    }
    ws.send(&subscribe(&json!({}))).await;
    assert_eq!(ws.frame().await["warning"], Value::Null);
    let mut stream = Sse::open(&user, "?collections=psots,posts").await;
    user.create("posts", &json!({"count": 1})).await;
    stream.event().await;
    assert!(
        stream
            .comments
            .iter()
            .any(|comment| comment.contains("psots")),
        "{:?}",
        stream.comments
    );
    // Its topics are never checked: the package subscribes to names of its own.
    let stream = PocketBase::open(&user).await;
    stream
        .subscribe(&user, &["PB_CONNECT", "psots/*", "posts/first"])
        .await
        .ok(204);
}

async fn a_filter_by_a_field_that_was_renamed_ends_its_subscription_alone(backend: Backend) {
    let (app, user) = posts(backend).await;
    let mut ws = Ws::connect(&user).await;
    for more in [
        json!({"ref": "gone", "filter": "count > 1"}),
        json!({"ref": "stays", "filter": "state = 'a'"}),
    ] {
        ws.send(&subscribe(&more)).await;
        assert_eq!(ws.frame().await["type"], "subscribed");
    }
    let mut sse = Sse::open(&user, "?collection=posts&filter=count+%3E+1").await;
    let definition = json!({"rename": {"count": "quantity"}});
    app.admin
        .put("/collections/posts", &definition)
        .await
        .ok(200);
    user.create("posts", &json!({"quantity": 5, "state": "a"}))
        .await;
    let mut frames: Vec<(Value, Value, bool)> = Vec::new();
    while frames
        .last()
        .is_none_or(|(kind, ..)| kind != "posts.create")
    {
        let frame = ws.frame().await;
        frames.push((
            frame["type"].clone(),
            frame["ref"].clone(),
            frame["error"].is_string(),
        ));
        if frame["error"].is_string() {
            assert_eq!(
                (&frame["code"], &frame["status"]),
                (&json!("invalid_filter"), &json!("unsubscribed"))
            );
            assert!(
                frame["error"].as_str().unwrap().contains("count"),
                "{frame}"
            );
        }
    }
    let of = |name: &str| {
        let of_name = frames.iter().filter(|(_, reference, _)| reference == name);
        of_name
            .map(|(kind, _, is_error)| {
                if *is_error {
                    json!("error")
                } else {
                    kind.clone()
                }
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(of("gone"), ["resync", "error"]);
    assert_eq!(of("stays"), ["resync", "posts.create"]);
    assert_eq!(sse.notice("resync").await.data["reason"], "schema");
    let ended = sse.notice("ended").await.data;
    assert_eq!(
        (&ended["code"], &ended["collection"]),
        (&json!("invalid_filter"), &json!("posts"))
    );
    // It is gone: its reference is free for another one, which must make sense.
    ws.send(&subscribe(&json!({"ref": "gone", "filter": "count > 1"})))
        .await;
    assert_eq!(ws.frame().await["code"], "invalid_filter");
    ws.send(&subscribe(
        &json!({"ref": "gone", "filter": "quantity > 1"}),
    ))
    .await;
    assert_eq!(ws.frame().await["type"], "subscribed");
}

async fn a_filter_by_a_field_that_is_hidden_now_ends_its_subscription(backend: Backend) {
    let (app, user) = posts(backend).await;
    let mut ws = Ws::connect(&user).await;
    ws.send(&subscribe(&json!({"ref": 1, "filter": "count > 1"})))
        .await;
    assert_eq!(ws.frame().await["type"], "subscribed");
    app.rules("posts", &json!({"list_fields": ["state"]})).await;
    assert_eq!(ws.frame().await["reason"], "rules");
    assert_eq!(ws.frame().await["code"], "invalid_filter");
    user.create("posts", &json!({"count": 5})).await;
    ws.send(&json!({"action": "ping"})).await;
    assert_eq!(ws.frame().await["type"], "pong");
}

async fn the_id_of_a_record_is_the_same_in_capitals(backend: Backend) {
    let (_app, user) = posts(backend).await;
    let id = user.create_id("posts", &json!({"count": 1})).await;
    let capitals = id.to_uppercase();
    let mut ws = Ws::connect(&user).await;
    ws.send(&subscribe(&json!({"record": capitals, "snapshot": true})))
        .await;
    assert_eq!(ws.next_of("snapshot").await["items"][0]["id"], id.as_str());
    ws.next_of("live").await;
    let mut sse = Sse::open(&user, &format!("?collection=posts&record={capitals}")).await;
    let mut stream = PocketBase::open(&user).await;
    let topic = format!("posts/{capitals}");
    stream.subscribe(&user, &[&topic]).await.ok(204);
    user.patch(&format!("/records/posts/{id}"), &json!({"count": 2}))
        .await
        .ok(200);
    assert_eq!(ws.frame().await["id"], id.as_str());
    assert_eq!(sse.event().await.data["id"], id.as_str());
    let (name, event) = stream.event().await.unwrap();
    assert_eq!((name, &event["record"]["id"]), (topic, &json!(id)));
}
