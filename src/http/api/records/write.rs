//! Writing single records.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::view::{Record, json_response};
use crate::app::App;
use crate::auth::Caller;
use crate::error::Result;
use crate::http::extract::JsonObject;
use crate::records::Mode;

/// Creates a record.
#[utoipa::path(
    post,
    path = "/api/v1/records/{collection}",
    tag = "records",
    params(("collection" = String, Path)),
    request_body = Object,
    responses((status = 201, body = Record), (status = 409)),
)]
pub(super) async fn create(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
    JsonObject(body): JsonObject,
) -> Result<Response> {
    Ok(json_response(
        StatusCode::CREATED,
        app.records.create(&caller, &name, body).await?,
    ))
}

/// Changes a record; required fields must be sent, others keep their values.
#[utoipa::path(
    put,
    path = "/api/v1/records/{collection}/{id}",
    tag = "records",
    params(("collection" = String, Path), ("id" = String, Path)),
    request_body = Object,
    responses((status = 200, body = Record), (status = 409)),
)]
pub(super) async fn put(
    State(app): State<App>,
    caller: Caller,
    Path((name, id)): Path<(String, String)>,
    JsonObject(body): JsonObject,
) -> Result<Response> {
    Ok(json_response(
        StatusCode::OK,
        app.records
            .update(&caller, &name, &id, body, Mode::Put)
            .await?,
    ))
}

/// Changes the fields of a record that are sent.
#[utoipa::path(
    patch,
    path = "/api/v1/records/{collection}/{id}",
    tag = "records",
    params(("collection" = String, Path), ("id" = String, Path)),
    request_body = Object,
    responses((status = 200, body = Record), (status = 409)),
)]
pub(super) async fn patch(
    State(app): State<App>,
    caller: Caller,
    Path((name, id)): Path<(String, String)>,
    JsonObject(body): JsonObject,
) -> Result<Response> {
    Ok(json_response(
        StatusCode::OK,
        app.records
            .update(&caller, &name, &id, body, Mode::Patch)
            .await?,
    ))
}

/// Deletes a record.
#[utoipa::path(
    delete,
    path = "/api/v1/records/{collection}/{id}",
    tag = "records",
    params(("collection" = String, Path), ("id" = String, Path)),
    responses((status = 204), (status = 409)),
)]
pub(super) async fn delete(
    State(app): State<App>,
    caller: Caller,
    Path((name, id)): Path<(String, String)>,
) -> Result<StatusCode> {
    app.records.delete(&caller, &name, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
