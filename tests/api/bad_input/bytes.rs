use reqwest::Method;
use serde_json::json;

use super::{healthy, start};
use crate::harness::{Backend, raw};

crate::both![
    bad_tokens_of_many_shapes_are_401,
    bytes_that_are_no_text_are_refused,
    texts_with_nul_are_refused_by_name,
    paths_that_are_no_text_are_refused_in_json,
];

async fn bad_tokens_of_many_shapes_are_401(backend: Backend) {
    let (app, user) = start(backend).await;
    let long = "x".repeat(7000);
    let dotted = ".".repeat(1000);
    let halves = user.token.split_once('.').unwrap();
    let tokens = [
        "x",
        "..",
        "a.b.c",
        "eyJ.eyJ.x",
        "null",
        "undefined",
        "\u{e9}",
        "sb_",
        "sb_ak.",
        "sb_ak..",
        "sb_ak.e30.e30",
        "sb_sk_AB1234_x",
        "sb_pt.a.b",
        "sb_ot.a.b",
        "sb_jwt.a.b",
        "' OR 1=1 --",
        "%00",
        "😀",
        &long,
        &dotted,
        halves.0,
        halves.1,
        &user.token[1..],
        &user.refresh_token,
    ];
    for token in tokens {
        let (method, body) = (Method::GET, Vec::new());
        for header in [
            format!("authorization: Bearer {token}\r\n"),
            format!("x-api-key: {token}\r\n"),
        ] {
            let (status, text) = raw::request(
                &app.base,
                method.as_str(),
                b"/api/v1/auth/me",
                header.as_bytes(),
                &body,
            )
            .await;
            assert_eq!(status, 401, "{header}: {text}");
        }
    }
    let (status, _) = raw::request(
        &app.base,
        "GET",
        b"/api/v1/auth/me",
        b"authorization: Bearer \xff\xfe\r\n",
        b"",
    )
    .await;
    assert_eq!(status, 401);
    healthy(&app, &user).await;
}

async fn bytes_that_are_no_text_are_refused(backend: Backend) {
    let (app, user) = start(backend).await;
    let token = format!("authorization: Bearer {}\r\n", user.token);
    let targets: &[&[u8]] = &[
        b"/api/v1/records/%ff",
        b"/api/v1/records/items/%ff%fe",
        b"/api/v1/records/%c3%28",
        b"/api/v1/collections/%ff",
        b"/api/v1/records/items?filter=%ff",
        b"/api/v1/records/items?%ff=1",
        b"/api/v1/records/items?cursor=%ff",
        b"/api/v1/records/items?limit=%ff",
        b"/api/v1/records/items?filter=%00",
        b"/api/v1/records/items?filter=%",
        b"/api/v1/records/\xff\xfe",
        b"/api/v1/records/items?filter=\xff",
        b"/%2e%2e/%2e%2e/etc/passwd",
        b"/admin/%2e%2e/%2e%2e/etc/passwd",
        b"*",
        b"//",
        b"/api/v1//records",
        b"http://[::1/x",
    ];
    for target in targets {
        let (status, text) = raw::request(&app.base, "GET", target, token.as_bytes(), b"").await;
        let shown = String::from_utf8_lossy(target);
        // Zero means that the server hung up.
        assert!(status < 500, "{shown}: {text}");
    }
    user.get("/realtime/subscribe?collection=%ff%00&collections=%ff:%00&since=%ff")
        .await
        .refused(400, "");
    let long = vec![b'a'; 100_000];
    let (status, _) = raw::request(
        &app.base,
        "GET",
        &[b"/".as_slice(), &long].concat(),
        b"",
        b"",
    )
    .await;
    assert!(status < 500);
    for garbage in [
        b"\0\0\0\0\r\n\r\n".as_slice(),
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"\x16\x03\x01\x02\x00",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ] {
        let (status, _) = raw::exchange(&app.base, &[garbage, b"\r\n\r\n"].concat()).await;
        assert!(status < 500);
    }
    healthy(&app, &user).await;
}

async fn texts_with_nul_are_refused_by_name(backend: Backend) {
    let (app, user) = start(backend).await;
    for (path, body, field) in [
        ("/accounts", json!({"name": "a\0b"}), "name"),
        (
            "/collections",
            json!({"name": "oth\0er", "fields": [{"name": "a", "type": "text"}]}),
            "name",
        ),
        (
            "/auth/login",
            json!({"account": "\0", "email": "a@example.com", "password": "x"}),
            "account",
        ),
        ("/rules/test", json!({"rule": "a = '\0'"}), "rule"),
    ] {
        let body = app.admin.post(path, &body).await.refused(422, "NUL");
        assert!(body["errors"][field][0].is_string(), "{body}");
    }
    user.post("/records/items", &json!({"text": "a\0"}))
        .await
        .problems(&[("text", "invalid_characters")]);
    for path in [
        "/users?search=%00",
        "/users?account_id=%00",
        "/accounts?search=%00",
        "/users/%00",
        "/accounts/%00/users",
    ] {
        let answer = app.admin.get(path).await;
        assert!(answer.status < 500, "{path}: {}", answer.text);
    }
    for path in [
        "/records/items/%00",
        "/records/items?filter=text+%3D+'%00'",
        "/records/items?filter=id+%3D+'%00'",
    ] {
        let answer = user.get(path).await;
        assert!(answer.status < 500, "{path}: {}", answer.text);
    }
    healthy(&app, &user).await;
}

async fn paths_that_are_no_text_are_refused_in_json(backend: Backend) {
    let (app, user) = start(backend).await;
    let token = format!("authorization: Bearer {}\r\n", user.token);
    for target in [
        b"/api/v1/records/%ff".as_slice(),
        b"/api/v1/records/items/%c3%28",
        b"/api/v1/auth/verify-reset-token/%ff",
    ] {
        let (status, text) = raw::request(&app.base, "GET", target, token.as_bytes(), b"").await;
        assert_eq!(status, 400, "{text}");
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.contains("application/json"), "{head}");
        let body: serde_json::Value = serde_json::from_str(body).unwrap();
        assert!(
            body["message"].is_string() && body["detail"].is_string(),
            "{body}"
        );
    }
    healthy(&app, &user).await;
}
