//! What one job of a group does to the others.

use std::time::Duration;

use tempfile::TempDir;

use super::{Sqlite, SqliteOptions, Synchronous};
use crate::db::{Batch, Db, DbError, Doc, Stmt, Value};

async fn open() -> (TempDir, Db) {
    let folder = TempDir::new().unwrap();
    let options = SqliteOptions {
        path: folder.path().join("test.db"),
        synchronous: Synchronous::Normal,
        readers: 1,
        busy_timeout: Duration::from_millis(100),
        cache_kib: 4096,
    };
    let db = Db::Sqlite(Sqlite::open(options).await.unwrap());
    run(
        &db,
        "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT UNIQUE)",
    )
    .await
    .unwrap();
    (folder, db)
}

async fn run(db: &Db, text: &'static str) -> Result<Vec<Option<Doc>>, DbError> {
    db.commit(Batch::new().with(Stmt::fixed(text, Vec::new())))
        .await
        .map_err(Into::into)
}

fn insert(value: String) -> Stmt {
    Stmt::fixed(
        "INSERT INTO t (v) VALUES ($1) RETURNING v",
        vec![Value::Text(value)],
    )
}

/// Commits them at the same moment, so that they share groups, and returns what came of each.
async fn at_once(db: &Db, batches: Vec<Batch>) -> Vec<Result<(), DbError>> {
    // Held, so that all of them wait when it is given back.
    let lease = db.begin().await.unwrap();
    let commits: Vec<_> = batches
        .into_iter()
        .map(|batch| {
            let db = db.clone();
            tokio::spawn(async move { db.commit(batch).await.map(drop).map_err(DbError::from) })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(50)).await;
    drop(lease);
    let mut results = Vec::new();
    for commit in commits {
        results.push(commit.await.unwrap());
    }
    results
}

#[tokio::test]
async fn a_bad_statement_fails_alone() {
    let (_folder, db) = open().await;
    let bad = [
        "SELECT v FROM nowhere",
        "INSERT INTO t (missing) VALUES (1)",
        "SELECT missing FROM t",
        "this is not SQL",
        "SELECT abs(-9223372036854775808)",
    ];
    let mut batches: Vec<Batch> = (0..20)
        .map(|n| Batch::new().require(insert(n.to_string())))
        .collect();
    for (index, text) in bad.into_iter().enumerate() {
        let statement = Stmt::fixed(text, Vec::new());
        batches.insert(
            index * 3 + 1,
            Batch::new()
                .with(insert(format!("with {index}")))
                .with(statement),
        );
    }
    let results = at_once(&db, batches).await;
    assert_eq!(
        results.iter().filter(|result| result.is_ok()).count(),
        20,
        "{results:?}"
    );
    for index in [1, 4, 7] {
        assert!(
            matches!(results[index], Err(DbError::SchemaChanged)),
            "{:?}",
            results[index]
        );
    }
    assert_eq!(
        db.count(Stmt::fixed("SELECT count(*) FROM t", Vec::new()))
            .await
            .unwrap(),
        20
    );
}

#[tokio::test]
async fn a_statement_that_ends_the_transaction_fails_alone() {
    let (_folder, db) = open().await;
    // For this connection; what does not fit in ends the transaction, as a full disk does.
    let mut lease = db.begin().await.unwrap();
    lease
        .execute(Stmt::fixed("PRAGMA max_page_count = 40", Vec::new()))
        .await
        .unwrap();
    lease.commit().await.unwrap();
    let mut batches: Vec<Batch> = (0..20)
        .map(|n| Batch::new().require(insert(n.to_string())))
        .collect();
    batches.insert(7, Batch::new().require(insert("x".repeat(1_000_000))));
    let results = at_once(&db, batches).await;
    assert!(
        results
            .iter()
            .enumerate()
            .all(|(index, result)| index == 7 || result.is_ok()),
        "{results:?}"
    );
    let count = db
        .count(Stmt::fixed(
            "SELECT count(*) FROM t WHERE length(v) < 3",
            Vec::new(),
        ))
        .await
        .unwrap();
    assert_eq!(count, 20);
}

#[tokio::test]
async fn a_lock_of_another_process_is_told_as_busy() {
    let (folder, db) = open().await;
    let mut other = super::connect_options(&SqliteOptions {
        path: folder.path().join("test.db"),
        synchronous: Synchronous::Normal,
        readers: 1,
        busy_timeout: Duration::from_millis(100),
        cache_kib: 64,
    });
    other = other.create_if_missing(false);
    let mut other = sqlx::ConnectOptions::connect(&other).await.unwrap();
    sqlx::raw_sql("BEGIN IMMEDIATE")
        .execute(&mut other)
        .await
        .unwrap();
    let batches = (0..5)
        .map(|n| {
            Batch::new()
                .with(insert(n.to_string()))
                .with(insert(format!("{n} again")))
        })
        .collect();
    let results = at_once_without_lease(&db, batches).await;
    assert!(
        results
            .iter()
            .all(|result| matches!(result, Err(DbError::Busy))),
        "{results:?}"
    );
    sqlx::raw_sql("ROLLBACK").execute(&mut other).await.unwrap();
    db.commit(Batch::new().require(insert("after".into())))
        .await
        .unwrap();
}

async fn at_once_without_lease(db: &Db, batches: Vec<Batch>) -> Vec<Result<(), DbError>> {
    let commits = batches
        .into_iter()
        .map(|batch| async { db.commit(batch).await.map(drop).map_err(DbError::from) });
    futures_util::future::join_all(commits).await
}
