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
pub(super) mod protocol;
mod subscriptions;
pub mod topic;

use std::sync::Arc;

use axum::Extension;
use axum::routing::{get, post};

use crate::access::api_key_scope::RECORDS_READ;
use crate::http::endpoint::{CallerLevel, Endpoints};
use client::StreamClients;

/// The routes of the protocol.
pub(super) fn endpoints() -> Endpoints {
    let clients = Extension(Arc::<StreamClients>::default());
    Endpoints::new()
        .undocumented(
            CallerLevel::Handshake,
            RECORDS_READ,
            ("GET", "/api/realtime"),
            get(endpoints::open).layer(clients.clone()),
        )
        .undocumented(
            CallerLevel::Handshake,
            RECORDS_READ,
            ("POST", "/api/realtime"),
            post(endpoints::subscribe).layer(clients),
        )
}
