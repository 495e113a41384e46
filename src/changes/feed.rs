//! What some task is to do with the changes that the follower reads. The follower never waits for
//! it: when too much has come together, the rest stays in the log, and the task reads it there when
//! it gets so far.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::{Change, ChangeLog, Most, RETRY, Stretch};
use crate::db::DbError;

/// How many bytes may wait.
const ROOM: usize = 16 << 20;
/// How much is taken at once, from memory or from the log.
const PORTION: Most = Most {
    entries: 512,
    bytes: 4 << 20,
};

/// Changes that come next.
#[derive(Debug, Default)]
pub struct Batch {
    /// Those that are wanted, in order.
    pub changes: Vec<Arc<Change>>,
    /// The position up to which there are no others.
    pub until: i64,
}

/// What there is to do.
#[derive(Debug)]
pub enum Portion {
    /// To go on with these.
    Batch(Batch),
    /// To go on after this position: the log does not keep what comes before it.
    Gone(i64),
    /// Nothing more, for ever.
    End,
}

/// Where the follower puts changes. The other side ends when this is dropped.
#[derive(Debug)]
pub struct Intake(Arc<Inner>);

/// Where they are taken.
#[derive(Debug)]
pub struct Feed(Arc<Inner>);

struct Inner {
    log: ChangeLog,
    wants: Box<dyn Fn(&Change) -> bool + Send + Sync>,
    waiting: Mutex<Waiting>,
    news: Notify,
    /// How many changes may wait.
    room: usize,
    /// Where the log was at the beginning. An older entry comes late, from a transaction that was
    /// open then: it would not be found behind what was taken before it.
    start: i64,
}

#[derive(Default)]
struct Waiting {
    changes: VecDeque<Arc<Change>>,
    bytes: usize,
    /// The position up to which all is here or in the log.
    until: i64,
    /// If there was no room: what comes after this position is in the log only.
    cut: Option<i64>,
    /// The position up to which all was taken.
    taken: i64,
    has_ended: bool,
}

impl Waiting {
    fn has_room(&self, change: &Change, room: usize) -> bool {
        self.changes.is_empty() || (self.changes.len() < room && self.bytes + change.size() <= ROOM)
    }

    fn take(&mut self) -> Option<Batch> {
        if self.changes.is_empty() && self.cut.is_some_and(|cut| cut <= self.taken) {
            return None;
        }
        let most = PORTION
            .of(self.changes.iter().map(|change| change.size()))
            .min(self.changes.len());
        let changes: Vec<Arc<Change>> = self.changes.drain(..most).collect();
        self.bytes -= changes.iter().map(|change| change.size()).sum::<usize>();
        let last = changes.last().filter(|_| !self.changes.is_empty());
        let until = last.map_or(self.cut.unwrap_or(self.until), |last| last.position);
        self.taken = self.taken.max(until);
        Some(Batch { changes, until })
    }
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Feed")
            .field("room", &self.room)
            .finish_non_exhaustive()
    }
}

impl Inner {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Both sides, for changes that come from now on and are wanted. So many wait in memory at most,
/// the others in the log.
pub fn feed(
    log: &ChangeLog,
    room: usize,
    wants: impl Fn(&Change) -> bool + Send + Sync + 'static,
) -> (Intake, Feed) {
    let (log, start) = (log.clone(), log.position());
    let waiting = Mutex::new(Waiting {
        until: start,
        taken: start,
        ..Waiting::default()
    });
    let inner = Arc::new(Inner {
        log,
        wants: Box::new(wants),
        waiting,
        news: Notify::new(),
        room,
        start,
    });
    (Intake(inner.clone()), Feed(inner))
}

impl Intake {
    /// Takes the next changes of the log; there are no others up to `until`. Those that nobody
    /// wants are left out.
    pub fn put(&self, changes: &[Arc<Change>], until: i64) {
        let inner = &*self.0;
        let mut waiting = inner.waiting();
        for change in changes.iter().filter(|change| (inner.wants)(change)) {
            let is_late = change.position <= inner.start;
            if !is_late && (waiting.cut.is_some() || !waiting.has_room(change, inner.room)) {
                waiting.cut = waiting.cut.or(Some(change.position - 1));
                continue;
            }
            waiting.bytes += change.size();
            waiting.changes.push_back(change.clone());
        }
        waiting.until = waiting.until.max(until);
        drop(waiting);
        inner.news.notify_one();
    }

    /// The position up to which all has been put here.
    pub fn until(&self) -> i64 {
        self.0.waiting().until
    }
}

impl Drop for Intake {
    fn drop(&mut self) {
        self.0.waiting().has_ended = true;
        self.0.news.notify_one();
    }
}

impl Feed {
    /// Waits until there is something to take, or nothing will come any more.
    pub async fn ready(&self) {
        loop {
            let is_due = {
                let waiting = self.0.waiting();
                !waiting.changes.is_empty() || waiting.taken < waiting.until || waiting.has_ended
            };
            if is_due {
                return;
            }
            self.0.news.notified().await;
        }
    }

    /// Takes what comes next, which must be [ready](Self::ready).
    pub async fn take(&self) -> Portion {
        loop {
            let (after, until) = {
                let mut waiting = self.0.waiting();
                if waiting.has_ended && waiting.changes.is_empty() && waiting.taken >= waiting.until
                {
                    return Portion::End;
                }
                match waiting.take() {
                    Some(batch) => return Portion::Batch(batch),
                    None => (waiting.taken, waiting.until),
                }
            };
            match self.0.log.read_between(after, until, None, PORTION).await {
                Ok(Some(Stretch { changes, until })) => {
                    self.has_read(until);
                    let wanted = changes.into_iter().filter(|change| (self.0.wants)(change));
                    return Portion::Batch(Batch {
                        changes: wanted.map(Arc::new).collect(),
                        until,
                    });
                }
                Ok(None) => {
                    self.has_read(until);
                    return Portion::Gone(until);
                }
                Err(DbError::Closed) => return Portion::End,
                Err(error) => {
                    tracing::error!(%error, "the change log cannot be read; trying again");
                    tokio::time::sleep(RETRY).await;
                }
            }
        }
    }

    /// If nothing has come meanwhile, what comes next is handed over again.
    fn has_read(&self, until: i64) {
        let mut waiting = self.0.waiting();
        waiting.taken = until;
        waiting.cut = (until < waiting.until).then_some(until);
    }
}
