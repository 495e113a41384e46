//! The JSON of the published protocol, shared by its two transports.
//!
//! Clients of it tell frames apart by `type`. They take a frame of an unknown `type` for an event,
//! and must never see `connecting`, `connected`, `disconnected`, `error`, `auth_error` or `message`
//! there. Errors have no `type`.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::db::canonical_time;
use crate::realtime::{
    ControlFrame, EventOperation, FrameSubject, OperationSet, RecordEvent, VisibilityChange,
};

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
pub(super) fn event(event: &RecordEvent<'_>) -> String {
    let raw = |text| serde_json::from_str::<&RawValue>(text).unwrap_or(RawValue::NULL);
    let frame = EventFrame {
        kind: format!("{}.{}", event.collection, event.operation.name()),
        timestamp: canonical_time(event.at),
        collection: event.collection,
        operation: event.operation.name(),
        id: event.id,
        cursor: event.cursor.to_string(),
        change: event.visibility_change.map(VisibilityChange::name),
        data: raw(event.data),
        old: event.old.map(raw),
    };
    serde_json::to_string(&frame).unwrap_or_default()
}

/// A frame of a subscription with its reference; the frame without it is shared with others.
pub(super) fn tagged(frame: &[u8], reference: &str) -> Vec<u8> {
    let rest = frame.strip_prefix(b"{").unwrap_or_default();
    [b"{\"ref\":", reference.as_bytes(), b",", rest].concat()
}

/// A control frame.
pub(super) fn control_frame(
    control: &ControlFrame<'_>,
    subject: Option<FrameSubject<'_>>,
) -> Value {
    let (kind, cursor) = match control {
        ControlFrame::Replayed { cursor, .. } => ("replayed", cursor),
        ControlFrame::Live { cursor } => ("live", cursor),
        ControlFrame::Checkpoint { cursor } => ("checkpoint", cursor),
        ControlFrame::Resync { cursor, .. } => ("resync", cursor),
        ControlFrame::Ended { error } => return ended(error, subject),
    };
    let mut frame = json!({"type": kind, "cursor": cursor.to_string()});
    match control {
        ControlFrame::Replayed { count, .. } => frame["count"] = (*count).into(),
        ControlFrame::Resync { reason, .. } => frame["reason"] = reason.name().into(),
        ControlFrame::Live { .. }
        | ControlFrame::Checkpoint { .. }
        | ControlFrame::Ended { .. } => {}
    }
    if let Some(subject) = subject {
        frame["collection"] = subject.collection.into();
        set_reference(&mut frame, subject.tag);
    }
    frame
}

/// The error frame of a subscription that has ended because it cannot go on.
fn ended(message: &str, subject: Option<FrameSubject<'_>>) -> Value {
    let mut frame = error(
        message,
        "invalid_filter",
        subject.map(|subject| subject.collection),
    );
    frame["status"] = "unsubscribed".into();
    set_reference(&mut frame, subject.and_then(|subject| subject.tag));
    frame
}

/// A page of a snapshot.
pub(super) fn snapshot(
    collection: &str,
    reference: Option<&str>,
    items: &[String],
    has_more: Option<bool>,
) -> String {
    let mut frame = json!({"type": "snapshot", "collection": collection});
    set_reference(&mut frame, reference);
    if let Some(has_more) = has_more {
        frame["has_more"] = has_more.into();
    }
    let head = frame.to_string();
    format!(
        "{},\"items\":[{}]}}",
        head.trim_end_matches('}'),
        items.join(",")
    )
}

/// Adds the reference that the client gave a subscription, in JSON.
pub(super) fn set_reference(frame: &mut Value, reference: Option<&str>) {
    if let Some(reference) = reference.and_then(|reference| serde_json::from_str(reference).ok()) {
        frame["ref"] = reference;
    }
}

/// The acknowledgement of a subscription.
pub(super) fn subscribed(collection: &str, operations: OperationSet, at: DateTime<Utc>) -> Value {
    let operations: Vec<&str> = operations.iter().map(EventOperation::name).collect();
    json!({
        "type": "subscribed",
        "status": "subscribed",
        "collection": collection,
        "operations": operations,
        "timestamp": canonical_time(at),
    })
}

/// The acknowledgement of another credential.
pub(super) fn authenticated(expires_at: Option<DateTime<Utc>>, at: DateTime<Utc>) -> Value {
    json!({
        "type": "authenticated",
        "status": "authenticated",
        "expires_at": expires_at.map(canonical_time),
        "timestamp": canonical_time(at),
    })
}

/// The acknowledgement of the end of a subscription.
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

/// The refusal of a command.
pub(super) fn error(message: &str, code: &str, collection: Option<&str>) -> Value {
    let mut frame = json!({"error": message, "code": code});
    if let Some(collection) = collection {
        frame["collection"] = collection.into();
    }
    frame
}
