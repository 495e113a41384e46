//! Creating, renaming and deleting accounts.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

use super::view::AccountDetail;
use crate::accounts::NewAccount;
use crate::app::App;
use crate::error::Result;
use crate::http::extract::{JsonBody, Superadmin};

/// A new account.
#[derive(Deserialize, ToSchema)]
pub(super) struct AccountCreate {
    /// The name.
    name: String,
    /// The slug; follows from the name if it is absent.
    #[serde(default)]
    slug: Option<String>,
}

impl From<AccountCreate> for NewAccount {
    fn from(request: AccountCreate) -> Self {
        Self {
            name: request.name,
            slug: request.slug,
        }
    }
}

/// Creates an account without users.
#[utoipa::path(
    post,
    path = "/api/v1/accounts",
    tag = "accounts",
    request_body = AccountCreate,
    responses((status = 201, body = AccountDetail)),
)]
pub(super) async fn create(
    State(app): State<App>,
    Superadmin(caller): Superadmin,
    JsonBody(request): JsonBody<AccountCreate>,
) -> Result<(StatusCode, Json<AccountDetail>)> {
    let account = app.accounts.create_account(&caller, request.into()).await?;
    Ok((StatusCode::CREATED, Json(account.into())))
}

/// A change of an account.
#[derive(Deserialize, ToSchema)]
pub(super) struct AccountUpdate {
    /// The new name.
    name: String,
}

/// Renames an account.
#[utoipa::path(
    put,
    path = "/api/v1/accounts/{id}",
    tag = "accounts",
    params(("id" = String, Path)),
    request_body = AccountUpdate,
    responses((status = 200, body = AccountDetail)),
)]
pub(super) async fn update(
    State(app): State<App>,
    Superadmin(caller): Superadmin,
    Path(id): Path<String>,
    JsonBody(request): JsonBody<AccountUpdate>,
) -> Result<Json<AccountDetail>> {
    let account = app
        .accounts
        .update_account(&caller, &id, &request.name)
        .await?;
    Ok(Json(account.into()))
}

/// Deletes an account with its users and records.
#[utoipa::path(
    delete,
    path = "/api/v1/accounts/{id}",
    tag = "accounts",
    params(("id" = String, Path)),
    responses((status = 204)),
)]
pub(super) async fn delete(
    State(app): State<App>,
    Superadmin(caller): Superadmin,
    Path(id): Path<String>,
) -> Result<StatusCode> {
    app.accounts.delete_account(&caller, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
