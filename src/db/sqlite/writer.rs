//! The writer task: it owns the only writing connection and commits queued jobs in groups.
//!
//! A group is one transaction. Jobs with several statements run in a savepoint each, so a failed job rolls back
//! alone. A failed commit fails every job of the group, and nobody was told otherwise before.

mod merge;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use futures_util::TryStreamExt as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Either, Executor as _, Row as _};
use tokio::sync::{oneshot, watch};

use super::query;
use crate::db::error::{CommitError, DbError};
use crate::db::sql::Stmt;
use crate::db::value::Value;
use crate::db::{Batch, Context, DbRow, Doc, Write};

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
pub(super) enum Job {
    /// Run a batch in the next group.
    Batch { batch: Batch, reply: Reply },
    /// Lend the connection, inside a transaction.
    Lease { reply: oneshot::Sender<Result<Lease, DbError>> },
    /// Finish and stop.
    Close { reply: oneshot::Sender<()> },
}

/// The writer's connection on loan, inside a transaction; rolled back unless it is committed.
#[derive(Debug)]
pub struct Lease {
    connection: Option<SqliteConnection>,
    back: Option<oneshot::Sender<Returned>>,
}

#[derive(Debug)]
struct Returned {
    connection: SqliteConnection,
    done: Option<oneshot::Sender<Result<(), DbError>>>,
}

impl Lease {
    fn connection(&mut self) -> Result<&mut SqliteConnection, DbError> {
        self.connection.as_mut().ok_or(DbError::Closed)
    }

    pub(in crate::db) async fn execute(&mut self, stmt: Stmt) -> Result<u64, DbError> {
        let connection = self.connection()?;
        if stmt.args.is_empty() {
            // DDL and several statements at once go without preparing.
            return Ok(connection.execute(sqlx::raw_sql(AssertSqlSafe(stmt.text))).await?.rows_affected());
        }
        Ok(query(&stmt).execute(connection).await?.rows_affected())
    }

    pub(in crate::db) async fn rows<T: DbRow>(&mut self, stmt: Stmt) -> Result<Vec<T>, DbError> {
        super::fetch(self.connection()?, &stmt).await
    }

    pub(in crate::db) async fn commit(mut self) -> Result<(), DbError> {
        let (done, answer) = oneshot::channel();
        self.give_back(Some(done));
        answer.await.map_err(|_| DbError::Closed)?
    }

    fn give_back(&mut self, done: Option<oneshot::Sender<Result<(), DbError>>>) {
        if let (Some(connection), Some(back)) = (self.connection.take(), self.back.take()) {
            // If the writer is gone, the connection is dropped and its transaction with it.
            let _ = back.send(Returned { connection, done });
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.give_back(None);
    }
}

/// Runs until it is told to close, or until nobody can send a job any more.
pub(super) async fn run(
    connection: SqliteConnection,
    reopen: SqliteConnectOptions,
    jobs: flume::Receiver<Job>,
    committed: watch::Sender<u64>,
) {
    let mut writer = Writer { connection: Some(connection), reopen, jobs, committed, dirty: false };
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
        let Ok(connection) = self.open().await else { return };
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
        let alone = self.jobs.is_empty() && batch.writes.len() == 1 && batch.context.is_none();
        if alone {
            let answer = self.single(&batch).await;
            self.finish(vec![(reply, answer)], None);
            return None;
        }
        let mut answers: Vec<(Reply, Answer)> = Vec::new();
        let mut next = None;
        let result = match self.statement("BEGIN IMMEDIATE").await {
            Ok(()) => self.fill(&mut answers, &mut next, (batch, reply)).await,
            Err(error) => {
                answers.push((reply, Ok(Vec::new())));
                Err(error)
            }
        };
        if result.is_err() {
            // Whatever state the connection is in, a new one is in a good one.
            self.connection = None;
        }
        self.finish(answers, result.err());
        next
    }

    /// Runs jobs inside the group's transaction until it is full or nobody waits, and commits.
    async fn fill(
        &mut self,
        answers: &mut Vec<(Reply, Answer)>,
        next: &mut Option<Job>,
        first: (Batch, Reply),
    ) -> Result<(), DbError> {
        let started = Instant::now();
        let mut waiting = VecDeque::from([first]);
        loop {
            while next.is_none() && answers.len() + waiting.len() < GROUP_JOBS && started.elapsed() < GROUP_TIME {
                match self.jobs.try_recv() {
                    Ok(Job::Batch { batch, reply }) => waiting.push_back((batch, reply)),
                    Ok(other) => *next = Some(other),
                    Err(_) => break,
                }
            }
            if waiting.is_empty() {
                return self.statement("COMMIT").await;
            }
            let jobs: Vec<(Batch, Reply)> = waiting.drain(..merge::alike(&waiting)).collect();
            self.run_alike(jobs, answers).await?;
        }
    }

    /// Runs jobs whose statements differ in their values alone: as one statement, or one by one if that fails.
    async fn run_alike(
        &mut self,
        jobs: Vec<(Batch, Reply)>,
        answers: &mut Vec<(Reply, Answer)>,
    ) -> Result<(), DbError> {
        if jobs.len() > 1
            && let Some(merged) = merge::merge(jobs.iter().map(|(batch, _)| &batch.writes[0]))
        {
            // A constraint that one row breaks undoes the whole statement, and then each job is tried alone.
            if let Ok(rows) = query(&merged).fetch_all(self.open().await?).await {
                let docs: Vec<Doc> = rows.iter().map(|row| row.try_get(0)).collect::<Result<_, sqlx::Error>>()?;
                let found = merge::by_id(docs);
                answers.extend(jobs.into_iter().map(|(batch, reply)| (reply, merge::answer(&batch.writes[0], &found))));
                return Ok(());
            }
        }
        let mut jobs = jobs.into_iter();
        while let Some((batch, reply)) = jobs.next() {
            let answer = self.batch(&batch).await;
            let broken = match &answer {
                Err(CommitError { source: source @ (DbError::Other(_) | DbError::Full), .. }) => Some(repeated(source)),
                _ => None,
            };
            answers.push((reply, answer));
            if let Some(error) = broken {
                // The group fails, and these with it.
                answers.extend(jobs.map(|(_, reply)| (reply, Ok(Vec::new()))));
                return Err(error);
            }
        }
        Ok(())
    }

    /// Tells every caller of a group how it went, after the commit.
    fn finish(&mut self, answers: Vec<(Reply, Answer)>, failure: Option<DbError>) {
        if let Some(error) = failure {
            tracing::error!(%error, jobs = answers.len(), "a group of writes failed; nothing of it was stored");
            for (reply, _) in answers {
                let _ = reply.send(Err(CommitError { index: 0, source: repeated(&error) }));
            }
            return;
        }
        self.dirty = true;
        self.committed.send_modify(|count| *count += 1);
        for (reply, answer) in answers {
            // A caller that went away does not hear of its write; it is stored all the same.
            let _ = reply.send(answer);
        }
    }

    /// A lone batch of one statement: the statement is its own transaction.
    async fn single(&mut self, batch: &Batch) -> Answer {
        let at = |source| CommitError { index: 0, source };
        let connection = self.open().await.map_err(at)?;
        match run_write(connection, &batch.writes[0]).await {
            Ok(doc) => Ok(vec![doc]),
            Err(error) => {
                if matches!(error, DbError::Other(_) | DbError::Full) {
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
                        self.statement("ROLLBACK TO job; RELEASE job").await.map_err(at(index))?;
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
        let args = vec![Value::from(context.actor.as_str()), Value::from(context.at), origin];
        let stmt = Stmt::fixed("UPDATE change_context SET actor = $1, at = $2, origin = $3", args);
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
        let lease = Lease { connection: self.connection.take(), back: Some(back) };
        if let Err(unused) = reply.send(Ok(lease)) {
            drop(unused);
        }
        let Ok(Returned { connection, done }) = returned.await else { return };
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

/// The same error for another job of the group.
fn repeated(error: &DbError) -> DbError {
    match error {
        DbError::Full => DbError::Full,
        other => DbError::Other(sqlx::Error::Protocol(other.to_string())),
    }
}

/// Copies the write-ahead log into the database and empties it; returns whether no reader was in the way.
async fn fold_log_back(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    let timeout: i64 = sqlx::query("PRAGMA busy_timeout").fetch_one(&mut *connection).await?.try_get(0)?;
    let set_timeout = |milliseconds: i64| AssertSqlSafe(format!("PRAGMA busy_timeout = {milliseconds}"));
    connection.execute(sqlx::raw_sql(set_timeout(CHECKPOINT_PATIENCE_MS.into()))).await?;
    let folded = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(&mut *connection).await;
    connection.execute(sqlx::raw_sql(set_timeout(timeout))).await?;
    Ok(folded?.try_get::<i64, _>(0)? == 0)
}

async fn run_write(connection: &mut SqliteConnection, write: &Write) -> Result<Option<Doc>, DbError> {
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
