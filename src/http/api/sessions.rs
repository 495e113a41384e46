//! Open sessions: the caller's, and those of users that the caller administers.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::routes;

use crate::access::api_key_scope::ADMIN;
use crate::accounts::{OpenSession, OpenSessions};
use crate::app::App;
use crate::auth::Caller;
use crate::error::Result;
use crate::http::endpoint::Endpoints;
use crate::http::extract::SignedIn;

/// The endpoints `/api/v1/auth/sessions` and `/api/v1/users/{id}/sessions`.
pub fn endpoints() -> Endpoints {
    Endpoints::new()
        .signed_in(ADMIN, routes!(list_own))
        .signed_in(ADMIN, routes!(end_own_others))
        .signed_in(ADMIN, routes!(end_own))
        .signed_in(ADMIN, routes!(list))
        .signed_in(ADMIN, routes!(end_all))
        .signed_in(ADMIN, routes!(end))
}

/// An open session: what began with one sign-in.
#[derive(Serialize, ToSchema)]
pub struct SessionView {
    /// The id.
    id: String,
    /// The address from which it was opened, if it is known.
    ip_address: Option<String>,
    /// Name that the client gave itself.
    user_agent: Option<String>,
    /// Time of its beginning.
    #[serde(serialize_with = "crate::clock::serialize")]
    #[schema(value_type = String)]
    created_at: DateTime<Utc>,
    /// Time of the last exchange of its tokens.
    #[serde(serialize_with = "crate::clock::serialize")]
    #[schema(value_type = String)]
    refreshed_at: DateTime<Utc>,
    /// Time of its end, unless its tokens are exchanged before.
    #[serde(serialize_with = "crate::clock::serialize")]
    #[schema(value_type = String)]
    expires_at: DateTime<Utc>,
    /// True for the session of this request.
    is_current: bool,
}

impl From<OpenSession> for SessionView {
    fn from(session: OpenSession) -> Self {
        Self {
            id: session.id,
            ip_address: session.ip_address,
            user_agent: session.user_agent,
            created_at: session.created_at,
            refreshed_at: session.refreshed_at,
            expires_at: session.expires_at,
            is_current: session.is_current,
        }
    }
}

/// Open sessions.
#[derive(Serialize, ToSchema)]
pub struct SessionList {
    /// The sessions, the last refreshed first, 500 at most.
    items: Vec<SessionView>,
    /// Number of items in all.
    total: i64,
}

impl From<OpenSessions> for SessionList {
    fn from(sessions: OpenSessions) -> Self {
        Self {
            items: sessions.items.into_iter().map(Into::into).collect(),
            total: sessions.total,
        }
    }
}

/// The caller's open sessions.
#[utoipa::path(
    get,
    path = "/api/v1/auth/sessions",
    tag = "sessions",
    responses((status = 200, body = SessionList)),
)]
async fn list_own(
    State(app): State<App>,
    SignedIn(principal): SignedIn,
) -> Result<Json<SessionList>> {
    let sessions = app.accounts.own_sessions(&Caller::User(principal)).await?;
    Ok(Json(sessions.into()))
}

/// Ends every session of the caller but the one that asks.
#[utoipa::path(
    delete,
    path = "/api/v1/auth/sessions",
    tag = "sessions",
    responses((status = 204)),
)]
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
#[utoipa::path(
    delete,
    path = "/api/v1/auth/sessions/{session_id}",
    tag = "sessions",
    params(("session_id" = String, Path)),
    responses((status = 204)),
)]
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
#[utoipa::path(
    get,
    path = "/api/v1/users/{id}/sessions",
    tag = "sessions",
    params(("id" = String, Path)),
    responses((status = 200, body = SessionList)),
)]
async fn list(
    State(app): State<App>,
    SignedIn(principal): SignedIn,
    Path(id): Path<String>,
) -> Result<Json<SessionList>> {
    let sessions = app
        .accounts
        .user_sessions(&Caller::User(principal), &id)
        .await?;
    Ok(Json(sessions.into()))
}

/// Ends every session of a user.
#[utoipa::path(
    delete,
    path = "/api/v1/users/{id}/sessions",
    tag = "sessions",
    params(("id" = String, Path)),
    responses((status = 204)),
)]
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
#[utoipa::path(
    delete,
    path = "/api/v1/users/{id}/sessions/{session_id}",
    tag = "sessions",
    params(("id" = String, Path), ("session_id" = String, Path)),
    responses((status = 204)),
)]
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
