//! Some entries of the change log, one after another, and the events that they are for subscribers.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use bytes::Bytes;
use tokio::runtime::{Handle, RuntimeFlavor};

use crate::changes::{Change, ChangeLog};
use crate::id::{AccountId, CollectionId};
use crate::realtime::subscription::{AccountScope, SubscriptionId};
use crate::realtime::visibility::change_event::{ChangeEvent, EventJudgement};
use crate::realtime::visibility::evaluate::{Evaluation, EventCandidate};
use crate::realtime::visibility::step_budget::StepBudget;
use crate::realtime::visibility::viewpoint::{Viewpoint, ViewpointKey};
use crate::schema::Collection;

/// Upper limit, in bytes, of the entries and frames that are kept for other readers, roughly.
const MAX_CACHED_BYTES: usize = 64 << 20;
/// Upper limit, in bytes, of the entries over which evaluating expressions is quick.
const QUICK_EVALUATION_BYTES: usize = 64 * 1024;

/// The memory that all segments take, in bytes; cheap to clone.
#[derive(Clone, Default)]
pub(in crate::realtime) struct CacheMemory(Arc<AtomicUsize>);

impl CacheMemory {
    pub(in crate::realtime) fn is_full(&self) -> bool {
        self.0.load(Ordering::Relaxed) >= MAX_CACHED_BYTES
    }

    fn replace(&self, before: usize, now: usize) {
        self.0.fetch_add(now, Ordering::Relaxed);
        self.0.fetch_sub(before, Ordering::Relaxed);
    }
}

/// An event as some subscribers see it.
pub(in crate::realtime) struct EncodedEvent {
    pub(in crate::realtime) position: i64,
    account: Option<AccountId>,
    pub(in crate::realtime) judgement: EventJudgement,
    pub(in crate::realtime) frame: Bytes,
}

impl EncodedEvent {
    pub(in crate::realtime) fn is_in(&self, scope: AccountScope) -> bool {
        scope
            .account()
            .is_none_or(|account| self.account == Some(account))
    }
}

/// The events of a segment for equal viewpoints, encoded by the first reader.
type EncodedEvents = Arc<OnceLock<Arc<[EncodedEvent]>>>;

/// See the module. The entries are those of one account, or of all.
pub(in crate::realtime) struct LogSegment {
    until: i64,
    changes: Vec<Arc<Change>>,
    slices: Mutex<HashMap<CollectionId, Arc<CollectionSlice>>>,
    /// The memory that it takes, as counted in the cache's memory.
    bytes: AtomicUsize,
    memory: CacheMemory,
    /// The number of the cache's last reading of it.
    last_use: AtomicU64,
    evaluating: Arc<Mutex<()>>,
}

/// The entries of one collection, for its present state.
pub(in crate::realtime) struct CollectionSlice {
    collection: Arc<Collection>,
    pub(in crate::realtime) events: Box<[ChangeEvent]>,
    encoded: Mutex<HashMap<ViewpointKey, EncodedEvents>>,
}

impl CollectionSlice {
    fn encoded(&self) -> MutexGuard<'_, HashMap<ViewpointKey, EncodedEvents>> {
        self.encoded.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn size(&self) -> usize {
        let encoded: usize = self
            .encoded()
            .values()
            .filter_map(|events| events.get())
            .map(|events| events.len())
            .sum();
        self.events.iter().map(ChangeEvent::size).sum::<usize>()
            + encoded * size_of::<EncodedEvent>()
    }
}

impl LogSegment {
    pub(in crate::realtime) fn new(
        changes: Vec<Change>,
        until: i64,
        memory: CacheMemory,
        evaluating: Arc<Mutex<()>>,
    ) -> Self {
        let segment = Self {
            until,
            changes: changes.into_iter().map(Arc::new).collect(),
            slices: Mutex::default(),
            bytes: AtomicUsize::new(0),
            memory,
            last_use: AtomicU64::new(0),
            evaluating,
        };
        segment.count_bytes();
        segment
    }

    /// The position up to which it has all entries.
    pub(in crate::realtime) fn until(&self) -> i64 {
        self.until
    }

    pub(in crate::realtime) fn note_use(&self, reading: u64) {
        self.last_use.store(reading, Ordering::Relaxed);
    }

    /// The number of the cache's last reading of it.
    pub(in crate::realtime) fn last_use(&self) -> u64 {
        self.last_use.load(Ordering::Relaxed)
    }

    /// The entries after a position.
    pub(in crate::realtime) fn changes_after(&self, position: i64) -> &[Arc<Change>] {
        let first = self
            .changes
            .partition_point(|change| change.position <= position);
        &self.changes[first..]
    }

    fn slices(&self) -> MutexGuard<'_, HashMap<CollectionId, Arc<CollectionSlice>>> {
        self.slices.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The entries of a collection. What was encoded for an earlier state of the collection is
    /// forgotten.
    pub(in crate::realtime) fn slice(
        &self,
        collection: &Arc<Collection>,
        log: &ChangeLog,
    ) -> Arc<CollectionSlice> {
        let mut slices = self.slices();
        if let Some(slice) = slices
            .get(&collection.id)
            .filter(|slice| Arc::ptr_eq(&slice.collection, collection))
        {
            return slice.clone();
        }
        let events = self
            .changes
            .iter()
            .filter(|change| change.collection_id == Some(collection.id))
            .map(|change| {
                let cursor = log.cursor(change.position);
                ChangeEvent::new(change.clone(), collection.clone(), cursor)
            })
            .collect();
        let slice = Arc::new(CollectionSlice {
            collection: collection.clone(),
            events,
            encoded: Mutex::default(),
        });
        slices.insert(collection.id, slice.clone());
        slice
    }

    /// Counts the memory that it takes.
    fn count_bytes(&self) {
        let changes: usize = self.changes.iter().map(|change| change.size()).sum();
        let slices: usize = self.slices().values().map(|slice| slice.size()).sum();
        let bytes = changes + slices;
        let before = self.bytes.swap(bytes, Ordering::Relaxed);
        self.memory.replace(before, bytes);
    }

    /// Runs an evaluation of its entries for a viewpoint. Where that can take long, other tasks of
    /// this thread go on elsewhere.
    fn run_evaluation<T>(&self, viewpoint: &Viewpoint, work: impl FnOnce() -> T) -> T {
        let bytes = self.bytes.load(Ordering::Relaxed);
        if !viewpoint.evaluates() || bytes <= QUICK_EVALUATION_BYTES {
            return work();
        }
        run_blocking(|| {
            let _turn = self
                .evaluating
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            work()
        })
    }

    /// The events for a subscription whose viewpoint needs the database, of those entries that are
    /// new for it. Another reader asks again.
    pub(in crate::realtime) fn encode_new(
        &self,
        slice: &CollectionSlice,
        subscription: SubscriptionId,
        viewpoint: &Viewpoint,
        evaluation: &Evaluation<SubscriptionId>,
        is_new: impl Fn(&Change) -> bool,
    ) -> Vec<EncodedEvent> {
        let new = slice.events.iter().filter(|event| is_new(&event.change));
        let encoded = new.filter_map(|event| encode(event, subscription, viewpoint, evaluation));
        self.run_evaluation(viewpoint, || encoded.collect())
    }

    /// The events of all entries for a viewpoint that does not need the database. They are encoded
    /// once, as long as there is memory to keep them.
    pub(in crate::realtime) fn encode_all(
        &self,
        slice: &CollectionSlice,
        viewpoint: &Viewpoint,
    ) -> Arc<[EncodedEvent]> {
        let kept = {
            let mut encoded = slice.encoded();
            let key = viewpoint.key();
            if self.memory.is_full() {
                encoded.get(&key).cloned().unwrap_or_default()
            } else {
                encoded.entry(key).or_default().clone()
            }
        };
        let mut is_first = false;
        // Readers with equal viewpoints wait for the first of them.
        let events = kept.get_or_init(|| {
            is_first = true;
            let evaluation = Evaluation::default();
            let encoded = slice
                .events
                .iter()
                .filter_map(|event| encode(event, 0, viewpoint, &evaluation));
            self.run_evaluation(viewpoint, || encoded.collect())
        });
        if is_first {
            self.count_bytes();
        }
        events.clone()
    }
}

impl Drop for LogSegment {
    fn drop(&mut self) {
        self.memory.replace(self.bytes.load(Ordering::Relaxed), 0);
    }
}

fn encode(
    event: &ChangeEvent,
    key: SubscriptionId,
    viewpoint: &Viewpoint,
    evaluation: &Evaluation<SubscriptionId>,
) -> Option<EncodedEvent> {
    let candidate = EventCandidate {
        key,
        viewpoint,
        event,
    };
    // A replay delays nobody else.
    let judgement = evaluation
        .judge(&candidate, &mut StepBudget::unlimited())
        .ok()??;
    Some(EncodedEvent {
        position: event.position(),
        account: event.change.account_id,
        judgement,
        frame: evaluation.encode(&candidate, judgement),
    })
}

/// Runs what may take long without an await, while other tasks of this thread go on elsewhere.
fn run_blocking<T>(work: impl FnOnce() -> T) -> T {
    match Handle::try_current().map(|runtime| runtime.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(work),
        _ => work(),
    }
}
