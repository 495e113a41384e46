//! What is told to subscribers, before a protocol has given it a shape.

use bytes::Bytes;
use chrono::{DateTime, Utc};

use crate::access::{Placement, replace_reference};
use crate::changes::Cursor;
use crate::id::CollectionId;

/// What happened to a record, as a subscriber sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// It is there now.
    Create,
    /// It changed.
    Update,
    /// It is gone.
    Delete,
}

impl Operation {
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

/// An update that moved a record across the border of what a subscriber sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Crossing {
    /// It became visible.
    Entered,
    /// It ceased to be visible.
    Left,
}

impl Crossing {
    /// The name in messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Entered => "entered",
            Self::Left => "left",
        }
    }
}

/// One event, ready to be given a shape.
#[derive(Debug)]
pub struct Event<'a> {
    /// The collection's name.
    pub collection: &'a str,
    /// The collection's id.
    pub collection_id: CollectionId,
    /// What happened, as far as the subscriber can tell.
    pub operation: Operation,
    /// Whether the record entered or left what the subscriber sees.
    pub crossing: Option<Crossing>,
    /// The record's id.
    pub id: &'a str,
    /// When it was written.
    pub at: DateTime<Utc>,
    /// Where it stands in the change log.
    pub cursor: &'a Cursor,
    /// A JSON object: the record as the subscriber may see it, or just its id when it is gone.
    pub data: &'a str,
    /// The same of the record before, if the subscriber asked for it and saw it.
    pub old: Option<&'a str>,
}
/// Why a client must forget what it holds and fetch it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resync {
    /// The history does not reach back to the client's cursor.
    Expired,
    /// The cursor belongs to another database, or to a future that this one did not have.
    Epoch,
    /// The collection's rules have changed.
    Rules,
    /// The collection's fields have changed, or it came or went.
    Schema,
    /// The subscriber's rights have changed.
    Access,
}

impl Resync {
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

/// What a subscriber is told besides events, if it has said that it understands.
#[derive(Clone, Copy, Debug)]
pub enum Notice<'a> {
    /// All that was missed has been sent; what follows is live.
    Replayed {
        /// How many events that were.
        count: u64,
        /// The position up to which everything is known now.
        cursor: &'a Cursor,
    },
    /// The snapshot is complete; what follows is live.
    Live {
        /// The position up to which everything is known now.
        cursor: &'a Cursor,
    },
    /// Nothing that concerns this client happened up to here.
    Checkpoint {
        /// The position up to which everything is known now.
        cursor: &'a Cursor,
    },
    /// What the client holds may be wrong.
    Resync {
        /// Why.
        reason: Resync,
        /// Events after this position follow.
        cursor: &'a Cursor,
    },
    /// The subscription has ended, because its filter does not fit the collection or the
    /// subscriber's rights any more.
    Ended {
        /// What is wrong with the filter.
        error: &'a str,
    },
}

/// The subscription that a notice is about.
#[derive(Clone, Copy, Debug)]
pub struct About<'a> {
    /// The collection's name.
    pub collection: &'a str,
    /// The subscription's tag.
    pub tag: Option<&'a str>,
}

/// A protocol: how events look on the wire. Frames are encoded once and shared by every subscriber
/// of the dialect that sees the same.
pub trait Dialect: Send + Sync + 'static {
    /// A name of its own: what people who run the server call it.
    fn name(&self) -> &'static str;

    /// An event's frame.
    fn event(&self, event: &Event<'_>) -> Bytes;

    /// The frame that says that the connection lives.
    fn heartbeat(&self, at: DateTime<Utc>) -> Bytes;

    /// An event's frame for one subscription, which the tag names. The frame without it is shared.
    fn tag(&self, frame: &Bytes, _tag: &str) -> Bytes {
        frame.clone()
    }

    /// Where records go to which an event's record refers.
    fn place(&self) -> Placement {
        replace_reference
    }

    /// Whether a client that knows nothing of checkpoints does not notice them, and so may always
    /// be sent them.
    fn has_silent_checkpoints(&self) -> bool {
        false
    }

    /// A notice's frame, `about` one subscription or the whole connection; `None` if the protocol
    /// has no words for it.
    fn notice(&self, _notice: &Notice<'_>, _about: Option<About<'_>>) -> Option<Bytes> {
        None
    }
}
