//! Records: the collections' rules decide who may do what.

use std::fmt::Write as _;

use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::auth::Caller;
use crate::error::{Error, Result};
use crate::http::error::ErrorBody;
use crate::http::extract::{JsonBody, JsonObject, Query};
use crate::records::query::{RawListQuery, parse_fields};
use crate::records::{Expand, ListQuery, Mode, Page};
use crate::schema::Body;

/// The query parameters of a list; anything else is refused, so that a misspelt filter shows.
const LIST_PARAMETERS: [&str; 9] =
    ["skip", "limit", "sort", "fields", "filter", "expand", "cursor", "cursor_before", "include_count"];

/// The routes below `/api/v1/records`.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(create_many, update_many, delete_many))
        .routes(routes!(get, put, patch, delete))
}

/// A record: the system fields, `account_name`, and the fields of its collection.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "a shape for the API document; records travel as the database's text")]
struct Record {
    id: String,
    account_id: String,
    created_at: String,
    created_by: String,
    updated_at: String,
    updated_by: String,
    account_name: Option<String>,
    #[schema(additional_properties)]
    #[serde(flatten)]
    fields: std::collections::HashMap<String, serde_json::Value>,
}

/// A page of records.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "a shape for the API document; records travel as the database's text")]
struct RecordPage {
    items: Vec<Record>,
    total: Option<i64>,
    skip: i64,
    limit: i64,
    next_cursor: Option<String>,
    prev_cursor: Option<String>,
    has_more: bool,
}

/// A page of the records that the caller may list.
#[utoipa::path(get, path = "/api/v1/records/{collection}", tag = "records",
    params(("collection" = String, Path), ("skip" = Option<i64>, Query), ("limit" = Option<i64>, Query),
        ("sort" = Option<String>, Query), ("fields" = Option<String>, Query), ("filter" = Option<String>, Query),
        ("expand" = Option<String>, Query), ("cursor" = Option<String>, Query), ("cursor_before" = Option<String>, Query),
        ("include_count" = Option<bool>, Query)),
    responses((status = 200, body = RecordPage), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody), (status = 404, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn list(State(app): State<App>, caller: Caller, Path(name): Path<String>, query: Query) -> Result<Response> {
    let skip = query.number("skip", 0, 0..=i64::from(i32::MAX))?;
    let limit = query.number("limit", 30, 1..=100)?;
    let include_count = query.flag("include_count", false)?;
    if let Some(unknown) = query.keys().find(|key| !LIST_PARAMETERS.contains(key)) {
        let message =
            format!("'{unknown}' is no parameter here; conditions go into filter, for example filter={unknown} = 1");
        return Err(Error::refused("Unsupported query parameter", message));
    }
    let request = ListQuery::parse(&RawListQuery {
        skip,
        limit,
        sort: query.get("sort"),
        fields: query.get("fields"),
        filter: query.get("filter"),
        expand: query.get("expand"),
        cursor: query.get("cursor"),
        cursor_before: query.get("cursor_before"),
        include_count,
    })?;
    let page = app.records.list(&caller, &name, &request).await?;
    Ok(document(StatusCode::OK, page_text(&page, skip, limit)))
}

/// Creates a record.
#[utoipa::path(post, path = "/api/v1/records/{collection}", tag = "records", params(("collection" = String, Path)),
    request_body = Object,
    responses((status = 201, body = Record), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody), (status = 404, body = ErrorBody), (status = 409, body = ErrorBody),
        (status = 422, body = ErrorBody)))]
async fn create(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
    JsonObject(body): JsonObject,
) -> Result<Response> {
    Ok(document(StatusCode::CREATED, app.records.create(&caller, &name, body).await?))
}

/// One record.
#[utoipa::path(get, path = "/api/v1/records/{collection}/{id}", tag = "records",
    params(("collection" = String, Path), ("id" = String, Path), ("fields" = Option<String>, Query),
        ("expand" = Option<String>, Query)),
    responses((status = 200, body = Record), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)))]
async fn get(
    State(app): State<App>,
    caller: Caller,
    Path((name, id)): Path<(String, String)>,
    query: Query,
) -> Result<Response> {
    let fields = query.get("fields").and_then(parse_fields);
    let expand = query.get("expand").map(Expand::parse).transpose()?.flatten();
    let record = app.records.get(&caller, &name, &id, fields.as_deref(), expand.as_ref()).await?;
    Ok(document(StatusCode::OK, record))
}

/// Changes a record; required fields must be sent, others keep their values.
#[utoipa::path(put, path = "/api/v1/records/{collection}/{id}", tag = "records",
    params(("collection" = String, Path), ("id" = String, Path)), request_body = Object,
    responses((status = 200, body = Record), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody), (status = 404, body = ErrorBody), (status = 409, body = ErrorBody),
        (status = 422, body = ErrorBody)))]
async fn put(
    State(app): State<App>,
    caller: Caller,
    Path((name, id)): Path<(String, String)>,
    JsonObject(body): JsonObject,
) -> Result<Response> {
    Ok(document(StatusCode::OK, app.records.update(&caller, &name, &id, body, Mode::Put).await?))
}

/// Changes the fields of a record that are sent.
#[utoipa::path(patch, path = "/api/v1/records/{collection}/{id}", tag = "records",
    params(("collection" = String, Path), ("id" = String, Path)), request_body = Object,
    responses((status = 200, body = Record), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody), (status = 404, body = ErrorBody), (status = 409, body = ErrorBody),
        (status = 422, body = ErrorBody)))]
async fn patch(
    State(app): State<App>,
    caller: Caller,
    Path((name, id)): Path<(String, String)>,
    JsonObject(body): JsonObject,
) -> Result<Response> {
    Ok(document(StatusCode::OK, app.records.update(&caller, &name, &id, body, Mode::Patch).await?))
}

/// Deletes a record.
#[utoipa::path(delete, path = "/api/v1/records/{collection}/{id}", tag = "records",
    params(("collection" = String, Path), ("id" = String, Path)),
    responses((status = 204), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody), (status = 404, body = ErrorBody), (status = 409, body = ErrorBody)))]
async fn delete(
    State(app): State<App>,
    caller: Caller,
    Path((name, id)): Path<(String, String)>,
) -> Result<StatusCode> {
    app.records.delete(&caller, &name, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Records to create.
#[derive(Deserialize, utoipa::ToSchema)]
struct BatchCreate {
    /// The records' fields.
    #[schema(value_type = Vec<Object>)]
    records: Vec<Body>,
}

/// Creates several records, all or none.
#[utoipa::path(post, path = "/api/v1/records/{collection}/batch", tag = "records", params(("collection" = String, Path)),
    request_body = BatchCreate,
    responses((status = 201, description = "The records, in order"), (status = 400, body = ErrorBody),
        (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody),
        (status = 409, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn create_many(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
    JsonBody(batch): JsonBody<BatchCreate>,
) -> Result<Response> {
    let docs = app.records.create_many(&caller, &name, batch.records).await?;
    Ok(document(StatusCode::CREATED, batch_text("created", &docs)))
}

/// One change of a batch.
#[derive(Deserialize, utoipa::ToSchema)]
struct BatchUpdateItem {
    /// The record.
    id: String,
    /// The fields that change.
    #[schema(value_type = Object)]
    data: Body,
}

/// Records to change.
#[derive(Deserialize, utoipa::ToSchema)]
struct BatchUpdate {
    /// The changes.
    records: Vec<BatchUpdateItem>,
}

/// Changes several records, all or none.
#[utoipa::path(patch, path = "/api/v1/records/{collection}/batch", tag = "records", params(("collection" = String, Path)),
    request_body = BatchUpdate,
    responses((status = 200, description = "The records, in order"), (status = 400, body = ErrorBody),
        (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody),
        (status = 409, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn update_many(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
    JsonBody(batch): JsonBody<BatchUpdate>,
) -> Result<Response> {
    let items = batch.records.into_iter().map(|item| (item.id, item.data)).collect();
    let docs = app.records.update_many(&caller, &name, items).await?;
    Ok(document(StatusCode::OK, batch_text("updated", &docs)))
}

/// Records to delete.
#[derive(Deserialize, utoipa::ToSchema)]
struct BatchDelete {
    /// Their ids.
    ids: Vec<String>,
}

/// Deletes several records, all or none.
#[utoipa::path(delete, path = "/api/v1/records/{collection}/batch", tag = "records", params(("collection" = String, Path)),
    request_body = BatchDelete,
    responses((status = 200, description = "The ids"), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody), (status = 404, body = ErrorBody), (status = 409, body = ErrorBody),
        (status = 422, body = ErrorBody)))]
async fn delete_many(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
    JsonBody(batch): JsonBody<BatchDelete>,
) -> Result<Response> {
    let ids = app.records.delete_many(&caller, &name, batch.ids).await?;
    let count = ids.len();
    Ok(axum::Json(serde_json::json!({ "deleted": ids, "count": count })).into_response())
}

/// A response of JSON text that is ready.
fn document(status: StatusCode, text: String) -> Response {
    let content_type = (header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    (status, [content_type], text).into_response()
}

fn batch_text(key: &str, docs: &[String]) -> String {
    format!("{{\"{key}\":[{}],\"count\":{}}}", docs.join(","), docs.len())
}

/// The page as JSON; the documents go in as they are.
fn page_text(page: &Page, skip: i64, limit: i64) -> String {
    let size: usize = page.items.iter().map(|doc| doc.len() + 1).sum();
    let mut text = String::with_capacity(size + 256);
    text.push_str("{\"items\":[");
    for (index, doc) in page.items.iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        text.push_str(doc);
    }
    let quoted = |cursor: &Option<String>| cursor.as_ref().map_or("null".to_owned(), |cursor| format!("\"{cursor}\""));
    let total = page.total.map_or("null".to_owned(), |total| total.to_string());
    let (next, prev) = (quoted(&page.next_cursor), quoted(&page.prev_cursor));
    let more = page.has_more;
    // Writing to a String does not fail.
    let _ = write!(
        text,
        "],\"total\":{total},\"skip\":{skip},\"limit\":{limit},\"next_cursor\":{next},\"prev_cursor\":{prev},\"has_more\":{more}}}"
    );
    text
}
