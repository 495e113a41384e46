//! The commands that connections send to a shard.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::oneshot;

use super::member::LiveMember;
use crate::auth::Caller;
use crate::realtime::connection::state::ConnectionState;
use crate::realtime::subscription::{Subscription, SubscriptionId};
use crate::schema::Catalog;

/// The shard's decision about a connection that has caught up with the log and asks for live
/// events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::realtime) enum JoinOutcome {
    /// Events are delivered to it.
    Live,
    /// Too much has happened since: there is more to read in the log.
    Behind,
}

/// Subscriptions of one connection that have read the log up to a position.
pub(in crate::realtime) struct LiveJoin {
    pub(in crate::realtime) members: Vec<LiveMember>,
    /// The position up to which they have read.
    pub(in crate::realtime) position: i64,
    pub(in crate::realtime) notice: StartNotice,
    /// The collections as they were at the last step of the replay.
    pub(in crate::realtime) catalog: Arc<Catalog>,
    pub(in crate::realtime) reply: oneshot::Sender<JoinOutcome>,
}

/// The control frame that subscriptions get when they go live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::realtime) enum StartNotice {
    /// The missed events have been sent: this number of them.
    Replayed(u64),
    /// The snapshot is complete.
    Live,
    /// No frame.
    Silent,
}

/// A command to a shard. It acts before every event that is published after it was sent.
pub(in crate::realtime) enum ShardCommand {
    /// Adds a subscription, in the place of another one of the same connection if it `replaces`
    /// one. Otherwise, entries up to the position `after` are not for it, delivered or not.
    Subscribe {
        member: LiveMember,
        replaces: Option<Arc<Subscription>>,
        after: i64,
        ack: Option<Bytes>,
    },
    /// Adds subscriptions that have caught up with the log.
    Join(Box<LiveJoin>),
    /// Delivers events again to a connection whose events were dropped and which has caught up with
    /// the log.
    Rejoin {
        connection: Arc<ConnectionState>,
        position: i64,
        reply: oneshot::Sender<JoinOutcome>,
    },
    /// Removes a subscription.
    Unsubscribe {
        subscription: Arc<Subscription>,
        ack: Option<(Arc<ConnectionState>, Bytes)>,
        /// Is told [`JoinOutcome::Behind`] when the subscription is removed.
        done: Option<oneshot::Sender<JoinOutcome>>,
    },
    /// Changes the subscriber's rights.
    UpdateCaller {
        subscription: Arc<Subscription>,
        caller: Caller,
    },
    /// Applies changes of collections.
    RefreshCatalog,
    /// Asks for the number of subscriptions in the group of each of these.
    CountGroups {
        subscriptions: Vec<Arc<Subscription>>,
        reply: oneshot::Sender<Vec<(SubscriptionId, usize)>>,
    },
    /// Sends checkpoints to connections that have not had any for a while.
    SendCheckpoints(Vec<Arc<ConnectionState>>),
}
