//! Reading ahead of the delivery: what the database must be asked about events, for several events
//! at once, as many as it answers for quickly.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::context::ShardContext;
use super::group_index::GroupId;
use super::topics::ShardTopics;
use crate::changes::{Change, Cursor, ReadLimit};
use crate::realtime::visibility::change_event::ChangeEvent;
use crate::realtime::visibility::evaluate::{Evaluation, RuleQuestions};
use crate::realtime::visibility::expand::ExpandBatch;
use crate::realtime::visibility::step_budget::StepBudgets;
use crate::schema::Catalog;

/// Upper limit of the events in one prefetch.
const MAX_EVENTS: i64 = 32;
/// Upper limit of their size, in bytes: they are parsed.
const MAX_BYTES: usize = 1 << 20;
/// Upper limit of the time of a prefetch after which the next one may have more events.
const QUICK_TIME: Duration = Duration::from_millis(50);
/// Lower limit of the time of a prefetch after which the next one has fewer events.
const SLOW_TIME: Duration = Duration::from_millis(500);

/// The number of events in the next prefetch.
pub(in crate::realtime) struct PrefetchSize(i64);

impl Default for PrefetchSize {
    fn default() -> Self {
        Self(1)
    }
}

impl PrefetchSize {
    /// The number of these changes that are prefetched together, one at least.
    fn count_of(&self, changes: &[Arc<Change>]) -> usize {
        let limit = ReadLimit {
            entries: self.0,
            bytes: MAX_BYTES,
        };
        limit.count_fitting(changes.iter().map(|change| change.size()))
    }

    fn adapt(&mut self, elapsed: Duration) {
        if elapsed <= QUICK_TIME {
            self.0 = (self.0 * 2).min(MAX_EVENTS);
        } else if elapsed > SLOW_TIME {
            self.0 = (self.0 / 2).max(1);
        }
    }
}

/// The evaluation of the next events. It is valid as long as no subscription is added or removed,
/// nobody's rights change, and the collections stay the same.
#[derive(Default)]
pub(in crate::realtime) struct PrefetchedEvents {
    /// The collections for which it is valid.
    catalog: Arc<Catalog>,
    /// The number of events that were looked at and are still to come.
    remaining: usize,
    events: HashMap<i64, PrefetchedEvent>,
    evaluation: Evaluation<GroupId>,
    /// The time that it took for each of the events.
    time_per_event: Duration,
}

/// An event about which the database was asked.
pub(in crate::realtime) struct PrefetchedEvent {
    pub(in crate::realtime) event: ChangeEvent,
    /// The groups whose references could not be read; the event is not delivered to them.
    pub(in crate::realtime) unexpanded: HashSet<GroupId>,
}

impl PrefetchedEvents {
    /// The next event, if the database was needed for it.
    pub(in crate::realtime) fn take(&mut self, change: &Change) -> Option<PrefetchedEvent> {
        self.remaining = self.remaining.saturating_sub(1);
        self.events.remove(&change.position)
    }

    pub(in crate::realtime) fn evaluation(&self) -> &Evaluation<GroupId> {
        &self.evaluation
    }

    /// The collections for which it is valid.
    pub(in crate::realtime) fn catalog(&self) -> &Arc<Catalog> {
        &self.catalog
    }

    pub(in crate::realtime) fn time_per_event(&self) -> Duration {
        self.time_per_event
    }

    fn is_valid(&self, catalog: &Arc<Catalog>) -> bool {
        self.remaining > 0 && Arc::ptr_eq(&self.catalog, catalog)
    }
}

/// The database failed for several events together; fewer of them may be possible.
struct TooManyEvents;

/// The parts of a shard that a prefetch needs.
pub(in crate::realtime) struct Prefetch<'s> {
    pub(in crate::realtime) context: &'s ShardContext,
    pub(in crate::realtime) topics: &'s mut ShardTopics,
    pub(in crate::realtime) budgets: &'s mut StepBudgets,
    pub(in crate::realtime) size: &'s mut PrefetchSize,
    /// The position of the shard.
    pub(in crate::realtime) cursor: Cursor,
}

impl Prefetch<'_> {
    /// Evaluates the first of these changes, and some that follow, as far as the database is needed
    /// for that; unless `known` is still valid.
    pub(in crate::realtime) async fn run(
        mut self,
        known: &mut PrefetchedEvents,
        changes: &[Arc<Change>],
    ) {
        let catalog = self.context.catalog.current();
        let Some(first) = changes.first().filter(|_| !known.is_valid(&catalog)) else {
            return;
        };
        let needs_database = self
            .topics
            .of_collection(first, &catalog, &self.cursor)
            .is_some_and(|(topic, _)| topic.needs_database());
        if !needs_database {
            *known = PrefetchedEvents {
                catalog,
                remaining: 1,
                ..PrefetchedEvents::default()
            };
            return;
        }
        loop {
            let start = Instant::now();
            let count = self.size.count_of(changes);
            if let Ok(prefetched) = self.evaluate(&catalog, &changes[..count]).await {
                let elapsed = start.elapsed();
                self.size.adapt(elapsed);
                *known = PrefetchedEvents {
                    time_per_event: elapsed / u32::try_from(count).unwrap_or(1),
                    ..prefetched
                };
                return;
            }
            *self.size = PrefetchSize::default();
        }
    }

    /// Evaluates these changes. A lone one that the database does not answer for is given up.
    async fn evaluate(
        &mut self,
        catalog: &Arc<Catalog>,
        changes: &[Arc<Change>],
    ) -> Result<PrefetchedEvents, TooManyEvents> {
        let is_lone = changes.len() == 1;
        let mut questions = RuleQuestions::new(&self.context.db);
        let events = self.ask(catalog, changes, &mut questions);
        let answered = questions.run().await;
        if answered.is_err() {
            if !is_lone {
                return Err(TooManyEvents);
            }
            self.give_up_unanswered(catalog, &events);
        }
        let mut evaluation = answered.unwrap_or_default();
        let mut batch = ExpandBatch::default();
        let requesting = self.request_expansions(catalog, &events, &evaluation, &mut batch);
        let expanded = evaluation
            .expand(batch, &self.context.db, &self.context.catalog)
            .await;
        if !is_lone && !matches!(expanded, Ok(true)) {
            return Err(TooManyEvents);
        }
        let unexpanded = if expanded.is_ok() {
            vec![HashSet::new(); events.len()]
        } else {
            self.give_up_unexpanded(catalog, &events, &requesting);
            requesting
        };
        let by_position = |(event, unexpanded): (ChangeEvent, HashSet<GroupId>)| {
            (event.position(), PrefetchedEvent { event, unexpanded })
        };
        Ok(PrefetchedEvents {
            catalog: catalog.clone(),
            remaining: changes.len(),
            events: events
                .into_iter()
                .zip(unexpanded)
                .map(by_position)
                .collect(),
            evaluation,
            time_per_event: Duration::ZERO,
        })
    }

    /// Adds the questions about the changes; returns the events for which the database is needed.
    fn ask(
        &mut self,
        catalog: &Arc<Catalog>,
        changes: &[Arc<Change>],
        questions: &mut RuleQuestions<GroupId>,
    ) -> Vec<ChangeEvent> {
        let mut events = Vec::new();
        for change in changes {
            let Some((topic, collection)) = self
                .topics
                .of_collection(change, catalog, &self.cursor)
                .filter(|(topic, _)| topic.needs_database())
            else {
                continue;
            };
            let cursor = self.context.log.cursor(change.position);
            let event = ChangeEvent::new(change.clone(), collection.clone(), cursor);
            let mut budget = self.budgets.of(change.account_id, Instant::now());
            topic.ask(&event, questions, &mut budget);
            self.budgets
                .settle(change.account_id, &budget, Instant::now());
            events.push(event);
        }
        events
    }

    /// Adds the references that groups need to show the events; returns the groups of each event.
    fn request_expansions(
        &mut self,
        catalog: &Arc<Catalog>,
        events: &[ChangeEvent],
        evaluation: &Evaluation<GroupId>,
        batch: &mut ExpandBatch,
    ) -> Vec<HashSet<GroupId>> {
        let mut requesting = Vec::with_capacity(events.len());
        for event in events {
            let account = event.change.account_id;
            let mut groups = HashSet::new();
            if let Some((topic, _)) =
                self.topics
                    .of_collection(&event.change, catalog, &self.cursor)
            {
                let mut budget = self.budgets.of(account, Instant::now());
                groups = topic.request_expansions(event, evaluation, batch, &mut budget);
                self.budgets.settle(account, &budget, Instant::now());
            }
            requesting.push(groups);
        }
        requesting
    }

    fn give_up_unanswered(&mut self, catalog: &Arc<Catalog>, events: &[ChangeEvent]) {
        for event in events {
            if let Some((topic, _)) =
                self.topics
                    .of_collection(&event.change, catalog, &self.cursor)
            {
                topic.note_unanswered(event);
            }
        }
    }

    fn give_up_unexpanded(
        &mut self,
        catalog: &Arc<Catalog>,
        events: &[ChangeEvent],
        requesting: &[HashSet<GroupId>],
    ) {
        for (event, groups) in events.iter().zip(requesting) {
            if let Some((topic, _)) =
                self.topics
                    .of_collection(&event.change, catalog, &self.cursor)
            {
                topic.note_unexpanded(groups, event.position());
            }
        }
    }
}
