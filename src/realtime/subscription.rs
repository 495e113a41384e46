//! What a connection asks for.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::oneshot;

use super::connection::Outlet;
use super::frame::{Crossing, Operation};
use crate::auth::Caller;
use crate::id::AccountId;

/// The operations that a subscriber wants to hear of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operations(u8);

impl Operations {
    /// All of them.
    pub const ALL: Self = Self(0b111);

    /// Those with these names; unknown names are ignored. No name at all means every operation.
    pub fn named<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let mut names = names.into_iter().peekable();
        if names.peek().is_none() {
            return Self::ALL;
        }
        Self(names.filter_map(Operation::parse).fold(0, |set, operation| set | Self::bit(operation)))
    }

    /// Those that are in both sets.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether it has the operation.
    pub fn contains(self, operation: Operation) -> bool {
        self.0 & Self::bit(operation) != 0
    }

    /// The operations in it.
    pub fn iter(self) -> impl Iterator<Item = Operation> {
        Operation::ALL.into_iter().filter(move |operation| self.contains(*operation))
    }

    /// Whether a subscriber is told. A record that enters or leaves is news for whoever asked for updates, and for
    /// whoever wants to know what is there.
    pub fn want(self, operation: Operation, crossing: Option<Crossing>) -> bool {
        let also = match crossing {
            None => operation,
            Some(Crossing::Entered) => Operation::Create,
            Some(Crossing::Left) => Operation::Delete,
        };
        let told = match crossing {
            None => operation,
            Some(_) => Operation::Update,
        };
        self.contains(told) || self.contains(also)
    }

    fn bit(operation: Operation) -> u8 {
        1 << operation as u8
    }
}

/// Whose records a subscription is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Those of one account.
    Account(AccountId),
    /// Those of every account; for superadmins.
    Everything,
}

/// Identifies a subscription in this process.
pub(super) type SubscriptionId = u64;

/// A subscription as its shard keeps it.
pub(super) struct Member {
    pub(super) id: SubscriptionId,
    pub(super) outlet: Arc<Outlet>,
    pub(super) caller: Caller,
    pub(super) operations: Operations,
    /// Entries up to this position were sent already.
    pub(super) after: i64,
}

/// What connections tell a shard. A command acts before every event that is published after it was sent.
pub(super) enum Command {
    /// Adds a subscription, in the place of another one of the same connection if it `replaces` one.
    Subscribe {
        scope: Scope,
        collection: Arc<str>,
        member: Member,
        replaces: Option<SubscriptionId>,
        ack: Option<Bytes>,
        /// Is told the position after which events are delivered.
        registered: Option<oneshot::Sender<i64>>,
    },
    /// Removes a subscription.
    Unsubscribe { scope: Scope, collection: Arc<str>, id: SubscriptionId, ack: Option<(Arc<Outlet>, Bytes)> },
    /// The subscriber's rights are different now.
    Recast { scope: Scope, collection: Arc<str>, id: SubscriptionId, caller: Caller },
}
