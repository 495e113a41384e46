use serde_json::{Value, json};

use crate::harness::{Backend, PASSWORD, TestApp, soon};

crate::both![
    registering_makes_an_account_with_its_admin,
    problems_are_found_in_a_fixed_order,
    passwords_are_strong_and_every_weakness_is_named,
    of_many_who_want_one_slug_exactly_one_gets_it,
    in_single_tenant_mode_everyone_joins_one_account,
    registrations_are_throttled,
];

fn body(email: &str, slug: &str) -> Value {
    json!({"email": email, "password": PASSWORD, "account_name": "Acme Corp", "account_slug": slug})
}

async fn registering_makes_an_account_with_its_admin(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let answer = app
        .anonymous()
        .post("/auth/register", &body("Ann@Example.com", "ACME"))
        .await
        .ok(201);
    assert!(
        answer["message"].is_string() && answer["token"].is_null(),
        "{answer}"
    );
    assert_eq!(
        (&answer["account"]["slug"], &answer["account"]["name"]),
        (&json!("acme"), &json!("Acme Corp"))
    );
    assert_eq!(answer["account"]["account_code"], "AA0001");
    assert_eq!(
        (&answer["user"]["email"], &answer["user"]["role"]),
        (&json!("ann@example.com"), &json!("admin"))
    );
    assert_eq!(answer["user"]["account_id"], answer["account"]["id"]);
    assert!(!answer.to_string().contains("password"), "{answer}");
    // Without a slug one is made of the name.
    let unnamed =
        json!({"email": "bob@example.com", "password": PASSWORD, "account_name": "Ünïcode Café"});
    let answer = app
        .anonymous()
        .post("/auth/register", &unnamed)
        .await
        .ok(201);
    assert_eq!(
        (
            &answer["account"]["slug"],
            &answer["account"]["account_code"]
        ),
        (&json!("unicode-cafe"), &json!("AA0002"))
    );
    // The same address may have many accounts, but a slug has one.
    let refusal = app
        .anonymous()
        .post("/auth/register", &body("ann@example.com", "acme"))
        .await
        .refused(409, "");
    assert_eq!(
        (&refusal["error"], &refusal["field"]),
        (&json!("Conflict"), &json!("account_slug"))
    );
    app.anonymous()
        .post("/auth/register", &body("ann@example.com", "acme2"))
        .await
        .ok(201);
}

async fn problems_are_found_in_a_fixed_order(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let post = async |change: &[(&str, Value)]| {
        let mut request = body("ann@example.com", "acme");
        for (key, value) in change {
            request[*key] = value.clone();
        }
        app.anonymous().post("/auth/register", &request).await
    };
    for (key, wrong) in [
        ("email", json!("nonsense")),
        ("email", Value::Null),
        ("email", json!("a@b@c.de")),
        ("password", json!("")),
        ("password", json!(5)),
        ("account_slug", json!("ab")),
        ("account_slug", json!("a".repeat(33))),
        ("account_name", json!("a".repeat(256))),
    ] {
        post(&[(key, wrong.clone()), ("password", wrong)])
            .await
            .refused(422, "");
    }
    let weak = ("password", json!("short"));
    let refusal = post(&[weak, ("account_slug", json!("1abc"))])
        .await
        .refused(400, "");
    assert_eq!(refusal["details"][0]["field"], "password");
    post(&[("account_name", Value::Null)])
        .await
        .problems(&[("account_name", "required")]);
    post(&[("account_slug", json!("1abc"))])
        .await
        .problems(&[("account_slug", "slug_invalid_start")]);
    for code in ["aa0001", "SY0000", " zz9999 "] {
        post(&[("account_slug", json!(code))])
            .await
            .problems(&[("account_slug", "slug_reserved")]);
    }
    post(&[("account_slug", json!("a_bc"))])
        .await
        .problems(&[("account_slug", "slug_invalid_chars")]);
    assert_eq!(
        app.admin.get("/accounts").await.ok(200)["total"],
        1,
        "only the system account"
    );
}

async fn passwords_are_strong_and_every_weakness_is_named(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let cases: &[(&str, &[&str])] = &[
        (
            "short",
            &[
                "password_too_short",
                "password_no_uppercase",
                "password_no_digit",
                "password_no_special",
            ],
        ),
        ("NoSpecial1234", &["password_no_special"]),
        ("Valid Pass 123", &["password_no_special"]),
        ("ALLUPPERCASE123!", &["password_no_lowercase"]),
    ];
    for (password, codes) in cases {
        let mut request = body("ann@example.com", "acme");
        request["password"] = json!(password);
        let problems: Vec<(&str, &str)> = codes.iter().map(|code| ("password", *code)).collect();
        app.anonymous()
            .post("/auth/register", &request)
            .await
            .problems(&problems);
    }
}

async fn of_many_who_want_one_slug_exactly_one_gets_it(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let registrations = (0..8).map(|index| {
        let (client, slug) = (
            app.anonymous(),
            if index < 4 {
                "wanted".to_owned()
            } else {
                format!("own-{index}")
            },
        );
        async move {
            client
                .post(
                    "/auth/register",
                    &body(&format!("user{index}@example.com"), &slug),
                )
                .await
                .status
        }
    });
    let statuses = soon("the race", futures_util::future::join_all(registrations)).await;
    let mut wanted = statuses[..4].to_vec();
    wanted.sort_unstable();
    assert_eq!(
        (wanted, &statuses[4..]),
        (vec![201, 409, 409, 409], &[201; 4][..])
    );
    let accounts = app.admin.get("/accounts").await.ok(200);
    let mut codes: Vec<&str> = accounts["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|a| a["account_code"].as_str().unwrap())
        .collect();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), 6, "every account has a code of its own");
}

async fn in_single_tenant_mode_everyone_joins_one_account(backend: Backend) {
    let app = TestApp::spawn_with(backend, |config| {
        config.auth.single_tenant_mode = true;
        config.auth.single_tenant_account = "acme".into();
        config.auth.single_tenant_account_name = "Acme".into();
    })
    .await;
    let anonymous = app.anonymous();
    let request = json!({"email": "ann@example.com", "password": PASSWORD});
    let answer = anonymous.post("/auth/register", &request).await.ok(201);
    assert_eq!(
        (&answer["account"]["slug"], &answer["user"]["role"]),
        (&json!("acme"), &json!("user"))
    );
    let refusal = anonymous
        .post("/auth/register", &request)
        .await
        .refused(409, "");
    assert_eq!(refusal["field"], "email");
    let session = anonymous.post("/auth/login", &request).await.ok(200);
    assert_eq!(session["user"]["groups"], json!([]));
}

async fn registrations_are_throttled(backend: Backend) {
    let app = TestApp::spawn_with(backend, |config| {
        config.limits.registrations_per_address = 3;
    })
    .await;
    for index in 0..3 {
        let request = body(
            &format!("user{index}@example.com"),
            &format!("slug-{index}"),
        );
        app.anonymous()
            .post("/auth/register", &request)
            .await
            .ok(201);
    }
    let answer = app
        .anonymous()
        .post("/auth/register", &body("last@example.com", "last"))
        .await;
    let wait: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!(wait >= 1);
    assert!(
        answer.refused(429, "")["retryAfter"]
            .as_u64()
            .is_some_and(|wait| wait >= 1)
    );
}
