//! Reading users.

use axum::Json;
use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::view::UserDetail;
use crate::accounts::{UserFilter, UserPage};
use crate::app::App;
use crate::error::Result;
use crate::http::extract::{QueryParams, Superadmin};

/// Page, order and search of a list of users. Pages come as `skip` and `limit`, or as `page` and
/// `page_size`.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ListParams {
    /// Only users of this account, by id.
    account_id: Option<String>,
    /// Only users with this role.
    #[param(minimum = 1)]
    role_id: Option<i64>,
    /// Only users that may sign in, or may not.
    is_active: Option<bool>,
    /// Only users in whose address this occurs.
    search: Option<String>,
    /// Users to pass over.
    #[param(minimum = 0, maximum = 2_147_483_647)]
    skip: Option<i64>,
    /// Users at most; 30 if it is left out.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<i64>,
    /// Column to sort by, with a `-` before it to descend.
    sort: Option<String>,
    /// Page, from 1.
    #[param(minimum = 1, maximum = 1_000_000)]
    page: Option<i64>,
    /// Users on a page; 30 if it is left out.
    #[param(minimum = 1, maximum = 100)]
    page_size: Option<i64>,
    /// Column to sort by, if `sort` is left out.
    sort_by: Option<String>,
    /// Direction of `sort_by`: `asc`, or `desc` if it is anything else.
    sort_order: Option<String>,
}

impl ListParams {
    fn into_filter(self) -> UserFilter {
        let page = self.page.unwrap_or(1);
        let limit = self.limit.or(self.page_size).unwrap_or(30);
        let ascends = self.sort_order.as_deref() == Some("asc");
        let sort_by = match self.sort_by {
            Some(column) if ascends => Some(column),
            Some(column) => Some(format!("-{column}")),
            None => None,
        };
        UserFilter {
            account_id: self.account_id,
            role_id: self.role_id,
            is_active: self.is_active,
            search: self.search,
            sort: self.sort.or(sort_by),
            skip: self.skip.unwrap_or((page - 1) * limit),
            limit,
        }
    }
}

/// A page of users.
#[derive(Serialize, ToSchema)]
pub(super) struct UserList {
    /// Number of items in all.
    total: i64,
    /// The users.
    items: Vec<UserDetail>,
}

impl From<UserPage> for UserList {
    fn from(page: UserPage) -> Self {
        Self {
            total: page.total,
            items: page.items.into_iter().map(Into::into).collect(),
        }
    }
}

/// The users, newest first unless sorted otherwise.
#[utoipa::path(
    get,
    path = "/api/v1/users",
    tag = "users",
    params(ListParams),
    responses((status = 200, body = UserList)),
)]
pub(super) async fn list(
    State(app): State<App>,
    Superadmin(caller): Superadmin,
    QueryParams(params): QueryParams<ListParams>,
) -> Result<Json<UserList>> {
    let filter = params.into_filter();
    let user = app.accounts.users(&caller, &filter).await?;
    Ok(Json(user.into()))
}

/// One user.
#[utoipa::path(
    get,
    path = "/api/v1/users/{id}",
    tag = "users",
    params(("id" = String, Path)),
    responses((status = 200, body = UserDetail)),
)]
pub(super) async fn get(
    State(app): State<App>,
    Superadmin(caller): Superadmin,
    Path(id): Path<String>,
) -> Result<Json<UserDetail>> {
    let user = app.accounts.user(&caller, &id).await?;
    Ok(Json(user.into()))
}
