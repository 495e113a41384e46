//! Confirming addresses.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::accounts::{ConfirmedAddress, VerificationTarget};
use crate::app::App;
use crate::auth::Caller;
use crate::error::Result;
use crate::http::api::message::Message;
use crate::http::client::{AnyCaller, ClientAddress};
use crate::http::extract::{JsonBody, OptionalBody, SignedIn};

/// A token out of a mail.
#[derive(Deserialize, ToSchema)]
pub(super) struct TokenRequest {
    /// The token.
    token: String,
}

/// The user of an address that was confirmed.
#[derive(Serialize, ToSchema)]
pub(super) struct VerifiedUser {
    /// The id.
    id: String,
    /// The address.
    email: String,
    /// True.
    email_verified: bool,
}

impl From<ConfirmedAddress> for VerifiedUser {
    fn from(confirmed: ConfirmedAddress) -> Self {
        Self {
            id: confirmed.id,
            email: confirmed.email,
            email_verified: true,
        }
    }
}

/// An address that was confirmed.
#[derive(Serialize, ToSchema)]
pub(super) struct VerifiedResponse {
    /// Sentence that says what was done.
    message: &'static str,
    /// The user whose address it is.
    user: VerifiedUser,
}

/// Confirms the address that a token was mailed to.
#[utoipa::path(
    post,
    path = "/api/v1/auth/verify-email",
    tag = "auth",
    request_body = TokenRequest,
    responses((status = 200, body = VerifiedResponse)),
)]
pub(super) async fn verify_email(
    State(app): State<App>,
    ClientAddress(address): ClientAddress,
    JsonBody(request): JsonBody<TokenRequest>,
) -> Result<Json<VerifiedResponse>> {
    let confirmed = app.accounts.verify_email(&request.token, address).await?;
    Ok(Json(VerifiedResponse {
        message: "Email verified successfully",
        user: confirmed.into(),
    }))
}

/// The address to be confirmed.
#[derive(Deserialize, ToSchema)]
pub(super) struct VerificationRequest {
    /// The address; the caller's own if it is absent.
    #[serde(default)]
    email: Option<String>,
    /// The account, for callers who are not signed in.
    #[serde(default)]
    account: Option<String>,
}

impl From<VerificationRequest> for VerificationTarget {
    fn from(request: VerificationRequest) -> Self {
        Self {
            email: request.email,
            account: request.account,
        }
    }
}

/// Sends the caller a mail to confirm the address; superadmins may name another user's.
#[utoipa::path(
    post,
    path = "/api/v1/auth/send-verification",
    tag = "auth",
    request_body = Option<VerificationRequest>,
    responses((status = 200, body = Message), (status = 404)),
)]
pub(super) async fn send_verification(
    State(app): State<App>,
    SignedIn(principal): SignedIn,
    ClientAddress(address): ClientAddress,
    OptionalBody(request): OptionalBody<VerificationRequest>,
) -> Result<Json<Message>> {
    let message = app
        .accounts
        .send_verification(
            &Caller::User(principal),
            &request.map(Into::into).unwrap_or_default(),
            address,
        )
        .await?;
    Ok(Json(Message::new(message)))
}

/// Sends another mail to confirm an address, also to users who cannot sign in yet: then the answer
/// is always the same.
#[utoipa::path(
    post,
    path = "/api/v1/auth/resend-verification",
    tag = "auth",
    request_body = Option<VerificationRequest>,
    responses((status = 200, body = Message), (status = 404)),
)]
pub(super) async fn resend_verification(
    State(app): State<App>,
    AnyCaller { caller, .. }: AnyCaller,
    ClientAddress(address): ClientAddress,
    OptionalBody(request): OptionalBody<VerificationRequest>,
) -> Result<Json<Message>> {
    let message = app
        .accounts
        .resend_verification(
            &caller,
            request.map(Into::into).unwrap_or_default(),
            address,
        )
        .await?;
    Ok(Json(Message::new(message)))
}
