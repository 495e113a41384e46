//! Everything that was committed arrives, once, in one order; nothing else does.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::harness::{Backend, TestApp, User, Ws, open, soon};

crate::both![
    every_subscriber_hears_the_same_order_which_agrees_with_every_record,
    batches_emit_one_event_for_each_record_in_order,
    what_was_rolled_back_is_never_heard,
    cascades_emit,
    a_client_that_applies_its_events_holds_what_the_list_shows,
    deleting_an_account_or_a_collection_leaves_the_rest_running,
];

async fn items(backend: Backend) -> (TestApp, User) {
    let app = TestApp::spawn(backend).await;
    let fields = json!([{"name": "n", "type": "number", "required": true}, {"name": "code", "type": "text", "unique": true}]);
    app.collection("items", &fields, &open()).await;
    app.collection("marks", &json!([{"name": "n", "type": "number"}]), &open())
        .await;
    let user = app.register().await;
    (app, user)
}

async fn subscribed(user: &User) -> Ws {
    subscribed_to(user, &["items"]).await
}

/// Subscribes, and lets what was written before pass.
async fn subscribed_to(user: &User, collections: &[&str]) -> Ws {
    let mut ws = Ws::connect(user).await;
    ws.subscribe("marks").await;
    for collection in collections {
        ws.subscribe(collection).await;
    }
    until_mark(&mut ws, user).await;
    ws
}

/// Writes a mark and reads the events up to it.
async fn until_mark(ws: &mut Ws, user: &User) -> Vec<Value> {
    let mark = user.create_id("marks", &json!({})).await;
    let mut events = Vec::new();
    loop {
        let frame = ws.frame().await;
        if frame["id"] == mark.as_str() {
            return events;
        }
        if frame["collection"] != "marks" {
            events.push(frame);
        }
    }
}

async fn every_subscriber_hears_the_same_order_which_agrees_with_every_record(backend: Backend) {
    let (_app, user) = items(backend).await;
    let mut subscribers = [
        subscribed(&user).await,
        subscribed(&user).await,
        subscribed(&user).await,
    ];
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(user.create_id("items", &json!({"n": 0})).await);
    }
    // Eight writers change the same three records.
    let writers = (0..8).map(|writer| {
        let (user, ids) = (user.clone(), ids.clone());
        tokio::spawn(async move {
            for round in 0..15 {
                let path = format!("/records/items/{}", ids[(writer + round) % 3]);
                user.patch(&path, &json!({"n": writer * 100 + round}))
                    .await
                    .ok(200);
            }
        })
    });
    for writer in soon("the writers", futures_util::future::join_all(writers)).await {
        writer.unwrap();
    }
    let mut heard = Vec::new();
    for ws in &mut subscribers {
        heard.push(until_mark(ws, &user).await);
    }
    assert_eq!(heard[0].len(), 3 + 8 * 15);
    assert!(
        heard.iter().all(|events| *events == heard[0]),
        "every subscriber hears the same"
    );
    // The writes of one writer, who waits for each answer, are in order.
    for writer in 0..8 {
        let of_writer =
            |n: &f64| *n >= f64::from(writer * 100) && *n < f64::from(writer * 100 + 15);
        let numbers: Vec<f64> = heard[0]
            .iter()
            .skip(3)
            .map(|event| event["data"]["n"].as_f64().unwrap())
            .filter(of_writer)
            .collect();
        assert!(numbers.len() == 15 && numbers.is_sorted(), "{numbers:?}");
    }
    for id in &ids {
        let history: Vec<&Value> = heard[0]
            .iter()
            .filter(|event| event["id"] == id.as_str())
            .collect();
        let stored = user.get(&format!("/records/items/{id}")).await.ok(200);
        assert_eq!(
            history.last().unwrap()["data"],
            stored,
            "the last event is what is stored"
        );
    }
}

async fn batches_emit_one_event_for_each_record_in_order(backend: Backend) {
    let (_app, user) = items(backend).await;
    let mut ws = subscribed(&user).await;
    let records: Vec<Value> = (0..100).map(|n| json!({"n": n})).collect();
    let created = user
        .post("/records/items/batch", &json!({"records": records}))
        .await
        .ok(201);
    let ids: Vec<String> = created["created"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| r["id"].as_str().unwrap().to_owned())
        .collect();
    for id in &ids {
        assert_eq!(ws.expect_event("items.create").await["id"], id.as_str());
    }
    let updates: Vec<Value> = ids
        .iter()
        .rev()
        .map(|id| json!({"id": id, "data": {"n": -1}}))
        .collect();
    user.patch("/records/items/batch", &json!({"records": updates}))
        .await
        .ok(200);
    for id in ids.iter().rev() {
        assert_eq!(ws.expect_event("items.update").await["id"], id.as_str());
    }
    user.delete_with("/records/items/batch", &json!({"ids": ids}))
        .await
        .ok(200);
    for id in &ids {
        assert_eq!(ws.expect_event("items.delete").await, json!({"id": id}));
    }
}

async fn what_was_rolled_back_is_never_heard(backend: Backend) {
    let (_app, user) = items(backend).await;
    let mut ws = subscribed(&user).await;
    user.create("items", &json!({"n": 0, "code": "taken"}))
        .await;
    ws.expect_event("items.create").await;
    let body = json!({"records": [{"n": 1}, {"n": 2}, {"n": 3, "code": "taken"}]});
    user.post("/records/items/batch", &body)
        .await
        .refused(409, "");
    user.post("/records/items", &json!({"n": 4, "code": "taken"}))
        .await
        .refused(409, "");
    user.post("/records/items", &json!({}))
        .await
        .refused(400, "");
    user.create("items", &json!({"n": 5})).await;
    assert_eq!(
        ws.expect_event("items.create").await["n"].as_f64(),
        Some(5.0)
    );
}

async fn cascades_emit(backend: Backend) {
    let (app, user) = items(backend).await;
    for (name, on_delete) in [("parts", "cascade"), ("notes", "set_null")] {
        let item = json!({"name": "item", "type": "reference", "collection": "items", "on_delete": on_delete});
        app.collection(name, &json!([item]), &open()).await;
    }
    let item = user.create_id("items", &json!({"n": 1})).await;
    let mut gone = Vec::new();
    for _ in 0..3 {
        gone.push(user.create_id("parts", &json!({"item": item})).await);
    }
    let note = user.create_id("notes", &json!({"item": item})).await;
    let mut ws = subscribed_to(&user, &["items", "parts", "notes"]).await;
    user.delete(&format!("/records/items/{item}")).await.ok(204);
    let mut events: Vec<(String, String)> = until_mark(&mut ws, &user)
        .await
        .iter()
        .map(|event| {
            (
                event["type"].as_str().unwrap().to_owned(),
                event["id"].as_str().unwrap().to_owned(),
            )
        })
        .collect();
    events.sort();
    let mut expected: Vec<(String, String)> = gone
        .into_iter()
        .map(|id| ("parts.delete".to_owned(), id))
        .collect();
    expected.push(("items.delete".into(), item));
    expected.push(("notes.update".into(), note));
    expected.sort();
    assert_eq!(events, expected);
}

/// What a simple client does: creates and updates go into a map, deletes come out of it.
fn apply(map: &mut HashMap<String, Value>, events: Vec<Value>) {
    for event in events {
        let id = event["id"].as_str().unwrap().to_owned();
        if event["operation"] == "delete" {
            map.remove(&id);
        } else {
            map.insert(id, event["data"].clone());
        }
    }
}

async fn a_client_that_applies_its_events_holds_what_the_list_shows(backend: Backend) {
    let (app, user) = items(backend).await;
    let other = app.colleague_of(&user).await;
    app.rules(
        "items",
        &json!({"list_rule": "n > 5 && (created_by = @request.auth.id || n < 12)"}),
    )
    .await;
    let mut clients = [
        (&user, subscribed(&user).await),
        (&other, subscribed(&other).await),
    ];
    let writers = (0..4).map(|writer| {
        let user = if writer % 2 == 0 {
            user.clone()
        } else {
            other.clone()
        };
        tokio::spawn(async move {
            let mut ids = Vec::new();
            for round in 0..12 {
                ids.push(
                    user.create_id("items", &json!({"n": (writer * 7 + round * 3) % 17}))
                        .await,
                );
                let path = format!("/records/items/{}", ids[(round * 5) % ids.len()]);
                user.patch(&path, &json!({"n": (writer * 5 + round * 7) % 17}))
                    .await
                    .ok(200);
                if round % 4 == 3 {
                    let id = ids.swap_remove((round * 3) % ids.len());
                    user.delete(&format!("/records/items/{id}")).await.ok(204);
                }
            }
        })
    });
    for writer in soon("the writers", futures_util::future::join_all(writers)).await {
        writer.unwrap();
    }
    for (user, ws) in &mut clients {
        let mut held = HashMap::new();
        apply(&mut held, until_mark(ws, user).await);
        let listed = user.get("/records/items?limit=100").await.ok(200);
        let without_account = |record: &Value| {
            let mut record = record.clone();
            record.as_object_mut().unwrap().remove("account_name");
            record
        };
        let listed: HashMap<String, Value> = listed["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| {
                (
                    item["id"].as_str().unwrap().to_owned(),
                    without_account(item),
                )
            })
            .collect();
        let held: HashMap<String, Value> = held
            .iter()
            .map(|(id, item)| (id.clone(), without_account(item)))
            .collect();
        assert!(!listed.is_empty());
        assert_eq!(held, listed);
    }
}

async fn deleting_an_account_or_a_collection_leaves_the_rest_running(backend: Backend) {
    let (app, user) = items(backend).await;
    let leaving = app.register().await;
    leaving.create("items", &json!({"n": 1})).await;
    let (mut ws, mut gone) = (subscribed(&user).await, subscribed(&leaving).await);
    app.admin
        .delete(&format!("/accounts/{}", leaving.account_id))
        .await
        .ok(204);
    assert_eq!(gone.end().await.code, 1008);
    app.admin.delete("/collections/items").await.ok(200);
    app.collection(
        "items",
        &json!([{"name": "other", "type": "text"}]),
        &open(),
    )
    .await;
    user.create("items", &json!({"other": "x"})).await;
    // Whether the end of the old collection is told or not: the new one's events come.
    loop {
        let frame = ws.frame().await;
        if frame["operation"] == "create" {
            assert_eq!(frame["data"]["other"], "x");
            return;
        }
    }
}
