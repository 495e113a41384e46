use serde_json::{Value, json};

use crate::harness::{Backend, PASSWORD, SUPERADMIN, TestApp, eventually};

crate::both![
    signing_in_answers_tokens_user_and_account,
    me_is_flat_and_nested,
    every_refused_sign_in_reads_the_same,
    failed_sign_ins_are_throttled,
    wrong_passwords_of_strangers_lock_nobody_out,
    sign_ins_that_succeed_count_and_the_oldest_session_ends,
    how_a_user_signs_in_is_told_to_nobody,
    a_refresh_token_is_exchanged_once,
    within_the_grace_a_refresh_token_counts_twice,
    a_stolen_refresh_token_ends_the_session,
    logging_out_ends_the_session_at_once,
    an_expired_token_is_no_token,
    tokens_of_other_kinds_are_refused,
    credentials_that_are_presented_must_be_valid,
];

async fn signing_in_answers_tokens_user_and_account(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let user = app.register().await;
    let me = user.get("/auth/me").await.ok(200);
    let code = me["account"]["account_code"].as_str().unwrap();
    for account in [
        &user.account_slug,
        code,
        &code.to_lowercase(),
        &user.account_id,
        &user.account_slug.to_uppercase(),
    ] {
        let request =
            json!({"account": account, "email": user.email.to_uppercase(), "password": PASSWORD});
        let session = app.anonymous().post("/auth/login", &request).await.ok(200);
        assert_eq!(session["expires_in"], 3600);
        assert!(session["token"].as_str().unwrap().starts_with("ey"));
        assert_ne!(session["token"], session["refresh_token"]);
        let expected = [
            ("id", json!(user.id)),
            ("email", json!(user.email)),
            ("role", json!("admin")),
            ("is_active", json!(true)),
            ("account_id", json!(user.account_id)),
            ("groups", json!(["pii_access"])),
            ("token_type", json!("jwt")),
        ];
        for (key, value) in expected {
            assert_eq!(session["user"][key], value, "{key}: {session}");
        }
        assert!(
            session["user"]["last_login"].is_string() && session["user"]["created_at"].is_string()
        );
        assert_eq!(
            (
                &session["account"]["slug"],
                &session["account"]["account_code"]
            ),
            (&json!(user.account_slug), &json!(code))
        );
    }
    let request = json!({"email": user.email, "password": PASSWORD});
    app.anonymous()
        .post("/auth/login", &request)
        .await
        .problems(&[("account", "required")]);
    app.anonymous().login("SY0000", SUPERADMIN, PASSWORD).await;
}

async fn me_is_flat_and_nested(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let user = app.register().await;
    let me = user.get("/auth/me").await.ok(200);
    for (key, value) in [
        ("user_id", &user.id),
        ("account_id", &user.account_id),
        ("email", &user.email),
    ] {
        assert_eq!(me[key], value.as_str(), "{key}");
    }
    assert_eq!(
        (&me["role"], &me["user"]["id"]),
        (&json!("admin"), &json!(user.id))
    );
    assert_eq!(
        (&me["account"]["id"], &me["account"]["slug"]),
        (&json!(user.account_id), &json!(user.account_slug))
    );
    assert_eq!(me["user"]["groups"], json!(["pii_access"]));
    app.anonymous().get("/auth/me").await.refused(401, "");
}

async fn every_refused_sign_in_reads_the_same(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let (user, inactive) = (app.register().await, app.register().await);
    app.admin
        .delete(&format!("/users/{}", inactive.id))
        .await
        .ok(204);
    let mut bodies = Vec::new();
    for (account, email, password) in [
        (
            user.account_slug.as_str(),
            user.email.as_str(),
            "Wrong-Horse-42!",
        ),
        (&user.account_slug, "nobody@example.com", PASSWORD),
        ("no-such-account", &user.email, PASSWORD),
        (&inactive.account_slug, &inactive.email, PASSWORD),
        (&user.account_slug, &user.email, "\0"),
    ] {
        let request = json!({"account": account, "email": email, "password": password});
        let answer = app.anonymous().post("/auth/login", &request).await;
        bodies.push(answer.text.clone());
        let refusal = answer.refused(401, "");
        assert_eq!(refusal["error"], "Authentication failed");
        let text = refusal.to_string().to_lowercase();
        assert!(
            !text.contains("email") && !text.contains("verify"),
            "clients take that for an unverified address: {text}"
        );
    }
    assert!(bodies.iter().all(|body| body == &bodies[0]), "{bodies:?}");
}

async fn failed_sign_ins_are_throttled(backend: Backend) {
    let app = TestApp::spawn_with(backend, |config| {
        config.limits.login_failures_per_identity = 3;
    })
    .await;
    let (user, other) = (app.register().await, app.register().await);
    let request = |password: &str| json!({"account": user.account_slug, "email": user.email, "password": password});
    for _ in 0..3 {
        app.anonymous()
            .post("/auth/login", &request("Wrong-Horse-42!"))
            .await
            .refused(401, "");
    }
    let answer = app
        .anonymous()
        .post("/auth/login", &request("Wrong-Horse-42!"))
        .await;
    assert!(
        answer
            .header("retry-after")
            .unwrap()
            .parse::<u64>()
            .unwrap()
            >= 1
    );
    answer.refused(429, "");
    // The user has signed in from here before, so the right password is found to be right; a wrong
    // one looks like before.
    app.anonymous()
        .post("/auth/login", &request("Wrong-Horse-43!"))
        .await
        .refused(429, "");
    app.anonymous()
        .post("/auth/login", &request(PASSWORD))
        .await
        .ok(200);
    // Nobody else suffers, and whoever is in stays in.
    app.anonymous()
        .login(&other.account_slug, &other.email, PASSWORD)
        .await;
    user.get("/auth/me").await.ok(200);
}

async fn wrong_passwords_of_strangers_lock_nobody_out(backend: Backend) {
    let app = TestApp::spawn_with(backend, |config| {
        config.server.trust_proxy = true;
        config.limits.login_failures_per_identity = 3;
    })
    .await;
    let user = app.register().await;
    let sign_in = async |from: &str, account: &str, email: &str, password: &str| {
        let body = json!({"account": account, "email": email, "password": password});
        app.anonymous()
            .with_header("x-forwarded-for", from)
            .post("/auth/login", &body)
            .await
            .status
    };
    for (account, email) in [
        (user.account_slug.as_str(), user.email.as_str()),
        ("system", SUPERADMIN),
    ] {
        let (home, stranger) = ("192.0.2.1", "198.51.100.7");
        assert_eq!(sign_in(home, account, email, PASSWORD).await, 200);
        for _ in 0..3 {
            assert_eq!(
                sign_in(stranger, account, email, "Wrong-Horse-42!").await,
                401
            );
        }
        for password in ["Wrong-Horse-42!", PASSWORD] {
            assert_eq!(
                sign_in(stranger, account, email, password).await,
                429,
                "a network that never signed in"
            );
        }
        assert_eq!(sign_in(home, account, email, PASSWORD).await, 200);
        assert_eq!(
            sign_in("203.0.113.5", account, email, PASSWORD).await,
            200,
            "somewhere else for the first time"
        );
        // Many networks: others wait for their turn, and get in.
        for network in 0..4 {
            for _ in 0..3 {
                sign_in(
                    &format!("198.51.100.{}", 10 + network),
                    account,
                    email,
                    "Wrong-Horse-42!",
                )
                .await;
            }
        }
        for from in [home, "203.0.113.99"] {
            assert_eq!(sign_in(from, account, email, PASSWORD).await, 200, "{from}");
        }
    }
}

async fn sign_ins_that_succeed_count_and_the_oldest_session_ends(backend: Backend) {
    let app = TestApp::spawn_with(backend, |config| {
        config.limits.sign_ins_per_identity = 5;
        config.auth.session_max_per_user = 2;
    })
    .await;
    let mut sessions = vec![app.register().await];
    for _ in 0..4 {
        let user = &sessions[0];
        sessions.push(
            app.anonymous()
                .login(&user.account_slug, &user.email, PASSWORD)
                .await,
        );
    }
    let (ended, open) = sessions.split_at(3);
    for session in ended {
        session.get("/auth/me").await.refused(401, "");
        refresh(&app, &session.refresh_token).await.refused(401, "");
    }
    for session in open {
        session.get("/auth/me").await.ok(200);
    }
    assert_eq!(open[0].get("/auth/sessions").await.ok(200)["total"], 2);
    let user = &sessions[0];
    let request = json!({"account": user.account_slug, "email": user.email, "password": PASSWORD});
    app.anonymous()
        .post("/auth/login", &request)
        .await
        .refused(429, "");
    // Others are not concerned, nor is who is in.
    app.register().await;
    refresh(&app, &open[1].refresh_token).await.ok(200);
}

async fn how_a_user_signs_in_is_told_to_nobody(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let user = app.register().await;
    let body = json!({"email": "sso@example.com", "account_id": user.account_id, "role_id": 2, "auth_provider": "oauth",
        "auth_provider_name": "google"});
    app.admin.post("/users", &body).await.ok(201);
    let refused = async |email: &str| {
        let request =
            json!({"account": user.account_slug, "email": email, "password": "Wrong-Horse-42!"});
        app.anonymous()
            .post("/auth/login", &request)
            .await
            .refused(401, "")
    };
    assert_eq!(
        refused("sso@example.com").await,
        refused("nobody@example.com").await
    );
    let trail = app
        .admin
        .get("/audit-logs?operation=LOGIN_FAILED")
        .await
        .ok(200);
    assert!(trail.to_string().contains("wrong_method"), "{trail}");
}

async fn refresh(app: &TestApp, token: &str) -> crate::harness::Answer {
    app.anonymous()
        .post("/auth/refresh", &json!({"refresh_token": token}))
        .await
}

async fn a_refresh_token_is_exchanged_once(backend: Backend) {
    let app = TestApp::spawn_with(backend, |config| config.auth.refresh_grace_seconds = 0).await;
    let user = app.register().await;
    let pair = refresh(&app, &user.refresh_token).await.ok(200);
    assert_eq!(pair["expires_in"], 3600);
    let renewed = app.anonymous().with_header(
        "authorization",
        &format!("Bearer {}", pair["token"].as_str().unwrap()),
    );
    assert_eq!(
        renewed.get("/auth/me").await.ok(200)["user_id"],
        user.id.as_str()
    );
    let refusal = refresh(&app, &user.refresh_token).await.refused(401, "");
    assert_eq!(refusal["error"], "Authentication failed");
    for wrong in ["", "nonsense", user.token.as_str()] {
        let answer = refresh(&app, wrong).await;
        assert!([401, 422].contains(&answer.status), "{}", answer.text);
    }
    app.anonymous()
        .post("/auth/refresh", &json!({}))
        .await
        .refused(422, "");
}

async fn within_the_grace_a_refresh_token_counts_twice(backend: Backend) {
    let app = TestApp::spawn_with(backend, |config| config.auth.refresh_grace_seconds = 60).await;
    let user = app.register().await;
    // Two tabs refresh at the same time; both go on, and so do their successors.
    let (one, two) = tokio::join!(
        refresh(&app, &user.refresh_token),
        refresh(&app, &user.refresh_token)
    );
    let (one, two) = (one.ok(200), two.ok(200));
    for pair in [&one, &two] {
        let client = app.anonymous().with_header(
            "authorization",
            &format!("Bearer {}", pair["token"].as_str().unwrap()),
        );
        client.get("/auth/me").await.ok(200);
    }
    // An expired access token beside it does not matter.
    let client = app
        .anonymous()
        .with_header("authorization", "Bearer expired");
    client
        .post(
            "/auth/refresh",
            &json!({"refresh_token": two["refresh_token"]}),
        )
        .await
        .ok(200);
}

async fn a_stolen_refresh_token_ends_the_session(backend: Backend) {
    let app = TestApp::spawn_with(backend, |config| config.auth.refresh_grace_seconds = 0).await;
    let user = app.register().await;
    let pair = refresh(&app, &user.refresh_token).await.ok(200);
    refresh(&app, &user.refresh_token).await.refused(401, "");
    refresh(&app, pair["refresh_token"].as_str().unwrap())
        .await
        .refused(401, "");
    let client = app.anonymous().with_header(
        "authorization",
        &format!("Bearer {}", pair["token"].as_str().unwrap()),
    );
    client.get("/auth/me").await.refused(401, "");
    // Another session of the user lives on.
    app.anonymous()
        .login(&user.account_slug, &user.email, PASSWORD)
        .await
        .get("/auth/me")
        .await
        .ok(200);
}

async fn logging_out_ends_the_session_at_once(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let user = app.register().await;
    let other = app
        .anonymous()
        .login(&user.account_slug, &user.email, PASSWORD)
        .await;
    user.get("/auth/me").await.ok(200);
    let answer = user.post("/auth/logout", &json!({})).await;
    assert!([200, 204].contains(&answer.status), "{}", answer.text);
    user.get("/auth/me").await.refused(401, "");
    refresh(&app, &user.refresh_token).await.refused(401, "");
    other.get("/auth/me").await.ok(200);
    // By the refresh token alone, and twice, and by nobody.
    let request = json!({"refresh_token": other.refresh_token});
    for _ in 0..2 {
        assert!([200, 204].contains(&app.anonymous().post("/auth/logout", &request).await.status));
    }
    other.get("/auth/me").await.refused(401, "");
    assert!(
        [200, 204].contains(
            &app.anonymous()
                .post("/auth/logout", &json!({}))
                .await
                .status
        )
    );
}

async fn an_expired_token_is_no_token(backend: Backend) {
    // Long enough for the superadmin to define a collection.
    let app = TestApp::spawn_with(backend, |config| config.auth.access_token_seconds = 3).await;
    app.collection(
        "posts",
        &json!([{"name": "a", "type": "text"}]),
        &json!({"list_rule": ""}),
    )
    .await;
    let user = app.register().await;
    eventually("the end of a token", async || {
        user.get("/auth/me").await.status == 401
    })
    .await;
    // Not even where nobody needs one.
    let answer = user
        .with_header("x-account-id", &user.account_slug)
        .get("/records/posts")
        .await;
    assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
    answer.refused(401, "");
    refresh(&app, &user.refresh_token).await.ok(200);
}

async fn tokens_of_other_kinds_are_refused(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let user = app.register().await;
    let (head, signature) = user.token.rsplit_once('.').unwrap();
    let (header, claims) = head.split_once('.').unwrap();
    // {"alg":"none"}
    let unsigned = format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{claims}.");
    let tampered = format!(
        "{header}.{}.{signature}",
        app.admin.token.split('.').nth(1).unwrap()
    );
    for token in [
        user.refresh_token.as_str(),
        &unsigned,
        &tampered,
        head,
        &format!("{head}.{signature}x"),
        "sb_ak.x.y",
        "sb_",
        ".",
    ] {
        let client = app
            .anonymous()
            .with_header("authorization", &format!("Bearer {token}"));
        client.get("/auth/me").await.refused(401, "");
    }
    for header in ["Basic abc", "Bearer", "Bearer ", "", user.token.as_str()] {
        app.anonymous()
            .with_header("authorization", header)
            .get("/auth/me")
            .await
            .refused(401, "");
    }
    let lower = app
        .anonymous()
        .with_header("authorization", &format!("bearer {}", user.token));
    lower.get("/auth/me").await.ok(200);
}

async fn credentials_that_are_presented_must_be_valid(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    app.collection(
        "posts",
        &json!([{"name": "a", "type": "text"}]),
        &json!({"list_rule": ""}),
    )
    .await;
    let user = app.register().await;
    let visitor = app.visitor_of(&user);
    visitor.get("/records/posts").await.ok(200);
    visitor
        .with_header("authorization", "Bearer bad")
        .get("/records/posts")
        .await
        .refused(401, "");
    visitor
        .with_header("x-api-key", "bad")
        .get("/records/posts")
        .await
        .refused(401, "");
    // Signing in needs none, so a bad one does not matter there.
    let request = json!({"account": user.account_slug, "email": user.email, "password": PASSWORD});
    let session = app
        .anonymous()
        .with_header("authorization", "Bearer bad")
        .post("/auth/login", &request)
        .await
        .ok(200);
    assert_ne!(session["token"], Value::Null);
}
