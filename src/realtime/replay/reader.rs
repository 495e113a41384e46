//! The evaluation of a segment of the log for a connection's subscriptions.

use std::sync::Arc;

use bytes::Bytes;

use super::client::{AccessSnapshot, ReplayClient};
use super::segment::{CollectionSlice, EncodedEvent, LogSegment};
use crate::changes::Change;
use crate::realtime::subscription::{Subscription, SubscriptionId};
use crate::realtime::visibility::evaluate::{Evaluation, EventCandidate, RuleQuestions};
use crate::realtime::visibility::expand::ExpandBatch;
use crate::realtime::visibility::rule_query::QueryFailed;
use crate::realtime::visibility::step_budget::StepBudget;
use crate::realtime::visibility::viewpoint::Viewpoint;

/// A subscription whose viewpoint needs the database.
struct AskingSubscription {
    subscription: Arc<Subscription>,
    slice: Arc<CollectionSlice>,
    viewpoint: Viewpoint,
}

impl AskingSubscription {
    fn candidates(
        &self,
        from: i64,
        until: i64,
    ) -> impl Iterator<Item = EventCandidate<'_, SubscriptionId>> {
        self.slice
            .events
            .iter()
            .filter(move |event| {
                event.position() > from
                    && event.position() <= until
                    && self.subscription.scope.holds(&event.change)
            })
            .map(|event| EventCandidate {
                key: self.subscription.id,
                viewpoint: &self.viewpoint,
                event,
            })
    }
}

/// A segment, with the answers of the database for the subscriptions that need them.
pub(in crate::realtime) struct SegmentReader {
    segment: Arc<LogSegment>,
    asking: Vec<AskingSubscription>,
    evaluation: Evaluation<SubscriptionId>,
    /// The position up to which the answers suffice.
    until: i64,
}

impl SegmentReader {
    /// Asks the database about the entries between two positions, for those of the subscriptions
    /// that need it.
    ///
    /// # Errors
    ///
    /// If the database does not answer.
    pub(in crate::realtime) async fn ask(
        client: &ReplayClient,
        segment: Arc<LogSegment>,
        subscriptions: Vec<Arc<Subscription>>,
        from: i64,
        until: i64,
    ) -> Result<Self, QueryFailed> {
        let context = &*client.context;
        let access = client.access_now();
        let asking: Vec<AskingSubscription> = subscriptions
            .into_iter()
            .filter_map(|subscription| {
                let (collection, viewpoint) = client.viewpoint(&subscription, &access)?;
                (viewpoint.asks() || viewpoint.expands()).then(|| AskingSubscription {
                    slice: segment.slice(&collection, &context.log),
                    subscription,
                    viewpoint,
                })
            })
            .collect();
        let mut reader = Self {
            until: segment.until().min(until),
            segment,
            asking,
            evaluation: Evaluation::default(),
        };
        if !reader.asking.is_empty() {
            let _turn = context.log_cache.take_turn().await;
            reader.run_questions(client, from).await?;
        }
        Ok(reader)
    }

    async fn run_questions(&mut self, client: &ReplayClient, from: i64) -> Result<(), QueryFailed> {
        let context = &*client.context;
        // A replay delays nobody else.
        let mut budget = StepBudget::unlimited();
        let mut questions = RuleQuestions::new(&context.db);
        for asking in &self.asking {
            for candidate in asking.candidates(from, self.until) {
                questions
                    .add(&candidate, &mut budget)
                    .map_err(|_| QueryFailed)?;
            }
        }
        self.evaluation = questions.run().await?;
        let batch = self.request_expansions(from, &mut budget);
        // Records that are too large to be taken in are shown as ids.
        self.evaluation
            .expand(batch, &context.db, &context.catalog)
            .await?;
        Ok(())
    }

    /// Adds the references of the events that are shown, until the batch is full: then the answers
    /// suffice up to there.
    fn request_expansions(&mut self, from: i64, budget: &mut StepBudget) -> ExpandBatch {
        let mut batch = ExpandBatch::default();
        let mut until = self.until;
        for asking in self
            .asking
            .iter()
            .filter(|asking| asking.viewpoint.expands())
        {
            for candidate in asking.candidates(from, until) {
                let Ok(Some(judgement)) = self.evaluation.judge(&candidate, budget) else {
                    continue;
                };
                let is_wanted = asking
                    .subscription
                    .operations
                    .want(judgement.operation, judgement.visibility_change);
                if is_wanted {
                    let event = candidate.event;
                    asking
                        .viewpoint
                        .request_expansion(event, judgement, &mut batch);
                }
                if batch.is_full() {
                    until = candidate.event.position();
                    break;
                }
            }
        }
        self.until = until;
        batch
    }

    /// The segment.
    pub(in crate::realtime) fn segment(&self) -> &LogSegment {
        &self.segment
    }

    /// The position up to which the answers suffice.
    pub(in crate::realtime) fn until(&self) -> i64 {
        self.until
    }

    /// Returns `true` if rules and rights are those for which the database was asked.
    pub(in crate::realtime) fn is_valid(
        &self,
        client: &ReplayClient,
        access: &AccessSnapshot,
    ) -> bool {
        self.asking.iter().all(|asking| {
            client
                .viewpoint(&asking.subscription, access)
                .is_some_and(|(_, viewpoint)| viewpoint.key() == asking.viewpoint.key())
        })
    }

    /// Appends the events of those subscriptions for which an entry is new, in the order of the
    /// log.
    pub(in crate::realtime) fn collect(
        &self,
        client: &ReplayClient,
        access: &AccessSnapshot,
        subscriptions: &[Arc<Subscription>],
        is_new: impl Fn(&Subscription, i64) -> bool,
        frames: &mut Vec<Bytes>,
    ) {
        let mut found: Vec<(i64, Bytes)> = Vec::new();
        for subscription in subscriptions {
            let is_wanted = |event: &&EncodedEvent| {
                let judgement = event.judgement;
                subscription
                    .operations
                    .want(judgement.operation, judgement.visibility_change)
                    && event.is_in(subscription.scope)
                    && is_new(subscription, event.position)
            };
            let tag = |event: &EncodedEvent| {
                let frame = match &subscription.tag {
                    Some(tag) => client.connection.protocol().tag_frame(&event.frame, tag),
                    None => event.frame.clone(),
                };
                (event.position, frame)
            };
            let Some((collection, viewpoint)) = client.viewpoint(subscription, access) else {
                continue;
            };
            if viewpoint.asks() || viewpoint.expands() {
                let is_new = |change: &Change| is_new(subscription, change.position);
                let events = self.encode_asking(subscription, is_new);
                found.extend(events.iter().filter(is_wanted).map(tag));
            } else {
                let slice = self.segment.slice(&collection, &client.context.log);
                let events = self.segment.encode_all(&slice, &viewpoint);
                found.extend(events.iter().filter(is_wanted).map(tag));
            }
        }
        if subscriptions.len() > 1 {
            found.sort_by_key(|(position, _)| *position);
        }
        frames.extend(found.into_iter().map(|(_, frame)| frame));
    }

    /// The new events of a subscription whose viewpoint needs the database; without answers it
    /// shows nothing.
    fn encode_asking(
        &self,
        subscription: &Subscription,
        is_new: impl Fn(&Change) -> bool,
    ) -> Vec<EncodedEvent> {
        let asking = self
            .asking
            .iter()
            .find(|asking| asking.subscription.id == subscription.id);
        asking.map_or_else(Vec::new, |asking| {
            self.segment.encode_new(
                &asking.slice,
                subscription.id,
                &asking.viewpoint,
                &self.evaluation,
                is_new,
            )
        })
    }
}
