//! References that are expanded in events. The records to which they lead are read while the event
//! is delivered, for all subscribers at once, and each sees of them what it may see at that moment.

use std::collections::HashMap;

use tokio::time::sleep;

use super::change_event::{FrameCache, RecordObject};
use super::rule_query::{QUERY_TIMEOUT, QueryFailed, RETRY_DELAY};
use crate::access::{ExpandPlan, ExpandPlanKey, LoadError, LoadedRecords, Placement};
use crate::db::Db;
use crate::realtime::protocol::Protocol;
use crate::schema::{Body, Catalog, CatalogHandle};

/// Upper limit, in bytes, of the records that an event takes in. If there are more, it shows ids.
const MAX_EVENT_BYTES: usize = 1 << 20;
/// Upper limit, in bytes, of the records that are read for one batch, and of those that its events
/// take in.
const MAX_BATCH_BYTES: usize = 32 << 20;
/// Number of events from which on a batch should be run before more are added.
const FULL_BATCH_EVENTS: usize = 32;

/// Expanded records are the same for equal keys: what the caller sees, and how the protocol writes
/// it.
type ExpansionKey = (ExpandPlanKey, &'static str);

/// The references that must be read before some events can be encoded.
#[derive(Default)]
pub(in crate::realtime) struct ExpandBatch {
    requests: HashMap<ExpansionKey, ExpandRequest>,
    event_count: usize,
}

struct ExpandRequest {
    plan: ExpandPlan,
    placement: Placement,
    /// The referring fields of each record, by the event's position.
    stubs: HashMap<i64, Body>,
}

impl ExpandBatch {
    pub(in crate::realtime) fn add(
        &mut self,
        plan: &ExpandPlan,
        protocol: &dyn Protocol,
        position: i64,
        stub: Body,
    ) {
        let request = self
            .requests
            .entry((plan.key(), protocol.name()))
            .or_insert_with(|| ExpandRequest {
                plan: plan.clone(),
                placement: protocol.placement(),
                stubs: HashMap::new(),
            });
        self.event_count += usize::from(request.stubs.insert(position, stub).is_none());
    }

    /// Returns `true` if the batch should be run before more is added.
    pub(in crate::realtime) fn is_full(&self) -> bool {
        self.event_count >= FULL_BATCH_EVENTS
    }

    /// Reads the records. Those that are too large to be taken in are left out.
    ///
    /// # Errors
    ///
    /// If the database fails twice, or takes too long.
    pub(in crate::realtime) async fn run(
        mut self,
        db: &Db,
        catalog: &CatalogHandle,
    ) -> Result<ExpandedEvents, QueryFailed> {
        if self.event_count == 0 {
            return Ok(ExpandedEvents::default());
        }
        let loaded = match self.load(db).await {
            Err(LoadError::Failed(_)) => {
                sleep(RETRY_DELAY).await;
                self.renew_plans(&catalog.current());
                self.load(db).await
            }
            loaded => loaded,
        };
        match loaded {
            Ok(records) => Ok(self.fill(&records)),
            Err(LoadError::TooLarge) => Ok(ExpandedEvents {
                is_incomplete: true,
                ..ExpandedEvents::default()
            }),
            Err(LoadError::Failed(error)) => {
                tracing::warn!(%error, "references could not be expanded for an event");
                Err(QueryFailed)
            }
            Err(LoadError::Late) => {
                tracing::warn!("expanding references for an event took too long");
                Err(QueryFailed)
            }
        }
    }

    async fn load(&self, db: &Db) -> Result<LoadedRecords, LoadError> {
        let mut records = Vec::with_capacity(self.event_count);
        for request in self.requests.values() {
            records.extend(request.stubs.values().map(|stub| (&request.plan, stub)));
        }
        LoadedRecords::load(db, &records, MAX_BATCH_BYTES, Some(QUERY_TIMEOUT)).await
    }

    /// Fields may have been added and dropped since the plans were made.
    fn renew_plans(&mut self, catalog: &Catalog) {
        for request in self.requests.values_mut() {
            request.plan = request.plan.renewed(catalog);
        }
    }

    fn fill(self, records: &LoadedRecords) -> ExpandedEvents {
        let mut filled = FilledBatch {
            bytes_left: MAX_BATCH_BYTES,
            is_incomplete: false,
        };
        ExpandedEvents {
            by_key: self
                .requests
                .into_iter()
                .map(|(key, request)| (key, filled.fill(request, records)))
                .collect(),
            is_incomplete: filled.is_incomplete,
        }
    }
}

/// The progress of filling a batch.
struct FilledBatch {
    bytes_left: usize,
    is_incomplete: bool,
}

impl FilledBatch {
    fn fill(
        &mut self,
        request: ExpandRequest,
        records: &LoadedRecords,
    ) -> HashMap<i64, ExpandedEvent> {
        let mut events = HashMap::with_capacity(request.stubs.len());
        for (position, mut stub) in request.stubs {
            let limit = MAX_EVENT_BYTES.min(self.bytes_left);
            let mut left = limit;
            let result = request
                .plan
                .fill(&mut stub, records, request.placement, &mut left);
            if result.is_ok() {
                self.bytes_left -= limit - left;
                let event = ExpandedEvent {
                    fields: stub,
                    frames: FrameCache::default(),
                };
                events.insert(position, event);
            } else {
                self.is_incomplete |= limit < MAX_EVENT_BYTES;
            }
        }
        events
    }
}

/// The records that take the place of the references in some events.
#[derive(Default)]
pub(in crate::realtime) struct ExpandedEvents {
    by_key: HashMap<ExpansionKey, HashMap<i64, ExpandedEvent>>,
    /// `true` if something was left out for which there would be room in a smaller batch.
    is_incomplete: bool,
}

struct ExpandedEvent {
    /// The fields that take the place of the event's own.
    fields: Body,
    /// The frames that were encoded with them. A later reader of the event sees the records as they
    /// are then, and so has frames of its own.
    frames: FrameCache,
}

impl ExpandedEvents {
    /// Returns `true` if everything is there that an event may take in.
    pub(in crate::realtime) fn is_complete(&self) -> bool {
        !self.is_incomplete
    }

    /// The fields that were read for an event, and the frames that have them.
    pub(in crate::realtime) fn find(
        &self,
        plan: &ExpandPlan,
        protocol: &dyn Protocol,
        position: i64,
    ) -> Option<(&RecordObject, &FrameCache)> {
        if self.by_key.is_empty() {
            return None;
        }
        let event = self
            .by_key
            .get(&(plan.key(), protocol.name()))?
            .get(&position)?;
        Some((&event.fields, &event.frames))
    }
}
