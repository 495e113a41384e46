//! The reading connections of SQLite: each belongs to a task that takes jobs from a queue.
//!
//! Records are read by connections of their own, of which one account uses all but one at most.
//! Credentials, health and whatever else the server itself asks go to other connections, so that no
//! list holds them up. A job whose caller has gone is not begun, and one that runs is interrupted;
//! the deadline of a request reaches the database that way.

use std::cmp::Ordering as CmpOrdering;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::future::BoxFuture;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions as _, Connection as _};
use tokio::sync::oneshot;

use super::fair_queue::{Abandonable, FairQueue};
use crate::db::error::DbError;
use crate::db::like::{SQLITE_MATCHER, compare_with_pattern};
use crate::db::varied::Keeping;
use crate::id::AccountId;

/// Steps of SQLite's virtual machine after which a statement is asked whether it should go on: some
/// microseconds, if none of them is about a large text.
const STEPS_PER_CHECK: i32 = 500;
/// Connections for what the server itself asks.
const SYSTEM_READERS: usize = 2;
/// Upper limit of the server's own jobs that wait.
const MAX_SYSTEM_JOBS: usize = 4_096;

/// A statement, or several, that a reader runs, and the one who waits for the answer.
trait ReadJob: Send {
    fn is_abandoned(&self) -> bool;
    fn run<'r>(self: Box<Self>, reader: &'r mut SqliteReader) -> BoxFuture<'r, ()>
    where
        Self: 'r;
}

type BoxedReadJob = Box<dyn ReadJob>;

impl Abandonable for BoxedReadJob {
    fn is_abandoned(&self) -> bool {
        (**self).is_abandoned()
    }
}

/// One connection.
struct SqliteReader {
    connection: SqliteConnection,
    /// See [`Keeping`].
    generation: u64,
    /// Set while a statement runs whose caller has gone: it is interrupted at its next check.
    interrupted: Arc<AtomicBool>,
}

/// The one in whose name something is read.
#[derive(Clone, Copy, Debug)]
pub(in crate::db) enum ReadOwner {
    /// The server itself.
    System,
    /// An account, whose share of the connections is used.
    Account(AccountId),
}

/// The way to the readers; cheap to clone.
#[derive(Clone)]
pub(super) struct Readers {
    system: flume::Sender<BoxedReadJob>,
    records: FairQueue<BoxedReadJob>,
}

impl std::fmt::Debug for Readers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Readers").finish_non_exhaustive()
    }
}

impl Readers {
    /// Starts so many readers of records, and those of the system.
    pub async fn start(options: &SqliteConnectOptions, count: usize) -> Result<Self, DbError> {
        let count = count.max(1);
        let (records, ready_jobs) = FairQueue::<BoxedReadJob>::for_workers(count);
        for _ in 0..count {
            let mut reader = SqliteReader::connect(options).await?;
            let ready_jobs = ready_jobs.clone();
            tokio::spawn(async move {
                while let Ok((job, turn)) = ready_jobs.recv_async().await {
                    job.run(&mut reader).await;
                    drop(turn);
                }
            });
        }
        let (system, system_jobs) = flume::bounded::<BoxedReadJob>(MAX_SYSTEM_JOBS);
        for _ in 0..SYSTEM_READERS {
            let mut reader = SqliteReader::connect(options).await?;
            let system_jobs = system_jobs.clone();
            tokio::spawn(async move {
                while let Ok(job) = system_jobs.recv_async().await {
                    job.run(&mut reader).await;
                }
            });
        }
        Ok(Self { system, records })
    }

    /// Runs work on the next free reader. If this is dropped, the work is not begun any more, or
    /// interrupted.
    pub async fn read<T, F>(
        &self,
        owner: ReadOwner,
        keeping: Option<Keeping>,
        work: F,
    ) -> Result<T, DbError>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T, DbError>>
            + Send
            + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job = Box::new(AnsweredWork {
            work,
            keeping,
            reply,
        });
        match owner {
            ReadOwner::Account(account) => self.records.push(account, job),
            ReadOwner::System => {
                let sent = self.system.send_async(job).await;
                sent.map_err(|_| DbError::Closed)?;
            }
        }
        answer.await.map_err(|_| DbError::Closed)?
    }
}

/// Work whose outcome is sent to the one who waits for it.
struct AnsweredWork<T, F> {
    work: F,
    keeping: Option<Keeping>,
    reply: oneshot::Sender<Result<T, DbError>>,
}

impl<T, F> ReadJob for AnsweredWork<T, F>
where
    T: Send + 'static,
    F: for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T, DbError>>
        + Send
        + 'static,
{
    fn is_abandoned(&self) -> bool {
        self.reply.is_closed()
    }

    fn run<'r>(self: Box<Self>, reader: &'r mut SqliteReader) -> BoxFuture<'r, ()>
    where
        Self: 'r,
    {
        Box::pin(async move {
            let Self {
                work,
                keeping,
                mut reply,
            } = *self;
            if reply.is_closed() {
                return;
            }
            reader.forget_before(keeping).await;
            let mut work = pin!(work(&mut reader.connection));
            let answer = tokio::select! {
                biased;
                answer = &mut work => Some(answer),
                () = reply.closed() => None,
            };
            if let Some(answer) = answer {
                // The caller may have gone at this moment; then there is nobody to tell.
                let _ = reply.send(answer);
            } else {
                reader.interrupted.store(true, Ordering::Relaxed);
                let _ = work.await;
                reader.interrupted.store(false, Ordering::Relaxed);
            }
        })
    }
}

impl SqliteReader {
    /// Forgets prepared statements if many have been kept since.
    async fn forget_before(&mut self, keeping: Option<Keeping>) {
        if let Some(Keeping { generation, .. }) = keeping
            && generation > self.generation
        {
            self.generation = generation;
            if let Err(error) = self.connection.clear_cached_statements().await {
                tracing::warn!(%error, "prepared statements cannot be forgotten");
            }
        }
    }

    async fn connect(options: &SqliteConnectOptions) -> Result<Self, DbError> {
        let mut connection = options.connect().await?;
        let interrupted = Arc::new(AtomicBool::new(false));
        let (steps, matches) = (interrupted.clone(), interrupted.clone());
        let mut handle = connection.lock_handle().await?;
        handle.set_progress_handler(STEPS_PER_CHECK, move || !steps.load(Ordering::Relaxed));
        // A match may take as long as many steps.
        handle.create_collation(SQLITE_MATCHER, move |text, pattern| {
            if matches.load(Ordering::Relaxed) {
                CmpOrdering::Less
            } else {
                compare_with_pattern(text, pattern)
            }
        })?;
        drop(handle);
        Ok(Self {
            connection,
            generation: 0,
            interrupted,
        })
    }
}
