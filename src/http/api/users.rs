//! Users, for superadmins.

mod create;
mod credentials;
mod list;
mod update;
pub mod view;

use utoipa_axum::routes;

use crate::access::api_key_scope::ADMIN;
use crate::http::endpoint::Endpoints;

/// The endpoints below `/api/v1/users`.
pub fn endpoints() -> Endpoints {
    Endpoints::new()
        .superadmin(ADMIN, routes!(list::list))
        .superadmin(ADMIN, routes!(create::create))
        .superadmin(ADMIN, routes!(list::get))
        .superadmin(ADMIN, routes!(update::update))
        .superadmin(ADMIN, routes!(update::delete))
        .superadmin(ADMIN, routes!(credentials::set_password))
        .superadmin(ADMIN, routes!(credentials::verify))
        .superadmin(ADMIN, routes!(credentials::resend_verification))
}
