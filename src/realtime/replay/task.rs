//! The tasks of a connection that reads the log.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::oneshot;

use super::client::{AccessSnapshot, ReplayClient};
use crate::realtime::connection::snapshot_budget::SnapshotReservation;
use crate::realtime::live::command::{JoinOutcome, StartNotice};
use crate::realtime::subscription::{AccountScope, SnapshotStart, StartAt, Subscription};

/// Reading at one place in the log.
pub(in crate::realtime) struct ReplayTask {
    pub(in crate::realtime) id: u64,
    pub(in crate::realtime) purpose: ReplayPurpose,
    /// The position up to which everything has been read.
    pub(in crate::realtime) position: i64,
    /// Set while a shard is asked to deliver events.
    pub(in crate::realtime) joining: Option<oneshot::Receiver<JoinOutcome>>,
}

/// The purpose of reading.
pub(in crate::realtime) enum ReplayPurpose {
    /// To start subscriptions at an earlier position.
    Start(ReplayStart),
    /// To deliver the dropped events of a shard.
    DroppedEvents { shard: u32 },
}

/// Subscriptions that start at an earlier position.
pub(in crate::realtime) struct ReplayStart {
    /// The subscriptions, which have one scope.
    pub(in crate::realtime) subscriptions: Vec<Arc<Subscription>>,
    /// The frames of a snapshot that have not been sent yet.
    pub(in crate::realtime) snapshot: std::vec::IntoIter<Bytes>,
    /// Counts the bytes of the snapshot until it has been sent.
    pub(in crate::realtime) reservation: Option<SnapshotReservation>,
    /// `true` if the cursor belongs to another database.
    pub(in crate::realtime) is_foreign: bool,
    /// The positions that the snapshot shows already, in order.
    pub(in crate::realtime) shown: Vec<i64>,
    pub(in crate::realtime) notice: StartNotice,
    /// The number of events that have been sent.
    pub(in crate::realtime) event_count: u64,
    /// The collections and rights at the last step.
    pub(in crate::realtime) access: AccessSnapshot,
    /// The position up to which the log must be read before events are delivered live: all changes
    /// for the subscribers until now are before it. `None` if it is not known yet.
    pub(in crate::realtime) min_position: Option<i64>,
}

impl ReplayStart {
    /// The scope; `None` if no subscription is left.
    pub(in crate::realtime) fn scope(&self) -> Option<AccountScope> {
        self.subscriptions
            .first()
            .map(|subscription| subscription.scope)
    }

    /// The bytes of the snapshot that have not been sent yet.
    pub(in crate::realtime) fn snapshot_bytes(&self) -> usize {
        self.snapshot.as_slice().iter().map(Bytes::len).sum()
    }

    /// Returns `true` if an entry is to be told: the snapshot does not show it.
    pub(in crate::realtime) fn is_missing(&self, position: i64) -> bool {
        self.shown.binary_search(&position).is_err()
    }
}

impl ReplayTask {
    /// A task that starts subscriptions at an earlier position, after the subscription that they
    /// replace has `ended`; `None` if they start with the next commit.
    pub(in crate::realtime) fn start(
        client: &ReplayClient,
        subscriptions: Vec<Arc<Subscription>>,
        start_at: StartAt,
        ended: Option<oneshot::Receiver<JoinOutcome>>,
    ) -> Option<Self> {
        let mut is_foreign = false;
        let (position, notice, snapshot) = match start_at {
            StartAt::Now => return None,
            StartAt::After(cursor) => {
                is_foreign = *cursor.epoch != *client.context.log.epoch();
                let notice = StartNotice::Replayed(0);
                (cursor.position, notice, SnapshotStart::default())
            }
            StartAt::Snapshot(snapshot) => (snapshot.after, StartNotice::Live, snapshot),
        };
        let SnapshotStart {
            frames,
            mut shown,
            catalog,
            caller,
            reservation,
            ..
        } = snapshot;
        shown.sort_unstable();
        let min_position =
            (notice == StartNotice::Live).then(|| shown.last().copied().unwrap_or(position));
        // Changes of rules and rights while the records were read are told after the snapshot.
        let access_now = client.access_now();
        let start = ReplayStart {
            subscriptions,
            snapshot: frames.into_iter(),
            reservation,
            is_foreign,
            shown,
            notice,
            event_count: 0,
            access: AccessSnapshot {
                catalog: catalog.unwrap_or(access_now.catalog),
                caller: caller.unwrap_or(access_now.caller),
            },
            min_position,
        };
        Some(Self {
            id: client.context.next_id(),
            purpose: ReplayPurpose::Start(start),
            position,
            joining: ended,
        })
    }

    /// The present subscriptions of the task.
    pub(in crate::realtime) fn subscriptions(
        &self,
        client: &ReplayClient,
    ) -> Vec<Arc<Subscription>> {
        match &self.purpose {
            ReplayPurpose::Start(start) => start.subscriptions.clone(),
            ReplayPurpose::DroppedEvents { shard } => client.subscriptions_of_shard(*shard),
        }
    }

    /// The scope of the task's subscriptions; `None` if all of them have ended, which this finds
    /// out.
    pub(in crate::realtime) fn update_scope(
        &mut self,
        client: &ReplayClient,
    ) -> Option<AccountScope> {
        match &mut self.purpose {
            ReplayPurpose::Start(start) => {
                let held = client.connection.subscriptions(|subscription| {
                    start
                        .subscriptions
                        .iter()
                        .any(|own| own.id == subscription.id)
                });
                start
                    .subscriptions
                    .retain(|own| held.iter().any(|held| held.id == own.id));
                start.scope()
            }
            ReplayPurpose::DroppedEvents { shard } => client
                .subscriptions_of_shard(*shard)
                .first()
                .map(|subscription| subscription.scope),
        }
    }

    /// The shard that serves the task's subscriptions; `None` if none is left.
    pub(in crate::realtime) fn shard(&self, client: &ReplayClient) -> Option<u32> {
        match &self.purpose {
            ReplayPurpose::Start(start) => Some(client.context.shards.number_of(start.scope()?)),
            ReplayPurpose::DroppedEvents { shard } => Some(*shard),
        }
    }
}
