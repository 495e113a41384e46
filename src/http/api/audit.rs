//! The audit trail, for superadmins.

mod export;
mod filter;
mod list;
mod verify;
pub mod view;

use utoipa_axum::routes;

use crate::access::api_key_scope::ADMIN;
use crate::http::endpoint::Endpoints;

/// The endpoints below `/api/v1/audit-logs`.
pub fn endpoints() -> Endpoints {
    Endpoints::new()
        .superadmin(ADMIN, routes!(list::list))
        .superadmin(ADMIN, routes!(export::export))
        .superadmin(ADMIN, routes!(verify::verify))
        .superadmin(ADMIN, routes!(list::get))
}
