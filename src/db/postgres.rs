//! PostgreSQL: a pool. Each batch is one statement where it can be, otherwise one transaction.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::TryStreamExt as _;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgArguments, PgConnectOptions, PgListener, PgPoolOptions, PgRow};
use sqlx::{AssertSqlSafe, Either, Executor as _, Row as _};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::timeout;

use super::error::{CommitError, DbError};
use super::reads::ByteBudget;
use super::shares::{ReadShare, ReadShares};
use super::sql::Stmt;
use super::value::{Kind, Value, canonical_time};
use super::varied::VariedStatements;
use super::{Batch, Context, DbRow, Doc, Write};
use crate::id::AccountId;

/// The advisory lock that a transaction holds while it changes the schema.
const SCHEMA_LOCK: i64 = 0x736e_6163_6b62_6173;

/// One connection in so many is not used for reading records.
const RESERVED_PART: usize = 4;

/// How to reach the server.
#[derive(Clone, Debug)]
pub struct PostgresOptions {
    /// `postgres://user:password@host:port/database`.
    pub url: String,
    /// Connections at most.
    pub max_connections: u32,
    /// How long a request waits for a free connection.
    pub acquire_timeout: Duration,
}

/// A pool of connections; cheap to clone.
#[derive(Clone, Debug)]
pub struct Postgres {
    pool: sqlx::PgPool,
    /// Connections that may read records: some are left for everything else.
    readers: Arc<Semaphore>,
    shares: ReadShares,
    acquire_timeout: Duration,
    varied: VariedStatements,
    committed: watch::Sender<u64>,
}

impl Postgres {
    /// Connects.
    pub async fn connect(options: &PostgresOptions) -> Result<Self, DbError> {
        let connect = PgConnectOptions::from_str(&options.url)
            .map_err(DbError::Other)?
            // The change log notes by this name which process wrote an entry.
            .application_name(&format!("snackbase {}", crate::id::new_id()))
            .statement_cache_capacity(512)
            .options([("timezone", "UTC")]);
        let pool = PgPoolOptions::new()
            .max_connections(options.max_connections)
            .acquire_timeout(options.acquire_timeout)
            .test_before_acquire(false)
            .after_connect(|connection, _| Box::pin(notice_lost_clients(connection)))
            .connect_with(connect)
            .await?;
        let most = usize::try_from(options.max_connections).unwrap_or(usize::MAX);
        let readers = (most - most.div_ceil(RESERVED_PART)).clamp(1, Semaphore::MAX_PERMITS);
        Ok(Self {
            pool,
            readers: Arc::new(Semaphore::new(readers)),
            shares: ReadShares::of(readers),
            acquire_timeout: options.acquire_timeout,
            varied: VariedStatements::default(),
            committed: watch::Sender::new(0),
        })
    }

    pub(super) fn pool(&self) -> &sqlx::PgPool {
        &self.pool
    }

    /// A connection that listens for notifications.
    pub async fn listener(&self) -> Result<PgListener, DbError> {
        Ok(PgListener::connect_with(&self.pool).await?)
    }

    /// Sends an empty notification.
    pub async fn notify(&self, channel: &str) -> Result<(), DbError> {
        sqlx::query("SELECT pg_notify($1, '')").bind(channel).execute(&self.pool).await?;
        Ok(())
    }

    /// Sends notifications, in this order. Each must be shorter than 8,000 bytes.
    pub async fn notify_all(&self, channel: &str, payloads: &[String]) -> Result<(), DbError> {
        let notify = "SELECT count(pg_notify($1, payload)) FROM \
                      (SELECT payload FROM unnest($2::text[]) WITH ORDINALITY p (payload, i) ORDER BY i) p";
        sqlx::query(notify).bind(channel).bind(payloads).execute(&self.pool).await?;
        Ok(())
    }

    pub(super) async fn docs(&self, stmt: Stmt) -> Result<Vec<Doc>, DbError> {
        let rows = self.fetch(stmt).await?;
        rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
    }

    pub(super) async fn rows<T: DbRow>(&self, stmt: Stmt) -> Result<Vec<T>, DbError> {
        let rows = self.fetch(stmt).await?;
        rows.iter().map(|row| Ok(T::from_row(row)?)).collect()
    }

    /// Reads, and reads once more if the connection turns out to be dead: the pool does not ping before each use.
    async fn fetch(&self, stmt: Stmt) -> Result<Vec<PgRow>, DbError> {
        match query(&stmt).fetch_all(&self.pool).await {
            Err(error) if connection_lost(&error) => Ok(query(&stmt).fetch_all(&self.pool).await?),
            other => Ok(other?),
        }
    }

    /// The rows one by one, until the budget is spent.
    pub(super) async fn rows_within<T: DbRow>(
        &self,
        account: AccountId,
        stmt: Stmt,
        mut budget: ByteBudget<T>,
    ) -> Result<Vec<T>, DbError> {
        let mut is_first = true;
        let is_kept = self.varied.note(&stmt).is_none_or(|keeping| keeping.is_kept);
        loop {
            let mut reader = self.reader(account).await?;
            let (mut found, mut rows) = (Vec::new(), query(&stmt).persistent(is_kept).fetch(reader.connection()?));
            let failed = loop {
                match rows.try_next().await {
                    Ok(Some(row)) => {
                        let row = T::from_row(&row)?;
                        budget.spend(&row)?;
                        found.push(row);
                    }
                    Ok(None) => break None,
                    Err(error) => break Some(error),
                }
            };
            drop(rows);
            match failed {
                None => {
                    reader.release();
                    return Ok(found);
                }
                // The pool does not ping before each use.
                Some(error) if connection_lost(&error) && is_first && found.is_empty() => is_first = false,
                Some(error) => {
                    if !connection_lost(&error) {
                        reader.release();
                    }
                    return Err(error.into());
                }
            }
        }
    }

    /// A connection for records, as soon as the account and all accounts together use few enough.
    async fn reader(&self, account: AccountId) -> Result<PostgresReader, DbError> {
        let turn = async {
            let share = self.shares.take(account).await?;
            let turn = self.readers.clone().acquire_owned().await.map_err(|_| DbError::Closed)?;
            Ok::<_, DbError>((share, turn))
        };
        let turn = timeout(self.acquire_timeout, turn).await.map_err(|_| DbError::Busy)??;
        Ok(PostgresReader { connection: Some(self.pool.acquire().await?), _turn: turn })
    }

    pub(super) async fn commit(&self, batch: Batch) -> Result<Vec<Option<Doc>>, CommitError> {
        let at = |index: usize| move |source: DbError| CommitError { index, source };
        let result = if batch.writes.len() == 1 && batch.context.is_none() {
            let mut connection = self.pool.acquire().await.map_err(|e| at(0)(e.into()))?;
            let doc = run(&mut connection, &batch.writes[0]).await.map_err(at(0))?;
            vec![doc]
        } else {
            let mut tx = self.pool.begin().await.map_err(|e| at(0)(e.into()))?;
            if let Some(Context { actor, at: time, origin }) = &batch.context {
                let set = "SELECT set_config('snackbase.actor', $1, true), set_config('snackbase.at', $2, true), \
                           set_config('snackbase.origin', coalesce($3, ''), true)";
                sqlx::query(set)
                    .bind(actor)
                    .bind(canonical_time(*time))
                    .bind(origin)
                    .execute(&mut *tx)
                    .await
                    .map_err(|e| at(0)(e.into()))?;
            }
            let mut docs = Vec::with_capacity(batch.writes.len());
            for (index, write) in batch.writes.iter().enumerate() {
                docs.push(run(&mut tx, write).await.map_err(at(index))?);
            }
            let last = batch.writes.len().saturating_sub(1);
            tx.commit().await.map_err(|e| at(last)(e.into()))?;
            docs
        };
        self.committed.send_modify(|count| *count += 1);
        Ok(result)
    }

    pub(super) async fn begin(&self) -> Result<Transaction, DbError> {
        Ok(Transaction { tx: self.pool.begin().await?, committed: self.committed.clone() })
    }

    pub(super) fn committed(&self) -> watch::Receiver<u64> {
        self.committed.subscribe()
    }

    pub(super) async fn close(&self) {
        self.pool.close().await;
    }
}

/// A connection that reads records. One that is dropped before it is released still has something to do: it is closed, so
/// that the server stops.
struct PostgresReader {
    connection: Option<PoolConnection<sqlx::Postgres>>,
    _turn: (ReadShare, OwnedSemaphorePermit),
}

impl PostgresReader {
    fn connection(&mut self) -> Result<&mut sqlx::PgConnection, DbError> {
        self.connection.as_deref_mut().ok_or(DbError::Closed)
    }

    /// Puts the connection back into the pool.
    fn release(mut self) {
        self.connection = None;
    }
}

impl Drop for PostgresReader {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            drop(connection.detach());
        }
    }
}

/// Lets the server look, while a statement runs, whether its client is still there.
async fn notice_lost_clients(connection: &mut sqlx::PgConnection) -> sqlx::Result<()> {
    let set = "SELECT set_config('client_connection_check_interval', '500', false)";
    // Servers before 14, and some systems, do not know it: there a statement ends by itself.
    if let Err(error) = connection.execute(set).await {
        tracing::debug!(%error, "statements go on after their client has gone");
    }
    Ok(())
}

/// A transaction of a cold path.
#[derive(Debug)]
pub struct Transaction {
    tx: sqlx::Transaction<'static, sqlx::Postgres>,
    committed: watch::Sender<u64>,
}

impl Transaction {
    pub(super) async fn execute(&mut self, stmt: Stmt) -> Result<u64, DbError> {
        if stmt.args.is_empty() {
            // DDL and several statements at once go without preparing.
            let done = self.tx.execute(sqlx::raw_sql(AssertSqlSafe(stmt.text))).await?;
            return Ok(done.rows_affected());
        }
        Ok(query(&stmt).execute(&mut *self.tx).await?.rows_affected())
    }

    pub(super) async fn rows<T: DbRow>(&mut self, stmt: Stmt) -> Result<Vec<T>, DbError> {
        let rows = query(&stmt).fetch_all(&mut *self.tx).await?;
        rows.iter().map(|row| Ok(T::from_row(row)?)).collect()
    }

    pub(super) async fn lock_schema(&mut self) -> Result<(), DbError> {
        sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(SCHEMA_LOCK).execute(&mut *self.tx).await?;
        Ok(())
    }

    pub(super) async fn commit(self) -> Result<(), DbError> {
        self.tx.commit().await?;
        self.committed.send_modify(|count| *count += 1);
        Ok(())
    }
}

async fn run(connection: &mut sqlx::PgConnection, write: &Write) -> Result<Option<Doc>, DbError> {
    let mut steps = connection.fetch_many(query(&write.stmt));
    let (mut doc, mut touched) = (None, 0);
    while let Some(step) = steps.try_next().await? {
        match step {
            Either::Left(done) => touched += done.rows_affected(),
            Either::Right(row) => {
                touched += 1;
                doc = doc.or(row.try_get(0)?);
            }
        }
    }
    if write.required && touched == 0 { Err(DbError::Gone) } else { Ok(doc) }
}

fn connection_lost(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) => true,
        // admin_shutdown, crash_shutdown
        sqlx::Error::Database(error) => matches!(error.code().as_deref(), Some("57P01" | "57P02")),
        _ => false,
    }
}

fn query(stmt: &Stmt) -> sqlx::query::Query<'_, sqlx::Postgres, PgArguments> {
    let mut query = sqlx::query(AssertSqlSafe(stmt.text.clone()));
    for value in &stmt.args {
        query = match value {
            Value::Null(Kind::Text | Kind::Json) => query.bind(None::<String>),
            Value::Null(Kind::Int) => query.bind(None::<i64>),
            Value::Null(Kind::Real) => query.bind(None::<f64>),
            Value::Null(Kind::Bool) => query.bind(None::<bool>),
            Value::Null(Kind::Time) => query.bind(None::<chrono::DateTime<chrono::Utc>>),
            Value::Text(text) | Value::Json(text) => query.bind(text.as_str()),
            Value::Int(number) => query.bind(*number),
            Value::Real(number) => query.bind(*number),
            Value::Bool(truth) => query.bind(*truth),
            Value::Time(time) => query.bind(*time),
        };
    }
    query
}
