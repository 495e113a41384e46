//! Figures of the whole server, for superadmins.

use axum::Json;
use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::dashboard::{DashboardStats, Range};
use crate::error::{Error, Problem, Result};
use crate::http::error::ErrorBody;
use crate::http::extract::{Query, Superadmin};

/// The route `/api/v1/dashboard/stats`.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(stats))
}

/// Figures of the whole server.
#[utoipa::path(get, path = "/api/v1/dashboard/stats", tag = "dashboard", params(("range" = Option<Range>, Query)),
    responses((status = 200, body = DashboardStats), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 422, body = ErrorBody)))]
async fn stats(
    State(app): State<App>,
    _: Superadmin,
    query: Query,
) -> Result<Json<DashboardStats>> {
    query.refuse_misspelt(&["range"])?;
    let parse = |name: &str| {
        let refused = || {
            Error::malformed(Problem::query(
                "range",
                "enum",
                "Input should be '7d', '30d' or '90d'",
                name,
            ))
        };
        Range::parse(name).ok_or_else(refused)
    };
    let range = query
        .get("range")
        .map(parse)
        .transpose()?
        .unwrap_or_default();
    app.dashboard.stats(range).await.map(Json)
}
