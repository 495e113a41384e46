//! The published protocol over server-sent events: the subscriptions stand in the query.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use bytes::{Bytes, BytesMut};
use chrono::{DateTime, Utc};
use futures_util::stream;
use serde_json::json;

use super::{Peer, Session, Shown, json};
use crate::app::App;
use crate::changes::Cursor;
use crate::db::canonical_time;
use crate::error::{Error, Result};
use crate::http::extract::Query;
use crate::realtime::{Dialect, Event, Operations, Replay, Subscribe, TooMany};

/// Sent at once, so that the client knows that it is connected.
const GREETING: &[u8] = b": connected\n\n";
/// A batch's memory is given back if it had room for more frames.
const KEPT_FRAMES: usize = 16;

struct Sse;

impl Dialect for Sse {
    fn name(&self) -> &'static str {
        "snackbase_sse"
    }

    fn event(&self, event: &Event<'_>) -> Bytes {
        // A line end in the text of JSON can only stand between its parts.
        let data = json::event(event).replace(['\n', '\r'], " ");
        format!("id: {}\nevent: message\ndata: {data}\n\n", event.cursor).into()
    }

    fn heartbeat(&self, at: DateTime<Utc>) -> Bytes {
        let data = json!({"type": "heartbeat", "event": "heartbeat", "timestamp": canonical_time(at)});
        format!("event: heartbeat\ndata: {data}\n\n").into()
    }
}

/// Opens the stream.
pub(super) async fn subscribe(
    State(app): State<App>,
    peer: Peer,
    query: Query,
    headers: HeaderMap,
) -> Result<Response> {
    let session = Session::open(app, Shown::of(&query, &headers), peer, &Sse).await?;
    let scope = session.scope(query.get("account").filter(|account| !account.is_empty())).await?;
    let wishes = wishes(&query);
    for (collection, _) in &wishes {
        session.hook(|hooks| &hooks.realtime_subscribe, Some(collection), None).await?;
        session.check_rule(collection)?;
    }
    let since = headers.get("last-event-id").and_then(|id| id.to_str().ok());
    let since = since.or_else(|| query.get("last_event_id")).or_else(|| query.get("since")).and_then(Cursor::parse);
    let subscribe = wishes.into_iter().map(|(collection, operations)| Subscribe {
        collection,
        operations,
        scope,
        after: 0,
        ack: None,
    });
    let replay = match since {
        Some(since) => session.connection.resume(scope, subscribe.collect(), &since).await.map(Some),
        None => subscribe.into_iter().try_for_each(|one| session.connection.subscribe(one)).map(|()| None),
    };
    let replay = replay.map_err(|TooMany(most)| {
        Error::refused("Too many subscriptions", format!("Max subscriptions reached ({most})"))
    })?;
    let stream = stream::unfold(Stage::Greeting(Box::new(Feed { session, replay, frames: Vec::new() })), Stage::next);
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")),
    ];
    Ok((headers, Body::from_stream(stream)).into_response())
}

/// The collections that are asked for, each with its operations: `collection=a`, `collections=a:create,update`,
/// `collections=a,b`; `operations=create` holds for all of them. The last wish for a collection counts.
fn wishes(query: &Query) -> Vec<(String, Operations)> {
    let common = Operations::named(query.all("operations").flat_map(names));
    let mut wishes: Vec<(String, Operations)> = Vec::new();
    for value in query.all("collection").chain(query.all("collections")) {
        let (collections, operations) = match value.split_once(':') {
            Some((collection, operations)) => (vec![collection.trim()], Operations::named(names(operations))),
            None => (names(value).collect(), Operations::ALL),
        };
        for collection in collections.into_iter().filter(|collection| !collection.is_empty()) {
            wishes.retain(|(known, _)| known != collection);
            wishes.push((collection.to_owned(), operations.and(common)));
        }
    }
    wishes
}

fn names(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(str::trim).filter(|name| !name.is_empty())
}

/// What an open stream needs.
struct Feed {
    session: Session,
    replay: Option<Replay>,
    frames: Vec<Bytes>,
}

/// How far a stream has come.
enum Stage {
    Greeting(Box<Feed>),
    Open(Box<Feed>),
    Over,
}

impl Stage {
    async fn next(self) -> Option<(Result<Bytes>, Self)> {
        match self {
            Self::Greeting(feed) => Some((Ok(Bytes::from_static(GREETING)), Self::Open(feed))),
            Self::Open(mut feed) => match feed.chunk().await {
                Ok((chunk, true)) => Some((Ok(chunk), Self::Open(feed))),
                Ok((chunk, false)) => Some((Ok(chunk), Self::Over)),
                Err(error) => {
                    tracing::error!(%error, "missed events cannot be read");
                    Some((Err(error), Self::Over))
                }
            },
            Self::Over => None,
        }
    }
}

impl Feed {
    /// The next piece of the stream, and whether it goes on. The missed events come first.
    async fn chunk(&mut self) -> Result<(Bytes, bool)> {
        let connection = &self.session.connection;
        connection.heard();
        while let Some(replay) = &mut self.replay {
            let more = replay.next(connection, &mut self.frames).await?;
            if !more {
                self.replay = None;
            }
            if !self.frames.is_empty() {
                return Ok((self.join(), true));
            }
        }
        loop {
            let taken = self.session.connection.queue().take(&mut self.frames).await;
            self.session.connection.heard();
            if let Some(close) = taken.close {
                self.frames.push(format!(": closed, {} {}\n\n", close.code(), close.reason()).into());
            }
            if !self.frames.is_empty() {
                return Ok((self.join(), taken.close.is_none()));
            }
        }
    }

    fn join(&mut self) -> Bytes {
        if self.frames.len() == 1 {
            return self.frames.pop().unwrap_or_default();
        }
        let mut joined = BytesMut::with_capacity(self.frames.iter().map(Bytes::len).sum());
        self.frames.drain(..).for_each(|frame| joined.extend_from_slice(&frame));
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
        let request = axum::http::Request::get(format!("/?{query}")).body(()).unwrap();
        let query = Query::from_request_parts(&mut request.into_parts().0, &()).await.unwrap();
        let shown = |operations: Operations| operations.iter().map(crate::realtime::Operation::name).collect();
        wishes(&query).into_iter().map(|(collection, operations)| (collection, shown(operations))).collect()
    }

    #[tokio::test]
    async fn subscriptions_come_in_every_published_form() {
        let all = vec!["create", "update", "delete"];
        let wish = |name: &str, operations: &[&'static str]| (name.to_owned(), operations.to_vec());
        assert_eq!(asked("collection=a&collection=b").await, [wish("a", &all), wish("b", &all)]);
        assert_eq!(
            asked("collections=a%3Acreate%2Cupdate&collections=b").await,
            [wish("a", &["create", "update"]), wish("b", &all)]
        );
        assert_eq!(asked("collections=a,b,&operations=delete").await, [wish("a", &["delete"]), wish("b", &["delete"])]);
        assert_eq!(asked("collection=a:&collections=a:update").await, [wish("a", &["update"])]);
        assert_eq!(asked("token=x").await, []);
    }
}
