//! What a piece of the log is for a connection's subscriptions.

use std::sync::Arc;

use bytes::Bytes;

use super::{Beginning, Sight, Task};
use crate::changes::Change;
use crate::realtime::connection::Connection;
use crate::realtime::expanding::{Errand, Expanded};
use crate::realtime::frame::Resync;
use crate::realtime::history::{Known, Reader, Segment, Told};
use crate::realtime::inquiry::{Sources, Unanswered, Verdicts};
use crate::realtime::lens::Lens;
use crate::realtime::subscription::{Arrived, Subscription};
use crate::schema::Collection;

/// What the database said about what a subscription reads in the log.
struct Answered {
    subscription: Arc<Subscription>,
    lens: Lens,
    verdicts: Verdicts,
}

/// What the database said about what is read in the log.
pub(super) struct Asked {
    answered: Vec<Answered>,
    expanded: Expanded,
    /// How far it is enough.
    pub(super) until: i64,
}

/// What was read in the log, and how it is seen.
pub(super) struct Read<'r> {
    pub(super) segment: &'r Segment,
    pub(super) asked: &'r Asked,
    pub(super) sight: &'r Sight,
}

impl Connection {
    /// How it sees records now.
    pub(super) fn sight(&self) -> Sight {
        Sight {
            catalog: self.hub().0.catalog.current(),
            caller: self.caller(),
        }
    }

    /// Asks the database about what was read, for those of a job's subscriptions whose rules need
    /// that.
    pub(super) async fn ask(
        &self,
        id: u64,
        segment: &Segment,
        until: i64,
    ) -> Result<Asked, Unanswered> {
        let mut until = segment.until().min(until);
        let (mut subscriptions, mut from) = (Vec::new(), until);
        self.with_job(id, |job| {
            from = job.position;
            subscriptions = match &job.task {
                Task::Start(start) => start.subscriptions.clone(),
                Task::Lane(lane) => self.lane_subscriptions(*lane),
            };
        });
        let (hub, sight) = (&self.hub().0, self.sight());
        let (mut answered, mut errand, mut turn) = (Vec::new(), Errand::default(), None);
        for subscription in subscriptions {
            let needs = |lens: &Lens| lens.asks() || lens.expands();
            let seen = self
                .lens(&subscription, &sight)
                .filter(|(_, lens)| needs(lens));
            let Some((collection, lens)) = seen else {
                continue;
            };
            if turn.is_none() {
                turn = hub.history.turn().await;
            }
            let is_new = |change: &Change| {
                change.position > from
                    && change.position <= until
                    && subscription.scope.holds(change)
            };
            let verdicts = segment
                .verdicts(&hub.db, &hub.log, &lens, &collection, is_new)
                .await?;
            let reader = Reader {
                collection: &collection,
                lens: &lens,
                verdicts: &verdicts,
                log: &hub.log,
            };
            until = segment
                .send_for(&mut errand, &reader, subscription.operations, is_new)
                .unwrap_or(until);
            answered.push(Answered {
                subscription,
                lens,
                verdicts,
            });
        }
        Ok(Asked {
            answered,
            expanded: errand.run(&hub.db, &hub.catalog).await?,
            until,
        })
    }

    /// Whether rules and rights are those with which the database was asked.
    pub(super) fn stands(&self, asked: &Asked, sight: &Sight) -> bool {
        let same = |asked: &Answered| {
            self.lens(&asked.subscription, sight)
                .is_some_and(|(_, lens)| lens.key() == asked.lens.key())
        };
        asked.answered.iter().all(same)
    }

    pub(super) fn lens(
        &self,
        subscription: &Subscription,
        sight: &Sight,
    ) -> Option<(Arc<Collection>, Lens)> {
        let Sight { catalog, caller } = sight;
        let collection = catalog.by_name(&subscription.collection)?.clone();
        let lens = Lens::new(
            catalog,
            &collection,
            caller,
            self.outlet().dialect(),
            &subscription.selection,
        );
        Some((collection, lens))
    }

    pub(super) fn known<T>(
        &self,
        held: &Subscription,
        sight: &Sight,
        look: impl FnOnce(&Known<'_>) -> T,
    ) -> T {
        let collection = sight.catalog.by_name(&held.collection);
        let is_superadmin = sight.caller.is_superadmin();
        let sources = if is_superadmin {
            Sources::default()
        } else {
            Sources::of(&sight.catalog, collection)
        };
        let lens = held
            .selection
            .expand
            .as_ref()
            .and_then(|_| self.lens(held, sight));
        let targets = lens
            .as_ref()
            .map(|(_, lens)| lens.targets())
            .unwrap_or_default();
        let operation = held.selection.operation();
        look(&Known {
            collection,
            operation,
            sources: &sources,
            targets: &targets,
        })
    }

    /// Notices for subscriptions that began with a snapshot, if something changed since that their
    /// rules read.
    pub(super) fn shaken(
        &self,
        start: &Beginning,
        segment: &Segment,
        from: i64,
        until: i64,
        sight: &Sight,
    ) -> Vec<Bytes> {
        let begun = start
            .subscriptions
            .iter()
            .filter(|_| start.arrival == Arrived::Live);
        let is_shaken = |held: &&Arc<Subscription>| {
            self.known(held, sight, |known| {
                segment.shakes(from, until, &start.shown, known)
            })
        };
        begun
            .filter(is_shaken)
            .filter_map(|held| self.resync(held, Resync::Access, from))
            .collect()
    }

    /// Appends the frames of those subscriptions for which an entry is new.
    pub(super) fn collect(
        &self,
        read: &Read<'_>,
        subscriptions: &[Arc<Subscription>],
        is_new: impl Fn(&Subscription, i64) -> bool,
        frames: &mut Vec<Bytes>,
    ) {
        let Read {
            segment,
            asked,
            sight,
        } = read;
        let (log, dialect) = (&self.hub().0.log, self.outlet().dialect());
        let mut found: Vec<(i64, Bytes)> = Vec::new();
        for subscription in subscriptions {
            let mut add = |told: &Told| {
                let wanted = subscription.operations.want(told.operation, told.crossing)
                    && told.is_in(subscription.scope)
                    && is_new(subscription, told.position);
                if wanted {
                    let tagged = subscription
                        .tag
                        .as_deref()
                        .map(|tag| dialect.tag(&told.frame, tag));
                    found.push((told.position, tagged.unwrap_or_else(|| told.frame.clone())));
                }
            };
            let Some((collection, lens)) = self.lens(subscription, sight) else {
                continue;
            };
            if lens.asks() || lens.expands() {
                // Without answers it shows nothing.
                let answered = asked
                    .answered
                    .iter()
                    .find(|answered| answered.subscription.id == subscription.id);
                if let Some(Answered { lens, verdicts, .. }) = answered {
                    let reader = Reader {
                        collection: &collection,
                        lens,
                        verdicts,
                        log,
                    };
                    let is_new = |change: &Change| is_new(subscription, change.position);
                    segment
                        .told_by(&reader, &asked.expanded, is_new)
                        .iter()
                        .for_each(&mut add);
                }
            } else {
                segment
                    .told(&collection, &lens, log)
                    .iter()
                    .for_each(&mut add);
            }
        }
        if subscriptions.len() > 1 {
            found.sort_by_key(|(position, _)| *position);
        }
        frames.extend(found.into_iter().map(|(_, frame)| frame));
    }
}
