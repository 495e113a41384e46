//! Reading accounts.

use axum::Json;
use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::view::{AccountDetail, AccountView};
use crate::accounts::{AccountFilter, AccountPage, ListedAccount};
use crate::app::App;
use crate::error::Result;
use crate::http::extract::{QueryParams, SortOrder, Superadmin};

/// Page, order and search of a list of accounts.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ListParams {
    /// Page, from 1.
    #[param(minimum = 1, maximum = 1_000_000)]
    page: Option<i64>,
    /// Accounts on a page; 25 if it is left out.
    #[param(minimum = 1, maximum = 100)]
    page_size: Option<i64>,
    /// Column to sort by; `created_at` if it is left out.
    sort_by: Option<String>,
    /// Direction; `desc` if it is left out.
    #[param(inline)]
    sort_order: Option<SortOrder>,
    /// Only accounts in whose name, slug, code or id this occurs.
    search: Option<String>,
}

/// An account in a list.
#[derive(Serialize, ToSchema)]
pub(super) struct AccountSummary {
    /// The account.
    #[serde(flatten)]
    account: AccountView,
    /// Number of its users.
    user_count: i64,
    /// `active`.
    status: &'static str,
}

impl From<ListedAccount> for AccountSummary {
    fn from(listed: ListedAccount) -> Self {
        Self {
            account: listed.account.into(),
            user_count: listed.user_count,
            status: "active",
        }
    }
}

/// A page of accounts.
#[derive(Serialize, ToSchema)]
pub(super) struct AccountList {
    /// The accounts.
    items: Vec<AccountSummary>,
    /// Number of items in all.
    total: i64,
    /// The page, from 1.
    page: i64,
    /// Accounts on a page.
    page_size: i64,
    /// Number of pages, at least 1.
    total_pages: i64,
}

impl From<AccountPage> for AccountList {
    fn from(page: AccountPage) -> Self {
        Self {
            items: page.items.into_iter().map(Into::into).collect(),
            total: page.total,
            page: page.page,
            page_size: page.page_size,
            total_pages: page.total_pages,
        }
    }
}

/// The accounts, newest first unless sorted otherwise.
#[utoipa::path(
    get,
    path = "/api/v1/accounts",
    tag = "accounts",
    params(ListParams),
    responses((status = 200, body = AccountList)),
)]
pub(super) async fn list(
    State(app): State<App>,
    Superadmin(caller): Superadmin,
    QueryParams(params): QueryParams<ListParams>,
) -> Result<Json<AccountList>> {
    let filter = AccountFilter {
        search: params.search,
        sort_by: params.sort_by.unwrap_or_else(|| "created_at".into()),
        ascending: params.sort_order.is_some_and(SortOrder::is_ascending),
        page: params.page.unwrap_or(1),
        page_size: params.page_size.unwrap_or(25),
    };
    let account = app.accounts.accounts(&caller, &filter).await?;
    Ok(Json(account.into()))
}

/// One account.
#[utoipa::path(
    get,
    path = "/api/v1/accounts/{id}",
    tag = "accounts",
    params(("id" = String, Path)),
    responses((status = 200, body = AccountDetail)),
)]
pub(super) async fn get(
    State(app): State<App>,
    Superadmin(caller): Superadmin,
    Path(id): Path<String>,
) -> Result<Json<AccountDetail>> {
    let account = app.accounts.account(&caller, &id).await?;
    Ok(Json(account.into()))
}
