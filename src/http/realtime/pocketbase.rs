//! The realtime protocol of the `pocketbase` npm package: one stream of server-sent events, and a
//! request that names the topics that it carries.
//!
//! The stream is anonymous at first. The first request with topics says who its reader is; from then
//! on it is a connection of the hub like any other, with the same rules, masks and order. The
//! protocol has no frames for events that were missed during a break: a client that must miss
//! nothing uses a protocol that has them.

pub mod body;
mod client;
mod endpoints;
mod error;
pub(super) mod protocol;
mod subscriptions;
pub mod topic;

use std::sync::Arc;

use axum::routing::get;
use axum::{Extension, Router};

use crate::app::App;
use client::StreamClients;

/// The routes of the protocol.
pub(super) fn routes() -> Router<App> {
    Router::new()
        .route(
            "/api/realtime",
            get(endpoints::open).post(endpoints::subscribe),
        )
        .layer(Extension(Arc::<StreamClients>::default()))
}
