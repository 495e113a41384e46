//! The users of an account.

use axum::Json;
use axum::extract::{Path, State};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::accounts::{AccountMember, AccountMemberPage};
use crate::app::App;
use crate::error::Result;
use crate::http::extract::{QueryParams, Superadmin};

/// Page of an account's users.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ListParams {
    /// Page, from 1.
    #[param(minimum = 1, maximum = 1_000_000)]
    page: Option<i64>,
    /// Users on a page; 25 if it is left out.
    #[param(minimum = 1, maximum = 100)]
    page_size: Option<i64>,
}

/// A user in an account's list.
#[derive(Serialize, ToSchema)]
pub(super) struct AccountUser {
    /// The id.
    id: String,
    /// The address.
    email: String,
    /// The name of the role.
    role: String,
    /// True if the user may sign in.
    is_active: bool,
    /// Time of the user's creation.
    #[serde(serialize_with = "crate::clock::serialize")]
    #[schema(value_type = String)]
    created_at: DateTime<Utc>,
}

impl From<AccountMember> for AccountUser {
    fn from(member: AccountMember) -> Self {
        Self {
            id: member.id,
            email: member.email,
            role: member.role,
            is_active: member.is_active,
            created_at: member.created_at,
        }
    }
}

/// A page of an account's users.
#[derive(Serialize, ToSchema)]
pub(super) struct AccountUserList {
    /// The users, newest first.
    items: Vec<AccountUser>,
    /// Number of items in all.
    total: i64,
    /// The page, from 1.
    page: i64,
    /// Users on a page.
    page_size: i64,
    /// Number of pages, at least 1.
    total_pages: i64,
}

impl From<AccountMemberPage> for AccountUserList {
    fn from(page: AccountMemberPage) -> Self {
        Self {
            items: page.items.into_iter().map(Into::into).collect(),
            total: page.total,
            page: page.page,
            page_size: page.page_size,
            total_pages: page.total_pages,
        }
    }
}

/// An account's users, newest first.
#[utoipa::path(
    get,
    path = "/api/v1/accounts/{id}/users",
    tag = "accounts",
    operation_id = "users",
    params(("id" = String, Path), ListParams),
    responses((status = 200, body = AccountUserList)),
)]
pub(super) async fn list(
    State(app): State<App>,
    Superadmin(caller): Superadmin,
    Path(id): Path<String>,
    QueryParams(params): QueryParams<ListParams>,
) -> Result<Json<AccountUserList>> {
    let page = params.page.unwrap_or(1);
    let page_size = params.page_size.unwrap_or(25);
    let account = app
        .accounts
        .account_users(&caller, &id, page, page_size)
        .await?;
    Ok(Json(account.into()))
}
