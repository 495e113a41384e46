//! Whatever a field accepts, a rule sees as a read shows it, and a filter with it finds it.

use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use crate::harness::{Backend, TestApp, User, open};

crate::both![whatever_is_accepted_is_what_rules_and_filters_see];

/// Random values of each type.
const VALUES: usize = 40;

/// What is tried as a value of a field: most of it is accepted, the rest is refused and leaves
/// nothing.
fn tried(kind: &str, id: &str) -> BoxedStrategy<Value> {
    let text = || prop_oneof![any::<String>(), "[ -~äßé日\\\\'\"%_]{0,12}"];
    let json = |texts: &[&str]| select(texts.iter().map(|text| json!(text)).collect::<Vec<_>>());
    match kind {
        "text" => text().prop_map(Value::from).boxed(),
        "number" => prop_oneof![
            // Further from one, SQLite shows a neighbour of what it keeps.
            any::<f64>()
                .prop_filter("near one", |n| (1e-15..1e22).contains(&n.abs()))
                .prop_map(Value::from),
            (-1e12..1e12).prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            (-100..100_i32).prop_map(|n| json!(f64::from(n) / 8.0)),
            select(vec![
                json!(0),
                json!(-0.0),
                json!(1e15),
                json!(1e300),
                json!(u64::MAX),
                json!(5e-324)
            ]),
        ]
        .boxed(),
        "boolean" => any::<bool>().prop_map(Value::from).boxed(),
        "date" => (1..10_000_i32, 0..14_u32, 0..32_u32, 0..4_usize)
            .prop_map(|(y, m, d, form)| {
                json!(
                    [
                        format!("{y:04}-{m:02}-{d:02}"),
                        format!("{y:04}-{m}-{d}"),
                        format!("{y:04}-{m:02}-{d}"),
                        format!("{y:04}{m:02}{d:02}"),
                    ][form]
                )
            })
            .boxed(),
        "datetime" => {
            let day = (1..10_000_i32, 1..13_u32, 1..30_u32, any::<bool>()).prop_map(
                |(y, m, d, basic)| {
                    if basic {
                        format!("{y:04}{m:02}{d:02}")
                    } else {
                        format!("{y:04}-{m:02}-{d:02}")
                    }
                },
            );
            let clock = select(vec![
                "",
                "T",
                "T00",
                "t23",
                " 12:30",
                "T1230",
                "T12:30:15",
                "T123015",
                "T24:00",
                "T12:30:60",
                "T12:30:15.5",
                "T12:30:15.123456789",
                "t12:30:15.1234567890",
                "T123015.25",
            ]);
            let zone = select(vec![
                "", "Z", "z", "+00:00", "+02:00", "-0530", "+14", "-14:59", "+23:59", "+24:00",
                " Z",
            ]);
            (day, clock, zone)
                .prop_map(|(day, clock, zone)| json!(format!("{day}{clock}{zone}")))
                .boxed()
        }
        "email" => (
            "[a-zA-Z0-9.+'_-]{1,8}",
            "[a-zA-Z0-9.-]{1,8}",
            select(vec!["com", "example", "XY", "x"]),
        )
            .prop_map(|(local, host, top)| json!(format!("{local}@{host}.{top}")))
            .boxed(),
        "url" => (
            select(vec!["http", "HTTPS", "https", "ftp"]),
            "[a-zA-Z0-9.:/?#äб'()_%-]{0,12}",
        )
            .prop_map(|(scheme, rest)| json!(format!("{scheme}://{rest}")))
            .boxed(),
        "reference" => {
            let braced = format!("{{{id}}}");
            json(&[
                id,
                &id.to_uppercase(),
                &id.replace('-', ""),
                &braced,
                &format!("urn:uuid:{id}"),
                "nothing",
            ])
            .boxed()
        }
        "json" => {
            let leaf = prop_oneof![
                Just(Value::Null),
                any::<bool>().prop_map(Value::from),
                (-1e6..1e6).prop_map(Value::from),
                any::<i32>().prop_map(Value::from),
                text().prop_map(Value::from),
            ];
            leaf.prop_recursive(3, 12, 3, |inner| {
                prop_oneof![
                    prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                    prop::collection::btree_map("[ab\"\\\\. ä$]{0,3}", inner, 0..3)
                        .prop_map(|entries| Value::Object(entries.into_iter().collect())),
                ]
            })
            .boxed()
        }
        _ => (any::<i32>(), text(), any::<bool>())
            .prop_map(|(size, path, as_text)| {
                let file = json!({"filename": "a", "size": size, "mime_type": "a/b", "path": path});
                if as_text {
                    json!(file.to_string())
                } else {
                    file
                }
            })
            .boxed(),
    }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

/// A value as it is written in an expression; `None` if it cannot be.
fn literal(value: &Value) -> Option<String> {
    match value {
        Value::Null => Some("null".into()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Number(number) => number.as_f64().map(|number| format!("{number}")),
        Value::String(text) => Some(quoted(text)),
        Value::Array(_) | Value::Object(_) => None,
    }
}

async fn whatever_is_accepted_is_what_rules_and_filters_see(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let user = app.register().await;
    let mut runner = TestRunner::new(Config::default());
    for kind in [
        "text",
        "number",
        "boolean",
        "date",
        "datetime",
        "email",
        "url",
        "reference",
        "json",
        "file",
    ] {
        let mut field = json!({"name": "f", "type": kind});
        if kind == "reference" {
            (field["collection"], field["on_delete"]) = (json!("of_text"), json!("cascade"));
        }
        let collection = format!("of_{kind}");
        app.collection(&collection, &json!([field]), &open()).await;
        let target = user.create_id("of_text", &json!({})).await;
        let strategy = tried(kind, &target);
        let mut accepted = 0;
        for _ in 0..VALUES {
            let value = strategy.new_tree(&mut runner).unwrap().current();
            accepted += usize::from(holds(&app, &user, kind, &value).await);
        }
        assert!(
            accepted > VALUES / 8,
            "only {accepted} values of {kind} were accepted"
        );
    }
}

/// Stores a value in a new record and again, and asks rules and filters about it. Returns whether
/// it is accepted.
async fn holds(app: &TestApp, user: &User, kind: &str, value: &Value) -> bool {
    let path = format!("/records/of_{kind}");
    let body = json!({"f": value});
    app.rules(
        &format!("of_{kind}"),
        &json!({"create_rule": "", "update_rule": ""}),
    )
    .await;
    let created = user.post(&path, &body).await;
    if created.status != 201 {
        assert_eq!(created.status, 400, "{kind} {value}: {}", created.text);
        return false;
    }
    let id = created.body["id"].as_str().unwrap();
    let one = format!("{path}/{id}");
    let shown = user.get(&one).await.ok(200)["f"].clone();
    assert_eq!(shown, created.body["f"]);
    // As it was sent and as it is shown: the same, and no change.
    let written = literal(value).into_iter().chain(literal(&shown));
    let mut conditions = vec!["@request.data.f:isset && !@request.data.f:changed".to_owned()];
    let comparable = !matches!(kind, "json" | "file") && !shown.is_null();
    if comparable {
        conditions.push("@request.data.f = f".to_owned());
        conditions
            .extend(written.map(|literal| format!("@request.data.f = {literal} && f = {literal}")));
    }
    if kind == "file" {
        let (size, path) = (&shown["size"], quoted(shown["path"].as_str().unwrap()));
        conditions.push(format!("@request.data.f.path = {path} && f.path = {path}"));
        conditions.push(format!("@request.data.f.size = {size} && f.size = {size}"));
    }
    let rule = conditions.join(" && ");
    let answer = app
        .admin
        .put(
            &format!("/collections/of_{kind}/rules"),
            &json!({"update_rule": rule}),
        )
        .await;
    assert_eq!(
        answer.status, 200,
        "{kind} {value}: {rule}: {}",
        answer.text
    );
    for body in [&body, &json!({"f": shown})] {
        let patched = user.patch(&one, body).await;
        assert_eq!(
            patched.status, 200,
            "{kind} {value} in {body}, shown as {shown}: {rule}: {}",
            patched.text
        );
    }
    assert_eq!(
        user.get(&one).await.ok(200)["f"].to_string(),
        shown.to_string(),
        "{kind} {value}"
    );
    if comparable {
        for literal in literal(value).into_iter().chain(literal(&shown)) {
            let filter = format!("id = '{id}' && f = {literal}");
            let found = user.query(&path, &[("filter", &filter)]).await.ok(200);
            assert_eq!(found["total"], 1, "{kind} {value}: {filter}");
        }
    }
    user.delete(&one).await.ok(204);
    true
}
