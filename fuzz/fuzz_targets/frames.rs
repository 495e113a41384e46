//! What clients of realtime send, in every protocol: it is understood, or refused with a reason, and
//! what is understood is in bounds.
//!
//! The first byte chooses: a WebSocket frame, the body of a `pocketbase` subscription in one of its
//! forms, or a topic.

#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use snackbase::http::realtime::snackbase::message::{self, ClientMessage};
use snackbase::http::realtime::snackbase::request::{MAX_SNAPSHOT_RECORDS, SubscribeRequest};
use snackbase::http::realtime::pocketbase::body;
use snackbase::http::realtime::pocketbase::topic::PocketBaseTopic;

fn reference(reference: Option<&str>) {
    let json = reference.map(|text| serde_json::from_str::<Value>(text).expect("a reference is JSON"));
    assert!(json.is_none_or(|json| json.is_string() || json.is_number()));
}

fn wish(wish: &SubscribeRequest) {
    assert!((1..=255).contains(&wish.collection.len()));
    reference(wish.reference.as_deref());
    assert!(wish.since.is_none() || wish.snapshot.is_none());
    if let Some(snapshot) = &wish.snapshot {
        assert!((1..=MAX_SNAPSHOT_RECORDS).contains(&snapshot.limit));
    }
    assert!(wish.is_extended || (wish.reference.is_none() && wish.since.is_none() && wish.snapshot.is_none()));
}

fn frame(bytes: &[u8]) {
    let Ok(Value::Object(sent)) = serde_json::from_slice(bytes) else { return };
    match message::parse(&sent) {
        Ok(ClientMessage::Subscribe(asked)) => wish(&asked),
        Ok(ClientMessage::Unsubscribe { collection, reference: named }) => {
            assert!(collection.is_some() || named.is_some());
            reference(named.as_deref());
        }
        Ok(ClientMessage::Authenticate(token)) => assert!(!token.is_empty()),
        Ok(ClientMessage::Ping) => assert_eq!(message::action(&sent), "ping"),
        Err(fault) => {
            assert!(!fault.message.is_empty() && !fault.code.is_empty());
            reference(fault.reference.as_deref());
        }
    }
}

fn topic(text: &str) {
    let topic = PocketBaseTopic::parse(text);
    assert!(text.starts_with(topic.collection));
    assert!(topic.record.is_none_or(|record| text.contains(record)));
    topic.option("filter");
    let event = Bytes::from_static(br#"{"record":{"id":"1","a":{"b":2},"collectionName":"a"},"action":"create"}"#);
    if let Some(picked) = topic.pick_fields(&event) {
        let picked: Value = serde_json::from_slice(&picked).expect("a frame is JSON");
        assert!(picked["record"].is_object() && picked["action"] == "create");
    }
}

fn asked(content_type: &str, bytes: &[u8]) {
    let Some(asked) = body::parse(content_type, bytes) else { return };
    for (index, one) in asked.topics.iter().enumerate().take(100) {
        assert!(!one.is_empty() && !asked.topics[..index].contains(one));
        topic(one);
    }
}

fuzz_target!(|data: &[u8]| {
    let Some((kind, rest)) = data.split_first() else { return };
    match kind % 8 {
        0..=3 => frame(rest),
        4 => asked("application/json", rest),
        5 => asked("application/x-www-form-urlencoded", rest),
        6 => asked("multipart/form-data; boundary=x", rest),
        _ => topic(&String::from_utf8_lossy(rest)),
    }
});
