//! Subscriptions: what a connection asks for, and what the hub keeps of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use bytes::Bytes;

use super::connection::snapshot_budget::SnapshotReservation;
use super::protocol::{ControlFrame, EventOperation, FrameSubject, Protocol, VisibilityChange};
use crate::access::{ExpandPaths, ExpandPlan, FieldView};
use crate::auth::Caller;
use crate::changes::{Change, Cursor};
use crate::id::AccountId;
use crate::schema::{self, Catalog};

/// The operations that a subscriber asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OperationSet(u8);

impl OperationSet {
    /// All operations.
    pub const ALL: Self = Self(0b111);
    /// No operation.
    pub(in crate::realtime) const NONE: Self = Self(0);

    /// The operations with these names; unknown names are ignored. An empty list means all
    /// operations.
    pub fn named<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let mut names = names.into_iter().peekable();
        if names.peek().is_none() {
            return Self::ALL;
        }
        Self(
            names
                .filter_map(EventOperation::parse)
                .fold(0, |set, operation| set | Self::bit(operation)),
        )
    }

    /// The operations with these names; an empty list means all operations.
    ///
    /// # Errors
    ///
    /// A message for the client if a name is unknown.
    pub fn parse<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, String> {
        let names: Vec<&str> = names.into_iter().collect();
        match names
            .iter()
            .find(|name| EventOperation::parse(name).is_none())
        {
            Some(name) => Err(Self::unknown(name)),
            None => Ok(Self::named(names)),
        }
    }

    /// The message about an unknown operation name.
    pub fn unknown(name: &str) -> String {
        format!("Unknown operation '{name}'; expected create, update or delete")
    }

    /// The operations in both sets.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// The operations in either set.
    #[must_use]
    pub(in crate::realtime) fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Returns `true` if the set has the operation.
    pub fn contains(self, operation: EventOperation) -> bool {
        self.0 & Self::bit(operation) != 0
    }

    /// The operations in the set.
    pub fn iter(self) -> impl Iterator<Item = EventOperation> {
        EventOperation::ALL
            .into_iter()
            .filter(move |operation| self.contains(*operation))
    }

    /// Returns `true` if a subscriber gets an event. One about a record that enters or leaves is
    /// for subscribers that asked for updates, and for those that keep the set of records.
    pub fn want(
        self,
        operation: EventOperation,
        visibility_change: Option<VisibilityChange>,
    ) -> bool {
        match visibility_change {
            None => self.contains(operation),
            Some(VisibilityChange::Entered) => {
                self.contains(EventOperation::Update) || self.contains(EventOperation::Create)
            }
            Some(VisibilityChange::Left) => {
                self.contains(EventOperation::Update) || self.contains(EventOperation::Delete)
            }
        }
    }

    fn bit(operation: EventOperation) -> u8 {
        1 << operation as u8
    }
}

/// The subject of a subscription.
///
/// A new kind of subject is a variant here and a kind of topic in `live/topics.rs`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Topic {
    /// The records of the collection with this name, which need not exist yet.
    Collection(Arc<str>),
}

impl Topic {
    /// The name of the collection.
    pub fn collection(&self) -> &str {
        let Self::Collection(name) = self;
        name
    }
}

/// The accounts whose records a subscription is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AccountScope {
    /// One account.
    Account(AccountId),
    /// Every account; for superadmins.
    Everything,
}

impl AccountScope {
    /// Returns `true` if a change is about a record in the scope.
    pub(in crate::realtime) fn holds(self, change: &Change) -> bool {
        match self {
            Self::Everything => true,
            Self::Account(account) => change.account_id == Some(account),
        }
    }

    /// The account, unless the scope has all of them.
    pub fn account(self) -> Option<AccountId> {
        match self {
            Self::Everything => None,
            Self::Account(account) => Some(account),
        }
    }
}

/// The records of a collection that a subscription shows, and the parts of them. The default shows
/// everything that the collection's list shows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct RecordSelection {
    /// One record; then the collection's view rule and the fields of its views decide instead of
    /// the list's.
    pub record: Option<Box<str>>,
    /// A condition in the language of list filters.
    pub filter: Option<Box<str>>,
    /// The fields to show in addition to the system fields; `None` for all.
    pub fields: Option<Box<[String]>>,
    /// References to replace by the records to which they lead.
    pub expand: Option<ExpandPaths>,
    /// `true` if updates and deletes show the previous values.
    pub old: bool,
}

impl RecordSelection {
    /// The operation whose rule and field list decide.
    pub fn operation(&self) -> schema::Operation {
        if self.record.is_some() {
            schema::Operation::View
        } else {
            schema::Operation::List
        }
    }

    /// The references to expand in records that are seen through a field view.
    pub(in crate::realtime) fn expand_plan(
        &self,
        catalog: &Catalog,
        caller: &Caller,
        view: &FieldView,
    ) -> Option<ExpandPlan> {
        let is_selected = |name: &str| {
            self.fields
                .as_ref()
                .is_none_or(|fields| fields.iter().any(|field| field == name))
        };
        ExpandPlan::new(catalog, caller, view, self.expand.as_ref()?, is_selected)
    }
}

/// The point in the change log at which a subscription starts.
#[derive(Debug, Default)]
pub enum StartAt {
    /// With the next commit.
    #[default]
    Now,
    /// After a cursor; the missed events come first.
    After(Cursor),
    /// With records that were read already, followed by all changes that they do not show.
    Snapshot(SnapshotStart),
}

/// Records as they were at one moment, encoded.
#[derive(Debug, Default)]
pub struct SnapshotStart {
    /// The frames to send first.
    pub frames: Vec<Bytes>,
    /// A position in the change log up to which the records show every change.
    pub after: i64,
    /// Later positions whose changes the records show as well.
    pub shown: Vec<i64>,
    /// The collections as they were before the records were read.
    pub catalog: Option<Arc<Catalog>>,
    /// The rights with which the records were read.
    pub caller: Option<Caller>,
    /// Counts the bytes of the frames until they have been sent.
    pub reservation: Option<SnapshotReservation>,
}

/// A request for a subscription.
#[derive(Debug)]
pub struct Subscribe {
    /// The name of the subscription in its connection; it replaces another one of that name.
    pub name: Arc<str>,
    /// The subject.
    pub topic: Topic,
    /// The operations to be told of.
    pub operations: OperationSet,
    /// The accounts whose records are meant.
    pub scope: AccountScope,
    /// The records, and the parts of them.
    pub selection: Arc<RecordSelection>,
    /// A tag for every frame of this subscription, see [`Protocol::tag_frame`].
    pub tag: Option<Box<str>>,
    /// `true` if the client knows [control frames](ControlFrame).
    pub knows_control_frames: bool,
    /// The place to start at.
    pub start: StartAt,
    /// The frame to send once the subscription exists, ahead of its first event.
    pub ack: Option<Bytes>,
}

impl Subscribe {
    /// A subscription to all records of a collection, from now on.
    pub fn to(collection: &str, operations: OperationSet, scope: AccountScope) -> Self {
        Self {
            name: collection.into(),
            topic: Topic::Collection(collection.into()),
            operations,
            scope,
            selection: Arc::default(),
            tag: None,
            knows_control_frames: false,
            start: StartAt::Now,
            ack: None,
        }
    }
}

/// Identifies a subscription in this process.
pub(in crate::realtime) type SubscriptionId = u64;

/// A subscription that a connection holds.
#[derive(Debug)]
pub(in crate::realtime) struct Subscription {
    pub(in crate::realtime) id: SubscriptionId,
    pub(in crate::realtime) topic: Topic,
    pub(in crate::realtime) scope: AccountScope,
    pub(in crate::realtime) operations: OperationSet,
    pub(in crate::realtime) selection: Arc<RecordSelection>,
    pub(in crate::realtime) tag: Option<Box<str>>,
    pub(in crate::realtime) knows_control_frames: bool,
    /// The position up to which the client knows everything, so that earlier entries are not for
    /// it. The greatest position until its shard delivers events to it.
    live_after: AtomicI64,
}

impl Subscription {
    pub(in crate::realtime) fn new(id: SubscriptionId, request: &Subscribe) -> Self {
        Self {
            id,
            topic: request.topic.clone(),
            scope: request.scope,
            operations: request.operations,
            selection: request.selection.clone(),
            tag: request.tag.clone(),
            knows_control_frames: request.knows_control_frames,
            live_after: AtomicI64::new(i64::MAX),
        }
    }

    pub(in crate::realtime) fn live_after(&self) -> i64 {
        self.live_after.load(Ordering::Acquire)
    }

    pub(in crate::realtime) fn is_live(&self) -> bool {
        self.live_after() != i64::MAX
    }

    /// Marks the subscription as live: the client knows everything up to the position `known`.
    pub(in crate::realtime) fn go_live(&self, known: i64) {
        self.live_after.store(known, Ordering::Release);
    }

    /// Encodes a control frame of this subscription, if its client knows them.
    pub(in crate::realtime) fn control_frame(
        &self,
        protocol: &dyn Protocol,
        frame: &ControlFrame<'_>,
    ) -> Option<Bytes> {
        if !self.knows_control_frames {
            return None;
        }
        let subject = FrameSubject {
            collection: self.topic.collection(),
            tag: self.tag.as_deref(),
        };
        protocol.control_frame(frame, Some(subject))
    }
}
