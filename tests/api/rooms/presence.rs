use serde_json::{Value, json};

use super::{app, define, members, told};
use crate::harness::{Backend, TestApp, Ws, eventually};

crate::both![
    members_see_who_comes_changes_and_goes,
    a_reconnect_within_the_grace_changes_nothing_for_the_others,
    a_lost_connection_leaves_when_its_grace_is_over,
    changes_are_told_together_and_not_more_than_once_a_second,
    whoever_may_not_be_present_is_not_seen_and_does_not_see,
    a_repeated_join_tells_again_who_is_there,
    rooms_are_forgotten_when_everybody_has_gone,
];

async fn members_see_who_comes_changes_and_goes(backend: Backend) {
    let app = app(backend).await;
    let (user, other) = {
        let user = app.register().await;
        (app.colleague_of(&user).await, user)
    };
    let (mut a, mut b) = (Ws::connect(&user).await, Ws::connect(&other).await);
    let state = a
        .join_as("doc:42", &json!({"presence": {"cursor": [1, 2]}, "ref": 7}))
        .await;
    let own = state["self"].as_str().unwrap().to_owned();
    assert_eq!(
        members(&state["members"]),
        [(own.as_str(), user.id.as_str(), &json!({"cursor": [1, 2]}))]
    );
    assert_eq!((&state["messages"], &state["ref"]), (&json!([]), &json!(7)));
    let state = b.join("doc:42").await;
    let others = state["self"].as_str().unwrap().to_owned();
    let mut seen = members(&state["members"]);
    seen.sort_by_key(|(conn, ..)| *conn != own);
    assert_eq!(seen[0].0, own);
    assert_eq!(seen[1], (others.as_str(), other.id.as_str(), &json!({})));
    let joined = told(&mut a, "joins", &json!(others)).await;
    assert_eq!(
        (&joined["user"], &joined["meta"]),
        (&json!(other.id), &json!({}))
    );

    let show =
        json!({"action": "presence", "room": "doc:42", "presence": {"typing": true}, "ref": "x"});
    assert_eq!(b.ask(&show).await, json!({"type": "ack", "ref": "x"}));
    let diff = a.next_of("room.diff").await;
    assert_eq!(
        members(&diff["updates"]),
        [(others.as_str(), other.id.as_str(), &json!({"typing": true}))]
    );
    assert_eq!((&diff["leaves"], &diff["joins"]), (&json!([]), &json!([])));

    assert_eq!(
        b.ask(&json!({"action": "leave", "room": "doc:42", "ref": 1}))
            .await["type"],
        "ack"
    );
    let diff = a.next_of("room.diff").await;
    assert_eq!(diff["leaves"], json!([{"conn": others, "user": other.id}]));
    // Whoever has left is told nothing more, and is not in the room.
    let publish = json!({"action": "publish", "room": "doc:42", "event": "x"});
    assert_eq!(b.ask(&publish).await["code"], "not_joined");
    a.publish("doc:42", "x", &json!(null)).await;
    b.send(&json!({"action": "ping"})).await;
    assert_eq!(b.frame().await["type"], "pong");
}

async fn a_reconnect_within_the_grace_changes_nothing_for_the_others(backend: Backend) {
    let app = TestApp::spawn_with(backend, |config| config.rooms.grace_seconds = 600).await;
    define(&app, "doc:{id}", &json!({})).await;
    let user = app.register().await;
    let colleague = app.colleague_of(&user).await;
    let mut watching = Ws::connect(&colleague).await;
    watching.join("doc:1").await;
    let mut lost = Ws::connect(&user).await;
    let before = lost.join_as("doc:1", &json!({"presence": {"n": 1}})).await;
    told(&mut watching, "joins", &before["self"]).await;
    lost.close().await;
    eventually("the end of the connection", async || {
        app.services().hub.connected() == 1
    })
    .await;
    let mut again = Ws::connect(&user).await;
    let after = again.join("doc:1").await;
    // The same member, since the same time, with what it showed.
    assert_eq!(
        (&after["self"], &after["members"]),
        (&before["self"], &before["members"])
    );
    again.publish("doc:1", "back", &json!(null)).await;
    assert_eq!(
        watching.frame().await["event"],
        "back",
        "nothing came before it"
    );
    // A second connection is a second member.
    let mut second = Ws::connect(&user).await;
    let state = second.join("doc:1").await;
    assert_ne!(state["self"], before["self"]);
    assert_eq!(members(&state["members"]).len(), 3);
}

async fn a_lost_connection_leaves_when_its_grace_is_over(backend: Backend) {
    let app = TestApp::spawn_with(backend, |config| config.rooms.grace_seconds = 1).await;
    define(&app, "doc:{id}", &json!({})).await;
    let user = app.register().await;
    let mut watching = Ws::connect(&user).await;
    watching.join("doc:1").await;
    let mut lost = Ws::connect(&user).await;
    let gone = lost.join("doc:1").await["self"].clone();
    told(&mut watching, "joins", &gone).await;
    lost.close().await;
    assert_eq!(
        watching.next_of("room.diff").await["leaves"],
        json!([{"conn": gone, "user": user.id}])
    );
}

async fn changes_are_told_together_and_not_more_than_once_a_second(backend: Backend) {
    let app = app(backend).await;
    let user = app.register().await;
    let mut watching = Ws::connect(&user).await;
    watching.join("doc:1").await;
    let mut busy = Ws::connect(&user).await;
    let own = busy.join("doc:1").await["self"].clone();
    told(&mut watching, "joins", &own).await;
    let started = std::time::Instant::now();
    let mut sent = 0;
    let mut diffs = Vec::new();
    while diffs.len() < 2 {
        sent += 1;
        let show =
            json!({"action": "presence", "room": "doc:1", "presence": {"n": sent}, "ref": sent});
        busy.ask(&show).await;
        while let Ok(frame) =
            tokio::time::timeout(std::time::Duration::from_millis(1), watching.frame()).await
        {
            diffs.push(frame);
        }
    }
    // The two came a second apart, so that many changes are in each of them as one.
    assert!(started.elapsed() >= std::time::Duration::from_secs(1));
    assert!(sent > 2, "{sent}");
    let n = |diff: &Value| diff["updates"][0]["meta"]["n"].as_i64().unwrap();
    assert!(
        diffs
            .iter()
            .all(|diff| diff["updates"].as_array().unwrap().len() == 1),
        "{diffs:?}"
    );
    assert!(n(&diffs[1]) > n(&diffs[0]), "{diffs:?}");
    // What was done and undone within that time is not told at all.
    let mut brief = Ws::connect(&user).await;
    brief.join("doc:1").await;
    brief
        .ask(&json!({"action": "leave", "room": "doc:1", "ref": 0}))
        .await;
    busy.ask(&json!({"action": "presence", "room": "doc:1", "presence": {"n": -1}, "ref": 0}))
        .await;
    let last = loop {
        let diff = watching.next_of("room.diff").await;
        assert_eq!((&diff["joins"], &diff["leaves"]), (&json!([]), &json!([])));
        if n(&diff) == -1 {
            break diff;
        }
    };
    assert_eq!(last["updates"][0]["conn"], own);
}

async fn whoever_may_not_be_present_is_not_seen_and_does_not_see(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let id = define(
        &app,
        "doc:{id}",
        &json!({"presence_rule": "@has_role('admin')"}),
    )
    .await;
    let seen = app.register().await;
    let hidden = app.colleague_of(&seen).await;
    let (mut a, mut b) = (Ws::connect(&seen).await, Ws::connect(&hidden).await);
    let refused = b
        .ask(&json!({"action": "join", "room": "doc:1", "presence": {"x": 1}}))
        .await;
    assert_eq!(refused["code"], "forbidden");
    let state = b.join("doc:1").await;
    assert_eq!(state["members"], json!([]));
    assert_eq!(members(&a.join("doc:1").await["members"]).len(), 1);
    let show = json!({"action": "presence", "room": "doc:1", "presence": {}});
    assert_eq!(b.ask(&show).await["code"], "forbidden");
    // Both hear what is said, and neither hears of the other.
    b.publish("doc:1", "from the dark", &json!(null)).await;
    let frame = a.frame().await;
    assert_eq!(frame["event"], "from the dark", "{frame}");
    // The rule changes: now both see each other.
    app.admin
        .patch(
            &format!("/realtime/rooms/{id}"),
            &json!({"presence_rule": ""}),
        )
        .await
        .ok(200);
    assert_eq!(members(&b.next_of("room.state").await["members"]).len(), 2);
    assert_eq!(
        told(&mut a, "joins", &state["self"]).await["user"],
        hidden.id
    );
    app.admin
        .patch(
            &format!("/realtime/rooms/{id}"),
            &json!({"presence_rule": "@has_role('admin')"}),
        )
        .await
        .ok(200);
    assert_eq!(b.next_of("room.state").await["members"], json!([]));
    assert_eq!(
        told(&mut a, "leaves", &state["self"]).await["user"],
        hidden.id
    );
}

async fn a_repeated_join_tells_again_who_is_there(backend: Backend) {
    let app = app(backend).await;
    let user = app.register().await;
    let mut ws = Ws::connect(&user).await;
    let first = ws.join_as("doc:1", &json!({"presence": {"a": 1}})).await;
    assert_eq!(ws.join("doc:1").await, first);
    let changed = ws.join_as("doc:1", &json!({"presence": {"a": 2}})).await;
    assert_eq!(changed["self"], first["self"]);
    assert_eq!(changed["members"][0]["meta"], json!({"a": 2}));
    assert_eq!(changed["members"].as_array().unwrap().len(), 1);
}

async fn rooms_are_forgotten_when_everybody_has_gone(backend: Backend) {
    let app = TestApp::spawn_with(backend, |config| config.rooms.grace_seconds = 1).await;
    define(&app, "doc:{id}", &json!({})).await;
    let user = app.register().await;
    for round in 0..10 {
        let mut ws = Ws::connect(&user).await;
        for room in 0..5 {
            ws.join(&format!("doc:{room}")).await;
        }
        match round % 3 {
            0 => ws.close().await,
            1 => drop(ws),
            _ => {
                ws.send(&json!({"action": "leave", "room": "doc:1"})).await;
            }
        }
    }
    assert!(app.services().rooms.occupied() > 0);
    eventually("the end of all rooms", async || {
        app.services().rooms.occupied() == 0
    })
    .await;
}
