//! Changing and deactivating users.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::view::UserDetail;
use crate::accounts::UserChange;
use crate::app::App;
use crate::error::Result;
use crate::http::extract::{JsonBody, Superadmin};

/// A change of a user; absent and null keys stay.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default)]
pub(super) struct UserUpdate {
    /// The address.
    email: Option<String>,
    /// The role's id.
    role_id: Option<i64>,
    /// The role's name.
    role: Option<String>,
    /// True if the user may sign in.
    is_active: Option<bool>,
    /// True if the address counts as confirmed; a new address does not, unless this says so.
    email_verified: Option<bool>,
    /// `password`, or how else the user signs in.
    auth_provider: Option<String>,
    /// The provider's name.
    auth_provider_name: Option<String>,
    /// The user's id at the provider.
    external_id: Option<String>,
    /// The user's address at the provider.
    external_email: Option<String>,
    /// Data of the provider about the user.
    #[schema(value_type = Value)]
    profile_data: Option<Value>,
}

impl From<UserUpdate> for UserChange {
    fn from(request: UserUpdate) -> Self {
        Self {
            email: request.email,
            role_id: request.role_id,
            role: request.role,
            is_active: request.is_active,
            email_verified: request.email_verified,
            auth_provider: request.auth_provider,
            auth_provider_name: request.auth_provider_name,
            external_id: request.external_id,
            external_email: request.external_email,
            profile_data: request.profile_data,
        }
    }
}

/// Changes a user; absent and null keys stay.
#[utoipa::path(
    patch,
    path = "/api/v1/users/{id}",
    tag = "users",
    params(("id" = String, Path)),
    request_body = UserUpdate,
    responses((status = 200, body = UserDetail), (status = 409)),
)]
pub(super) async fn update(
    State(app): State<App>,
    Superadmin(caller): Superadmin,
    Path(id): Path<String>,
    JsonBody(request): JsonBody<UserUpdate>,
) -> Result<Json<UserDetail>> {
    let user = app
        .accounts
        .update_user(&caller, &id, request.into())
        .await?;
    Ok(Json(user.into()))
}

/// Deactivates a user: every session ends, and none can be opened.
#[utoipa::path(
    delete,
    path = "/api/v1/users/{id}",
    tag = "users",
    params(("id" = String, Path)),
    responses((status = 204)),
)]
pub(super) async fn delete(
    State(app): State<App>,
    Superadmin(caller): Superadmin,
    Path(id): Path<String>,
) -> Result<StatusCode> {
    app.accounts.deactivate_user(&caller, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
