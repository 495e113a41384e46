//! Collections: their definitions, for superadmins.

mod list;
mod rules;
mod schema;
mod transfer;
mod validate;
mod view;
mod write;

use utoipa_axum::routes;

use crate::access::api_key_scope::ADMIN;
use crate::http::endpoint::Endpoints;

/// The endpoints below `/api/v1/collections`.
pub fn endpoints() -> Endpoints {
    Endpoints::new()
        .superadmin(ADMIN, routes!(list::list))
        .superadmin(ADMIN, routes!(list::names))
        .superadmin(ADMIN, routes!(transfer::export))
        .superadmin(ADMIN, routes!(transfer::import))
        .superadmin(ADMIN, routes!(write::create))
        .superadmin(ADMIN, routes!(list::get))
        .superadmin(ADMIN, routes!(write::update))
        .superadmin(ADMIN, routes!(validate::validate))
        .superadmin(ADMIN, routes!(write::rename))
        .superadmin(ADMIN, routes!(write::delete))
        .superadmin(ADMIN, routes!(rules::rules))
        .superadmin(ADMIN, routes!(rules::set_rules))
}
