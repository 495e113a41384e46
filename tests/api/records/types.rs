use serde_json::{Value, json};

use crate::harness::{Backend, TestApp, open};

crate::both![
    every_type_takes_its_values_and_gives_them_back,
    every_type_refuses_other_values_with_its_code,
    numbers_and_texts_survive_exactly,
];

fn fields() -> Value {
    let plain = [
        "text", "number", "boolean", "datetime", "date", "email", "url", "json", "file",
    ];
    let mut fields: Vec<Value> = plain
        .iter()
        .map(|kind| json!({"name": format!("f_{kind}"), "type": kind}))
        .collect();
    fields.push(json!({"name": "f_reference", "type": "REFERENCE", "collection": "things", "on_delete": "SET_NULL"}));
    fields.into()
}

fn file() -> Value {
    json!({"filename": "a.txt", "size": 3, "mime_type": "text/plain", "path": "x/a.txt"})
}

async fn every_type_takes_its_values_and_gives_them_back(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    app.collection("things", &fields(), &open()).await;
    let user = app.register().await;
    let first = user.create_id("things", &json!({})).await;
    let object = json!({"b": [1, 2.5, null, {"c": "d"}], "a": "é"});
    let cases: &[(&str, Value)] = &[
        ("f_text", json!("")),
        ("f_text", json!("Grüße 🥨 \n 'quoted\" \\ %_")),
        ("f_number", json!(-12.5)),
        ("f_boolean", json!(true)),
        ("f_boolean", json!(false)),
        ("f_date", json!("2024-02-29")),
        ("f_email", json!("o'brien+jürgen@müller.example")),
        ("f_url", json!("HTTPS://example.com/?q=1#x")),
        ("f_json", object),
        ("f_json", json!([])),
        ("f_json", json!("text")),
        ("f_json", json!(5)),
        ("f_json", json!(false)),
        ("f_reference", json!(first)),
        ("f_file", file()),
    ];
    for (field, value) in cases {
        let created = user.create("things", &json!({*field: value})).await;
        assert_eq!(created[*field], *value, "{field}");
        let path = format!("/records/things/{}", created["id"].as_str().unwrap());
        assert_eq!(user.get(&path).await.ok(200), created, "{field}");
        let nulled = user.patch(&path, &json!({*field: null})).await.ok(200);
        assert_eq!(nulled[*field], Value::Null, "{field}");
    }
    // A file may be described as text, and comes back as an object; so may times be written in
    // other ways.
    let created = user
        .create("things", &json!({"f_file": file().to_string()}))
        .await;
    assert_eq!(created["f_file"], file());
    for time in [
        "2025-12-24",
        "2025-12-24T22:00:00Z",
        "2025-12-24 22:00:00",
        "2025-12-24T22:00:00.123+02:00",
        "20251224",
    ] {
        let created = user.create("things", &json!({"f_datetime": time})).await;
        assert!(
            created["f_datetime"]
                .as_str()
                .unwrap()
                .starts_with("2025-12-24"),
            "{time}: {created}"
        );
    }
}

async fn every_type_refuses_other_values_with_its_code(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    app.collection("things", &fields(), &open()).await;
    let user = app.register().await;
    let without_path = json!({"filename": "a", "size": 3, "mime_type": "b"});
    let wrong_size = json!({"filename": "a", "size": "3", "mime_type": "b", "path": "c"});
    let cases: &[(&str, &str, &[Value])] = &[
        (
            "f_text",
            "invalid_type",
            &[json!(1), json!(true), json!([]), json!({})],
        ),
        ("f_text", "invalid_characters", &[json!("a\0b")]),
        (
            "f_number",
            "invalid_type",
            &[json!("1"), json!(true), json!([1])],
        ),
        (
            "f_boolean",
            "invalid_type",
            &[json!("true"), json!(1), json!(0)],
        ),
        ("f_datetime", "invalid_type", &[json!(1_700_000_000)]),
        (
            "f_datetime",
            "invalid_datetime_format",
            &[json!("yesterday"), json!(""), json!("2025-13-01T00:00:00Z")],
        ),
        ("f_date", "invalid_type", &[json!(20_250_101)]),
        (
            "f_date",
            "invalid_date_format",
            &[
                json!("2025-02-30"),
                json!("01/02/2025"),
                json!("2025-01-01T00:00:00Z"),
            ],
        ),
        ("f_email", "invalid_type", &[json!(1)]),
        (
            "f_email",
            "invalid_email_format",
            &[
                json!("a@b..cc"),
                json!("@b.cc"),
                json!("a b@c.dd"),
                json!(""),
            ],
        ),
        ("f_url", "invalid_type", &[json!({})]),
        (
            "f_url",
            "invalid_url_format",
            &[
                json!("ftp://a.bc"),
                json!("example.com"),
                json!("http://"),
                json!("http://a b"),
            ],
        ),
        ("f_reference", "invalid_type", &[json!(7), json!({})]),
        ("f_reference", "empty_reference", &[json!(""), json!("  ")]),
        (
            "f_reference",
            "invalid_reference",
            &[
                json!("nothing"),
                json!("01890000-0000-7000-8000-000000000000"),
            ],
        ),
        (
            "f_file",
            "invalid_type",
            &[json!(1), json!([]), json!("[]")],
        ),
        ("f_file", "invalid_json", &[json!("no json")]),
        (
            "f_file",
            "missing_file_metadata",
            &[json!({}), without_path],
        ),
        ("f_file", "invalid_file_metadata", &[wrong_size]),
        ("f_json", "invalid_characters", &[json!({"a": "b\0"})]),
    ];
    for (field, code, values) in cases {
        for value in *values {
            let answer = user.post("/records/things", &json!({*field: value})).await;
            let found = answer.body["details"][0]["code"].clone();
            assert_eq!(
                (answer.status, found),
                (400, json!(code)),
                "{field} = {value}: {}",
                answer.text
            );
            answer.problems(&[(*field, *code)]);
        }
    }
    assert_eq!(user.get("/records/things").await.ok(200)["total"], 0);
}

async fn numbers_and_texts_survive_exactly(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    app.collection("things", &fields(), &open()).await;
    let user = app.register().await;
    for number in [
        0.1 + 0.2,
        1e21,
        5e-324,
        f64::MAX,
        f64::MIN,
        9_007_199_254_740_993.0,
        -0.5,
        1.0 / 3.0,
    ] {
        let created = user.create("things", &json!({"f_number": number})).await;
        assert_eq!(
            created["f_number"].as_f64().map(f64::to_bits),
            Some(number.to_bits()),
            "{number}: {created}"
        );
        let fetched = user
            .get(&format!(
                "/records/things/{}",
                created["id"].as_str().unwrap()
            ))
            .await
            .ok(200);
        assert_eq!(
            fetched["f_number"].as_f64().map(f64::to_bits),
            Some(number.to_bits()),
            "{number}: {fetched}"
        );
    }
    let long = "ä".repeat(100_000);
    let created = user.create("things", &json!({"f_text": long})).await;
    assert_eq!(created["f_text"], long.as_str());
}
