//! The protocol over WebSocket: JSON frames.

use std::ops::ControlFlow;
use std::pin::pin;
use std::time::Duration;

use axum::extract::{Extension, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use hyper::upgrade::OnUpgrade;
use serde_json::{Map, Value, json};
use tokio::time::{Instant, timeout};

use super::message::{self, ClientMessage, Wish};
use super::socket::{Handshake, Message, Socket, SocketError};
use super::{Session, Shown, check_parameters, json, rooms, shorten};
use crate::app::App;
use crate::db::canonical_time;
use crate::error::{Error, Result};
use crate::http::client::ClientAddress;
use crate::http::extract::Query;
use crate::realtime::{About, Close, Dialect, Event, Notice, Operations, Queue, Refused, Taken};

/// How many times larger than allowed a message may be to be taken in, so that the client reads why
/// it is turned away.
const TAKEN_IN: usize = 4;
/// How long an end may take.
const GRACE: Duration = Duration::from_secs(2);
/// How many seconds' worth of messages may come at once. Pings are free.
const BURST: f64 = 10.0;
/// A batch's memory is given back if it had room for more frames.
const KEPT_FRAMES: usize = 16;

struct Ws;

impl Dialect for Ws {
    fn name(&self) -> &'static str {
        "ws"
    }

    fn event(&self, event: &Event<'_>) -> Bytes {
        json::event(event).into()
    }

    fn heartbeat(&self, at: DateTime<Utc>) -> Bytes {
        json!({"type": "heartbeat", "timestamp": canonical_time(at)})
            .to_string()
            .into()
    }

    fn tag(&self, frame: &Bytes, tag: &str) -> Bytes {
        json::tagged(frame, tag).into()
    }

    fn notice(&self, notice: &Notice<'_>, about: Option<About<'_>>) -> Option<Bytes> {
        Some(json::notice(notice, about).to_string().into())
    }
}

/// Answers 401 before the upgrade if the credential is missing or bad.
pub(super) async fn connect(
    State(app): State<App>,
    peer: ClientAddress,
    query: Query,
    headers: HeaderMap,
    upgrade: Option<Extension<OnUpgrade>>,
) -> Result<Response> {
    check_parameters(&query, &["token", "ticket"])?;
    let offered = Offered::parse(&headers);
    let shown = Shown::of(&app, &query, &headers)
        .await?
        .or_else(|| offered.token.clone().map(Shown::Bearer));
    let session = Session::open(app, shown, peer, &Ws).await?;
    let handshake = Handshake::parse(&headers, upgrade.map(|Extension(upgrade)| upgrade))
        .ok_or_else(|| {
            Error::refused("Bad request", "This endpoint speaks WebSocket, version 13")
        })?;
    let (response, upgrade) = handshake.accept(offered.selected);
    let hub = session.app.hub.clone();
    hub.spawn(serve(upgrade, session));
    Ok(response)
}

/// What `Sec-WebSocket-Protocol` offers. A browser cannot send a token in any other header, and
/// insists on the answer naming one of its offers.
struct Offered {
    token: Option<Box<str>>,
    selected: Option<HeaderValue>,
}

impl Offered {
    fn parse(headers: &HeaderMap) -> Self {
        let lists = headers
            .get_all(header::SEC_WEBSOCKET_PROTOCOL)
            .iter()
            .filter_map(|list| list.to_str().ok());
        let offers: Vec<&str> = lists
            .flat_map(|list| list.split(','))
            .map(str::trim)
            .filter(|o| !o.is_empty())
            .collect();
        let is_token = |offer: &&&str| offer.starts_with("sb_") || offer.split('.').count() == 3;
        let token = match offers.as_slice() {
            [only] => Some(only),
            several => several.iter().find(is_token),
        };
        let selected = offers.iter().find(|offer| Some(*offer) != token).or(token);
        Self {
            token: token.map(|token| (*token).into()),
            selected: selected.and_then(|selected| HeaderValue::from_str(selected).ok()),
        }
    }
}

async fn serve(upgrade: OnUpgrade, session: Session) {
    let most = session
        .app
        .config
        .realtime
        .max_message_bytes
        .saturating_mul(TAKEN_IN);
    // The peer may be gone already.
    let Ok(mut socket) = Socket::open(upgrade, most).await else {
        return;
    };
    let reason = converse(&mut socket, &session).await;
    drop(session);
    if let Some(reason) = reason {
        // The peer may be gone or deaf.
        let _ = timeout(
            GRACE,
            Box::pin(socket.close(reason.code(), reason.reason())),
        )
        .await;
    }
}

/// Exchanges messages until one side ends it; returns the reason if it was this one.
async fn converse(socket: &mut Socket, session: &Session) -> Option<Close> {
    let queue = session.connection.queue();
    let mut pace = Pace::new(session.app.config.realtime.max_messages_per_second);
    let mut frames = Vec::new();
    loop {
        tokio::select! {
            taken = session.connection.next(&mut frames) => {
                if let ControlFlow::Break(reason) = send(socket, queue, &mut frames, taken).await {
                    return reason;
                }
                if frames.capacity() > KEPT_FRAMES {
                    frames = Vec::new();
                }
            }
            mut frames = rooms::frames(session) => {
                // Apart, so that connections without rooms need no memory for it.
                let sending = Box::pin(send(socket, queue, &mut frames, Taken::default()));
                if let ControlFlow::Break(reason) = sending.await {
                    return reason;
                }
            }
            message = socket.receive() => {
                session.connection.heard();
                match message {
                    Some(Ok(Message::Text(text))) => Box::pin(hear(session, &mut pace, text.as_bytes())).await,
                    Some(Ok(Message::Binary(bytes))) => Box::pin(hear(session, &mut pace, &bytes)).await,
                    Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                    Some(Ok(Message::Close(_))) => {
                        // Sends the answer to the peer's close frame.
                        let _ = timeout(GRACE, socket.flush()).await;
                        return None;
                    }
                    Some(Err(SocketError::Capacity(_))) => return Some(Close::TooLarge),
                    Some(Err(_)) | None => return None,
                }
            }
        }
    }
}

/// Sends what was taken out of the queue; breaks if that was the end.
async fn send(
    socket: &mut Socket,
    queue: &Queue,
    frames: &mut Vec<Bytes>,
    taken: Taken,
) -> ControlFlow<Option<Close>> {
    let mut writing = pin!(write(socket, frames, taken.ping));
    let (written, reason) = tokio::select! {
        biased;
        written = &mut writing => (written.is_ok(), taken.close),
        reason = queue.closed() => {
            // Whoever reads too slowly has been waited for long enough.
            let written = reason != Close::Overload && matches!(timeout(GRACE, writing).await, Ok(Ok(())));
            (written, Some(reason))
        }
    };
    if written && reason.is_none() {
        ControlFlow::Continue(())
    } else {
        ControlFlow::Break(reason)
    }
}

async fn write(
    socket: &mut Socket,
    frames: &mut Vec<Bytes>,
    ping: bool,
) -> Result<(), SocketError> {
    socket.write(frames).await?;
    frames.clear();
    if ping { socket.ping().await } else { Ok(()) }
}

/// Handles one message.
async fn hear(session: &Session, pace: &mut Pace, message: &[u8]) {
    let queue = session.connection.queue();
    if message.len() > session.app.config.realtime.max_message_bytes {
        queue.close(Close::TooLarge);
        return;
    }
    let answer = match serde_json::from_slice(message) {
        Ok(Value::Object(message)) => obey(session, pace, message).await,
        _ if pace.allows() => Err(json::error("Invalid JSON", "invalid_json", None)),
        _ => Err(too_fast()),
    };
    if let Err(refusal) = answer {
        queue.push(refusal.to_string().into());
    }
}

/// Carries out a command, or says why not.
async fn obey(
    session: &Session,
    pace: &mut Pace,
    message: Map<String, Value>,
) -> Result<(), Value> {
    if message::action(&message) != "ping" && !pace.allows() {
        return Err(too_fast());
    }
    let message = match session
        .hook(
            |hooks| &hooks.realtime_message,
            None,
            Some(&message.clone().into()),
        )
        .await
    {
        Ok(Some(Value::Object(changed))) => changed,
        Ok(_) => message,
        Err(error) => return Err(refused(&error, None, None)),
    };
    if let Some(done) = Box::pin(rooms::obey(session, &message)).await {
        return done;
    }
    let command = message::parse(&message).map_err(|fault| {
        let mut frame = json::error(&fault.message, fault.code, fault.collection.as_deref());
        json::name(&mut frame, fault.reference.as_deref());
        frame
    })?;
    match command {
        ClientMessage::Ping => {
            session
                .connection
                .queue()
                .push(json::pong(session.app.clock.now()).to_string().into());
            Ok(())
        }
        ClientMessage::Subscribe(wish) => subscribe(session, *wish).await,
        ClientMessage::Unsubscribe {
            collection,
            reference,
        } => unsubscribe(session, collection, reference).await,
        ClientMessage::Authenticate(token) => authenticate(session, &token).await,
    }
}

async fn subscribe(session: &Session, wish: Wish) -> Result<(), Value> {
    let (collection, reference) = (wish.collection.clone(), wish.reference.clone());
    let refused = |error: &Error| refused(error, Some(&collection), reference.as_deref());
    let hooked = session
        .hook(|hooks| &hooks.realtime_subscribe, Some(&collection), None)
        .await;
    hooked.map_err(|error| refused(&error))?;
    let operations = wish.operations.unwrap_or(Operations::ALL);
    let mut ack = json::subscribed(&collection, operations, session.app.clock.now());
    json::name(&mut ack, reference.as_deref());
    if wish.extended && wish.since.is_none() && wish.snapshot.is_none() {
        // Whoever has heard nothing yet can go on from here, too.
        ack["cursor"] = session.app.changes.caught_up().await.to_string().into();
    }
    if let Some(warning) = warning(session, &wish) {
        ack["warning"] = warning.into();
    }
    let page = |items: &[String], more| {
        json::snapshot(&collection, reference.as_deref(), items, more).into()
    };
    let subscribe = session
        .subscription(wish, page, Some(ack.to_string().into()))
        .await;
    let subscribed = session
        .connection
        .subscribe(subscribe.map_err(|error| refused(&error))?)
        .await;
    subscribed.map_err(|reason| match reason {
        Refused::TooMany(most) => {
            let message = format!("Max subscriptions reached ({most})");
            let mut frame = json::error(&message, "max_subscriptions", Some(&collection));
            json::name(&mut frame, reference.as_deref());
            frame
        }
        Refused::Invalid(error) => refused(&error),
    })
}

/// What a client of the published protocol should know: it acknowledges any name, though nothing
/// will come of it.
fn warning(session: &Session, wish: &Wish) -> Option<String> {
    let is_unknown = session
        .app
        .catalog
        .current()
        .by_name(&wish.collection)
        .is_none();
    let unknown =
        is_unknown.then(|| format!("Collection '{}' does not exist", shorten(&wish.collection)));
    unknown.or_else(|| wish.warning.clone())
}

async fn unsubscribe(
    session: &Session,
    collection: Option<String>,
    reference: Option<String>,
) -> Result<(), Value> {
    let mut ack = json::unsubscribed(collection.as_deref(), session.app.clock.now());
    json::name(&mut ack, reference.as_deref());
    let name = match &reference {
        Some(reference) => format!("\0{reference}"),
        None => collection.clone().unwrap_or_default(),
    };
    session
        .connection
        .unsubscribe(&name, ack.to_string().into());
    let hooked = session
        .hook(
            |hooks| &hooks.realtime_unsubscribe,
            collection.as_deref(),
            None,
        )
        .await;
    hooked
        .map(drop)
        .map_err(|error| refused(&error, collection.as_deref(), reference.as_deref()))
}

async fn authenticate(session: &Session, token: &str) -> Result<(), Value> {
    session
        .authenticate(Shown::Bearer(token.into()))
        .await
        .map_err(|error| refused(&error, None, None))?;
    let caller = session.connection.caller();
    let expires_at = caller
        .principal()
        .and_then(|principal| principal.expires_at);
    let answer = json::authenticated(expires_at, session.app.clock.now());
    session.connection.queue().push(answer.to_string().into());
    Ok(())
}

pub(super) fn refused(error: &Error, collection: Option<&str>, reference: Option<&str>) -> Value {
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
    json::name(&mut frame, reference);
    frame
}

fn too_fast() -> Value {
    json::error("Too many messages", "rate_limited", None)
}

/// How many messages a client may send.
struct Pace {
    per_second: f64,
    allowance: f64,
    at: Instant,
}

impl Pace {
    fn new(per_second: u32) -> Self {
        let per_second = f64::from(per_second);
        Self {
            per_second,
            allowance: per_second * BURST,
            at: Instant::now(),
        }
    }

    fn allows(&mut self) -> bool {
        let now = Instant::now();
        let earned = now.duration_since(self.at).as_secs_f64() * self.per_second;
        self.at = now;
        self.allowance = (self.allowance + earned).min(self.per_second * BURST);
        if self.allowance < 1.0 {
            return false;
        }
        self.allowance -= 1.0;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offered(list: &str) -> (Option<String>, Option<String>) {
        let mut headers = HeaderMap::new();
        headers.insert(header::SEC_WEBSOCKET_PROTOCOL, list.parse().unwrap());
        let offered = Offered::parse(&headers);
        let selected = offered
            .selected
            .map(|selected| selected.to_str().unwrap().to_owned());
        (offered.token.map(String::from), selected)
    }

    #[test]
    fn one_of_the_offered_protocols_is_the_token_and_another_is_named_if_there_is_one() {
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(offered("a.b.c"), (some("a.b.c"), some("a.b.c")));
        assert_eq!(offered("bearer, a.b.c"), (some("a.b.c"), some("bearer")));
        assert_eq!(
            offered("sb_ak.x, snackbase"),
            (some("sb_ak.x"), some("snackbase"))
        );
        assert_eq!(offered("x, y"), (None, some("x")));
        assert_eq!(offered(" , "), (None, None));
    }
}
