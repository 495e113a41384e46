//! Writing several records: all of them or none.

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::view::{Record, json_response};
use crate::app::App;
use crate::auth::Caller;
use crate::error::Result;
use crate::http::extract::JsonBody;
use crate::http::record_form::{Destination, SentBatch};
use crate::schema::{Body, Operation};

/// Records to create.
#[derive(Deserialize, ToSchema)]
pub(super) struct BatchCreate {
    /// The records' fields.
    #[schema(value_type = Vec<Object>)]
    records: Vec<Body>,
}

/// The records that were created.
#[derive(ToSchema)]
#[expect(dead_code, reason = "a shape for the API document")]
pub(super) struct BatchCreated {
    /// The records, in the order in which they were sent.
    created: Vec<Record>,
    /// The number of them.
    count: usize,
}

/// Creates several records, all or none.
#[utoipa::path(
    post,
    path = "/api/v1/records/{collection}/batch",
    tag = "records",
    params(("collection" = String, Path)),
    request_body(content((BatchCreate = "application/json"), (Object = "multipart/form-data"))),
    responses((status = 201, body = BatchCreated), (status = 409)),
)]
pub(super) async fn create_many(
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
    let sent = SentBatch::<BatchCreate>::read(&app, destination, request).await?;
    let created = app
        .records
        .create_many(&caller, &name, sent.batch.records)
        .await;
    let docs = sent.uploads.settle(created)?;
    Ok(json_response(
        StatusCode::CREATED,
        write_batch("created", &docs),
    ))
}

/// One change of a batch.
#[derive(Deserialize, ToSchema)]
pub(super) struct BatchUpdateItem {
    /// The record.
    id: String,
    /// The fields that change.
    #[schema(value_type = Object)]
    data: Body,
}

/// Records to change.
#[derive(Deserialize, ToSchema)]
pub(super) struct BatchUpdate {
    /// The changes.
    records: Vec<BatchUpdateItem>,
}

/// The records that were changed.
#[derive(ToSchema)]
#[expect(dead_code, reason = "a shape for the API document")]
pub(super) struct BatchUpdated {
    /// The records as they are now, in the order in which they were sent.
    updated: Vec<Record>,
    /// The number of them.
    count: usize,
}

/// Changes several records, all or none.
#[utoipa::path(
    patch,
    path = "/api/v1/records/{collection}/batch",
    tag = "records",
    params(("collection" = String, Path)),
    request_body(content((BatchUpdate = "application/json"), (Object = "multipart/form-data"))),
    responses((status = 200, body = BatchUpdated), (status = 409)),
)]
pub(super) async fn update_many(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
    request: Request,
) -> Result<Response> {
    let destination = Destination {
        caller: &caller,
        collection: &name,
        operation: Operation::Update,
        record: None,
    };
    let sent = SentBatch::<BatchUpdate>::read(&app, destination, request).await?;
    let items = sent
        .batch
        .records
        .into_iter()
        .map(|item| (item.id, item.data))
        .collect();
    let updated = app.records.update_many(&caller, &name, items).await;
    let docs = sent.uploads.settle(updated)?;
    Ok(json_response(StatusCode::OK, write_batch("updated", &docs)))
}

/// Records to delete.
#[derive(Deserialize, ToSchema)]
pub(super) struct BatchDelete {
    /// Their ids.
    ids: Vec<String>,
}

/// The records that were deleted.
#[derive(Serialize, ToSchema)]
pub(super) struct BatchDeleted {
    /// The ids, in the order in which they were sent.
    deleted: Vec<String>,
    /// The number of them.
    count: usize,
}

/// Deletes several records, all or none.
#[utoipa::path(
    delete,
    path = "/api/v1/records/{collection}/batch",
    tag = "records",
    params(("collection" = String, Path)),
    request_body = BatchDelete,
    responses((status = 200, body = BatchDeleted), (status = 409)),
)]
pub(super) async fn delete_many(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
    JsonBody(batch): JsonBody<BatchDelete>,
) -> Result<Json<BatchDeleted>> {
    let deleted = app.records.delete_many(&caller, &name, batch.ids).await?;
    Ok(Json(BatchDeleted {
        count: deleted.len(),
        deleted,
    }))
}

/// The records of a batch as JSON; they go in as they are.
fn write_batch(key: &str, docs: &[String]) -> String {
    format!(
        "{{\"{key}\":[{}],\"count\":{}}}",
        docs.join(","),
        docs.len()
    )
}
