//! The view of the server for people who run it: its last requests, its figures, its settings,
//! the types of its records.

mod figures;
mod requests;
mod settings;
mod types;

use utoipa_axum::routes;

use crate::access::api_key_scope::ADMIN;
use crate::http::endpoint::Endpoints;

/// `/api/v1/admin/requests`, `/admin/figures`, `/admin/settings` and `/admin/types/typescript`.
pub fn endpoints() -> Endpoints {
    Endpoints::new()
        .superadmin(ADMIN, routes!(requests::requests))
        .superadmin(ADMIN, routes!(figures::figures))
        .superadmin(ADMIN, routes!(settings::settings))
        .superadmin(ADMIN, routes!(types::typescript_types))
}
