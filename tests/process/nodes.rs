//! Two servers on one PostgreSQL.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;

use serde_json::{Value, json};
use sqlx::{Connection as _, Executor as _};

use crate::harness::{Backend, Database, PASSWORD, Process, User, Ws, eventually, open};

const WRITERS: usize = 16;
/// Acknowledged changes of each writer.
const WRITES: usize = 64;
const HOT: usize = 4;
/// Numbers of the slow transactions; those of the writers are greater, those of the beginning
/// smaller.
const COMMITTED: i64 = 501;
const ROLLED_BACK: i64 = 502;

/// What was acknowledged: the numbers that were written, and the records that were deleted.
#[derive(Default)]
struct Acknowledged {
    numbers: HashSet<i64>,
    deleted: HashSet<String>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subscriber_of_one_node_hears_every_write_of_the_other_once_and_in_order() {
    let Some(backend) = Backend::postgres() else {
        return;
    };
    let database = Database::create(backend).await;
    let (writing, listening) = (
        Process::serve(&database, &[]),
        Process::serve(&database, &[]),
    );
    let user = prepare(&writing).await;
    let there = listening
        .anonymous()
        .login("acme", "user@example.com", PASSWORD)
        .await;
    eventually("the collection on the other node", async || {
        there.get("/records/items").await.status == 200
    })
    .await;
    let mut ws = Ws::connect(&there).await;
    ws.subscribe("items").await;
    let mut hot = Vec::new();
    for number in 0..HOT {
        hot.push(user.create_id("items", &json!({"n": number})).await);
    }
    let acknowledged = Mutex::new(Acknowledged::default());
    let writing = async {
        let writers = (0..WRITERS).map(|writer| write(writer, &user, &hot, &acknowledged));
        tokio::join!(
            futures_util::future::join_all(writers),
            slow_transactions(&database, &user, &acknowledged)
        );
        user.create("items", &json!({"n": -1})).await;
    };
    let ((), frames) = tokio::join!(writing, read(&mut ws));
    check(&user, &frames, &acknowledged.into_inner().unwrap(), &hot).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subscriber_of_a_node_that_dies_goes_on_at_another() {
    let Some(backend) = Backend::postgres() else {
        return;
    };
    let database = Database::create(backend).await;
    let (mut dying, staying) = (
        Process::serve(&database, &[]),
        Process::serve(&database, &[]),
    );
    let user = prepare(&dying).await;
    let there = staying
        .anonymous()
        .login("acme", "user@example.com", PASSWORD)
        .await;
    eventually("the collection on the other node", async || {
        there.get("/records/items").await.status == 200
    })
    .await;
    let subscribe = json!({"action": "subscribe", "collection": "items", "ref": 1});
    let mut ws = Ws::connect(&user).await;
    ws.send(&subscribe).await;
    assert_eq!(ws.frame().await["type"], "subscribed");
    let (mut seen, mut numbers) = (Value::Null, Vec::new());
    let writing = async {
        for n in 0..60 {
            there.create("items", &json!({"n": n})).await;
        }
    };
    let dying = async {
        while numbers.len() < 20 {
            let frame = ws.frame().await;
            if frame["operation"].is_string() && frame["data"]["n"].as_f64() >= Some(0.0) {
                numbers.push(frame["data"]["n"].as_f64().unwrap());
                seen = frame["cursor"].clone();
            }
        }
        dying.kill();
        // At once, while the other node may be behind.
        let mut ws = Ws::connect(&there).await;
        let mut resume = subscribe.clone();
        resume["since"] = seen;
        ws.send(&resume).await;
        while numbers.len() < 60 {
            let frame = ws.frame().await;
            assert_ne!(frame["type"], "resync");
            if frame["operation"].is_string() {
                numbers.push(frame["data"]["n"].as_f64().unwrap());
            }
        }
    };
    tokio::join!(writing, dying);
    assert_eq!(numbers, (0..60).map(f64::from).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_subscribes_to_a_node_that_has_just_started_holds_what_was_being_committed_meanwhile() {
    let Some(backend) = Backend::postgres() else {
        return;
    };
    let database = Database::create(backend).await;
    let first = Process::serve(&database, &[]);
    let user = prepare(&first).await;
    let mut open = sqlx::PgConnection::connect(&database.url()).await.unwrap();
    open.execute("BEGIN").await.unwrap();
    insert(&mut open, &user, COMMITTED).await;
    // Its place in the log is behind that of the open transaction.
    user.create("items", &json!({"n": 1})).await;
    let (subscribed, subscribing) = tokio::sync::oneshot::channel();
    let committing = tokio::spawn(async move {
        // A node that waits for it is not there before.
        let _ = tokio::time::timeout(std::time::Duration::from_secs(3), subscribing).await;
        open.execute("COMMIT").await.unwrap();
    });
    let second = Process::serve(&database, &[]);
    let there = second
        .anonymous()
        .login("acme", "user@example.com", PASSWORD)
        .await;
    let mut ws = Ws::connect(&there).await;
    ws.send(&json!({"action": "subscribe", "collection": "items", "snapshot": true}))
        .await;
    let mut frames = Vec::new();
    while frames
        .last()
        .is_none_or(|frame: &Value| frame["type"] != "live")
    {
        frames.push(ws.frame().await);
    }
    let _ = subscribed.send(());
    committing.await.unwrap();
    user.create("items", &json!({"n": -1})).await;
    frames.append(&mut read(&mut ws).await);
    let listed = frames
        .iter()
        .flat_map(|frame| frame["items"].as_array().into_iter().flatten());
    let told = frames.iter().map(|frame| &frame["data"]);
    let times = listed
        .chain(told)
        .filter(|record| record["n"].as_f64() == Some(501.0))
        .count();
    assert_eq!(times, 1, "{frames:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_definition_that_one_node_has_changed_is_read_as_it_is_now_at_every_other() {
    let Some(backend) = Backend::postgres() else {
        return;
    };
    let database = Database::create(backend).await;
    let (changing, reading) = (
        Process::serve(&database, &[]),
        Process::serve(&database, &[]),
    );
    let (admin, there) = (changing.admin().await, reading.admin().await);
    let mut collection = open();
    (collection["name"], collection["fields"]) =
        (json!("items"), json!([{"name": "field0", "type": "text"}]));
    admin.post("/collections", &collection).await.ok(201);
    for turn in 1..=10 {
        let (name, rule) = (format!("field{turn}"), format!("id != '{turn}'"));
        collection["fields"]
            .as_array_mut()
            .unwrap()
            .push(json!({"name": name, "type": "text"}));
        collection["list_rule"] = json!(rule);
        admin.put("/collections/items", &collection).await.ok(200);
        // A file of another moment would take the field away again.
        let exported = there.get("/collections/export").await.ok(200);
        let request = json!({"data": exported, "strategy": "update"});
        there.post("/collections/import", &request).await.ok(200);
        assert_eq!(
            admin.get("/collections/items/rules").await.ok(200)["list_rule"],
            json!(rule)
        );
        let made = json!({"name": format!("macro{turn}"), "sql_query": format!("SELECT {turn}")});
        let id = there.post("/macros", &made).await.ok(201)["id"].clone();
        assert_eq!(
            admin.get(&format!("/macros/{id}")).await.ok(200)["name"],
            made["name"]
        );
        assert_eq!(
            there.get("/collections/items").await.ok(200)["fields_count"],
            turn + 1
        );
    }
}

async fn prepare(server: &Process) -> User {
    let admin = server.admin().await;
    let mut collection = open();
    collection["name"] = json!("items");
    collection["fields"] =
        json!([{"name": "n", "type": "number"}, {"name": "code", "type": "text", "unique": true}]);
    admin.post("/collections", &collection).await.ok(201);
    let body = json!({"email": "user@example.com", "password": PASSWORD, "account_name": "acme"});
    server
        .anonymous()
        .post("/auth/register", &body)
        .await
        .ok(201);
    let user = server
        .anonymous()
        .login("acme", "user@example.com", PASSWORD)
        .await;
    user.create("items", &json!({"n": -2, "code": "taken"}))
        .await;
    user
}

/// How many numbers are written in all: by the writers, and by the slow transaction that is
/// committed.
const ALL: usize = WRITERS * WRITES + 1;

/// Changes hot records, creates and deletes own ones, and tries batches that fail.
async fn write(writer: usize, user: &User, hot: &[String], acknowledged: &Mutex<Acknowledged>) {
    let note = |number: i64| assert!(acknowledged.lock().unwrap().numbers.insert(number));
    let mut own = Vec::new();
    for turn in 0..WRITES {
        let number = i64::try_from(1000 + writer * 1000 + turn).unwrap();
        match turn % 8 {
            0 => {
                own.push(user.create_id("items", &json!({"n": number})).await);
            }
            1 => {
                let records = json!({"records": [{"id": own[0], "data": {"n": number}}]});
                user.patch("/records/items/batch", &records).await.ok(200);
            }
            2 => {
                // The second item clashes, so the first one must not be heard of either.
                let records = json!({"records": [{"n": number}, {"n": number, "code": "taken"}]});
                user.post("/records/items/batch", &records)
                    .await
                    .refused(409, "");
                user.patch(
                    &format!("/records/items/{}", hot[turn % HOT]),
                    &json!({"n": number}),
                )
                .await
                .ok(200);
            }
            7 => {
                let id = own.remove(0);
                user.patch(&format!("/records/items/{id}"), &json!({"n": number}))
                    .await
                    .ok(200);
                user.delete(&format!("/records/items/{id}")).await.ok(204);
                acknowledged.lock().unwrap().deleted.insert(id);
            }
            _ => {
                let path = format!("/records/items/{}", hot[(writer + turn) % HOT]);
                user.patch(&path, &json!({"n": number})).await.ok(200);
            }
        }
        note(number);
    }
}

/// Two transactions that draw places in the log and stay open for long: one is rolled back, one is
/// committed.
async fn slow_transactions(database: &Database, user: &User, acknowledged: &Mutex<Acknowledged>) {
    let mut committed = sqlx::PgConnection::connect(&database.url()).await.unwrap();
    let mut rolled_back = sqlx::PgConnection::connect(&database.url()).await.unwrap();
    // No bound is needed: each of the writers' requests has one.
    let far = async |writes: usize| {
        while acknowledged.lock().unwrap().numbers.len() < writes {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    for (connection, number) in [(&mut committed, COMMITTED), (&mut rolled_back, ROLLED_BACK)] {
        far(WRITERS).await;
        connection.execute("BEGIN").await.unwrap();
        insert(connection, user, number).await;
    }
    far(ALL / 4).await;
    rolled_back.execute("ROLLBACK").await.unwrap();
    far(ALL / 2).await;
    committed.execute("COMMIT").await.unwrap();
    assert!(acknowledged.lock().unwrap().numbers.insert(COMMITTED));
}

/// As whoever writes into the database directly.
async fn insert(connection: &mut sqlx::PgConnection, user: &User, number: i64) {
    let insert = "INSERT INTO col_items (id, account_id, created_at, created_by, updated_at, updated_by, n) \
                  VALUES ($1, $2, now(), 'psql', now(), 'psql', $3::bigint)";
    let id = snackbase::id::new_id().to_string();
    sqlx::query(insert)
        .bind(id)
        .bind(&user.account_id)
        .bind(number)
        .execute(connection)
        .await
        .unwrap();
}

/// Reads events up to the mark at the end.
async fn read(ws: &mut Ws) -> Vec<Value> {
    let mut frames = Vec::new();
    loop {
        // Nothing comes while the slow transaction is open.
        let frame = ws.patient_frame().await;
        if frame["data"]["n"].as_f64() == Some(-1.0) {
            return frames;
        }
        frames.push(frame);
    }
}

async fn check(user: &User, frames: &[Value], acknowledged: &Acknowledged, hot: &[String]) {
    let number = |frame: &Value| frame["data"]["n"].as_f64();
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the numbers are small and whole"
    )]
    let heard: Vec<i64> = frames
        .iter()
        .filter_map(number)
        .map(|n| n as i64)
        .filter(|n| *n >= COMMITTED)
        .collect();
    let mut unique = HashSet::new();
    let twice: Vec<i64> = heard
        .iter()
        .copied()
        .filter(|number| !unique.insert(*number))
        .collect();
    assert!(twice.is_empty(), "heard twice: {twice:?}");
    let lost: Vec<&i64> = acknowledged.numbers.difference(&unique).collect();
    let invented: Vec<&i64> = unique.difference(&acknowledged.numbers).collect();
    assert!(
        lost.is_empty() && invented.is_empty(),
        "lost: {lost:?}, never acknowledged: {invented:?}"
    );
    assert!(
        frames
            .iter()
            .all(|frame| frame["data"]["n"] != json!(ROLLED_BACK)),
        "what was rolled back was heard"
    );
    let mut held: HashMap<&str, &Value> = HashMap::new();
    let mut deleted = HashSet::new();
    for frame in frames {
        let id = frame["id"].as_str().unwrap();
        assert!(
            !deleted.contains(id),
            "an event after the end of {id}: {frame}"
        );
        if frame["operation"] == "delete" {
            assert!(held.remove(id).is_some());
            deleted.insert(id.to_owned());
        } else {
            held.insert(id, &frame["data"]);
        }
    }
    assert_eq!(deleted, acknowledged.deleted);
    for (id, data) in &held {
        assert_eq!(
            **data,
            user.get(&format!("/records/items/{id}")).await.ok(200),
            "the last event is what is stored"
        );
    }
    assert!(hot.iter().all(|id| held.contains_key(id.as_str())));
}
