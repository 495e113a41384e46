//! Registering.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::accounts::{NewRegistration, Registration};
use crate::app::App;
use crate::error::Result;
use crate::http::api::accounts::view::AccountView;
use crate::http::api::users::view::UserView;
use crate::http::client::ClientAddress;
use crate::http::extract::JsonBody;

/// A registration.
#[derive(Deserialize, ToSchema)]
pub(super) struct RegisterRequest {
    /// The address to sign in with.
    email: String,
    /// The password.
    password: String,
    /// The name of the account to be made.
    #[serde(default)]
    account_name: Option<String>,
    /// The slug of the account to be made; follows from the name if it is absent.
    #[serde(default)]
    account_slug: Option<String>,
}

impl From<RegisterRequest> for NewRegistration {
    fn from(request: RegisterRequest) -> Self {
        Self {
            email: request.email,
            password: request.password,
            account_name: request.account_name,
            account_slug: request.account_slug,
        }
    }
}

/// The answer to a registration: no tokens, the user signs in next.
#[derive(Serialize, ToSchema)]
pub(super) struct RegisterResponse {
    /// Sentence that says what comes next.
    message: &'static str,
    /// The account.
    account: AccountView,
    /// The user.
    user: UserView,
}

impl From<Registration> for RegisterResponse {
    fn from(registration: Registration) -> Self {
        Self {
            message: if registration.must_verify {
                "Registration successful. Please check your email to verify your account."
            } else {
                "Registration successful. You can sign in now."
            },
            account: registration.account.into(),
            user: registration.user.into(),
        }
    }
}

/// Registers a user, with a new account unless there is only one.
#[utoipa::path(
    post,
    path = "/api/v1/auth/register",
    tag = "auth",
    request_body = RegisterRequest,
    responses((status = 201, body = RegisterResponse), (status = 404), (status = 409)),
)]
pub(super) async fn register(
    State(app): State<App>,
    ClientAddress(address): ClientAddress,
    JsonBody(request): JsonBody<RegisterRequest>,
) -> Result<(StatusCode, Json<RegisterResponse>)> {
    let created = app.accounts.register(request.into(), address).await?;
    Ok((StatusCode::CREATED, Json(created.into())))
}
