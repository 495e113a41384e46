//! What has happened since somebody read the log, for those who are about to be handed events.

use std::collections::HashMap;
use std::sync::Arc;

use super::Shard;
use crate::changes::Change;
use crate::realtime::connection::Outlet;
use crate::realtime::expanding::Errand;
use crate::realtime::frame::{Notice, Resync};
use crate::realtime::inquiry::{Sources, Verdicts, verdicts};
use crate::realtime::lens::{Lens, Subject};
use crate::realtime::queue::{Close, Mark};
use crate::realtime::subscription::{Subscription, SubscriptionId};

/// How many changes are expanded together.
const AT_ONCE: usize = 32;

impl Shard {
    /// Queues what has happened since a position; says how many events that were, or `None` if it was too long ago.
    pub(super) async fn catch_up(
        &self,
        outlet: &Arc<Outlet>,
        subscriptions: &[Arc<Subscription>],
        position: i64,
    ) -> Option<u64> {
        let catalog = self.catalog.current();
        let caller = outlet.caller();
        let changes: Vec<&Arc<Change>> = self.ring.since(position)?.collect();
        let subject = |change: &&Arc<Change>| {
            let collection = catalog.by_id(change.collection_id?)?.clone();
            Some(Subject::new((*change).clone(), collection, self.log.cursor(change.position)))
        };
        let subjects: Vec<Subject> = changes.iter().filter_map(subject).collect();
        let mut lenses: HashMap<SubscriptionId, (Lens, Verdicts)> = HashMap::new();
        for subscription in subscriptions {
            let Some(collection) = catalog.by_name(&subscription.collection) else { continue };
            let lens = Lens::new(&catalog, collection, &caller, outlet.dialect(), &subscription.selection);
            let concerning = subjects.iter().filter(|subject| concerns(subject, subscription));
            let Ok(verdicts) = verdicts(&self.db, &lens, concerning).await else {
                outlet.queue().close(Close::Overload);
                return Some(0);
            };
            if lens.asks() && !subscription.is_live() {
                self.tell_if_shaken(outlet, subscription, &changes);
            }
            lenses.insert(subscription.id, (lens, verdicts));
        }
        let mut queued = 0;
        for subjects in subjects.chunks(AT_ONCE) {
            let (mut errand, mut news) = (Errand::default(), Vec::new());
            for subject in subjects {
                let position = subject.change.position;
                let is_known = |held: &Subscription| held.is_live() && position <= held.live_after();
                for subscription in subscriptions.iter().filter(|held| !is_known(held) && concerns(subject, held)) {
                    let Some((lens, verdicts)) = lenses.get(&subscription.id) else { continue };
                    let verdict = verdicts.get(&position).copied().unwrap_or_default();
                    let Some((operation, crossing)) = lens.judge(subject, verdict) else { continue };
                    if subscription.operations.want(operation, crossing) {
                        lens.send_for(subject, operation, &mut errand);
                        news.push((subject, subscription, lens, operation, crossing));
                    }
                }
            }
            let Ok(expanded) = errand.run(&self.db, &self.catalog).await else {
                outlet.queue().close(Close::Overload);
                return Some(0);
            };
            for (subject, subscription, lens, operation, crossing) in news {
                let mut frame = lens.frame(subject, operation, crossing, &expanded);
                if let Some(tag) = &subscription.tag {
                    frame = outlet.dialect().tag(&frame, tag);
                }
                outlet.queue().push_event(frame, Mark { lane: self.lane.number, position: subject.change.position });
                queued += 1;
            }
        }
        Some(queued)
    }

    /// Tells a subscription that is about to go live if something has changed that its rule reads.
    fn tell_if_shaken(&self, outlet: &Outlet, subscription: &Subscription, changes: &[&Arc<Change>]) {
        let catalog = self.catalog.current();
        let sources = Sources::of(&catalog, catalog.by_name(&subscription.collection));
        let operation = subscription.selection.operation();
        let concerns = |change: &&Arc<Change>| subscription.scope.holds(change) && sources.concern(operation, change);
        if changes.iter().any(concerns) {
            let cursor = self.cursor();
            if let Some(frame) =
                subscription.notice(outlet, &Notice::Resync { reason: Resync::Access, cursor: &cursor })
            {
                outlet.queue().push(frame);
            }
        }
    }
}

/// Whether a change is of a record that a subscription is about.
fn concerns(subject: &Subject, subscription: &Subscription) -> bool {
    *subscription.collection == *subject.collection.name && subscription.scope.holds(&subject.change)
}
