//! Invitations to join an account.

mod accept;
mod list;
mod send;
pub mod view;

use utoipa_axum::routes;

use crate::access::api_key_scope::ADMIN;
use crate::http::endpoint::Endpoints;

/// The endpoints below `/api/v1/invitations`. The last part of a path is a token for users who are
/// invited, and an id for users who invite.
pub fn endpoints() -> Endpoints {
    Endpoints::new()
        .signed_in(ADMIN, routes!(list::list))
        .signed_in(ADMIN, routes!(send::create))
        .signed_in(ADMIN, routes!(send::resend))
        .signed_in(ADMIN, routes!(send::cancel))
        .everyone(routes!(accept::details))
        .everyone(routes!(accept::accept))
}
