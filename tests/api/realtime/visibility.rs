//! A subscriber sees exactly what a list would show.

use serde_json::{Value, json};

use crate::harness::{Backend, TestApp, User, Ws, closed, open};

crate::both![
    the_truth_table_of_what_becomes_visible_and_ceases_to_be,
    operations_decide_about_crossings_too,
    hidden_fields_and_personal_data_are_hidden_from_events,
    a_locked_collection_tells_nobody_but_superadmins,
    other_accounts_hear_nothing,
    superadmins_hear_every_account_or_one,
    a_superadmins_write_is_heard_by_the_records_account,
    a_changed_rule_counts_for_the_next_event,
    a_changed_role_counts_for_the_next_event,
    what_visitors_write_is_heard,
];

async fn tasks(backend: Backend, list_rule: &str) -> (TestApp, User) {
    let app = TestApp::spawn(backend).await;
    let fields = json!([
        {"name": "title", "type": "text"},
        {"name": "open", "type": "boolean"},
        {"name": "owner", "type": "text"},
        {"name": "phone", "type": "text", "pii": true, "mask_type": "full"}
    ]);
    let mut rules = open();
    rules["list_rule"] = json!(list_rule);
    app.collection("tasks", &fields, &rules).await;
    app.collection("marks", &json!([{"name": "n", "type": "number"}]), &open())
        .await;
    let user = app.register().await;
    (app, user)
}

async fn subscribed(user: &User) -> Ws {
    let mut ws = Ws::connect(user).await;
    ws.subscribe("tasks").await;
    ws.subscribe("marks").await;
    ws
}

/// Proves that nothing else was sent: a mark that is written now comes next.
async fn nothing_more(user: &User, ws: &mut Ws) {
    user.create("marks", &json!({})).await;
    ws.expect_event("marks.create").await;
}

async fn the_truth_table_of_what_becomes_visible_and_ceases_to_be(backend: Backend) {
    let (_app, user) = tasks(backend, "open = true").await;
    let mut ws = subscribed(&user).await;
    // Created visible, changed visible, left.
    let record = user
        .create("tasks", &json!({"title": "a", "open": true}))
        .await;
    let (id, path) = (
        record["id"].clone(),
        format!("/records/tasks/{}", record["id"].as_str().unwrap()),
    );
    assert_eq!(ws.expect_event("tasks.create").await["title"], "a");
    user.patch(&path, &json!({"title": "b"})).await.ok(200);
    let frame = ws.frame().await;
    assert_eq!(
        (&frame["type"], &frame["change"], &frame["data"]["title"]),
        (&json!("tasks.update"), &Value::Null, &json!("b"))
    );
    user.patch(&path, &json!({"open": false, "title": "secret"}))
        .await
        .ok(200);
    let frame = ws.frame().await;
    assert_eq!(
        (&frame["type"], &frame["change"]),
        (&json!("tasks.delete"), &json!("left"))
    );
    assert_eq!(frame["data"], json!({"id": id}));
    assert!(!frame.to_string().contains("secret"));
    // Changed hidden, entered, deleted visible.
    user.patch(&path, &json!({"title": "c"})).await.ok(200);
    nothing_more(&user, &mut ws).await;
    user.patch(&path, &json!({"open": true})).await.ok(200);
    let frame = ws.frame().await;
    assert_eq!(
        (&frame["type"], &frame["change"], &frame["data"]["title"]),
        (&json!("tasks.update"), &json!("entered"), &json!("c"))
    );
    user.delete(&path).await.ok(204);
    assert_eq!(ws.expect_event("tasks.delete").await, json!({"id": id}));
    // Created hidden, deleted hidden.
    let hidden = user.create_id("tasks", &json!({"open": false})).await;
    user.delete(&format!("/records/tasks/{hidden}"))
        .await
        .ok(204);
    nothing_more(&user, &mut ws).await;
}

async fn operations_decide_about_crossings_too(backend: Backend) {
    let (_app, user) = tasks(backend, "open = true").await;
    // Who asked for creates or updates hears of what enters, who asked for updates or deletes of
    // what leaves.
    for (operation, enters, leaves) in [
        ("create", true, false),
        ("update", true, true),
        ("delete", false, true),
    ] {
        let mut ws = Ws::connect(&user).await;
        ws.subscribe("marks").await;
        ws.send(&json!({"action": "subscribe", "collection": "tasks", "operations": [operation]}))
            .await;
        assert_eq!(ws.frame().await["type"], "subscribed");
        let id = user.create_id("tasks", &json!({"open": false})).await;
        let path = format!("/records/tasks/{id}");
        user.patch(&path, &json!({"open": true})).await.ok(200);
        if enters {
            assert_eq!(ws.frame().await["change"], "entered", "{operation}");
        }
        user.patch(&path, &json!({"open": false})).await.ok(200);
        if leaves {
            assert_eq!(ws.frame().await["change"], "left", "{operation}");
        }
        nothing_more(&user, &mut ws).await;
    }
}

async fn hidden_fields_and_personal_data_are_hidden_from_events(backend: Backend) {
    let (app, member) = tasks(backend, "").await;
    let other = app.colleague_of(&member).await;
    let (mut of_member, mut of_other) = (subscribed(&member).await, subscribed(&other).await);
    let body = json!({"title": "a", "phone": "12345", "owner": "o"});
    let id = member.create_id("tasks", &body).await;
    assert_eq!(
        of_member.expect_event("tasks.create").await["phone"],
        "12345"
    );
    let seen = of_other.expect_event("tasks.create").await;
    assert_eq!(
        (&seen["phone"], &seen["title"]),
        (&json!("*****"), &json!("a"))
    );
    app.rules("tasks", &json!({"list_fields": ["title"]})).await;
    member
        .patch(&format!("/records/tasks/{id}"), &json!({"owner": "p"}))
        .await
        .ok(200);
    for ws in [&mut of_member, &mut of_other] {
        let seen = ws.expect_event("tasks.update").await;
        let keys = seen.as_object().unwrap();
        assert!(
            keys.contains_key("title") && keys.contains_key("created_by"),
            "{seen}"
        );
        assert!(
            !keys.contains_key("phone") && !keys.contains_key("owner"),
            "{seen}"
        );
    }
}

async fn a_locked_collection_tells_nobody_but_superadmins(backend: Backend) {
    let (app, user) = tasks(backend, "").await;
    app.collection(
        "secrets",
        &json!([{"name": "a", "type": "text"}]),
        &closed(),
    )
    .await;
    let mut ws = subscribed(&user).await;
    ws.subscribe("secrets").await;
    let mut admin = Ws::connect(&app.admin).await;
    admin.subscribe("secrets").await;
    app.admin
        .create("secrets", &json!({"a": "x", "account_id": user.account_id}))
        .await;
    assert_eq!(admin.expect_event("secrets.create").await["a"], "x");
    nothing_more(&user, &mut ws).await;
}

async fn other_accounts_hear_nothing(backend: Backend) {
    let (app, user) = tasks(backend, "").await;
    let stranger = app.register().await;
    let mut ws = subscribed(&stranger).await;
    for account in [user.account_id.as_str(), &user.account_slug, "*", "system"] {
        ws.send(&json!({"action": "subscribe", "collection": "tasks", "account": account}))
            .await;
        let answer = ws.frame().await;
        assert!(
            answer["error"].is_string() && answer["type"].is_null(),
            "{account}: {answer}"
        );
    }
    let id = user.create_id("tasks", &json!({"title": "mine"})).await;
    user.patch(
        &format!("/records/tasks/{id}"),
        &json!({"title": "still mine"}),
    )
    .await
    .ok(200);
    app.admin
        .create("tasks", &json!({"title": "the system's"}))
        .await;
    user.delete(&format!("/records/tasks/{id}")).await.ok(204);
    nothing_more(&stranger, &mut ws).await;
}

async fn superadmins_hear_every_account_or_one(backend: Backend) {
    let (app, user) = tasks(backend, "").await;
    let stranger = app.register().await;
    let (mut all, mut one) = (Ws::connect(&app.admin).await, Ws::connect(&app.admin).await);
    all.subscribe("tasks").await;
    one.send(&json!({"action": "subscribe", "collection": "tasks", "account": user.account_slug}))
        .await;
    assert_eq!(one.frame().await["type"], "subscribed");
    stranger.create("tasks", &json!({"title": "theirs"})).await;
    user.create("tasks", &json!({"title": "ours"})).await;
    assert_eq!(all.expect_event("tasks.create").await["title"], "theirs");
    assert_eq!(all.expect_event("tasks.create").await["title"], "ours");
    assert_eq!(one.expect_event("tasks.create").await["title"], "ours");
    one.send(&json!({"action": "subscribe", "collection": "tasks", "account": "nowhere"}))
        .await;
    assert!(one.frame().await["error"].is_string());
}

async fn a_superadmins_write_is_heard_by_the_records_account(backend: Backend) {
    let (app, user) = tasks(backend, "").await;
    let mut ws = subscribed(&user).await;
    let id = app
        .admin
        .create_id(
            "tasks",
            &json!({"title": "given", "account_id": user.account_id}),
        )
        .await;
    assert_eq!(ws.expect_event("tasks.create").await["title"], "given");
    app.admin
        .patch(
            &format!("/records/tasks/{id}"),
            &json!({"title": "changed"}),
        )
        .await
        .ok(200);
    assert_eq!(ws.expect_event("tasks.update").await["title"], "changed");
    app.admin
        .delete(&format!("/records/tasks/{id}"))
        .await
        .ok(204);
    assert_eq!(ws.expect_event("tasks.delete").await, json!({"id": id}));
}

async fn a_changed_rule_counts_for_the_next_event(backend: Backend) {
    let (app, user) = tasks(backend, "").await;
    let mut ws = subscribed(&user).await;
    for round in 0..10 {
        app.rules("tasks", &json!({"list_rule": null})).await;
        user.create("tasks", &json!({"title": "unseen"})).await;
        nothing_more(&user, &mut ws).await;
        app.rules("tasks", &json!({"list_rule": ""})).await;
        user.create("tasks", &json!({"title": round.to_string()}))
            .await;
        assert_eq!(
            ws.expect_event("tasks.create").await["title"],
            round.to_string()
        );
    }
}

async fn a_changed_role_counts_for_the_next_event(backend: Backend) {
    let (app, user) = tasks(
        backend,
        "@has_role('admin') && created_by = @request.auth.id",
    )
    .await;
    let writer = app.colleague_of(&user).await;
    let mut ws = subscribed(&user).await;
    let path = format!("/users/{}", user.id);
    user.create("tasks", &json!({"title": "as admin"})).await;
    assert_eq!(ws.expect_event("tasks.create").await["title"], "as admin");
    app.admin
        .patch(&path, &json!({"role": "user"}))
        .await
        .ok(200);
    user.create("tasks", &json!({"title": "as user"})).await;
    writer
        .create("tasks", &json!({"title": "by another"}))
        .await;
    nothing_more(&user, &mut ws).await;
    app.admin
        .patch(&path, &json!({"role": "admin"}))
        .await
        .ok(200);
    user.create("tasks", &json!({"title": "as admin again"}))
        .await;
    assert_eq!(
        ws.expect_event("tasks.create").await["title"],
        "as admin again"
    );
}

async fn what_visitors_write_is_heard(backend: Backend) {
    let (app, user) = tasks(backend, "").await;
    let mut ws = subscribed(&user).await;
    app.visitor_of(&user)
        .create("tasks", &json!({"title": "hello"}))
        .await;
    assert_eq!(
        ws.expect_event("tasks.create").await["created_by"],
        "anonymous"
    );
}
