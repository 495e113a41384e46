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

use axum::Router;
use axum::routing::get;

use crate::app::App;

/// The routes below `/api/v1/realtime`.
pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/api/v1/realtime/ws", get(ws::connect))
        .route("/api/v1/realtime/subscribe", get(sse::subscribe))
        .route("/api/v1/realtime/events", get(sse::subscribe))
}
