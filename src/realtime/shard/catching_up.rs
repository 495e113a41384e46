//! What has happened since somebody read the log, for those who are about to be handed events.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::time::Instant;

use super::Shard;
use crate::changes::Change;
use crate::realtime::connection::Outlet;
use crate::realtime::expanding::Errand;
use crate::realtime::frame::{Crossing, Notice, Operation, Resync};
use crate::realtime::inquiry::{Sources, Verdicts, verdicts};
use crate::realtime::lens::{Lens, Subject};
use crate::realtime::queue::{Close, Mark};
use crate::realtime::subscription::{Scope, Subscription, SubscriptionId};

/// How many changes are expanded together.
const AT_ONCE: usize = 32;

/// What has happened since a position, and what it is for some subscriptions.
pub(super) struct MissedEvents {
    subjects: Vec<Subject>,
    lenses: HashMap<SubscriptionId, Lens>,
    /// The number of a subject, a subscription, and what it hears.
    news: Vec<(usize, Arc<Subscription>, Operation, Option<Crossing>)>,
}

/// Why that is not known.
pub(super) enum MissedError {
    /// It was too long ago, or would take too long to judge here: the log must be read instead.
    Behind,
    /// The database did not answer; the connection is closed.
    Closed,
}

impl Shard {
    /// Finds out what has happened since a position.
    pub(super) async fn missed(
        &mut self,
        outlet: &Arc<Outlet>,
        subscriptions: &[Arc<Subscription>],
        position: i64,
    ) -> Result<MissedEvents, MissedError> {
        let catalog = self.catalog.current();
        let caller = outlet.caller();
        let changes: Vec<Arc<Change>> = self
            .ring
            .since(position)
            .ok_or(MissedError::Behind)?
            .cloned()
            .collect();
        let subject = |change: &Arc<Change>| {
            let collection = catalog.by_id(change.collection_id?)?.clone();
            Some(Subject::new(
                change.clone(),
                collection,
                self.log.cursor(change.position),
            ))
        };
        let account = match subscriptions.first().map(|subscription| subscription.scope) {
            Some(Scope::Account(account)) => Some(account),
            _ => None,
        };
        let mut allowance = self.allowances.of(account, Instant::now());
        let subjects: Vec<Subject> = changes.iter().filter_map(subject).collect();
        let mut lenses: HashMap<SubscriptionId, Lens> = HashMap::new();
        let mut answers: HashMap<SubscriptionId, Verdicts> = HashMap::new();
        for subscription in subscriptions {
            let Some(collection) = catalog.by_name(&subscription.collection) else {
                continue;
            };
            let lens = Lens::new(
                &catalog,
                collection,
                &caller,
                outlet.dialect(),
                &subscription.selection,
            );
            let concerning = subjects
                .iter()
                .filter(|subject| concerns(subject, subscription));
            let Ok(verdicts) = verdicts(&self.db, &lens, concerning, &mut allowance).await else {
                outlet.queue().close(Close::Overload);
                return Err(MissedError::Closed);
            };
            if lens.asks() && !subscription.is_live() {
                self.tell_if_shaken(outlet, subscription, &changes);
            }
            answers.insert(subscription.id, verdicts);
            lenses.insert(subscription.id, lens);
        }
        let mut news = Vec::new();
        for (number, subject) in subjects.iter().enumerate() {
            let position = subject.change.position;
            let is_known = |held: &Subscription| held.is_live() && position <= held.live_after();
            for subscription in subscriptions
                .iter()
                .filter(|held| !is_known(held) && concerns(subject, held))
            {
                let Some(lens) = lenses.get(&subscription.id) else {
                    continue;
                };
                let answers = answers
                    .get(&subscription.id)
                    .and_then(|answers| answers.get(&position));
                let verdict = answers.copied().unwrap_or_default();
                let Some(judged) = allowance.run(|| lens.judge(subject, verdict)) else {
                    self.allowances.settle(account, &allowance, Instant::now());
                    return Err(MissedError::Behind);
                };
                let Some((operation, crossing)) = judged else {
                    continue;
                };
                if subscription.operations.want(operation, crossing) {
                    news.push((number, subscription.clone(), operation, crossing));
                }
            }
        }
        self.allowances.settle(account, &allowance, Instant::now());
        Ok(MissedEvents {
            subjects,
            lenses,
            news,
        })
    }

    /// Queues it; says how many events that were.
    pub(super) async fn catch_up(&self, outlet: &Arc<Outlet>, missed: &MissedEvents) -> u64 {
        let MissedEvents {
            subjects,
            lenses,
            news,
        } = missed;
        let mut queued = 0;
        for news in news.chunk_by(|(first, ..), (next, ..)| first / AT_ONCE == next / AT_ONCE) {
            let seen = news
                .iter()
                .filter_map(|(number, subscription, operation, crossing)| {
                    let (subject, lens) = (subjects.get(*number)?, lenses.get(&subscription.id)?);
                    Some((subject, subscription, lens, *operation, *crossing))
                });
            let mut errand = Errand::default();
            for (subject, _, lens, operation, _) in seen.clone() {
                lens.send_for(subject, operation, &mut errand);
            }
            let Ok(expanded) = errand.run(&self.db, &self.catalog).await else {
                outlet.queue().close(Close::Overload);
                return 0;
            };
            for (subject, subscription, lens, operation, crossing) in seen {
                let mut frame = lens.frame(subject, operation, crossing, &expanded);
                if let Some(tag) = &subscription.tag {
                    frame = outlet.dialect().tag(&frame, tag);
                }
                outlet.queue().push_event(
                    frame,
                    Mark {
                        lane: self.lane.number,
                        position: subject.change.position,
                    },
                );
                queued += 1;
            }
        }
        queued
    }

    /// Tells a subscription that is about to go live if something has changed that its rule reads.
    fn tell_if_shaken(
        &self,
        outlet: &Outlet,
        subscription: &Subscription,
        changes: &[Arc<Change>],
    ) {
        let catalog = self.catalog.current();
        let sources = Sources::of(&catalog, catalog.by_name(&subscription.collection));
        let operation = subscription.selection.operation();
        let concerns = |change: &Arc<Change>| {
            subscription.scope.holds(change) && sources.concern(operation, change)
        };
        if changes.iter().any(concerns) {
            let cursor = self.cursor();
            if let Some(frame) = subscription.notice(
                outlet,
                &Notice::Resync {
                    reason: Resync::Access,
                    cursor: &cursor,
                },
            ) {
                outlet.queue().push(frame);
            }
        }
    }
}

/// Whether a change is of a record that a subscription is about.
fn concerns(subject: &Subject, subscription: &Subscription) -> bool {
    *subscription.collection == *subject.collection.name
        && subscription.scope.holds(&subject.change)
}
