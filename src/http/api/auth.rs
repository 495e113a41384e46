//! Registering, signing in and out, confirming addresses, forgotten passwords.

mod password;
mod register;
mod session;
mod verification;
pub mod view;

use utoipa_axum::routes;

use crate::access::api_key_scope::{ADMIN, ANY_KEY};
use crate::http::endpoint::Endpoints;

/// The endpoints below `/api/v1/auth`.
pub fn endpoints() -> Endpoints {
    Endpoints::new()
        .everyone(routes!(register::register))
        .everyone(routes!(session::login))
        .everyone(routes!(session::refresh))
        .signed_in(ANY_KEY, routes!(session::me))
        .everyone_known(ANY_KEY, routes!(session::logout))
        .everyone(routes!(verification::verify_email))
        .signed_in(ADMIN, routes!(verification::send_verification))
        .everyone_known(ANY_KEY, routes!(verification::resend_verification))
        .everyone(routes!(password::forgot_password))
        .everyone(routes!(password::reset_password))
        .everyone(routes!(password::verify_reset_token))
}
