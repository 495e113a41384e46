//! Following on PostgreSQL: positions are drawn in order but become visible out of order.
//!
//! The follower delivers the contiguous prefix. A missing position is waited for until every transaction that was open
//! when the gap was seen has ended; if it is still missing then, its transaction was rolled back. Which those are, a
//! snapshot does not say: its `xmax` follows the last transaction that *ended*, and one that still runs may be beyond it.
//! So the follower takes a transaction id of its own, the fence: whatever drew a position before has a smaller one.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::{CHUNK, ChangeLog, Consumer, Row};
use crate::db::{DbError, Postgres, Stmt};

const CHANNEL: &str = "snackbase_changes";
/// The safety net, should a notification be lost.
const POLL: Duration = Duration::from_millis(250);
/// While a gap is open.
const GAP_POLL: Duration = Duration::from_millis(5);
/// At most so many notifications a second leave a node.
const NOTIFY_INTERVAL: Duration = Duration::from_millis(5);
const RETRY: Duration = Duration::from_millis(200);

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
    /// A transaction id taken after the gap behind `settled` was seen: every transaction that can fill it is older.
    fence: Option<i64>,
}

impl Progress {
    /// Begins after positions that were there already; those missing among them may belong to open transactions.
    fn after(recent: &[i64]) -> Self {
        let settled = recent.first().map_or(0, |first| first - 1);
        Self { settled, known: recent.iter().copied().collect(), fence: None }
    }

    /// Takes the rows after `settled`, in order, read in a snapshot in which every transaction older than `xmin` has
    /// ended. Returns those to deliver, and whether it stopped at a gap.
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

pub(super) async fn follow(log: &ChangeLog, db: &Postgres, consumer: &mut impl Consumer) {
    let (wake, mut woken) = watch::channel(());
    let following = async {
        let mut progress = Progress::after(&log.recent);
        loop {
            woken.borrow_and_update();
            match read(log, &mut progress).await {
                Ok((changes, full)) => {
                    if !changes.is_empty() || progress.settled > log.position() {
                        consumer.consume(changes, progress.settled).await;
                    }
                    log.position.send_if_modified(|position| {
                        let moved = *position != progress.settled;
                        *position = progress.settled;
                        moved
                    });
                    log.settled.send_if_modified(|settled| {
                        let moved = *settled != progress.settled;
                        *settled = progress.settled;
                        moved
                    });
                    if full {
                        continue;
                    }
                }
                Err(DbError::Closed) => return,
                Err(error) => {
                    tracing::error!(%error, "the change log cannot be read; trying again");
                    tokio::time::sleep(RETRY).await;
                }
            }
            let pause = if progress.fence.is_some() { GAP_POLL } else { POLL };
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

async fn read(log: &ChangeLog, progress: &mut Progress) -> Result<(Vec<Arc<super::Change>>, bool), DbError> {
    let stmt = Stmt::fixed(
        "SELECT pg_snapshot_xmin(s)::text::bigint AS xmin, position, account_id, collection_id, record_id, operation, at, actor, record, previous, \
         node = current_setting('application_name') AS own \
         FROM change_log, pg_current_snapshot() s WHERE position > $1 ORDER BY position LIMIT $2",
        vec![progress.settled.into(), CHUNK.into()],
    );
    let seen: Vec<Seen> = log.db.rows(stmt).await?;
    let Some(xmin) = seen.first().map(|seen| seen.xmin) else { return Ok((Vec::new(), false)) };
    let full = seen.len() >= usize::try_from(CHUNK).unwrap_or(usize::MAX);
    let before = progress.settled;
    let rows = seen.into_iter().map(|seen| (seen.row.position, seen.row)).collect();
    let (deliver, gap) = progress.advance(rows, xmin);
    if gap && progress.fence.is_none() {
        let fence = Stmt::fixed("SELECT pg_current_xact_id()::text::bigint", Vec::new());
        progress.fence = Some(log.db.count(fence).await?);
    }
    let changes = deliver.into_iter().filter_map(Row::into_change).map(Arc::new).collect();
    Ok((changes, full && progress.settled > before))
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
    use super::Progress;

    fn rows(positions: &[i64]) -> Vec<(i64, i64)> {
        positions.iter().map(|&position| (position, position)).collect()
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
    fn each_gap_has_a_fence_of_its_own() {
        let mut progress = Progress { fence: Some(12), ..Progress::default() };
        // The first gap is settled, the second is only seen now.
        assert_eq!(progress.advance(rows(&[2, 5]), 13), (vec![2], true));
        assert_eq!(progress.fence, None);
        progress.fence = Some(15);
        assert_eq!(progress.advance(rows(&[5]), 15), (vec![], true));
        assert_eq!(progress.advance(rows(&[5]), 16), (vec![5], false));
    }

    #[test]
    fn entries_from_before_the_start_are_not_delivered_again() {
        let mut progress = Progress::after(&[5, 7]);
        assert_eq!(progress.advance(rows(&[5, 7]), 10), (vec![], true));
        assert_eq!(progress.advance(rows(&[6, 7, 8]), 11), (vec![6, 8], false));
    }
}
