//! Realtime over HTTP: sessions, credentials, and the wire protocols.
//!
//! A protocol is a folder. It turns messages into subscriptions, implements
//! [`crate::realtime::Protocol`] to turn events into frames, and has its own codes for the reasons
//! for which the server ends a connection. What the protocols share is here: `session` (a client
//! that was let in) and `credential` (what it presented).

mod connections;
mod credential;
mod event_stream;
mod parameters;
pub mod pocketbase;
mod session;
pub mod snackbase;
mod ticket;

use axum::Router;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;

/// The routes that the API document describes.
pub fn api() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(ticket::issue))
        .routes(routes!(connections::list))
        .routes(routes!(connections::close))
}

/// The routes of the wire protocols.
pub fn routes() -> Router<App> {
    Router::new()
        .merge(snackbase::routes())
        .merge(pocketbase::routes())
}
