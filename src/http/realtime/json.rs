//! The JSON of the published protocol, shared by its two transports.
//!
//! Clients of it tell frames apart by `type`. They take a frame of an unknown `type` for an event,
//! and must never see `connecting`, `connected`, `disconnected`, `error`, `auth_error` or `message`
//! there; errors have no `type` at all.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::db::canonical_time;
use crate::realtime::{About, Crossing, Event, Notice, Operation, Operations};

#[derive(Serialize)]
struct EventFrame<'a> {
    #[serde(rename = "type")]
    kind: String,
    timestamp: String,
    collection: &'a str,
    operation: &'a str,
    id: &'a str,
    cursor: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    change: Option<&'a str>,
    data: &'a RawValue,
    #[serde(skip_serializing_if = "Option::is_none")]
    old: Option<&'a RawValue>,
}

/// An event.
pub(super) fn event(event: &Event<'_>) -> String {
    let raw = |text| serde_json::from_str::<&RawValue>(text).unwrap_or(RawValue::NULL);
    let frame = EventFrame {
        kind: format!("{}.{}", event.collection, event.operation.name()),
        timestamp: canonical_time(event.at),
        collection: event.collection,
        operation: event.operation.name(),
        id: event.id,
        cursor: event.cursor.to_string(),
        change: event.crossing.map(Crossing::name),
        data: raw(event.data),
        old: event.old.map(raw),
    };
    serde_json::to_string(&frame).unwrap_or_default()
}

/// A frame of a subscription, in which its reference is named; the frame itself is shared with
/// others.
pub(super) fn tagged(frame: &[u8], reference: &str) -> Vec<u8> {
    let rest = frame.strip_prefix(b"{").unwrap_or_default();
    [b"{\"ref\":", reference.as_bytes(), b",", rest].concat()
}

/// A notice.
pub(super) fn notice(notice: &Notice<'_>, about: Option<About<'_>>) -> Value {
    let (kind, cursor) = match notice {
        Notice::Replayed { cursor, .. } => ("replayed", cursor),
        Notice::Live { cursor } => ("live", cursor),
        Notice::Checkpoint { cursor } => ("checkpoint", cursor),
        Notice::Resync { cursor, .. } => ("resync", cursor),
        Notice::Ended { error } => return ended(error, about),
    };
    let mut frame = json!({"type": kind, "cursor": cursor.to_string()});
    match notice {
        Notice::Replayed { count, .. } => frame["count"] = (*count).into(),
        Notice::Resync { reason, .. } => frame["reason"] = reason.name().into(),
        Notice::Live { .. } | Notice::Checkpoint { .. } | Notice::Ended { .. } => {}
    }
    if let Some(about) = about {
        frame["collection"] = about.collection.into();
        name(&mut frame, about.tag);
    }
    frame
}

/// A subscription that cannot go on has ended: an error, which says so.
fn ended(message: &str, about: Option<About<'_>>) -> Value {
    let mut frame = error(
        message,
        "invalid_filter",
        about.map(|about| about.collection),
    );
    frame["status"] = "unsubscribed".into();
    name(&mut frame, about.and_then(|about| about.tag));
    frame
}

/// Some of the records that a snapshot shows.
pub(super) fn snapshot(
    collection: &str,
    reference: Option<&str>,
    items: &[String],
    more: Option<bool>,
) -> String {
    let mut frame = json!({"type": "snapshot", "collection": collection});
    name(&mut frame, reference);
    if let Some(more) = more {
        frame["has_more"] = more.into();
    }
    let head = frame.to_string();
    format!(
        "{},\"items\":[{}]}}",
        head.trim_end_matches('}'),
        items.join(",")
    )
}

/// Names a subscription by the reference that its client gave it, in JSON.
pub(super) fn name(frame: &mut Value, reference: Option<&str>) {
    if let Some(reference) = reference.and_then(|reference| serde_json::from_str(reference).ok()) {
        frame["ref"] = reference;
    }
}

/// A subscription stands.
pub(super) fn subscribed(collection: &str, operations: Operations, at: DateTime<Utc>) -> Value {
    let operations: Vec<&str> = operations.iter().map(Operation::name).collect();
    json!({
        "type": "subscribed",
        "status": "subscribed",
        "collection": collection,
        "operations": operations,
        "timestamp": canonical_time(at),
    })
}

/// The connection goes on with another credential.
pub(super) fn authenticated(expires_at: Option<DateTime<Utc>>, at: DateTime<Utc>) -> Value {
    json!({
        "type": "authenticated",
        "status": "authenticated",
        "expires_at": expires_at.map(canonical_time),
        "timestamp": canonical_time(at),
    })
}

/// A subscription has ended.
pub(super) fn unsubscribed(collection: Option<&str>, at: DateTime<Utc>) -> Value {
    json!({
        "type": "unsubscribed",
        "status": "unsubscribed",
        "collection": collection,
        "timestamp": canonical_time(at),
    })
}

/// The answer to a ping.
pub(super) fn pong(at: DateTime<Utc>) -> Value {
    json!({"type": "pong", "timestamp": canonical_time(at)})
}

/// What was asked for was not done.
pub(super) fn error(message: &str, code: &str, collection: Option<&str>) -> Value {
    let mut frame = json!({"error": message, "code": code});
    if let Some(collection) = collection {
        frame["collection"] = collection.into();
    }
    frame
}
