//! The writer task: it owns the only writing connection and commits queued jobs in groups.
//!
//! A group is one transaction. Jobs with several statements run in a savepoint each, so a failed
//! job rolls back alone. An error that ends the transaction makes each job of the group run again
//! in a transaction of its own: it may be one job's fault. A failed commit fails every job of the
//! group, and nobody was told otherwise before.

mod lease;
mod merge;

use std::time::{Duration, Instant};

use futures_util::TryStreamExt as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Either, Executor as _, Row as _};
use tokio::sync::{oneshot, watch};

use super::query;
use crate::db::error::{CommitError, DbError};
use crate::db::sql::Stmt;
use crate::db::value::Value;
use crate::db::{Batch, Context, Doc, Write};
pub use lease::Lease;
use lease::Returned;

/// A group ends at this many jobs …
const GROUP_JOBS: usize = 256;
/// … or after this long, so that the first caller does not wait for the last.
const GROUP_TIME: Duration = Duration::from_millis(4);
/// After this long without a write the log file is folded back into the database.
const IDLE_CHECKPOINT: Duration = Duration::from_millis(500);
/// The longest that this waits for readers, in milliseconds: writers wait meanwhile.
const CHECKPOINT_PATIENCE_MS: u32 = 50;

type Answer = Result<Vec<Option<Doc>>, CommitError>;
type Reply = oneshot::Sender<Answer>;

/// What the writer is asked to do.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly every job is a batch, and a box would cost each write"
)]
pub(super) enum Job {
    /// Run a batch in the next group.
    Batch { batch: Batch, reply: Reply },
    /// Lend the connection, inside a transaction.
    Lease {
        reply: oneshot::Sender<Result<Lease, DbError>>,
    },
    /// Finish and stop.
    Close { reply: oneshot::Sender<()> },
}

/// A batch that waits for its answer.
#[derive(Debug)]
struct QueuedBatch {
    batch: Batch,
    reply: Reply,
    /// Told after the commit.
    answer: Answer,
}

impl QueuedBatch {
    fn new(batch: Batch, reply: Reply) -> Self {
        Self {
            batch,
            reply,
            answer: Ok(Vec::new()),
        }
    }
}

/// An error that ended a group's transaction.
enum GroupFailure {
    /// Before the commit: nothing of it was stored, and each job can be run again.
    Undone,
    /// At the beginning or at the commit: it is nobody's fault.
    Refused(DbError),
}

/// Runs until it is told to close, or until nobody can send a job any more.
pub(super) async fn run(
    connection: SqliteConnection,
    reopen: SqliteConnectOptions,
    jobs: flume::Receiver<Job>,
    committed: watch::Sender<u64>,
) {
    let mut writer = Writer {
        connection: Some(connection),
        reopen,
        jobs,
        committed,
        dirty: false,
    };
    writer.run().await;
}

struct Writer {
    connection: Option<SqliteConnection>,
    reopen: SqliteConnectOptions,
    jobs: flume::Receiver<Job>,
    committed: watch::Sender<u64>,
    dirty: bool,
}

impl Writer {
    async fn run(&mut self) {
        let mut next = None;
        loop {
            let job = match next.take() {
                Some(job) => job,
                None => match self.wait().await {
                    Some(job) => job,
                    None => return,
                },
            };
            match job {
                Job::Batch { batch, reply } => next = self.group(batch, reply).await,
                Job::Lease { reply } => self.lend(reply).await,
                Job::Close { reply } => {
                    self.checkpoint().await;
                    if let Some(connection) = self.connection.take() {
                        // Closing is the last thing we do with it; an error has no consequence.
                        let _ = connection.close().await;
                    }
                    let _ = reply.send(());
                    return;
                }
            }
        }
    }

    async fn wait(&mut self) -> Option<Job> {
        while self.dirty {
            match tokio::time::timeout(IDLE_CHECKPOINT, self.jobs.recv_async()).await {
                Ok(job) => return job.ok(),
                Err(_) => self.checkpoint().await,
            }
        }
        self.jobs.recv_async().await.ok()
    }

    async fn checkpoint(&mut self) {
        self.dirty = false;
        let Ok(connection) = self.open().await else {
            return;
        };
        match fold_log_back(connection).await {
            // A reader was in the way: it is tried again.
            Ok(is_complete) => self.dirty = !is_complete,
            Err(error) => tracing::warn!(%error, "the write-ahead log could not be folded back"),
        }
    }

    /// The connection, opened again if an error made it unusable.
    async fn open(&mut self) -> Result<&mut SqliteConnection, DbError> {
        if self.connection.is_none() {
            self.connection = Some(self.reopen.connect().await?);
        }
        self.connection.as_mut().ok_or(DbError::Closed)
    }

    /// Runs a group that starts with this batch; returns a job that did not fit into it.
    async fn group(&mut self, batch: Batch, reply: Reply) -> Option<Job> {
        let mut first = QueuedBatch::new(batch, reply);
        if first.batch.defers_constraints {
            first.answer = self.alone(&first.batch).await;
            self.finish(vec![first]);
            return None;
        }
        let lone =
            self.jobs.is_empty() && first.batch.writes.len() == 1 && first.batch.context.is_none();
        if lone {
            first.answer = self.single(&first.batch).await;
            self.finish(vec![first]);
            return None;
        }
        let (mut group, mut next) = (vec![first], None);
        if let Err(failure) = self.fill(&mut group, &mut next).await {
            // Whatever state the connection is in, a new one is in a good one.
            self.connection = None;
            match failure {
                GroupFailure::Undone => {
                    for job in &mut group {
                        job.answer = self.alone(&job.batch).await;
                    }
                }
                GroupFailure::Refused(error) => {
                    tracing::error!(%error, jobs = group.len(), "a group of writes failed; nothing of it was stored");
                    for job in &mut group {
                        job.answer = Err(CommitError {
                            index: 0,
                            source: error.duplicate(),
                        });
                    }
                }
            }
        }
        self.finish(group);
        next
    }

    /// Runs jobs inside the group's transaction until it is full or nobody waits, and commits.
    async fn fill(
        &mut self,
        group: &mut Vec<QueuedBatch>,
        next: &mut Option<Job>,
    ) -> Result<(), GroupFailure> {
        self.statement("BEGIN IMMEDIATE")
            .await
            .map_err(GroupFailure::Refused)?;
        let (started, mut done) = (Instant::now(), 0);
        loop {
            while next.is_none() && group.len() < GROUP_JOBS && started.elapsed() < GROUP_TIME {
                match self.jobs.try_recv() {
                    Ok(Job::Batch { batch, reply }) if !batch.defers_constraints => {
                        group.push(QueuedBatch::new(batch, reply));
                    }
                    Ok(other) => *next = Some(other),
                    Err(_) => break,
                }
            }
            if done == group.len() {
                return self
                    .statement("COMMIT")
                    .await
                    .map_err(GroupFailure::Refused);
            }
            let alike = done + merge::alike(&group[done..]);
            self.run_alike(&mut group[done..alike])
                .await
                .map_err(|error| {
                    tracing::warn!(%error, "a group of writes failed; each is tried alone");
                    GroupFailure::Undone
                })?;
            done = alike;
        }
    }

    /// Runs jobs whose statements differ in their values alone: as one statement, or one by one if
    /// that fails.
    ///
    /// # Errors
    ///
    /// What ended the transaction.
    async fn run_alike(&mut self, jobs: &mut [QueuedBatch]) -> Result<(), DbError> {
        if jobs.len() > 1
            && let Some(merged) = merge::merge(jobs.iter().map(|job| &job.batch.writes[0]))
        {
            match self.documents(&merged).await {
                Ok(docs) => {
                    let found = merge::by_id(docs);
                    for job in jobs {
                        job.answer = merge::answer(&job.batch.writes[0], &found);
                    }
                    return Ok(());
                }
                // A constraint that one row breaks undoes the whole statement, and then each job is
                // tried alone.
                Err(error) if error.spares_transaction() => {}
                Err(error) => return Err(error),
            }
        }
        for job in jobs {
            job.answer = self.batch(&job.batch).await;
            if let Err(error) = &job.answer
                && !error.source.spares_transaction()
            {
                return Err(error.source.duplicate());
            }
        }
        Ok(())
    }

    async fn documents(&mut self, stmt: &Stmt) -> Result<Vec<Doc>, DbError> {
        let rows = query(stmt).fetch_all(self.open().await?).await?;
        Ok(rows
            .iter()
            .map(|row| row.try_get(0))
            .collect::<Result<_, sqlx::Error>>()?)
    }

    /// Runs a batch in a transaction of its own.
    async fn alone(&mut self, batch: &Batch) -> Answer {
        let at = |index: usize| move |source: DbError| CommitError { index, source };
        self.statement("BEGIN IMMEDIATE").await.map_err(at(0))?;
        if batch.defers_constraints {
            // It holds until the end of the transaction.
            self.statement("PRAGMA defer_foreign_keys = ON")
                .await
                .map_err(at(0))?;
        }
        let last = batch.writes.len().saturating_sub(1);
        let answer = match self.batch(batch).await {
            Ok(docs) => self
                .statement("COMMIT")
                .await
                .map(|()| docs)
                .map_err(at(last)),
            Err(error) => Err(error),
        };
        // A connection that is dropped rolls back.
        let spared = answer
            .as_ref()
            .is_err_and(|error| error.source.spares_transaction());
        if answer.is_err() && (!spared || self.statement("ROLLBACK").await.is_err()) {
            self.connection = None;
        }
        answer
    }

    /// Tells every caller of a group how it went, after the commit.
    fn finish(&mut self, group: Vec<QueuedBatch>) {
        if group.iter().any(|job| job.answer.is_ok()) {
            self.dirty = true;
            self.committed.send_modify(|count| *count += 1);
        }
        for job in group {
            // A caller that went away does not hear of its write; it is stored all the same.
            let _ = job.reply.send(job.answer);
        }
    }

    /// A lone batch of one statement: the statement is its own transaction.
    async fn single(&mut self, batch: &Batch) -> Answer {
        let at = |source| CommitError { index: 0, source };
        let connection = self.open().await.map_err(at)?;
        match run_write(connection, &batch.writes[0]).await {
            Ok(doc) => Ok(vec![doc]),
            Err(error) => {
                if !error.spares_transaction() {
                    self.connection = None;
                }
                Err(at(error))
            }
        }
    }

    async fn batch(&mut self, batch: &Batch) -> Answer {
        let at = |index: usize| move |source: DbError| CommitError { index, source };
        if let Some(context) = &batch.context {
            self.set_context(context).await.map_err(at(0))?;
        }
        let several = batch.writes.len() > 1;
        if several {
            self.statement("SAVEPOINT job").await.map_err(at(0))?;
        }
        let mut docs = Vec::with_capacity(batch.writes.len());
        for (index, write) in batch.writes.iter().enumerate() {
            let connection = self.open().await.map_err(at(index))?;
            match run_write(connection, write).await {
                Ok(doc) => docs.push(doc),
                Err(error) => {
                    if several {
                        self.statement("ROLLBACK TO job; RELEASE job")
                            .await
                            .map_err(at(index))?;
                    }
                    return Err(at(index)(error));
                }
            }
        }
        if several {
            self.statement("RELEASE job").await.map_err(at(0))?;
        }
        Ok(docs)
    }

    async fn set_context(&mut self, context: &Context) -> Result<(), DbError> {
        let origin = Value::text_or_null(context.origin.as_deref());
        let args = vec![
            Value::from(context.actor.as_str()),
            Value::from(context.at),
            origin,
        ];
        let stmt = Stmt::fixed(
            "UPDATE change_context SET actor = $1, at = $2, origin = $3",
            args,
        );
        query(&stmt).execute(self.open().await?).await?;
        Ok(())
    }

    async fn statement(&mut self, text: &'static str) -> Result<(), DbError> {
        sqlx::raw_sql(text).execute(self.open().await?).await?;
        Ok(())
    }

    async fn lend(&mut self, reply: oneshot::Sender<Result<Lease, DbError>>) {
        if let Err(error) = self.statement("BEGIN IMMEDIATE").await {
            let _ = reply.send(Err(error));
            return;
        }
        let (back, returned) = oneshot::channel();
        let lease = Lease::new(self.connection.take(), back);
        if let Err(unused) = reply.send(Ok(lease)) {
            drop(unused);
        }
        let Ok(Returned { connection, done }) = returned.await else {
            return;
        };
        self.connection = Some(connection);
        let Some(done) = done else {
            if self.statement("ROLLBACK").await.is_err() {
                self.connection = None;
            }
            return;
        };
        let result = self.statement("COMMIT").await;
        if result.is_err() {
            self.connection = None;
        } else {
            self.dirty = true;
            self.committed.send_modify(|count| *count += 1);
        }
        let _ = done.send(result);
    }
}

/// Copies the write-ahead log into the database and empties it; returns whether no reader was in
/// the way.
async fn fold_log_back(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    let timeout: i64 = sqlx::query("PRAGMA busy_timeout")
        .fetch_one(&mut *connection)
        .await?
        .try_get(0)?;
    let set_timeout =
        |milliseconds: i64| AssertSqlSafe(format!("PRAGMA busy_timeout = {milliseconds}"));
    connection
        .execute(sqlx::raw_sql(set_timeout(CHECKPOINT_PATIENCE_MS.into())))
        .await?;
    let folded = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)")
        .fetch_one(&mut *connection)
        .await;
    connection
        .execute(sqlx::raw_sql(set_timeout(timeout)))
        .await?;
    Ok(folded?.try_get::<i64, _>(0)? == 0)
}

async fn run_write(
    connection: &mut SqliteConnection,
    write: &Write,
) -> Result<Option<Doc>, DbError> {
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
