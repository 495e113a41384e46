//! Pieces of the change log that are being read again: after a break many clients read the same
//! ones, and most of them see the same in them.

mod segment;

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Mutex as AsyncMutex, Semaphore, SemaphorePermit};

pub(super) use self::segment::{Known, Reader, Segment, Told};
use super::subscription::Scope;
use crate::changes::{ChangeLog, Most, Stretch};
use crate::db::DbError;

/// How much is read at once.
const CHUNK: Most = Most {
    entries: 256,
    bytes: 4 << 20,
};
/// How many may ask the database at once. When everybody comes back, requests must not wait behind
/// all of them.
const AT_ONCE: usize = 2;
/// How many bytes of entries and frames are kept for the next reader, about.
const KEPT: usize = 64 << 20;

/// The pieces of one account, by the position after which they begin.
type Pieces = BTreeMap<i64, Arc<Segment>>;
type Shelf = Arc<AsyncMutex<Pieces>>;

/// Of each account that reads: its pieces, and who may evaluate expressions over many bytes of
/// them.
type Shelves = HashMap<Scope, (Shelf, Arc<Mutex<()>>)>;

/// Reads the log for many.
pub(super) struct History {
    log: ChangeLog,
    shelves: Mutex<Shelves>,
    turns: Semaphore,
    total: Arc<AtomicUsize>,
    /// Counts the readings.
    readings: AtomicU64,
    /// The count at the last tidying.
    tidied: AtomicU64,
}

impl History {
    pub(super) fn new(log: ChangeLog) -> Self {
        let (readings, tidied) = (AtomicU64::new(1), AtomicU64::new(0));
        let turns = Semaphore::new(AT_ONCE);
        Self {
            log,
            shelves: Mutex::default(),
            turns,
            total: Arc::default(),
            readings,
            tidied,
        }
    }

    /// Waits until it is somebody's turn to ask the database, for as long as the answer is held.
    /// Nobody who has a turn may wait for another one.
    pub(super) async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        // It is never closed.
        self.turns.acquire().await.ok()
    }

    /// Entries after a position, up to another one that has been handed out; `None` if some of them
    /// are no longer kept.
    pub(super) async fn read(
        &self,
        scope: Scope,
        position: i64,
        until: i64,
    ) -> Result<Option<Arc<Segment>>, DbError> {
        let reading = self.readings.fetch_add(1, Ordering::Relaxed);
        let (segments, evaluating) = self.segments(scope);
        // One reads for all that want the same.
        let mut segments = segments.lock().await;
        if let Some((_, segment)) = segments.range(..=position).next_back()
            && segment.until() > position
        {
            segment.used.store(reading, Ordering::Relaxed);
            return Ok(Some(segment.clone()));
        }
        let next = segments.range(position + 1..).next().map(|(from, _)| *from);
        let until = next.map_or(until, |next| next.min(until));
        let account = match scope {
            Scope::Account(account) => Some(account),
            Scope::Everything => None,
        };
        let turn = self.turn().await;
        let Some(Stretch { changes, until }) = self
            .log
            .read_between(position, until, account, CHUNK)
            .await?
        else {
            return Ok(None);
        };
        drop(turn);
        let segment = Arc::new(Segment::new(
            changes,
            until,
            self.total.clone(),
            reading,
            evaluating,
        ));
        self.make_room(&mut segments);
        segments.insert(position, segment.clone());
        Ok(Some(segment))
    }

    /// Forgets what was read longest ago, if too much is kept: of this account first, then of
    /// others.
    fn make_room(&self, segments: &mut Pieces) {
        self.forget_oldest(segments);
        if self.is_full() {
            let shelves = self.shelves.lock().unwrap_or_else(PoisonError::into_inner);
            for (shelf, _) in shelves.values().take_while(|_| self.is_full()) {
                // What is being read is left alone, and so is this account's, which is locked.
                if let Ok(mut segments) = shelf.try_lock() {
                    self.forget_oldest(&mut segments);
                }
            }
        }
    }

    fn is_full(&self) -> bool {
        self.total.load(Ordering::Relaxed) >= KEPT
    }

    fn forget_oldest(&self, segments: &mut Pieces) {
        while self.is_full() {
            let oldest = segments
                .iter()
                .min_by_key(|(_, segment)| segment.used.load(Ordering::Relaxed));
            let Some(oldest) = oldest.map(|(position, _)| *position) else {
                return;
            };
            segments.remove(&oldest);
        }
    }

    fn segments(&self, scope: Scope) -> (Shelf, Arc<Mutex<()>>) {
        self.shelves
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .entry(scope)
            .or_default()
            .clone()
    }

    /// Forgets what nobody has read since the last time.
    pub(super) fn tidy(&self) {
        let before = self
            .tidied
            .swap(self.readings.load(Ordering::Relaxed), Ordering::Relaxed);
        let mut shelves = self.shelves.lock().unwrap_or_else(PoisonError::into_inner);
        shelves.retain(|_, (shelf, _)| {
            let Ok(mut segments) = shelf.try_lock() else {
                return true;
            };
            segments.retain(|_, segment| segment.used.load(Ordering::Relaxed) >= before);
            !segments.is_empty() || Arc::strong_count(shelf) > 1
        });
    }
}
