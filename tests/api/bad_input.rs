//! Whatever is sent: the answer is the client's fault, never the server's, and the server goes on.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Backend, Sse, TestApp, User, open, raw};

crate::both![
    bodies_that_are_no_json_are_refused,
    deep_and_huge_bodies_are_refused,
    hostile_filters_and_sorts_are_refused_or_harmless,
    hostile_texts_are_stored_as_they_are_or_refused,
    hostile_names_and_ids_are_refused,
    bad_tokens_of_many_shapes_are_401,
    bytes_that_are_no_text_are_refused,
    numbers_beyond_every_range_are_refused,
    no_route_fails_whatever_is_sent_to_it,
];

async fn start(backend: Backend) -> (TestApp, User) {
    let app = TestApp::spawn_with(backend, |config| config.limits.body_bytes = 200_000).await;
    let fields = json!([{"name": "text", "type": "text"}, {"name": "n", "type": "number"}, {"name": "j", "type": "json"}]);
    app.collection("items", &fields, &open()).await;
    let user = app.register().await;
    (app, user)
}

/// Bad requests must leave a server that serves.
async fn healthy(app: &TestApp, user: &User) {
    assert_eq!(app.anonymous().get("//ready").await.ok(200)["status"], "ready");
    let id = user.create_id("items", &json!({"text": "still here"})).await;
    user.get(&format!("/records/items/{id}")).await.ok(200);
}

async fn post(user: &User, body: impl Into<reqwest::Body>) -> crate::harness::Answer {
    let request = user.request(Method::POST, "/records/items").header("content-type", "application/json").body(body);
    user.send(request).await
}

async fn bodies_that_are_no_json_are_refused(backend: Backend) {
    let (app, user) = start(backend).await;
    let bodies: &[&[u8]] = &[
        b"", b"{", b"}", b"nonsense", b"{\"text\":}", b"{\"text\" \"a\"}", b"\xff\xfe", b"{\"text\":\"\xff\"}", b"\0",
        b"{\"text\":\"a\0b\"}", b"{\"text\":\"\\ud800\"}", b"{\"text\":\"\\udc00\\ud800\"}", b"{\"text\":\"\\u12\"}",
        b"{\"\\ud800\":1}", b"[1,2", b"{\"n\":1e400}", b"{\"n\":-1e400}", b"{\"n\":NaN}", b"{\"n\":Infinity}", b"{\"n\":01}",
        b"{\"n\":1} trailing", b"\xef\xbb\xbf{}", b"{\"text\":'a'}", b"true", b"12", b"\"\"", b"[]", b"[{}]",
    ];
    for body in bodies {
        let answer = post(&user, body.to_vec()).await;
        assert_eq!(answer.status, 422, "{}: {}", String::from_utf8_lossy(body), answer.text);
        answer.refused(422, "");
    }
    healthy(&app, &user).await;
}

async fn deep_and_huge_bodies_are_refused(backend: Backend) {
    let (app, user) = start(backend).await;
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        for depth in [1000, 10_000] {
            let deep = format!("{}1{}", open.repeat(depth), close.repeat(depth));
            post(&user, format!("{{\"j\":{deep}}}")).await.refused(422, "");
            post(&user, deep.clone()).await.refused(422, "");
            let request = json!({"rule": deep, "operation": "list"});
            assert_eq!(app.admin.post("/rules/validate", &request).await.ok(200)["valid"], false);
        }
    }
    let huge = "x".repeat(250_000);
    post(&user, json!({"text": huge}).to_string()).await.refused(413, "");
    user.post("/records/items/batch", &json!({"records": [{"text": huge}]})).await.refused(413, "");
    app.anonymous().post("/auth/login", &json!({"account": "x", "email": "x", "password": huge})).await.refused(413, "");
    // Many keys and long names.
    let many: Value = Value::Object((0..5000).map(|index| (format!("key{index}"), json!(index))).collect());
    user.post("/records/items", &many).await.refused(400, "");
    user.post("/records/items", &json!({"k".repeat(100_000): 1})).await.refused(400, "");
    healthy(&app, &user).await;
}

async fn hostile_filters_and_sorts_are_refused_or_harmless(backend: Backend) {
    let (app, user) = start(backend).await;
    user.create("items", &json!({"text": "a", "n": 1})).await;
    let refused = [
        "(".repeat(10_000),
        "!".repeat(10_000),
        "-".repeat(5000) + "1 = n",
        format!("{}n = 1{}", "(".repeat(5000), ")".repeat(5000)),
        "n = 1 && ".repeat(3000) + "n = 1",
        format!("text = '{}", "x".repeat(5000)),
        "text = '\0'".to_owned(),
        "\0".to_owned(),
        "n = 1; DROP TABLE col_items; --".to_owned(),
        "text = 'a' OR 1=1".to_owned(),
        "1 UNION SELECT password_hash FROM users".to_owned(),
        "text = (SELECT 1)".to_owned(),
        "n IN (SELECT 1)".to_owned(),
        "password_hash = 'x'".to_owned(),
        "users.email = 'x'".to_owned(),
        "r.text = 'a'".to_owned(),
        "text = 'a' /* */".to_owned(),
        "text = 'a' -- b".to_owned(),
        "n = 1e5".to_owned(),
        "n = 0x10".to_owned(),
        "tëxt = 'a'".to_owned(),
        "🥨".to_owned(),
        "text::int = 1".to_owned(),
        "$1 = 1".to_owned(),
        "? = 1".to_owned(),
        ":x = 1".to_owned(),
        "load_extension('x')".to_owned(),
        "pg_sleep(10)".to_owned(),
    ];
    for filter in &refused {
        let answer = user.query("/records/items", &[("filter", filter)]).await;
        let shown: String = filter.chars().take(50).collect();
        assert!([400, 414, 431].contains(&answer.status), "{shown}: {} {}", answer.status, answer.text);
    }
    let harmless = [
        ("text = '\\'; DROP TABLE col_items; --'", 0),
        ("text = '\" OR \"\"=\"'", 0),
        ("text ~ '%\\'%'", 0),
        ("n / 0 = 1", 0),
        ("n % 0 = 1", 0),
        ("n = 99999999999999999999999999999999999999", 0),
        ("n > 0.000000000000000000000000000000000001", 1),
        ("text ~ '%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%x'", 0),
        ("text ~ '\\'", 0),
        ("created_at > 'nonsense'", 0),
        ("text != '🥨\u{202e}'", 1),
    ];
    for (filter, total) in harmless {
        let answer = user.query("/records/items", &[("filter", filter)]).await;
        assert!(answer.status == 200 || answer.status == 400, "{filter}: {} {}", answer.status, answer.text);
        if answer.status == 200 {
            assert_eq!(answer.body["total"], total, "{filter}");
        }
    }
    for sort in ["text;DROP TABLE x", "(SELECT 1)", "r.text", "\0", "text DESC", "--", "+-text", "account_id", &"text,".repeat(1000)] {
        let answer = user.query("/records/items", &[("sort", sort)]).await;
        assert!((400..500).contains(&answer.status) || answer.status == 200, "{sort}: {} {}", answer.status, answer.text);
    }
    for (key, value) in [("fields", "\0"), ("fields", "text\"; DROP"), ("cursor", "\0"), ("cursor", "eyJ9"), ("skip", "\0"), ("expand", "x")] {
        let answer = user.query("/records/items", &[(key, value)]).await;
        assert!(answer.status < 500, "{key}={value}: {} {}", answer.status, answer.text);
    }
    healthy(&app, &user).await;
}

async fn hostile_texts_are_stored_as_they_are_or_refused(backend: Backend) {
    let (app, user) = start(backend).await;
    let texts = [
        "'; DROP TABLE col_items; --", "\" OR \"\"=\"", "\\", "\u{feff}", "\u{202e}abc", "\u{1}\u{7f}", "</script>", "{{x}}", "%s%n", "\r\n",
        "\u{10ffff}", "a\u{300}", "$1", "?", ":x", "NULL", "null",
    ];
    for text in texts {
        let created = user.create("items", &json!({"text": text, "j": {text: text}})).await;
        assert_eq!((&created["text"], &created["j"]), (&json!(text), &json!({text: text})));
        let fetched = user.get(&format!("/records/items/{}", created["id"].as_str().unwrap())).await.ok(200);
        assert_eq!(fetched, created);
    }
    for body in [json!({"text": "a\0"}), json!({"j": "a\0"}), json!({"j": {"a\0": 1}}), json!({"j": [["\0"]]})] {
        user.post("/records/items", &body).await.refused(400, "");
        user.post("/records/items/batch", &json!({"records": [body]})).await.refused(400, "");
    }
    healthy(&app, &user).await;
}

async fn hostile_names_and_ids_are_refused(backend: Backend) {
    let (app, user) = start(backend).await;
    let long = "x".repeat(5000);
    let names = ["%00", "%27%3B--", "..%2F..%2Fetc", "%ff", "%F0%9F%A5%A8", "items%00", "col_items", "sqlite_master", "%20", "items%20", "*", &long];
    for name in names {
        for path in [format!("/records/{name}"), format!("/records/{name}/{name}"), format!("/records/items/{name}")] {
            for method in [Method::GET, Method::DELETE, Method::PATCH, Method::PUT] {
                let answer = user.send(user.request(method.clone(), &path).json(&json!({}))).await;
                assert!((400..500).contains(&answer.status), "{method} {path}: {} {}", answer.status, answer.text);
            }
        }
        for path in [format!("/collections/{name}"), format!("/collections/{name}/rules"), format!("/users/{name}"), format!("/accounts/{name}")] {
            let answer = app.admin.get(&path).await;
            assert!([400, 404].contains(&answer.status), "{path}: {} {}", answer.status, answer.text);
        }
        let ids = json!({"ids": [name], "records": [{"id": name, "data": {}}]});
        user.delete_with("/records/items/batch", &ids).await.refused(404, "");
        user.patch("/records/items/batch", &ids).await.refused(404, "");
        let visitor = app.anonymous().with_header("x-account-id", name);
        visitor.get("/records/items").await.refused(404, "");
    }
    for id in ["a\0b", "", "\u{202e}"] {
        user.delete_with("/records/items/batch", &json!({"ids": [id]})).await.refused(404, "");
        user.post("/records/items", &json!({"id": id})).await.refused(422, "");
    }
    for email in ["a\0@example.com", "a@exa\0mple.com", "\u{202e}@example.com", &format!("{long}@example.com")] {
        let body = json!({"account": "a\0", "email": email, "password": "a\0"});
        for path in ["/auth/login", "/auth/register", "/auth/forgot-password", "/auth/resend-verification"] {
            let answer = app.anonymous().post(path, &body).await;
            assert!(answer.status < 500, "{path} {email:?}: {} {}", answer.status, answer.text);
        }
    }
    let body = json!({"name": "a\0bc", "fields": [{"name": "x\0", "type": "text\0", "default": "\0"}]});
    app.admin.post("/collections", &body).await.refused(400, "");
    let body = json!({"name": "abc", "fields": [{"name": "x", "type": "text", "default": "\0"}], "list_rule": "x = '\0'"});
    app.admin.post("/collections", &body).await.refused(400, "");
    let body = json!({"name": "abc", "fields": [{"name": "x", "type": "text", "options": {"\0": "\0"}}]});
    assert!(app.admin.post("/collections", &body).await.status < 500);
    healthy(&app, &user).await;
}

async fn bad_tokens_of_many_shapes_are_401(backend: Backend) {
    let (app, user) = start(backend).await;
    let long = "x".repeat(7000);
    let dotted = ".".repeat(1000);
    let halves = user.token.split_once('.').unwrap();
    let tokens = [
        "x", "..", "a.b.c", "eyJ.eyJ.x", "null", "undefined", "\u{e9}", "sb_", "sb_ak.", "sb_ak..", "sb_ak.e30.e30", "sb_sk_AB1234_x", "sb_pt.a.b",
        "sb_ot.a.b", "sb_jwt.a.b", "' OR 1=1 --", "%00", "😀", &long, &dotted, halves.0, halves.1, &user.token[1..], &user.refresh_token,
    ];
    for token in tokens {
        let (method, body) = (Method::GET, Vec::new());
        for header in [format!("authorization: Bearer {token}\r\n"), format!("x-api-key: {token}\r\n")] {
            let (status, text) = raw::request(&app.base, method.as_str(), b"/api/v1/auth/me", header.as_bytes(), &body).await;
            assert_eq!(status, 401, "{header}: {text}");
        }
    }
    let (status, _) = raw::request(&app.base, "GET", b"/api/v1/auth/me", b"authorization: Bearer \xff\xfe\r\n", b"").await;
    assert_eq!(status, 401);
    healthy(&app, &user).await;
}

async fn bytes_that_are_no_text_are_refused(backend: Backend) {
    let (app, user) = start(backend).await;
    let token = format!("authorization: Bearer {}\r\n", user.token);
    let targets: &[&[u8]] = &[
        b"/api/v1/records/%ff", b"/api/v1/records/items/%ff%fe", b"/api/v1/records/%c3%28", b"/api/v1/collections/%ff",
        b"/api/v1/records/items?filter=%ff", b"/api/v1/records/items?%ff=1", b"/api/v1/records/items?cursor=%ff",
        b"/api/v1/records/items?limit=%ff", b"/api/v1/records/items?filter=%00", b"/api/v1/records/items?filter=%",
        b"/api/v1/records/\xff\xfe", b"/api/v1/records/items?filter=\xff", b"/%2e%2e/%2e%2e/etc/passwd", b"/admin/%2e%2e/%2e%2e/etc/passwd",
        b"*", b"//", b"/api/v1//records", b"http://[::1/x",
    ];
    for target in targets {
        let (status, text) = raw::request(&app.base, "GET", target, token.as_bytes(), b"").await;
        let shown = String::from_utf8_lossy(target);
        // Zero means that the server hung up.
        assert!(status < 500, "{shown}: {text}");
    }
    Sse::open(&user, "?collection=%ff%00&collections=%ff:%00&since=%ff").await;
    let long = vec![b'a'; 100_000];
    let (status, _) = raw::request(&app.base, "GET", &[b"/".as_slice(), &long].concat(), b"", b"").await;
    assert!(status < 500);
    for garbage in [b"\0\0\0\0\r\n\r\n".as_slice(), b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\x16\x03\x01\x02\x00", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"] {
        let (status, _) = raw::exchange(&app.base, &[garbage, b"\r\n\r\n"].concat()).await;
        assert!(status < 500);
    }
    healthy(&app, &user).await;
}

async fn numbers_beyond_every_range_are_refused(backend: Backend) {
    let (app, user) = start(backend).await;
    for number in ["1e400", "-1e400", &"9".repeat(400), &format!("1e{}", "9".repeat(50))] {
        let answer = post(&user, format!("{{\"n\":{number}}}")).await;
        assert!([400, 422].contains(&answer.status), "{number}: {}", answer.text);
        let answer = post(&user, format!("{{\"j\":[{number}]}}")).await;
        assert!(answer.status < 500, "{number}: {}", answer.text);
        let answer = user.query("/records/items", &[("filter", &format!("n = {number}"))]).await;
        assert!(answer.status < 500, "{number}: {}", answer.text);
        for key in ["limit", "skip"] {
            user.query("/records/items", &[(key, number)]).await.refused(422, "");
        }
    }
    let size = json!({"filename": "a", "size": 1e300, "mime_type": "b", "path": "c"});
    app.collection("files", &json!([{"name": "f", "type": "file"}]), &open()).await;
    user.post("/records/files", &json!({"f": size})).await.refused(400, "");
    healthy(&app, &user).await;
}

/// Every route of the document with every kind of body, by everybody.
async fn no_route_fails_whatever_is_sent_to_it(backend: Backend) {
    let (app, user) = start(backend).await;
    let document = app.anonymous().get("//openapi.json").await.ok(200);
    let bodies = [
        json!(null), json!(0), json!("x"), json!([]), json!({}), json!({"id": 5, "name": [], "email": {}, "password": 0, "token": false}),
        json!({"records": [null], "ids": [null], "rule": 1, "context": 5, "operation": [], "fields": 7, "schema": {}, "list_rule": {}}),
        json!({"email": "\0", "password": "\0", "account": "\0", "token": "\0", "refresh_token": "\0", "new_password": "\0".repeat(9),
            "name": "\0", "account_name": "\0", "account_slug": "\0\0\0", "account_id": "\0", "role_id": 1e300, "slug": "\0\0\0", "search": "\0"}),
        json!({"email": "x@example.com", "password": "Correct-Horse-42", "account_id": user.account_id, "role_id": i64::MAX, "profile_data": {"\0": "\0"},
            "external_id": "\0", "name": "ok", "fields": [{"name": "a", "type": "text"}], "data": {"\0": 1}}),
    ];
    let values = ["x", "%00", "01890000-0000-7000-8000-000000000000", "items", "-1", "%F0%9F%A5%A8"];
    for (path, operations) in document["paths"].as_object().unwrap() {
        for method in operations.as_object().unwrap().keys() {
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            for value in values {
                let mut path = path.clone();
                while let (Some(start), Some(end)) = (path.find('{'), path.find('}')) {
                    path.replace_range(start..=end, value);
                }
                let query = "?limit=x&skip=&page=0&page_size=x&sort=%00&sort_by=%00&search=%00&role_id=x&is_active=x&account_id=%00&filter=%00";
                let other = "?search=%00%25&account_id=%00&sort=-%00&page=9223372036854775807&page_size=100&skip=9223372036854775807";
                for target in [path.clone(), format!("{path}{query}"), format!("{path}{other}")] {
                    // Queries matter to those who read, bodies to those who write.
                    let some = if method == Method::GET || target.len() > path.len() { &bodies[..1] } else { &bodies[..] };
                    for (caller, body) in some.iter().flat_map(|body| [(&*app.admin, body), (&*user, body)]) {
                        if path.ends_with("/auth/logout") {
                            continue;
                        }
                        let answer = caller.send(caller.request(method.clone(), &format!("/{target}")).json(body)).await;
                        assert!(answer.status < 500, "{method} {target} {body}: {} {}", answer.status, answer.text);
                    }
                }
            }
        }
    }
    assert_eq!(app.anonymous().get("//ready").await.ok(200)["status"], "ready");
}
