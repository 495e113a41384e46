//! Invitations to join an account.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::accounts::{
    InvitationAccept, InvitationCreate, InvitationDetails, InvitationFilter, InvitationList,
    InvitationResent, InvitationStatus, InvitationView, LoginResponse,
};
use crate::app::App;
use crate::auth::Caller;
use crate::error::{Error, Problem, Result};
use crate::http::client::{ClientAddress, SessionOrigin};
use crate::http::error::ErrorBody;
use crate::http::extract::{JsonBody, Query, SignedIn};

/// The routes below `/api/v1/invitations`. What stands behind that is a token for those who are
/// invited, an id for those who invite.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(details, cancel))
        .routes(routes!(resend))
        .routes(routes!(accept))
}

/// The account's invitations, newest first; for superadmins those of every account, or of the one
/// that is named.
#[utoipa::path(get, path = "/api/v1/invitations", tag = "invitations",
    params(("status_filter" = Option<InvitationStatus>, Query), ("account_id" = Option<String>, Query),
        ("page" = Option<i64>, Query, minimum = 1, maximum = 1_000_000), ("page_size" = Option<i64>, Query, minimum = 1, maximum = 100)),
    responses((status = 200, body = InvitationList), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody),
        (status = 422, body = ErrorBody)))]
async fn list(
    State(app): State<App>,
    SignedIn(principal): SignedIn,
    query: Query,
) -> Result<Json<InvitationList>> {
    query.refuse_misspelt(&["status_filter", "account_id", "page", "page_size"])?;
    let status = |name: &str| {
        InvitationStatus::parse(name).ok_or_else(|| {
            let msg = "Input should be 'pending', 'accepted', 'expired' or 'cancelled'";
            Error::malformed(Problem::query("status_filter", "enum", msg, name))
        })
    };
    let page_size = query.number("page_size", 100, 1..=100)?;
    let page = query.number("page", 1, 1..=1_000_000)?;
    let filter = InvitationFilter {
        account_id: query.get("account_id").map(Into::into),
        status: query.get("status_filter").map(status).transpose()?,
        skip: (page - 1) * page_size,
        limit: page_size,
    };
    app.accounts
        .invitations(&Caller::User(principal), &filter)
        .await
        .map(Json)
}

/// Asks somebody to join the account. Needs the role `admin`. The answer has the token of the link,
/// which is mailed as well.
#[utoipa::path(post, path = "/api/v1/invitations", tag = "invitations", request_body = InvitationCreate,
    responses((status = 201, body = InvitationView), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody), (status = 404, body = ErrorBody), (status = 409, body = ErrorBody),
        (status = 422, body = ErrorBody), (status = 429, body = ErrorBody)))]
async fn create(
    State(app): State<App>,
    SignedIn(principal): SignedIn,
    ClientAddress(address): ClientAddress,
    JsonBody(request): JsonBody<InvitationCreate>,
) -> Result<(StatusCode, Json<InvitationView>)> {
    Ok((
        StatusCode::CREATED,
        Json(
            app.accounts
                .invite(&Caller::User(principal), request, address)
                .await?,
        ),
    ))
}

/// Gives a pending invitation a new link and mails it; the link before is void. Needs the role
/// `admin`.
#[utoipa::path(post, path = "/api/v1/invitations/{id}/resend", tag = "invitations", params(("id" = String, Path)),
    responses((status = 200, body = InvitationResent), (status = 400, body = ErrorBody),
        (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody),
        (status = 429, body = ErrorBody)))]
async fn resend(
    State(app): State<App>,
    SignedIn(principal): SignedIn,
    ClientAddress(address): ClientAddress,
    Path(id): Path<String>,
) -> Result<Json<InvitationResent>> {
    app.accounts
        .resend_invitation(&Caller::User(principal), &id, address)
        .await
        .map(Json)
}

/// Takes an invitation back; what is behind the slash is its id. Needs the role `admin`.
#[utoipa::path(delete, path = "/api/v1/invitations/{token}", tag = "invitations", params(("token" = String, Path)),
    responses((status = 204), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody)))]
async fn cancel(
    State(app): State<App>,
    SignedIn(principal): SignedIn,
    Path(id): Path<String>,
) -> Result<StatusCode> {
    app.accounts
        .cancel_invitation(&Caller::User(principal), &id)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What an invitation is about, for whoever has its token.
#[utoipa::path(get, path = "/api/v1/invitations/{token}", tag = "invitations", params(("token" = String, Path)),
    responses((status = 200, body = InvitationDetails), (status = 400, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 429, body = ErrorBody)))]
async fn details(
    State(app): State<App>,
    ClientAddress(address): ClientAddress,
    Path(token): Path<String>,
) -> Result<Json<InvitationDetails>> {
    app.accounts
        .invitation_details(&token, address)
        .await
        .map(Json)
}

/// Accepts an invitation: makes a user with the chosen password, and signs it in.
#[utoipa::path(post, path = "/api/v1/invitations/{token}/accept", tag = "invitations",
    params(("token" = String, Path)), request_body = InvitationAccept,
    responses((status = 200, body = LoginResponse), (status = 400, body = ErrorBody), (status = 404, body = ErrorBody),
        (status = 409, body = ErrorBody), (status = 422, body = ErrorBody), (status = 429, body = ErrorBody)))]
async fn accept(
    State(app): State<App>,
    SessionOrigin(origin): SessionOrigin,
    Path(token): Path<String>,
    JsonBody(request): JsonBody<InvitationAccept>,
) -> Result<Json<LoginResponse>> {
    app.accounts
        .accept_invitation(&token, request, origin)
        .await
        .map(Json)
}
