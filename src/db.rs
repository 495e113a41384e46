//! The seam to the database: [`Db`] over SQLite and PostgreSQL. Nothing above this module knows a
//! dialect.
//!
//! Reads return JSON documents ([`Db::docs`]) or rows of system tables ([`Db::rows`]); what callers
//! of the API can make large or slow is read in the name of an account ([`Db::reads`]). Writes of
//! records go through [`Db::commit`], which groups them on SQLite; cold paths take a transaction
//! ([`Db::begin`]). Every change of a record is written to the change log by triggers, in the
//! transaction of the change.

mod compose;
pub mod dialect;
mod documents;
mod error;
mod functions;
mod like;
mod lock;
mod migrate;
mod parking;
mod postgres;
mod reads;
mod search;
mod shares;
pub mod sql;
mod sqlite;
#[cfg(test)]
mod tests;
mod triggers;
pub mod value;
mod varied;
mod words;

use chrono::{DateTime, Utc};
use tokio::sync::watch;

pub use dialect::{
    AccountName, ColumnKind, Computed, DOC_SEPARATOR, Dialect, JsonEntry, LARGE_DOC, Projected,
    SEALED,
};
pub use documents::{JsonPath, JsonType};
pub use error::{CommitError, DbError};
pub use like::{MAX_PATTERN_CHARS, containing, is_pattern, matches_pattern, pattern_steps};
pub use lock::RecordLock;
pub use postgres::{Postgres, PostgresOptions};
pub use reads::AccountReads;
pub use search::TextSearch;
pub use sql::{Fragment, Ident, Sql, Stmt};
pub use sqlite::{
    Occupied, Sqlite, SqliteOptions, Synchronous, amend_database, copy_database, protect_database,
};
pub use triggers::{LoggedTable, MIN_RECORD_BYTES, set_record_limit};
pub use value::{Kind, Value, canonical_time};
pub use words::words;

/// One JSON document, as the database wrote it.
pub type Doc = String;

/// A row of a system table that both drivers can decode; `#[derive(sqlx::FromRow)]` provides it.
pub trait DbRow:
    for<'r> sqlx::FromRow<'r, sqlx::sqlite::SqliteRow>
    + for<'r> sqlx::FromRow<'r, sqlx::postgres::PgRow>
    + Send
    + Unpin
    + 'static
{
}

impl<T> DbRow for T where
    T: for<'r> sqlx::FromRow<'r, sqlx::sqlite::SqliteRow>
        + for<'r> sqlx::FromRow<'r, sqlx::postgres::PgRow>
        + Send
        + Unpin
        + 'static
{
}

/// One statement of a [`Batch`].
#[derive(Clone, Debug)]
pub struct Write {
    /// The statement; its first column, if it returns rows, is a document.
    pub stmt: Stmt,
    /// Whether the batch fails with [`DbError::Gone`] if the statement touches no row.
    pub required: bool,
}

/// Statements that take effect together or not at all.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    writes: Vec<Write>,
    context: Option<Context>,
    /// Ascending by key, each key once.
    locks: Vec<RecordLock>,
    /// What PostgreSQL runs before the statements.
    row_locks: Option<Stmt>,
    /// The order in which PostgreSQL runs the statements again; empty for theirs.
    repeat_order: Vec<usize>,
    defers_constraints: bool,
}

/// Who acts, when, and where that comes from.
#[derive(Clone, Debug)]
struct Context {
    actor: String,
    at: DateTime<Utc>,
    origin: Option<String>,
}

impl Batch {
    /// An empty batch.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a statement that must touch a row.
    #[must_use]
    pub fn require(mut self, stmt: Stmt) -> Self {
        self.writes.push(Write {
            stmt,
            required: true,
        });
        self
    }

    /// Adds a statement that may touch no row.
    #[must_use]
    pub fn with(mut self, stmt: Stmt) -> Self {
        self.writes.push(Write {
            stmt,
            required: false,
        });
        self
    }

    /// Judges the rules of this batch with everything that was written before under these locks,
    /// and holds them until it is stored.
    #[must_use]
    pub fn under(mut self, mut locks: Vec<RecordLock>) -> Self {
        locks.sort_unstable();
        // Of equal keys the exclusive one comes first.
        locks.dedup_by_key(|lock| lock.key);
        self.locks = locks;
        self
    }

    /// Lets PostgreSQL lock rows with this statement before the others run: batches that lock them
    /// in one order do not wait for each other in a circle.
    #[must_use]
    pub fn locking_rows(mut self, select: Option<Stmt>) -> Self {
        self.row_locks = select;
        self
    }

    /// If PostgreSQL has to run the statements again, it does so in the order of these keys, one
    /// for each. Documents and errors keep the order of the statements.
    #[must_use]
    pub fn repeated_in_order_of<K: Ord>(mut self, keys: &[K]) -> Self {
        let mut order: Vec<usize> = (0..self.writes.len().min(keys.len())).collect();
        order.sort_by_key(|&index| &keys[index]);
        if order.len() == self.writes.len() {
            self.repeat_order = order;
        }
        self
    }

    /// Lets references be judged when all statements have run, instead of after each.
    #[must_use]
    pub fn deferring_constraints(mut self) -> Self {
        self.defers_constraints = true;
        self
    }

    /// Says who acts and when, for the log entries of deleted rows, which do not carry it
    /// themselves, and where that comes from, as JSON.
    #[must_use]
    pub fn acting(mut self, actor: &str, at: DateTime<Utc>, origin: Option<String>) -> Self {
        self.context = Some(Context {
            actor: actor.to_owned(),
            at,
            origin,
        });
        self
    }
}

/// The database; cheap to clone.
#[derive(Clone, Debug)]
pub enum Db {
    /// Embedded SQLite.
    Sqlite(Sqlite),
    /// A PostgreSQL server.
    Postgres(Postgres),
}

impl From<Sqlite> for Db {
    fn from(db: Sqlite) -> Self {
        Self::Sqlite(db)
    }
}

impl From<Postgres> for Db {
    fn from(db: Postgres) -> Self {
        Self::Postgres(db)
    }
}

impl Db {
    /// The dialect that statements must be written in.
    pub fn dialect(&self) -> Dialect {
        match self {
            Self::Sqlite(_) => Dialect::Sqlite,
            Self::Postgres(_) => Dialect::Postgres,
        }
    }

    /// An empty statement in this database's dialect.
    pub fn sql(&self) -> Sql {
        Sql::new(self.dialect())
    }

    /// The first column of every row: one JSON document each.
    pub async fn docs(&self, stmt: Stmt) -> Result<Vec<Doc>, DbError> {
        match self {
            Self::Sqlite(db) => db.docs(stmt).await,
            Self::Postgres(db) => db.docs(stmt).await,
        }
    }

    /// The first document, if there is one.
    pub async fn doc(&self, stmt: Stmt) -> Result<Option<Doc>, DbError> {
        Ok(self.docs(stmt).await?.into_iter().next())
    }

    /// The rows of a system table.
    pub async fn rows<T: DbRow>(&self, stmt: Stmt) -> Result<Vec<T>, DbError> {
        match self {
            Self::Sqlite(db) => db.rows(stmt).await,
            Self::Postgres(db) => db.rows(stmt).await,
        }
    }

    /// The first row, if there is one.
    pub async fn row<T: DbRow>(&self, stmt: Stmt) -> Result<Option<T>, DbError> {
        Ok(self.rows(stmt).await?.into_iter().next())
    }

    /// One number: a count.
    pub async fn count(&self, stmt: Stmt) -> Result<i64, DbError> {
        Ok(self.row::<(i64,)>(stmt).await?.map_or(0, |(count,)| count))
    }

    /// The server of a database that other processes may use as well, and over which they notify each
    /// other; none if the database is this process's alone.
    pub fn shared(&self) -> Option<&Postgres> {
        match self {
            Self::Sqlite(_) => None,
            Self::Postgres(server) => Some(server),
        }
    }

    /// Whether the database answers a read.
    pub async fn is_reachable(&self) -> bool {
        let read = Stmt::fixed("SELECT count(*) FROM meta", Vec::new());
        self.count(read).await.is_ok()
    }

    /// Runs a batch atomically and returns, for each statement, the first document it returned.
    /// When this returns `Ok`, the writes are durable.
    pub async fn commit(&self, batch: Batch) -> Result<Vec<Option<Doc>>, CommitError> {
        match self {
            Self::Sqlite(db) => db.commit(batch).await,
            Self::Postgres(db) => db.commit(batch).await,
        }
    }

    /// Runs one statement that changes a system table, and returns whether it touched or returned a
    /// row.
    pub async fn execute(&self, stmt: Stmt) -> Result<bool, DbError> {
        match self.commit(Batch::new().require(stmt)).await {
            Ok(_) => Ok(true),
            Err(CommitError {
                source: DbError::Gone,
                ..
            }) => Ok(false),
            Err(error) => Err(error.source),
        }
    }

    /// Starts a transaction. On SQLite it holds the writer: no network, no hooks, no waiting
    /// inside. Dropped without [`Tx::commit`] it is rolled back.
    pub async fn begin(&self) -> Result<Tx, DbError> {
        match self {
            Self::Sqlite(db) => Ok(Tx::Sqlite(db.begin().await?)),
            Self::Postgres(db) => Ok(Tx::Postgres(db.begin().await?)),
        }
    }

    /// Changes whenever this process has committed something.
    pub fn committed(&self) -> watch::Receiver<u64> {
        match self {
            Self::Sqlite(db) => db.committed(),
            Self::Postgres(db) => db.committed(),
        }
    }

    /// Whether the database is part of this process, and no other one writes to it.
    pub fn is_embedded(&self) -> bool {
        matches!(self, Self::Sqlite(_))
    }

    /// A number that grows with every commit of this database; `None` where other processes commit,
    /// too.
    pub fn write_counter(&self) -> Option<u64> {
        match self {
            Self::Sqlite(db) => Some(*db.committed().borrow()),
            Self::Postgres(_) => None,
        }
    }

    /// Brings the system tables to the version this program knows.
    pub async fn migrate(&self) -> Result<(), DbError> {
        match self {
            Self::Sqlite(db) => migrate::sqlite(db).await,
            Self::Postgres(db) => migrate::postgres(db).await,
        }
    }

    /// Finishes what is queued and closes the database.
    pub async fn close(&self) {
        match self {
            Self::Sqlite(db) => db.close().await,
            Self::Postgres(db) => db.close().await,
        }
    }
}

/// A transaction of a cold path.
#[derive(Debug)]
pub enum Tx {
    /// The writer's connection, on loan.
    Sqlite(sqlite::Lease),
    /// A connection of the pool.
    Postgres(postgres::Transaction),
}

impl Tx {
    /// Runs a statement and returns the number of rows it touched.
    pub async fn execute(&mut self, stmt: Stmt) -> Result<u64, DbError> {
        match self {
            Self::Sqlite(tx) => tx.execute(stmt).await,
            Self::Postgres(tx) => tx.execute(stmt).await,
        }
    }

    /// The rows of a system table.
    pub async fn rows<T: DbRow>(&mut self, stmt: Stmt) -> Result<Vec<T>, DbError> {
        match self {
            Self::Sqlite(tx) => tx.rows(stmt).await,
            Self::Postgres(tx) => tx.rows(stmt).await,
        }
    }

    /// The first row, if there is one.
    pub async fn row<T: DbRow>(&mut self, stmt: Stmt) -> Result<Option<T>, DbError> {
        Ok(self.rows(stmt).await?.into_iter().next())
    }

    /// Waits until no other transaction, of whatever process, changes the schema; holds them off
    /// until the end.
    pub async fn serialize_schema_changes(&mut self) -> Result<(), DbError> {
        match self {
            // The writer is ours already, and there is one.
            Self::Sqlite(_) => Ok(()),
            Self::Postgres(tx) => tx.lock_schema().await,
        }
    }

    /// Sets the triggers of all collections but one aside while its table or columns are renamed,
    /// and returns the statements that put them back. SQLite resolves every name in every trigger
    /// for each renaming, which takes seconds where tables are wide, and all writers would wait.
    pub async fn set_triggers_aside(&mut self, renamed: &Ident) -> Result<Vec<Stmt>, DbError> {
        match self {
            Self::Sqlite(tx) => tx.set_triggers_aside(renamed).await,
            Self::Postgres(_) => Ok(Vec::new()),
        }
    }

    /// Commits. When this returns `Ok`, the writes are durable.
    pub async fn commit(self) -> Result<(), DbError> {
        match self {
            Self::Sqlite(tx) => tx.commit().await,
            Self::Postgres(tx) => tx.commit().await,
        }
    }
}
