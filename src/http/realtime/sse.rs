//! The published protocol over server-sent events: the subscriptions stand in the query.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use bytes::{Bytes, BytesMut};
use chrono::{DateTime, Utc};
use futures_util::stream;
use serde_json::json;

use super::message::{MOST_SNAPSHOT_RECORDS, SNAPSHOT_RECORDS, SnapshotWish, Wish, normal_fields};
use super::{Session, Shown, check_parameters, json, shorten};
use crate::access::ExpandPaths;
use crate::app::App;
use crate::changes::Cursor;
use crate::db::canonical_time;
use crate::error::{Error, Result};
use crate::http::client::ClientAddress;
use crate::http::extract::Query;
use crate::id::RecordId;
use crate::realtime::{About, Dialect, Event, Notice, Operations, Refused, Selection};

/// Sent at once, so that the client knows that it is connected.
const GREETING: &[u8] = b": connected\n\n";
/// A batch's memory is given back if it had room for more frames.
const KEPT_FRAMES: usize = 16;
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

struct Sse;

impl Dialect for Sse {
    fn name(&self) -> &'static str {
        "sse"
    }

    fn event(&self, event: &Event<'_>) -> Bytes {
        // A line end in the text of JSON can only stand between its parts.
        let data = json::event(event).replace(['\n', '\r'], " ");
        format!("id: {}\nevent: message\ndata: {data}\n\n", event.cursor).into()
    }

    fn heartbeat(&self, at: DateTime<Utc>) -> Bytes {
        let data =
            json!({"type": "heartbeat", "event": "heartbeat", "timestamp": canonical_time(at)});
        format!("event: heartbeat\ndata: {data}\n\n").into()
    }

    fn has_silent_checkpoints(&self) -> bool {
        true
    }

    fn notice(&self, notice: &Notice<'_>, about: Option<About<'_>>) -> Option<Bytes> {
        // Named events reach those only who listen for them; a lone id reaches nobody, but a
        // browser keeps it.
        let (name, cursor) = match notice {
            Notice::Checkpoint { cursor } => return Some(position(cursor)),
            Notice::Replayed { cursor, .. } => ("replayed", cursor),
            Notice::Live { cursor } => ("live", cursor),
            Notice::Resync { cursor, .. } => ("resync", cursor),
            Notice::Ended { .. } => {
                return Some(
                    format!("event: ended\ndata: {}\n\n", json::notice(notice, about)).into(),
                );
            }
        };
        Some(
            format!(
                "id: {cursor}\nevent: {name}\ndata: {}\n\n",
                json::notice(notice, about)
            )
            .into(),
        )
    }
}

/// Tells a browser where to go on after a break, and nothing else.
fn position(cursor: &Cursor) -> Bytes {
    format!("id: {cursor}\n\n").into()
}

/// Opens the stream.
pub(super) async fn subscribe(
    State(app): State<App>,
    peer: ClientAddress,
    query: Query,
    headers: HeaderMap,
) -> Result<Response> {
    check_parameters(&query, &PARAMETERS)?;
    let shown = Shown::of(&app, &query, &headers).await?;
    let session = Session::open(app, shown, peer, &Sse).await?;
    let common = common(&query, &headers)?;
    let wishes = wishes(&query)?;
    if common.snapshot.is_some() && wishes.len() != 1 {
        return Err(Error::refused(
            "Invalid parameters",
            "A snapshot is of one collection",
        ));
    }
    // Whoever goes on after a cursor has one; others are told where this stream begins.
    let begins_now = common.since.is_none() && common.snapshot.is_none();
    let begin = if begins_now {
        position(&session.app.changes.caught_up().await)
    } else {
        Bytes::new()
    };
    let (mut subscribe, mut warnings) = (Vec::new(), Vec::new());
    for (collection, operations) in wishes {
        if !common.extended && session.app.catalog.current().by_name(&collection).is_none() {
            warnings.push(format!(
                ": collection '{}' does not exist\n\n",
                shorten(&collection)
            ));
        }
        session
            .hook(|hooks| &hooks.realtime_subscribe, Some(&collection), None)
            .await?;
        let page = |items: &[String], more| -> Bytes {
            let data = json::snapshot(&collection, None, items, more).replace(['\n', '\r'], " ");
            format!("event: snapshot\ndata: {data}\n\n").into()
        };
        let wish = Wish {
            collection: collection.clone(),
            operations: Some(operations),
            ..common.clone()
        };
        subscribe.push(session.subscription(wish, page, None).await?);
    }
    session
        .connection
        .subscribe_all(subscribe)
        .await
        .map_err(|reason| match reason {
            Refused::TooMany(most) => Error::refused(
                "Too many subscriptions",
                format!("Max subscriptions reached ({most})"),
            ),
            Refused::Invalid(error) => error,
        })?;
    let greeting = [GREETING, warnings.concat().as_bytes(), &begin]
        .concat()
        .into();
    let stream = stream::unfold(
        Stage::Greeting(
            greeting,
            Box::new(Feed {
                session,
                frames: Vec::new(),
            }),
        ),
        Stage::next,
    );
    let headers = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/event-stream"),
        ),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (
            HeaderName::from_static("x-accel-buffering"),
            HeaderValue::from_static("no"),
        ),
    ];
    Ok((headers, Body::from_stream(stream)).into_response())
}

/// What the query asks of all collections that it names.
fn common(query: &Query, headers: &HeaderMap) -> Result<Wish> {
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
    let since = [
        last_event_id,
        text("last_event_id"),
        text("lastEventId"),
        text("since"),
    ]
    .into_iter()
    .flatten()
    .next();
    let snapshot = query.flag("snapshot", false)?;
    let limit = query.number("limit", SNAPSHOT_RECORDS, 1..=MOST_SNAPSHOT_RECORDS)?;
    let selection = Selection {
        record: text("record").map(record).transpose()?,
        filter: text("filter").map(Into::into),
        fields: text("fields").and_then(normal_fields).map(Into::into),
        expand: text("expand")
            .map(ExpandPaths::parse)
            .transpose()?
            .flatten(),
        old: query.flag("old", false)?,
    };
    // A browser that connects again goes on after what it has seen.
    let snapshot = snapshot && since.is_none();
    Ok(Wish {
        account: text("account").map(str::to_owned),
        extended: since.is_some() || snapshot || selection != Selection::default(),
        snapshot: snapshot.then(|| SnapshotWish {
            sort: text("sort").map(str::to_owned),
            limit,
        }),
        since: since.map(Cursor::parse_or_foreign),
        selection,
        ..Wish::default()
    })
}

/// The collections that are asked for, each with its operations: `collection=a`,
/// `collections=a:create,update`, `collections=a,b`; `operations=create` holds for all of them. The
/// last wish for a collection counts.
fn wishes(query: &Query) -> Result<Vec<(String, Operations)>> {
    let operations = |list: Vec<&str>| {
        Operations::parse(list)
            .map_err(|message| Error::refused("Invalid parameters", shorten(&message)))
    };
    let common = operations(query.all("operations").flat_map(names).collect())?;
    let mut wishes: Vec<(String, Operations)> = Vec::new();
    for value in query.all("collection").chain(query.all("collections")) {
        let (collections, operations) = match value.split_once(':') {
            Some((collection, list)) => {
                (vec![collection.trim()], operations(names(list).collect())?)
            }
            None => (names(value).collect(), Operations::ALL),
        };
        for collection in collections
            .into_iter()
            .filter(|collection| !collection.is_empty())
        {
            wishes.retain(|(known, _)| known != collection);
            wishes.push((collection.to_owned(), operations.and(common)));
        }
    }
    Ok(wishes)
}

/// The id of a record, in the one spelling in which events have it.
fn record(text: &str) -> Result<Box<str>> {
    let wrong = || Error::not_found("'record' must be the id of a record");
    RecordId::parse(text)
        .map(|id| id.to_string().into())
        .ok_or_else(wrong)
}

fn names(list: &str) -> impl Iterator<Item = &str> {
    list.split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
}

/// What an open stream needs.
struct Feed {
    session: Session,
    frames: Vec<Bytes>,
}

/// How far a stream has come.
enum Stage {
    Greeting(Bytes, Box<Feed>),
    Open(Box<Feed>),
    Over,
}

impl Stage {
    async fn next(self) -> Option<(Result<Bytes>, Self)> {
        match self {
            Self::Greeting(greeting, feed) => Some((Ok(greeting), Self::Open(feed))),
            Self::Open(mut feed) => match feed.chunk().await {
                (chunk, true) => Some((Ok(chunk), Self::Open(feed))),
                (chunk, false) => Some((Ok(chunk), Self::Over)),
            },
            Self::Over => None,
        }
    }
}

impl Feed {
    /// The next piece of the stream, and whether it goes on.
    async fn chunk(&mut self) -> (Bytes, bool) {
        self.session.connection.heard();
        loop {
            let taken = self.session.connection.next(&mut self.frames).await;
            self.session.connection.heard();
            if let Some(close) = taken.close {
                self.frames
                    .push(format!(": closed, {} {}\n\n", close.code(), close.reason()).into());
            }
            if !self.frames.is_empty() {
                return (self.join(), taken.close.is_none());
            }
        }
    }

    fn join(&mut self) -> Bytes {
        if self.frames.len() == 1 {
            return self.frames.pop().unwrap_or_default();
        }
        let mut joined = BytesMut::with_capacity(self.frames.iter().map(Bytes::len).sum());
        self.frames
            .drain(..)
            .for_each(|frame| joined.extend_from_slice(&frame));
        if self.frames.capacity() > KEPT_FRAMES {
            self.frames = Vec::new();
        }
        joined.freeze()
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
        let shown = |operations: Operations| {
            operations
                .iter()
                .map(crate::realtime::Operation::name)
                .collect()
        };
        wishes(&query)
            .unwrap()
            .into_iter()
            .map(|(collection, operations)| (collection, shown(operations)))
            .collect()
    }

    #[tokio::test]
    async fn subscriptions_come_in_every_published_form() {
        let all = vec!["create", "update", "delete"];
        let wish = |name: &str, operations: &[&'static str]| (name.to_owned(), operations.to_vec());
        assert_eq!(
            asked("collection=a&collection=b").await,
            [wish("a", &all), wish("b", &all)]
        );
        assert_eq!(
            asked("collections=a%3Acreate%2Cupdate&collections=b").await,
            [wish("a", &["create", "update"]), wish("b", &all)]
        );
        assert_eq!(
            asked("collections=a,b,&operations=delete").await,
            [wish("a", &["delete"]), wish("b", &["delete"])]
        );
        assert_eq!(
            asked("collection=a:&collections=a:update").await,
            [wish("a", &["update"])]
        );
        assert_eq!(asked("token=x").await, []);
    }
}
