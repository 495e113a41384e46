//! Inviting, inviting again and taking back.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::view::InvitationView;
use crate::accounts::NewInvitation;
use crate::app::App;
use crate::auth::Caller;
use crate::error::Result;
use crate::http::api::roles::view::RoleId;
use crate::http::client::ClientAddress;
use crate::http::extract::{JsonBody, SignedIn};

/// Somebody to be asked to join an account.
#[derive(Deserialize, ToSchema)]
pub(super) struct InvitationCreate {
    /// The address.
    email: String,
    /// The id of the role that the user gets; that of `user` if there is none.
    #[serde(default)]
    #[schema(value_type = Option<i64>)]
    role_id: Option<RoleId>,
    /// The name of that role, if its id is absent.
    #[serde(default)]
    role: Option<String>,
    /// Ids or names of groups that the user gets into.
    #[serde(default)]
    groups: Vec<String>,
    /// The account, for superadmins; the caller's if it is absent.
    #[serde(default)]
    account_id: Option<String>,
}

impl From<InvitationCreate> for NewInvitation {
    fn from(request: InvitationCreate) -> Self {
        Self {
            email: request.email,
            role_id: request.role_id.map(|id| id.0),
            role: request.role,
            groups: request.groups,
            account_id: request.account_id,
        }
    }
}

/// Asks somebody to join the account. Needs the role `admin`. The answer has the token of the link,
/// which is mailed as well.
#[utoipa::path(
    post,
    path = "/api/v1/invitations",
    tag = "invitations",
    request_body = InvitationCreate,
    responses((status = 201, body = InvitationView), (status = 404), (status = 409)),
)]
pub(super) async fn create(
    State(app): State<App>,
    SignedIn(principal): SignedIn,
    ClientAddress(address): ClientAddress,
    JsonBody(request): JsonBody<InvitationCreate>,
) -> Result<(StatusCode, Json<InvitationView>)> {
    let invitation = app
        .accounts
        .invite(&Caller::User(principal), request.into(), address)
        .await?;
    Ok((StatusCode::CREATED, Json(invitation.into())))
}

/// An invitation with another link than before.
#[derive(Serialize, ToSchema)]
pub(super) struct InvitationResent {
    /// Sentence that says what was done.
    message: &'static str,
    /// The token in its link; the one before is void.
    token: String,
}

/// Gives a pending invitation a new link and mails it; the link before is void. Needs the role
/// `admin`.
#[utoipa::path(
    post,
    path = "/api/v1/invitations/{id}/resend",
    tag = "invitations",
    params(("id" = String, Path)),
    responses((status = 200, body = InvitationResent)),
)]
pub(super) async fn resend(
    State(app): State<App>,
    SignedIn(principal): SignedIn,
    ClientAddress(address): ClientAddress,
    Path(id): Path<String>,
) -> Result<Json<InvitationResent>> {
    let token = app
        .accounts
        .resend_invitation(&Caller::User(principal), &id, address)
        .await?;
    Ok(Json(InvitationResent {
        message: "The invitation has a new link, and the one before is void",
        token,
    }))
}

/// Takes an invitation back; the last part of the path is its id. Needs the role `admin`.
#[utoipa::path(
    delete,
    path = "/api/v1/invitations/{token}",
    tag = "invitations",
    params(("token" = String, Path)),
    responses((status = 204)),
)]
pub(super) async fn cancel(
    State(app): State<App>,
    SignedIn(principal): SignedIn,
    Path(id): Path<String>,
) -> Result<StatusCode> {
    app.accounts
        .cancel_invitation(&Caller::User(principal), &id)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
