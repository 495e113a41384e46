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
use serde_json::json;
use tokio::time::{Instant, timeout};

use super::close::close_code;
use super::socket::{Handshake, Message, Socket, SocketError};
use super::{commands, json};
use crate::app::App;
use crate::db::canonical_time;
use crate::error::{Error, Result};
use crate::http::client::ClientAddress;
use crate::http::extract::Query;
use crate::http::realtime::credential::PresentedCredential;
use crate::http::realtime::parameters::refuse_unknown;
use crate::http::realtime::session::Session;
use crate::realtime::{
    CloseReason, ControlFrame, FrameSubject, OutboundQueue, Protocol, QueueSignals, RecordEvent,
};
use crate::token_bucket::TokenBucket;

/// A message that is too large by up to this factor is still read, so that the client reads why it
/// is turned away.
const OVERSIZE_FACTOR: usize = 4;
/// Upper limit of the time that closing may take.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);
/// Seconds' worth of messages that may come at once. Pings are free.
const BURST_SECONDS: f64 = 10.0;
/// The memory of a batch is given back if it had room for more frames.
const MAX_KEPT_FRAMES: usize = 16;

/// See the module.
pub(in crate::http::realtime) struct WebSocketProtocol;

impl Protocol for WebSocketProtocol {
    fn name(&self) -> &'static str {
        "ws"
    }

    fn event_frame(&self, event: &RecordEvent<'_>) -> Bytes {
        json::event(event).into()
    }

    fn heartbeat_frame(&self, at: DateTime<Utc>) -> Bytes {
        json!({"type": "heartbeat", "timestamp": canonical_time(at)})
            .to_string()
            .into()
    }

    fn tag_frame(&self, frame: &Bytes, tag: &str) -> Bytes {
        json::tagged(frame, tag).into()
    }

    fn control_frame(
        &self,
        frame: &ControlFrame<'_>,
        subject: Option<FrameSubject<'_>>,
    ) -> Option<Bytes> {
        Some(json::control_frame(frame, subject).to_string().into())
    }
}

/// Upgrades to a WebSocket. Answers 401 before the upgrade if the credential is missing or bad.
pub(super) async fn connect(
    State(app): State<App>,
    peer: ClientAddress,
    query: Query,
    headers: HeaderMap,
    upgrade: Option<Extension<OnUpgrade>>,
) -> Result<Response> {
    refuse_unknown(&query, &["token", "ticket"])?;
    let offered = OfferedProtocols::parse(&headers);
    let credential = PresentedCredential::of_request(&app, &query, &headers)
        .await?
        .or_else(|| offered.token.clone().map(PresentedCredential::Bearer));
    let session = Session::open(app, credential, peer, &WebSocketProtocol).await?;
    let handshake = Handshake::parse(&headers, upgrade.map(|Extension(upgrade)| upgrade))
        .ok_or_else(|| {
            Error::refused("Bad request", "This endpoint speaks WebSocket, version 13")
        })?;
    let (response, upgrade) = handshake.accept(offered.selected);
    let hub = session.app.hub.clone();
    hub.spawn(serve(upgrade, session));
    Ok(response)
}

/// The offers in `Sec-WebSocket-Protocol`. A browser cannot send a token in any other header, and
/// insists on the answer naming one of its offers.
struct OfferedProtocols {
    token: Option<Box<str>>,
    selected: Option<HeaderValue>,
}

impl OfferedProtocols {
    fn parse(headers: &HeaderMap) -> Self {
        let offers: Vec<&str> = headers
            .get_all(header::SEC_WEBSOCKET_PROTOCOL)
            .iter()
            .filter_map(|list| list.to_str().ok())
            .flat_map(|list| list.split(','))
            .map(str::trim)
            .filter(|offer| !offer.is_empty())
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
    let max_bytes = session
        .app
        .config
        .realtime
        .max_message_bytes
        .saturating_mul(OVERSIZE_FACTOR);
    // The peer may be gone already.
    let Ok(mut socket) = Socket::open(upgrade, max_bytes).await else {
        return;
    };
    let reason = run_connection(&mut socket, &session).await;
    drop(session);
    if let Some(reason) = reason {
        let (code, text) = close_code(reason);
        // The peer may be gone, or read nothing.
        let _ = timeout(CLOSE_TIMEOUT, Box::pin(socket.close(code, text))).await;
    }
}

/// Exchanges messages until one side ends it; returns the reason if it was this one.
async fn run_connection(socket: &mut Socket, session: &Session) -> Option<CloseReason> {
    let queue = session.connection.queue();
    let rate = session.app.config.realtime.max_messages_per_second;
    let mut bucket = TokenBucket::new(rate, BURST_SECONDS, Instant::now());
    let mut frames = Vec::new();
    loop {
        tokio::select! {
            mut signals = session.connection.next_frames(&mut frames) => {
                if let Some(participant) = session.participant() {
                    participant.complete_frames(&mut frames, std::mem::take(&mut signals.rooms));
                }
                if let ControlFlow::Break(reason) = send_frames(socket, queue, &mut frames, signals).await {
                    return reason;
                }
                if frames.capacity() > MAX_KEPT_FRAMES {
                    frames = Vec::new();
                }
            }
            message = socket.receive() => {
                session.connection.note_peer_activity();
                match message {
                    Some(Ok(Message::Text(text))) => {
                        Box::pin(commands::handle_message(session, &mut bucket, text.as_bytes())).await;
                    }
                    Some(Ok(Message::Binary(bytes))) => {
                        Box::pin(commands::handle_message(session, &mut bucket, &bytes)).await;
                    }
                    Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                    Some(Ok(Message::Close(_))) => {
                        // Sends the answer to the peer's close frame.
                        let _ = timeout(CLOSE_TIMEOUT, socket.flush()).await;
                        return None;
                    }
                    Some(Err(SocketError::Capacity(_))) => return Some(CloseReason::TooLarge),
                    Some(Err(_)) | None => return None,
                }
            }
        }
    }
}

/// Sends frames; breaks if the connection must end.
async fn send_frames(
    socket: &mut Socket,
    queue: &OutboundQueue,
    frames: &mut Vec<Bytes>,
    signals: QueueSignals,
) -> ControlFlow<Option<CloseReason>> {
    let mut writing = pin!(write_frames(socket, frames, signals.ping));
    let (is_written, reason) = tokio::select! {
        biased;
        written = &mut writing => (written.is_ok(), signals.close),
        reason = queue.closed() => {
            // A client that reads too slowly has been waited for long enough.
            let is_written = reason != CloseReason::Overload
                && matches!(timeout(CLOSE_TIMEOUT, writing).await, Ok(Ok(())));
            (is_written, Some(reason))
        }
    };
    if is_written && reason.is_none() {
        ControlFlow::Continue(())
    } else {
        ControlFlow::Break(reason)
    }
}

async fn write_frames(
    socket: &mut Socket,
    frames: &mut Vec<Bytes>,
    ping: bool,
) -> Result<(), SocketError> {
    socket.write(frames).await?;
    frames.clear();
    if ping { socket.ping().await } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offered(list: &str) -> (Option<String>, Option<String>) {
        let mut headers = HeaderMap::new();
        headers.insert(header::SEC_WEBSOCKET_PROTOCOL, list.parse().unwrap());
        let offered = OfferedProtocols::parse(&headers);
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
