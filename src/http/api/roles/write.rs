//! Creating, changing and deleting roles.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

use super::view::RoleView;
use crate::accounts::{NewRole, RoleChange};
use crate::app::App;
use crate::error::Result;
use crate::http::extract::{JsonBody, PathInteger, Superadmin};

/// A new role.
#[derive(Deserialize, ToSchema)]
pub(super) struct RoleCreate {
    /// The name, in 1 to 50 characters.
    name: String,
    /// Purpose of the role, in at most 255 characters.
    #[serde(default)]
    description: Option<String>,
}

impl From<RoleCreate> for NewRole {
    fn from(request: RoleCreate) -> Self {
        Self {
            name: request.name,
            description: request.description,
        }
    }
}

/// Creates a role.
#[utoipa::path(
    post,
    path = "/api/v1/roles",
    tag = "roles",
    request_body = RoleCreate,
    responses((status = 201, body = RoleView), (status = 409)),
)]
pub(super) async fn create(
    State(app): State<App>,
    Superadmin(caller): Superadmin,
    JsonBody(request): JsonBody<RoleCreate>,
) -> Result<(StatusCode, Json<RoleView>)> {
    let role = app.accounts.create_role(&caller, request.into()).await?;
    Ok((StatusCode::CREATED, Json(role.into())))
}

/// A change of a role.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default)]
pub(super) struct RoleUpdate {
    /// The name; stays as it is if it is absent.
    name: Option<String>,
    /// Purpose of the role; none if it is absent.
    description: Option<String>,
}

impl From<RoleUpdate> for RoleChange {
    fn from(request: RoleUpdate) -> Self {
        Self {
            name: request.name,
            description: request.description,
        }
    }
}

/// Changes a role. Without a name it keeps its own; without a description it has none.
#[utoipa::path(
    put,
    path = "/api/v1/roles/{id}",
    tag = "roles",
    params(("id" = i64, Path)),
    request_body = RoleUpdate,
    responses((status = 200, body = RoleView), (status = 409)),
)]
pub(super) async fn update(
    State(app): State<App>,
    Superadmin(caller): Superadmin,
    PathInteger(id): PathInteger,
    JsonBody(request): JsonBody<RoleUpdate>,
) -> Result<Json<RoleView>> {
    let role = app
        .accounts
        .update_role(&caller, id, request.into())
        .await?;
    Ok(Json(role.into()))
}

/// Deletes a role that nobody has.
#[utoipa::path(
    delete,
    path = "/api/v1/roles/{id}",
    tag = "roles",
    params(("id" = i64, Path)),
    responses((status = 204), (status = 409)),
)]
pub(super) async fn delete(
    State(app): State<App>,
    Superadmin(caller): Superadmin,
    PathInteger(id): PathInteger,
) -> Result<StatusCode> {
    app.accounts.delete_role(&caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
