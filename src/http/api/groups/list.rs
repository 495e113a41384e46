//! Reading groups.

use axum::Json;
use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::view::{GroupDetail, GroupView};
use crate::accounts::GroupFilter;
use crate::app::App;
use crate::auth::Caller;
use crate::error::Result;
use crate::http::extract::{QueryParams, SignedIn};

/// Part of the groups, by `skip` and `limit` or by `page` and `page_size`.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ListParams {
    /// Groups to pass over.
    #[param(minimum = 0, maximum = 2_147_483_647)]
    skip: Option<i64>,
    /// Groups at most; 100 if it is left out.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<i64>,
    /// Page, from 1.
    #[param(minimum = 1, maximum = 1_000_000)]
    page: Option<i64>,
    /// Groups on a page; 25 if it is left out.
    #[param(minimum = 1, maximum = 100)]
    page_size: Option<i64>,
    /// Only groups in whose name or description this occurs.
    search: Option<String>,
    /// For superadmins: only groups of this account, by id, code or slug.
    account_id: Option<String>,
}

/// Groups: all that were asked for, or a page.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(super) enum Groups {
    /// Without `page` and `page_size`.
    All(Vec<GroupView>),
    /// With one of them.
    Page(GroupPage),
}

/// A page of groups.
#[derive(Serialize, ToSchema)]
pub(super) struct GroupPage {
    /// The groups, oldest first.
    items: Vec<GroupView>,
    /// Number of items in all.
    total: i64,
    /// The page, from 1.
    page: i64,
    /// Groups on a page.
    page_size: i64,
}

/// The account's groups, oldest first; for superadmins those of every account, or of the one that
/// is named.
#[utoipa::path(
    get,
    path = "/api/v1/groups",
    tag = "groups",
    params(ListParams),
    responses((status = 200, body = Groups), (status = 404)),
)]
pub(super) async fn list(
    State(app): State<App>,
    SignedIn(principal): SignedIn,
    QueryParams(params): QueryParams<ListParams>,
) -> Result<Json<Groups>> {
    let is_paged = params.page.is_some() || params.page_size.is_some();
    let page_size = params.page_size.unwrap_or(25);
    let page = params.page.unwrap_or(1);
    let (skip, limit) = if is_paged {
        ((page - 1) * page_size, page_size)
    } else {
        (params.skip.unwrap_or_default(), params.limit.unwrap_or(100))
    };
    let filter = GroupFilter {
        account_id: params.account_id,
        search: params.search,
        skip,
        limit,
    };
    let (items, total) = app
        .accounts
        .groups(&Caller::User(principal), &filter)
        .await?;
    let items = items.into_iter().map(Into::into).collect();
    Ok(Json(if is_paged {
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

/// A group with its members.
#[utoipa::path(
    get,
    path = "/api/v1/groups/{id}",
    tag = "groups",
    params(("id" = String, Path)),
    responses((status = 200, body = GroupDetail)),
)]
pub(super) async fn get(
    State(app): State<App>,
    SignedIn(principal): SignedIn,
    Path(id): Path<String>,
) -> Result<Json<GroupDetail>> {
    let group = app.accounts.group(&Caller::User(principal), &id).await?;
    Ok(Json(group.into()))
}
