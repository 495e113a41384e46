//! SQLite: reader tasks that own a connection each, and one writer task that commits in groups.

mod fair_queue;
mod files;
mod readers;
#[cfg(test)]
mod tests;
mod writer;

use std::path::PathBuf;
use std::time::Duration;

use futures_util::TryStreamExt as _;
use sqlx::sqlite::{
    SqliteArguments, SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteRow,
    SqliteSynchronous,
};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Row as _};
use tokio::sync::{oneshot, watch};

use super::error::{CommitError, DbError};
use super::like::{SQLITE_MATCHER, compare_with_pattern};
use super::reads::ByteBudget;
use super::sql::Stmt;
use super::value::{Value, canonical_time};
use super::varied::VariedStatements;
use super::{Batch, DbRow, Doc};
pub use files::{Occupied, amend_database, copy_database, protect_database};
pub(super) use readers::ReadOwner;
use readers::Readers;
use writer::Job;
pub use writer::Lease;

/// How much of a commit survives a power loss.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Synchronous {
    /// Every acknowledged write survives power loss.
    Full,
    /// Survives a crash of the program; the last moments may be lost with the power.
    Normal,
}

/// Rows that a reader takes ahead of the one that asks: they are in memory, and a row may have the
/// size of a record.
const ROW_BUFFER: usize = 4;

/// Where the database is and how it is opened.
#[derive(Clone, Debug)]
pub struct SqliteOptions {
    /// The database file; created if it is missing.
    pub path: PathBuf,
    /// How durable a commit is.
    pub synchronous: Synchronous,
    /// Reader tasks for records, each with its own connection; there are two more for everything
    /// else.
    pub readers: usize,
    /// How long to wait for a lock that another process holds.
    pub busy_timeout: Duration,
    /// Page cache of each connection, in KiB.
    pub cache_kib: u32,
}

/// The SQLite database; cheap to clone.
#[derive(Clone, Debug)]
pub struct Sqlite {
    options: SqliteOptions,
    writer: flume::Sender<Job>,
    readers: Readers,
    varied: VariedStatements,
    committed: watch::Receiver<u64>,
}

impl Sqlite {
    /// Opens the database and starts its tasks.
    pub async fn open(options: SqliteOptions) -> Result<Self, DbError> {
        let connection = writing(&options).connect().await?;
        let (committed_tx, committed) = watch::channel(0);
        let (writer, jobs) = flume::bounded(4096);
        tokio::spawn(writer::run(
            connection,
            writing(&options),
            jobs,
            committed_tx,
        ));
        let reading = connect_options(&options)
            .pragma("query_only", "on")
            .row_buffer_size(ROW_BUFFER);
        let readers = Readers::start(&reading, options.readers).await?;
        Ok(Self {
            options,
            writer,
            readers,
            varied: VariedStatements::default(),
            committed,
        })
    }

    /// A writing connection of its own, for migrations before anything else runs.
    pub(super) async fn dedicated(&self) -> Result<SqliteConnection, DbError> {
        Ok(writing(&self.options).connect().await?)
    }

    pub(super) async fn docs(&self, stmt: Stmt) -> Result<Vec<Doc>, DbError> {
        self.readers
            .read(ReadOwner::System, None, move |connection| {
                Box::pin(async move {
                    let rows = query(&stmt).fetch_all(connection).await?;
                    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
                })
            })
            .await
    }

    pub(super) async fn rows<T: DbRow>(&self, stmt: Stmt) -> Result<Vec<T>, DbError> {
        self.readers
            .read(ReadOwner::System, None, move |connection| {
                Box::pin(async move { fetch(connection, &stmt).await })
            })
            .await
    }

    /// The rows one by one, until the budget is spent.
    pub(super) async fn rows_within<T: DbRow>(
        &self,
        owner: ReadOwner,
        stmt: Stmt,
        mut budget: ByteBudget<T>,
    ) -> Result<Vec<T>, DbError> {
        let keeping = self.varied.note(&stmt);
        let is_kept = keeping.is_none_or(|keeping| keeping.is_kept);
        self.readers
            .read(owner, keeping, move |connection| {
                Box::pin(async move {
                    let (mut found, query) = (Vec::new(), query(&stmt).persistent(is_kept));
                    let mut rows = query.fetch(connection);
                    while let Some(row) = rows.try_next().await? {
                        let row = T::from_row(&row)?;
                        budget.spend(&row)?;
                        found.push(row);
                    }
                    Ok(found)
                })
            })
            .await
    }

    pub(super) async fn commit(&self, batch: Batch) -> Result<Vec<Option<Doc>>, CommitError> {
        let closed = || CommitError {
            index: 0,
            source: DbError::Closed,
        };
        let (reply, answer) = oneshot::channel();
        self.writer
            .send_async(Job::Batch { batch, reply })
            .await
            .map_err(|_| closed())?;
        answer.await.map_err(|_| closed())?
    }

    pub(super) async fn begin(&self) -> Result<Lease, DbError> {
        let (reply, answer) = oneshot::channel();
        self.writer
            .send_async(Job::Lease { reply })
            .await
            .map_err(|_| DbError::Closed)?;
        answer.await.map_err(|_| DbError::Closed)?
    }

    pub(super) fn committed(&self) -> watch::Receiver<u64> {
        self.committed.clone()
    }

    pub(super) async fn close(&self) {
        let (reply, answer) = oneshot::channel();
        if self.writer.send_async(Job::Close { reply }).await.is_ok() {
            // An error means that the writer is gone already, which is what was asked for.
            let _ = answer.await;
        }
    }
}

fn connect_options(options: &SqliteOptions) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(&options.path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .foreign_keys(true)
        .busy_timeout(options.busy_timeout)
        .statement_cache_capacity(512)
        .pragma("cache_size", format!("-{}", options.cache_kib))
        .pragma("temp_store", "memory")
        .synchronous(match options.synchronous {
            Synchronous::Full => SqliteSynchronous::Full,
            Synchronous::Normal => SqliteSynchronous::Normal,
        })
        .collation(SQLITE_MATCHER, compare_with_pattern)
        .log_statements(tracing::log::LevelFilter::Off)
}

fn writing(options: &SqliteOptions) -> SqliteConnectOptions {
    // A safety net of 64 MiB: the writer itself checkpoints when it is idle.
    connect_options(options).pragma("wal_autocheckpoint", "16384")
}

async fn fetch<T: DbRow>(
    connection: &mut SqliteConnection,
    stmt: &Stmt,
) -> Result<Vec<T>, DbError> {
    let rows: Vec<SqliteRow> = query(stmt).fetch_all(connection).await?;
    rows.iter().map(|row| Ok(T::from_row(row)?)).collect()
}

fn query(stmt: &Stmt) -> sqlx::query::Query<'_, sqlx::Sqlite, SqliteArguments> {
    let mut query = sqlx::query(AssertSqlSafe(stmt.text.clone()));
    for value in &stmt.args {
        query = match value {
            Value::Null(_) => query.bind(None::<String>),
            Value::Text(text) | Value::Json(text) => query.bind(text.as_str()),
            Value::Int(number) => query.bind(*number),
            Value::Real(number) => query.bind(*number),
            Value::Bool(truth) => query.bind(*truth),
            Value::Time(time) => query.bind(canonical_time(*time)),
        };
    }
    query
}
