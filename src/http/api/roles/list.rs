//! Reading roles.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::view::RoleView;
use crate::app::App;
use crate::error::Result;
use crate::http::extract::{PathInteger, Superadmin};

/// Every role.
#[derive(Serialize, ToSchema)]
pub(super) struct RoleList {
    /// The roles by id.
    items: Vec<RoleView>,
    /// Number of items in all.
    total: usize,
}

/// Every role.
#[utoipa::path(
    get,
    path = "/api/v1/roles",
    tag = "roles",
    responses((status = 200, body = RoleList)),
)]
pub(super) async fn list(
    State(app): State<App>,
    Superadmin(caller): Superadmin,
) -> Result<Json<RoleList>> {
    let roles = app.accounts.roles(&caller).await?;
    Ok(Json(RoleList {
        total: roles.len(),
        items: roles.into_iter().map(Into::into).collect(),
    }))
}

/// One role.
#[utoipa::path(
    get,
    path = "/api/v1/roles/{id}",
    tag = "roles",
    params(("id" = i64, Path)),
    responses((status = 200, body = RoleView)),
)]
pub(super) async fn get(
    State(app): State<App>,
    Superadmin(caller): Superadmin,
    PathInteger(id): PathInteger,
) -> Result<Json<RoleView>> {
    let role = app.accounts.role_by_id(&caller, id).await?;
    Ok(Json(role.into()))
}
