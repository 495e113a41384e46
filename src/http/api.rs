//! The endpoints of the API, a module for each noun.
//!
//! An endpoint stands in one place: its parameters, its request and response, its description in
//! the API document, and its handler. To add one:
//!
//! 1. Write the handler in the module of its noun: `groups.rs`, or `records/list.rs` where a noun
//!    has many. Above it stand, in this order, what only it uses:
//!
//!    - the query parameters, a struct that derives [`Deserialize`] and [`IntoParams`]. Its doc
//!      comments and bounds make the document, and the same bounds are enforced by
//!      [`QueryParams`];
//!    - the request, which derives [`Deserialize`] and [`ToSchema`], and the response, which derives
//!      [`Serialize`] and [`ToSchema`]. Services know neither: handlers convert;
//!    - `#[utoipa::path]` with the method, the path and the success. Refusals that follow from the
//!      route and the shape of the request are added by [`endpoint::document`]; name only others,
//!      as in `(status = 409)`.
//!
//!    The handler takes the request apart, calls one method of a service, and shapes the response.
//! 2. Add a line to `endpoints()` of the module. It names the callers that are let in and the
//!    [scope](crate::access::api_key_scope) that an API key needs: `.superadmin(ADMIN,
//!    routes!(list))`. The guard enforces this before the handler runs, so no handler checks it.
//! 3. Write the method of the service, which takes the caller and asks whether it may.
//! 4. Test it over HTTP in `tests/api/`, and accept the new line of the route table and of the API
//!    document: run `cargo run -- openapi > admin-ui/openapi.json`.
//! 5. Add a row to `tests/api/isolation/rows.rs`: the requests by which a user of another account
//!    would try to get at it. A route without one fails the test.
//!
//! [`Deserialize`]: serde::Deserialize
//! [`Serialize`]: serde::Serialize
//! [`IntoParams`]: utoipa::IntoParams
//! [`ToSchema`]: utoipa::ToSchema
//! [`QueryParams`]: super::extract::QueryParams
//! [`endpoint::document`]: super::endpoint::document

mod accounts;
mod api_keys;
mod audit;
mod auth;
mod collections;
mod dashboard;
pub(super) mod files;
mod groups;
pub(super) mod health;
mod invitations;
mod macros;
mod message;
mod operation;
mod records;
mod roles;
mod rooms;
mod rules;
mod sessions;
mod setup;
mod users;

use super::endpoint::Endpoints;
use super::realtime;

/// Every endpoint. The API document keeps this order.
pub fn endpoints() -> Endpoints {
    Endpoints::new()
        .merge(health::endpoints())
        .merge(setup::endpoints())
        .merge(auth::endpoints())
        .merge(sessions::endpoints())
        .merge(accounts::endpoints())
        .merge(users::endpoints())
        .merge(api_keys::endpoints())
        .merge(roles::endpoints())
        .merge(groups::endpoints())
        .merge(invitations::endpoints())
        .merge(dashboard::endpoints())
        .merge(collections::endpoints())
        .merge(rules::endpoints())
        .merge(macros::endpoints())
        .merge(records::endpoints())
        .merge(rooms::endpoints())
        .merge(files::endpoints())
        .merge(audit::endpoints())
        .merge(realtime::endpoints())
        .merge(operation::endpoints())
}
