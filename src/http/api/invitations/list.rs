//! Listing invitations.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::view::{InvitationStatus, InvitationView};
use crate::accounts::{InvitationFilter, InvitationPage};
use crate::app::App;
use crate::auth::Caller;
use crate::error::Result;
use crate::http::extract::{QueryParams, SignedIn};

/// Page of the invitations, and which of them.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ListParams {
    /// Only invitations in this state.
    #[param(inline)]
    status_filter: Option<InvitationStatus>,
    /// For superadmins: only invitations of this account, by id, code or slug.
    account_id: Option<String>,
    /// Page, from 1.
    #[param(minimum = 1, maximum = 1_000_000)]
    page: Option<i64>,
    /// Invitations on a page; 100 if it is left out.
    #[param(minimum = 1, maximum = 100)]
    page_size: Option<i64>,
}

/// Invitations.
#[derive(Serialize, ToSchema)]
pub(super) struct InvitationList {
    /// The invitations, newest first.
    invitations: Vec<InvitationView>,
    /// Number of items in all.
    total: i64,
}

impl From<InvitationPage> for InvitationList {
    fn from(page: InvitationPage) -> Self {
        Self {
            invitations: page.invitations.into_iter().map(Into::into).collect(),
            total: page.total,
        }
    }
}

/// The account's invitations, newest first; for superadmins those of every account, or of the one
/// that is named.
#[utoipa::path(
    get,
    path = "/api/v1/invitations",
    tag = "invitations",
    params(ListParams),
    responses((status = 200, body = InvitationList), (status = 404)),
)]
pub(super) async fn list(
    State(app): State<App>,
    SignedIn(principal): SignedIn,
    QueryParams(params): QueryParams<ListParams>,
) -> Result<Json<InvitationList>> {
    let page_size = params.page_size.unwrap_or(100);
    let page = params.page.unwrap_or(1);
    let filter = InvitationFilter {
        account_id: params.account_id,
        status: params.status_filter.map(Into::into),
        skip: (page - 1) * page_size,
        limit: page_size,
    };
    let invitation = app
        .accounts
        .invitations(&Caller::User(principal), &filter)
        .await?;
    Ok(Json(invitation.into()))
}
