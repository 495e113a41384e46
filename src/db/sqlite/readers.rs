//! The reading connections of SQLite: each belongs to a task that takes jobs from queues.
//!
//! Records are read from a queue of their own, which all readers serve but one: credentials, health
//! and whatever else the server itself asks always find a reader that no list can occupy. A job
//! whose caller has gone is not begun, and one that runs is interrupted; the deadline of a request
//! reaches the database that way.

use std::cmp::Ordering as CmpOrdering;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::future::BoxFuture;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions as _, Connection as _};
use tokio::sync::oneshot;

use crate::db::error::DbError;
use crate::db::like::{SQLITE_MATCHER, compare_with_pattern};
use crate::db::shares::{ReadShare, ReadShares};
use crate::db::varied::Keeping;
use crate::id::AccountId;

/// Steps of SQLite's virtual machine after which a statement is asked whether it should go on: some
/// microseconds, if none of them is about a large text.
const STEPS_PER_CHECK: i32 = 500;
/// Jobs that may wait in a queue.
const QUEUE_JOBS: usize = 4_096;

/// A job: it gets a reader and answers its caller itself.
type ReadJob = Box<dyn for<'r> FnOnce(&'r mut SqliteReader) -> BoxFuture<'r, ()> + Send>;

/// One connection.
struct SqliteReader {
    connection: SqliteConnection,
    /// See [`Keeping`].
    generation: u64,
    /// Set while a statement runs whose caller has gone: it is interrupted at its next check.
    interrupted: Arc<AtomicBool>,
}

/// Who asks.
#[derive(Clone, Copy, Debug)]
pub(in crate::db) enum Asker {
    /// The server itself.
    System,
    /// Somebody who reads records, in whose name an account's share is used.
    Account(AccountId),
}

/// How the readers are reached; cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Readers {
    system: flume::Sender<ReadJob>,
    records: flume::Sender<ReadJob>,
    shares: ReadShares,
}

impl Readers {
    /// Starts so many readers, and one for the system alone.
    pub async fn start(options: &SqliteConnectOptions, count: usize) -> Result<Self, DbError> {
        let count = count.max(1);
        let (system, system_jobs) = flume::bounded::<ReadJob>(QUEUE_JOBS);
        let (records, record_jobs) = flume::bounded::<ReadJob>(QUEUE_JOBS);
        for _ in 0..count {
            let mut reader = SqliteReader::connect(options).await?;
            let (system_jobs, record_jobs) = (system_jobs.clone(), record_jobs.clone());
            tokio::spawn(async move {
                loop {
                    let job = tokio::select! {
                        biased;
                        job = system_jobs.recv_async() => job,
                        job = record_jobs.recv_async() => job,
                    };
                    let Ok(job) = job else { return };
                    job(&mut reader).await;
                }
            });
        }
        let mut reader = SqliteReader::connect(options).await?;
        tokio::spawn(async move {
            while let Ok(job) = system_jobs.recv_async().await {
                job(&mut reader).await;
            }
        });
        Ok(Self {
            system,
            records,
            shares: ReadShares::of(count),
        })
    }

    /// Runs a job on the next free reader. If this is dropped, the job is not begun any more, or
    /// interrupted.
    pub async fn read<T, F>(
        &self,
        asker: Asker,
        keeping: Option<Keeping>,
        job: F,
    ) -> Result<T, DbError>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T, DbError>>
            + Send
            + 'static,
    {
        // The share goes with the job: it is used for as long as the reader is.
        let (queue, share) = match asker {
            Asker::System => (&self.system, None),
            Asker::Account(account) => (&self.records, Some(self.shares.take(account).await?)),
        };
        let (reply, answer) = oneshot::channel();
        let job: ReadJob = Box::new(move |reader| {
            Box::pin(async move {
                reader.forget_before(keeping).await;
                run(reader, job, reply, share).await;
            })
        });
        queue.send_async(job).await.map_err(|_| DbError::Closed)?;
        answer.await.map_err(|_| DbError::Closed)?
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

async fn run<T, F>(
    reader: &mut SqliteReader,
    job: F,
    mut reply: oneshot::Sender<Result<T, DbError>>,
    share: Option<ReadShare>,
) where
    F: for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T, DbError>>,
{
    if !reply.is_closed() {
        let mut work = pin!(job(&mut reader.connection));
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
    }
    drop(share);
}
