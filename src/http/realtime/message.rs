//! What a client says over WebSocket: text in, one of a few commands out. Nothing here depends on
//! anything but the text.

use serde_json::{Map, Value};

use super::shorten;
use crate::access::ExpandPaths;
use crate::changes::Cursor;
use crate::id::RecordId;
use crate::realtime::{Operation, Operations, Selection};
use crate::records::query::parse_fields;

/// The longest name of a collection, record or reference that is looked at, in bytes.
const MAX_NAME: usize = 255;
/// How many records a snapshot brings, if it is not said.
pub const SNAPSHOT_RECORDS: i64 = 100;
/// How many records a snapshot brings at most.
pub const MOST_SNAPSHOT_RECORDS: i64 = 1000;

/// A command.
#[derive(Debug)]
pub enum ClientMessage {
    /// Answer me.
    Ping,
    /// Tell me of changes.
    Subscribe(Box<Wish>),
    /// Tell me no more.
    Unsubscribe {
        /// The collection, if it is named.
        collection: Option<String>,
        /// The subscription's reference, if it has one, in JSON.
        reference: Option<String>,
    },
    /// I go on with this access token.
    Authenticate(String),
}

/// What a client wants to be told.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    /// The collection.
    pub collection: String,
    /// The operations of interest; `None` for all.
    pub operations: Option<Operations>,
    /// Whose records, if that is said.
    pub account: Option<String>,
    /// How the client calls this subscription, in JSON.
    pub reference: Option<String>,
    /// Which records, and what of them.
    pub selection: Selection,
    /// Where to go on.
    pub since: Option<Cursor>,
    /// Whether the records that are there come first.
    pub snapshot: Option<SnapshotWish>,
    /// Whether the client uses anything beyond the published protocol, and so knows of its frames.
    pub extended: bool,
    /// What the client should know of a message that is acknowledged because the published protocol
    /// does so.
    pub warning: Option<String>,
}

/// Which records come first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotWish {
    /// The order, as in a list.
    pub sort: Option<String>,
    /// How many at most.
    pub limit: i64,
}

/// Why a message was not understood.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fault {
    /// For people.
    pub message: String,
    /// For programs.
    pub code: &'static str,
    /// The collection that the message names.
    pub collection: Option<String>,
    /// The reference that it gives, in JSON.
    pub reference: Option<String>,
}

/// The keys of a subscription in the published protocol, and the one for superadmins.
const PUBLISHED_KEYS: [&str; 5] = ["action", "type", "collection", "operations", "account"];
/// The keys that only clients use which know more than the published protocol.
const NEW_KEYS: [&str; 10] = [
    "ref", "record", "filter", "fields", "expand", "since", "snapshot", "sort", "limit", "old",
];

/// The word that says what a message wants.
pub fn action(message: &Map<String, Value>) -> &str {
    message
        .get("action")
        .or_else(|| message.get("type"))
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// Reads a message.
pub fn parse(message: &Map<String, Value>) -> Result<ClientMessage, Fault> {
    let read = match action(message) {
        "ping" => return Ok(ClientMessage::Ping),
        "subscribe" => subscribe(message).map(|wish| ClientMessage::Subscribe(Box::new(wish))),
        "unsubscribe" => unsubscribe(message),
        "auth" => match text(message, "token", usize::MAX) {
            Ok(Some(token)) if !token.is_empty() => Ok(ClientMessage::Authenticate(token)),
            Ok(_) => Err(fault("Missing token", "missing_token")),
            Err(fault) => Err(fault),
        },
        _ => Err(fault("Unknown action", "unknown_action")),
    };
    read.map_err(|fault| Fault {
        collection: collection(message).ok(),
        reference: reference(message).ok().flatten(),
        ..fault
    })
}

fn subscribe(message: &Map<String, Value>) -> Result<Wish, Fault> {
    let is_known =
        |key: &&String| PUBLISHED_KEYS.contains(&key.as_str()) || NEW_KEYS.contains(&key.as_str());
    if let Some(key) = message.keys().find(|key| !is_known(key)) {
        return Err(fault(
            &format!("Unknown key '{}'", shorten(key)),
            "invalid_message",
        ));
    }
    let collection = collection(message)?;
    let reference = reference(message)?;
    let extended = NEW_KEYS
        .iter()
        .any(|key| message.get(*key).is_some_and(|value| !value.is_null()));
    let (operations, warning) = operations(message.get("operations"));
    if let Some(warning) = warning.as_deref().filter(|_| extended) {
        return Err(fault(warning, "invalid_message"));
    }
    let snapshot = if flag(message, "snapshot")? {
        let limit = match message.get("limit").filter(|limit| !limit.is_null()) {
            None => SNAPSHOT_RECORDS,
            Some(limit) => limit
                .as_i64()
                .filter(|limit| (1..=MOST_SNAPSHOT_RECORDS).contains(limit))
                .ok_or_else(|| {
                    let message =
                        format!("'limit' must be a whole number from 1 to {MOST_SNAPSHOT_RECORDS}");
                    Fault {
                        message,
                        code: "invalid_message",
                        ..Fault::default()
                    }
                })?,
        };
        Some(SnapshotWish {
            sort: text(message, "sort", MAX_NAME * 8)?,
            limit,
        })
    } else {
        None
    };
    let since = text(message, "since", MAX_NAME)?.map(|cursor| Cursor::parse_or_foreign(&cursor));
    if since.is_some() && snapshot.is_some() {
        return Err(fault(
            "Use 'since' or 'snapshot', not both",
            "invalid_message",
        ));
    }
    let selection = Selection {
        record: record(message)?,
        filter: text(message, "filter", usize::MAX)?
            .filter(|filter| !filter.trim().is_empty())
            .map(Into::into),
        fields: names(message, "fields")?
            .as_deref()
            .and_then(normal_fields)
            .map(Into::into),
        expand: expand(message)?,
        old: flag(message, "old")?,
    };
    Ok(Wish {
        collection,
        operations,
        account: text(message, "account", MAX_NAME)?,
        reference,
        selection,
        since,
        snapshot,
        extended,
        warning,
    })
}

fn unsubscribe(message: &Map<String, Value>) -> Result<ClientMessage, Fault> {
    let reference = reference(message)?;
    let collection = match collection(message) {
        Ok(collection) => Some(collection),
        Err(fault) if reference.is_none() => return Err(fault),
        Err(_) => None,
    };
    Ok(ClientMessage::Unsubscribe {
        collection,
        reference,
    })
}

fn fault(message: &str, code: &'static str) -> Fault {
    Fault {
        message: message.to_owned(),
        code,
        ..Fault::default()
    }
}

fn collection(message: &Map<String, Value>) -> Result<String, Fault> {
    match message.get("collection").and_then(Value::as_str) {
        None | Some("") => Err(fault("Missing collection", "missing_collection")),
        Some(name) if name.len() > MAX_NAME => {
            Err(fault("Collection name too long", "invalid_collection"))
        }
        Some(name) => Ok(name.to_owned()),
    }
}

/// How the client calls a subscription: text or a whole number, kept as it was written.
fn reference(message: &Map<String, Value>) -> Result<Option<String>, Fault> {
    match message.get("ref") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.len() <= MAX_NAME => {
            Ok(Some(Value::from(text.as_str()).to_string()))
        }
        Some(Value::Number(number)) if number.is_i64() || number.is_u64() => {
            Ok(Some(number.to_string()))
        }
        Some(_) => Err(fault(
            "'ref' must be a short text or a whole number",
            "invalid_message",
        )),
    }
}

fn text(message: &Map<String, Value>, key: &str, most: usize) -> Result<Option<String>, Fault> {
    let wrong = |problem: &str| Fault {
        message: format!("'{key}' {problem}"),
        code: "invalid_message",
        ..Fault::default()
    };
    match message.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.len() > most => Err(wrong("is too long")),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(wrong("must be text")),
    }
}

fn flag(message: &Map<String, Value>, key: &str) -> Result<bool, Fault> {
    match message.get(key) {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(flag)) => Ok(*flag),
        Some(_) => Err(Fault {
            message: format!("'{key}' must be true or false"),
            code: "invalid_message",
            ..Fault::default()
        }),
    }
}

/// Names with commas between them, also of a list.
fn names(message: &Map<String, Value>, key: &str) -> Result<Option<String>, Fault> {
    let wrong = || {
        fault(
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
fn expand(message: &Map<String, Value>) -> Result<Option<ExpandPaths>, Fault> {
    let Some(list) = names(message, "expand")? else {
        return Ok(None);
    };
    ExpandPaths::parse(&list).map_err(|error| fault(&error.to_string(), "invalid_message"))
}

/// A comma list of fields, so that alike lists are equal; `None` for all.
pub fn normal_fields(list: &str) -> Option<Vec<String>> {
    let mut names = parse_fields(list)?;
    names.sort_unstable();
    names.dedup();
    Some(names)
}

/// The id of a record, in the one spelling in which events have it.
fn record(message: &Map<String, Value>) -> Result<Option<Box<str>>, Fault> {
    let Some(text) = text(message, "record", MAX_NAME)?.filter(|record| !record.is_empty()) else {
        return Ok(None);
    };
    let wrong = || fault("'record' must be the id of a record", "not_found");
    RecordId::parse(&text)
        .map(|id| Some(id.to_string().into()))
        .ok_or_else(wrong)
}

/// The operations that are asked for: a list of names or one name; nothing means all of them. Also,
/// what is wrong with them: the published protocol acknowledges anything.
fn operations(asked: Option<&Value>) -> (Option<Operations>, Option<String>) {
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
    let unknown = names.iter().find(|name| Operation::parse(name).is_none());
    let warning = unknown.map(|name| Operations::unknown(&shorten(name)));
    (Some(Operations::named(names)), warning)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(message: &Value) -> Result<ClientMessage, Fault> {
        parse(message.as_object().unwrap())
    }

    fn wish(message: &Value) -> Wish {
        match read(message).unwrap() {
            ClientMessage::Subscribe(wish) => *wish,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn operations_come_in_many_shapes() {
        for all in [None, Some(json!(null)), Some(json!("")), Some(json!(7))] {
            assert_eq!(operations(all.as_ref()).0, None);
        }
        assert_eq!(operations(Some(&json!([]))), (Some(Operations::ALL), None));
        assert_eq!(
            operations(Some(&json!("create"))),
            (Some(Operations::named(["create"])), None)
        );
        let (some, warning) = operations(Some(&json!(["update", "fly", 7])));
        assert_eq!(some, Some(Operations::named(["update"])));
        assert!(warning.unwrap().contains("'fly'"));
        assert_eq!(
            operations(Some(&json!(["fly"]))).0.unwrap().iter().count(),
            0
        );
    }

    #[test]
    fn what_is_not_used_is_not_missed() {
        let plain =
            wish(&json!({"action": "subscribe", "collection": "a", "operations": ["create"]}));
        assert!(
            !plain.extended
                && plain.reference.is_none()
                && plain.since.is_none()
                && plain.snapshot.is_none()
        );
        assert_eq!(plain.selection, Selection::default());
        let nulls = json!({"type": "subscribe", "collection": "a", "ref": null, "filter": null, "since": null});
        assert!(!wish(&nulls).extended);
    }

    #[test]
    fn everything_that_can_be_asked_for_is_read() {
        let full = wish(
            &json!({"action": "subscribe", "ref": "7", "collection": "a",
            "record": "01A1FD25-29F4-770A-B9D2-F81DFE4E0BC2", "filter": "n > 1", "fields": ["b", "a", "b"], "expand": ["c", "a.b"], "old": true, "since": "e:5"}),
        );
        assert!(full.extended);
        assert_eq!(full.reference.as_deref(), Some("\"7\""));
        assert_eq!(full.since, Cursor::parse("e:5"));
        let fields: Box<[String]> = ["a", "b"].map(str::to_owned).into();
        let expected = Selection {
            record: Some("01a1fd25-29f4-770a-b9d2-f81dfe4e0bc2".into()),
            filter: Some("n > 1".into()),
            fields: Some(fields),
            expand: ExpandPaths::parse("a.b,c").unwrap(),
            old: true,
        };
        assert_eq!(full.selection, expected);
        let first = wish(
            &json!({"action": "subscribe", "ref": 7, "collection": "a", "snapshot": true, "sort": "-n",
            "limit": 5, "fields": "*"}),
        );
        assert_eq!(
            first.snapshot,
            Some(SnapshotWish {
                sort: Some("-n".into()),
                limit: 5
            })
        );
        assert_eq!(
            (first.reference.as_deref(), first.selection.fields),
            (Some("7"), None)
        );
    }

    #[test]
    fn what_has_the_wrong_type_is_named() {
        for (key, value) in [
            ("ref", json!([])),
            ("ref", json!(1.5)),
            ("ref", json!("x".repeat(300))),
            ("record", json!(7)),
            ("account", json!(7)),
            ("filtre", json!("n > 1")),
            ("filter", json!({})),
            ("fields", json!([1])),
            ("expand", json!({})),
            ("expand", json!(["a", null])),
            ("old", json!("yes")),
            ("since", json!(5)),
            ("since", json!("x".repeat(300))),
            ("snapshot", json!(1)),
        ] {
            let fault =
                read(&json!({"action": "subscribe", "collection": "a", key: value})).unwrap_err();
            assert!(
                fault.message.contains(key) && fault.code == "invalid_message",
                "{fault:?}"
            );
            assert_eq!(fault.collection.as_deref(), Some("a"));
        }
        for limit in [json!(0), json!(1001), json!("5"), json!(1.5)] {
            let message =
                json!({"action": "subscribe", "collection": "a", "snapshot": true, "limit": limit});
            assert!(read(&message).unwrap_err().message.contains("limit"));
        }
        let both = json!({"action": "subscribe", "collection": "a", "ref": "r", "snapshot": true, "since": "a:1"});
        assert_eq!(read(&both).unwrap_err().reference.as_deref(), Some("\"r\""));
        let nowhere = json!({"action": "subscribe", "collection": "a", "record": "seven"});
        assert_eq!(read(&nowhere).unwrap_err().code, "not_found");
        assert_eq!(
            read(&json!({"action": "auth"})).unwrap_err().code,
            "missing_token"
        );
        assert_eq!(
            read(&json!({"action": "auth", "token": 5}))
                .unwrap_err()
                .code,
            "invalid_message"
        );
    }

    #[test]
    fn unknown_operations_are_refused_beyond_the_published_protocol_and_warned_about_within() {
        for operations in [
            json!(["craete"]),
            json!("craete"),
            json!(["create", "craete"]),
        ] {
            let mut message =
                json!({"action": "subscribe", "collection": "a", "operations": operations});
            assert!(wish(&message).warning.unwrap().contains("'craete'"));
            message["ref"] = json!(1);
            assert!(read(&message).unwrap_err().message.contains("'craete'"));
        }
    }

    #[test]
    fn a_subscription_ends_by_its_reference_or_its_collection() {
        let end = |message: &Value| match read(message) {
            Ok(ClientMessage::Unsubscribe {
                collection,
                reference,
            }) => Some((collection, reference)),
            _ => None,
        };
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(
            end(&json!({"action": "unsubscribe", "collection": "a"})),
            Some((some("a"), None))
        );
        assert_eq!(
            end(&json!({"action": "unsubscribe", "ref": "r"})),
            Some((None, some("\"r\"")))
        );
        assert_eq!(end(&json!({"action": "unsubscribe"})), None);
    }
}
