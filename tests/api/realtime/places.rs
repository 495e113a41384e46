//! Superadmins listen in a user's place, with a ticket.

use serde_json::{Value, json};

use crate::harness::{Backend, TestApp, User, Ws, eventually, open};

crate::both![
    a_superadmin_sees_with_a_ticket_what_the_user_sees,
    a_connection_in_a_users_place_ends_with_the_superadmins_session,
    a_connection_in_a_users_place_ends_when_the_user_is_deactivated,
    whoever_listens_in_a_users_place_says_nothing,
    tickets_for_users_are_for_superadmins_and_users_that_exist,
    a_superadmins_own_ticket_sees_one_account_or_all,
];

async fn notes(backend: Backend) -> (TestApp, User, User) {
    let app = TestApp::spawn(backend).await;
    app.collection("notes", &json!([{"name": "n", "type": "number"}]), &open())
        .await;
    app.rules(
        "notes",
        &json!({"list_rule": "created_by = @request.auth.id"}),
    )
    .await;
    let user = app.register().await;
    let colleague = app.colleague_of(&user).await;
    (app, user, colleague)
}

async fn ticket(superadmin: &User, body: &Value) -> String {
    superadmin.post("/realtime/ticket", body).await.ok(201)["ticket"]
        .as_str()
        .unwrap()
        .to_owned()
}

async fn connect(app: &TestApp, superadmin: &User, body: &Value) -> Ws {
    let query = format!("?ticket={}", ticket(superadmin, body).await);
    Ws::try_connect(&app.base, &query, &[]).await.ok().unwrap()
}

async fn again(app: &TestApp) -> User {
    app.anonymous()
        .login(
            "system",
            crate::harness::SUPERADMIN,
            crate::harness::PASSWORD,
        )
        .await
}

async fn a_superadmin_sees_with_a_ticket_what_the_user_sees(backend: Backend) {
    let (app, user, colleague) = notes(backend).await;
    let mut ws = connect(&app, &app.admin, &json!({"user_id": colleague.id})).await;
    ws.subscribe("notes").await;
    user.create("notes", &json!({"n": 1})).await;
    colleague.create("notes", &json!({"n": 2})).await;
    assert_eq!(ws.expect_event("notes.create").await["n"], 2);
    let told = app.admin.get("/admin/realtime/connections").await.ok(200)["items"][0].clone();
    assert_eq!(
        (&told["user_id"], &told["opened_by"]),
        (&json!(colleague.id), &json!(app.admin.id))
    );
    // The rights are those of the user, and of now.
    ws.send(&json!({"action": "subscribe", "collection": "notes", "account": "*"}))
        .await;
    assert_eq!(ws.frame().await["code"], "forbidden");
    let written = async || {
        let rows = app
            .admin
            .get("/audit-logs?table_name=realtime_tickets")
            .await
            .ok(200);
        rows["items"].as_array().unwrap().iter().any(|row| {
            row["record_id"] == colleague.id.as_str()
                && row["user_id"] == app.admin.id.as_str()
                && row["account_id"] == colleague.account_id.as_str()
        })
    };
    eventually("an entry in the trail", written).await;
}

async fn a_connection_in_a_users_place_ends_with_the_superadmins_session(backend: Backend) {
    let (app, user, colleague) = notes(backend).await;
    let second = again(&app).await;
    let mut ws = connect(&app, &second, &json!({"user_id": user.id})).await;
    let mut own = Ws::connect(&user).await;
    ws.subscribe("notes").await;
    // What ends for the user's own sessions does not concern it.
    user.delete("/auth/sessions").await.ok(204);
    colleague.post("/auth/logout", &json!({})).await.ok(200);
    user.create("notes", &json!({"n": 1})).await;
    ws.expect_event("notes.create").await;
    second.post("/auth/logout", &json!({})).await.ok(200);
    assert_eq!(ws.end().await.code, 1008);
    own.subscribe("notes").await;
}

async fn a_connection_in_a_users_place_ends_when_the_user_is_deactivated(backend: Backend) {
    let (app, _, colleague) = notes(backend).await;
    let mut ws = connect(&app, &app.admin, &json!({"user_id": colleague.id})).await;
    let unused = ticket(&app.admin, &json!({"user_id": colleague.id})).await;
    app.admin
        .delete(&format!("/users/{}", colleague.id))
        .await
        .ok(204);
    assert_eq!(ws.end().await.code, 1008);
    let query = format!("?ticket={unused}");
    assert_eq!(
        Ws::try_connect(&app.base, &query, &[]).await.err(),
        Some(401)
    );
    let body = json!({"user_id": colleague.id});
    app.admin
        .post("/realtime/ticket", &body)
        .await
        .refused(422, "may not sign in");
}

async fn whoever_listens_in_a_users_place_says_nothing(backend: Backend) {
    let (app, user, _) = notes(backend).await;
    let definition =
        json!({"pattern": "lobby", "join_rule": "", "publish_rule": "", "presence_rule": ""});
    app.admin.post("/realtime/rooms", &definition).await.ok(201);
    let mut own = Ws::connect(&user).await;
    own.join("lobby").await;
    let mut ws = connect(&app, &app.admin, &json!({"user_id": user.id})).await;
    for action in ["join", "presence", "publish"] {
        ws.send(
            &json!({"action": action, "room": "lobby", "event": "x", "data": {}, "presence": {}}),
        )
        .await;
        let refusal = ws.frame().await;
        assert_eq!(
            (&refusal["code"], &refusal["room"]),
            (&json!("forbidden"), &json!("lobby")),
            "{refusal}"
        );
    }
}

async fn tickets_for_users_are_for_superadmins_and_users_that_exist(backend: Backend) {
    let (app, user, colleague) = notes(backend).await;
    let of = |id: &str| json!({"user_id": id});
    user.post("/realtime/ticket", &of(&colleague.id))
        .await
        .refused(403, "");
    user.post("/realtime/ticket", &of(&user.id))
        .await
        .refused(403, "");
    app.admin
        .post(
            "/realtime/ticket",
            &of("00000000-0000-0000-0000-000000000000"),
        )
        .await
        .refused(404, "User");
    app.admin
        .post("/realtime/ticket", &of("nobody"))
        .await
        .refused(404, "User");
    app.admin
        .post("/realtime/ticket", &json!({"user_id": 7}))
        .await
        .refused(422, "user_id");
    app.admin
        .post("/realtime/ticket", &json!([]))
        .await
        .refused(422, "");
    let bare = app.admin.request(reqwest::Method::POST, "/realtime/ticket");
    app.admin.send(bare).await.ok(201);
}

async fn a_superadmins_own_ticket_sees_one_account_or_all(backend: Backend) {
    let (app, user, _) = notes(backend).await;
    let other = app.register().await;
    for account in [user.account_id.as_str(), "*"] {
        let mut ws = connect(&app, &app.admin, &json!({})).await;
        ws.send(&json!({"action": "subscribe", "collection": "notes", "account": account}))
            .await;
        assert_eq!(ws.frame().await["type"], "subscribed");
        other.create("notes", &json!({"n": 1})).await;
        user.create("notes", &json!({"n": 2})).await;
        let first = ws.expect_event("notes.create").await;
        assert_eq!(first["n"], if account == "*" { 1 } else { 2 });
    }
    let mut one = connect(&app, &app.admin, &json!({})).await;
    one.send(&json!({"action": "subscribe", "collection": "notes", "account": "nowhere"}))
        .await;
    assert_eq!(one.frame().await["code"], "not_found");
}
