//! The messages of a client over WebSocket: JSON in, a command out. Nothing here depends on
//! anything but the text.

#[cfg(test)]
mod tests;

use serde_json::{Map, Value};

use super::request::{
    DEFAULT_SNAPSHOT_RECORDS, MAX_SNAPSHOT_RECORDS, SnapshotRequest, SubscribeRequest,
    canonical_fields, canonical_record_id,
};
use crate::access::ExpandPaths;
use crate::changes::Cursor;
use crate::http::realtime::parameters::shorten;
use crate::realtime::{EventOperation, OperationSet, RecordSelection};

/// The longest name of a collection, record or reference, in bytes.
const MAX_NAME_BYTES: usize = 255;
/// The longest sort order, in bytes.
const MAX_SORT_BYTES: usize = 8 * MAX_NAME_BYTES;

/// A command.
#[derive(Debug)]
pub enum ClientMessage {
    /// Asks for an answer.
    Ping,
    /// Asks for a subscription.
    Subscribe(Box<SubscribeRequest>),
    /// Ends a subscription.
    Unsubscribe {
        /// The collection, if it is named.
        collection: Option<String>,
        /// The subscription's reference, if it has one, in JSON.
        reference: Option<String>,
    },
    /// Goes on with this access token.
    Authenticate(String),
}

/// The reason for which a message was not understood.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProtocolError {
    /// The problem, for people.
    pub message: String,
    /// The problem, for programs.
    pub code: &'static str,
    /// The collection that the message names.
    pub collection: Option<String>,
    /// The reference that the message gives, in JSON.
    pub reference: Option<String>,
}

/// The keys of a subscription in the published protocol, and the one for superadmins.
const PUBLISHED_KEYS: [&str; 5] = ["action", "type", "collection", "operations", "account"];
/// The keys that only clients use that know more than the published protocol.
const EXTENDED_KEYS: [&str; 10] = [
    "ref", "record", "filter", "fields", "expand", "since", "snapshot", "sort", "limit", "old",
];

/// The name of a message's command.
pub fn action(message: &Map<String, Value>) -> &str {
    message
        .get("action")
        .or_else(|| message.get("type"))
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// Reads a message.
///
/// # Errors
///
/// See [`ProtocolError`].
pub fn parse(message: &Map<String, Value>) -> Result<ClientMessage, ProtocolError> {
    let read = match action(message) {
        "ping" => return Ok(ClientMessage::Ping),
        "subscribe" => {
            subscribe(message).map(|request| ClientMessage::Subscribe(Box::new(request)))
        }
        "unsubscribe" => unsubscribe(message),
        "auth" => match text(message, "token", usize::MAX) {
            Ok(Some(token)) if !token.is_empty() => Ok(ClientMessage::Authenticate(token)),
            Ok(_) => Err(protocol_error("Missing token", "missing_token")),
            Err(error) => Err(error),
        },
        _ => Err(protocol_error("Unknown action", "unknown_action")),
    };
    read.map_err(|error| ProtocolError {
        collection: collection(message).ok(),
        reference: reference(message).ok().flatten(),
        ..error
    })
}

fn subscribe(message: &Map<String, Value>) -> Result<SubscribeRequest, ProtocolError> {
    let is_known = |key: &&String| {
        PUBLISHED_KEYS.contains(&key.as_str()) || EXTENDED_KEYS.contains(&key.as_str())
    };
    if let Some(key) = message.keys().find(|key| !is_known(key)) {
        return Err(protocol_error(
            &format!("Unknown key '{}'", shorten(key)),
            "invalid_message",
        ));
    }
    let collection = collection(message)?;
    let reference = reference(message)?;
    let is_extended = EXTENDED_KEYS
        .iter()
        .any(|key| message.get(*key).is_some_and(|value| !value.is_null()));
    let (operations, warning) = operations(message.get("operations"));
    if let Some(warning) = warning.as_deref().filter(|_| is_extended) {
        return Err(protocol_error(warning, "invalid_message"));
    }
    let snapshot = if flag(message, "snapshot")? {
        let limit = match message.get("limit").filter(|limit| !limit.is_null()) {
            None => DEFAULT_SNAPSHOT_RECORDS,
            Some(limit) => limit
                .as_i64()
                .filter(|limit| (1..=MAX_SNAPSHOT_RECORDS).contains(limit))
                .ok_or_else(|| {
                    let message =
                        format!("'limit' must be a whole number from 1 to {MAX_SNAPSHOT_RECORDS}");
                    ProtocolError {
                        message,
                        code: "invalid_message",
                        ..ProtocolError::default()
                    }
                })?,
        };
        Some(SnapshotRequest {
            sort: text(message, "sort", MAX_SORT_BYTES)?,
            limit,
        })
    } else {
        None
    };
    let since =
        text(message, "since", MAX_NAME_BYTES)?.map(|cursor| Cursor::parse_or_foreign(&cursor));
    if since.is_some() && snapshot.is_some() {
        return Err(protocol_error(
            "Use 'since' or 'snapshot', not both",
            "invalid_message",
        ));
    }
    let selection = RecordSelection {
        record: record(message)?,
        filter: text(message, "filter", usize::MAX)?
            .filter(|filter| !filter.trim().is_empty())
            .map(Into::into),
        fields: names(message, "fields")?
            .as_deref()
            .and_then(canonical_fields),
        expand: expand(message)?,
        old: flag(message, "old")?,
    };
    Ok(SubscribeRequest {
        collection,
        operations,
        account: text(message, "account", MAX_NAME_BYTES)?,
        reference,
        selection,
        since,
        snapshot,
        is_extended,
        warning,
    })
}

fn unsubscribe(message: &Map<String, Value>) -> Result<ClientMessage, ProtocolError> {
    let reference = reference(message)?;
    let collection = match collection(message) {
        Ok(collection) => Some(collection),
        Err(error) if reference.is_none() => return Err(error),
        Err(_) => None,
    };
    Ok(ClientMessage::Unsubscribe {
        collection,
        reference,
    })
}

fn protocol_error(message: &str, code: &'static str) -> ProtocolError {
    ProtocolError {
        message: message.to_owned(),
        code,
        ..ProtocolError::default()
    }
}

fn collection(message: &Map<String, Value>) -> Result<String, ProtocolError> {
    match message.get("collection").and_then(Value::as_str) {
        None | Some("") => Err(protocol_error("Missing collection", "missing_collection")),
        Some(name) if name.len() > MAX_NAME_BYTES => Err(protocol_error(
            "Collection name too long",
            "invalid_collection",
        )),
        Some(name) => Ok(name.to_owned()),
    }
}

/// The client's reference to a subscription: text or a whole number, kept as it was written.
fn reference(message: &Map<String, Value>) -> Result<Option<String>, ProtocolError> {
    match message.get("ref") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.len() <= MAX_NAME_BYTES => {
            Ok(Some(Value::from(text.as_str()).to_string()))
        }
        Some(Value::Number(number)) if number.is_i64() || number.is_u64() => {
            Ok(Some(number.to_string()))
        }
        Some(_) => Err(protocol_error(
            "'ref' must be a short text or a whole number",
            "invalid_message",
        )),
    }
}

fn text(
    message: &Map<String, Value>,
    key: &str,
    max_bytes: usize,
) -> Result<Option<String>, ProtocolError> {
    let wrong = |problem: &str| ProtocolError {
        message: format!("'{key}' {problem}"),
        code: "invalid_message",
        ..ProtocolError::default()
    };
    match message.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.len() > max_bytes => Err(wrong("is too long")),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(wrong("must be text")),
    }
}

fn flag(message: &Map<String, Value>, key: &str) -> Result<bool, ProtocolError> {
    match message.get(key) {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(flag)) => Ok(*flag),
        Some(_) => Err(ProtocolError {
            message: format!("'{key}' must be true or false"),
            code: "invalid_message",
            ..ProtocolError::default()
        }),
    }
}

/// Names with commas between them, also of a list.
fn names(message: &Map<String, Value>, key: &str) -> Result<Option<String>, ProtocolError> {
    let wrong = || {
        protocol_error(
            &format!("'{key}' must be a list of names"),
            "invalid_message",
        )
    };
    match message.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(list)) => Ok(Some(list.clone())),
        Some(Value::Array(names)) => {
            let names: Option<Vec<&str>> = names.iter().map(Value::as_str).collect();
            Ok(Some(names.ok_or_else(wrong)?.join(",")))
        }
        Some(_) => Err(wrong()),
    }
}

/// References to expand.
fn expand(message: &Map<String, Value>) -> Result<Option<ExpandPaths>, ProtocolError> {
    let Some(list) = names(message, "expand")? else {
        return Ok(None);
    };
    ExpandPaths::parse(&list).map_err(|error| protocol_error(&error.to_string(), "invalid_message"))
}

/// The id of a record.
fn record(message: &Map<String, Value>) -> Result<Option<Box<str>>, ProtocolError> {
    let Some(text) = text(message, "record", MAX_NAME_BYTES)?.filter(|record| !record.is_empty())
    else {
        return Ok(None);
    };
    canonical_record_id(&text)
        .map(Some)
        .ok_or_else(|| protocol_error("'record' must be the id of a record", "not_found"))
}

/// The operations of a request: a list of names or one name; `None` means all of them. The other
/// value is a warning about unknown names, since the published protocol acknowledges anything.
fn operations(asked: Option<&Value>) -> (Option<OperationSet>, Option<String>) {
    let names: Vec<&str> = match asked {
        Some(Value::Array(names)) => names
            .iter()
            .map(|name| name.as_str().unwrap_or_default())
            .collect(),
        Some(Value::String(name)) if !name.is_empty() => vec![name],
        None | Some(Value::Null | Value::String(_)) => return (None, None),
        Some(_) => {
            return (
                None,
                Some("'operations' must be a list of names".to_owned()),
            );
        }
    };
    let unknown = names
        .iter()
        .find(|name| EventOperation::parse(name).is_none());
    let warning = unknown.map(|name| OperationSet::unknown(&shorten(name)));
    (Some(OperationSet::named(names)), warning)
}
