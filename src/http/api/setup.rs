//! The first start: creating the first superadmin from the admin UI.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::routes;

use crate::accounts::FirstSuperadmin;
use crate::app::App;
use crate::error::Result;
use crate::http::api::auth::view::LoginResponse;
use crate::http::client::SessionOrigin;
use crate::http::endpoint::Endpoints;
use crate::http::extract::JsonBody;

/// The route `/api/v1/setup`.
pub fn endpoints() -> Endpoints {
    Endpoints::new()
        .everyone(routes!(status))
        .everyone(routes!(setup))
}

/// True if the server waits for its first superadmin.
#[derive(Serialize, ToSchema)]
pub struct SetupStatus {
    /// True if it waits.
    needed: bool,
}

/// True if the server waits for its first superadmin.
#[utoipa::path(
    get,
    path = "/api/v1/setup",
    tag = "setup",
    responses((status = 200, body = SetupStatus)),
)]
async fn status(State(app): State<App>) -> Result<Json<SetupStatus>> {
    let needed = app.accounts.needs_setup().await?;
    Ok(Json(SetupStatus { needed }))
}

/// The first superadmin.
#[derive(Deserialize, ToSchema)]
pub struct SetupRequest {
    /// The token that the server printed when it started.
    token: String,
    /// The superadmin's address.
    email: String,
    /// The superadmin's password.
    password: String,
}

impl From<SetupRequest> for FirstSuperadmin {
    fn from(request: SetupRequest) -> Self {
        Self {
            token: request.token,
            email: request.email,
            password: request.password,
        }
    }
}

/// Creates the first superadmin with the token that the server printed when it started, and signs
/// it in.
#[utoipa::path(
    post,
    path = "/api/v1/setup",
    tag = "setup",
    request_body = SetupRequest,
    responses((status = 201, body = LoginResponse), (status = 409)),
)]
async fn setup(
    State(app): State<App>,
    SessionOrigin(origin): SessionOrigin,
    JsonBody(request): JsonBody<SetupRequest>,
) -> Result<(StatusCode, Json<LoginResponse>)> {
    let session = app.accounts.setup(request.into(), origin).await?;
    Ok((StatusCode::CREATED, Json(session.into())))
}
