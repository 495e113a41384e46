//! Many who write the same records, or while definitions change: nobody hears of it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::harness::{Backend, TestApp, User, open};

crate::both![
    batches_over_the_same_records_in_any_order_all_succeed,
    batches_that_take_the_same_unique_values_in_any_order_succeed_or_conflict,
    a_definition_changes_while_others_write,
];

async fn start(backend: Backend, fields: &Value) -> (TestApp, Arc<User>) {
    let app = TestApp::spawn_with(backend, |config| config.database.pool_size = 12).await;
    app.collection("items", fields, &open()).await;
    let user = Arc::new(app.register().await);
    (app, user)
}

async fn batches_over_the_same_records_in_any_order_all_succeed(backend: Backend) {
    let (_app, user) = start(backend, &json!([{"name": "n", "type": "number"}])).await;
    let created = user
        .post(
            "/records/items/batch",
            &json!({"records": vec![json!({"n": 0}); 20]}),
        )
        .await
        .ok(201);
    let ids: Vec<String> = created["created"]
        .as_array()
        .unwrap()
        .iter()
        .map(|record| record["id"].as_str().unwrap().to_owned())
        .collect();
    let mut writers = JoinSet::new();
    for writer in 0..9 {
        let (user, mut ids) = (user.clone(), ids.clone());
        match writer % 3 {
            0 => {}
            1 => ids.reverse(),
            _ => ids.rotate_left(7),
        }
        writers.spawn(async move {
            for round in 0..4 {
                let records: Vec<Value> = ids
                    .iter()
                    .map(|id| json!({"id": id, "data": {"n": writer * 10 + round}}))
                    .collect();
                let answer = user
                    .patch("/records/items/batch", &json!({"records": records}))
                    .await
                    .ok(200);
                let answered: Vec<&str> = answer["updated"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|record| record["id"].as_str().unwrap())
                    .collect();
                assert_eq!(answered, ids, "the answer keeps the order of the request");
            }
        });
    }
    while let Some(writer) = writers.join_next().await {
        writer.unwrap();
    }
}

async fn batches_that_take_the_same_unique_values_in_any_order_succeed_or_conflict(
    backend: Backend,
) {
    let (_app, user) = start(
        backend,
        &json!([{"name": "code", "type": "text", "unique": true}]),
    )
    .await;
    for round in 0..5 {
        let mut writers = JoinSet::new();
        for writer in 0..6 {
            let mut records: Vec<Value> = (0..10)
                .map(|n| json!({"code": format!("{round}-{n}")}))
                .collect();
            if writer % 2 == 1 {
                records.reverse();
            }
            let user = user.clone();
            writers.spawn(async move {
                user.post("/records/items/batch", &json!({"records": records}))
                    .await
                    .status
            });
        }
        let mut statuses = writers.join_all().await;
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 409, 409, 409, 409, 409]);
    }
}

/// How many answers had each status, and the texts of those that were not expected.
#[derive(Debug, Default)]
struct Tally(BTreeMap<u16, usize>, Vec<String>);

async fn a_definition_changes_while_others_write(backend: Backend) {
    let mut fields = json!([{"name": "t", "type": "text"}, {"name": "n", "type": "number"}]);
    let (app, user) = start(backend, &fields).await;
    app.collection(
        "elsewhere",
        &json!([{"name": "t", "type": "text"}]),
        &open(),
    )
    .await;
    let stranger = Arc::new(app.register().await);
    let id = user.create_id("items", &json!({"t": "x", "n": 1})).await;
    let stop = Arc::new(AtomicBool::new(false));
    let mut writers = JoinSet::new();
    for writer in 0..6 {
        let (stop, id) = (stop.clone(), id.clone());
        let user = if writer < 4 {
            user.clone()
        } else {
            stranger.clone()
        };
        writers.spawn(async move {
            let mut tally = Tally::default();
            while !stop.load(Ordering::Relaxed) {
                let path = format!("/records/items/{id}");
                let answer = match writer {
                    0 | 1 => user.post("/records/items", &json!({"t": "y"})).await,
                    2 => user.patch(&path, &json!({"t": "z"})).await,
                    3 => {
                        user.query(
                            "/records/items",
                            &[("filter", "t != 'q'"), ("sort", "-t"), ("limit", "5")],
                        )
                        .await
                    }
                    _ => user.post("/records/elsewhere", &json!({"t": "x"})).await,
                };
                *tally.0.entry(answer.status).or_default() += 1;
                if answer.status >= 300 {
                    tally.1.push(answer.text);
                }
            }
            (writer, tally)
        });
    }
    for round in 0..8 {
        let old = fields[1]["name"].clone();
        fields[1]["name"] = format!("n{round}").into();
        let rename = json!({"rename": {old.as_str().unwrap(): fields[1]["name"]}});
        app.admin.put("/collections/items", &rename).await.ok(200);
        fields
            .as_array_mut()
            .unwrap()
            .push(json!({"name": format!("f{round}"), "type": "text", "default": "d"}));
        app.admin
            .put("/collections/items", &json!({"schema": fields}))
            .await
            .ok(200);
        fields[0]["index"] = (round % 2 == 0).into();
        app.admin
            .put("/collections/items", &json!({"schema": fields}))
            .await
            .ok(200);
    }
    stop.store(true, Ordering::Relaxed);
    while let Some(writer) = writers.join_next().await {
        let (writer, Tally(statuses, texts)) = writer.unwrap();
        assert!(texts.is_empty(), "{writer}: {statuses:?} {texts:?}");
        assert!(statuses.values().sum::<usize>() > 0);
    }
}
