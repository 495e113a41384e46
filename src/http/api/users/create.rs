//! Creating users.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::view::UserDetail;
use crate::accounts::UserDraft;
use crate::app::App;
use crate::error::Result;
use crate::http::extract::{JsonBody, Superadmin};

/// A new user.
#[derive(Deserialize, ToSchema)]
pub(super) struct UserCreate {
    /// The address.
    email: String,
    /// The password; needed unless the user signs in another way.
    #[serde(default)]
    password: Option<String>,
    /// The account's id. A user of the system account is a superadmin, whatever the role.
    account_id: String,
    /// The role's id.
    #[serde(default)]
    role_id: Option<i64>,
    /// The role's name, if its id is absent.
    #[serde(default)]
    role: Option<String>,
    /// True if the user may sign in.
    #[serde(default = "yes")]
    is_active: bool,
    /// True if the address counts as confirmed.
    #[serde(default)]
    email_verified: bool,
    /// `password`, or how else the user signs in.
    #[serde(default)]
    auth_provider: Option<String>,
    /// The provider's name.
    #[serde(default)]
    auth_provider_name: Option<String>,
    /// The user's id at the provider.
    #[serde(default)]
    external_id: Option<String>,
    /// The user's address at the provider.
    #[serde(default)]
    external_email: Option<String>,
    /// Data of the provider about the user.
    #[serde(default)]
    #[schema(value_type = Value)]
    profile_data: Option<Value>,
}

impl From<UserCreate> for UserDraft {
    fn from(request: UserCreate) -> Self {
        Self {
            email: request.email,
            password: request.password,
            account_id: request.account_id,
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

/// Creates a user in an account.
#[utoipa::path(
    post,
    path = "/api/v1/users",
    tag = "users",
    request_body = UserCreate,
    responses((status = 201, body = UserDetail), (status = 404), (status = 409)),
)]
pub(super) async fn create(
    State(app): State<App>,
    Superadmin(caller): Superadmin,
    JsonBody(request): JsonBody<UserCreate>,
) -> Result<(StatusCode, Json<UserDetail>)> {
    let user = app.accounts.create_user(&caller, request.into()).await?;
    Ok((StatusCode::CREATED, Json(user.into())))
}

fn yes() -> bool {
    true
}
