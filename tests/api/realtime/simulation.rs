//! Random worlds: many write, rules, roles and fields change, clients come and go, read slowly and go on after breaks. In
//! the end everybody holds what the list shows, whatever happened in between.
//!
//! Each run has a seed, which decides about everything but the speed of the machine. `SNACKBASE_TEST_SIMULATIONS=1000`
//! makes more runs, `SNACKBASE_TEST_SEED=17` repeats one. A failure writes down what every client did and heard.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::{Backend, Sse, TestApp, User, Ws, open};

crate::both![everybody_holds_what_the_list_shows_in_the_end];

/// Runs on each database, unless the environment says otherwise.
const RUNS: u64 = 20;
const WRITERS: u64 = 3;
const TURNS: u64 = 14;
/// How long it may take until everybody knows everything.
const SETTLING: Duration = Duration::from_secs(30);

const RULES: [&str; 6] = [
    "",
    "n > 3",
    "owner = @request.auth.id",
    "owner = @request.auth.id || n < 8",
    "@request.auth.role = 'admin' || n > 5",
    "n != 7 && (owner = @request.auth.id || @has_group('pii_access') || n > 9)",
];
const FILTERS: [&str; 3] = ["n < 10", "n > 2 && n < 14", "n != 4 && created_by != ''"];

/// Numbers that look random and are the same for the same seed.
#[derive(Clone)]
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[usize::try_from(self.roll(from.len() as u64)).unwrap()]
    }
}

/// What a client holds, and what it has been through.
#[derive(Default)]
struct Notes {
    held: BTreeMap<String, Value>,
    trace: String,
}

/// A client.
#[derive(Clone)]
struct Listener {
    name: String,
    user: User,
    filter: Option<&'static str>,
    /// A whole number of milliseconds that it takes for each frame.
    slowness: u64,
    notes: Arc<Mutex<Notes>>,
}

impl Listener {
    fn note(&self, text: &str) {
        let text: String = text.chars().take(300).collect();
        let _ = writeln!(self.notes.lock().unwrap().trace, "{text}");
    }

    /// The records that its list shows.
    async fn listed(&self) -> BTreeMap<String, Value> {
        let mut all = BTreeMap::new();
        let mut cursor = String::new();
        loop {
            let mut query = vec![("limit", "100"), ("sort", "id"), ("cursor", cursor.as_str())];
            query.extend(self.filter.map(|filter| ("filter", filter)));
            let page = self.user.query("/records/items", &query).await.ok(200);
            all.extend(page["items"].as_array().unwrap().iter().map(entry));
            match page["next_cursor"].as_str() {
                Some(next) => next.clone_into(&mut cursor),
                None => return all,
            }
        }
    }

    async fn fetch_again(&self) {
        let listed = self.listed().await;
        self.note(&format!("fetched {} records", listed.len()));
        self.notes.lock().unwrap().held = listed;
    }

    fn apply(&self, event: &Value) {
        let mut notes = self.notes.lock().unwrap();
        let id = event["id"].as_str().unwrap().to_owned();
        if event["operation"] == "delete" {
            notes.held.remove(&id);
        } else {
            let (id, record) = entry(&event["data"]);
            notes.held.insert(id, record);
        }
    }

    /// Hears by WebSocket, with a snapshot at the beginning and cursors later.
    async fn hear_ws(self, mut dice: Dice) {
        let mut cursor: Option<Value> = None;
        loop {
            let mut ws = Ws::connect(&self.user).await;
            let mut message = json!({"action": "subscribe", "collection": "items", "ref": self.name});
            if let Some(filter) = self.filter {
                message["filter"] = json!(filter);
            }
            if let Some(cursor) = &cursor {
                message["since"] = cursor.clone();
            } else {
                (message["snapshot"], message["limit"]) = (json!(true), json!(1000));
            }
            self.note(&format!("connects: {message}"));
            ws.send(&message).await;
            let mut fresh = true;
            for _ in 0..=dice.roll(25) {
                let frame = ws.frame().await;
                self.note(&frame.to_string());
                match frame["type"].as_str() {
                    Some("subscribed") => {}
                    Some("snapshot") => {
                        let mut notes = self.notes.lock().unwrap();
                        if std::mem::take(&mut fresh) {
                            notes.held.clear();
                        }
                        notes.held.extend(frame["items"].as_array().unwrap().iter().map(entry));
                    }
                    Some("live" | "replayed" | "checkpoint") => cursor = Some(frame["cursor"].clone()),
                    Some("resync") => {
                        cursor = Some(frame["cursor"].clone());
                        self.fetch_again().await;
                    }
                    Some(_) => {
                        self.apply(&frame);
                        // Before the end of the snapshot there is no place to go on from.
                        cursor = cursor.map(|_| frame["cursor"].clone());
                    }
                    None => panic!("{}: {frame}", self.name),
                }
                tokio::time::sleep(Duration::from_millis(self.slowness)).await;
            }
            if dice.roll(2) == 0 {
                ws.close().await;
            }
            tokio::time::sleep(Duration::from_millis(dice.roll(60))).await;
        }
    }

    /// Hears by a stream, as a browser does, after a list.
    async fn hear_sse(self, mut dice: Dice) {
        let list = self.user.get("/records/items?limit=1").await;
        let mut cursor = list.header("x-realtime-cursor").unwrap().to_owned();
        self.fetch_again().await;
        let filter = self.filter.map(urlencode);
        let query =
            filter.map_or("?collection=items".to_owned(), |filter| format!("?collection=items&filter={filter}"));
        loop {
            self.note(&format!("connects after {cursor}"));
            let mut stream = Sse::resume(&self.user, &query, &cursor).await;
            for _ in 0..=dice.roll(25) {
                let Some(event) = stream.any_event().await else { break };
                cursor = stream.last_event_id.clone().unwrap_or(cursor);
                match event.name.as_str() {
                    "heartbeat" => continue,
                    "message" => self.apply(&event.data),
                    "resync" => self.fetch_again().await,
                    _ => {}
                }
                self.note(&format!("{}: {}", event.name, event.data));
                tokio::time::sleep(Duration::from_millis(self.slowness)).await;
            }
            drop(stream);
            tokio::time::sleep(Duration::from_millis(dice.roll(60))).await;
        }
    }

    /// What it holds and should not, or should hold and does not.
    async fn difference(&self) -> Option<String> {
        let listed = self.listed().await;
        let held = self.notes.lock().unwrap().held.clone();
        if held == listed {
            return None;
        }
        let mut text = format!("{} ({}):\n", self.name, self.user.email);
        let ids: std::collections::BTreeSet<&String> = held.keys().chain(listed.keys()).collect();
        for id in ids.into_iter().filter(|id| held.get(*id) != listed.get(*id)) {
            let _ = writeln!(text, "  {id}\n    held   {:?}\n    listed {:?}", held.get(id), listed.get(id));
        }
        Some(text)
    }
}

fn urlencode(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// A record by its id. Lists name the account, events do not.
fn entry(record: &Value) -> (String, Value) {
    let mut record = record.clone();
    record.as_object_mut().unwrap().remove("account_name");
    (record["id"].as_str().unwrap().to_owned(), record)
}

/// Creates, changes, deletes, alone and in batches, with references that cascade.
async fn write(users: Vec<User>, mut dice: Dice) {
    let mut known: Vec<String> = Vec::new();
    for _ in 0..TURNS {
        let user = &users[usize::try_from(dice.roll(users.len() as u64)).unwrap()];
        let owner = &users[usize::try_from(dice.roll(users.len() as u64)).unwrap()].id;
        let mut body = json!({"n": dice.roll(16), "owner": owner, "phone": format!("+49 {}", dice.roll(1_000_000))});
        let at = usize::try_from(dice.roll(known.len().max(1) as u64)).unwrap();
        match (dice.roll(8), known.get(at).cloned()) {
            (0, Some(id)) => {
                user.delete(&format!("/records/items/{id}")).await;
            }
            (1..=3, Some(id)) => {
                user.patch(&format!("/records/items/{id}"), &body).await;
            }
            (4, Some(parent)) => {
                body["parent"] = json!(parent);
                let answer = user.post("/records/items", &body).await;
                known.extend(answer.body["id"].as_str().map(str::to_owned));
            }
            (5, _) => {
                let bad = if dice.roll(3) == 0 { json!("bad") } else { json!(5) };
                let mut records = vec![body.clone(), json!({"n": bad})];
                // More at once than a queue holds.
                records.extend((0..dice.roll(20)).map(|n| json!({"n": n, "owner": owner})));
                user.post("/records/items/batch", &json!({"records": records})).await;
            }
            _ => known.push(user.create_id("items", &body).await),
        }
        tokio::time::sleep(Duration::from_millis(dice.roll(10))).await;
    }
}

/// Changes what users may see.
async fn upset(app: &TestApp, colleague: &User, mut dice: Dice, trace: &Mutex<String>) {
    for turn in 0..5 {
        tokio::time::sleep(Duration::from_millis(20 + dice.roll(60))).await;
        let deed = match dice.roll(4) {
            0 | 1 => {
                let rule = dice.pick(&RULES);
                app.rules("items", &json!({"list_rule": rule})).await;
                format!("list_rule: {rule}")
            }
            2 => {
                let role = 1 + dice.roll(2);
                app.admin.patch(&format!("/users/{}", colleague.id), &json!({"role_id": role})).await.ok(200);
                format!("role of {}: {role}", colleague.email)
            }
            _ if turn > 0 => {
                let shown = if dice.roll(2) == 0 { json!("*") } else { json!(["n", "phone"]) };
                app.rules("items", &json!({"list_fields": shown})).await;
                format!("list_fields: {shown}")
            }
            _ => {
                let mut fields = fields();
                fields.as_array_mut().unwrap().push(json!({"name": "extra", "type": "text"}));
                app.admin.put("/collections/items", &json!({"fields": fields})).await.ok(200);
                "one more field".to_owned()
            }
        };
        let _ = writeln!(trace.lock().unwrap(), "{deed}");
    }
}

fn fields() -> Value {
    json!([
        {"name": "n", "type": "number"},
        {"name": "owner", "type": "text"},
        {"name": "phone", "type": "text", "pii": true, "mask_type": "phone"},
        {"name": "parent", "type": "reference", "collection": "items", "on_delete": "cascade"}
    ])
}

async fn simulate(backend: Backend, seed: u64) {
    let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let app = TestApp::spawn_with(backend, |config| {
        config.realtime.heartbeat_seconds = 1;
        config.realtime.checkpoint_seconds = 1;
        // So small that many fall behind.
        config.realtime.queue_frames = 5;
    })
    .await;
    app.collection("items", &fields(), &open()).await;
    app.rules("items", &json!({"list_rule": dice.pick(&RULES)})).await;
    let member = app.register().await;
    let colleague = app.colleague_of(&member).await;
    let users = vec![member.clone(), colleague.clone()];
    let mut listeners = Vec::new();
    let mut hearing = tokio::task::JoinSet::new();
    for (index, user) in [&member, &colleague, &colleague, &member, &colleague].into_iter().enumerate() {
        let kind = if index % 2 == 0 { "ws" } else { "sse" };
        let filter = (index > 1).then(|| dice.pick(&FILTERS));
        let slowness = if index == 2 { 15 } else { dice.roll(3) };
        let listener =
            Listener { name: format!("{kind} {index}"), user: user.clone(), filter, slowness, notes: Arc::default() };
        listeners.push(listener.clone());
        let own = Dice(dice.roll(u64::MAX >> 1));
        if kind == "ws" {
            hearing.spawn(listener.hear_ws(own))
        } else {
            hearing.spawn(listener.hear_sse(own))
        };
    }
    let deeds = Mutex::new(String::new());
    let writing = (0..WRITERS).map(|writer| write(users.clone(), Dice(seed * 1000 + writer)));
    tokio::join!(futures_util::future::join_all(writing), upset(&app, &colleague, dice, &deeds));
    let deadline = Instant::now() + SETTLING;
    for listener in &listeners {
        while let Some(difference) = listener.difference().await {
            let crashed = hearing.try_join_next();
            if Instant::now() > deadline || crashed.is_some() {
                let report = report(seed, &difference, &deeds, &listeners);
                panic!(
                    "seed {seed}: a client does not hold what the list shows{crashed:?}; see {report}\n{difference}"
                );
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    hearing.abort_all();
}

/// Writes down what happened; returns where.
fn report(seed: u64, difference: &str, deeds: &Mutex<String>, listeners: &[Listener]) -> String {
    let path = format!("{}/simulation-{seed}.txt", env!("CARGO_TARGET_TMPDIR"));
    let mut text = format!("{difference}\n== deeds\n{}", deeds.lock().unwrap());
    for listener in listeners {
        let _ = write!(text, "\n== {}\n{}", listener.name, listener.notes.lock().unwrap().trace);
    }
    std::fs::write(&path, text).unwrap();
    path
}

async fn everybody_holds_what_the_list_shows_in_the_end(backend: Backend) {
    let number = |name: &str| std::env::var(name).ok().and_then(|value| value.parse::<u64>().ok());
    let seeds = match number("SNACKBASE_TEST_SEED") {
        Some(seed) => seed..seed + 1,
        None => 1..number("SNACKBASE_TEST_SIMULATIONS").unwrap_or(RUNS) + 1,
    };
    for seed in seeds {
        eprintln!("simulation with seed {seed}");
        simulate(backend, seed).await;
    }
}
