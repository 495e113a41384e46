//! Groups of an account's users.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::post;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::accounts::{
    GroupCreate, GroupDetail, GroupFilter, GroupMember, GroupUpdate, GroupView, Message,
};
use crate::app::App;
use crate::auth::Caller;
use crate::error::Result;
use crate::http::error::ErrorBody;
use crate::http::extract::{JsonBody, Query, SignedIn};

/// The routes below `/api/v1/groups`.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(get, update, delete))
        .routes(routes!(add_member))
        .routes(routes!(remove_member))
        // The names by which older clients know the members.
        .route("/api/v1/groups/{id}/members", post(add_member))
        .route(
            "/api/v1/groups/{id}/members/{user_id}",
            axum::routing::delete(remove_member),
        )
}

/// Groups: all that were asked for, or a page.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
enum Groups {
    /// Without `page` and `page_size`.
    All(Vec<GroupView>),
    /// With one of them.
    Page(GroupPage),
}

/// A page of groups.
#[derive(Serialize, ToSchema)]
struct GroupPage {
    /// The groups, oldest first.
    items: Vec<GroupView>,
    /// How many there are.
    total: i64,
    /// The page, from 1.
    page: i64,
    /// Groups on a page.
    page_size: i64,
}

/// The account's groups, oldest first; for superadmins those of every account, or of the one that
/// is named.
#[utoipa::path(get, path = "/api/v1/groups", tag = "groups",
    params(("skip" = Option<i64>, Query, minimum = 0, maximum = 2_147_483_647), ("limit" = Option<i64>, Query, minimum = 1, maximum = 1000), ("page" = Option<i64>, Query, minimum = 1, maximum = 1_000_000),
        ("page_size" = Option<i64>, Query, minimum = 1, maximum = 100), ("search" = Option<String>, Query), ("account_id" = Option<String>, Query)),
    responses((status = 200, body = Groups), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody),
        (status = 422, body = ErrorBody)))]
async fn list(
    State(app): State<App>,
    SignedIn(principal): SignedIn,
    query: Query,
) -> Result<Json<Groups>> {
    query.refuse_misspelt(&["skip", "limit", "page", "page_size", "search", "account_id"])?;
    let paged = query.get("page").is_some() || query.get("page_size").is_some();
    let page_size = query.number("page_size", 25, 1..=100)?;
    let page = query.number("page", 1, 1..=1_000_000)?;
    let filter = GroupFilter {
        account_id: query.get("account_id").map(Into::into),
        search: query.get("search").map(Into::into),
        skip: if paged {
            (page - 1) * page_size
        } else {
            query.number("skip", 0, 0..=i64::from(i32::MAX))?
        },
        limit: if paged {
            page_size
        } else {
            query.number("limit", 100, 1..=1000)?
        },
    };
    let (items, total) = app
        .accounts
        .groups(&Caller::User(principal), &filter)
        .await?;
    Ok(Json(if paged {
        Groups::Page(GroupPage {
            items,
            total,
            page,
            page_size,
        })
    } else {
        Groups::All(items)
    }))
}

/// Creates a group without members. Needs the role `admin`, as every change of groups does.
#[utoipa::path(post, path = "/api/v1/groups", tag = "groups", request_body = GroupCreate,
    responses((status = 201, body = GroupDetail), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 409, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn create(
    State(app): State<App>,
    SignedIn(principal): SignedIn,
    JsonBody(request): JsonBody<GroupCreate>,
) -> Result<(StatusCode, Json<GroupDetail>)> {
    Ok((
        StatusCode::CREATED,
        Json(
            app.accounts
                .create_group(&Caller::User(principal), request)
                .await?,
        ),
    ))
}

/// A group with its members.
#[utoipa::path(get, path = "/api/v1/groups/{id}", tag = "groups", params(("id" = String, Path)),
    responses((status = 200, body = GroupDetail), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)))]
async fn get(
    State(app): State<App>,
    SignedIn(principal): SignedIn,
    Path(id): Path<String>,
) -> Result<Json<GroupDetail>> {
    app.accounts
        .group(&Caller::User(principal), &id)
        .await
        .map(Json)
}

/// Changes a group; what is absent or null stays.
#[utoipa::path(patch, path = "/api/v1/groups/{id}", tag = "groups", params(("id" = String, Path)),
    request_body = GroupUpdate,
    responses((status = 200, body = GroupDetail), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 409, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn update(
    State(app): State<App>,
    SignedIn(principal): SignedIn,
    Path(id): Path<String>,
    JsonBody(request): JsonBody<GroupUpdate>,
) -> Result<Json<GroupDetail>> {
    app.accounts
        .update_group(&Caller::User(principal), &id, request)
        .await
        .map(Json)
}

/// Deletes a group; its members stay users.
#[utoipa::path(delete, path = "/api/v1/groups/{id}", tag = "groups", params(("id" = String, Path)),
    responses((status = 204), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn delete(
    State(app): State<App>,
    SignedIn(principal): SignedIn,
    Path(id): Path<String>,
) -> Result<StatusCode> {
    app.accounts
        .delete_group(&Caller::User(principal), &id)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Makes a user of the account a member.
#[utoipa::path(post, path = "/api/v1/groups/{id}/users", tag = "groups", params(("id" = String, Path)),
    request_body = GroupMember,
    responses((status = 201, body = Message), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 409, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn add_member(
    State(app): State<App>,
    SignedIn(principal): SignedIn,
    Path(id): Path<String>,
    JsonBody(request): JsonBody<GroupMember>,
) -> Result<(StatusCode, Json<Message>)> {
    app.accounts
        .add_member(&Caller::User(principal), &id, &request)
        .await?;
    Ok((
        StatusCode::CREATED,
        Json(Message {
            message: "User added to group".into(),
        }),
    ))
}

/// Takes a user out of a group; one who is not in it stays so.
#[utoipa::path(delete, path = "/api/v1/groups/{id}/users/{user_id}", tag = "groups",
    params(("id" = String, Path), ("user_id" = String, Path)),
    responses((status = 204), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody)))]
async fn remove_member(
    State(app): State<App>,
    SignedIn(principal): SignedIn,
    Path((id, user_id)): Path<(String, String)>,
) -> Result<StatusCode> {
    app.accounts
        .remove_member(&Caller::User(principal), &id, &user_id)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
