//! Looking at an invitation, and accepting it.

use axum::Json;
use axum::extract::{Path, State};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::accounts::InvitationOffer;
use crate::app::App;
use crate::error::Result;
use crate::http::api::auth::view::LoginResponse;
use crate::http::client::{ClientAddress, SessionOrigin};
use crate::http::extract::JsonBody;

/// An invitation, for callers who have its token.
#[derive(Serialize, ToSchema)]
pub(super) struct InvitationDetails {
    /// The address.
    email: String,
    /// The account's name.
    account_name: String,
    /// The address of the user who invites.
    invited_by_name: String,
    /// Time until which it can be accepted.
    #[serde(serialize_with = "crate::clock::serialize")]
    #[schema(value_type = String)]
    expires_at: DateTime<Utc>,
    /// True.
    is_valid: bool,
}

impl From<InvitationOffer> for InvitationDetails {
    fn from(offer: InvitationOffer) -> Self {
        Self {
            email: offer.email,
            account_name: offer.account_name,
            invited_by_name: offer.invited_by_name,
            expires_at: offer.expires_at,
            is_valid: true,
        }
    }
}

/// The invitation that a token belongs to.
#[utoipa::path(
    get,
    path = "/api/v1/invitations/{token}",
    tag = "invitations",
    params(("token" = String, Path)),
    responses((status = 200, body = InvitationDetails)),
)]
pub(super) async fn details(
    State(app): State<App>,
    ClientAddress(address): ClientAddress,
    Path(token): Path<String>,
) -> Result<Json<InvitationDetails>> {
    let invitation = app.accounts.invitation_details(&token, address).await?;
    Ok(Json(invitation.into()))
}

/// Somebody who joins.
#[derive(Deserialize, ToSchema)]
pub(super) struct InvitationAccept {
    /// The password that the new user signs in with.
    password: String,
}

/// Accepts an invitation: makes a user with the chosen password, and signs it in.
#[utoipa::path(
    post,
    path = "/api/v1/invitations/{token}/accept",
    tag = "invitations",
    params(("token" = String, Path)),
    request_body = InvitationAccept,
    responses((status = 200, body = LoginResponse), (status = 409)),
)]
pub(super) async fn accept(
    State(app): State<App>,
    SessionOrigin(origin): SessionOrigin,
    Path(token): Path<String>,
    JsonBody(request): JsonBody<InvitationAccept>,
) -> Result<Json<LoginResponse>> {
    let invitation = app
        .accounts
        .accept_invitation(&token, request.password, origin)
        .await?;
    Ok(Json(invitation.into()))
}
