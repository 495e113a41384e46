//! Figures of the whole server, for superadmins.

mod view;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::routes;
use view::{DashboardStats, StatsDays};

use crate::access::api_key_scope::ADMIN;
use crate::app::App;
use crate::error::Result;
use crate::http::endpoint::Endpoints;
use crate::http::extract::{QueryParams, Superadmin};

/// The route `/api/v1/dashboard/stats`.
pub fn endpoints() -> Endpoints {
    Endpoints::new().superadmin(ADMIN, routes!(stats))
}

/// Days that the figures cover.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct StatsParams {
    /// Days up to now; `7d` if it is left out.
    #[param(inline)]
    range: Option<StatsDays>,
}

/// Figures of the whole server.
#[utoipa::path(
    get,
    path = "/api/v1/dashboard/stats",
    tag = "dashboard",
    params(StatsParams),
    responses((status = 200, body = DashboardStats), (status = 422)),
)]
async fn stats(
    State(app): State<App>,
    _: Superadmin,
    QueryParams(params): QueryParams<StatsParams>,
) -> Result<Json<DashboardStats>> {
    let range = params.range.map(Into::into).unwrap_or_default();
    let figures = app.dashboard.stats(range).await?;
    Ok(Json(figures.into()))
}
