//! Numbers in documents: nothing is null, and a whole number has no fraction, whoever computes it
//! and wherever it is shown.

use serde_json::{Value, json};

use crate::harness::{Backend, Sse, TestApp, User, Ws, open};

crate::both![
    computed_values_without_a_value_are_null_everywhere,
    walks_by_computed_fields_show_every_record_once,
    whole_numbers_are_written_as_whole_numbers_everywhere,
    fractions_stay_what_they_are,
];

/// Computed fields of every type whose value is missing if `n` is.
const MISSING: [&str; 8] = [
    "product", "quotient", "part", "same", "size", "text", "flag", "time",
];

fn fields() -> Value {
    let computed = |name: &str, expression: &str, kind: &str| json!({"name": name, "type": "computed", "expression": expression, "return_type": kind});
    json!([
        {"name": "label", "type": "text"},
        {"name": "n", "type": "number"},
        {"name": "doc", "type": "json"},
        {"name": "at", "type": "datetime"},
        computed("product", "n * 2", "number"),
        computed("quotient", "10 / n", "number"),
        computed("part", "doc.score", "number"),
        computed("same", "nullif(n, 3)", "number"),
        computed("size", "floor(abs(n))", "number"),
        computed("text", "concat(doc.name, '!')", "text"),
        computed("flag", "n > 1", "boolean"),
        computed("time", "date_add(at, 1, 'days')", "datetime")
    ])
}

async fn start(backend: Backend) -> (TestApp, User) {
    let app = TestApp::spawn(backend).await;
    app.collection("things", &fields(), &open()).await;
    let user = app.register().await;
    (app, user)
}

#[track_caller]
fn assert_missing(place: &str, record: &Value) {
    for name in MISSING {
        assert_eq!(
            record.get(name),
            Some(&Value::Null),
            "{name} in {place}: {record}"
        );
    }
}

async fn computed_values_without_a_value_are_null_everywhere(backend: Backend) {
    let (app, user) = start(backend).await;
    let (mut ws, mut sse) = (
        Ws::connect(&user).await,
        Sse::open(&user, "?collection=things").await,
    );
    ws.subscribe("things").await;
    let created = user
        .create("things", &json!({"label": "a", "doc": {"other": 1}}))
        .await;
    assert_missing("the answer of a create", &created);
    let path = format!("/records/things/{}", created["id"].as_str().unwrap());
    assert_missing(
        "an event on a WebSocket",
        &ws.expect_event("things.create").await,
    );
    assert_missing("an event of a stream", &sse.event().await.data["data"]);
    assert_missing("a record", &user.get(&path).await.ok(200));
    user.patch(
        &path,
        &json!({"n": 3, "doc": {"score": 1, "name": "x"}, "at": "2025-01-01T00:00:00Z"}),
    )
    .await
    .ok(200);
    let emptied = user
        .patch(&path, &json!({"n": null, "doc": null, "at": null}))
        .await
        .ok(200);
    assert_missing("the answer of a change", &emptied);
    assert_missing(
        "a list",
        &user.get("/records/things").await.ok(200)["items"][0],
    );
    for name in MISSING {
        for (condition, total) in [
            ("IS NULL", 1),
            ("= null", 1),
            ("IS NOT NULL", 0),
            ("!= null", 0),
        ] {
            let filter = format!("{name} {condition}");
            let list = user
                .query("/records/things", &[("filter", &filter)])
                .await
                .ok(200);
            assert_eq!(list["total"], total, "{filter}");
        }
    }
    let zero = user
        .query("/records/things", &[("filter", "product = 0")])
        .await
        .ok(200);
    assert_eq!(zero["total"], 0);
    let functions = "count(),count(product),sum(product),min(part),max(same)";
    let sums = user
        .query(
            "/records/things/aggregate",
            &[("functions", functions), ("group_by", "product")],
        )
        .await;
    let expected = json!({"count": 1, "count_product": 0, "sum_product": null, "min_part": null, "max_same": null,
        "product": null});
    assert_eq!(sums.ok(200)["results"][0], expected);
    let trail = app
        .admin
        .query(
            "/audit-logs",
            &[("table_name", "col_things"), ("limit", "500")],
        )
        .await
        .ok(200);
    let shown = |row: &&Value| MISSING.iter().any(|name| row["column_name"] == *name);
    for row in trail["items"].as_array().unwrap().iter().filter(shown) {
        let texts = [&row["old_value"], &row["new_value"]];
        let is_nothing =
            |text: &&Value| ["0", "0.0", "false", ""].iter().any(|zero| **text == *zero);
        assert!(!texts.iter().any(is_nothing), "{row}");
    }
    let mut log = Ws::connect(&user).await;
    log.send(&json!({"action": "subscribe", "collection": "things", "filter": "product IS NULL"}))
        .await;
    log.next_of("subscribed").await;
    user.patch(&path, &json!({"label": "b"})).await.ok(200);
    assert_missing("a filtered event", &log.expect_event("things.update").await);
}

async fn walks_by_computed_fields_show_every_record_once(backend: Backend) {
    let (_app, user) = start(backend).await;
    let values = [
        Some(7.0),
        None,
        Some(5.5),
        Some(-9.0),
        None,
        Some(0.0),
        Some(3.0),
        None,
        Some(4e15),
    ];
    for (index, n) in values.iter().enumerate() {
        let score = n.map(|n| -n);
        let doc = if index % 2 == 0 {
            json!({"score": score, "name": format!("n{index}")})
        } else {
            Value::Null
        };
        user.create(
            "things",
            &json!({"label": format!("{index}"), "n": n, "doc": doc}),
        )
        .await;
    }
    let labels = |page: &Value| -> Vec<String> {
        let items = page["items"].as_array().unwrap();
        items
            .iter()
            .map(|item| item["label"].as_str().unwrap().to_owned())
            .collect()
    };
    for sort in [
        "product",
        "-product",
        "quotient,-label",
        "-part",
        "same,-product",
        "-size",
        "text",
        "flag,product",
        "-flag",
        "time",
        "-product,part",
    ] {
        let whole = labels(
            &user
                .query("/records/things", &[("sort", sort), ("limit", "100")])
                .await
                .ok(200),
        );
        assert_eq!(whole.len(), values.len());
        for limit in ["1", "2", "4"] {
            let (mut walk, mut cursor, mut back) = (Vec::new(), String::new(), String::new());
            for _ in 0..=values.len() {
                let query = [("sort", sort), ("limit", limit), ("cursor", &cursor)];
                let page = user.query("/records/things", &query).await.ok(200);
                walk.extend(labels(&page));
                back = page["prev_cursor"].as_str().unwrap_or(&back).to_owned();
                let Some(next) = page["next_cursor"].as_str() else {
                    break;
                };
                next.clone_into(&mut cursor);
            }
            assert_eq!(walk, whole, "{sort} by {limit}");
            let mut pages = Vec::new();
            let step: usize = limit.parse().unwrap();
            for skip in (0..values.len()).step_by(step) {
                let query = [
                    ("sort", sort),
                    ("limit", limit),
                    ("skip", &skip.to_string()),
                ];
                pages.extend(labels(&user.query("/records/things", &query).await.ok(200)));
            }
            assert_eq!(pages, whole, "{sort} in pages of {limit}");
            let before = [("sort", sort), ("limit", "100"), ("cursor_before", &back)];
            let before = labels(&user.query("/records/things", &before).await.ok(200));
            assert!(
                whole.starts_with(&before),
                "{sort}: {before:?} is not the beginning of {whole:?}"
            );
        }
    }
}

/// The text of a key's value.
#[track_caller]
fn written<'t>(text: &'t str, key: &str) -> &'t str {
    let start = text
        .find(&format!("\"{key}\""))
        .unwrap_or_else(|| panic!("no '{key}' in {text}"));
    let rest = text[start + key.len() + 2..].trim_start_matches([' ', ':']);
    &rest[..rest.find([',', '}']).unwrap()]
}

async fn whole_numbers_are_written_as_whole_numbers_everywhere(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let fields = json!([
        {"name": "n", "type": "number"},
        {"name": "m", "type": "computed", "expression": "n + 0", "return_type": "number"},
        {"name": "zero", "type": "computed", "expression": "n * 0 * -1", "return_type": "number"},
        {"name": "half", "type": "computed", "expression": "n / 2 * 2", "return_type": "number"}
    ]);
    app.collection("things", &fields, &open()).await;
    let user = app.register().await;
    let mut ws = Ws::connect(&user).await;
    ws.subscribe("things").await;
    for digits in [
        "0",
        "7",
        "-1",
        "1764478049000",
        "999999999999999",
        "1000000000000000",
        "-1000000000000000",
        "1764478049123456",
        "2251799813685248",
        "4503599627370497",
        "9007199254740991",
        "-9007199254740991",
        "9007199254740992",
        "1152921504606846976",
        "-9223372036854775808",
    ] {
        let request = user
            .request(reqwest::Method::POST, "/records/things")
            .header("content-type", "application/json");
        let created = user.send(request.body(format!("{{\"n\":{digits}}}"))).await;
        let id = created.body["id"].as_str().unwrap().to_owned();
        let record = user.get(&format!("/records/things/{id}")).await;
        let filter = format!("id = '{id}'");
        let list = user.query("/records/things", &[("filter", &filter)]).await;
        let event = ws.expect_event("things.create").await.to_string();
        for (place, text) in [
            ("create", &created.text),
            ("get", &record.text),
            ("list", &list.text),
            ("event", &event),
        ] {
            for key in ["n", "m", "half"] {
                assert_eq!(written(text, key), digits, "{key} of {place}");
            }
            assert_eq!(written(text, "zero"), "0", "{place}");
        }
        let functions = "sum(n),min(n),max(m),sum(half),avg(n),sum(zero),count()";
        let query = [
            ("functions", functions),
            ("filter", &*filter),
            ("group_by", "n,m"),
        ];
        let sums = user.query("/records/things/aggregate", &query).await.text;
        for key in ["sum_n", "min_n", "max_m", "sum_half", "avg_n", "n", "m"] {
            assert_eq!(
                written(&sums, key),
                digits,
                "{key} of an aggregation: {sums}"
            );
        }
        assert_eq!(
            (written(&sums, "sum_zero"), written(&sums, "count")),
            ("0", "1"),
            "{sums}"
        );
        let rows = super::super::audit::trail(&app, &[("record_id", &id)]).await;
        for row in rows
            .iter()
            .filter(|row| row["column_name"] == "n" || row["column_name"] == "m")
        {
            assert_eq!(row["new_value"], digits, "{row}");
        }
    }
}

async fn fractions_stay_what_they_are(backend: Backend) {
    let (_app, user) = start(backend).await;
    for n in [
        0.1,
        0.1 + 0.2,
        -2.5,
        1e-7,
        123_456_789.123_456_78,
        4_503_599_627_370_495.5,
        1e20,
        1e29,
        3e-29,
    ] {
        let record = user.create("things", &json!({"n": n})).await;
        assert_eq!(
            (record["n"].as_f64(), record["product"].as_f64()),
            (Some(n), Some(n * 2.0)),
            "{record}"
        );
        let id = record["id"].as_str().unwrap();
        let query = [
            ("functions", "max(n),min(product)"),
            ("filter", &*format!("id = '{id}'")),
        ];
        let row = user
            .query("/records/things/aggregate", &query)
            .await
            .ok(200)["results"][0]
            .clone();
        assert_eq!(
            (row["max_n"].as_f64(), row["min_product"].as_f64()),
            (Some(n), Some(n * 2.0)),
            "{row}"
        );
    }
}
