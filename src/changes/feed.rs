//! A feed of changes from the follower to a task. The follower never waits for the task: when too
//! many changes wait, the rest stays in the log, and the task reads it there when it gets so far.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::{Change, ChangeLog, LogSlice, RETRY_DELAY, ReadLimit};
use crate::db::DbError;

/// Upper limit of the changes that wait in memory, in bytes.
const MAX_WAITING_BYTES: usize = 16 << 20;
/// Upper limits of the changes that are taken at once, from memory or from the log.
const TURN_LIMIT: ReadLimit = ReadLimit {
    entries: 512,
    bytes: 4 << 20,
};

/// The next changes.
#[derive(Debug, Default)]
pub struct FeedBatch {
    /// The changes that the task wants, in order.
    pub changes: Vec<Arc<Change>>,
    /// The position up to which there are no others.
    pub until: i64,
}

/// An item of the feed.
#[derive(Debug)]
pub enum FeedItem {
    /// The next changes.
    Batch(FeedBatch),
    /// The changes up to this position are missing: the log no longer keeps them.
    Gone(i64),
    /// The feed has ended.
    End,
}

/// The side of the follower. The feed ends when this is dropped.
#[derive(Debug)]
pub struct FeedSender(Arc<FeedState>);

/// The side of the task.
#[derive(Debug)]
pub struct FeedReceiver(Arc<FeedState>);

struct FeedState {
    log: ChangeLog,
    wants: Box<dyn Fn(&Change) -> bool + Send + Sync>,
    waiting: Mutex<WaitingChanges>,
    sent: Notify,
    /// Upper limit of the changes that wait in memory.
    capacity: usize,
    /// The position of the log when the feed began. An older entry comes late, from a transaction
    /// that was open then: it would not be found in the log behind what was taken before it.
    start: i64,
}

#[derive(Default)]
struct WaitingChanges {
    changes: VecDeque<Arc<Change>>,
    bytes: usize,
    /// The position up to which all changes are here or in the log.
    until: i64,
    /// Set if there was no room: the changes after this position are in the log only.
    cut: Option<i64>,
    /// The position up to which all changes were taken.
    taken: i64,
    has_ended: bool,
}

impl WaitingChanges {
    fn has_room(&self, change: &Change, capacity: usize) -> bool {
        self.changes.is_empty()
            || (self.changes.len() < capacity && self.bytes + change.size() <= MAX_WAITING_BYTES)
    }

    fn take(&mut self) -> Option<FeedBatch> {
        if self.changes.is_empty() && self.cut.is_some_and(|cut| cut <= self.taken) {
            return None;
        }
        let count = TURN_LIMIT
            .count_fitting(self.changes.iter().map(|change| change.size()))
            .min(self.changes.len());
        let changes: Vec<Arc<Change>> = self.changes.drain(..count).collect();
        self.bytes -= changes.iter().map(|change| change.size()).sum::<usize>();
        let last = changes.last().filter(|_| !self.changes.is_empty());
        let until = last.map_or(self.cut.unwrap_or(self.until), |last| last.position);
        self.taken = self.taken.max(until);
        Some(FeedBatch { changes, until })
    }
}

impl fmt::Debug for FeedState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FeedState")
            .field("capacity", &self.capacity)
            .finish_non_exhaustive()
    }
}

impl FeedState {
    fn waiting(&self) -> MutexGuard<'_, WaitingChanges> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Both sides of a feed of the wanted changes after the present position. At most `capacity` of
/// them wait in memory, the others in the log.
pub fn feed(
    log: &ChangeLog,
    capacity: usize,
    wants: impl Fn(&Change) -> bool + Send + Sync + 'static,
) -> (FeedSender, FeedReceiver) {
    let (log, start) = (log.clone(), log.position());
    let waiting = Mutex::new(WaitingChanges {
        until: start,
        taken: start,
        ..WaitingChanges::default()
    });
    let inner = Arc::new(FeedState {
        log,
        wants: Box::new(wants),
        waiting,
        sent: Notify::new(),
        capacity,
        start,
    });
    (FeedSender(inner.clone()), FeedReceiver(inner))
}

impl FeedSender {
    /// Takes the next changes of the log; there are no others up to `until`. Unwanted ones are left
    /// out.
    pub fn send(&self, changes: &[Arc<Change>], until: i64) {
        let inner = &*self.0;
        let mut waiting = inner.waiting();
        for change in changes.iter().filter(|change| (inner.wants)(change)) {
            let is_late = change.position <= inner.start;
            if !is_late && (waiting.cut.is_some() || !waiting.has_room(change, inner.capacity)) {
                waiting.cut = waiting.cut.or(Some(change.position - 1));
                continue;
            }
            waiting.bytes += change.size();
            waiting.changes.push_back(change.clone());
        }
        waiting.until = waiting.until.max(until);
        drop(waiting);
        inner.sent.notify_one();
    }

    /// The position up to which all changes were sent.
    pub fn until(&self) -> i64 {
        self.0.waiting().until
    }
}

impl Drop for FeedSender {
    fn drop(&mut self) {
        self.0.waiting().has_ended = true;
        self.0.sent.notify_one();
    }
}

impl FeedReceiver {
    /// Waits until there is something to take, or the feed has ended.
    pub async fn ready(&self) {
        loop {
            let is_due = {
                let waiting = self.0.waiting();
                !waiting.changes.is_empty() || waiting.taken < waiting.until || waiting.has_ended
            };
            if is_due {
                return;
            }
            self.0.sent.notified().await;
        }
    }

    /// Takes the next item, which must be [ready](Self::ready).
    pub async fn take(&self) -> FeedItem {
        loop {
            let (after, until) = {
                let mut waiting = self.0.waiting();
                if waiting.has_ended && waiting.changes.is_empty() && waiting.taken >= waiting.until
                {
                    return FeedItem::End;
                }
                match waiting.take() {
                    Some(batch) => return FeedItem::Batch(batch),
                    None => (waiting.taken, waiting.until),
                }
            };
            match self
                .0
                .log
                .read_between(after, until, None, TURN_LIMIT)
                .await
            {
                Ok(Some(LogSlice { changes, until })) => {
                    self.note_read(until);
                    let wanted = changes.into_iter().filter(|change| (self.0.wants)(change));
                    return FeedItem::Batch(FeedBatch {
                        changes: wanted.map(Arc::new).collect(),
                        until,
                    });
                }
                Ok(None) => {
                    self.note_read(until);
                    return FeedItem::Gone(until);
                }
                Err(DbError::Closed) => return FeedItem::End,
                Err(error) => {
                    tracing::error!(%error, "the change log cannot be read; trying again");
                    tokio::time::sleep(RETRY_DELAY).await;
                }
            }
        }
    }

    /// If nothing was sent since, the next changes are taken from memory again.
    fn note_read(&self, until: i64) {
        let mut waiting = self.0.waiting();
        waiting.taken = until;
        waiting.cut = (until < waiting.until).then_some(until);
    }
}
