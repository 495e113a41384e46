//! The frames of the protocol.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::topic::PocketBaseTopic;
use crate::access::Placement;
use crate::realtime::{Protocol, RecordEvent};

/// See [`super`].
pub(in crate::http::realtime) struct PocketBaseProtocol;

impl Protocol for PocketBaseProtocol {
    fn name(&self) -> &'static str {
        "pocketbase"
    }

    fn event_frame(&self, event: &RecordEvent<'_>) -> Bytes {
        let names =
            json!({"collectionId": event.collection_id, "collectionName": event.collection})
                .to_string();
        // A record always has fields: at least its id.
        let (names, record) = (
            names.trim_end_matches('}'),
            event.data.trim_start().trim_start_matches('{'),
        );
        format!(
            r#"{{"record":{names},{record},"action":"{}"}}"#,
            event.operation.name()
        )
        .into()
    }

    fn heartbeat_frame(&self, _: DateTime<Utc>) -> Bytes {
        Bytes::from_static(b":\n\n")
    }

    /// References stay ids; the records are beside them.
    fn placement(&self) -> Placement {
        |record, field, found| {
            let Some((mut found, collection)) = found else {
                return;
            };
            found.insert("collectionId".into(), json!(collection.id));
            found.insert("collectionName".into(), json!(collection.name));
            let expand = record.entry("expand").or_insert_with(|| json!({}));
            if let Some(expand) = expand.as_object_mut() {
                expand.insert(field.to_owned(), Value::Object(found));
            }
        }
    }

    /// The event has the name of the topic, byte for byte; `data` must be one line.
    fn tag_frame(&self, frame: &Bytes, tag: &str) -> Bytes {
        let picked = PocketBaseTopic::parse(tag).pick_fields(frame);
        let data =
            String::from_utf8_lossy(picked.as_ref().unwrap_or(frame)).replace(['\n', '\r'], " ");
        format!("event:{tag}\ndata:{data}\n\n").into()
    }
}
