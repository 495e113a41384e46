//! The connection for which the log is replayed.

use std::sync::Arc;

use bytes::Bytes;

use super::context::ReplayContext;
use crate::auth::Caller;
use crate::realtime::connection::state::ConnectionState;
use crate::realtime::protocol::{ControlFrame, ResyncReason};
use crate::realtime::subscription::{AccountScope, Subscription};
use crate::realtime::visibility::viewpoint::Viewpoint;
use crate::schema::{Catalog, Collection};

/// The collections and the rights with which a connection sees records at one moment.
pub(in crate::realtime) struct AccessSnapshot {
    pub(in crate::realtime) catalog: Arc<Catalog>,
    pub(in crate::realtime) caller: Caller,
}

impl AccessSnapshot {
    /// Returns `true` if all records look the same with both.
    pub(in crate::realtime) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.catalog, &other.catalog) && self.caller.is_same(&other.caller)
    }
}

/// See the module.
pub(in crate::realtime) struct ReplayClient {
    pub(in crate::realtime) context: Arc<ReplayContext>,
    pub(in crate::realtime) connection: Arc<ConnectionState>,
}

impl ReplayClient {
    /// The present collections and rights.
    pub(in crate::realtime) fn access_now(&self) -> AccessSnapshot {
        AccessSnapshot {
            catalog: self.context.catalog.current(),
            caller: self.connection.caller(),
        }
    }

    /// The viewpoint of a subscription, and its collection; `None` if there is no such collection.
    pub(in crate::realtime) fn viewpoint(
        &self,
        subscription: &Subscription,
        access: &AccessSnapshot,
    ) -> Option<(Arc<Collection>, Viewpoint)> {
        let AccessSnapshot { catalog, caller } = access;
        let collection = catalog.by_name(subscription.topic.collection())?.clone();
        let viewpoint = Viewpoint::new(
            catalog,
            &collection,
            caller,
            self.connection.protocol(),
            &subscription.selection,
        );
        Some((collection, viewpoint))
    }

    /// The subscriptions to which a shard delivers live events.
    pub(in crate::realtime) fn subscriptions_of_shard(&self, shard: u32) -> Vec<Arc<Subscription>> {
        self.connection.subscriptions(|subscription| {
            subscription.is_live() && self.context.shards.number_of(subscription.scope) == shard
        })
    }

    /// A scope that has all live subscriptions of the same shard: a superadmin's subscriptions to
    /// several accounts may share one.
    pub(in crate::realtime) fn widest_scope(&self, scope: AccountScope) -> AccountScope {
        let shard = self.context.shards.number_of(scope);
        let is_common = self
            .subscriptions_of_shard(shard)
            .iter()
            .all(|subscription| subscription.scope == scope);
        if is_common {
            scope
        } else {
            AccountScope::Everything
        }
    }

    /// Encodes the frame that tells a subscription's client to fetch everything again, if it knows
    /// such frames.
    pub(in crate::realtime) fn resync_frame(
        &self,
        subscription: &Subscription,
        reason: ResyncReason,
        position: i64,
    ) -> Option<Bytes> {
        let cursor = self.context.log.cursor(position);
        let frame = ControlFrame::Resync {
            reason,
            cursor: &cursor,
        };
        self.connection.control_frame(subscription, &frame)
    }

    /// Queues that frame.
    pub(in crate::realtime) fn push_resync(
        &self,
        subscription: &Subscription,
        reason: ResyncReason,
        position: i64,
    ) {
        if let Some(frame) = self.resync_frame(subscription, reason, position) {
            self.connection.queue().push(frame);
        }
    }
}
