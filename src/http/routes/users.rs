//! Users, for superadmins.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::accounts::{
    Message, NewPassword, UserCreate, UserDetail, UserFilter, UserList, UserUpdate,
};
use crate::app::App;
use crate::error::Result;
use crate::http::error::ErrorBody;
use crate::http::extract::{JsonBody, Query, Superadmin};

/// The routes below `/api/v1/users`.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(get, update, delete))
        .routes(routes!(set_password))
        .routes(routes!(verify))
        .routes(routes!(resend_verification))
}

/// The users, newest first unless sorted otherwise.
#[utoipa::path(get, path = "/api/v1/users", tag = "users",
    params(("account_id" = Option<String>, Query), ("role_id" = Option<i64>, Query, minimum = 1), ("is_active" = Option<bool>, Query),
        ("search" = Option<String>, Query), ("skip" = Option<i64>, Query, minimum = 0, maximum = 2_147_483_647), ("limit" = Option<i64>, Query, minimum = 1, maximum = 100),
        ("sort" = Option<String>, Query), ("page" = Option<i64>, Query, minimum = 1, maximum = 1_000_000), ("page_size" = Option<i64>, Query, minimum = 1, maximum = 100),
        ("sort_by" = Option<String>, Query), ("sort_order" = Option<String>, Query)),
    responses((status = 200, body = UserList), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 422, body = ErrorBody)))]
async fn list(
    State(app): State<App>,
    Superadmin(caller): Superadmin,
    query: Query,
) -> Result<Json<UserList>> {
    query.refuse_misspelt(&[
        "account_id",
        "role_id",
        "is_active",
        "search",
        "skip",
        "limit",
        "sort",
        "page",
        "page_size",
        "sort_by",
        "sort_order",
    ])?;
    // Pages come as skip and limit, or as page and page_size.
    let page_size = query.number("page_size", 30, 1..=100)?;
    let page = query.number("page", 1, 1..=1_000_000)?;
    let limit = query.number("limit", page_size, 1..=100)?;
    let skip = query.number("skip", (page - 1) * limit, 0..=i64::from(i32::MAX))?;
    let is_active = match query.get("is_active") {
        Some(_) => Some(query.flag("is_active", true)?),
        None => None,
    };
    let role_id = match query.get("role_id") {
        Some(_) => Some(query.number("role_id", 0, 1..=i64::MAX)?),
        None => None,
    };
    let sort = match (query.get("sort"), query.get("sort_by")) {
        (Some(sort), _) => Some(sort.to_owned()),
        (None, Some(column)) if query.get("sort_order") == Some("asc") => Some(column.to_owned()),
        (None, Some(column)) => Some(format!("-{column}")),
        (None, None) => None,
    };
    let filter = UserFilter {
        account_id: query.get("account_id").map(Into::into),
        role_id,
        is_active,
        search: query.get("search").map(Into::into),
        sort,
        skip,
        limit,
    };
    app.accounts.users(&caller, &filter).await.map(Json)
}

/// Creates a user in an account.
#[utoipa::path(post, path = "/api/v1/users", tag = "users", request_body = UserCreate,
    responses((status = 201, body = UserDetail), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody), (status = 404, body = ErrorBody), (status = 409, body = ErrorBody),
        (status = 422, body = ErrorBody)))]
async fn create(
    State(app): State<App>,
    Superadmin(caller): Superadmin,
    JsonBody(request): JsonBody<UserCreate>,
) -> Result<(StatusCode, Json<UserDetail>)> {
    Ok((
        StatusCode::CREATED,
        Json(app.accounts.create_user(&caller, request).await?),
    ))
}

/// One user.
#[utoipa::path(get, path = "/api/v1/users/{id}", tag = "users", params(("id" = String, Path)),
    responses((status = 200, body = UserDetail), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody)))]
async fn get(
    State(app): State<App>,
    Superadmin(caller): Superadmin,
    Path(id): Path<String>,
) -> Result<Json<UserDetail>> {
    app.accounts.user(&caller, &id).await.map(Json)
}

/// Changes a user; what is absent or null stays.
#[utoipa::path(patch, path = "/api/v1/users/{id}", tag = "users", params(("id" = String, Path)),
    request_body = UserUpdate,
    responses((status = 200, body = UserDetail), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 409, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn update(
    State(app): State<App>,
    Superadmin(caller): Superadmin,
    Path(id): Path<String>,
    JsonBody(request): JsonBody<UserUpdate>,
) -> Result<Json<UserDetail>> {
    app.accounts
        .update_user(&caller, &id, request)
        .await
        .map(Json)
}

/// Deactivates a user: every session ends, and none can be opened.
#[utoipa::path(delete, path = "/api/v1/users/{id}", tag = "users", params(("id" = String, Path)),
    responses((status = 204), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody)))]
async fn delete(
    State(app): State<App>,
    Superadmin(caller): Superadmin,
    Path(id): Path<String>,
) -> Result<StatusCode> {
    app.accounts.deactivate_user(&caller, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Sets a user's password, or sends the user a link to set one. Every session of the user ends.
#[utoipa::path(put, path = "/api/v1/users/{id}/password", tag = "users", params(("id" = String, Path)),
    request_body = NewPassword,
    responses((status = 200, body = Message), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody), (status = 404, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn set_password(
    State(app): State<App>,
    Superadmin(caller): Superadmin,
    Path(id): Path<String>,
    JsonBody(request): JsonBody<NewPassword>,
) -> Result<Json<Message>> {
    app.accounts
        .set_password(&caller, &id, request)
        .await
        .map(Json)
}

/// Confirms a user's address without a mail.
#[utoipa::path(post, path = "/api/v1/users/{id}/verify", tag = "users", params(("id" = String, Path)),
    responses((status = 200, body = Message), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody)))]
async fn verify(
    State(app): State<App>,
    Superadmin(caller): Superadmin,
    Path(id): Path<String>,
) -> Result<Json<Message>> {
    app.accounts.verify_user(&caller, &id).await.map(Json)
}

/// Sends a user another mail to confirm the address.
#[utoipa::path(post, path = "/api/v1/users/{id}/resend-verification", tag = "users", params(("id" = String, Path)),
    responses((status = 200, body = Message), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)))]
async fn resend_verification(
    State(app): State<App>,
    Superadmin(caller): Superadmin,
    Path(id): Path<String>,
) -> Result<Json<Message>> {
    app.accounts
        .resend_user_verification(&caller, &id)
        .await
        .map(Json)
}
