//! What was acknowledged is there after `kill -9`, together with its entry in the change log.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::direct::texts;
use crate::harness::{Backend, Client, Database, PASSWORD, Process, User, open, soon};

crate::both![acknowledged_writes_survive_a_crash_with_their_log_entries];

const WRITERS: usize = 32;
const ROUNDS: usize = 3;
/// Acknowledged writes before each crash.
const WRITES: usize = 300;
const BATCH: usize = 5;

/// What the server has acknowledged.
#[derive(Clone, Default)]
struct Acknowledged {
    /// The records that exist, with the number that was last acknowledged.
    stored: BTreeMap<String, u64>,
    deleted: BTreeSet<String>,
}

async fn acknowledged_writes_survive_a_crash_with_their_log_entries(backend: Backend) {
    let database = Database::create(backend).await;
    let acknowledged = Arc::new(Mutex::new(Acknowledged::default()));
    let numbers = Arc::new(AtomicU64::new(1));
    for round in 0..ROUNDS {
        let mut server = Process::serve(&database, &[]);
        let user = if round == 0 {
            prepare(&server).await
        } else {
            sign_in(&server).await
        };
        let before = written(&acknowledged);
        let stop = Arc::new(AtomicBool::new(false));
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let state = (
                    user.clone(),
                    acknowledged.clone(),
                    numbers.clone(),
                    stop.clone(),
                );
                tokio::spawn(
                    async move { write(writer, &state.0, &state.1, &state.2, &state.3).await },
                )
            })
            .collect();
        let enough = crate::harness::eventually("enough writes", async || {
            written(&acknowledged) >= before + WRITES
        });
        enough.await;
        server.kill();
        stop.store(true, Ordering::Relaxed);
        soon("the writers", futures_util::future::join_all(writers)).await;
        if backend == Backend::Postgres {
            // The database may still be at work on what the server last told it.
            crate::harness::eventually("the end of its connections", async || {
                texts(&database, OTHERS).await.is_empty()
            })
            .await;
        }
        let so_far = acknowledged.lock().unwrap().clone();
        check(&database, &so_far, round).await;
    }
    // And the server itself agrees.
    let server = Process::serve(&database, &[]);
    let user = sign_in(&server).await;
    let expected = texts(&database, "SELECT id FROM col_items").await.len();
    assert_eq!(user.get("/records/items").await.ok(200)["total"], expected);
}

async fn prepare(server: &Process) -> User {
    let admin = server.admin().await;
    let mut collection = open();
    collection["name"] = json!("items");
    collection["fields"] =
        json!([{"name": "n", "type": "number"}, {"name": "batch", "type": "number"}]);
    admin.post("/collections", &collection).await.ok(201);
    let body = json!({"email": "user@example.com", "password": PASSWORD, "account_name": "acme"});
    server
        .anonymous()
        .post("/auth/register", &body)
        .await
        .ok(201);
    sign_in(server).await
}

async fn sign_in(server: &Process) -> User {
    server
        .anonymous()
        .login("acme", "user@example.com", PASSWORD)
        .await
}

fn written(acknowledged: &Mutex<Acknowledged>) -> usize {
    let acknowledged = acknowledged.lock().unwrap();
    acknowledged.stored.len() + acknowledged.deleted.len()
}

/// Creates, changes and deletes records, alone and in batches, until the server is gone.
async fn write(
    writer: usize,
    user: &User,
    acknowledged: &Mutex<Acknowledged>,
    numbers: &AtomicU64,
    stop: &AtomicBool,
) {
    let mut own: Vec<String> = Vec::new();
    let mut turn = writer;
    while !stop.load(Ordering::Relaxed) {
        turn += 1;
        let number = numbers.fetch_add(1, Ordering::Relaxed);
        let done = match turn % 5 {
            0 => batch(user, acknowledged, number).await,
            1 if !own.is_empty() => {
                let id = own[turn % own.len()].clone();
                change(user, acknowledged, &id, number).await
            }
            2 if own.len() > 2 => remove(user, acknowledged, &own.remove(0)).await,
            _ => match create(user, number).await {
                Some(id) => {
                    acknowledged
                        .lock()
                        .unwrap()
                        .stored
                        .insert(id.clone(), number);
                    own.push(id);
                    Some(())
                }
                None => None,
            },
        };
        if done.is_none() {
            return;
        }
    }
}

/// A request whose answer may never come.
async fn send(
    user: &Client,
    method: reqwest::Method,
    path: &str,
    body: &Value,
) -> Option<(u16, Value)> {
    let response = user.request(method, path).json(body).send().await.ok()?;
    let status = response.status().as_u16();
    let text = response.text().await.ok()?;
    assert!(status < 300, "{path}: {status} {text}");
    Some((status, serde_json::from_str(&text).unwrap_or_default()))
}

async fn create(user: &User, number: u64) -> Option<String> {
    let (_, record) = send(
        user,
        reqwest::Method::POST,
        "/records/items",
        &json!({"n": number}),
    )
    .await?;
    Some(record["id"].as_str()?.to_owned())
}

async fn batch(user: &User, acknowledged: &Mutex<Acknowledged>, number: u64) -> Option<()> {
    let records = vec![json!({"n": number, "batch": number}); BATCH];
    let (_, answer) = send(
        user,
        reqwest::Method::POST,
        "/records/items/batch",
        &json!({"records": records}),
    )
    .await?;
    let mut acknowledged = acknowledged.lock().unwrap();
    for record in answer["created"].as_array()? {
        acknowledged
            .stored
            .insert(record["id"].as_str()?.to_owned(), number);
    }
    Some(())
}

async fn change(
    user: &User,
    acknowledged: &Mutex<Acknowledged>,
    id: &str,
    number: u64,
) -> Option<()> {
    // Whether it is stored is open from now on, until it is acknowledged.
    let before = acknowledged.lock().unwrap().stored.remove(id)?;
    let path = format!("/records/items/{id}");
    let answer = send(user, reqwest::Method::PATCH, &path, &json!({"n": number})).await;
    let known = if answer.is_some() {
        number
    } else {
        u64::MAX - before
    };
    acknowledged
        .lock()
        .unwrap()
        .stored
        .insert(id.to_owned(), known);
    answer.map(drop)
}

async fn remove(user: &User, acknowledged: &Mutex<Acknowledged>, id: &str) -> Option<()> {
    acknowledged.lock().unwrap().stored.remove(id);
    send(
        user,
        reqwest::Method::DELETE,
        &format!("/records/items/{id}"),
        &Value::Null,
    )
    .await?;
    acknowledged.lock().unwrap().deleted.insert(id.to_owned());
    Some(())
}

/// Compares the tables with what was acknowledged, and with the change log.
async fn check(database: &Database, acknowledged: &Acknowledged, round: usize) {
    let rows = "SELECT id || ' ' || CAST(CAST(n AS BIGINT) AS TEXT) FROM col_items";
    let stored: BTreeMap<String, u64> = texts(database, rows)
        .await
        .iter()
        .map(|row| row.split_once(' ').unwrap())
        .map(|(id, n)| (id.to_owned(), n.parse().unwrap()))
        .collect();
    for (id, number) in &acknowledged.stored {
        let found = stored
            .get(id)
            .unwrap_or_else(|| panic!("round {round}: the acknowledged record {id} is lost"));
        // A change that was never answered may be stored or not.
        assert!(
            found == number || *number > u64::MAX / 2,
            "round {round}: {id} has {found} and not {number}"
        );
    }
    for id in &acknowledged.deleted {
        assert!(
            !stored.contains_key(id),
            "round {round}: the deleted record {id} is back"
        );
    }
    // The log tells the same story: its last word on every record is what is stored.
    let log = "SELECT c.record_id || ' ' || c.operation FROM change_log c WHERE c.record_id IS NOT NULL \
               AND c.operation IN ('create', 'update', 'delete') ORDER BY c.position";
    let mut told = BTreeMap::new();
    for entry in texts(database, log).await {
        let (id, operation) = entry.split_once(' ').unwrap();
        let before = told.insert(id.to_owned(), operation.to_owned());
        assert_eq!(
            before.is_none(),
            operation == "create",
            "round {round}: {entry} after {before:?}"
        );
    }
    let alive: BTreeSet<&String> = told
        .iter()
        .filter(|(_, last)| *last != "delete")
        .map(|(id, _)| id)
        .collect();
    assert_eq!(
        alive,
        stored.keys().collect(),
        "round {round}: log and table disagree"
    );
    let differing = texts(database, DIFFERING).await;
    assert!(differing.is_empty(), "round {round}: {differing:?}");
    // Batches are there as a whole or not at all, apart from what was never changed since.
    let halves = "SELECT CAST(batch AS TEXT) FROM col_items WHERE batch IS NOT NULL GROUP BY batch HAVING count(*) <> 5";
    let halves = texts(database, halves).await;
    assert!(halves.is_empty(), "round {round}: {halves:?}");
}

/// Who else is connected to a database of PostgreSQL.
const OTHERS: &str = "SELECT CAST(pid AS TEXT) FROM pg_stat_activity \
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'";

/// Records whose last log entry does not have the number that is stored; works on both databases.
const DIFFERING: &str = "SELECT i.id FROM col_items i JOIN change_log c ON c.record_id = i.id \
    WHERE c.position = (SELECT max(m.position) FROM change_log m WHERE m.record_id = i.id) \
    AND replace(c.record, ' ', '') NOT LIKE '%\"n\":' || CAST(CAST(i.n AS BIGINT) AS TEXT) || '%'";
