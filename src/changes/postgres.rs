//! Following on PostgreSQL: positions are drawn in order but become visible out of order.
//!
//! The follower delivers the contiguous prefix. A missing position is waited for until every
//! transaction that was open when the gap was seen has ended; if it is still missing then, its
//! transaction was rolled back. Which those are, a snapshot does not say: its `xmax` follows the
//! last transaction that *ended*, and one that still runs may be beyond it. So the follower takes a
//! transaction id of its own, the fence: whatever drew a position before has a smaller one.

use std::collections::{BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::completion::Completion;
use super::read_limit::ReadLimit;
use super::{ChangeLog, Consumer, RETRY, Row};
use crate::db::{Db, DbError, Postgres, Stmt};

const CHANNEL: &str = "snackbase_changes";
/// The safety net, should a notification be lost.
const POLL: Duration = Duration::from_millis(250);
/// While a gap is open.
const GAP_POLL: Duration = Duration::from_millis(5);
/// How long a node waits at its start for transactions that are open.
const START_PATIENCE: Duration = Duration::from_secs(5);
/// At most so many notifications a second leave a node.
const NOTIFY_INTERVAL: Duration = Duration::from_millis(5);

#[derive(sqlx::FromRow)]
struct Seen {
    xmin: i64,
    #[sqlx(flatten)]
    row: Row,
}

/// What has been delivered, and what is missing.
#[derive(Debug, Default)]
struct Progress {
    /// Everything up to here is delivered or known to be rolled back.
    settled: i64,
    /// Beyond `settled`, what was there before the follower started.
    known: BTreeSet<i64>,
    /// A transaction id taken after the gap behind `settled` was seen: every transaction that can
    /// fill it is older.
    fence: Option<i64>,
}

impl Progress {
    /// Begins after `settled` and after positions that were there already; those missing among them
    /// may belong to open transactions.
    fn after(settled: i64, recent: &[i64]) -> Self {
        let known = recent
            .iter()
            .copied()
            .filter(|position| *position > settled)
            .collect();
        Self {
            settled,
            known,
            fence: None,
        }
    }

    /// Takes the rows after `settled`, in order, read in a snapshot in which every transaction
    /// older than `xmin` has ended. Returns those to deliver, and whether it stopped at a gap.
    fn advance<T>(&mut self, rows: Vec<(i64, T)>, xmin: i64) -> (Vec<T>, bool) {
        let mut deliver = Vec::new();
        for (position, row) in rows {
            if position > self.settled + 1 && self.fence.is_none_or(|fence| xmin <= fence) {
                return (deliver, true);
            }
            self.fence = None;
            self.settled = position;
            if !self.known.remove(&position) {
                deliver.push(row);
            }
        }
        (deliver, false)
    }
}

/// How many of this process's commits were handed over.
#[derive(Debug, Default)]
struct Followed {
    /// So many will be once everything up to a position is.
    awaited: Option<(u64, i64)>,
}

impl Followed {
    /// Notes a read that began after so many commits, found entries up to `last`, and settled them
    /// up to `settled`. Returns how many commits were handed over, if that is known anew.
    fn note(&mut self, commits: u64, last: i64, settled: i64) -> Option<u64> {
        if last <= settled {
            self.awaited = None;
            return Some(commits);
        }
        let reached = self.awaited.take_if(|(_, position)| *position <= settled);
        self.awaited.get_or_insert((commits, last));
        reached.map(|(commits, _)| commits)
    }
}

/// What was read at once.
#[derive(Debug, Default)]
struct Reading {
    /// What is to be delivered.
    rows: VecDeque<Row>,
    /// The last entry that was seen, delivered or not.
    last: Option<i64>,
    /// Whether there may be more behind it.
    full: bool,
}

/// Up to where nothing can be added any more, of the last positions that are there. What is missing
/// among them may belong to open transactions, and whoever subscribes at once must not miss what
/// those commit: so they are waited for.
pub(super) async fn settled(db: &Db, recent: &[i64]) -> Result<i64, DbError> {
    let fence = take_fence(db).await?;
    let start = Instant::now();
    let oldest = || {
        Stmt::fixed(
            "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint",
            Vec::new(),
        )
    };
    while db.count(oldest()).await? <= fence {
        if start.elapsed() >= START_PATIENCE {
            tracing::warn!(
                "a transaction is open in the database for longer than {} s; what it commits may not reach clients that \
                 subscribe to this node before that",
                START_PATIENCE.as_secs()
            );
            return Ok(recent.first().map_or(0, |first| first - 1));
        }
        tokio::time::sleep(GAP_POLL).await;
    }
    Ok(recent.last().copied().unwrap_or(0))
}

/// A transaction id: whatever has drawn a position before has a smaller one.
async fn take_fence(db: &Db) -> Result<i64, DbError> {
    db.count(Stmt::fixed(
        "SELECT pg_current_xact_id()::text::bigint",
        Vec::new(),
    ))
    .await
}

pub(super) async fn follow(log: &ChangeLog, db: &Postgres, consumer: &mut impl Consumer) {
    let (wake, mut woken) = watch::channel(());
    let following = async {
        let (committed, mut followed) = (log.db.committed(), Followed::default());
        let mut limit = ReadLimit::default();
        let mut progress = Progress::after(*log.settled.borrow(), &log.recent);
        loop {
            woken.borrow_and_update();
            let (commits, before) = (*committed.borrow(), progress.settled);
            match read(log, &mut progress, &mut limit).await {
                Ok(Reading {
                    mut rows,
                    last,
                    full,
                }) => {
                    let mut completion = Completion::default();
                    while !rows.is_empty() {
                        let Some((changes, last)) =
                            log.next_changes(&mut rows, &mut completion).await
                        else {
                            return;
                        };
                        let until = if rows.is_empty() {
                            progress.settled
                        } else {
                            last
                        };
                        consumer.consume(changes, until).await;
                        tell(&log.position, until);
                    }
                    if progress.settled > log.position() {
                        consumer.consume(Vec::new(), progress.settled).await;
                    }
                    tell(&log.position, progress.settled);
                    tell(&log.settled, progress.settled);
                    if full && progress.settled > before {
                        continue;
                    }
                    let last = last.unwrap_or(progress.settled);
                    if !full && let Some(commits) = followed.note(commits, last, progress.settled) {
                        tell(&log.followed, commits);
                    }
                }
                Err(DbError::Closed) => return,
                Err(error) => {
                    tracing::error!(%error, "the change log cannot be read; trying again");
                    tokio::time::sleep(RETRY).await;
                }
            }
            let pause = if progress.fence.is_some() {
                GAP_POLL
            } else {
                POLL
            };
            // Whatever comes first: both are only hints to read.
            let _ = tokio::time::timeout(pause, woken.changed()).await;
        }
    };
    tokio::select! {
        () = following => {}
        () = listen(db, &wake) => {}
        () = notify(log, db, &wake) => {}
    }
}

/// Wakes those who listen only if the value is another one.
fn tell<T: PartialEq>(listeners: &watch::Sender<T>, value: T) {
    listeners.send_if_modified(|before| {
        let differs = *before != value;
        *before = value;
        differs
    });
}

async fn read(
    log: &ChangeLog,
    progress: &mut Progress,
    limit: &mut ReadLimit,
) -> Result<Reading, DbError> {
    let stmt = Stmt::fixed(
        "SELECT pg_snapshot_xmin(s)::text::bigint AS xmin, position, account_id, collection_id, record_id, operation, at, actor, record, previous, omitted, \
         node = current_setting('application_name') AS own \
         FROM change_log, pg_current_snapshot() s WHERE position > $1 ORDER BY position LIMIT $2",
        vec![progress.settled.into(), limit.entries().into()],
    );
    let seen: Vec<Seen> = log.db.rows(stmt).await?;
    let Some(xmin) = seen.first().map(|seen| seen.xmin) else {
        return Ok(Reading::default());
    };
    let rows: Vec<Row> = seen.into_iter().map(|seen| seen.row).collect();
    let full = limit.is_reached(&rows);
    limit.adapt(&rows);
    let last = rows.last().map(|row| row.position);
    let rows = rows.into_iter().map(|row| (row.position, row)).collect();
    let (deliver, gap) = progress.advance(rows, xmin);
    if gap && progress.fence.is_none() {
        // If that fails, what was read is delivered all the same, and the gap is there again the
        // next time.
        let failed = |error: &DbError| tracing::warn!(%error, "a gap in the change log cannot be judged yet");
        progress.fence = take_fence(&log.db).await.inspect_err(failed).ok();
    }
    Ok(Reading {
        rows: deliver.into(),
        last,
        full,
    })
}

/// Wakes the follower when another node has written.
async fn listen(db: &Postgres, wake: &watch::Sender<()>) {
    loop {
        let listening = async {
            let mut listener = db.listener().await?;
            listener.listen(CHANNEL).await?;
            loop {
                // `None` is a lost connection that was made anew: something may have been missed.
                listener.try_recv().await?;
                wake.send_replace(());
            }
        };
        let result: Result<(), DbError> = listening.await;
        if let Err(error) = result {
            tracing::warn!(%error, "listening for changes of other nodes failed; polling meanwhile");
        }
        tokio::time::sleep(RETRY).await;
    }
}

/// Wakes the follower when this node has written, and tells the others, many writes at a time.
async fn notify(log: &ChangeLog, db: &Postgres, wake: &watch::Sender<()>) {
    let mut committed = log.db.committed();
    while committed.changed().await.is_ok() {
        wake.send_replace(());
        if let Err(error) = db.notify(CHANNEL).await {
            tracing::debug!(%error, "other nodes were not notified; they poll");
        }
        tokio::time::sleep(NOTIFY_INTERVAL).await;
    }
}

#[cfg(test)]
mod tests {
    use super::{Followed, Progress};

    fn rows(positions: &[i64]) -> Vec<(i64, i64)> {
        positions
            .iter()
            .map(|&position| (position, position))
            .collect()
    }

    #[test]
    fn a_gap_holds_back_what_follows_until_it_is_filled() {
        let mut progress = Progress::default();
        assert_eq!(progress.advance(rows(&[1, 3]), 10), (vec![1], true));
        progress.fence = Some(12);
        assert_eq!(progress.advance(rows(&[3]), 11), (vec![], true));
        assert_eq!(progress.advance(rows(&[2, 3]), 11), (vec![2, 3], false));
        assert_eq!(progress.settled, 3);
    }

    #[test]
    fn a_gap_is_skipped_when_every_transaction_before_the_fence_has_ended() {
        let mut progress = Progress::default();
        assert_eq!(progress.advance(rows(&[2]), 10), (vec![], true));
        progress.fence = Some(12);
        assert_eq!(progress.advance(rows(&[2]), 12), (vec![], true));
        assert_eq!(progress.advance(rows(&[2, 3]), 13), (vec![2, 3], false));
    }

    #[test]
    fn commits_count_as_handed_over_when_the_gap_before_them_is_closed() {
        let mut followed = Followed::default();
        assert_eq!(followed.note(3, 7, 7), Some(3));
        assert_eq!(followed.note(4, 9, 7), None);
        assert_eq!(followed.note(6, 12, 8), None);
        assert_eq!(
            followed.note(8, 15, 9),
            Some(4),
            "those that were there when the ninth was seen"
        );
        assert_eq!(followed.note(9, 16, 15), Some(8));
        assert_eq!(followed.note(9, 16, 16), Some(9));
    }

    #[test]
    fn each_gap_has_a_fence_of_its_own() {
        let mut progress = Progress {
            fence: Some(12),
            ..Progress::default()
        };
        // The first gap is settled, the second is only seen now.
        assert_eq!(progress.advance(rows(&[2, 5]), 13), (vec![2], true));
        assert_eq!(progress.fence, None);
        progress.fence = Some(15);
        assert_eq!(progress.advance(rows(&[5]), 15), (vec![], true));
        assert_eq!(progress.advance(rows(&[5]), 16), (vec![5], false));
    }

    #[test]
    fn entries_from_before_the_start_are_not_delivered_again() {
        let mut progress = Progress::after(4, &[5, 7]);
        assert_eq!(progress.advance(rows(&[5, 7]), 10), (vec![], true));
        assert_eq!(progress.advance(rows(&[6, 7, 8]), 11), (vec![6, 8], false));
    }
}
