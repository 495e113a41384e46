use serde_json::{Value, json};

use super::{app, define, members, told};
use crate::harness::{Backend, PASSWORD, TestApp, Ws};

crate::both![
    rules_decide_by_the_name_of_the_room_and_the_caller,
    rooms_never_cross_accounts,
    superadmins_name_the_account,
    whoever_loses_the_right_leaves_at_once,
    whoever_is_deactivated_leaves_at_once,
    a_definition_that_is_gone_empties_its_rooms,
    a_restricted_key_does_no_more_than_its_scopes_say,
];

/// No connection comes back in the time of a test.
async fn patient(backend: Backend) -> TestApp {
    TestApp::spawn_with(backend, |config| config.rooms.grace_seconds = 600).await
}

async fn rules_decide_by_the_name_of_the_room_and_the_caller(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    define(
        &app,
        "user:{id}",
        &json!({"join_rule": "@room.id = @request.auth.id"}),
    )
    .await;
    define(&app, "locked", &json!({"join_rule": null})).await;
    define(
        &app,
        "{kind}:of:{number}",
        &json!({"join_rule": "@room.kind IN ('a', 'b') && @room.number ~ '4%'"}),
    )
    .await;
    let user = app.register().await;
    let mut ws = Ws::connect(&user).await;
    let colleague = app.colleague_of(&user).await;
    for (room, allowed) in [
        (format!("user:{}", user.id), true),
        (format!("user:{}", colleague.id), false),
        ("locked".to_owned(), false),
        ("a:of:42".to_owned(), true),
        ("b:of:4".to_owned(), true),
        ("c:of:42".to_owned(), false),
        ("a:of:24".to_owned(), false),
    ] {
        let answer = ws.ask(&json!({"action": "join", "room": room})).await;
        let expected = if allowed { "room.state" } else { "forbidden" };
        assert!(
            answer["type"] == expected || answer["code"] == expected,
            "{room}: {answer}"
        );
    }
    Ws::connect(&app.admin).await.join("locked").await;
}

async fn rooms_never_cross_accounts(backend: Backend) {
    let app = app(backend).await;
    let (a, b) = (
        app.register_named("secret-of-a").await,
        app.register().await,
    );
    let (mut of_a, mut of_b) = (Ws::connect(&a).await, Ws::connect(&b).await);
    of_a.join_as("doc:1", &json!({"presence": {"name": "secret-of-a"}}))
        .await;
    of_a.publish("doc:1", "secret-of-a", &json!("secret-of-a"))
        .await;
    for account in [&a.account_id, &a.account_slug] {
        let refused = of_b
            .ask(&json!({"action": "join", "room": "doc:1", "account": account}))
            .await;
        assert_eq!(refused["code"], "forbidden");
    }
    let mut heard = vec![of_b.join_as("doc:1", &json!({"history": 10})).await];
    let own = members(&heard[0]["members"]);
    assert_eq!(
        own.iter().map(|(_, user, _)| *user).collect::<Vec<_>>(),
        [b.id.as_str()]
    );
    of_a.publish("doc:1", "secret-of-a", &json!("secret-of-a"))
        .await;
    a.post(
        "/realtime/rooms/doc:1/publish",
        &json!({"event": "secret-of-a"}),
    )
    .await
    .ok(204);
    let elsewhere = json!({"event": "x", "account": a.account_id});
    b.post("/realtime/rooms/doc:1/publish", &elsewhere)
        .await
        .refused(403, "");
    of_a.ask(&json!({"action": "presence", "room": "doc:1", "presence": {"name": "secret-of-a"}, "ref": 1})).await;
    of_b.publish("doc:1", "own", &Value::Null).await;
    of_b.send(&json!({"action": "ping"})).await;
    loop {
        let frame = of_b.frame().await;
        if frame["type"] == "pong" {
            break;
        }
        heard.push(frame);
    }
    assert!(
        !json!(heard).to_string().contains("secret-of-a"),
        "{heard:?}"
    );
    assert!(!json!(heard).to_string().contains(&a.id), "{heard:?}");
}

async fn superadmins_name_the_account(backend: Backend) {
    let app = app(backend).await;
    let user = app.register().await;
    let mut ws = Ws::connect(&user).await;
    ws.join("doc:1").await;
    let mut admin = Ws::connect(&app.admin).await;
    assert_eq!(
        members(&admin.join("doc:1").await["members"]).len(),
        1,
        "the own account's room"
    );
    let of_user = json!({"account": user.account_slug});
    let elsewhere = json!({"action": "join", "room": "doc:1", "account": user.account_slug});
    assert_eq!(admin.ask(&elsewhere).await["code"], "joined_elsewhere");
    admin
        .ask(&json!({"action": "leave", "room": "doc:1", "ref": 1}))
        .await;
    assert_eq!(
        members(&admin.join_as("doc:1", &of_user).await["members"]).len(),
        2
    );
    admin.publish("doc:1", "hello", &Value::Null).await;
    assert_eq!(ws.next_of("room.message").await["user"], app.admin.id);
    let everywhere = admin
        .ask(&json!({"action": "join", "room": "doc:2", "account": "*"}))
        .await;
    assert_eq!(everywhere["code"], "forbidden");
    let nowhere = admin
        .ask(&json!({"action": "join", "room": "doc:2", "account": "nobody"}))
        .await;
    assert_eq!(nowhere["code"], "not_found");
}

async fn whoever_loses_the_right_leaves_at_once(backend: Backend) {
    let app = patient(backend).await;
    let id = define(
        &app,
        "doc:{id}",
        &json!({"join_rule": "@has_role('admin')"}),
    )
    .await;
    define(&app, "lobby", &json!({})).await;
    let user = app.register().await;
    let other = app.colleague_of(&user).await;
    app.admin
        .patch(&format!("/users/{}", other.id), &json!({"role_id": 1}))
        .await
        .ok(200);
    let (mut staying, mut leaving) = (Ws::connect(&user).await, Ws::connect(&other).await);
    staying.join("doc:1").await;
    let own = leaving.join("doc:1").await["self"].clone();
    leaving.join("lobby").await;
    told(&mut staying, "joins", &own).await;
    app.admin
        .patch(&format!("/users/{}", other.id), &json!({"role_id": 2}))
        .await
        .ok(200);
    assert_eq!(
        leaving.next_of("room.left").await,
        json!({"type": "room.left", "room": "doc:1", "reason": "access"})
    );
    told(&mut staying, "leaves", &own).await;
    staying.publish("doc:1", "secret", &Value::Null).await;
    assert_eq!(
        leaving
            .ask(&json!({"action": "join", "room": "doc:1"}))
            .await["code"],
        "forbidden"
    );
    // The other rooms go on.
    leaving.publish("lobby", "still here", &Value::Null).await;
    // A rule that changes acts in the same way.
    let path = format!("/realtime/rooms/{id}");
    app.admin
        .patch(&path, &json!({"join_rule": "@room.id = '2'"}))
        .await
        .ok(200);
    assert_eq!(staying.next_of("room.left").await["reason"], "access");
    assert_eq!(
        staying
            .ask(&json!({"action": "publish", "room": "doc:1", "event": "x"}))
            .await["code"],
        "not_joined"
    );
}

async fn whoever_is_deactivated_leaves_at_once(backend: Backend) {
    let app = patient(backend).await;
    define(&app, "doc:{id}", &json!({})).await;
    let user = app.register().await;
    let other = app.colleague_of(&user).await;
    let again = app
        .anonymous()
        .login(&user.account_slug, &other.email, PASSWORD)
        .await;
    let (mut staying, mut deactivated) = (Ws::connect(&user).await, Ws::connect(&other).await);
    staying.join("doc:1").await;
    deactivated.join("doc:1").await;
    let mut signed_out = Ws::connect(&again).await;
    let own = signed_out.join("doc:1").await["self"].clone();
    told(&mut staying, "joins", &own).await;
    again.post("/auth/logout", &json!({})).await;
    assert_eq!(signed_out.end().await.code, 1008);
    assert_eq!(
        staying.next_of("room.diff").await["leaves"],
        json!([{"conn": own, "user": other.id}])
    );
    app.admin
        .delete(&format!("/users/{}", other.id))
        .await
        .ok(204);
    assert_eq!(deactivated.end().await.code, 1008);
    assert_eq!(
        staying.next_of("room.diff").await["leaves"][0]["user"],
        other.id
    );
    assert_eq!(members(&staying.join("doc:1").await["members"]).len(), 1);
}

async fn a_definition_that_is_gone_empties_its_rooms(backend: Backend) {
    let app = app(backend).await;
    let id = app.admin.get("/realtime/rooms").await.ok(200)["items"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let user = app.register().await;
    let mut ws = Ws::connect(&user).await;
    ws.join("doc:1").await;
    app.admin
        .delete(&format!("/realtime/rooms/{id}"))
        .await
        .ok(204);
    assert_eq!(
        ws.next_of("room.left").await,
        json!({"type": "room.left", "room": "doc:1", "reason": "undefined"})
    );
    assert_eq!(
        ws.ask(&json!({"action": "join", "room": "doc:1"})).await["code"],
        "undefined_room"
    );
    assert_eq!(app.services().rooms.occupied(), 0);
}

async fn a_restricted_key_does_no_more_than_its_scopes_say(backend: Backend) {
    let app = app(backend).await;
    let key = async |scope: &str| {
        let body = json!({"name": "restricted", "scopes": [scope]});
        app.admin.post("/admin/api-keys", &body).await.ok(201)["key"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let (reading, writing) = (key("records:read").await, key("records:write").await);
    let mut ws = Ws::connect_to(&app.base, &reading).await;
    ws.join("doc:1").await;
    let publish = json!({"action": "publish", "room": "doc:1", "event": "x"});
    assert_eq!(ws.ask(&publish).await["code"], "forbidden");
    let with = |key: &str| app.anonymous().with_header("x-api-key", key);
    let say = json!({"event": "over http"});
    with(&reading)
        .post("/realtime/rooms/doc:1/publish", &say)
        .await
        .refused(403, "scope");
    with(&writing)
        .post("/realtime/rooms/doc:1/publish", &say)
        .await
        .ok(204);
    assert_eq!(ws.next_of("room.message").await["event"], "over http");
    for key in [&reading, &writing] {
        with(key).get("/realtime/rooms").await.refused(403, "scope");
        with(key)
            .post("/realtime/rooms", &json!({"pattern": "mine"}))
            .await
            .refused(403, "scope");
    }
}
