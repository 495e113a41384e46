//! PostgreSQL: a pool. Each batch is one statement where it can be, otherwise one transaction. What
//! the database gives up for the sake of another transaction is run again here; no caller has to.

mod connect;

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use futures_util::TryStreamExt as _;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgArguments, PgListener, PgRow};
use sqlx::{AssertSqlSafe, Either, Executor as _, Row as _};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::timeout;

use super::error::{CommitError, DbError};
use super::lock::{LockMode, RecordLock, WaitingRooms};
use super::reads::ByteBudget;
use super::shares::{ReadShare, ReadShares};
use super::sql::Stmt;
use super::value::{Kind, Value, canonical_time};
use super::varied::VariedStatements;
use super::{Batch, Context, DbRow, Doc, Write};
use crate::id::AccountId;
use connect::Losses;

/// The advisory lock that a transaction holds while it changes the schema.
const SCHEMA_LOCK: i64 = 0x736e_6163_6b62_6173;
/// How often a batch is run again that the database gave up.
const MAX_REPEATS: u32 = 10;
/// The longest pause before the first repetition; it doubles each time, up to the second one.
const FIRST_REPEAT_PAUSE: Duration = Duration::from_millis(8);
const MAX_REPEAT_PAUSE: Duration = Duration::from_millis(500);

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
    waiting: Arc<WaitingRooms>,
    repeating: Arc<WaitingRooms>,
    losses: Arc<Losses>,
}

impl Postgres {
    /// Connects.
    ///
    /// # Errors
    ///
    /// [`DbError::Unreachable`] if the server does not answer in time, [`DbError::Unsuitable`] for
    /// a database that cannot be used.
    pub async fn connect(options: &PostgresOptions) -> Result<Self, DbError> {
        let connect = connect::connect_options(options)?;
        connect::check_server(options, &connect).await?;
        let losses = Arc::new(Losses::new());
        let pool = connect::pool(options, connect, &losses);
        let most = usize::try_from(options.max_connections).unwrap_or(usize::MAX);
        let readers = (most - most.div_ceil(RESERVED_PART)).clamp(1, Semaphore::MAX_PERMITS);
        Ok(Self {
            pool,
            readers: Arc::new(Semaphore::new(readers)),
            shares: ReadShares::of(readers),
            acquire_timeout: options.acquire_timeout,
            varied: VariedStatements::default(),
            committed: watch::Sender::new(0),
            waiting: Arc::default(),
            repeating: Arc::default(),
            losses,
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
        sqlx::query("SELECT pg_notify($1, '')")
            .bind(channel)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Sends notifications, in this order. Each must be shorter than 8,000 bytes.
    pub async fn notify_all(&self, channel: &str, payloads: &[String]) -> Result<(), DbError> {
        let notify = "SELECT count(pg_notify($1, payload)) FROM \
                      (SELECT payload FROM unnest($2::text[]) WITH ORDINALITY p (payload, i) ORDER BY i) p";
        sqlx::query(notify)
            .bind(channel)
            .bind(payloads)
            .execute(&self.pool)
            .await?;
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

    /// Reads, and reads once more if the connection turns out to be dead: the pool does not ping
    /// before each use.
    async fn fetch(&self, stmt: Stmt) -> Result<Vec<PgRow>, DbError> {
        let result = match query(&stmt).fetch_all(&self.pool).await {
            Err(error) if self.note_loss(&error) => query(&stmt).fetch_all(&self.pool).await,
            other => other,
        };
        match result {
            Ok(rows) => Ok(rows),
            Err(error) => Err(self.classify(error).await),
        }
    }

    /// Whether the error means that a connection died; then others are tested before they are used.
    fn note_loss(&self, error: &sqlx::Error) -> bool {
        let is_lost = connection_lost(error);
        if is_lost {
            self.losses.note();
        }
        is_lost
    }

    async fn classify(&self, error: sqlx::Error) -> DbError {
        self.note_loss(&error);
        match error {
            sqlx::Error::PoolTimedOut => connect::diagnose(&self.pool).await,
            other => other.into(),
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
        let is_kept = self
            .varied
            .note(&stmt)
            .is_none_or(|keeping| keeping.is_kept);
        loop {
            let mut reader = self.reader(account).await?;
            let (mut found, mut rows) = (
                Vec::new(),
                query(&stmt).persistent(is_kept).fetch(reader.connection()?),
            );
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
                Some(error) if self.note_loss(&error) && is_first && found.is_empty() => {
                    is_first = false;
                }
                Some(error) => {
                    if !connection_lost(&error) {
                        reader.release();
                    }
                    return Err(self.classify(error).await);
                }
            }
        }
    }

    /// A connection for records, as soon as the account and all accounts together use few enough.
    async fn reader(&self, account: AccountId) -> Result<PostgresReader, DbError> {
        let turn = async {
            let share = self.shares.take(account).await?;
            let turn = self
                .readers
                .clone()
                .acquire_owned()
                .await
                .map_err(|_| DbError::Closed)?;
            Ok::<_, DbError>((share, turn))
        };
        let turn = timeout(self.acquire_timeout, turn)
            .await
            .map_err(|_| DbError::Busy)??;
        match self.pool.acquire().await {
            Ok(connection) => Ok(PostgresReader {
                connection: Some(connection),
                _turn: turn,
            }),
            Err(error) => Err(self.classify(error).await),
        }
    }

    pub(super) async fn commit(&self, batch: Batch) -> Result<Vec<Option<Doc>>, CommitError> {
        let mut turns = self.waiting.wait(&batch.locks).await;
        let (mut repeats, mut pause) = (0, FIRST_REPEAT_PAUSE);
        let docs = loop {
            match self.attempt(&batch, repeats > 0).await {
                Err(CommitError {
                    source: DbError::SerializationFailure,
                    ..
                }) if repeats < MAX_REPEATS => {
                    repeats += 1;
                    // Not all at the same moment again.
                    tokio::time::sleep(pause.mul_f64(rand::random())).await;
                    pause = (pause * 2).min(MAX_REPEAT_PAUSE);
                    if repeats == 1
                        && let Some(write) = batch.writes.first()
                    {
                        // From now on one after another, or they would stand in each other's way
                        // again.
                        turns.extend(
                            self.repeating
                                .wait(&[RecordLock::of_statement(write.stmt.text())])
                                .await,
                        );
                    }
                }
                other => break other?,
            }
        };
        self.committed.send_modify(|count| *count += 1);
        Ok(docs)
    }

    /// Runs a batch once. When this fails, nothing was written, unless the connection was lost.
    async fn attempt(&self, batch: &Batch, again: bool) -> Result<Vec<Option<Doc>>, CommitError> {
        let at = |index: usize| move |source: DbError| CommitError { index, source };
        let is_plain =
            batch.context.is_none() && batch.locks.is_empty() && !batch.defers_constraints;
        if let ([write], true) = (batch.writes.as_slice(), is_plain) {
            let mut connection = match self.pool.acquire().await {
                Ok(connection) => connection,
                Err(error) => return Err(at(0)(self.classify(error).await)),
            };
            return match run(&mut connection, write).await {
                Ok(doc) => Ok(vec![doc]),
                Err(error) => Err(at(0)(self.unknown_if_lost(error))),
            };
        }
        let mut tx = self.begin_transaction().await.map_err(at(0))?;
        let prepared = async {
            if let Some(context) = &batch.context {
                set_context(&mut tx, context).await?;
            }
            if batch.defers_constraints {
                sqlx::query("SET CONSTRAINTS ALL DEFERRED")
                    .execute(&mut *tx)
                    .await?;
            }
            take_locks(&mut tx, &batch.locks).await?;
            if let Some(select) = &batch.row_locks {
                query(select).execute(&mut *tx).await?;
            }
            Ok::<(), sqlx::Error>(())
        };
        prepared
            .await
            .map_err(|error| at(0)(self.undone_if_lost(error.into())))?;
        let mut docs = vec![None; batch.writes.len()];
        for step in 0..batch.writes.len() {
            let index = batch
                .repeat_order
                .get(step)
                .copied()
                .filter(|_| again)
                .unwrap_or(step);
            docs[index] = run(&mut tx, &batch.writes[index])
                .await
                .map_err(|error| at(index)(self.undone_if_lost(error)))?;
        }
        let last = batch.writes.len().saturating_sub(1);
        tx.commit()
            .await
            .map_err(|error| at(last)(self.unknown_if_lost(error.into())))?;
        Ok(docs)
    }

    async fn begin_transaction(
        &self,
    ) -> Result<sqlx::Transaction<'static, sqlx::Postgres>, DbError> {
        let result = match self.pool.begin().await {
            // Nothing was written yet.
            Err(error) if self.note_loss(&error) => self.pool.begin().await,
            other => other,
        };
        match result {
            Ok(tx) => Ok(tx),
            Err(error) => Err(self.classify(error).await),
        }
    }

    /// Before the commit nothing has taken effect, so the batch can be run again on another
    /// connection.
    fn undone_if_lost(&self, error: DbError) -> DbError {
        match error {
            DbError::Unreachable(_) => {
                self.losses.note();
                DbError::SerializationFailure
            }
            other => other,
        }
    }

    /// After a lost connection nobody knows whether the last statement took effect.
    fn unknown_if_lost(&self, error: DbError) -> DbError {
        match error {
            DbError::Unreachable(cause) => {
                self.losses.note();
                let advice = "look whether the change was made before you send it again";
                DbError::Unreachable(format!("{cause}; {advice}"))
            }
            other => other,
        }
    }

    pub(super) async fn begin(&self) -> Result<Transaction, DbError> {
        Ok(Transaction {
            tx: self.begin_transaction().await?,
            committed: self.committed.clone(),
        })
    }

    pub(super) fn committed(&self) -> watch::Receiver<u64> {
        self.committed.subscribe()
    }

    pub(super) async fn close(&self) {
        self.pool.close().await;
    }
}

/// A connection that reads records. One that is dropped before it is released still has something
/// to do: it is closed, so that the server stops.
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
            let done = self
                .tx
                .execute(sqlx::raw_sql(AssertSqlSafe(stmt.text)))
                .await?;
            return Ok(done.rows_affected());
        }
        Ok(query(&stmt).execute(&mut *self.tx).await?.rows_affected())
    }

    pub(super) async fn rows<T: DbRow>(&mut self, stmt: Stmt) -> Result<Vec<T>, DbError> {
        let rows = query(&stmt).fetch_all(&mut *self.tx).await?;
        rows.iter().map(|row| Ok(T::from_row(row)?)).collect()
    }

    pub(super) async fn lock_schema(&mut self) -> Result<(), DbError> {
        sqlx::query("SELECT pg_advisory_xact_lock($1)")
            .bind(SCHEMA_LOCK)
            .execute(&mut *self.tx)
            .await?;
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
    if write.required && touched == 0 {
        Err(DbError::Gone)
    } else {
        Ok(doc)
    }
}

async fn set_context(
    connection: &mut sqlx::PgConnection,
    context: &Context,
) -> Result<(), sqlx::Error> {
    let Context { actor, at, origin } = context;
    let set = "SELECT set_config('snackbase.actor', $1, true), set_config('snackbase.at', $2, true), \
               set_config('snackbase.origin', coalesce($3, ''), true)";
    sqlx::query(set)
        .bind(actor)
        .bind(canonical_time(*at))
        .bind(origin)
        .execute(connection)
        .await
        .map(drop)
}

/// Takes locks until the end of the transaction. They are a statement of their own: the next one
/// sees what was committed before they were given.
async fn take_locks(
    connection: &mut sqlx::PgConnection,
    locks: &[RecordLock],
) -> Result<(), sqlx::Error> {
    let mut text = String::new();
    for lock in locks {
        text.push_str(if text.is_empty() { "SELECT " } else { ", " });
        text.push_str(match lock.mode {
            LockMode::Exclusive => "pg_advisory_xact_lock",
            LockMode::Shared => "pg_advisory_xact_lock_shared",
        });
        // Writing to a String does not fail.
        let _ = write!(text, "({})", lock.key);
    }
    if text.is_empty() {
        return Ok(());
    }
    connection
        .execute(sqlx::raw_sql(AssertSqlSafe(text)))
        .await
        .map(drop)
}

/// Whether the connection is gone: cut, or closed by the server, which says so before it does.
fn connection_lost(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(error) => error.kind() != std::io::ErrorKind::ConnectionRefused,
        // admin_shutdown, crash_shutdown, idle_session_timeout,
        // idle_in_transaction_session_timeout, connection exceptions
        sqlx::Error::Database(error) => error.code().is_some_and(|code| {
            matches!(code.as_ref(), "57P01" | "57P02" | "57P05" | "25P03") || code.starts_with("08")
        }),
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
