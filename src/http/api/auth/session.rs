//! Sessions: signing in, exchanging tokens, signing out.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::view::LoginResponse;
use crate::accounts::{Profile, RefreshedTokens, SignIn};
use crate::app::App;
use crate::auth::Caller;
use crate::error::Result;
use crate::http::api::accounts::view::AccountView;
use crate::http::api::message::Message;
use crate::http::api::users::view::UserView;
use crate::http::client::{AnyCaller, ClientAddress, SessionOrigin};
use crate::http::extract::{JsonBody, OptionalBody, SignedIn};

/// A sign-in.
#[derive(Deserialize, ToSchema)]
pub(super) struct LoginRequest {
    /// The account's slug, code or id; not needed in single-tenant mode.
    #[serde(default)]
    account: Option<String>,
    /// The address.
    email: String,
    /// The password.
    password: String,
}

impl From<LoginRequest> for SignIn {
    fn from(request: LoginRequest) -> Self {
        Self {
            account: request.account,
            email: request.email,
            password: request.password,
        }
    }
}

/// Signs a user in.
#[utoipa::path(
    post,
    path = "/api/v1/auth/login",
    tag = "auth",
    request_body = LoginRequest,
    responses((status = 200, body = LoginResponse), (status = 401)),
)]
pub(super) async fn login(
    State(app): State<App>,
    SessionOrigin(origin): SessionOrigin,
    JsonBody(request): JsonBody<LoginRequest>,
) -> Result<Json<LoginResponse>> {
    let session = app.accounts.login(request.into(), origin).await?;
    Ok(Json(session.into()))
}

/// A refresh token to be exchanged.
#[derive(Deserialize, ToSchema)]
pub(super) struct RefreshRequest {
    /// The refresh token.
    refresh_token: String,
}

/// A fresh pair of tokens.
#[derive(Serialize, ToSchema)]
pub(super) struct RefreshResponse {
    /// The access token.
    token: String,
    /// The refresh token; the one that was sent is used up.
    refresh_token: String,
    /// Lifetime of the access token, in seconds.
    expires_in: i64,
}

impl From<RefreshedTokens> for RefreshResponse {
    fn from(tokens: RefreshedTokens) -> Self {
        Self {
            token: tokens.token,
            refresh_token: tokens.refresh_token,
            expires_in: tokens.expires_in,
        }
    }
}

/// Exchanges a refresh token for a fresh pair of tokens.
#[utoipa::path(
    post,
    path = "/api/v1/auth/refresh",
    tag = "auth",
    request_body = RefreshRequest,
    responses((status = 200, body = RefreshResponse), (status = 401)),
)]
pub(super) async fn refresh(
    State(app): State<App>,
    ClientAddress(address): ClientAddress,
    JsonBody(request): JsonBody<RefreshRequest>,
) -> Result<Json<RefreshResponse>> {
    let tokens = app.accounts.refresh(request.refresh_token, address).await?;
    Ok(Json(tokens.into()))
}

/// The caller.
#[derive(Serialize, ToSchema)]
pub(super) struct Me {
    /// The user's id.
    user_id: String,
    /// The account's id.
    account_id: String,
    /// The address.
    email: String,
    /// The name of the role.
    role: String,
    /// The user.
    user: UserView,
    /// The account.
    account: AccountView,
}

impl From<Profile> for Me {
    fn from(profile: Profile) -> Self {
        Self {
            user_id: profile.user_id,
            account_id: profile.account_id,
            email: profile.email,
            role: profile.role,
            user: profile.user.into(),
            account: profile.account.into(),
        }
    }
}

/// The caller.
#[utoipa::path(
    get,
    path = "/api/v1/auth/me",
    tag = "auth",
    responses((status = 200, body = Me)),
)]
pub(super) async fn me(State(app): State<App>, SignedIn(principal): SignedIn) -> Result<Json<Me>> {
    let profile = app.accounts.me(&Caller::User(principal))?;
    Ok(Json(profile.into()))
}

/// The end of a session.
#[derive(Deserialize, ToSchema)]
pub(super) struct LogoutRequest {
    /// The refresh token of the session, if the access token is not sent or has expired.
    #[serde(default)]
    refresh_token: Option<String>,
}

/// Ends the session of the token that is sent; without one there is nothing to end.
#[utoipa::path(
    post,
    path = "/api/v1/auth/logout",
    tag = "auth",
    request_body = Option<LogoutRequest>,
    responses((status = 200, body = Message)),
)]
pub(super) async fn logout(
    State(app): State<App>,
    AnyCaller { caller, token }: AnyCaller,
    OptionalBody(request): OptionalBody<LogoutRequest>,
) -> Result<Json<Message>> {
    // The token of a known caller needs no second look.
    let token = token.filter(|_| caller.principal().is_none());
    let refresh_token = request.and_then(|request| request.refresh_token);
    let tokens: Vec<&str> = token
        .as_deref()
        .into_iter()
        .chain(refresh_token.as_deref())
        .collect();
    let message = app.accounts.logout(&caller, &tokens).await?;
    Ok(Json(Message::new(message)))
}
