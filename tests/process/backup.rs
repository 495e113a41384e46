//! `snackbase backup` and `snackbase restore`.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Output;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::direct::texts;
use crate::harness::{Backend, Database, Process, Sse, User, eventually, open, soon};

const WRITERS: usize = 4;

fn command(database: &Database, args: &[&str]) -> Result<String, String> {
    let Output {
        status,
        stdout,
        stderr,
    } = tokio::task::block_in_place(|| Process::run(database, args));
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    if status.success() {
        Ok(text(stdout))
    } else {
        Err(text(stderr))
    }
}

#[track_caller]
fn assert_refused(result: &Result<String, String>, part: &str) {
    let message = result.as_ref().expect_err("it was not refused");
    assert!(message.contains(part), "{message}");
}

async fn ids(user: &User) -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    let mut cursor = String::new();
    loop {
        let page = user
            .query("/records/items", &[("cursor", &cursor), ("limit", "100")])
            .await
            .ok(200);
        ids.extend(
            page["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|item| item["id"].as_str().unwrap().to_owned()),
        );
        match page["next_cursor"].as_str() {
            Some(next) => next.clone_into(&mut cursor),
            None => return ids,
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_under_writes_is_restored_as_of_its_moment_and_old_cursors_are_told() {
    let database = Database::create(Backend::Sqlite).await;
    let elsewhere = tempfile::TempDir::new().unwrap();
    let file = elsewhere.path().join("backup.db");
    let path = file.to_str().unwrap();
    let mut server = Process::serve(&database, &[]);
    let admin = server.admin().await;
    let mut collection = open();
    collection["name"] = json!("items");
    collection["fields"] =
        json!([{"name": "n", "type": "number"}, {"name": "t", "type": "text", "searchable": true}]);
    admin.post("/collections", &collection).await.ok(201);
    let mut stream = Sse::open(&admin, "?collection=items").await;
    admin
        .create("items", &json!({"n": 0, "t": "found again"}))
        .await;
    let cursor = stream.event().await.id.unwrap();
    drop(stream);

    let (acknowledged, stop) = (
        Arc::new(Mutex::new(BTreeSet::new())),
        Arc::new(AtomicBool::new(false)),
    );
    let writers: Vec<_> = (0..WRITERS)
        .map(|_| {
            let (admin, acknowledged, stop) = (admin.clone(), acknowledged.clone(), stop.clone());
            tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    let id = admin.create_id("items", &json!({"n": 1})).await;
                    acknowledged.lock().unwrap().insert(id);
                }
            })
        })
        .collect();
    let written = || acknowledged.lock().unwrap().len();
    eventually("some writes", async || written() > 20).await;
    let before = acknowledged.lock().unwrap().clone();
    let told = command(&database, &["backup", path]).unwrap();
    assert!(told.contains("secrets.toml"), "{told}");
    let after = written();
    eventually("more writes", async || written() > after + 20).await;
    stop.store(true, Ordering::Relaxed);
    soon("the writers", futures_util::future::join_all(writers))
        .await
        .into_iter()
        .for_each(|end| end.unwrap());
    let late = admin.create_id("items", &json!({"n": 2})).await;
    assert_private(&file);

    assert_refused(&command(&database, &["backup", path]), "exists already");
    assert_refused(
        &command(&database, &["restore", path, "--force"]),
        "stop the server first",
    );
    assert!(ids(&admin).await.contains(&late), "the server goes on");
    assert!(server.terminate());
    assert_refused(&command(&database, &["restore", path]), "--force");
    let garbage = elsewhere.path().join("garbage.db");
    std::fs::write(&garbage, vec![7; 8192]).unwrap();
    assert_refused(
        &command(
            &database,
            &["restore", garbage.to_str().unwrap(), "--force"],
        ),
        "no database of SnackBase",
    );
    assert_refused(
        &command(&database, &["restore", "nowhere.db", "--force"]),
        "no file",
    );
    // What was refused has changed nothing.
    assert_eq!(
        texts(
            &database,
            "SELECT count(*) || '' FROM col_items WHERE n = 2"
        )
        .await,
        ["1"]
    );
    command(&database, &["restore", path, "--force"]).unwrap();

    let server = Process::serve(&database, &[]);
    let admin = server.admin().await;
    let there = ids(&admin).await;
    assert!(
        before.is_subset(&there),
        "an acknowledged record is not in the backup"
    );
    assert!(!there.contains(&late));
    assert_eq!(
        admin
            .query("/records/items", &[("search", "found")])
            .await
            .ok(200)["total"],
        1
    );
    let mut stream = Sse::resume(&admin, "?collection=items", &cursor).await;
    let resync = stream.notice("resync").await;
    assert_eq!(
        (&resync.data["type"], &resync.data["reason"]),
        (&json!("resync"), &json!("epoch"))
    );
    let new = admin.create("items", &json!({"n": 3})).await;
    assert_eq!(stream.event().await.data["data"]["id"], new["id"]);
    let verified = admin.get("/audit-logs/verify").await.ok(200);
    assert_eq!(
        (&verified["valid"], &verified["problems"]),
        (&json!(true), &Value::Array(Vec::new()))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_is_restored_where_nothing_is() {
    let (database, empty) = (
        Database::create(Backend::Sqlite).await,
        Database::create(Backend::Sqlite).await,
    );
    let file = database.folder().join("backup.db");
    let path = file.to_str().unwrap();
    assert_refused(&command(&database, &["backup", path]), "no database");
    assert!(!file.exists());
    let mut server = Process::serve(&database, &[]);
    let id = server.admin().await.id.clone();
    assert!(server.terminate());
    command(&database, &["backup", path]).unwrap();
    command(&empty, &["restore", path]).unwrap();
    let server = Process::serve(&empty, &[]);
    assert_eq!(server.admin().await.id, id);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgresql_has_its_own_programs_for_it() {
    let Some(backend) = Backend::postgres() else {
        return;
    };
    let database = Database::create(backend).await;
    let file = database.folder().join("backup.db");
    assert_refused(
        &command(&database, &["backup", file.to_str().unwrap()]),
        "pg_dump",
    );
    assert_refused(
        &command(&database, &["restore", file.to_str().unwrap()]),
        "pg_restore",
    );
    assert!(!file.exists());
}

/// A table that an older version made lacks indexes until the next start, and has older triggers.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tables_of_older_versions_are_brought_up_to_date_at_the_next_start() {
    for backend in [Some(Backend::Sqlite), Backend::postgres()]
        .into_iter()
        .flatten()
    {
        let database = Database::create(backend).await;
        let mut server = Process::serve(&database, &[]);
        let admin = server.admin().await;
        let parent = json!({"name": "parent", "type": "reference", "collection": "items", "on_delete": "restrict"});
        let collection = json!({"name": "items", "fields": [{"name": "a", "type": "text", "searchable": true}, parent]});
        admin.post("/collections", &collection).await.ok(201);
        let first = admin.create_id("items", &json!({"a": "first"})).await;
        let second = admin
            .create_id("items", &json!({"a": "second", "parent": first}))
            .await;
        admin
            .create("items", &json!({"a": "अच्छी cafe\u{301}"}))
            .await;
        assert!(server.terminate());
        // References were judged at once, even in a batch.
        let strict: &[&'static str] = match backend {
            Backend::Sqlite => &[
                "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = \
                  replace(sql, '(\"id\") ON DELETE NO ACTION', '(\"id\") ON DELETE RESTRICT') WHERE name = 'col_items'",
            ],
            Backend::Postgres => &[
                "ALTER TABLE col_items DROP CONSTRAINT col_items__parent",
                "ALTER TABLE col_items ADD CONSTRAINT col_items__parent FOREIGN KEY (parent) REFERENCES col_items (id) \
                 ON DELETE RESTRICT",
            ],
        };
        for change in strict {
            texts(&database, change).await;
        }
        let older: &[&str] = match backend {
            Backend::Sqlite => &[
                "DROP TABLE \"col_items__$search\"",
                "DROP TRIGGER \"col_items__create__log\"",
                "CREATE TRIGGER \"col_items__create__log\" AFTER INSERT ON col_items BEGIN SELECT 1; END",
            ],
            Backend::Postgres => &[
                "DROP INDEX \"col_items__a__$search\"",
                "DROP FUNCTION snackbase_words",
                "CREATE OR REPLACE FUNCTION \"col_items__log\"() RETURNS trigger LANGUAGE plpgsql \
                 AS $log$ BEGIN RETURN NEW; END $log$",
            ],
        };
        for change in [
            "DROP INDEX \"col_items__$newest\"",
            "DROP INDEX \"col_items__newest\"",
            "DELETE FROM meta WHERE key = 'tables_version'",
        ]
        .iter()
        .chain(older)
        {
            texts(&database, change).await;
        }
        let indexes = match backend {
            Backend::Sqlite => {
                "SELECT name FROM sqlite_schema WHERE name LIKE 'col_items__%newest' ORDER BY name"
            }
            Backend::Postgres => {
                "SELECT indexname::text FROM pg_indexes WHERE indexname LIKE 'col_items__%newest' ORDER BY indexname"
            }
        };
        assert!(texts(&database, indexes).await.is_empty());
        let server = Process::serve(&database, &[]);
        assert_eq!(
            texts(&database, indexes).await,
            ["col_items__$newest", "col_items__newest"]
        );
        let admin = server.admin().await;
        admin.create("items", &json!({"a": "b"})).await;
        admin
            .delete(&format!("/records/items/{first}"))
            .await
            .refused(409, "");
        admin
            .delete_with("/records/items/batch", &json!({"ids": [first, second]}))
            .await
            .ok(200);
        let logged =
            "SELECT record_id FROM change_log WHERE operation = 'create' AND record IS NOT NULL";
        assert_eq!(texts(&database, logged).await.len(), 4);
        for word in ["अच्छी", "café", "b"] {
            let page = admin
                .query("/records/items", &[("search", word)])
                .await
                .ok(200);
            assert_eq!(page["total"], 1, "{word}");
        }
    }
}

/// Older versions let one instant be several values of a unique field.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unique_times_of_older_versions_are_compared_as_instants_from_the_next_start_on() {
    for backend in [Some(Backend::Sqlite), Backend::postgres()]
        .into_iter()
        .flatten()
    {
        let database = Database::create(backend).await;
        let mut server = Process::serve(&database, &[]);
        let admin = server.admin().await;
        let fields = json!([{"name": "at", "type": "datetime", "unique": true}, {"name": "mail", "type": "email", "unique": true}]);
        admin
            .post("/collections", &json!({"name": "slots", "fields": fields}))
            .await
            .ok(201);
        admin
            .create(
                "slots",
                &json!({"at": "2026-05-01T10:00:00Z", "mail": "a@example.com"}),
            )
            .await;
        let second = admin
            .create_id("slots", &json!({"at": "2026-05-01T11:00:00Z"}))
            .await;
        assert!(server.terminate());
        for change in [
            "DROP INDEX \"col_slots__at__unique\"",
            "CREATE UNIQUE INDEX \"col_slots__at__unique\" ON col_slots (account_id, at)",
            "DROP INDEX \"col_slots__mail__unique\"",
            "CREATE UNIQUE INDEX \"col_slots__mail__unique\" ON col_slots (account_id, mail)",
            "DROP INDEX \"col_slots__mail__index\"",
            "UPDATE col_slots SET at = '2026-05-01T12:00:00+02:00' WHERE at = '2026-05-01T11:00:00Z'",
            "DELETE FROM meta WHERE key = 'tables_version'",
        ] {
            texts(&database, change).await;
        }
        // What clashes already is named, and keeps nobody from starting.
        let mut server = Process::serve(&database, &[]);
        let line = server.wait_for("in different spellings");
        assert!(
            line.contains("slots") && line.contains("at") && line.contains(&second),
            "{line}"
        );
        let admin = server.admin().await;
        admin
            .post(
                "/records/slots",
                &json!({"at": "2026-05-01T12:00:00+02:00"}),
            )
            .await
            .refused(409, "at");
        admin
            .post("/records/slots", &json!({"mail": "A@example.com"}))
            .await
            .refused(409, "mail");
        admin
            .delete(&format!("/records/slots/{second}"))
            .await
            .ok(204);
        assert!(server.terminate());
        let server = Process::serve(&database, &[]);
        server
            .admin()
            .await
            .post("/records/slots", &json!({"at": "2026-05-01 10:00"}))
            .await
            .refused(409, "at");
    }
}

#[cfg(unix)]
fn assert_private(file: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    assert_eq!(
        std::fs::metadata(file).unwrap().permissions().mode() & 0o777,
        0o600
    );
}

#[cfg(not(unix))]
fn assert_private(_: &Path) {}
