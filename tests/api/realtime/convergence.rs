//! Whoever puts what is created and updated into a map, and takes out what is deleted, holds what the list shows.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::harness::{Backend, Sse, TestApp, User, Ws, open, soon};

crate::both![everybody_ends_up_with_what_the_list_shows];

const WRITES: u64 = 60;
const OWNERS: u64 = 4;

/// A small generator of numbers: the same ones in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

/// Writes at random, some of it in batches.
async fn write(user: User, owners: Vec<String>, seed: u64) {
    let mut numbers = Numbers(seed);
    let mut ids: Vec<String> = Vec::new();
    for _ in 0..WRITES {
        let owner = &owners[usize::try_from(numbers.below(OWNERS)).unwrap()];
        let open = numbers.below(4) == 0;
        let body = json!({"owner": owner, "title": if open { "open" } else { "shut" }, "secret": "s"});
        let at = usize::try_from(numbers.below(u64::try_from(ids.len()).unwrap() + 1)).unwrap();
        match (numbers.below(6), ids.get(at).cloned()) {
            (0, Some(id)) => {
                ids.remove(at);
                user.delete(&format!("/records/posts/{id}")).await;
            }
            (1..=3, Some(id)) => {
                user.patch(&format!("/records/posts/{id}"), &body).await.ok(200);
            }
            (4, _) => {
                let answer =
                    user.post("/records/posts/batch", &json!({"records": [body, {"title": "open"}]})).await.ok(201);
                let created = answer["created"].as_array().unwrap().clone();
                ids.extend(created.iter().map(|record| record["id"].as_str().unwrap().to_owned()));
            }
            _ => ids.push(user.create_id("posts", &body).await),
        }
    }
}

/// What a client holds.
#[derive(Default)]
struct Held(BTreeMap<String, Value>);

impl Held {
    /// Applies an event; says whether it was the last one.
    fn apply(&mut self, event: &Value) -> bool {
        let id = event["id"].as_str().unwrap().to_owned();
        match event["operation"].as_str().unwrap() {
            "delete" => self.0.remove(&id),
            _ => self.0.insert(id, event["data"].clone()),
        };
        event["data"]["title"] == "the end"
    }
}

/// The records that a user's list shows.
async fn listed(user: &User) -> BTreeMap<String, Value> {
    let mut all = BTreeMap::new();
    loop {
        let page = user.get(&format!("/records/posts?limit=100&skip={}", all.len())).await.ok(200);
        let items = page["items"].as_array().unwrap();
        for item in items {
            // A list names the account, an event does not.
            let mut item = item.clone();
            item["account_name"] = Value::Null;
            all.insert(item["id"].as_str().unwrap().to_owned(), item);
        }
        if items.len() < 100 {
            return all;
        }
    }
}

/// Hears by WebSocket.
async fn hear_ws(mut ws: Ws) -> Held {
    let mut held = Held::default();
    while !held.apply(&ws.frame().await) {}
    held
}

/// Hears by a stream that breaks now and then.
async fn hear_sse(user: User, mut sse: Sse) -> Held {
    let mut held = Held::default();
    let mut count = 0;
    loop {
        let event = sse.event().await;
        if held.apply(&event.data) {
            return held;
        }
        count += 1;
        if count % 10 == 0 {
            drop(sse);
            sse = Sse::resume(&user, "?collection=posts", &event.id.unwrap()).await;
        }
    }
}

async fn everybody_ends_up_with_what_the_list_shows(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let mut rules = open();
    rules["list_rule"] = "owner = @request.auth.id || title = 'open' || title = 'the end'".into();
    rules["list_fields"] = json!(["title", "owner", "mail"]);
    let fields = ["title", "owner", "mail", "secret"].map(|name| json!({"name": name, "type": "text"}));
    app.collection("posts", &json!(fields), &rules).await;
    let first = app.register().await;
    let mut users = vec![first.clone()];
    for _ in 1..OWNERS {
        users.push(app.colleague_of(&first).await);
    }
    let owners: Vec<String> = users.iter().map(|user| user.id.clone()).collect();
    let mut hearing = Vec::new();
    for user in &users {
        let mut ws = Ws::connect(user).await;
        ws.subscribe("posts").await;
        hearing.push((user.clone(), tokio::spawn(hear_ws(ws))));
        let sse = Sse::open(user, "?collection=posts").await;
        hearing.push((user.clone(), tokio::spawn(hear_sse(user.clone(), sse))));
    }
    let writing = users.iter().zip(1..).map(|(user, seed)| tokio::spawn(write(user.clone(), owners.clone(), seed)));
    for writing in writing.collect::<Vec<_>>() {
        writing.await.unwrap();
    }
    first.create("posts", &json!({"title": "the end"})).await;
    for (user, hearing) in hearing {
        let held = soon("the last event", hearing).await.unwrap();
        assert_eq!(held.0, listed(&user).await);
    }
}
