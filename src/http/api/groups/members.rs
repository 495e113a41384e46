//! The members of a group.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::auth::Caller;
use crate::error::Result;
use crate::http::api::message::Message;
use crate::http::extract::{JsonBody, SignedIn};

/// The user who becomes a member.
#[derive(Deserialize, ToSchema)]
pub(super) struct GroupMember {
    /// The user's id.
    user_id: String,
}

/// Makes a user of the account a member.
#[utoipa::path(
    post,
    path = "/api/v1/groups/{id}/users",
    tag = "groups",
    params(("id" = String, Path)),
    request_body = GroupMember,
    responses((status = 201, body = Message), (status = 409)),
)]
pub(super) async fn add_member(
    State(app): State<App>,
    SignedIn(principal): SignedIn,
    Path(id): Path<String>,
    JsonBody(request): JsonBody<GroupMember>,
) -> Result<(StatusCode, Json<Message>)> {
    app.accounts
        .add_member(&Caller::User(principal), &id, &request.user_id)
        .await?;
    Ok((
        StatusCode::CREATED,
        Json(Message::new("User added to group")),
    ))
}

/// Takes a user out of a group; one who is not in it stays so.
#[utoipa::path(
    delete,
    path = "/api/v1/groups/{id}/users/{user_id}",
    tag = "groups",
    params(("id" = String, Path), ("user_id" = String, Path)),
    responses((status = 204)),
)]
pub(super) async fn remove_member(
    State(app): State<App>,
    SignedIn(principal): SignedIn,
    Path((id, user_id)): Path<(String, String)>,
) -> Result<StatusCode> {
    app.accounts
        .remove_member(&Caller::User(principal), &id, &user_id)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
