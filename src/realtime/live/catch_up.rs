//! Catching up with live delivery: what has happened since a connection read the log.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::time::Instant;

use super::context::ShardContext;
use super::recent_changes::RecentChanges;
use crate::changes::{Change, Cursor};
use crate::realtime::connection::frame_buffer::LogMark;
use crate::realtime::connection::outbound::CloseReason;
use crate::realtime::connection::state::ConnectionState;
use crate::realtime::protocol::{ControlFrame, ResyncReason};
use crate::realtime::subscription::{Subscription, SubscriptionId};
use crate::realtime::visibility::change_event::{ChangeEvent, EventJudgement};
use crate::realtime::visibility::dependencies::RuleDependencies;
use crate::realtime::visibility::evaluate::{
    Evaluation, EventCandidate, OutOfSteps, RuleQuestions,
};
use crate::realtime::visibility::expand::ExpandBatch;
use crate::realtime::visibility::step_budget::{StepBudget, StepBudgets};
use crate::realtime::visibility::viewpoint::Viewpoint;
use crate::schema::Catalog;

/// Number of events whose references are expanded together.
const EVENTS_PER_EXPANSION: usize = 32;

/// The reason for which missed events cannot be told here.
pub(in crate::realtime) enum CatchUpError {
    /// They are too many, or too expensive to judge here: the log must be read instead.
    Behind,
    /// The database did not answer; the connection is closed.
    Closed,
}

impl From<OutOfSteps> for CatchUpError {
    fn from(_: OutOfSteps) -> Self {
        Self::Behind
    }
}

/// Subscriptions of a connection that have read the log up to a position.
pub(in crate::realtime) struct CatchUp<'s> {
    pub(in crate::realtime) context: &'s ShardContext,
    pub(in crate::realtime) connection: &'s Arc<ConnectionState>,
    pub(in crate::realtime) subscriptions: &'s [Arc<Subscription>],
    pub(in crate::realtime) position: i64,
    /// The position of the shard.
    pub(in crate::realtime) cursor: Cursor,
}

/// The events since that position, judged for the subscriptions.
pub(in crate::realtime) struct MissedEvents {
    events: Vec<ChangeEvent>,
    viewpoints: HashMap<SubscriptionId, Viewpoint>,
    evaluation: Evaluation<SubscriptionId>,
    shown: Vec<ShownEvent>,
}

/// An event that a subscription shows.
struct ShownEvent {
    /// The index of the event.
    event: usize,
    subscription: Arc<Subscription>,
    judgement: EventJudgement,
}

impl MissedEvents {
    fn candidate(&self, shown: &ShownEvent) -> Option<EventCandidate<'_, SubscriptionId>> {
        let key = shown.subscription.id;
        Some(EventCandidate {
            key,
            viewpoint: self.viewpoints.get(&key)?,
            event: self.events.get(shown.event)?,
        })
    }
}

impl CatchUp<'_> {
    /// Judges the events since the position. Subscriptions that are about to go live are told if a
    /// change concerns their rules.
    ///
    /// # Errors
    ///
    /// See [`CatchUpError`].
    pub(in crate::realtime) async fn judge_missed(
        &self,
        recent: &RecentChanges,
        budgets: &mut StepBudgets,
    ) -> Result<MissedEvents, CatchUpError> {
        let catalog = self.context.catalog.current();
        let changes: Vec<Arc<Change>> = recent
            .since(self.position)
            .ok_or(CatchUpError::Behind)?
            .cloned()
            .collect();
        let account = self
            .subscriptions
            .first()
            .and_then(|first| first.scope.account());
        let mut budget = budgets.of(account, Instant::now());
        let missed = self.evaluate(&catalog, &changes, &mut budget).await;
        budgets.settle(account, &budget, Instant::now());
        let missed = missed?;
        for subscription in self.subscriptions {
            let asks = missed
                .viewpoints
                .get(&subscription.id)
                .is_some_and(Viewpoint::asks);
            if asks && !subscription.is_live() {
                self.send_resync_if_invalidated(&catalog, subscription, &changes);
            }
        }
        Ok(missed)
    }

    async fn evaluate(
        &self,
        catalog: &Arc<Catalog>,
        changes: &[Arc<Change>],
        budget: &mut StepBudget,
    ) -> Result<MissedEvents, CatchUpError> {
        let events: Vec<ChangeEvent> = changes
            .iter()
            .filter_map(|change| self.event(catalog, change))
            .collect();
        let viewpoints = self.viewpoints(catalog);
        let mut questions = RuleQuestions::new(&self.context.db);
        for (_, _, candidate) in self.candidates(&events, &viewpoints) {
            questions.add(&candidate, budget)?;
        }
        let Ok(evaluation) = questions.run().await else {
            self.connection.queue().close(CloseReason::Overload);
            return Err(CatchUpError::Closed);
        };
        let mut shown = Vec::new();
        for (event, subscription, candidate) in self.candidates(&events, &viewpoints) {
            let Some(judgement) = evaluation.judge(&candidate, budget)? else {
                continue;
            };
            let is_wanted = subscription
                .operations
                .want(judgement.operation, judgement.visibility_change);
            if is_wanted {
                shown.push(ShownEvent {
                    event,
                    subscription: subscription.clone(),
                    judgement,
                });
            }
        }
        Ok(MissedEvents {
            events,
            viewpoints,
            evaluation,
            shown,
        })
    }

    fn event(&self, catalog: &Catalog, change: &Arc<Change>) -> Option<ChangeEvent> {
        let collection = catalog.by_id(change.collection_id?)?.clone();
        let cursor = self.context.log.cursor(change.position);
        Some(ChangeEvent::new(change.clone(), collection, cursor))
    }

    fn viewpoints(&self, catalog: &Arc<Catalog>) -> HashMap<SubscriptionId, Viewpoint> {
        let caller = self.connection.caller();
        let viewpoint = |subscription: &Arc<Subscription>| {
            let collection = catalog.by_name(subscription.topic.collection())?;
            let viewpoint = Viewpoint::new(
                catalog,
                collection,
                &caller,
                self.connection.protocol(),
                &subscription.selection,
            );
            Some((subscription.id, viewpoint))
        };
        self.subscriptions.iter().filter_map(viewpoint).collect()
    }

    /// The events that are new for the subscriptions, in the order of the log.
    fn candidates<'e>(
        &'e self,
        events: &'e [ChangeEvent],
        viewpoints: &'e HashMap<SubscriptionId, Viewpoint>,
    ) -> impl Iterator<
        Item = (
            usize,
            &'e Arc<Subscription>,
            EventCandidate<'e, SubscriptionId>,
        ),
    > {
        events.iter().enumerate().flat_map(move |(index, event)| {
            self.subscriptions.iter().filter_map(move |subscription| {
                let viewpoint = viewpoints.get(&subscription.id)?;
                let candidate = EventCandidate {
                    key: subscription.id,
                    viewpoint,
                    event,
                };
                is_new(event, subscription).then_some((index, subscription, candidate))
            })
        })
    }

    /// Queues the missed events; returns the number of frames.
    pub(in crate::realtime) async fn queue_missed(&self, mut missed: MissedEvents) -> u64 {
        let queue = self.connection.queue();
        let all_shown = std::mem::take(&mut missed.shown);
        let mut queued = 0;
        for shown in all_shown.chunk_by(|first, next| {
            first.event / EVENTS_PER_EXPANSION == next.event / EVENTS_PER_EXPANSION
        }) {
            let mut batch = ExpandBatch::default();
            for shown in shown {
                if let Some(candidate) = missed.candidate(shown) {
                    candidate.viewpoint.request_expansion(
                        candidate.event,
                        shown.judgement,
                        &mut batch,
                    );
                }
            }
            let ShardContext { db, catalog, .. } = self.context;
            if missed.evaluation.expand(batch, db, catalog).await.is_err() {
                queue.close(CloseReason::Overload);
                return 0;
            }
            for shown in shown {
                let Some(candidate) = missed.candidate(shown) else {
                    continue;
                };
                let mut frame = missed.evaluation.encode(&candidate, shown.judgement);
                if let Some(tag) = &shown.subscription.tag {
                    frame = self.connection.protocol().tag_frame(&frame, tag);
                }
                let mark = LogMark {
                    shard: self.context.number,
                    position: candidate.event.position(),
                };
                queue.push_event(frame, mark);
                queued += 1;
            }
        }
        queued
    }

    /// Tells a subscription to fetch everything again if a record has changed that its rule reads.
    fn send_resync_if_invalidated(
        &self,
        catalog: &Catalog,
        subscription: &Subscription,
        changes: &[Arc<Change>],
    ) {
        let collection = catalog.by_name(subscription.topic.collection());
        let dependencies = RuleDependencies::of(catalog, collection);
        let operation = subscription.selection.operation();
        let is_invalidated = changes.iter().any(|change| {
            subscription.scope.holds(change) && dependencies.include(operation, change)
        });
        if is_invalidated {
            let frame = ControlFrame::Resync {
                reason: ResyncReason::Access,
                cursor: &self.cursor,
            };
            self.connection.push_control_frame(subscription, &frame);
        }
    }
}

/// Returns `true` if an event is about a record in a subscription's scope, and the client does not
/// know it.
fn is_new(event: &ChangeEvent, subscription: &Subscription) -> bool {
    let is_known = subscription.is_live() && event.position() <= subscription.live_after();
    !is_known
        && subscription.topic.collection() == event.collection.name
        && subscription.scope.holds(&event.change)
}
