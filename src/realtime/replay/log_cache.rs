//! Segments of the change log that are being replayed: after a break many clients read the same
//! ones, and most of them see the same in them.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Mutex as AsyncMutex, Semaphore, SemaphorePermit};

use super::segment::{CacheMemory, LogSegment};
use crate::changes::{ChangeLog, LogSlice, ReadLimit};
use crate::db::DbError;
use crate::realtime::subscription::AccountScope;

/// Upper limit of the entries in a segment.
const SEGMENT_LIMIT: ReadLimit = ReadLimit {
    entries: 256,
    bytes: 4 << 20,
};
/// Upper limit of the readers that ask the database at the same time. When all clients come back,
/// requests must not wait behind all of them.
const MAX_CONCURRENT_QUERIES: usize = 2;

/// The segments of one scope, by the position after which they begin.
type CachedSegments = BTreeMap<i64, Arc<LogSegment>>;

/// The cache of one scope; cheap to clone.
#[derive(Clone, Default)]
struct ScopeCache {
    segments: Arc<AsyncMutex<CachedSegments>>,
    /// Held while expressions are evaluated over many bytes: one thread at a time does that for a
    /// scope.
    evaluating: Arc<Mutex<()>>,
}

/// Reads the log for many connections.
pub(in crate::realtime) struct LogCache {
    log: ChangeLog,
    scopes: Mutex<HashMap<AccountScope, ScopeCache>>,
    turns: Semaphore,
    memory: CacheMemory,
    /// The number of readings so far.
    readings: AtomicU64,
    /// The number of readings at the last tidying.
    tidied_at: AtomicU64,
}

impl LogCache {
    pub(in crate::realtime) fn new(log: ChangeLog) -> Self {
        Self {
            log,
            scopes: Mutex::default(),
            turns: Semaphore::new(MAX_CONCURRENT_QUERIES),
            memory: CacheMemory::default(),
            readings: AtomicU64::new(1),
            tidied_at: AtomicU64::new(0),
        }
    }

    /// Waits for a turn to ask the database, which lasts as long as the permit is held. A reader
    /// that has a turn must not wait for another one.
    pub(in crate::realtime) async fn take_turn(&self) -> Option<SemaphorePermit<'_>> {
        // The semaphore is never closed.
        self.turns.acquire().await.ok()
    }

    /// The entries after a position, up to another one that has been delivered; `None` if some of
    /// them are no longer kept. There may be fewer entries, see [`LogSegment::until`].
    ///
    /// # Errors
    ///
    /// If the database fails.
    pub(in crate::realtime) async fn read(
        &self,
        scope: AccountScope,
        position: i64,
        until: i64,
    ) -> Result<Option<Arc<LogSegment>>, DbError> {
        let reading = self.readings.fetch_add(1, Ordering::Relaxed);
        let cache = self.scopes().entry(scope).or_default().clone();
        // One reads for all that need the same segment.
        let mut segments = cache.segments.lock().await;
        if let Some((_, segment)) = segments.range(..=position).next_back()
            && segment.until() > position
        {
            segment.note_use(reading);
            return Ok(Some(segment.clone()));
        }
        let next = segments.range(position + 1..).next().map(|(from, _)| *from);
        let until = next.map_or(until, |next| next.min(until));
        let turn = self.take_turn().await;
        let Some(LogSlice { changes, until }) = self
            .log
            .read_between(position, until, scope.account(), SEGMENT_LIMIT)
            .await?
        else {
            return Ok(None);
        };
        drop(turn);
        let segment = LogSegment::new(changes, until, self.memory.clone(), cache.evaluating);
        segment.note_use(reading);
        let segment = Arc::new(segment);
        self.make_room(&mut segments);
        segments.insert(position, segment.clone());
        Ok(Some(segment))
    }

    fn scopes(&self) -> MutexGuard<'_, HashMap<AccountScope, ScopeCache>> {
        self.scopes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Removes the segments that were read longest ago while the cache is full: of this scope
    /// first, then of others.
    fn make_room(&self, segments: &mut CachedSegments) {
        self.remove_oldest(segments);
        if self.memory.is_full() {
            for cache in self.scopes().values() {
                // A scope that is being read is left alone, and so is this one, which is locked.
                if let Ok(mut segments) = cache.segments.try_lock() {
                    self.remove_oldest(&mut segments);
                }
            }
        }
    }

    fn remove_oldest(&self, segments: &mut CachedSegments) {
        while self.memory.is_full() {
            let oldest = segments
                .iter()
                .min_by_key(|(_, segment)| segment.last_use())
                .map(|(position, _)| *position);
            let Some(oldest) = oldest else {
                return;
            };
            segments.remove(&oldest);
        }
    }

    /// Removes the segments that were not read since the last tidying.
    pub(in crate::realtime) fn tidy(&self) {
        let before = self
            .tidied_at
            .swap(self.readings.load(Ordering::Relaxed), Ordering::Relaxed);
        self.scopes().retain(|_, cache| {
            let Ok(mut segments) = cache.segments.try_lock() else {
                return true;
            };
            segments.retain(|_, segment| segment.last_use() >= before);
            !segments.is_empty() || Arc::strong_count(&cache.segments) > 1
        });
    }
}
