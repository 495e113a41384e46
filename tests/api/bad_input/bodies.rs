use serde_json::{Value, json};

use super::{healthy, post, start};
use crate::harness::{Backend, open, raw};

crate::both![
    bodies_that_are_no_json_are_refused,
    a_body_may_be_left_out_but_not_be_blank,
    deep_and_huge_bodies_are_refused,
    numbers_beyond_every_range_are_refused,
    every_place_that_does_not_fit_is_named,
];

async fn bodies_that_are_no_json_are_refused(backend: Backend) {
    let (app, user) = start(backend).await;
    let bodies: &[&[u8]] = &[
        b"",
        b"{",
        b"}",
        b"nonsense",
        b"{\"text\":}",
        b"{\"text\" \"a\"}",
        b"\xff\xfe",
        b"{\"text\":\"\xff\"}",
        b"\0",
        b"{\"text\":\"a\0b\"}",
        b"{\"text\":\"\\ud800\"}",
        b"{\"text\":\"\\udc00\\ud800\"}",
        b"{\"text\":\"\\u12\"}",
        b"{\"\\ud800\":1}",
        b"[1,2",
        b"{\"n\":1e400}",
        b"{\"n\":-1e400}",
        b"{\"n\":NaN}",
        b"{\"n\":Infinity}",
        b"{\"n\":01}",
        b"{\"n\":1} trailing",
        b"\xef\xbb\xbf{}",
        b"{\"text\":'a'}",
        b"true",
        b"12",
        b"\"\"",
        b"[]",
        b"[{}]",
    ];
    for body in bodies {
        let answer = post(&user, body.to_vec()).await;
        assert_eq!(
            answer.status,
            422,
            "{}: {}",
            String::from_utf8_lossy(body),
            answer.text
        );
        answer.refused(422, "");
    }
    healthy(&app, &user).await;
}

async fn a_body_may_be_left_out_but_not_be_blank(backend: Backend) {
    let (app, user) = start(backend).await;
    let optional = [
        "/realtime/ticket",
        "/auth/resend-verification",
        "/auth/logout",
    ];
    for path in optional.map(|path| format!("/api/v1{path}")) {
        let header = format!(
            "authorization: Bearer {}\r\ncontent-type: application/json\r\n",
            user.token
        );
        let send = async |body| {
            raw::request(&app.base, "POST", path.as_bytes(), header.as_bytes(), body).await
        };
        let (status, text) = send(b"\t").await;
        assert_eq!(status, 422, "{path}: {text}");
        let (status, text) = send(b"").await;
        assert_ne!(status, 422, "{path}: {text}");
    }
}

async fn every_place_that_does_not_fit_is_named(backend: Backend) {
    let (app, user) = start(backend).await;
    let (anonymous, admin) = (app.anonymous(), &app.admin);
    let account = json!(user.account_id);
    for (answer, expected) in [
        (anonymous.post("/auth/register", &json!({})).await, vec!["email missing", "password missing"]),
        (
            anonymous.post("/auth/register", &json!({"email": 1, "account_name": [], "account_slug": "ab"})).await,
            vec!["account_name string_type", "email string_type", "password missing"],
        ),
        (
            anonymous
                .post(
                    "/auth/register",
                    &json!({"email": "x", "password": "", "account_name": "", "account_slug": "a".repeat(33)}),
                )
                .await,
            vec![
                "account_name string_too_short",
                "account_slug string_too_long",
                "email value_error",
                "password string_too_short",
            ],
        ),
        (
            anonymous.post("/auth/login", &json!({"account": 7})).await,
            vec!["account string_type", "email missing", "password missing"],
        ),
        (
            anonymous.post("/auth/login", &json!({"account": "", "email": "x", "password": "x"})).await,
            vec!["account string_too_short", "email value_error"],
        ),
        (anonymous.post("/auth/refresh", &json!({"refresh_token": ""})).await, vec!["refresh_token string_too_short"]),
        (
            admin.post("/users", &json!({"email": "x", "password": "x", "account_id": "7"})).await,
            vec!["account_id uuid_parsing", "email value_error", "role_id missing"],
        ),
        (
            admin.post("/users", &json!({"account_id": account, "is_active": "yes", "role_id": "x"})).await,
            vec!["email missing", "is_active bool_type", "role_id int_type"],
        ),
        (
            admin.post("/admin/api-keys", &json!({"name": "x", "expires_at": "soon"})).await,
            vec!["expires_at datetime_parsing", "name string_too_short"],
        ),
        (
            user.post("/groups", &json!({"name": "", "description": "d".repeat(501)})).await,
            vec!["description string_too_long", "name string_too_short"],
        ),
        (admin.post("/collections", &json!({})).await, vec!["name missing", "schema missing"]),
        (
            admin.post("/macros", &json!({"name": "a\0b", "description": "\0"})).await,
            vec!["description value_error", "name value_error"],
        ),
    ] {
        let body = answer.refused(422, "");
        let problems = body["detail"].as_array().unwrap_or_else(|| panic!("no list in {body}"));
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let mut found: Vec<String> =
            problems.iter().map(|p| format!("{} {}", text(&p["loc"][1]), text(&p["type"]))).collect();
        found.sort_unstable();
        assert_eq!(found, expected, "{body}");
        for problem in problems {
            let key = text(&problem["loc"][1]);
            assert!(body["errors"][&key][0].is_string() && body["message"].as_str().unwrap().contains(&key), "{body}");
            assert!(problem.get("input").is_some() && problem["msg"].is_string(), "{body}");
        }
    }
    healthy(&app, &user).await;
}

async fn deep_and_huge_bodies_are_refused(backend: Backend) {
    let (app, user) = start(backend).await;
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        for depth in [1000, 10_000] {
            let deep = format!("{}1{}", open.repeat(depth), close.repeat(depth));
            post(&user, format!("{{\"j\":{deep}}}"))
                .await
                .refused(422, "");
            post(&user, deep.clone()).await.refused(422, "");
            let request = json!({"rule": deep, "operation": "list"});
            assert_eq!(
                app.admin.post("/rules/validate", &request).await.ok(200)["valid"],
                false
            );
        }
    }
    let huge = "x".repeat(250_000);
    post(&user, json!({"text": huge}).to_string())
        .await
        .refused(413, "");
    user.post(
        "/records/items/batch",
        &json!({"records": [{"text": huge}]}),
    )
    .await
    .refused(413, "");
    app.anonymous()
        .post(
            "/auth/login",
            &json!({"account": "x", "email": "x", "password": huge}),
        )
        .await
        .refused(413, "");
    // Many keys and long names.
    let many: Value = Value::Object(
        (0..5000)
            .map(|index| (format!("key{index}"), json!(index)))
            .collect(),
    );
    user.post("/records/items", &many).await.refused(400, "");
    user.post("/records/items", &json!({"k".repeat(100_000): 1}))
        .await
        .refused(400, "");
    healthy(&app, &user).await;
}

async fn numbers_beyond_every_range_are_refused(backend: Backend) {
    let (app, user) = start(backend).await;
    for number in [
        "1e400",
        "-1e400",
        &"9".repeat(400),
        &format!("1e{}", "9".repeat(50)),
    ] {
        let answer = post(&user, format!("{{\"n\":{number}}}")).await;
        assert!(
            [400, 422].contains(&answer.status),
            "{number}: {}",
            answer.text
        );
        let answer = post(&user, format!("{{\"j\":[{number}]}}")).await;
        assert!(answer.status < 500, "{number}: {}", answer.text);
        let answer = user
            .query("/records/items", &[("filter", &format!("n = {number}"))])
            .await;
        assert!(answer.status < 500, "{number}: {}", answer.text);
        for key in ["limit", "skip"] {
            user.query("/records/items", &[(key, number)])
                .await
                .refused(422, "");
        }
    }
    let size = json!({"filename": "a", "size": 1e300, "mime_type": "b", "path": "c"});
    app.collection("files", &json!([{"name": "f", "type": "file"}]), &open())
        .await;
    user.post("/records/files", &json!({"f": size}))
        .await
        .refused(400, "");
    healthy(&app, &user).await;
}
