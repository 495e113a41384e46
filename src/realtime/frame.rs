//! What is told to subscribers, before a protocol has given it a shape.

use bytes::Bytes;
use chrono::{DateTime, Utc};

use crate::changes::Cursor;

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
        Self::ALL.into_iter().find(|operation| operation.name() == name)
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
}

/// A protocol: how events look on the wire. Frames are encoded once and shared by every subscriber of the dialect that
/// sees the same.
pub trait Dialect: Send + Sync + 'static {
    /// A name of its own.
    fn name(&self) -> &'static str;

    /// An event's frame.
    fn event(&self, event: &Event<'_>) -> Bytes;

    /// The frame that says that the connection lives.
    fn heartbeat(&self, at: DateTime<Utc>) -> Bytes;
}
