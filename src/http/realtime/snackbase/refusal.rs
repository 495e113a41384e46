//! The frames that tell a client why a command was refused.

use serde_json::Value;

use super::json;
use crate::error::Error;

/// The frame for an error, about a collection and a subscription's reference if the command named
/// them.
pub(super) fn refusal_frame(
    error: &Error,
    collection: Option<&str>,
    reference: Option<&str>,
) -> Value {
    let (message, code) = match error {
        Error::Forbidden(message) => (message.as_str(), "forbidden"),
        Error::Unauthenticated(message) => (message.as_str(), "unauthenticated"),
        Error::NotFound(message) => (message.as_str(), "not_found"),
        Error::Aborted { message, .. } => (message.as_str(), "aborted"),
        Error::Refused { label, message } if label.contains("filter") => {
            (message.as_str(), "invalid_filter")
        }
        Error::Refused { message, .. } => (message.as_str(), "invalid_message"),
        Error::RateLimited { .. } => ("Other snapshots are still being sent", "rate_limited"),
        error => {
            tracing::warn!(%error, "a realtime command failed");
            ("This cannot be done now", "unavailable")
        }
    };
    let mut frame = json::error(message, code, collection);
    json::set_reference(&mut frame, reference);
    frame
}

/// The frame for a client that sends too many messages.
pub(super) fn rate_limit_frame() -> Value {
    json::error("Too many messages", "rate_limited", None)
}
