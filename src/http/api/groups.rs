//! Groups of an account's users.

mod list;
mod members;
pub mod view;
mod write;

use utoipa_axum::routes;

use crate::access::api_key_scope::ADMIN;
use crate::http::endpoint::{CallerLevel, Endpoints};

/// The endpoints below `/api/v1/groups`.
pub fn endpoints() -> Endpoints {
    Endpoints::new()
        .signed_in(ADMIN, routes!(list::list))
        .signed_in(ADMIN, routes!(write::create))
        .signed_in(ADMIN, routes!(list::get))
        .signed_in(ADMIN, routes!(write::update))
        .signed_in(ADMIN, routes!(write::delete))
        .signed_in(ADMIN, routes!(members::add_member))
        .signed_in(ADMIN, routes!(members::remove_member))
        // The names by which older clients know the members.
        .undocumented(
            CallerLevel::SignedIn,
            ADMIN,
            ("POST", "/api/v1/groups/{id}/members"),
            axum::routing::post(members::add_member),
        )
        .undocumented(
            CallerLevel::SignedIn,
            ADMIN,
            ("DELETE", "/api/v1/groups/{id}/members/{user_id}"),
            axum::routing::delete(members::remove_member),
        )
}
