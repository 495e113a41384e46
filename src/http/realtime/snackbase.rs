//! The SnackBase protocol: JSON messages over WebSocket, or server-sent events whose subscriptions
//! are in the query.

mod close;
mod commands;
mod json;
pub mod message;
mod refusal;
pub mod request;
mod rooms;
mod socket;
pub(super) mod sse;
mod subscribe;
pub(super) mod ws;

use axum::routing::{MethodRouter, get};

use crate::access::api_key_scope::RECORDS_READ;
use crate::app::App;
use crate::http::endpoint::{CallerLevel, Endpoints};

/// The handshakes below `/api/v1/realtime`.
pub(super) fn endpoints() -> Endpoints {
    let handshakes: [(&'static str, MethodRouter<App>); 3] = [
        ("/api/v1/realtime/ws", get(ws::connect)),
        ("/api/v1/realtime/subscribe", get(sse::subscribe)),
        ("/api/v1/realtime/events", get(sse::subscribe)),
    ];
    handshakes
        .into_iter()
        .fold(Endpoints::new(), |endpoints, (path, handler)| {
            let level = CallerLevel::Handshake;
            endpoints.undocumented(level, RECORDS_READ, ("GET", path), handler)
        })
}
