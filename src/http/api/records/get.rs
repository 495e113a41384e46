//! Reading one record.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::IntoParams;

use super::view::{Record, json_response, realtime_cursor};
use crate::access::ExpandPaths;
use crate::app::App;
use crate::auth::Caller;
use crate::error::Result;
use crate::http::extract::StrictQueryParams;
use crate::records::query::parse_fields;

/// The selection of one record's fields.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct GetParams {
    /// Only these fields, with commas between them, and those of the system.
    fields: Option<String>,
    /// References, with commas between them, in whose place their records are shown;
    /// `author.country` goes deeper.
    expand: Option<String>,
}

/// One record.
#[utoipa::path(
    get,
    path = "/api/v1/records/{collection}/{id}",
    tag = "records",
    params(("collection" = String, Path), ("id" = String, Path), GetParams),
    responses((status = 200, body = Record)),
)]
pub(super) async fn get(
    State(app): State<App>,
    caller: Caller,
    Path((name, id)): Path<(String, String)>,
    StrictQueryParams(params): StrictQueryParams<GetParams>,
) -> Result<Response> {
    let fields = params.fields.as_deref().and_then(parse_fields);
    let expand = params.expand.as_deref().map(ExpandPaths::parse);
    let expand = expand.transpose()?.flatten();
    let cursor = realtime_cursor(&app);
    let record = app
        .records
        .get(&caller, &name, &id, fields.as_deref(), expand.as_ref())
        .await?;
    Ok((cursor, json_response(StatusCode::OK, record)).into_response())
}
