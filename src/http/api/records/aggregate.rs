//! Counts, sums and extremes over records.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::view::json_response;
use crate::app::App;
use crate::auth::Caller;
use crate::error::Result;
use crate::http::extract::StrictQueryParams;
use crate::records::{AggregateQuery, RawAggregateQuery};
use crate::schema::Body;

/// The functions of an aggregation, and over which records.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct AggregateParams {
    /// Functions with commas between them: `count()`, `count(field)`, `sum(field)`, `avg(field)`,
    /// `min(field)`, `max(field)`.
    functions: String,
    /// Fields with commas between them; one row for each combination of their values, one row in
    /// all without any.
    group_by: Option<String>,
    /// Only records for which this expression is true.
    filter: Option<String>,
    /// Only groups for whose results this is true, such as `count() > 1`.
    having: Option<String>,
    /// Only records in whose searchable fields all these words occur.
    search: Option<String>,
}

/// The groups of an aggregation.
#[derive(ToSchema)]
#[expect(dead_code, reason = "a shape for the API document")]
pub(super) struct AggregateResult {
    /// One row for each group: the functions' results, and the fields grouped by.
    #[schema(value_type = Vec<Object>)]
    results: Vec<Body>,
    total_groups: usize,
}

/// Counts, sums and extremes over the records that the caller may list.
#[utoipa::path(
    get,
    path = "/api/v1/records/{collection}/aggregate",
    tag = "records",
    params(("collection" = String, Path), AggregateParams),
    responses((status = 200, body = AggregateResult), (status = 422)),
)]
pub(super) async fn aggregate(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
    StrictQueryParams(params): StrictQueryParams<AggregateParams>,
) -> Result<Response> {
    let request = AggregateQuery::parse(&RawAggregateQuery {
        functions: &params.functions,
        group_by: params.group_by.as_deref(),
        filter: params.filter.as_deref(),
        having: params.having.as_deref(),
        search: params.search.as_deref(),
    })?;
    let result = app.records.aggregate(&caller, &name, &request).await?;
    Ok(json_response(StatusCode::OK, result.to_json()))
}
