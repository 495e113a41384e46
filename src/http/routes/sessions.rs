//! Open sessions: the own ones, and those of users that one administers.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::accounts::SessionList;
use crate::app::App;
use crate::auth::Caller;
use crate::error::Result;
use crate::http::error::ErrorBody;
use crate::http::extract::SignedIn;

/// The routes `/api/v1/auth/sessions` and `/api/v1/users/{id}/sessions`.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_own, end_own_others))
        .routes(routes!(end_own))
        .routes(routes!(list, end_all))
        .routes(routes!(end))
}

/// The caller's open sessions.
#[utoipa::path(get, path = "/api/v1/auth/sessions", tag = "sessions",
    responses((status = 200, body = SessionList), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody)))]
async fn list_own(
    State(app): State<App>,
    SignedIn(principal): SignedIn,
) -> Result<Json<SessionList>> {
    app.accounts
        .own_sessions(&Caller::User(principal))
        .await
        .map(Json)
}

/// Ends every session of the caller but the one that asks.
#[utoipa::path(delete, path = "/api/v1/auth/sessions", tag = "sessions",
    responses((status = 204), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody)))]
async fn end_own_others(
    State(app): State<App>,
    SignedIn(principal): SignedIn,
) -> Result<StatusCode> {
    app.accounts
        .end_own_others(&Caller::User(principal))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends one of the caller's sessions, at once and on its realtime connections, too.
#[utoipa::path(delete, path = "/api/v1/auth/sessions/{session_id}", tag = "sessions",
    params(("session_id" = String, Path)),
    responses((status = 204), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)))]
async fn end_own(
    State(app): State<App>,
    SignedIn(principal): SignedIn,
    Path(session): Path<String>,
) -> Result<StatusCode> {
    app.accounts
        .end_own_session(&Caller::User(principal), &session)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The open sessions of a user. Needs the role `admin` in the user's account, as ending them does.
#[utoipa::path(get, path = "/api/v1/users/{id}/sessions", tag = "sessions", params(("id" = String, Path)),
    responses((status = 200, body = SessionList), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody)))]
async fn list(
    State(app): State<App>,
    SignedIn(principal): SignedIn,
    Path(id): Path<String>,
) -> Result<Json<SessionList>> {
    app.accounts
        .user_sessions(&Caller::User(principal), &id)
        .await
        .map(Json)
}

/// Ends every session of a user.
#[utoipa::path(delete, path = "/api/v1/users/{id}/sessions", tag = "sessions", params(("id" = String, Path)),
    responses((status = 204), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody)))]
async fn end_all(
    State(app): State<App>,
    SignedIn(principal): SignedIn,
    Path(id): Path<String>,
) -> Result<StatusCode> {
    app.accounts
        .end_user_sessions(&Caller::User(principal), &id)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends one session of a user.
#[utoipa::path(delete, path = "/api/v1/users/{id}/sessions/{session_id}", tag = "sessions",
    params(("id" = String, Path), ("session_id" = String, Path)),
    responses((status = 204), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody)))]
async fn end(
    State(app): State<App>,
    SignedIn(principal): SignedIn,
    Path((id, session)): Path<(String, String)>,
) -> Result<StatusCode> {
    app.accounts
        .end_user_session(&Caller::User(principal), &id, &session)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
