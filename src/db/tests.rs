//! What reads promise, on both databases: nobody occupies all connections, work ends with its
//! caller, and no more is held in memory than was allowed.

use std::time::Duration;

use tempfile::TempDir;
use tokio::time::{sleep, timeout};

use super::{Db, DbError, Postgres, PostgresOptions, Sqlite, SqliteOptions, Stmt, Synchronous};
use crate::id::AccountId;

/// How long a promise may take to come true.
const PATIENCE: Duration = Duration::from_secs(20);
const ONE: &str = "SELECT CAST(1 AS BIGINT)";

/// SQLite, and PostgreSQL if the environment names a server.
async fn databases() -> Vec<(Db, TempDir)> {
    let folder = TempDir::new().unwrap();
    let options = SqliteOptions {
        path: folder.path().join("test.db"),
        synchronous: Synchronous::Normal,
        readers: 3,
        busy_timeout: Duration::from_secs(5),
        cache_kib: 4096,
    };
    let mut databases = vec![(Db::Sqlite(Sqlite::open(options).await.unwrap()), folder)];
    match std::env::var("SNACKBASE_TEST_POSTGRES_URL") {
        Ok(url) => {
            let options = PostgresOptions {
                url,
                max_connections: 4,
                acquire_timeout: PATIENCE,
            };
            let postgres = Db::Postgres(Postgres::connect(&options).await.unwrap());
            databases.push((postgres, TempDir::new().unwrap()));
        }
        Err(_) => eprintln!("### SKIPPED on PostgreSQL: no server ###"),
    }
    databases
}

/// A statement that ends next year.
fn endless(db: &Db) -> Stmt {
    let text = if db.is_embedded() {
        "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT 1 - x FROM n) SELECT count(*) FROM n"
    } else {
        "SELECT count(*) FROM generate_series(1, 1000000) a, generate_series(1, 1000000) b"
    };
    Stmt::fixed(text, Vec::new())
}

/// A statement that yields a thousand documents of a megabyte each.
fn large(db: &Db) -> Stmt {
    let text = if db.is_embedded() {
        "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 1000) \
         SELECT printf('%.*c', 1000000, 'x') FROM n"
    } else {
        "SELECT repeat('x', 1000000) FROM generate_series(1, 1000)"
    };
    Stmt::fixed(text, Vec::new())
}

async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    timeout(PATIENCE, future)
        .await
        .unwrap_or_else(|_| panic!("{what} took too long"))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_with_endless_reads_holds_up_neither_others_nor_the_system_and_they_end_with_it()
{
    for (db, _folder) in databases().await {
        let (greedy, other) = (AccountId::new(), AccountId::new());
        let hogs: Vec<_> = (0..10)
            .map(|_| {
                let (db, stmt) = (db.clone(), endless(&db));
                tokio::spawn(async move { db.reads(Some(greedy)).count(stmt).await })
            })
            .collect();
        sleep(Duration::from_millis(200)).await;
        assert_eq!(
            soon(
                "another account",
                db.reads(Some(other)).count(Stmt::fixed(ONE, vec![]))
            )
            .await
            .unwrap(),
            1
        );
        assert_eq!(
            soon("the system", db.count(Stmt::fixed(ONE, vec![])))
                .await
                .unwrap(),
            1
        );
        assert!(
            hogs.iter().all(|hog| !hog.is_finished()),
            "{}",
            db.dialect().name()
        );
        for hog in &hogs {
            hog.abort();
        }
        // The connections that it used work for it again.
        let again = async {
            for _ in 0..10 {
                db.reads(Some(greedy))
                    .count(Stmt::fixed(ONE, vec![]))
                    .await
                    .unwrap();
            }
        };
        soon("the same account", again).await;
        if !db.is_embedded() {
            let running = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%1000000) b%' \
                           AND pid <> pg_backend_pid()";
            let ended = async {
                while db.count(Stmt::fixed(running, vec![])).await.unwrap() > 0 {
                    sleep(Duration::from_millis(100)).await;
                }
            };
            soon("the end of the statements", ended).await;
        }
        db.close().await;
    }
}

#[tokio::test]
async fn what_is_larger_than_allowed_is_refused_before_it_is_in_memory() {
    for (db, _folder) in databases().await {
        let reads = db.reads(None);
        let refused = soon("the refusal", reads.docs(large(&db), 3_000_000)).await;
        assert!(matches!(refused, Err(DbError::TooLarge)), "{refused:?}");
        assert_eq!(reads.count(Stmt::fixed(ONE, vec![])).await.unwrap(), 1);
        let docs = reads
            .docs(Stmt::fixed("SELECT 'a' UNION ALL SELECT 'b'", vec![]), 2)
            .await
            .unwrap();
        assert_eq!(docs, ["a", "b"]);
        db.close().await;
    }
}
