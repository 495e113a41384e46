use reqwest::Method;
use serde_json::json;

use super::{healthy, start};
use crate::harness::Backend;

crate::both![
    hostile_filters_and_sorts_are_refused_or_harmless,
    hostile_texts_are_stored_as_they_are_or_refused,
    hostile_names_and_ids_are_refused,
    documents_take_every_text_but_the_character_nul,
];

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
        assert!(
            [400, 414, 431].contains(&answer.status),
            "{shown}: {} {}",
            answer.status,
            answer.text
        );
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
        assert!(
            answer.status == 200 || answer.status == 400,
            "{filter}: {} {}",
            answer.status,
            answer.text
        );
        if answer.status == 200 {
            assert_eq!(answer.body["total"], total, "{filter}");
        }
    }
    for sort in [
        "text;DROP TABLE x",
        "(SELECT 1)",
        "r.text",
        "\0",
        "text DESC",
        "--",
        "+-text",
        "account_id",
        &"text,".repeat(1000),
    ] {
        let answer = user.query("/records/items", &[("sort", sort)]).await;
        assert!(
            (400..500).contains(&answer.status) || answer.status == 200,
            "{sort}: {} {}",
            answer.status,
            answer.text
        );
    }
    for (key, value) in [
        ("fields", "\0"),
        ("fields", "text\"; DROP"),
        ("cursor", "\0"),
        ("cursor", "eyJ9"),
        ("skip", "\0"),
        ("expand", "x"),
    ] {
        let answer = user.query("/records/items", &[(key, value)]).await;
        assert!(
            answer.status < 500,
            "{key}={value}: {} {}",
            answer.status,
            answer.text
        );
    }
    healthy(&app, &user).await;
}

async fn hostile_texts_are_stored_as_they_are_or_refused(backend: Backend) {
    let (app, user) = start(backend).await;
    let texts = [
        "'; DROP TABLE col_items; --",
        "\" OR \"\"=\"",
        "\\",
        "\u{feff}",
        "\u{202e}abc",
        "\u{1}\u{7f}",
        "</script>",
        "{{x}}",
        "%s%n",
        "\r\n",
        "\u{10ffff}",
        "a\u{300}",
        "$1",
        "?",
        ":x",
        "NULL",
        "null",
    ];
    for text in texts {
        let created = user
            .create("items", &json!({"text": text, "j": {text: text}}))
            .await;
        assert_eq!(
            (&created["text"], &created["j"]),
            (&json!(text), &json!({text: text}))
        );
        let fetched = user
            .get(&format!(
                "/records/items/{}",
                created["id"].as_str().unwrap()
            ))
            .await
            .ok(200);
        assert_eq!(fetched, created);
    }
    for body in [
        json!({"text": "a\0"}),
        json!({"j": "a\0"}),
        json!({"j": {"a\0": 1}}),
        json!({"j": [["\0"]]}),
    ] {
        user.post("/records/items", &body).await.refused(400, "");
        user.post("/records/items/batch", &json!({"records": [body]}))
            .await
            .refused(400, "");
    }
    healthy(&app, &user).await;
}

async fn hostile_names_and_ids_are_refused(backend: Backend) {
    let (app, user) = start(backend).await;
    let long = "x".repeat(5000);
    let names = [
        "%00",
        "%27%3B--",
        "..%2F..%2Fetc",
        "%ff",
        "%F0%9F%A5%A8",
        "items%00",
        "col_items",
        "sqlite_master",
        "%20",
        "items%20",
        "*",
        &long,
    ];
    for name in names {
        for path in [
            format!("/records/{name}"),
            format!("/records/{name}/{name}"),
            format!("/records/items/{name}"),
        ] {
            for method in [Method::GET, Method::DELETE, Method::PATCH, Method::PUT] {
                let answer = user
                    .send(user.request(method.clone(), &path).json(&json!({})))
                    .await;
                assert!(
                    (400..500).contains(&answer.status),
                    "{method} {path}: {} {}",
                    answer.status,
                    answer.text
                );
            }
        }
        for path in [
            format!("/collections/{name}"),
            format!("/collections/{name}/rules"),
            format!("/users/{name}"),
            format!("/accounts/{name}"),
        ] {
            let answer = app.admin.get(&path).await;
            assert!(
                [400, 404].contains(&answer.status),
                "{path}: {} {}",
                answer.status,
                answer.text
            );
        }
        let ids = json!({"ids": [name], "records": [{"id": name, "data": {}}]});
        user.delete_with("/records/items/batch", &ids)
            .await
            .refused(404, "");
        user.patch("/records/items/batch", &ids)
            .await
            .refused(404, "");
        let visitor = app.anonymous().with_header("x-account-id", name);
        visitor.get("/records/items").await.refused(404, "");
    }
    for id in ["a\0b", "", "\u{202e}"] {
        user.delete_with("/records/items/batch", &json!({"ids": [id]}))
            .await
            .refused(404, "");
        user.post("/records/items", &json!({"id": id}))
            .await
            .refused(422, "");
    }
    for email in [
        "a\0@example.com",
        "a@exa\0mple.com",
        "\u{202e}@example.com",
        &format!("{long}@example.com"),
    ] {
        let body = json!({"account": "a\0", "email": email, "password": "a\0"});
        for path in [
            "/auth/login",
            "/auth/register",
            "/auth/forgot-password",
            "/auth/resend-verification",
        ] {
            let answer = app.anonymous().post(path, &body).await;
            assert!(
                answer.status < 500,
                "{path} {email:?}: {} {}",
                answer.status,
                answer.text
            );
        }
    }
    let body =
        json!({"name": "abc", "fields": [{"name": "x\0", "type": "text\0", "default": "\0"}]});
    app.admin.post("/collections", &body).await.refused(400, "");
    let body = json!({"name": "abc", "fields": [{"name": "x", "type": "text", "default": "\0"}]});
    app.admin.post("/collections", &body).await.refused(400, "");
    let body =
        json!({"name": "abc", "fields": [{"name": "x", "type": "text", "options": {"\0": "\0"}}]});
    assert!(app.admin.post("/collections", &body).await.status < 500);
    healthy(&app, &user).await;
}

async fn documents_take_every_text_but_the_character_nul(backend: Backend) {
    let (app, user) = start(backend).await;
    app.collection(
        "papers",
        &json!([{"name": "doc", "type": "json"}, {"name": "f", "type": "file"}]),
        &crate::harness::open(),
    )
    .await;
    let escape = "\\u0000";
    let file = |name: &str| json!({"filename": name, "size": 1, "mime_type": "a/b", "path": "c"});
    for doc in [
        json!(escape),
        json!({"help": format!("write {escape} for it")}),
        json!({(escape): {(escape): [escape, format!("\\{escape}"), format!("\\\\{escape}")]}}),
        json!(json!("a\u{0}b").to_string()),
        json!(json!(json!({"a\u{0}": 1}).to_string()).to_string()),
        json!(["\\u0001", "\u{1}\\", "\\\\u0000"]),
    ] {
        let created = user
            .create("papers", &json!({"doc": doc, "f": file(escape)}))
            .await;
        assert_eq!(
            (&created["doc"], &created["f"]["filename"]),
            (&doc, &json!(escape))
        );
        let path = format!("/records/papers/{}", created["id"].as_str().unwrap());
        assert_eq!(user.get(&path).await.ok(200)["doc"], doc);
        assert_eq!(
            user.put(&path, &json!({"doc": doc})).await.ok(200)["doc"],
            doc
        );
    }
    let found = user
        .query("/records/papers", &[("filter", "doc.help ~ '%u0000%'")])
        .await
        .ok(200);
    assert_eq!(found["total"], 1);
    for doc in [
        json!("\u{0}"),
        json!({"a": "x\u{0}y"}),
        json!({"a\u{0}": 1}),
        json!([[[{"b": ["\u{0}"]}]]]),
        json!({"both": escape, "real": "\u{0}"}),
        json!("\\\u{0}"),
    ] {
        user.post("/records/papers", &json!({"doc": doc}))
            .await
            .problems(&[("doc", "invalid_characters")]);
    }
    user.post("/records/papers", &json!({"f": file("\u{0}")}))
        .await
        .problems(&[("f", "invalid_characters")]);
    healthy(&app, &user).await;
}
