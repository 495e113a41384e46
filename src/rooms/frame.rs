//! The frames of rooms.

use std::sync::Arc;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::clock;

/// A member as others see it.
#[derive(Clone, Debug, Serialize)]
pub(super) struct MemberFrame<'a> {
    pub conn: &'a str,
    pub user: &'a str,
    pub meta: &'a RawValue,
    #[serde(serialize_with = "clock::serialize")]
    pub since: DateTime<Utc>,
}

/// A member that has gone.
#[derive(Clone, Debug, Serialize)]
pub(super) struct DepartedMember<'a> {
    pub conn: &'a str,
    pub user: &'a str,
}

#[derive(Serialize)]
pub(super) struct StateFrame<'a> {
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub room: &'a str,
    /// The receiver's own `conn`.
    #[serde(rename = "self")]
    pub own: &'a str,
    pub members: Vec<MemberFrame<'a>>,
    pub messages: Vec<&'a RawValue>,
    #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
    pub reference: Option<&'a Value>,
}

#[derive(Serialize)]
pub(super) struct DiffFrame<'a> {
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub room: &'a str,
    pub joins: Vec<MemberFrame<'a>>,
    pub leaves: Vec<DepartedMember<'a>>,
    pub updates: Vec<MemberFrame<'a>>,
}

/// A message that was published.
#[derive(Debug, Serialize)]
pub(super) struct MessageFrame<'a> {
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub room: &'a str,
    pub event: &'a str,
    pub data: &'a RawValue,
    /// The member it came from; null if it was published over HTTP or by the server.
    pub from: Option<&'a str>,
    /// The user who published it; null for the server itself.
    pub user: Option<&'a str>,
    #[serde(serialize_with = "clock::serialize")]
    pub timestamp: DateTime<Utc>,
}

/// Encodes a frame. It consists of texts and JSON, which can always be encoded.
pub(super) fn encode(frame: &impl Serialize) -> Bytes {
    serde_json::to_vec(frame).unwrap_or_default().into()
}

/// The acknowledgement of a command.
pub(super) fn ack(reference: &Value) -> Bytes {
    encode(&json!({"type": "ack", "ref": reference}))
}

/// The notice that the connection was removed from a room.
pub(super) fn left(room: &Arc<str>, reason: &str) -> Bytes {
    encode(&json!({"type": "room.left", "room": room, "reason": reason}))
}

/// The notice that messages were dropped because the reader was too slow.
pub(super) fn lost(room: &Arc<str>, count: u64) -> Bytes {
    encode(&json!({"type": "room.lost", "room": room, "count": count}))
}
