//! Forgotten passwords.

use axum::Json;
use axum::extract::{Path, State};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::accounts::{ForgottenPassword, PasswordReset, ResetTokenValidity};
use crate::app::App;
use crate::error::Result;
use crate::http::api::message::Message;
use crate::http::client::ClientAddress;
use crate::http::extract::JsonBody;

/// The user who has forgotten a password.
#[derive(Deserialize, ToSchema)]
pub(super) struct ForgotPasswordRequest {
    /// The address.
    email: String,
    /// The account's slug, code or id; not needed in single-tenant mode.
    #[serde(default)]
    account: Option<String>,
}

impl From<ForgotPasswordRequest> for ForgottenPassword {
    fn from(request: ForgotPasswordRequest) -> Self {
        Self {
            email: request.email,
            account: request.account,
        }
    }
}

/// Sends a link to set a new password; the answer is always the same.
#[utoipa::path(
    post,
    path = "/api/v1/auth/forgot-password",
    tag = "auth",
    request_body = ForgotPasswordRequest,
    responses((status = 200, body = Message)),
)]
pub(super) async fn forgot_password(
    State(app): State<App>,
    ClientAddress(address): ClientAddress,
    JsonBody(request): JsonBody<ForgotPasswordRequest>,
) -> Result<Json<Message>> {
    let message = app
        .accounts
        .forgot_password(request.into(), address)
        .await?;
    Ok(Json(Message::new(message)))
}

/// A new password, with the token out of a mail.
#[derive(Deserialize, ToSchema)]
pub(super) struct ResetPasswordRequest {
    /// The token.
    token: String,
    /// The new password.
    new_password: String,
}

impl From<ResetPasswordRequest> for PasswordReset {
    fn from(request: ResetPasswordRequest) -> Self {
        Self {
            token: request.token,
            new_password: request.new_password,
        }
    }
}

/// Sets a new password with the token out of a mail; every session of the user ends.
#[utoipa::path(
    post,
    path = "/api/v1/auth/reset-password",
    tag = "auth",
    request_body = ResetPasswordRequest,
    responses((status = 200, body = Message)),
)]
pub(super) async fn reset_password(
    State(app): State<App>,
    ClientAddress(address): ClientAddress,
    JsonBody(request): JsonBody<ResetPasswordRequest>,
) -> Result<Json<Message>> {
    let message = app.accounts.reset_password(request.into(), address).await?;
    Ok(Json(Message::new(message)))
}

/// Validity of a token for a new password.
#[derive(Serialize, ToSchema)]
pub(super) struct ResetTokenStatus {
    /// True if it is valid.
    valid: bool,
    /// Time of its end.
    #[serde(serialize_with = "crate::clock::serialize_option")]
    #[schema(value_type = Option<String>)]
    expires_at: Option<DateTime<Utc>>,
}

impl From<ResetTokenValidity> for ResetTokenStatus {
    fn from(validity: ResetTokenValidity) -> Self {
        Self {
            valid: validity.valid,
            expires_at: validity.expires_at,
        }
    }
}

/// Validity of a token for a new password.
#[utoipa::path(
    get,
    path = "/api/v1/auth/verify-reset-token/{token}",
    tag = "auth",
    params(("token" = String, Path)),
    responses((status = 200, body = ResetTokenStatus)),
)]
pub(super) async fn verify_reset_token(
    State(app): State<App>,
    ClientAddress(address): ClientAddress,
    Path(token): Path<String>,
) -> Result<Json<ResetTokenStatus>> {
    let found = app.accounts.reset_token_status(&token, address).await?;
    Ok(Json(found.into()))
}
