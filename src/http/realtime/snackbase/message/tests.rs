//! Messages of clients, good and bad.

use serde_json::json;

use super::*;

fn read(message: &Value) -> Result<ClientMessage, ProtocolError> {
    parse(message.as_object().unwrap())
}

fn request(message: &Value) -> SubscribeRequest {
    match read(message).unwrap() {
        ClientMessage::Subscribe(request) => *request,
        other => panic!("{other:?}"),
    }
}

#[test]
fn operations_come_in_many_shapes() {
    for all in [None, Some(json!(null)), Some(json!("")), Some(json!(7))] {
        assert_eq!(operations(all.as_ref()).0, None);
    }
    assert_eq!(
        operations(Some(&json!([]))),
        (Some(OperationSet::ALL), None)
    );
    assert_eq!(
        operations(Some(&json!("create"))),
        (Some(OperationSet::named(["create"])), None)
    );
    let (some, warning) = operations(Some(&json!(["update", "fly", 7])));
    assert_eq!(some, Some(OperationSet::named(["update"])));
    assert!(warning.unwrap().contains("'fly'"));
    assert_eq!(
        operations(Some(&json!(["fly"]))).0.unwrap().iter().count(),
        0
    );
}

#[test]
fn what_is_not_used_is_not_missed() {
    let plain =
        request(&json!({"action": "subscribe", "collection": "a", "operations": ["create"]}));
    assert!(
        !plain.is_extended
            && plain.reference.is_none()
            && plain.since.is_none()
            && plain.snapshot.is_none()
    );
    assert_eq!(plain.selection, RecordSelection::default());
    let nulls =
        json!({"type": "subscribe", "collection": "a", "ref": null, "filter": null, "since": null});
    assert!(!request(&nulls).is_extended);
}

#[test]
fn everything_that_can_be_asked_for_is_read() {
    let full = request(
        &json!({"action": "subscribe", "ref": "7", "collection": "a",
        "record": "01A1FD25-29F4-770A-B9D2-F81DFE4E0BC2", "filter": "n > 1", "fields": ["b", "a", "b"], "expand": ["c", "a.b"], "old": true, "since": "e:5"}),
    );
    assert!(full.is_extended);
    assert_eq!(full.reference.as_deref(), Some("\"7\""));
    assert_eq!(full.since, Cursor::parse("e:5"));
    let fields: Box<[String]> = ["a", "b"].map(str::to_owned).into();
    let expected = RecordSelection {
        record: Some("01a1fd25-29f4-770a-b9d2-f81dfe4e0bc2".into()),
        filter: Some("n > 1".into()),
        fields: Some(fields),
        expand: ExpandPaths::parse("a.b,c").unwrap(),
        old: true,
    };
    assert_eq!(full.selection, expected);
    let first = request(
        &json!({"action": "subscribe", "ref": 7, "collection": "a", "snapshot": true, "sort": "-n",
        "limit": 5, "fields": "*"}),
    );
    assert_eq!(
        first.snapshot,
        Some(SnapshotRequest {
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
        let error =
            read(&json!({"action": "subscribe", "collection": "a", key: value})).unwrap_err();
        assert!(
            error.message.contains(key) && error.code == "invalid_message",
            "{error:?}"
        );
        assert_eq!(error.collection.as_deref(), Some("a"));
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
        assert!(request(&message).warning.unwrap().contains("'craete'"));
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
