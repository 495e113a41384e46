//! Registering, signing in and out, confirming addresses, forgotten passwords.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::accounts::{
    ForgotPasswordRequest, LoginRequest, LoginResponse, LogoutRequest, Me, Message, RefreshRequest,
    RefreshResponse, RegisterRequest, RegisterResponse, ResetPasswordRequest, ResetTokenStatus,
    TokenRequest, VerificationRequest, VerifiedResponse,
};
use crate::app::App;
use crate::auth::Caller;
use crate::error::Result;
use crate::http::client::{AnyCaller, ClientAddress, SessionOrigin};
use crate::http::error::ErrorBody;
use crate::http::extract::{JsonBody, OptionalBody, SignedIn};

/// The routes below `/api/v1/auth`.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(register))
        .routes(routes!(login))
        .routes(routes!(refresh))
        .routes(routes!(me))
        .routes(routes!(logout))
        .routes(routes!(verify_email))
        .routes(routes!(send_verification))
        .routes(routes!(resend_verification))
        .routes(routes!(forgot_password))
        .routes(routes!(reset_password))
        .routes(routes!(verify_reset_token))
}

/// Registers a user, with a new account unless there is only one.
#[utoipa::path(post, path = "/api/v1/auth/register", tag = "auth", request_body = RegisterRequest,
    responses((status = 201, body = RegisterResponse), (status = 400, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 409, body = ErrorBody), (status = 422, body = ErrorBody),
        (status = 429, body = ErrorBody)))]
async fn register(
    State(app): State<App>,
    ClientAddress(address): ClientAddress,
    JsonBody(request): JsonBody<RegisterRequest>,
) -> Result<(StatusCode, Json<RegisterResponse>)> {
    Ok((
        StatusCode::CREATED,
        Json(app.accounts.register(request, address).await?),
    ))
}

/// Signs a user in.
#[utoipa::path(post, path = "/api/v1/auth/login", tag = "auth", request_body = LoginRequest,
    responses((status = 200, body = LoginResponse), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 422, body = ErrorBody), (status = 429, body = ErrorBody)))]
async fn login(
    State(app): State<App>,
    SessionOrigin(origin): SessionOrigin,
    JsonBody(request): JsonBody<LoginRequest>,
) -> Result<Json<LoginResponse>> {
    app.accounts.login(request, origin).await.map(Json)
}

/// Exchanges a refresh token for a fresh pair of tokens.
#[utoipa::path(post, path = "/api/v1/auth/refresh", tag = "auth", request_body = RefreshRequest,
    responses((status = 200, body = RefreshResponse), (status = 401, body = ErrorBody), (status = 422, body = ErrorBody),
        (status = 429, body = ErrorBody)))]
async fn refresh(
    State(app): State<App>,
    ClientAddress(address): ClientAddress,
    JsonBody(request): JsonBody<RefreshRequest>,
) -> Result<Json<RefreshResponse>> {
    app.accounts.refresh(request, address).await.map(Json)
}

/// Who is calling.
#[utoipa::path(get, path = "/api/v1/auth/me", tag = "auth",
    responses((status = 200, body = Me), (status = 401, body = ErrorBody)))]
async fn me(State(app): State<App>, SignedIn(principal): SignedIn) -> Result<Json<Me>> {
    app.accounts.me(&Caller::User(principal)).map(Json)
}

/// Ends the session of the token that is sent; without one there is nothing to end.
#[utoipa::path(post, path = "/api/v1/auth/logout", tag = "auth", request_body = Option<LogoutRequest>,
    responses((status = 200, body = Message)))]
async fn logout(
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
    app.accounts.logout(&caller, &tokens).await.map(Json)
}

/// Confirms the address that a token was mailed to.
#[utoipa::path(post, path = "/api/v1/auth/verify-email", tag = "auth", request_body = TokenRequest,
    responses((status = 200, body = VerifiedResponse), (status = 400, body = ErrorBody),
        (status = 422, body = ErrorBody), (status = 429, body = ErrorBody)))]
async fn verify_email(
    State(app): State<App>,
    ClientAddress(address): ClientAddress,
    JsonBody(request): JsonBody<TokenRequest>,
) -> Result<Json<VerifiedResponse>> {
    app.accounts.verify_email(&request, address).await.map(Json)
}

/// Sends the caller a mail to confirm the address; superadmins may name another user's.
#[utoipa::path(post, path = "/api/v1/auth/send-verification", tag = "auth", request_body = Option<VerificationRequest>,
    responses((status = 200, body = Message), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 422, body = ErrorBody), (status = 429, body = ErrorBody)))]
async fn send_verification(
    State(app): State<App>,
    SignedIn(principal): SignedIn,
    ClientAddress(address): ClientAddress,
    OptionalBody(request): OptionalBody<VerificationRequest>,
) -> Result<Json<Message>> {
    app.accounts
        .send_verification(
            &Caller::User(principal),
            &request.unwrap_or_default(),
            address,
        )
        .await
        .map(Json)
}

/// Sends another mail to confirm an address, also to users who cannot sign in yet: then the answer
/// is always the same.
#[utoipa::path(post, path = "/api/v1/auth/resend-verification", tag = "auth", request_body = Option<VerificationRequest>,
    responses((status = 200, body = Message), (status = 400, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 422, body = ErrorBody), (status = 429, body = ErrorBody)))]
async fn resend_verification(
    State(app): State<App>,
    AnyCaller { caller, .. }: AnyCaller,
    ClientAddress(address): ClientAddress,
    OptionalBody(request): OptionalBody<VerificationRequest>,
) -> Result<Json<Message>> {
    app.accounts
        .resend_verification(&caller, request.unwrap_or_default(), address)
        .await
        .map(Json)
}

/// Sends a link to set a new password; the answer is always the same.
#[utoipa::path(post, path = "/api/v1/auth/forgot-password", tag = "auth", request_body = ForgotPasswordRequest,
    responses((status = 200, body = Message), (status = 400, body = ErrorBody), (status = 422, body = ErrorBody),
        (status = 429, body = ErrorBody)))]
async fn forgot_password(
    State(app): State<App>,
    ClientAddress(address): ClientAddress,
    JsonBody(request): JsonBody<ForgotPasswordRequest>,
) -> Result<Json<Message>> {
    app.accounts
        .forgot_password(request, address)
        .await
        .map(Json)
}

/// Sets a new password with the token out of a mail; every session of the user ends.
#[utoipa::path(post, path = "/api/v1/auth/reset-password", tag = "auth", request_body = ResetPasswordRequest,
    responses((status = 200, body = Message), (status = 400, body = ErrorBody), (status = 422, body = ErrorBody),
        (status = 429, body = ErrorBody)))]
async fn reset_password(
    State(app): State<App>,
    ClientAddress(address): ClientAddress,
    JsonBody(request): JsonBody<ResetPasswordRequest>,
) -> Result<Json<Message>> {
    app.accounts
        .reset_password(request, address)
        .await
        .map(Json)
}

/// Whether a token for a new password is valid.
#[utoipa::path(get, path = "/api/v1/auth/verify-reset-token/{token}", tag = "auth", params(("token" = String, Path)),
    responses((status = 200, body = ResetTokenStatus), (status = 429, body = ErrorBody)))]
async fn verify_reset_token(
    State(app): State<App>,
    ClientAddress(address): ClientAddress,
    Path(token): Path<String>,
) -> Result<Json<ResetTokenStatus>> {
    app.accounts
        .reset_token_status(&token, address)
        .await
        .map(Json)
}
