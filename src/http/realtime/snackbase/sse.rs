//! The published protocol over server-sent events: the subscriptions are in the query.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures_util::stream;
use serde_json::json;

use super::close::close_code;
use super::json;
use super::request::{
    DEFAULT_SNAPSHOT_RECORDS, MAX_SNAPSHOT_RECORDS, SnapshotRequest, SubscribeRequest,
    canonical_fields, canonical_record_id,
};
use super::subscribe::make_subscription;
use crate::access::ExpandPaths;
use crate::app::App;
use crate::changes::Cursor;
use crate::db::canonical_time;
use crate::error::{Error, Result};
use crate::http::client::ClientAddress;
use crate::http::extract::Query;
use crate::http::realtime::credential::PresentedCredential;
use crate::http::realtime::event_stream::{event_stream_response, join_frames};
use crate::http::realtime::parameters::{refuse_unknown, shorten};
use crate::http::realtime::session::Session;
use crate::realtime::{
    ControlFrame, FrameSubject, OperationSet, Protocol, RecordEvent, RecordSelection,
    SubscribeError,
};

/// Sent at once, so that the client knows that it is connected.
const GREETING: &[u8] = b": connected\n\n";
/// The query parameters. Some clients that stand in for a browser's `EventSource` send
/// `lastEventId`.
const PARAMETERS: [&str; 17] = [
    "account",
    "collection",
    "collections",
    "expand",
    "fields",
    "filter",
    "last_event_id",
    "lastEventId",
    "limit",
    "old",
    "operations",
    "record",
    "since",
    "snapshot",
    "sort",
    "ticket",
    "token",
];

/// See the module.
pub(in crate::http::realtime) struct SseProtocol;

impl Protocol for SseProtocol {
    fn name(&self) -> &'static str {
        "sse"
    }

    fn event_frame(&self, event: &RecordEvent<'_>) -> Bytes {
        // A line end in the text of JSON can only stand between its parts.
        let data = json::event(event).replace(['\n', '\r'], " ");
        format!("id: {}\nevent: message\ndata: {data}\n\n", event.cursor).into()
    }

    fn heartbeat_frame(&self, at: DateTime<Utc>) -> Bytes {
        let data =
            json!({"type": "heartbeat", "event": "heartbeat", "timestamp": canonical_time(at)});
        format!("event: heartbeat\ndata: {data}\n\n").into()
    }

    fn has_silent_checkpoints(&self) -> bool {
        true
    }

    fn control_frame(
        &self,
        frame: &ControlFrame<'_>,
        subject: Option<FrameSubject<'_>>,
    ) -> Option<Bytes> {
        // Named events reach only listeners for that name. A lone id reaches no listener, but a
        // browser keeps it.
        let (name, cursor) = match frame {
            ControlFrame::Checkpoint { cursor } => return Some(position_block(cursor)),
            ControlFrame::Replayed { cursor, .. } => ("replayed", cursor),
            ControlFrame::Live { cursor } => ("live", cursor),
            ControlFrame::Resync { cursor, .. } => ("resync", cursor),
            ControlFrame::Ended { .. } => {
                let data = json::control_frame(frame, subject);
                return Some(format!("event: ended\ndata: {data}\n\n").into());
            }
        };
        let data = json::control_frame(frame, subject);
        Some(format!("id: {cursor}\nevent: {name}\ndata: {data}\n\n").into())
    }
}

/// A block that tells a browser where to go on after a break, and nothing else.
fn position_block(cursor: &Cursor) -> Bytes {
    format!("id: {cursor}\n\n").into()
}

/// Opens the stream.
pub(super) async fn subscribe(
    State(app): State<App>,
    peer: ClientAddress,
    query: Query,
    headers: HeaderMap,
) -> Result<Response> {
    refuse_unknown(&query, &PARAMETERS)?;
    let credential = PresentedCredential::of_request(&app, &query, &headers).await?;
    let session = Session::open(app, credential, peer, &SseProtocol).await?;
    let common = read_common(&query, &headers)?;
    let collections = read_collections(&query)?;
    if common.snapshot.is_some() && collections.len() != 1 {
        return Err(Error::refused(
            "Invalid parameters",
            "A snapshot is of one collection",
        ));
    }
    let greeting = greeting(&session, &common, &collections).await;
    let mut subscriptions = Vec::new();
    for (collection, operations) in collections {
        session
            .run_hooks(|hooks| &hooks.realtime_subscribe, Some(&collection), None)
            .await?;
        let encode_page = |items: &[String], has_more| -> Bytes {
            let page = json::snapshot(&collection, None, items, has_more);
            let data = page.replace(['\n', '\r'], " ");
            format!("event: snapshot\ndata: {data}\n\n").into()
        };
        let request = SubscribeRequest {
            collection: collection.clone(),
            operations: Some(operations),
            ..common.clone()
        };
        subscriptions.push(make_subscription(&session, request, &encode_page, None).await?);
    }
    session
        .connection
        .subscribe_all(subscriptions)
        .await
        .map_err(|error| match error {
            SubscribeError::TooMany(limit) => Error::refused(
                "Too many subscriptions",
                format!("Max subscriptions reached ({limit})"),
            ),
            SubscribeError::Invalid(error) => error,
        })?;
    let stream = EventStream {
        session,
        frames: Vec::new(),
    };
    let stage = StreamStage::Greeting(greeting, Box::new(stream));
    Ok(event_stream_response(stream::unfold(
        stage,
        StreamStage::next,
    )))
}

/// The beginning of the stream: warnings about unknown collections, and, for a client that has no
/// cursor, the position at which the stream starts.
async fn greeting(
    session: &Session,
    common: &SubscribeRequest,
    collections: &[(String, OperationSet)],
) -> Bytes {
    let starts_now = common.since.is_none() && common.snapshot.is_none();
    let start = if starts_now {
        position_block(&session.app.changes.caught_up().await)
    } else {
        Bytes::new()
    };
    let catalog = session.app.catalog.current();
    let warnings = collections
        .iter()
        .filter(|(name, _)| !common.is_extended && catalog.by_name(name).is_none())
        .map(|(name, _)| format!(": collection '{}' does not exist\n\n", shorten(name)));
    let warnings = warnings.collect::<Vec<_>>().concat();
    [GREETING, warnings.as_bytes(), &start].concat().into()
}

/// The part of the query that holds for all collections that it names.
fn read_common(query: &Query, headers: &HeaderMap) -> Result<SubscribeRequest> {
    let text = |key| {
        query
            .get(key)
            .map(str::trim)
            .filter(|value| !value.is_empty())
    };
    let last_event_id = headers
        .get("last-event-id")
        .and_then(|id| id.to_str().ok())
        .filter(|id| !id.is_empty());
    let since = last_event_id
        .or_else(|| text("last_event_id"))
        .or_else(|| text("lastEventId"))
        .or_else(|| text("since"));
    let wants_snapshot = query.flag("snapshot", false)?;
    let limit = query.number("limit", DEFAULT_SNAPSHOT_RECORDS, 1..=MAX_SNAPSHOT_RECORDS)?;
    let selection = RecordSelection {
        record: text("record").map(read_record_id).transpose()?,
        filter: text("filter").map(Into::into),
        fields: text("fields").and_then(canonical_fields),
        expand: text("expand")
            .map(ExpandPaths::parse)
            .transpose()?
            .flatten(),
        old: query.flag("old", false)?,
    };
    // A browser that connects again goes on after the last event that it got.
    let wants_snapshot = wants_snapshot && since.is_none();
    Ok(SubscribeRequest {
        account: text("account").map(str::to_owned),
        is_extended: since.is_some() || wants_snapshot || selection != RecordSelection::default(),
        snapshot: wants_snapshot.then(|| SnapshotRequest {
            sort: text("sort").map(str::to_owned),
            limit,
        }),
        since: since.map(Cursor::parse_or_foreign),
        selection,
        ..SubscribeRequest::default()
    })
}

/// The collections of the query, each with its operations: `collection=a`,
/// `collections=a:create,update`, `collections=a,b`; `operations=create` holds for all of them. The
/// last mention of a collection counts.
fn read_collections(query: &Query) -> Result<Vec<(String, OperationSet)>> {
    let common = read_operations(query.all("operations").flat_map(names))?;
    let mut collections: Vec<(String, OperationSet)> = Vec::new();
    for value in query.all("collection").chain(query.all("collections")) {
        let (mentioned, operations) = match value.split_once(':') {
            Some((collection, list)) => (vec![collection.trim()], read_operations(names(list))?),
            None => (names(value).collect(), OperationSet::ALL),
        };
        for collection in mentioned.into_iter().filter(|name| !name.is_empty()) {
            collections.retain(|(known, _)| known != collection);
            collections.push((collection.to_owned(), operations.and(common)));
        }
    }
    Ok(collections)
}

fn read_operations<'a>(names: impl Iterator<Item = &'a str>) -> Result<OperationSet> {
    OperationSet::parse(names)
        .map_err(|message| Error::refused("Invalid parameters", shorten(&message)))
}

fn read_record_id(text: &str) -> Result<Box<str>> {
    canonical_record_id(text).ok_or_else(|| Error::not_found("'record' must be the id of a record"))
}

fn names(list: &str) -> impl Iterator<Item = &str> {
    list.split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
}

/// An open stream.
struct EventStream {
    session: Session,
    frames: Vec<Bytes>,
}

/// The stage of a stream.
enum StreamStage {
    Greeting(Bytes, Box<EventStream>),
    Open(Box<EventStream>),
    Over,
}

impl StreamStage {
    async fn next(self) -> Option<(Result<Bytes>, Self)> {
        match self {
            Self::Greeting(greeting, stream) => Some((Ok(greeting), Self::Open(stream))),
            Self::Open(mut stream) => match stream.next_chunk().await {
                (chunk, true) => Some((Ok(chunk), Self::Open(stream))),
                (chunk, false) => Some((Ok(chunk), Self::Over)),
            },
            Self::Over => None,
        }
    }
}

impl EventStream {
    /// The next piece of the stream, and whether the stream goes on.
    async fn next_chunk(&mut self) -> (Bytes, bool) {
        let connection = &self.session.connection;
        connection.note_peer_activity();
        loop {
            let signals = connection.next_frames(&mut self.frames).await;
            connection.note_peer_activity();
            if let Some(reason) = signals.close {
                let (code, text) = close_code(reason);
                self.frames
                    .push(format!(": closed, {code} {text}\n\n").into());
            }
            if !self.frames.is_empty() {
                let chunk = join_frames(&mut self.frames, |_| Bytes::new());
                return (chunk, signals.close.is_none());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::extract::FromRequestParts;

    use super::*;

    async fn asked(query: &str) -> Vec<(String, Vec<&'static str>)> {
        let request = axum::http::Request::get(format!("/?{query}"))
            .body(())
            .unwrap();
        let query = Query::from_request_parts(&mut request.into_parts().0, &())
            .await
            .unwrap();
        let shown = |operations: OperationSet| {
            operations
                .iter()
                .map(crate::realtime::EventOperation::name)
                .collect()
        };
        read_collections(&query)
            .unwrap()
            .into_iter()
            .map(|(collection, operations)| (collection, shown(operations)))
            .collect()
    }

    #[tokio::test]
    async fn subscriptions_come_in_every_published_form() {
        let all = vec!["create", "update", "delete"];
        let pair = |name: &str, operations: &[&'static str]| (name.to_owned(), operations.to_vec());
        assert_eq!(
            asked("collection=a&collection=b").await,
            [pair("a", &all), pair("b", &all)]
        );
        assert_eq!(
            asked("collections=a%3Acreate%2Cupdate&collections=b").await,
            [pair("a", &["create", "update"]), pair("b", &all)]
        );
        assert_eq!(
            asked("collections=a,b,&operations=delete").await,
            [pair("a", &["delete"]), pair("b", &["delete"])]
        );
        assert_eq!(
            asked("collection=a:&collections=a:update").await,
            [pair("a", &["update"])]
        );
        assert_eq!(asked("token=x").await, []);
    }
}
