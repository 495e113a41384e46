//! Access to the shards: their positions, and the way to send them changes and commands.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use tokio::sync::mpsc;

use super::command::ShardCommand;
use super::shard_map::ShardMap;
use crate::changes::{Change, FeedSender};
use crate::realtime::connection::state::ConnectionState;
use crate::realtime::subscription::AccountScope;

/// Access to one shard; the shard ends when this is dropped.
pub(in crate::realtime) struct ShardHandle {
    pub(in crate::realtime) feed: FeedSender,
    pub(in crate::realtime) commands: mpsc::UnboundedSender<ShardCommand>,
    pub(in crate::realtime) progress: Arc<ShardProgress>,
}

/// The progress of a shard, which others may read.
pub(in crate::realtime) struct ShardProgress {
    position: AtomicI64,
    delivered: AtomicU64,
}

impl ShardProgress {
    pub(in crate::realtime) fn starting_at(position: i64) -> Self {
        Self {
            position: AtomicI64::new(position),
            delivered: AtomicU64::new(0),
        }
    }

    /// The position up to which everything has been delivered.
    pub(in crate::realtime) fn position(&self) -> i64 {
        self.position.load(Ordering::Acquire)
    }

    pub(in crate::realtime) fn advance_to(&self, position: i64) {
        self.position.fetch_max(position, Ordering::Release);
    }

    /// The number of events that were put into queues since the shard started.
    pub(in crate::realtime) fn delivered(&self) -> u64 {
        self.delivered.load(Ordering::Relaxed)
    }

    pub(in crate::realtime) fn count_delivered(&self, events: u64) {
        self.delivered.fetch_add(events, Ordering::Relaxed);
    }
}

impl ShardHandle {
    fn send(&self, command: ShardCommand) {
        if self.commands.send(command).is_err() {
            tracing::error!("a realtime task has ended; a subscription is lost");
        }
    }
}

/// Access to all shards.
pub(in crate::realtime) struct ShardHandles {
    map: ShardMap,
    /// By number; the last one serves subscriptions to all accounts.
    handles: Vec<ShardHandle>,
}

impl ShardHandles {
    /// The handles of the shards of a map, by number.
    pub(in crate::realtime) fn new(map: ShardMap, handles: Vec<ShardHandle>) -> Self {
        Self { map, handles }
    }

    /// The number of the shard that serves a scope.
    pub(in crate::realtime) fn number_of(&self, scope: AccountScope) -> u32 {
        self.map.shard_of(scope)
    }

    fn of(&self, scope: AccountScope) -> &ShardHandle {
        let index = usize::try_from(self.number_of(scope)).unwrap_or(usize::MAX);
        &self.handles[index]
    }

    /// The position up to which a scope's events have been delivered.
    pub(in crate::realtime) fn position(&self, scope: AccountScope) -> i64 {
        self.of(scope).progress.position()
    }

    /// The position up to which a shard has delivered events.
    pub(in crate::realtime) fn position_of_shard(&self, number: u32) -> i64 {
        usize::try_from(number)
            .ok()
            .and_then(|index| self.handles.get(index))
            .map_or(0, |handle| handle.progress.position())
    }

    /// The position up to which a scope's events were handed to its shard, delivered or not.
    pub(in crate::realtime) fn published(&self, scope: AccountScope) -> i64 {
        self.of(scope).feed.until()
    }

    /// The number of events that were put into queues since the hub started.
    pub(in crate::realtime) fn delivered(&self) -> u64 {
        self.handles
            .iter()
            .map(|handle| handle.progress.delivered())
            .sum()
    }

    /// Hands changes to all shards; there are no others up to `until`.
    pub(in crate::realtime) fn publish(&self, changes: &[Arc<Change>], until: i64) {
        for handle in &self.handles {
            handle.feed.send(changes, until);
        }
    }

    /// Sends a command to the shard of a scope.
    pub(in crate::realtime) fn send(&self, scope: AccountScope, command: ShardCommand) {
        self.of(scope).send(command);
    }

    /// Applies changes of collections in all shards.
    pub(in crate::realtime) fn refresh_catalog(&self) {
        for handle in &self.handles {
            handle.send(ShardCommand::RefreshCatalog);
        }
    }

    /// Lets the shards send checkpoints to their connections.
    pub(in crate::realtime) fn send_checkpoints(&self, connections: Vec<Arc<ConnectionState>>) {
        let mut parts: Vec<Vec<Arc<ConnectionState>>> = vec![Vec::new(); self.handles.len()];
        for connection in connections {
            let subscriptions = connection.subscriptions(|_| true);
            let shard = subscriptions
                .first()
                .and_then(|first| usize::try_from(self.number_of(first.scope)).ok())
                .and_then(|index| parts.get_mut(index));
            if let Some(part) = shard {
                part.push(connection);
            }
        }
        for (handle, connections) in self.handles.iter().zip(parts) {
            if !connections.is_empty() {
                handle.send(ShardCommand::SendCheckpoints(connections));
            }
        }
    }
}
