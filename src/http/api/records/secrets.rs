//! Reading the plain values of encrypted fields.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::app::App;
use crate::auth::Caller;
use crate::error::Result;
use crate::http::extract::StrictQueryParams;
use crate::records::query::parse_fields;
use crate::schema::Body;

/// The selection of a record's encrypted fields.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct SecretsParams {
    /// Only these fields, with commas between them.
    fields: Option<String>,
}

/// The plain values of encrypted fields.
#[derive(Serialize, ToSchema)]
pub(super) struct Secrets {
    #[schema(value_type = Object)]
    data: Body,
}

/// The plain values of a record's encrypted fields, for API keys with the scope
/// `records:secrets:read`.
#[utoipa::path(
    get,
    path = "/api/v1/records/{collection}/{id}/secrets",
    tag = "records",
    params(("collection" = String, Path), ("id" = String, Path), SecretsParams),
    responses((status = 200, body = Secrets), (status = 422)),
)]
pub(super) async fn secrets(
    State(app): State<App>,
    caller: Caller,
    Path((name, id)): Path<(String, String)>,
    StrictQueryParams(params): StrictQueryParams<SecretsParams>,
) -> Result<Response> {
    let fields = params.fields.as_deref().and_then(parse_fields);
    let data = app
        .records
        .secrets(&caller, &name, &id, fields.as_deref())
        .await?;
    let no_store = [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    Ok((no_store, Json(Secrets { data })).into_response())
}
