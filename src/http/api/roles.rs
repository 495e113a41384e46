//! Roles, for superadmins, and the meaning of collections' rules for them.

mod list;
mod permissions;
mod rule;
pub mod view;
mod write;

use utoipa_axum::routes;

use crate::access::api_key_scope::ADMIN;
use crate::http::endpoint::Endpoints;

/// The endpoints below `/api/v1/roles`.
pub fn endpoints() -> Endpoints {
    Endpoints::new()
        .superadmin(ADMIN, routes!(list::list))
        .superadmin(ADMIN, routes!(write::create))
        .superadmin(ADMIN, routes!(list::get))
        .superadmin(ADMIN, routes!(write::update))
        .superadmin(ADMIN, routes!(write::delete))
        .superadmin(ADMIN, routes!(rule::validate))
        .superadmin(ADMIN, routes!(rule::test))
        .superadmin(ADMIN, routes!(permissions::permissions))
        .superadmin(ADMIN, routes!(permissions::matrix))
}
