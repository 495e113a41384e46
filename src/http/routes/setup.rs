//! The first start: creating the first superadmin from the admin UI.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::accounts::{LoginResponse, SetupRequest, SetupStatus};
use crate::app::App;
use crate::error::Result;
use crate::http::client::SessionOrigin;
use crate::http::error::ErrorBody;
use crate::http::extract::JsonBody;

/// The route `/api/v1/setup`.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(status, setup))
}

/// Whether the server waits for its first superadmin.
#[utoipa::path(get, path = "/api/v1/setup", tag = "setup", responses((status = 200, body = SetupStatus)))]
async fn status(State(app): State<App>) -> Result<Json<SetupStatus>> {
    app.accounts.setup_status().await.map(Json)
}

/// Creates the first superadmin with the token that the server printed when it started, and signs
/// it in.
#[utoipa::path(post, path = "/api/v1/setup", tag = "setup", request_body = SetupRequest,
    responses((status = 201, body = LoginResponse), (status = 400, body = ErrorBody), (status = 409, body = ErrorBody),
        (status = 422, body = ErrorBody), (status = 429, body = ErrorBody)))]
async fn setup(
    State(app): State<App>,
    SessionOrigin(origin): SessionOrigin,
    JsonBody(request): JsonBody<SetupRequest>,
) -> Result<(StatusCode, Json<LoginResponse>)> {
    Ok((
        StatusCode::CREATED,
        Json(app.accounts.setup(request, origin).await?),
    ))
}
