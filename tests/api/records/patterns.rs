//! Patterns of `~`: what they find, and what they may cost.

use serde_json::{Value, json};

use crate::harness::{Backend, TestApp, User, Ws, open};

crate::both![
    percent_and_underscore_can_be_looked_for,
    the_same_is_heard_in_subscriptions,
    patterns_that_are_too_long_are_refused_by_name,
    hostile_patterns_over_large_texts_are_answered,
];

const TEXTS: [&str; 7] = [
    "test_data",
    "testXdata",
    "20% off",
    "200 off",
    r"a\_b",
    r"C:\tmp",
    "TEST_data",
];

/// Filters, and what they find of these.
const FOUND: [(&str, &[&str]); 7] = [
    (r"t ~ '%test\_%'", &["TEST_data", "test_data"]),
    (r"t ~ '%20\% %'", &["20% off"]),
    (r"t ~ 'test_data'", &["TEST_data", "testXdata", "test_data"]),
    (r"t ~ 'a\\\\\\_b'", &[r"a\_b"]),
    (r"t ~ 'c:\\t%'", &[r"C:\tmp"]),
    (r"t ~ 'c:\\\\t%'", &[r"C:\tmp"]),
    (r"t ~ '%\\'", &[]),
];

async fn notes(backend: Backend) -> (TestApp, User) {
    let app = TestApp::spawn(backend).await;
    let fields = json!([
        {"name": "t", "type": "text"},
        {"name": "p", "type": "text"},
        {"name": "hit", "type": "computed", "expression": "t ~ p", "return_type": "boolean"},
        {"name": "word", "type": "computed", "expression": "if(t ~ '%\\_%', t, 'none')", "return_type": "text"}
    ]);
    app.collection("notes", &fields, &open()).await;
    let user = app.register().await;
    (app, user)
}

async fn found(user: &User, filter: &str) -> Vec<String> {
    let page = user
        .query("/records/notes", &[("filter", filter), ("sort", "t")])
        .await
        .ok(200);
    let text = |item: &Value| item["t"].as_str().unwrap().to_owned();
    page["items"].as_array().unwrap().iter().map(text).collect()
}

async fn percent_and_underscore_can_be_looked_for(backend: Backend) {
    let (_app, user) = notes(backend).await;
    for text in TEXTS {
        user.create("notes", &json!({"t": text, "p": r"%\_D%"}))
            .await;
    }
    for (filter, expected) in FOUND {
        assert_eq!(found(&user, filter).await, expected, "{filter}");
    }
    // Patterns in fields mean the same, and what is made of an answer compares as ever.
    assert_eq!(found(&user, "hit").await, ["TEST_data", "test_data"]);
    assert_eq!(
        found(&user, "t ~ p && hit = true").await,
        ["TEST_data", "test_data"]
    );
    assert_eq!(found(&user, "word = 'test_data'").await, ["test_data"]);
    assert_eq!(found(&user, "word = '%'").await, Vec::<String>::new());
}

async fn the_same_is_heard_in_subscriptions(backend: Backend) {
    let (_app, user) = notes(backend).await;
    let mut ws = Ws::connect(&user).await;
    for (number, (filter, _)) in FOUND.iter().enumerate() {
        ws.send(
            &json!({"action": "subscribe", "collection": "notes", "ref": number, "filter": filter}),
        )
        .await;
        assert_eq!(ws.frame().await["type"], "subscribed");
    }
    for text in TEXTS {
        user.create("notes", &json!({"t": text})).await;
    }
    let expected: usize = FOUND.iter().map(|(_, texts)| texts.len()).sum();
    for _ in 0..expected {
        let event = ws.frame().await;
        let (filter, texts) = FOUND[usize::try_from(event["ref"].as_u64().unwrap()).unwrap()];
        assert!(
            texts.contains(&event["data"]["t"].as_str().unwrap()),
            "{filter}: {event}"
        );
    }
}

async fn patterns_that_are_too_long_are_refused_by_name(backend: Backend) {
    let (app, user) = notes(backend).await;
    let filter = format!("t ~ '%{}'", "a".repeat(1_000));
    user.query("/records/notes", &[("filter", &filter)])
        .await
        .refused(400, "1000 characters");
    let many = vec![format!("t ~ '{}'", "a".repeat(900)); 5].join(" || ");
    user.query("/records/notes", &[("filter", &many)])
        .await
        .refused(400, "4000 characters");
    let mut ws = Ws::connect(&user).await;
    ws.send(&json!({"action": "subscribe", "collection": "notes", "filter": filter}))
        .await;
    assert!(
        ws.frame().await["error"]
            .as_str()
            .unwrap()
            .contains("1000 characters")
    );
    let rules = app
        .admin
        .put("/collections/notes/rules", &json!({"list_rule": filter}))
        .await;
    assert!((400..500).contains(&rules.status), "{}", rules.text);
}

async fn hostile_patterns_over_large_texts_are_answered(backend: Backend) {
    let (_app, user) = notes(backend).await;
    user.create("notes", &json!({"t": "a".repeat(200_000)}))
        .await;
    for pattern in [
        format!("%{}b%", "a".repeat(990)),
        "%a".repeat(490) + "b",
        format!("%{}b%", "a_".repeat(490)),
    ] {
        assert_eq!(
            found(&user, &format!("t ~ '{pattern}'")).await.len(),
            0,
            "{pattern}"
        );
    }
}
