//! The list of connections, for administrators. Everything is looked up on request; delivering
//! events costs nothing more for it.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::future::join_all;
use tokio::sync::oneshot;
use tokio::time::timeout;
use uuid::Uuid;

use super::inner::HubInner;
use crate::auth::Caller;
use crate::id::{AccountId, UserId};
use crate::realtime::connection::frame_buffer::LogMark;
use crate::realtime::connection::state::ConnectionState;
use crate::realtime::live::command::ShardCommand;
use crate::realtime::live::handles::ShardHandles;
use crate::realtime::subscription::{
    AccountScope, OperationSet, RecordSelection, Subscription, SubscriptionId,
};

/// Upper limit of the time for which shards are waited for that are delivering events.
const SHARD_TIMEOUT: Duration = Duration::from_millis(500);

/// The connections to list.
#[derive(Clone, Copy, Debug, Default)]
pub struct ConnectionFilter<'a> {
    /// Only connections of callers of this account.
    pub account: Option<AccountId>,
    /// Only connections that have this user's rights.
    pub user: Option<UserId>,
    /// Only connections of this protocol, see [`crate::realtime::Protocol::name`].
    pub protocol: Option<&'a str>,
    /// Only connections that are older than the one with this id.
    pub before: Option<Uuid>,
    /// Upper limit of the connections.
    pub limit: usize,
}

impl ConnectionFilter<'_> {
    /// Returns `true` if a connection is accepted, on whatever page.
    fn accepts(&self, connection: &ConnectionState) -> bool {
        self.user
            .is_none_or(|user| connection.user_id == Some(user))
            && self
                .protocol
                .is_none_or(|protocol| connection.protocol().name() == protocol)
            && self
                .account
                .is_none_or(|account| connection.caller().account_id() == Some(account))
    }
}

/// A connection.
#[derive(Debug)]
pub struct ConnectionInfo {
    /// Its id.
    pub id: Uuid,
    /// The protocol, see [`crate::realtime::Protocol::name`].
    pub protocol: &'static str,
    /// The caller, with its present rights.
    pub caller: Caller,
    /// The superadmin who acts for the caller.
    pub opened_by: Option<UserId>,
    /// The client's address, if it is known.
    pub address: Option<IpAddr>,
    /// The time at which it was opened.
    pub since: DateTime<Utc>,
    /// The time at which its credential expires.
    pub expires_at: Option<DateTime<Utc>>,
    /// The number of frames that wait for it.
    pub queued_frames: usize,
    /// The bytes of these frames.
    pub queued_bytes: usize,
    /// The number of entries of the change log that it has yet to read, if it reads the log and
    /// gets no live events.
    pub behind: Option<i64>,
    /// The number of frames that it was given.
    pub sent: u64,
    /// Its subscriptions, in the order in which they were made.
    pub subscriptions: Vec<SubscriptionInfo>,
}

/// A subscription of a connection.
#[derive(Debug)]
pub struct SubscriptionInfo {
    subscription: Arc<Subscription>,
    /// The number of subscriptions that see the same, itself included; `None` if it is not live, or
    /// the server is too busy to tell.
    pub group_size: Option<usize>,
}

impl SubscriptionInfo {
    /// The collection's name.
    pub fn collection(&self) -> &str {
        self.subscription.topic.collection()
    }

    /// Its tag.
    pub fn tag(&self) -> Option<&str> {
        self.subscription.tag.as_deref()
    }

    /// The accounts whose records it is about.
    pub fn scope(&self) -> AccountScope {
        self.subscription.scope
    }

    /// The records that it shows, and the parts of them.
    pub fn selection(&self) -> &RecordSelection {
        &self.subscription.selection
    }

    /// The operations that it is told of.
    pub fn operations(&self) -> OperationSet {
        self.subscription.operations
    }

    /// Returns `true` if live events are delivered to it; otherwise it is still told of earlier
    /// ones.
    pub fn is_live(&self) -> bool {
        self.subscription.is_live()
    }
}

/// The connections that a filter accepts, newest first, and their number on all pages.
pub(in crate::realtime) async fn list(
    hub: &HubInner,
    filter: &ConnectionFilter<'_>,
) -> (Vec<ConnectionInfo>, usize) {
    let mut found = hub
        .connections
        .select(|connection| filter.accepts(connection));
    let total = found.len();
    found.retain(|connection| filter.before.is_none_or(|before| connection.id < before));
    found.sort_unstable_by_key(|connection| std::cmp::Reverse(connection.id));
    found.truncate(filter.limit);
    let held: Vec<Vec<Arc<Subscription>>> = found
        .iter()
        .map(|connection| connection.subscriptions(|_| true))
        .collect();
    let sizes = count_groups(hub.shards(), held.iter().flatten()).await;
    let connections = found
        .iter()
        .zip(held)
        .map(|(connection, held)| describe(hub.shards(), connection, held, &sizes));
    (connections.collect(), total)
}

fn describe(
    shards: &ShardHandles,
    connection: &ConnectionState,
    mut held: Vec<Arc<Subscription>>,
    sizes: &HashMap<SubscriptionId, usize>,
) -> ConnectionInfo {
    let (queued_frames, queued_bytes) = connection.queue().size();
    held.sort_unstable_by_key(|subscription| subscription.id);
    let subscriptions = held.into_iter().map(|subscription| SubscriptionInfo {
        group_size: sizes.get(&subscription.id).copied(),
        subscription,
    });
    ConnectionInfo {
        id: connection.id,
        protocol: connection.protocol().name(),
        caller: connection.caller(),
        opened_by: connection.opened_by,
        address: connection.address,
        since: connection.since,
        expires_at: connection.expires_at(),
        queued_frames,
        queued_bytes,
        behind: unread_entries(shards, connection),
        sent: connection.sent_frames.load(Ordering::Relaxed),
        subscriptions: subscriptions.collect(),
    }
}

/// The number of entries that a connection has yet to read in the log; `None` if it does not read
/// it.
fn unread_entries(shards: &ShardHandles, connection: &ConnectionState) -> Option<i64> {
    let replaying = connection.replaying().clone();
    let dropped = connection.queue().dropped();
    // The connection has not begun to read what was dropped a moment ago.
    let unread = dropped
        .into_iter()
        .filter(|first| replaying.iter().all(|mark| mark.shard != first.shard))
        .map(|first| LogMark {
            position: first.position - 1,
            ..first
        });
    replaying
        .iter()
        .copied()
        .chain(unread)
        .map(|mark| shards.position_of_shard(mark.shard) - mark.position)
        .max()
        .map(|behind| behind.max(0))
}

/// Asks each shard once for the sizes of the groups of live subscriptions.
async fn count_groups(
    shards: &ShardHandles,
    subscriptions: impl Iterator<Item = &Arc<Subscription>>,
) -> HashMap<SubscriptionId, usize> {
    let mut parts: HashMap<u32, Vec<Arc<Subscription>>> = HashMap::new();
    for subscription in subscriptions.filter(|subscription| subscription.is_live()) {
        parts
            .entry(shards.number_of(subscription.scope))
            .or_default()
            .push(subscription.clone());
    }
    let answers = parts.into_values().filter_map(|subscriptions| {
        let scope = subscriptions.first()?.scope;
        let (reply, answer) = oneshot::channel();
        let command = ShardCommand::CountGroups {
            subscriptions,
            reply,
        };
        shards.send(scope, command);
        Some(timeout(SHARD_TIMEOUT, answer))
    });
    join_all(answers)
        .await
        .into_iter()
        .filter_map(|answer| answer.ok()?.ok())
        .flatten()
        .collect()
}
