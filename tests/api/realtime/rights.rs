//! Credentials and rights that change while a connection is open.

use serde_json::{Value, json};

use crate::harness::{Backend, PASSWORD, PocketBase, Sse, TestApp, User, Ws, open};

crate::both![
    a_token_is_renewed_without_connecting_again,
    another_users_token_is_refused_and_the_connection_lives_on,
    a_connection_goes_on_with_the_same_kind_of_credential_only,
    what_a_credential_opened_ends_with_it_on_every_protocol,
    a_ticket_opens_one_connection_which_ends_with_the_session,
    a_change_of_role_is_told_to_those_who_understand_and_applies_to_all,
    what_was_missed_is_not_shown_to_those_who_may_not_see_it_any_more,
    a_change_of_rules_during_a_break_is_told,
    what_no_rule_reads_of_a_user_is_no_reason_to_fetch_again,
];

async fn posts(backend: Backend, list_rule: &str) -> (TestApp, User) {
    let app = TestApp::spawn(backend).await;
    app.collection("posts", &json!([{"name": "n", "type": "number"}]), &open())
        .await;
    app.rules("posts", &json!({"list_rule": list_rule})).await;
    let user = app.register().await;
    (app, user)
}

async fn subscribe(ws: &mut Ws, message: &Value) {
    let mut message = message.clone();
    (message["action"], message["collection"]) = (json!("subscribe"), json!("posts"));
    ws.send(&message).await;
    assert_eq!(ws.frame().await["type"], "subscribed");
}

async fn a_token_is_renewed_without_connecting_again(backend: Backend) {
    let app = TestApp::spawn_with(backend, |config| config.auth.access_token_seconds = 4).await;
    app.collection("posts", &json!([{"name": "n", "type": "number"}]), &open())
        .await;
    let user = app.register().await;
    let mut ws = Ws::connect(&user).await;
    ws.subscribe("posts").await;
    let mut current = user;
    for n in 0..4 {
        tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
        let body = json!({"refresh_token": current.refresh_token});
        let session = app.anonymous().post("/auth/refresh", &body).await.ok(200);
        current.token = session["token"].as_str().unwrap().to_owned();
        current.refresh_token = session["refresh_token"].as_str().unwrap().to_owned();
        ws.send(&json!({"action": "auth", "token": current.token}))
            .await;
        let answer = ws.frame().await;
        assert_eq!(answer["type"], "authenticated", "{answer}");
        assert!(answer["expires_at"].is_string());
        let bearer = format!("Bearer {}", current.token);
        app.anonymous()
            .with_header("authorization", &bearer)
            .create("posts", &json!({"n": n}))
            .await;
        ws.expect_event("posts.create").await;
    }
    // Without another one it ends as it always did.
    assert_eq!(ws.end().await.code, 4401);
}

async fn another_users_token_is_refused_and_the_connection_lives_on(backend: Backend) {
    let (app, user) = posts(backend, "").await;
    let other = app.colleague_of(&user).await;
    let mut ws = Ws::connect(&user).await;
    for (token, code) in [
        (other.token.as_str(), "forbidden"),
        ("nonsense", "unauthenticated"),
    ] {
        ws.send(&json!({"action": "auth", "token": token})).await;
        let refusal = ws.frame().await;
        assert_eq!(
            (&refusal["code"], &refusal["type"]),
            (&json!(code), &Value::Null)
        );
    }
    ws.subscribe("posts").await;
    user.create("posts", &json!({"n": 1})).await;
    ws.expect_event("posts.create").await;
}

async fn a_ticket_opens_one_connection_which_ends_with_the_session(backend: Backend) {
    let (app, user) = posts(backend, "").await;
    let issue = async || {
        let answer = user.post("/realtime/ticket", &json!({})).await.ok(201);
        assert_eq!(answer["expires_in"], 30);
        answer["ticket"].as_str().unwrap().to_owned()
    };
    let ticket = issue().await;
    let query = format!("?ticket={ticket}");
    let mut ws = Ws::try_connect(&app.base, &query, &[]).await.ok().unwrap();
    assert_eq!(
        Ws::try_connect(&app.base, &query, &[]).await.err(),
        Some(401),
        "a ticket is good once"
    );
    ws.subscribe("posts").await;
    let mut sse = Sse::open(
        &app.anonymous(),
        &format!("?collection=posts&ticket={}", issue().await),
    )
    .await;
    user.create("posts", &json!({"n": 1})).await;
    ws.expect_event("posts.create").await;
    assert_eq!(sse.event().await.data["type"], "posts.create");
    let unused = issue().await;
    user.post("/auth/logout", &json!({})).await;
    assert_eq!(ws.end().await.code, 1008);
    for bad in [unused.as_str(), "nonsense", "%00"] {
        let query = format!("?ticket={bad}");
        assert_eq!(
            Ws::try_connect(&app.base, &query, &[]).await.err(),
            Some(401)
        );
    }
    app.anonymous()
        .post("/realtime/ticket", &json!({}))
        .await
        .refused(401, "");
}

async fn set_role(app: &TestApp, user: &User, role: u32) {
    app.admin
        .patch(&format!("/users/{}", user.id), &json!({"role_id": role}))
        .await
        .ok(200);
}

async fn a_change_of_role_is_told_to_those_who_understand_and_applies_to_all(backend: Backend) {
    let (app, user) = posts(backend, "@request.auth.role = 'admin'").await;
    let colleague = app.colleague_of(&user).await;
    let (mut plain, mut knowing) = (Ws::connect(&colleague).await, Ws::connect(&colleague).await);
    plain.subscribe("posts").await;
    subscribe(&mut knowing, &json!({"ref": 1})).await;
    // What has been handed out to one has been handed out to all.
    let mut witness = Ws::connect(&user).await;
    witness.subscribe("posts").await;
    user.create("posts", &json!({"n": 1})).await;
    witness.expect_event("posts.create").await;
    set_role(&app, &colleague, 1).await;
    let resync = knowing.frame().await;
    assert_eq!(
        (&resync["type"], &resync["reason"]),
        (&json!("resync"), &json!("access")),
        "{resync}"
    );
    let created = user.create_id("posts", &json!({"n": 2})).await;
    assert_eq!(plain.frame().await["id"], created.as_str());
    assert_eq!(knowing.frame().await["id"], created.as_str());
    set_role(&app, &colleague, 2).await;
    assert_eq!(knowing.frame().await["reason"], "access");
    let last = user.create_id("posts", &json!({"n": 3})).await;
    while witness.expect_event("posts.create").await["id"] != last.as_str() {}
    for client in [&mut plain, &mut knowing] {
        client.send(&json!({"action": "ping"})).await;
        assert_eq!(client.frame().await["type"], "pong", "nothing more is told");
    }
}

async fn what_was_missed_is_not_shown_to_those_who_may_not_see_it_any_more(backend: Backend) {
    let (app, user) = posts(backend, "@request.auth.role = 'admin'").await;
    let colleague = app.colleague_of(&user).await;
    set_role(&app, &colleague, 1).await;
    let colleague = app
        .anonymous()
        .login(&colleague.account_slug, &colleague.email, PASSWORD)
        .await;
    let mut ws = Ws::connect(&colleague).await;
    subscribe(&mut ws, &json!({"ref": 1})).await;
    user.create("posts", &json!({"n": 1})).await;
    let seen = ws.frame().await["cursor"].clone();
    drop(ws);
    user.create("posts", &json!({"n": 2})).await;
    set_role(&app, &colleague, 2).await;
    let colleague = app
        .anonymous()
        .login(&colleague.account_slug, &colleague.email, PASSWORD)
        .await;
    let mut ws = Ws::connect(&colleague).await;
    subscribe(&mut ws, &json!({"ref": 1, "since": seen})).await;
    let frame = ws.frame().await;
    assert_eq!(
        (&frame["type"], &frame["reason"]),
        (&json!("resync"), &json!("access")),
        "{frame}"
    );
    ws.send(&json!({"action": "ping"})).await;
    assert_eq!(ws.frame().await["type"], "pong");
}

async fn a_change_of_rules_during_a_break_is_told(backend: Backend) {
    let (app, user) = posts(backend, "").await;
    let cursor = async || {
        let mut ws = Ws::connect(&user).await;
        subscribe(&mut ws, &json!({"ref": 1})).await;
        user.create("posts", &json!({"n": 1})).await;
        ws.frame().await["cursor"].clone()
    };
    let mut seen = cursor().await;
    let resumed = async |seen: &Value| {
        let mut ws = Ws::connect(&user).await;
        subscribe(&mut ws, &json!({"ref": 1, "since": seen})).await;
        loop {
            let frame = ws.frame().await;
            if frame["operation"].is_null() {
                return frame;
            }
        }
    };
    assert_eq!(resumed(&seen).await["type"], "replayed");
    app.collection("others", &json!([{"name": "n", "type": "number"}]), &open())
        .await;
    assert_eq!(
        resumed(&seen).await["type"],
        "replayed",
        "another collection is no reason"
    );
    app.rules("posts", &json!({"list_rule": "n > 5"})).await;
    user.create("posts", &json!({"n": 9})).await;
    assert_eq!(resumed(&seen).await["reason"], "rules");
    app.rules("posts", &json!({"list_rule": ""})).await;
    seen = cursor().await;
    let fields =
        json!({"fields": [{"name": "n", "type": "number"}, {"name": "m", "type": "text"}]});
    app.admin.put("/collections/posts", &fields).await.ok(200);
    user.create("posts", &json!({"n": 9})).await;
    assert_eq!(resumed(&seen).await["reason"], "schema");
}

async fn what_no_rule_reads_of_a_user_is_no_reason_to_fetch_again(backend: Backend) {
    let (app, user) = posts(backend, "@request.auth.email != '' || @has_group('x')").await;
    let colleague = app.colleague_of(&user).await;
    let mut ws = Ws::connect(&colleague).await;
    subscribe(&mut ws, &json!({"ref": 1})).await;
    user.create("posts", &json!({"n": 1})).await;
    let seen = ws.frame().await["cursor"].clone();
    // Signing in elsewhere, another name for the way of signing in, the end of other sessions.
    let again = app
        .anonymous()
        .login(&colleague.account_slug, &colleague.email, PASSWORD)
        .await;
    let path = format!("/users/{}", colleague.id);
    app.admin
        .patch(
            &path,
            &json!({"auth_provider_name": "x", "email_verified": true}),
        )
        .await
        .ok(200);
    colleague.delete("/auth/sessions").await.ok(204);
    again.get("/auth/me").await.refused(401, "");
    user.create("posts", &json!({"n": 2})).await;
    assert_eq!(ws.expect_event("posts.create").await["n"], 2);
    // Nor is it for somebody who comes back, with another password meanwhile.
    let password = "Another-Horse-43!";
    app.admin
        .put(
            &format!("{path}/password"),
            &json!({"new_password": password}),
        )
        .await
        .ok(200);
    assert_eq!(ws.end().await.code, 1008);
    let resumed = async || {
        let colleague = app
            .anonymous()
            .login(&colleague.account_slug, &colleague.email, password)
            .await;
        let mut ws = Ws::connect(&colleague).await;
        subscribe(&mut ws, &json!({"ref": 1, "since": seen})).await;
        let mut frames = Vec::new();
        loop {
            let frame = ws.frame().await;
            frames.push(frame["type"].as_str().unwrap().to_owned());
            if frame["operation"].is_null() {
                return frames;
            }
        }
    };
    assert_eq!(resumed().await, ["posts.create", "replayed"]);
    // A role counts only where a rule reads it, and a group where one asks for some.
    set_role(&app, &colleague, 1).await;
    let frames = resumed().await;
    assert_eq!(
        frames.last().unwrap(),
        "resync",
        "this rule reads the address and a group: {frames:?}"
    );
    app.rules("posts", &json!({"list_rule": "created_by != ''"}))
        .await;
    let mut ws = Ws::connect(&user).await;
    subscribe(&mut ws, &json!({"ref": 1})).await;
    user.create("posts", &json!({"n": 3})).await;
    let seen = ws.frame().await["cursor"].clone();
    set_role(&app, &colleague, 2).await;
    user.create("posts", &json!({"n": 4})).await;
    let colleague = app
        .anonymous()
        .login(&colleague.account_slug, &colleague.email, password)
        .await;
    let mut ws = Ws::connect(&colleague).await;
    subscribe(&mut ws, &json!({"ref": 1, "since": seen})).await;
    assert_eq!(ws.frame().await["data"]["n"], 4);
}

/// A key of the superadmin's: its id and the key. `account` binds it.
async fn make_key(app: &TestApp, account: Option<&str>) -> (String, String) {
    let mut body = json!({"name": "key"});
    if let Some(account) = account {
        (body["account_id"], body["role"]) = (json!(account), json!("user"));
    }
    let key = app.admin.post("/admin/api-keys", &body).await.ok(201);
    (
        key["id"].as_str().unwrap().to_owned(),
        key["key"].as_str().unwrap().to_owned(),
    )
}

async fn a_connection_goes_on_with_the_same_kind_of_credential_only(backend: Backend) {
    let (app, one) = posts(backend, "").await;
    let two = app.register().await;
    let (_, key_one) = make_key(&app, Some(&one.account_id)).await;
    let (_, again_one) = make_key(&app, Some(&one.account_id)).await;
    let (_, key_two) = make_key(&app, Some(&two.account_id)).await;
    let (_, unbound) = make_key(&app, None).await;
    let second_session = app
        .anonymous()
        .login(&one.account_slug, &one.email, PASSWORD)
        .await
        .token;
    let ticket = app
        .admin
        .post("/realtime/ticket", &json!({"user_id": one.id}))
        .await
        .ok(201);
    let in_place_of_one = format!("?ticket={}", ticket["ticket"].as_str().unwrap());
    let with = |credential: &str| format!("?token={credential}");
    let admin = app.admin.token.clone();
    let table: [(String, &str, &[&str], &[&str]); 4] = [
        // opened with, its protocol's credential, goes on with, refuses
        (
            with(&one.token),
            &one.token,
            &[&second_session, &one.token],
            &[&two.token, &key_one, &admin],
        ),
        (
            with(&key_one),
            &key_one,
            &[&key_one],
            &[&again_one, &key_two, &unbound, &admin, &one.token],
        ),
        (with(&admin), &admin, &[&admin], &[&unbound, &key_one]),
        (
            in_place_of_one,
            "",
            &[],
            &[&one.token, &second_session, &admin],
        ),
    ];
    for (query, credential, accepted, refused) in table {
        let mut ws = Ws::try_connect(&app.base, &query, &[]).await.ok().unwrap();
        for token in refused {
            ws.send(&json!({"action": "auth", "token": token})).await;
            assert_eq!(ws.frame().await["code"], "forbidden", "{query} {token}");
        }
        for token in accepted {
            ws.send(&json!({"action": "auth", "token": token})).await;
            assert_eq!(ws.frame().await["type"], "authenticated", "{query} {token}");
        }
        ws.subscribe("posts").await;
        if credential.is_empty() {
            continue;
        }
        let bearer = |token: &str| {
            app.anonymous()
                .with_header("authorization", &format!("Bearer {token}"))
        };
        let stream = PocketBase::open(&app.anonymous()).await;
        stream
            .subscribe(&bearer(credential), &["posts/*"])
            .await
            .ok(204);
        for token in refused {
            let answer = stream.subscribe(&bearer(token), &["posts/*"]).await;
            assert_eq!(answer.status, 403, "{query} {token}: {}", answer.text);
        }
        for token in accepted {
            stream.subscribe(&bearer(token), &["posts/*"]).await.ok(204);
        }
    }
}

async fn what_a_credential_opened_ends_with_it_on_every_protocol(backend: Backend) {
    let (app, user) = posts(backend, "").await;
    let (id, key) = make_key(&app, Some(&user.account_id)).await;
    let session = app
        .anonymous()
        .login(&user.account_slug, &user.email, PASSWORD)
        .await;
    for (credential, is_key) in [(&key, true), (&session.token, false)] {
        let bearer = app
            .anonymous()
            .with_header("authorization", &format!("Bearer {credential}"));
        let ticket = bearer.post("/realtime/ticket", &json!({})).await.ok(201);
        let mut sockets = vec![
            Ws::try_connect(&app.base, &format!("?token={credential}"), &[])
                .await
                .ok()
                .unwrap(),
            Ws::try_connect(
                &app.base,
                &format!("?ticket={}", ticket["ticket"].as_str().unwrap()),
                &[],
            )
            .await
            .ok()
            .unwrap(),
        ];
        // Showing the same credential once more changes nothing.
        sockets[0]
            .send(&json!({"action": "auth", "token": credential}))
            .await;
        assert_eq!(sockets[0].frame().await["type"], "authenticated");
        let mut sse = Sse::open(&bearer, "?collection=posts").await;
        let mut stream = PocketBase::open(&app.anonymous()).await;
        stream.subscribe(&bearer, &["posts/*"]).await.ok(204);
        if is_key {
            app.admin
                .delete(&format!("/admin/api-keys/{id}"))
                .await
                .ok(204);
        } else {
            session.post("/auth/logout", &json!({})).await;
        }
        for ws in &mut sockets {
            assert_eq!(ws.end().await.code, 1008);
        }
        while sse.any_event().await.is_some() {}
        assert!(
            sse.comments.last().unwrap().contains("1008"),
            "{:?}",
            sse.comments
        );
        assert_eq!(stream.event().await, None);
    }
}
