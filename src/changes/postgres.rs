//! Following on PostgreSQL: positions are drawn in order but become visible out of order.
//!
//! The follower delivers the contiguous prefix. A missing position is waited for until every
//! transaction that was open when the gap was seen has ended; if it is still missing then, its
//! transaction was rolled back. A snapshot does not say which transactions those are: its `xmax`
//! follows the last transaction that *ended*, and one that still runs may be beyond it. So the
//! follower takes a transaction id of its own, the fence: every transaction that drew a position
//! before has a smaller one.

use std::collections::{BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::completion::Completion;
use super::read_limit::AdaptiveReadLimit;
use super::{ChangeConsumer, ChangeLog, LogRow, RETRY_DELAY};
use crate::db::{Db, DbError, Postgres, Stmt};

const CHANNEL: &str = "snackbase_changes";
/// Interval of reads without a notification, should one be lost.
const POLL_INTERVAL: Duration = Duration::from_millis(250);
/// Interval of reads while a gap is open.
const GAP_POLL_INTERVAL: Duration = Duration::from_millis(5);
/// Upper limit of the time for which a node waits at its start for open transactions.
const START_TIMEOUT: Duration = Duration::from_secs(5);
/// Shortest time between two notifications of a node.
const NOTIFY_INTERVAL: Duration = Duration::from_millis(5);

#[derive(sqlx::FromRow)]
struct VisibleRow {
    xmin: i64,
    #[sqlx(flatten)]
    row: LogRow,
}

/// The delivered positions, and the missing ones.
#[derive(Debug, Default)]
struct FollowProgress {
    /// The stable position: everything up to it is delivered or known to be rolled back.
    stable: i64,
    /// Positions beyond the stable one that were there before the follower started.
    known: BTreeSet<i64>,
    /// The transaction-id fence, taken after the gap behind the stable position was seen: every
    /// transaction that can fill the gap is older.
    fence: Option<i64>,
}

impl FollowProgress {
    /// Begins after a stable position and after recent positions that were there already; those
    /// missing among them may belong to open transactions.
    fn after(stable: i64, recent: &[i64]) -> Self {
        let known = recent
            .iter()
            .copied()
            .filter(|position| *position > stable)
            .collect();
        Self {
            stable,
            known,
            fence: None,
        }
    }

    /// Takes the rows after the stable position, in order, read in a snapshot in which every transaction
    /// older than `xmin` has ended. Returns the ones to deliver, and whether it stopped at a gap.
    fn advance<T>(&mut self, rows: Vec<(i64, T)>, xmin: i64) -> (Vec<T>, bool) {
        let mut deliver = Vec::new();
        for (position, row) in rows {
            if position > self.stable + 1 && self.fence.is_none_or(|fence| xmin <= fence) {
                return (deliver, true);
            }
            self.fence = None;
            self.stable = position;
            if !self.known.remove(&position) {
                deliver.push(row);
            }
        }
        (deliver, false)
    }
}

/// The number of this process's commits that were handed over.
#[derive(Debug, Default)]
struct FollowedCommits {
    /// The number that will be handed over once everything up to a position is.
    awaited: Option<(u64, i64)>,
}

impl FollowedCommits {
    /// Notes a read that began after this number of commits and found entries up to `last`, stable
    /// up to `stable`. Returns the number of commits that were handed over, if it has changed.
    fn note(&mut self, commits: u64, last: i64, stable: i64) -> Option<u64> {
        if last <= stable {
            self.awaited = None;
            return Some(commits);
        }
        let reached = self.awaited.take_if(|(_, position)| *position <= stable);
        self.awaited.get_or_insert((commits, last));
        reached.map(|(commits, _)| commits)
    }
}

/// The result of one read.
#[derive(Debug, Default)]
struct LogRead {
    /// The entries to deliver.
    rows: VecDeque<LogRow>,
    /// The last entry that was seen, delivered or not.
    last: Option<i64>,
    /// `true` if there may be more behind it.
    full: bool,
}

/// The stable position at the start, up to which no entry can be added, given the last positions.
/// The ones missing among them may belong to open transactions, and a client that subscribes at once
/// must not miss what these commit: so they are waited for.
pub(super) async fn stable_position(db: &Db, recent: &[i64]) -> Result<i64, DbError> {
    let fence = take_fence(db).await?;
    let start = Instant::now();
    let oldest = || {
        Stmt::fixed(
            "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint",
            Vec::new(),
        )
    };
    while db.count(oldest()).await? <= fence {
        if start.elapsed() >= START_TIMEOUT {
            tracing::warn!(
                "a transaction is open in the database for longer than {} s; what it commits may not reach clients that \
                 subscribe to this node before that",
                START_TIMEOUT.as_secs()
            );
            return Ok(recent.first().map_or(0, |first| first - 1));
        }
        tokio::time::sleep(GAP_POLL_INTERVAL).await;
    }
    Ok(recent.last().copied().unwrap_or(0))
}

/// Takes a transaction-id fence: every transaction that drew a position before has a smaller id.
async fn take_fence(db: &Db) -> Result<i64, DbError> {
    db.count(Stmt::fixed(
        "SELECT pg_current_xact_id()::text::bigint",
        Vec::new(),
    ))
    .await
}

pub(super) async fn follow(log: &ChangeLog, db: &Postgres, consumer: &mut impl ChangeConsumer) {
    let (wake, mut woken) = watch::channel(());
    let following = async {
        let (committed, mut followed) = (log.db.committed(), FollowedCommits::default());
        let mut limit = AdaptiveReadLimit::default();
        let mut progress = FollowProgress::after(*log.stable.borrow(), &log.recent);
        loop {
            woken.borrow_and_update();
            let (commits, before) = (*committed.borrow(), progress.stable);
            match read(log, &mut progress, &mut limit).await {
                Ok(LogRead {
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
                            progress.stable
                        } else {
                            last
                        };
                        consumer.consume(changes, until).await;
                        set_and_notify(&log.position, until);
                    }
                    if progress.stable > log.position() {
                        consumer.consume(Vec::new(), progress.stable).await;
                    }
                    set_and_notify(&log.position, progress.stable);
                    set_and_notify(&log.stable, progress.stable);
                    if full && progress.stable > before {
                        continue;
                    }
                    let last = last.unwrap_or(progress.stable);
                    if !full && let Some(commits) = followed.note(commits, last, progress.stable) {
                        set_and_notify(&log.followed, commits);
                    }
                }
                Err(DbError::Closed) => return,
                Err(error) => {
                    tracing::error!(%error, "the change log cannot be read; trying again");
                    tokio::time::sleep(RETRY_DELAY).await;
                }
            }
            let pause = if progress.fence.is_some() {
                GAP_POLL_INTERVAL
            } else {
                POLL_INTERVAL
            };
            // Both are only hints to read.
            let _ = tokio::time::timeout(pause, woken.changed()).await;
        }
    };
    tokio::select! {
        () = following => {}
        () = listen(db, &wake) => {}
        () = notify(log, db, &wake) => {}
    }
}

/// Sets a value and wakes the listeners if it has changed.
fn set_and_notify<T: PartialEq>(listeners: &watch::Sender<T>, value: T) {
    listeners.send_if_modified(|before| {
        let differs = *before != value;
        *before = value;
        differs
    });
}

async fn read(
    log: &ChangeLog,
    progress: &mut FollowProgress,
    limit: &mut AdaptiveReadLimit,
) -> Result<LogRead, DbError> {
    let stmt = Stmt::fixed(
        "SELECT pg_snapshot_xmin(s)::text::bigint AS xmin, position, account_id, collection_id, record_id, operation, at, actor, record, previous, omitted, \
         node = current_setting('application_name') AS own \
         FROM change_log, pg_current_snapshot() s WHERE position > $1 ORDER BY position LIMIT $2",
        vec![progress.stable.into(), limit.entries().into()],
    );
    let seen: Vec<VisibleRow> = log.db.rows(stmt).await?;
    let Some(xmin) = seen.first().map(|seen| seen.xmin) else {
        return Ok(LogRead::default());
    };
    let rows: Vec<LogRow> = seen.into_iter().map(|seen| seen.row).collect();
    let full = limit.is_reached(&rows);
    limit.adapt(&rows);
    let last = rows.last().map(|row| row.position);
    let rows = rows.into_iter().map(|row| (row.position, row)).collect();
    let (deliver, gap) = progress.advance(rows, xmin);
    if gap && progress.fence.is_none() {
        // If that fails, the entries are delivered all the same, and the gap is seen again the next
        // time.
        let failed = |error: &DbError| tracing::warn!(%error, "a gap in the change log cannot be judged yet");
        progress.fence = take_fence(&log.db).await.inspect_err(failed).ok();
    }
    Ok(LogRead {
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
                // `None` is a lost connection that was opened again: something may have been missed.
                listener.try_recv().await?;
                wake.send_replace(());
            }
        };
        let result: Result<(), DbError> = listening.await;
        if let Err(error) = result {
            tracing::warn!(%error, "listening for changes of other nodes failed; polling instead");
        }
        tokio::time::sleep(RETRY_DELAY).await;
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
    use super::{FollowProgress, FollowedCommits};

    fn rows(positions: &[i64]) -> Vec<(i64, i64)> {
        positions
            .iter()
            .map(|&position| (position, position))
            .collect()
    }

    #[test]
    fn a_gap_holds_back_what_follows_until_it_is_filled() {
        let mut progress = FollowProgress::default();
        assert_eq!(progress.advance(rows(&[1, 3]), 10), (vec![1], true));
        progress.fence = Some(12);
        assert_eq!(progress.advance(rows(&[3]), 11), (vec![], true));
        assert_eq!(progress.advance(rows(&[2, 3]), 11), (vec![2, 3], false));
        assert_eq!(progress.stable, 3);
    }

    #[test]
    fn a_gap_is_skipped_when_every_transaction_before_the_fence_has_ended() {
        let mut progress = FollowProgress::default();
        assert_eq!(progress.advance(rows(&[2]), 10), (vec![], true));
        progress.fence = Some(12);
        assert_eq!(progress.advance(rows(&[2]), 12), (vec![], true));
        assert_eq!(progress.advance(rows(&[2, 3]), 13), (vec![2, 3], false));
    }

    #[test]
    fn commits_count_as_handed_over_when_the_gap_before_them_is_closed() {
        let mut followed = FollowedCommits::default();
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
        let mut progress = FollowProgress {
            fence: Some(12),
            ..FollowProgress::default()
        };
        // The first gap is closed, the second is only seen now.
        assert_eq!(progress.advance(rows(&[2, 5]), 13), (vec![2], true));
        assert_eq!(progress.fence, None);
        progress.fence = Some(15);
        assert_eq!(progress.advance(rows(&[5]), 15), (vec![], true));
        assert_eq!(progress.advance(rows(&[5]), 16), (vec![5], false));
    }

    #[test]
    fn entries_from_before_the_start_are_not_delivered_again() {
        let mut progress = FollowProgress::after(4, &[5, 7]);
        assert_eq!(progress.advance(rows(&[5, 7]), 10), (vec![], true));
        assert_eq!(progress.advance(rows(&[6, 7, 8]), 11), (vec![6, 8], false));
    }
}
