//! Creating, changing and deleting groups.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

use super::view::GroupDetail;
use crate::accounts::{GroupChange, NewGroup};
use crate::app::App;
use crate::auth::Caller;
use crate::error::Result;
use crate::http::extract::{JsonBody, SignedIn};

/// A new group.
#[derive(Deserialize, ToSchema)]
pub(super) struct GroupCreate {
    /// The name, in 1 to 100 characters.
    name: String,
    /// Purpose of the group, in at most 500 characters.
    #[serde(default)]
    description: Option<String>,
    /// The account, for superadmins; the caller's if it is absent.
    #[serde(default)]
    account_id: Option<String>,
}

impl From<GroupCreate> for NewGroup {
    fn from(request: GroupCreate) -> Self {
        Self {
            name: request.name,
            description: request.description,
            account_id: request.account_id,
        }
    }
}

/// Creates a group without members. Needs the role `admin`, as every change of groups does.
#[utoipa::path(
    post,
    path = "/api/v1/groups",
    tag = "groups",
    request_body = GroupCreate,
    responses((status = 201, body = GroupDetail), (status = 404), (status = 409)),
)]
pub(super) async fn create(
    State(app): State<App>,
    SignedIn(principal): SignedIn,
    JsonBody(request): JsonBody<GroupCreate>,
) -> Result<(StatusCode, Json<GroupDetail>)> {
    let group = app
        .accounts
        .create_group(&Caller::User(principal), request.into())
        .await?;
    Ok((StatusCode::CREATED, Json(group.into())))
}

/// A change of a group; absent and null keys stay.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default)]
pub(super) struct GroupUpdate {
    /// The name.
    name: Option<String>,
    /// Purpose of the group.
    description: Option<String>,
}

impl From<GroupUpdate> for GroupChange {
    fn from(request: GroupUpdate) -> Self {
        Self {
            name: request.name,
            description: request.description,
        }
    }
}

/// Changes a group; absent and null keys stay.
#[utoipa::path(
    patch,
    path = "/api/v1/groups/{id}",
    tag = "groups",
    params(("id" = String, Path)),
    request_body = GroupUpdate,
    responses((status = 200, body = GroupDetail), (status = 409)),
)]
pub(super) async fn update(
    State(app): State<App>,
    SignedIn(principal): SignedIn,
    Path(id): Path<String>,
    JsonBody(request): JsonBody<GroupUpdate>,
) -> Result<Json<GroupDetail>> {
    let group = app
        .accounts
        .update_group(&Caller::User(principal), &id, request.into())
        .await?;
    Ok(Json(group.into()))
}

/// Deletes a group; its members stay users.
#[utoipa::path(
    delete,
    path = "/api/v1/groups/{id}",
    tag = "groups",
    params(("id" = String, Path)),
    responses((status = 204)),
)]
pub(super) async fn delete(
    State(app): State<App>,
    SignedIn(principal): SignedIn,
    Path(id): Path<String>,
) -> Result<StatusCode> {
    app.accounts
        .delete_group(&Caller::User(principal), &id)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
