//! The log keeps what changed; everybody who reads it is given whole records, before and after.

use serde_json::{Value, json};
use snackbase::db::Stmt;

use crate::harness::{Backend, TestApp, User, Ws, eventually, open};

crate::both![
    events_have_whole_records_before_and_after_live_and_later,
    entries_of_older_versions_are_read_as_before,
    a_small_change_of_a_large_record_is_a_small_entry,
    filters_judge_values_that_the_log_leaves_out,
    the_trail_has_the_columns_that_changed_and_digests_of_long_values,
    a_log_that_is_too_large_loses_its_oldest_entries,
];

async fn notes(backend: Backend) -> (TestApp, User) {
    let app = TestApp::spawn(backend).await;
    let fields = json!([
        {"name": "title", "type": "text"},
        {"name": "body", "type": "text"},
        {"name": "data", "type": "json"},
        {"name": "n", "type": "number"},
        {"name": "done", "type": "boolean"},
        {"name": "code", "type": "text", "encrypted": true},
        {"name": "shown", "type": "computed", "expression": "upper(title)", "return_type": "text"},
    ]);
    app.collection("notes", &fields, &open()).await;
    let user = app.register().await;
    (app, user)
}

fn long(letter: &str) -> String {
    letter.repeat(20_000)
}

/// Changes a record in many ways, and deletes it; returns what was answered each time.
async fn history(user: &User) -> Vec<Value> {
    let mut record = user
        .create(
            "notes",
            &json!({"title": "a", "body": long("a"), "data": {"x": [long("ü")]}}),
        )
        .await;
    let path = format!("/records/notes/{}", record["id"].as_str().unwrap());
    let mut states = vec![record];
    for change in [
        json!({"n": 1}),
        json!({"title": null, "code": "secret"}),
        json!({"body": "short"}),
        json!({"body": long("\"\\\n")}),
        json!({"data": null}),
        json!({"data": [long("c")], "done": true}),
        json!({"n": null, "code": null}),
        json!({}),
        json!({"n": 2.5, "title": "last"}),
    ] {
        record = user.patch(&path, &change).await.ok(200);
        states.push(record);
    }
    user.delete(&path).await.ok(204);
    states
}

async fn check_history(ws: &mut Ws, states: &[Value]) {
    assert_eq!(ws.frame().await["data"], states[0]);
    for pair in states.windows(2) {
        let event = ws.frame().await;
        assert_eq!((&event["old"], &event["data"]), (&pair[0], &pair[1]));
    }
    let event = ws.frame().await;
    assert_eq!(
        (&event["operation"], event["old"].as_object()),
        (&json!("delete"), states[states.len() - 1].as_object())
    );
}

async fn subscribe(user: &User, more: &Value) -> (Ws, Value) {
    let mut ws = Ws::connect(user).await;
    let mut message = json!({"action": "subscribe", "collection": "notes", "ref": 1, "old": true});
    message
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    ws.send(&message).await;
    let answer = ws.frame().await;
    (ws, answer["cursor"].clone())
}

async fn events_have_whole_records_before_and_after_live_and_later(backend: Backend) {
    let (_app, user) = notes(backend).await;
    let (mut live, cursor) = subscribe(&user, &json!({})).await;
    let states = history(&user).await;
    check_history(&mut live, &states).await;
    let (mut later, _) = subscribe(&user, &json!({"since": cursor})).await;
    check_history(&mut later, &states).await;
}

async fn entries_of_older_versions_are_read_as_before(backend: Backend) {
    let (app, user) = notes(backend).await;
    let (_live, cursor) = subscribe(&user, &json!({})).await;
    let before = user.create("notes", &json!({"title": "a", "n": 1})).await;
    let after = user
        .patch(
            &format!("/records/notes/{}", before["id"].as_str().unwrap()),
            &json!({"n": 2}),
        )
        .await
        .ok(200);
    let whole = "UPDATE change_log SET previous = $1 WHERE operation = 'update' AND record_id = $2";
    let args = vec![
        before.to_string().into(),
        before["id"].as_str().unwrap().into(),
    ];
    assert!(
        app.services()
            .db
            .execute(Stmt::fixed(whole, args))
            .await
            .unwrap()
    );
    let (mut later, _) = subscribe(&user, &json!({"since": cursor})).await;
    assert_eq!(later.frame().await["data"], before);
    let event = later.frame().await;
    assert_eq!((&event["old"], &event["data"]), (&before, &after));
}

async fn bytes_of_log(app: &TestApp) -> i64 {
    let select = "SELECT CAST(sum(coalesce(octet_length(record), 0) + coalesce(octet_length(previous), 0)) AS BIGINT) \
                  FROM change_log";
    app.services()
        .db
        .count(Stmt::fixed(select, Vec::new()))
        .await
        .unwrap()
}

async fn a_small_change_of_a_large_record_is_a_small_entry(backend: Backend) {
    let (app, user) = notes(backend).await;
    let id = user
        .create_id(
            "notes",
            &json!({"title": "a", "body": "x".repeat(900_000), "data": [long("y")]}),
        )
        .await;
    let before = bytes_of_log(&app).await;
    for n in 0..20 {
        user.patch(&format!("/records/notes/{id}"), &json!({"n": n}))
            .await
            .ok(200);
    }
    let each = (bytes_of_log(&app).await - before) / 20;
    assert!(each < 1_500, "{each} bytes each");
}

async fn filters_judge_values_that_the_log_leaves_out(backend: Backend) {
    let (_app, user) = notes(backend).await;
    let (mut ws, _) = subscribe(&user, &json!({"filter": "body ~ '%needle%'"})).await;
    let text = |word: &str| format!("{}{word}{}", long("a"), long("b"));
    let with = user
        .create_id("notes", &json!({"body": text("needle")}))
        .await;
    let without = user
        .create_id("notes", &json!({"body": text("thread")}))
        .await;
    for n in 1..3 {
        user.patch(&format!("/records/notes/{without}"), &json!({"n": n}))
            .await
            .ok(200);
        user.patch(&format!("/records/notes/{with}"), &json!({"n": n}))
            .await
            .ok(200);
    }
    user.patch(
        &format!("/records/notes/{with}"),
        &json!({"body": "thread"}),
    )
    .await
    .ok(200);
    for n in [Value::Null, json!(1), json!(2)] {
        let event = ws.frame().await;
        assert_eq!((&event["id"], &event["data"]["n"]), (&json!(with), &n));
    }
    assert_eq!(ws.frame().await["change"], "left");
}

async fn the_trail_has_the_columns_that_changed_and_digests_of_long_values(backend: Backend) {
    let (app, user) = notes(backend).await;
    let id = user
        .create_id("notes", &json!({"title": "a", "body": long("a")}))
        .await;
    for body in [json!({"title": "b"}), json!({"body": "x".repeat(100_000)})] {
        user.patch(&format!("/records/notes/{id}"), &body)
            .await
            .ok(200);
    }
    let rows = app
        .admin
        .query(
            "/audit-logs",
            &[("record_id", &id), ("operation", "UPDATE")],
        )
        .await
        .ok(200);
    let mut rows: Vec<(Value, Value, Value)> = rows["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|row| row["column_name"] != "updated_at")
        .map(|row| {
            (
                row["column_name"].clone(),
                row["old_value"].clone(),
                row["new_value"].clone(),
            )
        })
        .collect();
    rows.sort_by_key(|row| row.0.to_string());
    let digest =
        "100000 bytes, SHA-256 d69e68988157833272305aaf21f453c800346e8a3640db6578e260215542e5d4";
    assert_eq!(
        rows,
        [
            (json!("body"), json!(long("a")), json!(digest)),
            (json!("shown"), json!("A"), json!("B")),
            (json!("title"), json!("a"), json!("b")),
        ]
    );
}

async fn a_log_that_is_too_large_loses_its_oldest_entries(backend: Backend) {
    const KEPT: i64 = 1 << 20;
    let (app, user) = notes(backend).await;
    let (_ws, cursor) = subscribe(&user, &json!({})).await;
    let mut newest = String::new();
    for n in 0..40 {
        newest = user
            .create_id("notes", &json!({"n": n, "body": "x".repeat(50_000)}))
            .await;
    }
    let services = app.services();
    let sealed =
        async || services.audit.position().await.unwrap() == services.changes.end().await.unwrap();
    eventually("everything in the trail", sealed).await;
    let mut retention = services.changes.retention(i64::MAX, KEPT.unsigned_abs());
    let long_ago = services.clock.now() - std::time::Duration::from_hours(10);
    retention.prune(long_ago, i64::MAX).await.unwrap();
    let kept = bytes_of_log(&app).await;
    assert!(kept <= KEPT && kept > KEPT / 2, "{kept}");
    assert!(retention.bytes() <= KEPT.unsigned_abs());
    let found = "SELECT count(*) FROM change_log WHERE record_id = $1";
    assert_eq!(
        services
            .db
            .count(Stmt::fixed(found, vec![newest.as_str().into()]))
            .await
            .unwrap(),
        1
    );
    retention.prune(long_ago, i64::MAX).await.unwrap();
    assert_eq!(bytes_of_log(&app).await, kept);
    let mut ws = Ws::connect(&user).await;
    ws.send(&json!({"action": "subscribe", "collection": "notes", "ref": 1, "since": cursor}))
        .await;
    assert_eq!(ws.frame().await["type"], "subscribed");
    assert_eq!(ws.frame().await["type"], "resync");
}
