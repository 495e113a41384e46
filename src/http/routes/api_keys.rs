//! API keys, for superadmins: each sees the own ones.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::accounts::{ApiKeyCreate, ApiKeyList, ApiKeyView};
use crate::app::App;
use crate::error::Result;
use crate::http::error::ErrorBody;
use crate::http::extract::{JsonBody, Query, Superadmin};

/// The routes below `/api/v1/admin/api-keys`.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(get, revoke))
}

/// The caller's API keys, newest first; revoked ones are kept for a while.
#[utoipa::path(get, path = "/api/v1/admin/api-keys", tag = "api-keys",
    params(("limit" = Option<i64>, Query, minimum = 1, maximum = 1000), ("offset" = Option<i64>, Query, minimum = 0, maximum = 2_147_483_647)),
    responses((status = 200, body = ApiKeyList), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 422, body = ErrorBody)))]
async fn list(
    State(app): State<App>,
    Superadmin(caller): Superadmin,
    query: Query,
) -> Result<Json<ApiKeyList>> {
    query.refuse_misspelt(&["limit", "offset"])?;
    let limit = query.number("limit", 100, 1..=1000)?;
    let offset = query.number("offset", 0, 0..=i64::from(i32::MAX))?;
    app.accounts
        .api_keys(&caller, limit, offset)
        .await
        .map(Json)
}

/// Makes an API key. The answer is the only place where it is shown.
#[utoipa::path(post, path = "/api/v1/admin/api-keys", tag = "api-keys", request_body = ApiKeyCreate,
    responses((status = 201, body = ApiKeyView), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody), (status = 404, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn create(
    State(app): State<App>,
    Superadmin(caller): Superadmin,
    JsonBody(request): JsonBody<ApiKeyCreate>,
) -> Result<(StatusCode, Json<ApiKeyView>)> {
    Ok((
        StatusCode::CREATED,
        Json(app.accounts.create_api_key(&caller, request).await?),
    ))
}

/// One of the caller's API keys.
#[utoipa::path(get, path = "/api/v1/admin/api-keys/{id}", tag = "api-keys", params(("id" = String, Path)),
    responses((status = 200, body = ApiKeyView), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody)))]
async fn get(
    State(app): State<App>,
    Superadmin(caller): Superadmin,
    Path(id): Path<String>,
) -> Result<Json<ApiKeyView>> {
    app.accounts.api_key(&caller, &id).await.map(Json)
}

/// Revokes an API key, at once and for ever.
#[utoipa::path(delete, path = "/api/v1/admin/api-keys/{id}", tag = "api-keys", params(("id" = String, Path)),
    responses((status = 204), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody)))]
async fn revoke(
    State(app): State<App>,
    Superadmin(caller): Superadmin,
    Path(id): Path<String>,
) -> Result<StatusCode> {
    app.accounts.revoke_api_key(&caller, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
