//! The interface between the hub and a wire protocol: what subscribers are told, before a protocol
//! has encoded it.

use bytes::Bytes;
use chrono::{DateTime, Utc};

use crate::access::{Placement, replace_reference};
use crate::changes::Cursor;
use crate::id::CollectionId;

/// The effect of a change on a record, as a subscriber sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EventOperation {
    /// The record exists now.
    Create,
    /// The record changed.
    Update,
    /// The record is gone.
    Delete,
}

impl EventOperation {
    /// Every operation.
    pub const ALL: [Self; 3] = [Self::Create, Self::Update, Self::Delete];

    /// The name in messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }

    /// The operation of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|operation| operation.name() == name)
    }
}

/// An update that changed whether a subscriber sees the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum VisibilityChange {
    /// The record became visible.
    Entered,
    /// The record ceased to be visible.
    Left,
}

impl VisibilityChange {
    /// The name in messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Entered => "entered",
            Self::Left => "left",
        }
    }
}

/// One event, ready to be encoded.
#[derive(Debug)]
pub struct RecordEvent<'a> {
    /// The collection's name.
    pub collection: &'a str,
    /// The collection's id.
    pub collection_id: CollectionId,
    /// The operation, as far as the subscriber can tell.
    pub operation: EventOperation,
    /// Set if the record entered or left the set that the subscriber sees.
    pub visibility_change: Option<VisibilityChange>,
    /// The record's id.
    pub id: &'a str,
    /// The time of the write.
    pub at: DateTime<Utc>,
    /// The place of the change in the change log.
    pub cursor: &'a Cursor,
    /// A JSON object: the record as the subscriber may see it, or just its id when it is gone.
    pub data: &'a str,
    /// The same of the record before, if the subscriber asked for it and saw it.
    pub old: Option<&'a str>,
}

/// The reason for which a client must forget what it holds and fetch it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResyncReason {
    /// The history does not reach back to the client's cursor.
    Expired,
    /// The cursor belongs to another database, or to a future that this one did not have.
    Epoch,
    /// The collection's rules have changed.
    Rules,
    /// The collection's fields have changed, or it was created or dropped.
    Schema,
    /// The subscriber's rights have changed.
    Access,
}

impl ResyncReason {
    /// The name in messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::Epoch => "epoch",
            Self::Rules => "rules",
            Self::Schema => "schema",
            Self::Access => "access",
        }
    }
}

/// A frame that carries no event. A subscriber gets it only if it has said that it understands it.
#[derive(Clone, Copy, Debug)]
pub enum ControlFrame<'a> {
    /// All missed events have been sent; the events that follow are live.
    Replayed {
        /// The number of events that were missed.
        count: u64,
        /// The position up to which the client knows everything.
        cursor: &'a Cursor,
    },
    /// The snapshot is complete; the events that follow are live.
    Live {
        /// The position up to which the client knows everything.
        cursor: &'a Cursor,
    },
    /// Nothing that concerns this client happened up to a position.
    Checkpoint {
        /// The position up to which the client knows everything. It is never below a position that
        /// the connection was told of before.
        cursor: &'a Cursor,
    },
    /// The client's copy of the records may be wrong.
    Resync {
        /// The cause.
        reason: ResyncReason,
        /// Events after this position follow.
        cursor: &'a Cursor,
    },
    /// The subscription has ended, because its filter no longer fits the collection or the
    /// subscriber's rights.
    Ended {
        /// The problem with the filter.
        error: &'a str,
    },
}

impl ControlFrame<'_> {
    /// The position of which the frame tells, if it tells of one.
    pub fn cursor(&self) -> Option<&Cursor> {
        match self {
            Self::Replayed { cursor, .. }
            | Self::Live { cursor }
            | Self::Checkpoint { cursor }
            | Self::Resync { cursor, .. } => Some(cursor),
            Self::Ended { .. } => None,
        }
    }
}

/// The subscription that a control frame is about.
#[derive(Clone, Copy, Debug)]
pub struct FrameSubject<'a> {
    /// The collection's name.
    pub collection: &'a str,
    /// The subscription's tag.
    pub tag: Option<&'a str>,
}

/// A wire protocol. Event frames are encoded once and shared by all subscribers of the protocol
/// that see the same.
pub trait Protocol: Send + Sync + 'static {
    /// A unique name, which administrators see.
    fn name(&self) -> &'static str;

    /// Encodes an event.
    fn event_frame(&self, event: &RecordEvent<'_>) -> Bytes;

    /// Encodes the frame that shows that the connection is alive.
    fn heartbeat_frame(&self, at: DateTime<Utc>) -> Bytes;

    /// Adds the tag of one subscription to an event frame, which is shared without it.
    fn tag_frame(&self, frame: &Bytes, _tag: &str) -> Bytes {
        frame.clone()
    }

    /// The function that puts expanded records into the record that refers to them.
    fn placement(&self) -> Placement {
        replace_reference
    }

    /// Returns `true` if clients that do not know checkpoints ignore them, so that every connection
    /// may get them.
    fn has_silent_checkpoints(&self) -> bool {
        false
    }

    /// Encodes a control frame for one subscription, or for the whole connection if `subject` is
    /// `None`. Returns `None` if the protocol has no such frame.
    fn control_frame(
        &self,
        _frame: &ControlFrame<'_>,
        _subject: Option<FrameSubject<'_>>,
    ) -> Option<Bytes> {
        None
    }
}
