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

/// How many changes are looked at together.
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
        let mut lenses: HashMap<SubscriptionId, (Lens, Verdicts)> = HashMap::new();
        for subscription in subscriptions {
            let Some(collection) = catalog.by_name(&subscription.collection) else { continue };
            let lens = Lens::new(&catalog, collection, &caller, outlet.dialect(), &subscription.selection);
            let of_scope = changes.iter().map(|change| &***change).filter(|change| subscription.scope.holds(change));
            let Ok(verdicts) = verdicts(&self.db, &self.log, &lens, collection, of_scope).await else {
                outlet.queue().close(Close::Overload);
                return Some(0);
            };
            if lens.asks() && !subscription.is_live() {
                self.tell_if_shaken(outlet, subscription, &changes);
            }
            lenses.insert(subscription.id, (lens, verdicts));
        }
        let mut queued = 0;
        for changes in changes.chunks(AT_ONCE) {
            let mut subjects: HashMap<i64, Subject<'_>> = HashMap::with_capacity(changes.len());
            for change in changes {
                if let Some(collection) = change.collection_id.and_then(|id| catalog.by_id(id)) {
                    let cursor = self.log.cursor(change.position);
                    subjects.insert(change.position, Subject::new(change, collection, cursor));
                }
            }
            let (mut errand, mut news) = (Errand::default(), Vec::new());
            for change in changes {
                let Some(subject) = subjects.get(&change.position) else { continue };
                for subscription in subscriptions.iter().filter(|held| concerns(held, subject, change)) {
                    let Some((lens, verdicts)) = lenses.get(&subscription.id) else { continue };
                    let verdict = verdicts.get(&change.position).copied().unwrap_or_default();
                    let Some((operation, crossing)) = lens.judge(subject, verdict) else { continue };
                    if subscription.operations.want(operation, crossing) {
                        lens.send_for(subject, operation, &mut errand);
                        news.push((change.position, subscription, lens, operation, crossing));
                    }
                }
            }
            let Ok(expanded) = errand.run(&self.db, &self.catalog).await else {
                outlet.queue().close(Close::Overload);
                return Some(0);
            };
            for (position, subscription, lens, operation, crossing) in news {
                let Some(subject) = subjects.get(&position) else { continue };
                let mut frame = lens.frame(subject, operation, crossing, &expanded);
                if let Some(tag) = &subscription.tag {
                    frame = outlet.dialect().tag(&frame, tag);
                }
                outlet.queue().push_event(frame, Mark { lane: self.lane.number, position });
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

/// Whether a change is of a record that a subscription is about, and not known to it.
fn concerns(subscription: &Subscription, subject: &Subject<'_>, change: &Change) -> bool {
    let known = subscription.is_live() && change.position <= subscription.live_after();
    !known && *subscription.collection == *subject.collection_name() && subscription.scope.holds(change)
}
