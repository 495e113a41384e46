//! The JSON of the published protocol, shared by its two transports.
//!
//! Clients of it tell frames apart by `type`. They take a frame of an unknown `type` for an event, and must never see
//! `connecting`, `connected`, `disconnected`, `error`, `auth_error` or `message` there; errors have no `type` at all.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::db::canonical_time;
use crate::realtime::{Crossing, Event, Operation, Operations};

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
}

/// An event.
pub(super) fn event(event: &Event<'_>) -> String {
    let frame = |data| EventFrame {
        kind: format!("{}.{}", event.collection, event.operation.name()),
        timestamp: canonical_time(event.at),
        collection: event.collection,
        operation: event.operation.name(),
        id: event.id,
        cursor: event.cursor.to_string(),
        change: event.crossing.map(Crossing::name),
        data,
    };
    let data = serde_json::from_str::<&RawValue>(event.data).unwrap_or(RawValue::NULL);
    serde_json::to_string(&frame(data)).unwrap_or_default()
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

/// A subscription has ended.
pub(super) fn unsubscribed(collection: &str, at: DateTime<Utc>) -> Value {
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
