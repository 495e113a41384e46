//! A rule that reads other records and the write that it allows are one step, whoever writes at the
//! same moment.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::harness::{Backend, TestApp, User, open};

crate::both![
    a_rule_that_counts_holds_under_32_writers,
    a_rule_that_counts_holds_for_batches,
    an_update_rule_that_counts_holds,
    a_delete_rule_that_counts_holds,
    two_collections_whose_rules_read_each_other_hold,
    items_of_a_batch_are_judged_in_the_order_of_the_request,
];

const WRITERS: usize = 32;
const ROUNDS: usize = 100;

async fn start(backend: Backend, name: &str, fields: &Value) -> (TestApp, User) {
    let app = TestApp::spawn_with(backend, |config| config.database.pool_size = 20).await;
    app.collection(name, fields, &open()).await;
    let user = app.register().await;
    (app, user)
}

async fn define_macro(app: &TestApp, name: &str, query: &str, parameters: &Value) {
    let body = json!({"name": name, "sql_query": query, "parameters": parameters});
    app.admin.post("/macros", &body).await.ok(201);
}

/// Sends requests at the same moment and returns how many were answered with each of two statuses;
/// no other may come.
async fn at_once<F>(count: usize, expected: [u16; 2], send: impl Fn(usize) -> F) -> [usize; 2]
where
    F: Future<Output = crate::harness::Answer> + Send + 'static,
{
    let mut requests = JoinSet::new();
    for number in 0..count {
        requests.spawn(send(number));
    }
    let mut counts = [0, 0];
    while let Some(answer) = requests.join_next().await {
        let answer = answer.unwrap();
        let index = expected.iter().position(|status| *status == answer.status);
        counts[index.unwrap_or_else(|| panic!("{}: {}", answer.status, answer.text))] += 1;
    }
    counts
}

async fn total(user: &User, collection: &str, filter: &str) -> i64 {
    user.query(
        &format!("/records/{collection}"),
        &[("filter", filter), ("limit", "1")],
    )
    .await
    .ok(200)["total"]
        .as_i64()
        .unwrap()
}

async fn seats(backend: Backend) -> (TestApp, Arc<User>) {
    let (app, user) = start(
        backend,
        "seats",
        &json!([{"name": "event", "type": "text", "index": true}]),
    )
    .await;
    define_macro(
        &app,
        "taken",
        "SELECT COUNT(*) FROM seats WHERE event = $1",
        &json!(["event"]),
    )
    .await;
    app.rules(
        "seats",
        &json!({"create_rule": "@taken(@request.data.event) < 3"}),
    )
    .await;
    (app, Arc::new(user))
}

async fn a_rule_that_counts_holds_under_32_writers(backend: Backend) {
    let (_app, user) = seats(backend).await;
    for round in 0..ROUNDS {
        let counts = at_once(WRITERS, [201, 400], |_| {
            let user = user.clone();
            async move {
                user.post("/records/seats", &json!({"event": format!("e{round}")}))
                    .await
            }
        })
        .await;
        assert_eq!(counts, [3, WRITERS - 3], "round {round}");
    }
    assert_eq!(
        total(&user, "seats", "event != 'x'").await,
        i64::try_from(3 * ROUNDS).unwrap()
    );
}

async fn a_rule_that_counts_holds_for_batches(backend: Backend) {
    let (_app, user) = seats(backend).await;
    for round in 0..10 {
        let event = format!("e{round}");
        let counts = at_once(WRITERS, [201, 400], |number| {
            // Twos and ones: three fit in any case.
            let records = vec![json!({"event": event}); 1 + number % 2];
            let user = user.clone();
            async move {
                user.post("/records/seats/batch", &json!({"records": records}))
                    .await
            }
        })
        .await;
        assert_eq!(
            total(&user, "seats", &format!("event = '{event}'")).await,
            3,
            "{counts:?}"
        );
    }
    let four = json!({"records": vec![json!({"event": "four"}); 4]});
    let refusal = user
        .post("/records/seats/batch", &four)
        .await
        .refused(400, "");
    assert_eq!(refusal["index"], 3);
    assert_eq!(total(&user, "seats", "event = 'four'").await, 0);
}

async fn tickets(backend: Backend, rules: &Value) -> (TestApp, Arc<User>, Vec<String>) {
    let (app, user) = start(
        backend,
        "tickets",
        &json!([{"name": "status", "type": "text"}]),
    )
    .await;
    define_macro(
        &app,
        "open_tickets",
        "SELECT COUNT(*) FROM tickets WHERE status = 'open'",
        &json!([]),
    )
    .await;
    define_macro(
        &app,
        "tickets_left",
        "SELECT COUNT(*) FROM tickets",
        &json!([]),
    )
    .await;
    let records = vec![json!({"status": "closed"}); WRITERS];
    let created = user
        .post("/records/tickets/batch", &json!({"records": records}))
        .await
        .ok(201);
    let ids = created["created"]
        .as_array()
        .unwrap()
        .iter()
        .map(|record| record["id"].as_str().unwrap().to_owned());
    let ids = ids.collect();
    app.rules("tickets", rules).await;
    (app, Arc::new(user), ids)
}

const ONE_OPEN: &str = "@request.data.status != 'open' || @open_tickets() = 0";

async fn an_update_rule_that_counts_holds(backend: Backend) {
    let (_app, user, ids) = tickets(backend, &json!({"update_rule": ONE_OPEN})).await;
    for _ in 0..20 {
        let counts = at_once(WRITERS, [200, 404], |number| {
            let (user, path) = (user.clone(), format!("/records/tickets/{}", ids[number]));
            async move { user.patch(&path, &json!({"status": "open"})).await }
        })
        .await;
        assert_eq!(counts, [1, WRITERS - 1]);
        let opened = user
            .query("/records/tickets", &[("filter", "status = 'open'")])
            .await
            .ok(200);
        assert_eq!(opened["total"], 1);
        let path = format!(
            "/records/tickets/{}",
            opened["items"][0]["id"].as_str().unwrap()
        );
        user.patch(&path, &json!({"status": "closed"}))
            .await
            .ok(200);
    }
}

async fn a_delete_rule_that_counts_holds(backend: Backend) {
    let (_app, user, ids) = tickets(backend, &json!({"delete_rule": "@tickets_left() > 2"})).await;
    let counts = at_once(WRITERS, [204, 404], |number| {
        let (user, path) = (user.clone(), format!("/records/tickets/{}", ids[number]));
        async move { user.delete(&path).await }
    })
    .await;
    assert_eq!(counts, [WRITERS - 2, 2]);
    assert_eq!(total(&user, "tickets", "status = 'closed'").await, 2);
}

async fn two_collections_whose_rules_read_each_other_hold(backend: Backend) {
    let key = json!([{"name": "key", "type": "text", "index": true}]);
    let (app, user) = start(backend, "left", &key).await;
    app.collection("right", &key, &open()).await;
    for name in ["left", "right"] {
        let query = format!("SELECT COUNT(*) FROM {name} WHERE key = $1");
        define_macro(&app, &format!("in_{name}"), &query, &json!(["key"])).await;
    }
    app.rules(
        "left",
        &json!({"create_rule": "@in_right(@request.data.key) = 0"}),
    )
    .await;
    app.rules(
        "right",
        &json!({"create_rule": "@in_left(@request.data.key) = 0"}),
    )
    .await;
    let user = Arc::new(user);
    for round in 0..30 {
        let key = format!("k{round}");
        at_once(16, [201, 400], |number| {
            let path = if number % 2 == 0 {
                "/records/left"
            } else {
                "/records/right"
            };
            let (user, body) = (user.clone(), json!({"key": key}));
            async move { user.post(path, &body).await }
        })
        .await;
        let filter = format!("key = '{key}'");
        let (left, right) = (
            total(&user, "left", &filter).await,
            total(&user, "right", &filter).await,
        );
        assert!(
            left.min(right) == 0 && left.max(right) == 8,
            "{left} and {right}"
        );
    }
}

async fn items_of_a_batch_are_judged_in_the_order_of_the_request(backend: Backend) {
    let (_app, user, ids) = tickets(backend, &json!({"update_rule": ONE_OPEN})).await;
    let item = |id: &str, status: &str| json!({"id": id, "data": {"status": status}});
    for (first, second) in [(0, 1), (1, 0), (0, 1)] {
        user.patch(
            &format!("/records/tickets/{}", ids[first]),
            &json!({"status": "open"}),
        )
        .await
        .ok(200);
        let body = json!({"records": [item(&ids[second], "open"), item(&ids[first], "closed")]});
        let refusal = user
            .patch("/records/tickets/batch", &body)
            .await
            .refused(404, "");
        assert_eq!(refusal["index"], 0);
        let body = json!({"records": [item(&ids[first], "closed"), item(&ids[second], "open")]});
        user.patch("/records/tickets/batch", &body).await.ok(200);
        user.patch(
            &format!("/records/tickets/{}", ids[second]),
            &json!({"status": "closed"}),
        )
        .await
        .ok(200);
    }
}
