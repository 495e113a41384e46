//! What a connection asks for.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use bytes::Bytes;
use tokio::sync::oneshot;

use super::connection::Outlet;
use super::frame::{About, Crossing, Notice, Operation};
use super::waiting::WaitingSnapshot;
use crate::access::{ExpandPaths, ExpandPlan, FieldView};
use crate::auth::Caller;
use crate::changes::{Change, Cursor};
use crate::id::AccountId;
use crate::schema::{self, Catalog};

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
        Self(
            names
                .filter_map(Operation::parse)
                .fold(0, |set, operation| set | Self::bit(operation)),
        )
    }

    /// Those with these names; no name at all means every operation.
    ///
    /// # Errors
    ///
    /// What is wrong, if a name is unknown.
    pub fn parse<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, String> {
        let names: Vec<&str> = names.into_iter().collect();
        match names.iter().find(|name| Operation::parse(name).is_none()) {
            Some(name) => Err(Self::unknown(name)),
            None => Ok(Self::named(names)),
        }
    }

    /// The message about a name that is not an operation's.
    pub fn unknown(name: &str) -> String {
        format!("Unknown operation '{name}'; expected create, update or delete")
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
        Operation::ALL
            .into_iter()
            .filter(move |operation| self.contains(*operation))
    }

    /// Whether a subscriber is told. A record that enters or leaves is news for whoever asked for
    /// updates, and for whoever wants to know what is there.
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

impl Scope {
    /// Whether a change is of a record in it.
    pub(super) fn holds(self, change: &Change) -> bool {
        match self {
            Self::Everything => true,
            Self::Account(account) => change.account_id == Some(account),
        }
    }
}

/// Which of a collection's records a subscription is about, and what of them it shows. The default
/// is all that the collection's list shows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Selection {
    /// One record; then the collection's view rule and the fields of its views decide instead of
    /// the list's.
    pub record: Option<Box<str>>,
    /// A condition in the language of lists' filters.
    pub filter: Option<Box<str>>,
    /// The fields wanted besides the system's.
    pub fields: Option<Box<[String]>>,
    /// References in whose place the records are shown to which they lead.
    pub expand: Option<ExpandPaths>,
    /// Whether updates and deletes show what was there before.
    pub old: bool,
}

impl Selection {
    /// The operation whose rule and field list decide.
    pub fn operation(&self) -> schema::Operation {
        if self.record.is_some() {
            schema::Operation::View
        } else {
            schema::Operation::List
        }
    }

    /// What is to be expanded in records that are seen through a view.
    pub(super) fn expansion(
        &self,
        catalog: &Catalog,
        caller: &Caller,
        view: &FieldView,
    ) -> Option<ExpandPlan> {
        let selected = |name: &str| {
            self.fields
                .as_ref()
                .is_none_or(|fields| fields.iter().any(|field| field == name))
        };
        ExpandPlan::new(catalog, caller, view, self.expand.as_ref()?, selected)
    }
}

/// Where a subscription begins.
#[derive(Debug, Default)]
pub enum Start {
    /// With what is committed from now on.
    #[default]
    Now,
    /// After a cursor; what was missed comes first.
    After(Cursor),
    /// With records that were read already, and then everything that they do not show yet.
    Snapshot(Snapshot),
}

/// Records as they were at one moment.
#[derive(Debug, Default)]
pub struct Snapshot {
    /// What to send first.
    pub frames: Vec<Bytes>,
    /// A position in the change log up to which the records show everything.
    pub after: i64,
    /// Later positions that they show as well.
    pub shown: Vec<i64>,
    /// The collections as they were before the records were read.
    pub catalog: Option<Arc<Catalog>>,
    /// The rights with which they were read.
    pub caller: Option<Caller>,
    /// Counts what waits to be sent.
    pub waiting: Option<WaitingSnapshot>,
}

/// What to subscribe to.
#[derive(Debug)]
pub struct Subscribe {
    /// What the subscription is called in its connection; another one of that name is replaced.
    pub name: Arc<str>,
    /// The collection's name; it need not exist yet.
    pub collection: String,
    /// What to hear of.
    pub operations: Operations,
    /// Whose records.
    pub scope: Scope,
    /// Which records, and what of them.
    pub selection: Arc<Selection>,
    /// Goes into every frame of this subscription, see [`super::Dialect::tag`].
    pub tag: Option<Box<str>>,
    /// Whether the client knows [notices](Notice).
    pub notices: bool,
    /// Where it begins.
    pub start: Start,
    /// What to send once the subscription stands, ahead of its first event.
    pub ack: Option<Bytes>,
}

impl Subscribe {
    /// A subscription to all records of a collection, from now on.
    pub fn to(collection: &str, operations: Operations, scope: Scope) -> Self {
        Self {
            name: collection.into(),
            collection: collection.to_owned(),
            operations,
            scope,
            selection: Arc::default(),
            tag: None,
            notices: false,
            start: Start::Now,
            ack: None,
        }
    }
}

/// Identifies a subscription in this process.
pub(super) type SubscriptionId = u64;

/// A subscription that a connection holds.
#[derive(Debug)]
pub(super) struct Subscription {
    pub(super) id: SubscriptionId,
    pub(super) collection: Arc<str>,
    pub(super) scope: Scope,
    pub(super) operations: Operations,
    pub(super) selection: Arc<Selection>,
    pub(super) tag: Option<Box<str>>,
    pub(super) notices: bool,
    /// What it knows: entries up to this position are not for it. The end of all positions until
    /// its shard hands events to it.
    live_after: AtomicI64,
}

impl Subscription {
    pub(super) fn new(id: SubscriptionId, subscribe: &Subscribe) -> Self {
        Self {
            id,
            collection: subscribe.collection.as_str().into(),
            scope: subscribe.scope,
            operations: subscribe.operations,
            selection: subscribe.selection.clone(),
            tag: subscribe.tag.clone(),
            notices: subscribe.notices,
            live_after: AtomicI64::new(i64::MAX),
        }
    }

    pub(super) fn live_after(&self) -> i64 {
        self.live_after.load(Ordering::Acquire)
    }

    pub(super) fn is_live(&self) -> bool {
        self.live_after() != i64::MAX
    }

    fn go_live(&self, after: i64) {
        self.live_after.store(after, Ordering::Release);
    }

    /// A notice of this subscription, if its client knows them.
    pub(super) fn notice(&self, outlet: &Outlet, notice: &Notice<'_>) -> Option<Bytes> {
        let about = About {
            collection: &self.collection,
            tag: self.tag.as_deref(),
        };
        if self.notices {
            outlet.dialect().notice(notice, Some(about))
        } else {
            None
        }
    }
}

/// A subscription as its shard keeps it; what every delivery needs is at hand.
pub(super) struct Member {
    pub(super) subscription: Arc<Subscription>,
    pub(super) outlet: Arc<Outlet>,
    pub(super) caller: Caller,
    pub(super) operations: Operations,
    pub(super) tagged: bool,
    /// Entries up to this position are not for it.
    pub(super) after: i64,
    /// It was told to fetch everything anew when all up to this position could be seen already.
    pub(super) told: i64,
}

impl Member {
    pub(super) fn new(
        subscription: Arc<Subscription>,
        outlet: Arc<Outlet>,
        caller: Caller,
    ) -> Self {
        let (operations, tagged) = (subscription.operations, subscription.tag.is_some());
        Self {
            subscription,
            outlet,
            caller,
            operations,
            tagged,
            after: 0,
            told: 0,
        }
    }

    pub(super) fn id(&self) -> SubscriptionId {
        self.subscription.id
    }

    /// Events after the position `after` are handed to it from now on; it knows what happened up to
    /// `known`.
    pub(super) fn begin(&mut self, known: i64, after: i64) {
        self.after = after;
        self.subscription.go_live(known);
    }
}

/// What becomes of a connection that has caught up with the log and wants to be handed events
/// again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Joined {
    /// Events are handed to it.
    Live,
    /// Too much has happened meanwhile: there is more to read in the log.
    Behind,
}

/// Subscriptions of one connection that have read the log up to a position.
pub(super) struct Join {
    pub(super) members: Vec<Member>,
    /// What they have read.
    pub(super) position: i64,
    /// How they are told that events are live now.
    pub(super) arrival: Arrived,
    /// The collections as they were at the last step.
    pub(super) seen: Arc<Catalog>,
    pub(super) reply: oneshot::Sender<Joined>,
}

/// What subscriptions are told when they go live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arrived {
    /// That what was missed has been sent: so many events.
    Replayed(u64),
    /// That the snapshot is complete.
    Live,
    /// Nothing.
    Silent,
}

/// What connections tell a shard. A command acts before every event that is published after it was
/// sent.
pub(super) enum Command {
    /// Adds a subscription, in the place of another one of the same connection if it `replaces`
    /// one. If not, what comes up to the position `after` is not for it, handed out or not.
    Subscribe {
        member: Member,
        replaces: Option<Arc<Subscription>>,
        after: i64,
        ack: Option<Bytes>,
    },
    /// Adds subscriptions that have caught up with the log.
    Join(Box<Join>),
    /// A connection whose events were dropped has caught up with the log.
    Rejoin {
        outlet: Arc<Outlet>,
        position: i64,
        reply: oneshot::Sender<Joined>,
    },
    /// Removes a subscription.
    Unsubscribe {
        subscription: Arc<Subscription>,
        ack: Option<(Arc<Outlet>, Bytes)>,
        /// Is told when it is done, that there is more to read.
        done: Option<oneshot::Sender<Joined>>,
    },
    /// The subscriber's rights are different now.
    Recast {
        subscription: Arc<Subscription>,
        caller: Caller,
    },
    /// Collections may have changed.
    Refresh,
    /// Tells with how many others subscriptions share a group, itself among them.
    Count {
        subscriptions: Vec<Arc<Subscription>>,
        reply: oneshot::Sender<Vec<(SubscriptionId, usize)>>,
    },
    /// Connections that have heard nothing for a while are told how far the log is.
    Checkpoint(Vec<Arc<Outlet>>),
}
