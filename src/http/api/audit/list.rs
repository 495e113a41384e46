//! Listing rows of the trail.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::filter::FilterParams;
use super::view::AuditRow;
use crate::app::App;
use crate::audit::TrailPage;
use crate::error::Result;
use crate::http::extract::{PathInteger, QueryParams, Superadmin};

/// The part of the rows that is asked for.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct PageParams {
    /// Rows to pass over.
    #[param(minimum = 0, maximum = 2_147_483_647)]
    skip: Option<i64>,
    /// Rows at most; 50 if it is left out.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<i64>,
}

/// Some rows of the trail.
#[derive(Serialize, ToSchema)]
pub struct AuditPage {
    /// The rows.
    items: Vec<AuditRow>,
    /// Number of items in all.
    total: i64,
    /// Number of rows before the first.
    skip: i64,
    /// The most that were asked for.
    limit: i64,
    /// True if changes are kept at present.
    audit_logging_enabled: bool,
}

impl From<TrailPage> for AuditPage {
    fn from(page: TrailPage) -> Self {
        Self {
            items: page.items.into_iter().map(Into::into).collect(),
            total: page.total,
            skip: page.skip,
            limit: page.limit,
            audit_logging_enabled: page.audit_logging_enabled,
        }
    }
}

/// The trail, one row for each column of each change, newest first unless sorted otherwise.
#[utoipa::path(
    get,
    path = "/api/v1/audit-logs",
    tag = "audit",
    params(FilterParams, PageParams),
    responses((status = 200, body = AuditPage)),
)]
pub(super) async fn list(
    State(app): State<App>,
    Superadmin(caller): Superadmin,
    QueryParams(filter): QueryParams<FilterParams>,
    QueryParams(page): QueryParams<PageParams>,
) -> Result<Json<AuditPage>> {
    let (filter, skip) = (filter.into_filter()?, page.skip.unwrap_or_default());
    let limit = page.limit.unwrap_or(50);
    let rows = app.audit.list(&caller, &filter, skip, limit).await?;
    Ok(Json(rows.into()))
}

/// One row of the trail.
#[utoipa::path(
    get,
    path = "/api/v1/audit-logs/{id}",
    tag = "audit",
    params(("id" = i64, Path)),
    responses((status = 200, body = AuditRow)),
)]
pub(super) async fn get(
    State(app): State<App>,
    Superadmin(caller): Superadmin,
    PathInteger(id): PathInteger,
) -> Result<Json<AuditRow>> {
    let row = app.audit.get(&caller, id).await?;
    Ok(Json(row.into()))
}
