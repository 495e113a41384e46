//! A subscription as its shard keeps it.

use std::sync::Arc;

use crate::auth::Caller;
use crate::changes::Cursor;
use crate::realtime::connection::state::ConnectionState;
use crate::realtime::protocol::{ControlFrame, ResyncReason};
use crate::realtime::subscription::{OperationSet, Subscription, SubscriptionId};

/// See the module. Everything that a delivery needs is at hand.
pub(in crate::realtime) struct LiveMember {
    pub(in crate::realtime) subscription: Arc<Subscription>,
    pub(in crate::realtime) connection: Arc<ConnectionState>,
    pub(in crate::realtime) caller: Caller,
    pub(in crate::realtime) operations: OperationSet,
    pub(in crate::realtime) is_tagged: bool,
    /// Entries up to this position are not for it.
    pub(in crate::realtime) after: i64,
    /// The position up to which changes could be seen when it was last told to fetch everything.
    pub(in crate::realtime) resynced_at: i64,
}

impl LiveMember {
    pub(in crate::realtime) fn new(
        subscription: Arc<Subscription>,
        connection: Arc<ConnectionState>,
        caller: Caller,
    ) -> Self {
        let (operations, is_tagged) = (subscription.operations, subscription.tag.is_some());
        Self {
            subscription,
            connection,
            caller,
            operations,
            is_tagged,
            after: 0,
            resynced_at: 0,
        }
    }

    pub(in crate::realtime) fn id(&self) -> SubscriptionId {
        self.subscription.id
    }

    /// Delivers events after the position `after` from now on; the client knows everything up to
    /// `known`.
    pub(in crate::realtime) fn go_live(&mut self, known: i64, after: i64) {
        self.after = after;
        self.subscription.go_live(known);
    }

    /// Tells the client to fetch everything again, if it knows such frames.
    pub(in crate::realtime) fn send_resync(&self, reason: ResyncReason, cursor: &Cursor) {
        let frame = ControlFrame::Resync { reason, cursor };
        self.connection
            .push_control_frame(&self.subscription, &frame);
    }
}
