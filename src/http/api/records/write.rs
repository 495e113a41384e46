//! Writing single records.

use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::view::{Record, json_response};
use crate::app::App;
use crate::auth::Caller;
use crate::error::Result;
use crate::http::record_form::{Destination, SentRecord};
use crate::records::Mode;
use crate::schema::Operation;

/// Creates a record.
#[utoipa::path(
    post,
    path = "/api/v1/records/{collection}",
    tag = "records",
    params(("collection" = String, Path)),
    request_body(content((Object = "application/json"), (Object = "multipart/form-data"))),
    responses((status = 201, body = Record), (status = 409)),
)]
pub(super) async fn create(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
    request: Request,
) -> Result<Response> {
    let destination = Destination {
        caller: &caller,
        collection: &name,
        operation: Operation::Create,
        record: None,
    };
    let SentRecord { body, uploads } = SentRecord::read(&app, destination, request).await?;
    let created = app.records.create(&caller, &name, body).await;
    Ok(json_response(StatusCode::CREATED, uploads.settle(created)?))
}

/// Changes a record; required fields must be sent, others keep their values.
#[utoipa::path(
    put,
    path = "/api/v1/records/{collection}/{id}",
    tag = "records",
    params(("collection" = String, Path), ("id" = String, Path)),
    request_body(content((Object = "application/json"), (Object = "multipart/form-data"))),
    responses((status = 200, body = Record), (status = 409)),
)]
pub(super) async fn put(
    State(app): State<App>,
    caller: Caller,
    Path((name, id)): Path<(String, String)>,
    request: Request,
) -> Result<Response> {
    update(&app, &caller, (&name, &id), request, Mode::Put).await
}

/// Changes the fields of a record that are sent.
#[utoipa::path(
    patch,
    path = "/api/v1/records/{collection}/{id}",
    tag = "records",
    params(("collection" = String, Path), ("id" = String, Path)),
    request_body(content((Object = "application/json"), (Object = "multipart/form-data"))),
    responses((status = 200, body = Record), (status = 409)),
)]
pub(super) async fn patch(
    State(app): State<App>,
    caller: Caller,
    Path((name, id)): Path<(String, String)>,
    request: Request,
) -> Result<Response> {
    update(&app, &caller, (&name, &id), request, Mode::Patch).await
}

async fn update(
    app: &App,
    caller: &Caller,
    (name, id): (&str, &str),
    request: Request,
    mode: Mode,
) -> Result<Response> {
    let destination = Destination {
        caller,
        collection: name,
        operation: Operation::Update,
        record: Some(id),
    };
    let SentRecord { body, uploads } = SentRecord::read(app, destination, request).await?;
    let updated = app.records.update(caller, name, id, body, mode).await;
    Ok(json_response(StatusCode::OK, uploads.settle(updated)?))
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
