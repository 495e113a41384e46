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

use utoipa_axum::routes;

use crate::access::api_key_scope::{ADMIN, RECORDS_READ};
use crate::http::endpoint::Endpoints;

/// The endpoints for tickets and connections, and the handshakes of the protocols.
pub fn endpoints() -> Endpoints {
    Endpoints::new()
        .signed_in(RECORDS_READ, routes!(ticket::issue))
        .superadmin(ADMIN, routes!(connections::list))
        .superadmin(ADMIN, routes!(connections::close))
        .merge(snackbase::endpoints())
        .merge(pocketbase::endpoints())
}
