//! API keys: made once, good for what they were made for, and dead at once when they are revoked.

use serde_json::{Value, json};

use crate::harness::{Backend, Client, PASSWORD, TestApp, Ws, eventually, open};

crate::both![
    a_key_is_shown_once_and_acts_as_its_owner,
    bad_keys_are_refused_wherever_they_are_shown,
    a_revoked_key_is_dead_at_once,
    revoking_a_key_ends_its_realtime_connections,
    a_key_dies_with_the_rights_of_its_owner,
    a_bound_key_reaches_one_account_with_its_role,
    scopes_limit_a_key,
    the_scope_for_secrets_adds_and_others_limit,
    a_limited_key_never_reaches_superadmins,
    a_user_has_so_many_keys_and_no_more,
    using_a_key_is_noted,
    bad_requests_make_no_keys,
];

async fn make(app: &TestApp, body: &Value) -> (String, String) {
    let key = app.admin.post("/admin/api-keys", body).await.ok(201);
    (
        key["id"].as_str().unwrap().to_owned(),
        key["key"].as_str().unwrap().to_owned(),
    )
}

fn with_key(app: &TestApp, key: &str) -> Client {
    app.anonymous().with_header("x-api-key", key)
}

async fn a_key_is_shown_once_and_acts_as_its_owner(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let made = app
        .admin
        .post("/admin/api-keys", &json!({"name": "ci key"}))
        .await
        .ok(201);
    let key = made["key"].as_str().unwrap();
    assert!(
        key.starts_with("sb_ak.") && key.len() > 100 && key.split('.').count() == 3,
        "{key}"
    );
    assert_eq!(
        (
            &made["is_active"],
            &made["last_used_at"],
            &made["expires_at"]
        ),
        (&json!(true), &json!(null), &json!(null))
    );
    let path = format!("/admin/api-keys/{}", made["id"].as_str().unwrap());
    let list = app.admin.get("/admin/api-keys").await.ok(200);
    assert_eq!(
        (&list["total"], &list["items"][0]["id"]),
        (&json!(1), &made["id"])
    );
    for shown in [
        list.to_string(),
        app.admin.get(&path).await.ok(200).to_string(),
    ] {
        assert!(!shown.contains(key), "{shown}");
    }
    let bearer = app
        .anonymous()
        .with_header("authorization", &format!("bearer {key}"));
    for caller in [with_key(&app, key), bearer] {
        let me = caller.get("/auth/me").await.ok(200);
        assert_eq!(
            (&me["user_id"], &me["account_id"]),
            (&json!(app.admin.id), &json!(app.admin.account_id))
        );
        assert_eq!(me["user"]["token_type"], "api_key");
        caller.get("/users").await.ok(200);
    }
    app.collection("posts", &json!([{"name": "a", "type": "text"}]), &json!({}))
        .await;
    assert_eq!(
        with_key(&app, key).create("posts", &json!({})).await["created_by"],
        app.admin.id.as_str()
    );
    let rest = app
        .admin
        .query("/admin/api-keys", &[("limit", "1"), ("offset", "1")])
        .await
        .ok(200);
    assert_eq!((&rest["items"], &rest["total"]), (&json!([]), &json!(1)));
}

async fn bad_keys_are_refused_wherever_they_are_shown(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    app.collection("posts", &json!([{"name": "a", "type": "text"}]), &open())
        .await;
    let user = app.register().await;
    let (_, good) = make(&app, &json!({"name": "good"})).await;
    let (_, past) = make(
        &app,
        &json!({"name": "past", "expires_at": "2020-01-01T00:00:00Z"}),
    )
    .await;
    let changed = format!("{}A", &good[..good.len() - 1]);
    let other = format!("{}B", &good[..good.len() - 1]);
    let wrong = if good == changed { other } else { changed };
    for bad in [
        "garbage",
        "sb_ak.bad",
        "sb_ak..",
        "sb_sk_AB0001_x",
        "sb_pt.a.b",
        &past,
        &wrong,
        &user.token,
    ] {
        let caller = with_key(&app, bad).with_header("x-account-id", &user.account_slug);
        let answer = caller.get("/auth/me").await;
        assert_eq!(
            answer.header("www-authenticate"),
            Some("Bearer"),
            "{bad}: {}",
            answer.text
        );
        answer.refused(401, "");
        caller.get("/records/posts").await.refused(401, "");
    }
    // A bearer token that is bad is not made good by a key.
    with_key(&app, &good)
        .with_header("authorization", "Bearer x.y.z")
        .get("/auth/me")
        .await
        .refused(401, "");
    // Where nobody needs credentials, they do not matter.
    with_key(&app, "garbage").get("/setup").await.ok(200);
    assert_eq!(
        Ws::try_connect(&app.base, "", &[("x-api-key", "garbage")])
            .await
            .err(),
        Some(401)
    );
}

async fn a_revoked_key_is_dead_at_once(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let (id, key) = make(&app, &json!({"name": "short-lived"})).await;
    let caller = with_key(&app, &key);
    caller.get("/auth/me").await.ok(200);
    let path = format!("/admin/api-keys/{id}");
    for _ in 0..2 {
        app.admin.delete(&path).await.ok(204);
        caller.get("/auth/me").await.refused(401, "revoked");
    }
    assert_eq!(app.admin.get(&path).await.ok(200)["is_active"], false);
    app.admin.get("/auth/me").await.ok(200);
    app.admin
        .delete("/admin/api-keys/nonsense")
        .await
        .refused(404, "");
    app.admin
        .get("/admin/api-keys/nonsense")
        .await
        .refused(404, "");
}

async fn revoking_a_key_ends_its_realtime_connections(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    app.collection("posts", &json!([{"name": "a", "type": "text"}]), &open())
        .await;
    let (id, key) = make(&app, &json!({"name": "listener"})).await;
    let mut listener = Ws::connect_to(&app.base, &key).await;
    let mut owner = Ws::connect(&app.admin).await;
    listener.subscribe("posts").await;
    owner.subscribe("posts").await;
    app.admin.create("posts", &json!({"a": "b"})).await;
    listener.expect_event("posts.create").await;
    app.admin
        .delete(&format!("/admin/api-keys/{id}"))
        .await
        .ok(204);
    assert_eq!(listener.end().await.code, 1008);
    owner.expect_event("posts.create").await;
}

async fn a_key_dies_with_the_rights_of_its_owner(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let body = json!({"email": "second@example.com", "password": PASSWORD, "account_id": app.admin.account_id,
        "role_id": 1, "email_verified": true});
    app.admin.post("/users", &body).await.ok(201);
    let second = app
        .anonymous()
        .login("system", "second@example.com", PASSWORD)
        .await;
    let made = second
        .post("/admin/api-keys", &json!({"name": "second's"}))
        .await
        .ok(201);
    let caller = with_key(&app, made["key"].as_str().unwrap());
    caller.get("/users").await.ok(200);
    // Nobody sees or revokes another superadmin's key.
    let path = format!("/admin/api-keys/{}", made["id"].as_str().unwrap());
    app.admin.get(&path).await.refused(404, "");
    app.admin.delete(&path).await.refused(404, "");
    assert_eq!(app.admin.get("/admin/api-keys").await.ok(200)["total"], 0);
    app.admin
        .delete(&format!("/users/{}", second.id))
        .await
        .ok(204);
    caller.get("/users").await.refused(401, "");
}

async fn a_bound_key_reaches_one_account_with_its_role(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let rules = json!({"list_rule": "", "view_rule": "", "create_rule": "@has_role('admin')"});
    app.collection(
        "posts",
        &json!([{"name": "a", "type": "text", "pii": true, "mask_type": "name"}]),
        &rules,
    )
    .await;
    let (mine, theirs) = (app.register().await, app.register().await);
    mine.create("posts", &json!({"a": "Ann Example"})).await;
    let foreign = theirs.create_id("posts", &json!({"a": "theirs"})).await;
    let (_, plain) = make(
        &app,
        &json!({"name": "bound", "account_id": mine.account_id}),
    )
    .await;
    let (_, admin) = make(
        &app,
        &json!({"name": "bound", "account_id": mine.account_slug, "role": "admin"}),
    )
    .await;
    for (key, role, status) in [(&plain, "user", 400), (&admin, "admin", 201)] {
        let caller = with_key(&app, key);
        let me = caller.get("/auth/me").await.ok(200);
        assert_eq!(
            (&me["role"], &me["account"]["slug"]),
            (&json!(role), &json!(mine.account_slug))
        );
        let list = caller.get("/records/posts").await.ok(200);
        assert_eq!(list["total"], 1, "{role}: {list}");
        assert_ne!(
            list["items"][0]["a"], "Ann Example",
            "personal data is masked"
        );
        caller
            .get(&format!("/records/posts/{foreign}"))
            .await
            .refused(404, "");
        caller.get("/users").await.refused(403, "");
        caller.get("/admin/api-keys").await.refused(403, "");
        let answer = caller.post("/records/posts", &json!({"a": "new"})).await;
        assert_eq!(answer.status, status, "{role}: {}", answer.text);
        if status == 201 {
            assert_eq!(answer.body["account_id"], mine.account_id.as_str());
        }
    }
    app.admin
        .delete(&format!("/accounts/{}", mine.account_id))
        .await
        .ok(204);
    with_key(&app, &admin)
        .get("/auth/me")
        .await
        .refused(401, "");
}

async fn scopes_limit_a_key(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    app.collection("posts", &json!([{"name": "a", "type": "text"}]), &open())
        .await;
    let id = app.admin.create_id("posts", &json!({})).await;
    let (_, reads) = make(&app, &json!({"name": "reads", "scopes": ["records:read"]})).await;
    let (_, writes) = make(
        &app,
        &json!({"name": "writes", "scopes": ["records:write"]}),
    )
    .await;
    let (_, rules) = make(&app, &json!({"name": "rules", "scopes": ["admin"]})).await;
    let path = format!("/records/posts/{id}");
    for (key, read, write, users) in [
        (&reads, 200, 403, 403),
        (&writes, 403, 200, 403),
        (&rules, 403, 403, 200),
    ] {
        let caller = with_key(&app, key);
        caller.get("/auth/me").await.ok(200);
        for (answer, status) in [
            (caller.get(&path).await, read),
            (caller.patch(&path, &json!({"a": "b"})).await, write),
            (caller.get("/users").await, users),
        ] {
            if status == 403 {
                answer.refused(403, "restricted");
            } else {
                answer.ok(status);
            }
        }
    }
    assert_eq!(
        Ws::try_connect(&app.base, &format!("?token={writes}"), &[])
            .await
            .err(),
        Some(403)
    );
    Ws::connect_to(&app.base, &reads).await.close().await;
    // A key does not make a key that may more.
    let caller = with_key(&app, &rules);
    caller
        .post("/admin/api-keys", &json!({"name": "more"}))
        .await
        .refused(403, "restricted");
    let more = json!({"name": "more", "scopes": ["admin", "records:read"]});
    caller
        .post("/admin/api-keys", &more)
        .await
        .refused(403, "restricted");
    let same = caller
        .post(
            "/admin/api-keys",
            &json!({"name": "same", "scopes": ["admin"]}),
        )
        .await
        .ok(201);
    assert_eq!(same["scopes"], json!(["admin"]));
}

async fn the_scope_for_secrets_adds_and_others_limit(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let fields =
        json!([{"name": "a", "type": "text"}, {"name": "pin", "type": "text", "encrypted": true}]);
    app.collection("posts", &fields, &open()).await;
    let id = app.admin.create_id("posts", &json!({"pin": "1234"})).await;
    let path = format!("/records/posts/{id}");
    for (scopes, read, write, users, secrets) in [
        (json!([]), 200, 200, 200, 403),
        (json!(["records:secrets:read"]), 200, 200, 200, 200),
        (
            json!(["records:read", "records:secrets:read"]),
            200,
            403,
            403,
            200,
        ),
        (
            json!(["restricted", "records:secrets:read"]),
            403,
            403,
            403,
            200,
        ),
        (json!(["restricted"]), 403, 403, 403, 403),
    ] {
        let (_, key) = make(&app, &json!({"name": "scoped", "scopes": scopes})).await;
        let caller = with_key(&app, &key);
        let statuses = [
            caller.get(&path).await.status,
            caller.patch(&path, &json!({"a": "b"})).await.status,
            caller.get("/users").await.status,
            caller.get(&format!("{path}/secrets")).await.status,
        ];
        assert_eq!(statuses, [read, write, users, secrets], "{scopes}");
        caller.get("/auth/me").await.ok(200);
    }
}

async fn a_limited_key_never_reaches_superadmins(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let owner = app.register().await;
    let (_, key) = make(&app, &json!({"name": "rules", "scopes": ["admin"]})).await;
    let limited = with_key(&app, &key);
    let new = |email: &str, account: &str| json!({"email": email, "password": PASSWORD, "account_id": account, "role": "user", "email_verified": true});
    let made = app
        .admin
        .post("/users", &new("second@example.com", &app.admin.account_id))
        .await
        .ok(201);
    assert_eq!(
        (&made["role"], &made["is_superadmin"]),
        (&json!("user"), &json!(true)),
        "and the answer says so"
    );
    let second = format!("/users/{}", made["id"].as_str().unwrap());
    for answer in [
        limited
            .post("/users", &new("third@example.com", &app.admin.account_id))
            .await,
        limited
            .patch(&second, &json!({"email": "mine@example.com"}))
            .await,
        limited
            .put(
                &format!("{second}/password"),
                &json!({"new_password": "Correct-Horse-43"}),
            )
            .await,
        limited.post(&format!("{second}/verify"), &json!({})).await,
        limited
            .post(&format!("{second}/resend-verification"), &json!({}))
            .await,
        limited.delete(&second).await,
        limited
            .post("/admin/api-keys", &json!({"name": "wider"}))
            .await,
        limited
            .post(
                "/admin/api-keys",
                &json!({"name": "wider", "scopes": ["records:secrets:read"]}),
            )
            .await,
        limited
            .post(
                "/admin/api-keys",
                &json!({"name": "wider", "scopes": ["admin", "records:secrets:read"]}),
            )
            .await,
    ] {
        answer.refused(403, "restricted");
    }
    // Users of other accounts are its business, and superadmins that of keys without limits.
    let colleague = limited
        .post("/users", &new("colleague@example.com", &owner.account_id))
        .await
        .ok(201);
    assert_eq!(colleague["is_superadmin"], false);
    let (_, key) = make(&app, &json!({"name": "all"})).await;
    with_key(&app, &key)
        .post("/users", &new("third@example.com", &app.admin.account_id))
        .await
        .ok(201);
}

async fn a_user_has_so_many_keys_and_no_more(backend: Backend) {
    let app = TestApp::spawn_with(backend, |config| config.auth.api_key_max_per_user = 3).await;
    let body = json!({"name": "one of many"});
    let made =
        futures_util::future::join_all((0..8).map(|_| app.admin.post("/admin/api-keys", &body)))
            .await;
    let mut statuses: Vec<u16> = made.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 201, 201, 400, 400, 400, 400, 400]);
    let one = made
        .iter()
        .find(|answer| answer.status == 201)
        .unwrap()
        .body["id"]
        .as_str()
        .unwrap()
        .to_owned();
    app.admin
        .delete(&format!("/admin/api-keys/{one}"))
        .await
        .ok(204);
    app.admin.post("/admin/api-keys", &body).await.ok(201);
    app.admin
        .post("/admin/api-keys", &body)
        .await
        .refused(400, "");
}

async fn using_a_key_is_noted(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let (id, key) = make(&app, &json!({"name": "used"})).await;
    let (unused, _) = make(&app, &json!({"name": "unused"})).await;
    with_key(&app, &key).get("/auth/me").await.ok(200);
    let last_use = async |id: &str| {
        app.admin
            .get(&format!("/admin/api-keys/{id}"))
            .await
            .ok(200)["last_used_at"]
            .as_str()
            .map(str::to_owned)
    };
    eventually("the use to be noted", async || {
        last_use(&id).await.is_some()
    })
    .await;
    // Not again within a minute.
    let noted = last_use(&id).await;
    with_key(&app, &key).get("/users").await.ok(200);
    assert_eq!(last_use(&id).await, noted);
    assert_eq!(last_use(&unused).await, None);
}

async fn bad_requests_make_no_keys(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let user = app.register().await;
    for (body, status) in [
        (json!({}), 422),
        (json!({"name": "ab"}), 422),
        (json!({"name": "a".repeat(101)}), 422),
        (json!({"name": "key", "expires_at": "tomorrow"}), 422),
        (
            json!({"name": "key", "expires_at": "+262142-12-31T23:59:59Z"}),
            422,
        ),
        (json!({"name": "key", "scopes": ["everything"]}), 422),
        (json!({"name": "key", "scopes": "records:read"}), 422),
        (json!({"name": "key", "role_id": "x"}), 422),
        (
            json!({"name": "key", "role_id": 99, "account_id": user.account_id}),
            404,
        ),
        (json!({"name": "key", "account_id": "nowhere"}), 404),
        (json!({"name": "key", "role": "user"}), 422),
        (json!({"name": "key", "role_id": 1}), 422),
        (
            json!({"name": "key", "role": "user", "account_id": "system"}),
            422,
        ),
    ] {
        app.admin
            .post("/admin/api-keys", &body)
            .await
            .refused(status, "");
    }
    user.post("/admin/api-keys", &json!({"name": "key"}))
        .await
        .refused(403, "");
    user.get("/admin/api-keys").await.refused(403, "");
    app.anonymous()
        .get("/admin/api-keys")
        .await
        .refused(401, "");
    assert_eq!(app.admin.get("/admin/api-keys").await.ok(200)["total"], 0);
    let zoned = json!({"name": "key", "expires_at": "2030-01-01T02:00:00+02:00"});
    let local = json!({"name": "key", "expires_at": "2030-01-01T00:00:00"});
    for body in [zoned, local] {
        let made = app.admin.post("/admin/api-keys", &body).await.ok(201);
        assert_eq!(made["expires_at"], "2030-01-01T00:00:00.000Z");
    }
}
