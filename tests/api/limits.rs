//! How much somebody may ask for: rates, slow connections, plain HTTP, and whose address counts.

use reqwest::Method;
use serde_json::json;
use snackbase::config::{Config, Environment};
use tokio::net::TcpStream;

use crate::harness::{Answer, Backend, PASSWORD, Sse, TestApp, eventually, raw};

crate::both![
    whoever_asks_too_often_is_refused_until_there_is_a_token_again,
    every_user_has_a_bucket_and_superadmins_need_none,
    a_path_can_have_a_rate_of_its_own_in_a_bucket_of_its_own,
    requests_to_other_paths_do_not_fill_the_bucket_of_a_path,
    no_spelling_of_a_path_goes_around_its_bucket,
    a_refusal_can_be_read_by_pages_of_other_origins,
    nothing_is_counted_unless_it_is_switched_on,
    a_trusted_proxy_names_the_address_that_counts,
    in_production_plain_http_leads_to_https,
    security_headers_are_on_every_answer_and_can_be_changed,
    a_client_that_sends_no_whole_head_is_cut_off,
    silent_sockets_of_one_address_make_room_for_its_requests,
    an_address_has_so_many_connections_and_no_more,
    behind_a_proxy_the_requests_under_way_of_a_client_are_counted,
    streams_that_nobody_speaks_for_are_limited_for_an_address,
];

/// One token a minute: within a test none comes back.
fn slow(config: &mut Config, burst: u32) {
    config.limits.rate_limit_enabled = true;
    config.limits.rate_limit_per_minute = 1;
    config.limits.rate_limit_authenticated_per_minute = 2;
    config.limits.rate_limit_burst = burst;
}

fn number(answer: &Answer, header: &str) -> u64 {
    answer
        .header(header)
        .unwrap_or_else(|| panic!("no {header}"))
        .parse()
        .unwrap()
}

async fn whoever_asks_too_often_is_refused_until_there_is_a_token_again(backend: Backend) {
    // The superadmin's sign-in takes the first token of this address.
    let app = TestApp::spawn_with(backend, |config| slow(config, 4)).await;
    let anonymous = app.anonymous();
    for left in [2, 1, 0] {
        let answer = anonymous.get("/setup").await;
        assert_eq!(answer.status, 200);
        assert_eq!(
            (
                number(&answer, "x-ratelimit-limit"),
                number(&answer, "x-ratelimit-remaining")
            ),
            (1, left)
        );
        assert!((60..=240).contains(&number(&answer, "x-ratelimit-reset")));
    }
    for _ in 0..2 {
        let refused = anonymous.get("/setup").await;
        let (wait, reset) = (
            number(&refused, "retry-after"),
            number(&refused, "x-ratelimit-reset"),
        );
        assert!((1..=60).contains(&wait) && reset > wait, "{wait} {reset}");
        assert_eq!(number(&refused, "x-ratelimit-remaining"), 0);
        assert!(
            refused.header("x-correlation-id").is_some()
                && refused.header("x-frame-options").is_some()
        );
        let body = refused.refused(429, &format!("{wait} seconds"));
        assert_eq!(
            (&body["error"], &body["retryAfter"]),
            (&json!("Too Many Requests"), &json!(wait))
        );
        assert!(body["detail"].is_string());
    }
    // Whether the server is there can be asked at any time; and pages have many parts.
    for path in ["//health", "//ready", "//live", "//metrics", "//admin/"] {
        let answer = anonymous.get(path).await;
        assert!(
            answer.status != 429 && answer.header("x-ratelimit-limit").is_none(),
            "{path}"
        );
    }
    let again = TestApp::spawn_with(backend, |config| {
        slow(config, 1);
        config.limits.rate_limit_per_minute = 60_000;
    });
    // A thousand a second: there is always one again.
    again.await.anonymous().get("/setup").await.ok(200);
}

async fn every_user_has_a_bucket_and_superadmins_need_none(backend: Backend) {
    let app = TestApp::spawn_with(backend, |config| slow(config, 6)).await;
    let (ann, bob) = (app.register().await, app.register().await);
    for left in (0..6).rev() {
        let answer = ann.get("/auth/me").await;
        assert_eq!(
            (answer.status, number(&answer, "x-ratelimit-remaining")),
            (200, left)
        );
        assert_eq!(number(&answer, "x-ratelimit-limit"), 2);
    }
    ann.get("/auth/me").await.refused(429, "");
    bob.get("/auth/me").await.ok(200);
    // Credentials that are not valid are no way around it: they count for the address.
    for token in ["x", "y"] {
        let stranger = app
            .anonymous()
            .with_header("authorization", &format!("Bearer {token}"));
        assert!([401, 429].contains(&stranger.get("/auth/me").await.status));
    }
    app.anonymous().get("/setup").await.refused(429, "");
    for _ in 0..10 {
        let answer = app.admin.get("/users").await;
        assert_eq!(
            (answer.status, answer.header("x-ratelimit-limit")),
            (200, None)
        );
    }
}

async fn a_path_can_have_a_rate_of_its_own_in_a_bucket_of_its_own(backend: Backend) {
    let app = TestApp::spawn_with(backend, |config| {
        slow(config, 5);
        config.limits.rate_limit_per_minute = 3;
        config.limits.rate_limit_endpoints =
            [("/api/v1/setup".to_owned(), 7), ("/api/v1".to_owned(), 2)].into();
    })
    .await;
    let limits = |answer: &Answer| {
        (
            number(answer, "x-ratelimit-limit"),
            number(answer, "x-ratelimit-remaining"),
        )
    };
    // A higher number: only its own bucket counts.
    assert_eq!(limits(&app.anonymous().get("/setup/").await), (7, 4));
    // A lower one: both count. The sign-in of the superadmin took a token of the usual one.
    assert_eq!(limits(&app.anonymous().get("//api/v1").await), (3, 3));
    assert_eq!(limits(&app.anonymous().get("/nowhere").await), (3, 2));
    assert_eq!(limits(&app.anonymous().get("//api/v1").await), (3, 1));
    // A refusal takes from neither.
    app.anonymous().get("/nowhere").await;
    for _ in 0..3 {
        assert_eq!(app.anonymous().get("//api/v1").await.status, 429);
    }
    assert_eq!(limits(&app.anonymous().get("/setup").await), (7, 3));
}

async fn requests_to_other_paths_do_not_fill_the_bucket_of_a_path(backend: Backend) {
    let app = TestApp::spawn_with(backend, |config| {
        slow(config, 3);
        config.limits.rate_limit_per_minute = 60_000_000;
        config.limits.rate_limit_authenticated_per_minute = 60_000_000;
        config.limits.rate_limit_endpoints = [("/api/v1/setup".to_owned(), 1)].into();
    })
    .await;
    let mut let_in = 0;
    for _ in 0..20 {
        app.anonymous().get("//api/v1").await.ok(200);
        let_in += u32::from(app.anonymous().get("/setup").await.status == 200);
    }
    assert_eq!(let_in, 3);
    // Everybody has one.
    let user = app.register().await;
    user.get("/setup").await.ok(200);
}

async fn no_spelling_of_a_path_goes_around_its_bucket(backend: Backend) {
    let app = TestApp::spawn_with(backend, |config| {
        slow(config, 4);
        config.limits.rate_limit_authenticated_per_minute = 60_000_000;
        config.limits.rate_limit_endpoints = [
            ("/api/v1/records/Posts".to_owned(), 1),
            ("/api/v1/users/{id}".to_owned(), 1),
        ]
        .into();
    })
    .await;
    let user = app.register().await;
    let spellings = [
        "/records/posts",
        "/records/p%6fsts/",
        "/records/POSTS?limit=1",
        "/records/%70osts",
        "/records/posts",
    ];
    for (round, path) in spellings.into_iter().enumerate() {
        assert_eq!(user.get(path).await.status == 429, round == 4, "{path}");
    }
    for round in 0..5 {
        assert_eq!(
            user.get(&format!("/users/{round}")).await.status == 429,
            round == 4,
            "{round}"
        );
    }
}

async fn a_refusal_can_be_read_by_pages_of_other_origins(backend: Backend) {
    let app = TestApp::spawn_with(backend, |config| {
        slow(config, 1);
        config.cors.origins = vec!["https://app.example.com".into()];
    })
    .await;
    let page = app
        .anonymous()
        .with_header("origin", "https://app.example.com");
    let refused = page.get("/setup").await;
    assert_eq!(refused.status, 429);
    assert_eq!(
        refused.header("access-control-allow-origin"),
        Some("https://app.example.com")
    );
    let exposed = refused
        .header("access-control-expose-headers")
        .unwrap()
        .to_lowercase();
    for name in [
        "retry-after",
        "x-ratelimit-limit",
        "x-ratelimit-remaining",
        "x-ratelimit-reset",
    ] {
        assert!(exposed.contains(name), "{exposed}");
    }
    // The question whether it may ask is never refused.
    let preflight = page
        .request(Method::OPTIONS, "/setup")
        .header("access-control-request-method", "GET");
    assert_eq!(page.send(preflight).await.status, 200);
}

async fn nothing_is_counted_unless_it_is_switched_on(backend: Backend) {
    let app = TestApp::spawn_with(backend, |config| {
        slow(config, 1);
        config.limits.rate_limit_enabled = false;
    })
    .await;
    for _ in 0..5 {
        let answer = app.anonymous().get("/setup").await;
        assert_eq!(
            (answer.status, answer.header("x-ratelimit-limit")),
            (200, None)
        );
    }
}

async fn a_trusted_proxy_names_the_address_that_counts(backend: Backend) {
    for trusted in [true, false] {
        let app = TestApp::spawn_with(backend, |config| {
            slow(config, 2);
            config.server.trust_proxy = trusted;
            config.realtime.max_connections_per_address = 1;
        })
        .await;
        let from = |addresses: &str| app.anonymous().with_header("x-forwarded-for", addresses);
        // What stands before the proxy's own word, anybody could have written.
        let first = from("203.0.113.9, 192.0.2.1");
        first.get("/setup").await.ok(200);
        let second = from("203.0.113.8, 192.0.2.1:4711").get("/setup").await;
        assert_eq!(second.status, if trusted { 200 } else { 429 });
        assert_eq!(from("192.0.2.1").get("/setup").await.status, 429);
        assert_eq!(
            from("192.0.2.2").get("/setup").await.status,
            if trusted { 200 } else { 429 }
        );
        // Realtime connections are counted for the same address.
        let watcher = |address: &str| app.admin.with_header("x-forwarded-for", address);
        let _open = Sse::open(&watcher("192.0.2.1"), "").await;
        let another = watcher("192.0.2.2")
            .request(Method::GET, "/realtime/subscribe")
            .send()
            .await
            .unwrap();
        assert_eq!(another.status().as_u16(), if trusted { 200 } else { 429 });
    }
}

async fn in_production_plain_http_leads_to_https(backend: Backend) {
    let production = |config: &mut Config| {
        config.server.environment = Environment::Production;
        config.server.external_url = "https://api.example.com/base/".into();
        config.security.https_redirect_enabled = true;
    };
    let app = TestApp::spawn_with(backend, |config| {
        production(config);
        config.server.trust_proxy = true;
    })
    .await;
    let plain = app
        .anonymous()
        .with_header("x-forwarded-proto", "http")
        .with_header("host", "evil.example.com");
    let answer = plain.get("/setup?x=1").await;
    let target = "https://api.example.com/api/v1/setup?x=1";
    assert_eq!(
        (answer.status, answer.header("location")),
        (301, Some(target))
    );
    let login = json!({"account": "system", "email": "root@example.com", "password": PASSWORD});
    assert_eq!(plain.post("/auth/login", &login).await.status, 308);
    app.anonymous()
        .with_header("x-forwarded-proto", "https")
        .get("/setup")
        .await
        .ok(200);
    // Without a proxy nobody can tell, and health checks come from near.
    app.anonymous().get("/setup").await.ok(200);
    let unknown = TestApp::spawn_with(backend, production).await;
    unknown
        .anonymous()
        .with_header("x-forwarded-proto", "http")
        .get("/setup")
        .await
        .ok(200);
    let elsewhere = TestApp::spawn_with(backend, |config| {
        config.security.https_redirect_enabled = true;
        config.server.trust_proxy = true;
    });
    elsewhere
        .await
        .anonymous()
        .with_header("x-forwarded-proto", "http")
        .get("/setup")
        .await
        .ok(200);
}

async fn security_headers_are_on_every_answer_and_can_be_changed(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    for path in ["//health", "/nowhere", "/users", "//admin/"] {
        let answer = app.anonymous().get(path).await;
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("x-xss-protection", "1; mode=block"),
            ("referrer-policy", "strict-origin-when-cross-origin"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{path}");
        }
        let policy = answer.header("content-security-policy").unwrap();
        assert!(
            policy.contains("default-src 'self'") && policy.contains("frame-ancestors 'none'"),
            "{path}"
        );
        assert!(
            answer
                .header("permissions-policy")
                .unwrap()
                .contains("camera=()"),
            "{path}"
        );
        assert_eq!(answer.header("strict-transport-security"), None, "{path}");
    }
    let other = TestApp::spawn_with(backend, |config| {
        config.server.environment = Environment::Production;
        config.security.hsts_max_age = 60;
        config.security.csp_policy = "default-src 'none'".into();
        config.security.permissions_policy = "camera=(self)".into();
    })
    .await;
    let answer = other.anonymous().get("//health").await;
    assert_eq!(
        answer.header("strict-transport-security"),
        Some("max-age=60; includeSubDomains")
    );
    assert_eq!(
        answer.header("content-security-policy"),
        Some("default-src 'none'")
    );
    assert_eq!(answer.header("permissions-policy"), Some("camera=(self)"));
    let none = TestApp::spawn_with(backend, |config| config.security.headers_enabled = false).await;
    assert_eq!(
        none.anonymous()
            .get("//health")
            .await
            .header("x-frame-options"),
        None
    );
}

async fn a_client_that_sends_no_whole_head_is_cut_off(backend: Backend) {
    let app = TestApp::spawn_with(backend, |config| config.limits.header_timeout_seconds = 1).await;
    for beginning in [
        &b"GET /health HTTP/1.1\r\nhost: lo"[..],
        b"",
        b"GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n",
    ] {
        // Reads until the server hangs up, which it must within the patience of the tests.
        let (status, _) = raw::exchange(&app.base, beginning).await;
        assert_eq!(
            status,
            if beginning.ends_with(b"\r\n\r\n") {
                200
            } else {
                0
            }
        );
    }
    app.anonymous().get("//health").await.ok(200);
}

async fn silent_sockets_of_one_address_make_room_for_its_requests(backend: Backend) {
    let app = TestApp::spawn_with(backend, |config| {
        config.limits.max_idle_connections_per_address = 5;
    })
    .await;
    let mut silent = Vec::new();
    for _ in 0..20 {
        silent.push(
            TcpStream::connect(app.base.trim_start_matches("http://"))
                .await
                .unwrap(),
        );
    }
    let is_closed = |socket: &&TcpStream| match socket.try_read(&mut [0]) {
        Ok(read) => read == 0,
        Err(error) => error.kind() != std::io::ErrorKind::WouldBlock,
    };
    eventually("all but five to be closed", async || {
        silent.iter().filter(is_closed).count() >= 15
    })
    .await;
    app.anonymous().get("//health").await.ok(200);
    // What is under way is not silent.
    let mut streams = Vec::new();
    for _ in 0..10 {
        streams.push(Sse::open(&app.admin, "").await);
    }
    app.anonymous().get("//health").await.ok(200);
    app.collection("posts", &json!([{"name": "a", "type": "text"}]), &json!({}))
        .await;
}

async fn an_address_has_so_many_connections_and_no_more(backend: Backend) {
    let app = TestApp::spawn_with(backend, |config| {
        config.limits.max_connections_per_address = 4;
    })
    .await;
    let mut streams = Vec::new();
    for _ in 0..4 {
        streams.push(Sse::open(&app.admin, "").await);
    }
    let head = b"GET /health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    assert!([503, 0].contains(&raw::exchange(&app.base, head).await.0));
    streams.pop();
    eventually("room for another", async || {
        raw::exchange(&app.base, head).await.0 == 200
    })
    .await;
}

async fn behind_a_proxy_the_requests_under_way_of_a_client_are_counted(backend: Backend) {
    let app = TestApp::spawn_with(backend, |config| {
        config.server.trust_proxy = true;
        config.limits.max_connections_per_address = 2;
    })
    .await;
    let from = |address: &str| app.admin.with_header("x-forwarded-for", address);
    let mut streams = Vec::new();
    for _ in 0..2 {
        streams.push(Sse::open(&from("192.0.2.1"), "").await);
    }
    from("192.0.2.1").get("/users").await.refused(429, "");
    from("192.0.2.2").get("/users").await.ok(200);
    streams.pop();
    eventually("a request to have ended", async || {
        from("192.0.2.1").get("/users").await.status == 200
    })
    .await;
}

async fn streams_that_nobody_speaks_for_are_limited_for_an_address(backend: Backend) {
    let app = TestApp::spawn_with(backend, |config| config.server.trust_proxy = true).await;
    let open = async |address: &str| {
        let client = app.anonymous().with_header("x-forwarded-for", address);
        client
            .request(Method::GET, "//api/realtime")
            .send()
            .await
            .unwrap()
    };
    let mut streams = Vec::new();
    for _ in 0..100 {
        let stream = open("192.0.2.1").await;
        assert_eq!(stream.status(), 200);
        streams.push(stream);
    }
    assert_eq!(open("192.0.2.1").await.status(), 429);
    assert_eq!(open("192.0.2.2").await.status(), 200);
    streams.pop();
    eventually("a stream to have ended", async || {
        open("192.0.2.1").await.status() == 200
    })
    .await;
}
