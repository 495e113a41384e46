//! Passwords and addresses of users.

use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::accounts::PasswordChange;
use crate::app::App;
use crate::error::Result;
use crate::http::api::message::Message;
use crate::http::extract::{JsonBody, Superadmin};

/// A new password for a user, or a mail with which the user sets one.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default)]
pub(super) struct NewPassword {
    /// The new password.
    new_password: Option<String>,
    /// True to send a mail instead.
    send_reset_link: bool,
}

impl From<NewPassword> for PasswordChange {
    fn from(request: NewPassword) -> Self {
        Self {
            new_password: request.new_password,
            send_reset_link: request.send_reset_link,
        }
    }
}

/// Sets a user's password, or sends the user a link to set one. Every session of the user ends.
#[utoipa::path(
    put,
    path = "/api/v1/users/{id}/password",
    tag = "users",
    params(("id" = String, Path)),
    request_body = NewPassword,
    responses((status = 200, body = Message)),
)]
pub(super) async fn set_password(
    State(app): State<App>,
    Superadmin(caller): Superadmin,
    Path(id): Path<String>,
    JsonBody(request): JsonBody<NewPassword>,
) -> Result<Json<Message>> {
    let message = app
        .accounts
        .set_password(&caller, &id, request.into())
        .await?;
    Ok(Json(Message::new(message)))
}

/// Confirms a user's address without a mail.
#[utoipa::path(
    post,
    path = "/api/v1/users/{id}/verify",
    tag = "users",
    params(("id" = String, Path)),
    responses((status = 200, body = Message)),
)]
pub(super) async fn verify(
    State(app): State<App>,
    Superadmin(caller): Superadmin,
    Path(id): Path<String>,
) -> Result<Json<Message>> {
    let message = app.accounts.verify_user(&caller, &id).await?;
    Ok(Json(Message::new(message)))
}

/// Sends a user another mail to confirm the address.
#[utoipa::path(
    post,
    path = "/api/v1/users/{id}/resend-verification",
    tag = "users",
    params(("id" = String, Path)),
    responses((status = 200, body = Message)),
)]
pub(super) async fn resend_verification(
    State(app): State<App>,
    Superadmin(caller): Superadmin,
    Path(id): Path<String>,
) -> Result<Json<Message>> {
    let message = app.accounts.resend_user_verification(&caller, &id).await?;
    Ok(Json(Message::new(message)))
}
