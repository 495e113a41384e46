//! Notices that what a client knows is not what it may see: it must fetch everything anew.

use std::sync::Arc;

use bytes::Bytes;

use super::{Beginning, Sight, Task};
use crate::realtime::connection::Connection;
use crate::realtime::frame::{Notice, Resync};
use crate::realtime::history::Segment;
use crate::realtime::queue::Close;
use crate::realtime::subscription::{Arrived, Scope, Subscription};
use crate::realtime::topic::difference;

impl Connection {
    /// What was missed cannot be told: the client must fetch everything, and hears what happens
    /// after the position that is returned. That is behind what waits to be handed out, which the
    /// client may have heard of already.
    pub(super) fn give_up_replaying(
        &self,
        start: &mut Beginning,
        scope: Scope,
        reason: Resync,
    ) -> i64 {
        let position = self.hub().published(scope);
        (start.arrival, start.least) = (Arrived::Silent, Some(position));
        for subscription in &start.subscriptions {
            self.resync_soon(subscription, reason, position);
        }
        position
    }

    /// The log does not go back so far. Who cannot be told must begin anew.
    pub(super) fn expired(&self, id: u64) {
        self.with_job(id, |job| match &mut job.task {
            Task::Start(start) => {
                let Some(scope) = start.scope() else { return };
                job.position = self.give_up_replaying(start, scope, Resync::Expired);
            }
            Task::Lane(lane) => {
                let subscriptions = self.lane_subscriptions(*lane);
                let Some(first) = subscriptions.first() else {
                    return;
                };
                job.position = self.hub().position_of(first.scope);
                for subscription in &subscriptions {
                    self.resync_soon(subscription, Resync::Expired, job.position);
                }
                if subscriptions
                    .iter()
                    .any(|subscription| !subscription.notices)
                {
                    self.queue().close(Close::Overload);
                }
            }
        });
    }

    /// Why what a client knows from before the segment may not be what it may see now. What a
    /// snapshot shows is known.
    pub(super) fn upheaval(
        &self,
        start: &Beginning,
        segment: &Segment,
        from: i64,
        sight: &Sight,
    ) -> Option<Resync> {
        if !matches!(start.arrival, Arrived::Replayed(_)) {
            return None;
        }
        let upheaval = |held: &Arc<Subscription>| {
            self.known(held, sight, |known| {
                segment.upheaval(from, known, &sight.caller)
            })
        };
        start.subscriptions.iter().find_map(upheaval)
    }

    /// Notices for subscriptions whose records are seen otherwise now than at the last step: the
    /// collection is another, or the caller's rights are.
    pub(super) fn changes(&self, start: &mut Beginning, now: Sight, position: i64) -> Vec<Bytes> {
        let before = std::mem::replace(&mut start.seen, now);
        let now = &start.seen;
        if before.is_same(now) {
            return Vec::new();
        }
        let by_then = Sight {
            catalog: now.catalog.clone(),
            caller: before.caller,
        };
        let told = start.subscriptions.iter().filter_map(|subscription| {
            let Subscription {
                collection,
                selection,
                ..
            } = &**subscription;
            let key = |sight| self.lens(subscription, sight).map(|(_, lens)| lens.key());
            let reason = difference(
                &before.catalog,
                &now.catalog,
                collection,
                selection,
                &now.caller,
            )
            .or_else(|| (key(&by_then) != key(now)).then_some(Resync::Access))?;
            self.resync(subscription, reason, position)
        });
        told.collect()
    }

    /// Puts that notice into the queue.
    fn resync_soon(&self, subscription: &Subscription, reason: Resync, position: i64) {
        if let Some(frame) = self.resync(subscription, reason, position) {
            self.queue().push(frame);
        }
    }

    /// The notice that a subscription's client must fetch everything again, if it knows such
    /// notices.
    pub(super) fn resync(
        &self,
        subscription: &Subscription,
        reason: Resync,
        position: i64,
    ) -> Option<Bytes> {
        let cursor = self.hub().0.log.cursor(position);
        self.queue().note_told(position);
        subscription.notice(
            self.outlet(),
            &Notice::Resync {
                reason,
                cursor: &cursor,
            },
        )
    }
}
