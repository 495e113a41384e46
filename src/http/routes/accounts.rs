//! Accounts, for superadmins.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::accounts::{
    AccountCreate, AccountDetail, AccountFilter, AccountList, AccountUpdate, AccountUserList,
};
use crate::app::App;
use crate::error::{Error, Problem, Result};
use crate::http::error::ErrorBody;
use crate::http::extract::{JsonBody, Query, Superadmin};

/// The routes below `/api/v1/accounts`.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(get, update, delete))
        .routes(routes!(users))
}

/// The accounts, newest first unless sorted otherwise.
#[utoipa::path(get, path = "/api/v1/accounts", tag = "accounts",
    params(("page" = Option<i64>, Query, minimum = 1, maximum = 1_000_000), ("page_size" = Option<i64>, Query, minimum = 1, maximum = 100), ("sort_by" = Option<String>, Query),
        ("sort_order" = Option<String>, Query), ("search" = Option<String>, Query)),
    responses((status = 200, body = AccountList), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 422, body = ErrorBody)))]
async fn list(
    State(app): State<App>,
    Superadmin(caller): Superadmin,
    query: Query,
) -> Result<Json<AccountList>> {
    query.refuse_misspelt(&["page", "page_size", "sort_by", "sort_order", "search"])?;
    let ascending = match query.get("sort_order") {
        None | Some("desc") => false,
        Some("asc") => true,
        Some(other) => {
            let msg = "Input should be 'asc' or 'desc'";
            return Err(Error::malformed(Problem::query(
                "sort_order",
                "enum",
                msg,
                other,
            )));
        }
    };
    let filter = AccountFilter {
        search: query.get("search").map(Into::into),
        sort_by: query.get("sort_by").unwrap_or("created_at").to_owned(),
        ascending,
        page: query.number("page", 1, 1..=1_000_000)?,
        page_size: query.number("page_size", 25, 1..=100)?,
    };
    app.accounts.accounts(&caller, &filter).await.map(Json)
}

/// Creates an account without users.
#[utoipa::path(post, path = "/api/v1/accounts", tag = "accounts", request_body = AccountCreate,
    responses((status = 201, body = AccountDetail), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 422, body = ErrorBody)))]
async fn create(
    State(app): State<App>,
    Superadmin(caller): Superadmin,
    JsonBody(request): JsonBody<AccountCreate>,
) -> Result<(StatusCode, Json<AccountDetail>)> {
    Ok((
        StatusCode::CREATED,
        Json(app.accounts.create_account(&caller, request).await?),
    ))
}

/// One account.
#[utoipa::path(get, path = "/api/v1/accounts/{id}", tag = "accounts", params(("id" = String, Path)),
    responses((status = 200, body = AccountDetail), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody)))]
async fn get(
    State(app): State<App>,
    Superadmin(caller): Superadmin,
    Path(id): Path<String>,
) -> Result<Json<AccountDetail>> {
    app.accounts.account(&caller, &id).await.map(Json)
}

/// Renames an account.
#[utoipa::path(put, path = "/api/v1/accounts/{id}", tag = "accounts", params(("id" = String, Path)),
    request_body = AccountUpdate,
    responses((status = 200, body = AccountDetail), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn update(
    State(app): State<App>,
    Superadmin(caller): Superadmin,
    Path(id): Path<String>,
    JsonBody(request): JsonBody<AccountUpdate>,
) -> Result<Json<AccountDetail>> {
    app.accounts
        .update_account(&caller, &id, &request)
        .await
        .map(Json)
}

/// Deletes an account with its users and records.
#[utoipa::path(delete, path = "/api/v1/accounts/{id}", tag = "accounts", params(("id" = String, Path)),
    responses((status = 204), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn delete(
    State(app): State<App>,
    Superadmin(caller): Superadmin,
    Path(id): Path<String>,
) -> Result<StatusCode> {
    app.accounts.delete_account(&caller, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// An account's users, newest first.
#[utoipa::path(get, path = "/api/v1/accounts/{id}/users", tag = "accounts",
    params(("id" = String, Path), ("page" = Option<i64>, Query, minimum = 1, maximum = 1_000_000), ("page_size" = Option<i64>, Query, minimum = 1, maximum = 100)),
    responses((status = 200, body = AccountUserList), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody), (status = 404, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn users(
    State(app): State<App>,
    Superadmin(caller): Superadmin,
    Path(id): Path<String>,
    query: Query,
) -> Result<Json<AccountUserList>> {
    query.refuse_misspelt(&["page", "page_size"])?;
    let page = query.number("page", 1, 1..=1_000_000)?;
    let page_size = query.number("page_size", 25, 1..=100)?;
    app.accounts
        .account_users(&caller, &id, page, page_size)
        .await
        .map(Json)
}
