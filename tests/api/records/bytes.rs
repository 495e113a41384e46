//! Answers have bounds in bytes, and not in records alone.

use serde_json::{Value, json};

use crate::harness::{Backend, TestApp, User, Ws, open};

crate::both![
    a_page_with_too_many_bytes_is_refused_and_a_smaller_one_is_not,
    a_few_large_records_among_small_ones_are_listed,
    groups_of_long_texts_are_refused,
    groups_with_too_many_bytes_are_refused,
    a_snapshot_comes_in_small_pages_and_one_too_large_is_refused,
];

const LIMIT: usize = 200_000;

async fn notes(backend: Backend) -> (TestApp, User) {
    let app = TestApp::spawn_with(backend, |config| config.limits.answer_bytes = LIMIT).await;
    let fields = json!([{"name": "text", "type": "text"}, {"name": "n", "type": "number"}]);
    app.collection("notes", &fields, &open()).await;
    let user = app.register().await;
    (app, user)
}

async fn write(user: &User, count: usize, bytes: usize) {
    let records: Vec<Value> = (0..count)
        .map(|n| json!({"text": "x".repeat(bytes), "n": n}))
        .collect();
    user.post("/records/notes/batch", &json!({"records": records}))
        .await
        .ok(201);
}

fn numbers(page: &Value) -> Vec<i64> {
    page["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["n"].as_i64().unwrap())
        .collect()
}

async fn a_page_with_too_many_bytes_is_refused_and_a_smaller_one_is_not(backend: Backend) {
    let (_app, user) = notes(backend).await;
    write(&user, 10, 40_000).await;
    for query in [
        "",
        "?sort=n",
        "?sort=-text,n",
        "?cursor=",
        "?filter=n >= 0",
        "?include_count=true&cursor=",
    ] {
        let refusal = user
            .get(&format!("/records/notes{query}"))
            .await
            .refused(400, "smaller page");
        assert_eq!(refusal["error"], "Answer too large", "{query}");
    }
    let page = user.get("/records/notes?sort=n&limit=3").await.ok(200);
    assert_eq!(numbers(&page), [0, 1, 2]);
    let page = user
        .get("/records/notes?sort=-n&limit=3&skip=3")
        .await
        .ok(200);
    assert_eq!(
        (numbers(&page), &page["total"]),
        (vec![6, 5, 4], &json!(10))
    );
    let page = user.get("/records/notes?sort=-n&fields=n").await.ok(200);
    assert_eq!(page["items"].as_array().unwrap().len(), 10);
}

async fn a_few_large_records_among_small_ones_are_listed(backend: Backend) {
    let (_app, user) = notes(backend).await;
    write(&user, 20, 10).await;
    user.create("notes", &json!({"text": "y".repeat(150_000), "n": 20}))
        .await;
    let page = user.get("/records/notes?limit=100&sort=n").await.ok(200);
    assert_eq!(numbers(&page), (0..=20).collect::<Vec<_>>());
    assert_eq!(page["items"][20]["text"].as_str().unwrap().len(), 150_000);
    let page = user.get("/records/notes?limit=1&cursor=").await.ok(200);
    assert_eq!(numbers(&page), [20]);
}

async fn groups_of_long_texts_are_refused(backend: Backend) {
    let (_app, user) = notes(backend).await;
    write(&user, 2, 1_000).await;
    let path = "/records/notes/aggregate?functions=count()&group_by=text";
    assert_eq!(user.get(path).await.ok(200)["results"][0]["count"], 2);
    user.create("notes", &json!({"text": "y".repeat(1_001), "n": 7}))
        .await;
    user.get(path).await.refused(400, "more than 1000 bytes");
    user.get(&format!("{path}&filter=n < 7")).await.ok(200);
}

async fn groups_with_too_many_bytes_are_refused(backend: Backend) {
    let (_app, user) = notes(backend).await;
    write(&user, 10, 40_000).await;
    let path = "/records/notes/aggregate?group_by=n&functions=";
    user.get(&format!("{path}max(text)"))
        .await
        .refused(400, "too large");
    user.get(&format!("{path}max(text)&filter=n < 3"))
        .await
        .ok(200);
    user.get(&format!("{path}count(text)")).await.ok(200);
}

async fn a_snapshot_comes_in_small_pages_and_one_too_large_is_refused(backend: Backend) {
    let app = TestApp::spawn_with(backend, |config| config.limits.answer_bytes = 2_000_000).await;
    let fields = json!([{"name": "text", "type": "text"}, {"name": "n", "type": "number"}]);
    app.collection("notes", &fields, &open()).await;
    let user = app.register().await;
    write(&user, 15, 100_000).await;
    let mut ws = Ws::connect(&user).await;
    let subscribe = |sort: &str| json!({"action": "subscribe", "collection": "notes", "snapshot": true, "sort": sort});
    for sort in ["-created_at", "n"] {
        ws.send(&subscribe(sort)).await;
        assert_eq!(ws.frame().await["type"], "subscribed");
        let (mut seen, mut complete) = (Vec::new(), false);
        while !complete {
            let frame = ws.frame().await;
            assert_eq!(frame["type"], "snapshot");
            assert!(
                frame["items"].as_array().unwrap().len() <= 2,
                "a frame has 256 KiB at most"
            );
            seen.extend(numbers(&frame));
            complete = frame["has_more"] == false;
        }
        seen.sort_unstable();
        assert_eq!(seen, (0..15).collect::<Vec<_>>());
        assert_eq!(ws.frame().await["type"], "live");
    }
    write(&user, 10, 100_000).await;
    let mut other = Ws::connect(&user).await;
    other.send(&subscribe("n")).await;
    let refusal = other.frame().await;
    assert!(
        refusal["error"].as_str().unwrap().contains("too large"),
        "{refusal}"
    );
    other.subscribe("notes").await;
}
