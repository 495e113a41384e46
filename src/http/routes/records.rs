//! Records: the collections' rules decide who may do what.

use std::fmt::Write as _;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::access::ExpandPaths;
use crate::app::App;
use crate::auth::Caller;
use crate::error::{Error, Problem, Result};
use crate::http::error::ErrorBody;
use crate::http::extract::{JsonBody, JsonObject, Query};
use crate::records::query::{RawListQuery, parse_fields};
use crate::records::{AggregateQuery, ListQuery, Mode, Page, RawAggregateQuery};
use crate::schema::Body;
use crate::spelling::nearest;

/// The query parameters of a list; anything else is refused, so that a misspelt filter shows.
const LIST_PARAMETERS: [&str; 10] = [
    "skip",
    "limit",
    "sort",
    "fields",
    "filter",
    "search",
    "expand",
    "cursor",
    "cursor_before",
    "include_count",
];

/// The same for an aggregation.
const AGGREGATE_PARAMETERS: [&str; 5] = ["functions", "group_by", "filter", "having", "search"];

/// The routes below `/api/v1/records`.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(aggregate))
        .routes(routes!(secrets))
        .routes(routes!(create_many, update_many, delete_many))
        .routes(routes!(get, put, patch, delete))
}

/// A record: the system fields, `account_name`, and the fields of its collection.
#[derive(utoipa::ToSchema)]
#[expect(
    dead_code,
    reason = "a shape for the API document; records travel as the database's text"
)]
struct Record {
    id: String,
    account_id: String,
    created_at: String,
    created_by: String,
    updated_at: String,
    updated_by: String,
    #[schema(required)]
    account_name: Option<String>,
    #[schema(additional_properties)]
    #[serde(flatten)]
    fields: std::collections::HashMap<String, serde_json::Value>,
}

/// A page of records.
#[derive(utoipa::ToSchema)]
#[expect(
    dead_code,
    reason = "a shape for the API document; records travel as the database's text"
)]
struct RecordPage {
    items: Vec<Record>,
    /// How many there are in all; null in a walk that does not ask for it.
    #[schema(required)]
    total: Option<i64>,
    skip: i64,
    limit: i64,
    /// Where the next page begins; null if there is none.
    #[schema(required)]
    next_cursor: Option<String>,
    /// Where the previous page ends; null if there is none.
    #[schema(required)]
    prev_cursor: Option<String>,
    has_more: bool,
}

/// A page of the records that the caller may list.
#[utoipa::path(get, path = "/api/v1/records/{collection}", tag = "records",
    params(
        ("collection" = String, Path),
        ("skip" = Option<i64>, Query, minimum = 0, maximum = 2_147_483_647, description = "Records to pass over; 0 if it is left out"),
        ("limit" = Option<i64>, Query, minimum = 1, maximum = 100, description = "Records of a page, 1 to 100; 30 if it is left out"),
        ("sort" = Option<String>, Query, description = "Fields with commas between them, a `-` before those that descend; `-created_at` if it is left out"),
        ("fields" = Option<String>, Query, description = "Only these fields, with commas between them, and those of the system"),
        ("filter" = Option<String>, Query, description = "Only records for which this expression is true"),
        ("search" = Option<String>, Query, description = "Only records in whose searchable fields all these words occur"),
        ("expand" = Option<String>, Query, description = "References, with commas between them, in whose place their records are shown; `author.country` goes deeper"),
        ("cursor" = Option<String>, Query, description = "The page after this, `next_cursor` of the page before; empty for the first"),
        ("cursor_before" = Option<String>, Query, description = "The page before this, `prev_cursor` of the page after it"),
        ("include_count" = Option<bool>, Query, description = "Whether a page by cursor has the total too"),
    ),
    responses((status = 200, body = RecordPage), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody), (status = 404, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn list(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
    query: Query,
) -> Result<Response> {
    let skip = query.number("skip", 0, 0..=i64::from(i32::MAX))?;
    let limit = query.number("limit", 30, 1..=100)?;
    let include_count = query.flag("include_count", false)?;
    refuse_unknown(&query, &LIST_PARAMETERS)?;
    let request = ListQuery::parse(&RawListQuery {
        skip,
        limit,
        sort: query.get("sort"),
        fields: query.get("fields"),
        filter: query.get("filter"),
        search: query.get("search"),
        expand: query.get("expand"),
        cursor: query.get("cursor"),
        cursor_before: query.get("cursor_before"),
        include_count,
    })?;
    let cursor = realtime_cursor(&app);
    let page = app.records.list(&caller, &name, &request).await?;
    Ok((
        cursor,
        document(StatusCode::OK, page_text(&page, skip, limit)),
    )
        .into_response())
}

/// The groups of an aggregation.
#[derive(utoipa::ToSchema)]
#[expect(
    dead_code,
    reason = "a shape for the API document; results travel as the database's text"
)]
struct AggregateResult {
    /// One row for each group: the functions' results, and the fields grouped by.
    #[schema(value_type = Vec<Object>)]
    results: Vec<Body>,
    total_groups: usize,
}

/// Counts, sums and extremes over the records that the caller may list.
#[utoipa::path(get, path = "/api/v1/records/{collection}/aggregate", tag = "records",
    params(
        ("collection" = String, Path),
        ("functions" = String, Query, description = "What to calculate, with commas between: `count()`, `count(field)`, `sum(field)`, `avg(field)`, `min(field)`, `max(field)`"),
        ("group_by" = Option<String>, Query, description = "Fields with commas between them; one row for each combination of their values, one row in all without any"),
        ("filter" = Option<String>, Query, description = "Only records for which this expression is true"),
        ("having" = Option<String>, Query, description = "Only groups for whose results this is true, such as `count() > 1`"),
        ("search" = Option<String>, Query, description = "Only records in whose searchable fields all these words occur"),
    ),
    responses((status = 200, body = AggregateResult), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody), (status = 404, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn aggregate(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
    query: Query,
) -> Result<Response> {
    let Some(functions) = query.get("functions") else {
        return Err(Error::malformed(Problem::query(
            "functions",
            "missing",
            "Field required",
            Value::Null,
        )));
    };
    refuse_unknown(&query, &AGGREGATE_PARAMETERS)?;
    let request = AggregateQuery::parse(&RawAggregateQuery {
        functions,
        group_by: query.get("group_by"),
        filter: query.get("filter"),
        having: query.get("having"),
        search: query.get("search"),
    })?;
    let result = app.records.aggregate(&caller, &name, &request).await?;
    Ok(document(StatusCode::OK, result.to_json()))
}

fn refuse_unknown(query: &Query, known: &[&str]) -> Result<()> {
    let Some(unknown) = query.keys().find(|key| !known.contains(key)) else {
        return Ok(());
    };
    let shown: String = unknown.chars().take(100).collect();
    let hint = match nearest(unknown, known.iter().copied()) {
        Some(near) => format!("did you mean '{near}'?"),
        None => format!("conditions go into filter, for example filter={shown} = 1"),
    };
    Err(Error::refused(
        "Unsupported query parameter",
        format!("unknown query parameter '{shown}'; {hint}"),
    ))
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
    Ok(document(
        StatusCode::CREATED,
        app.records.create(&caller, &name, body).await?,
    ))
}

/// One record.
#[utoipa::path(get, path = "/api/v1/records/{collection}/{id}", tag = "records",
    params(
        ("collection" = String, Path),
        ("id" = String, Path),
        ("fields" = Option<String>, Query, description = "Only these fields, with commas between them, and those of the system"),
        ("expand" = Option<String>, Query, description = "References, with commas between them, in whose place their records are shown; `author.country` goes deeper"),
    ),
    responses((status = 200, body = Record), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)))]
async fn get(
    State(app): State<App>,
    caller: Caller,
    Path((name, id)): Path<(String, String)>,
    query: Query,
) -> Result<Response> {
    query.only(&["fields", "expand"])?;
    let fields = query.get("fields").and_then(parse_fields);
    let expand = query
        .get("expand")
        .map(ExpandPaths::parse)
        .transpose()?
        .flatten();
    let cursor = realtime_cursor(&app);
    let record = app
        .records
        .get(&caller, &name, &id, fields.as_deref(), expand.as_ref())
        .await?;
    Ok((cursor, document(StatusCode::OK, record)).into_response())
}

/// The plain values of encrypted fields.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "a shape for the API document")]
struct Secrets {
    #[schema(value_type = Object)]
    data: Body,
}

/// The plain values of a record's encrypted fields, for API keys with the scope
/// `records:secrets:read`.
#[utoipa::path(get, path = "/api/v1/records/{collection}/{id}/secrets", tag = "records",
    params(("collection" = String, Path), ("id" = String, Path), ("fields" = Option<String>, Query)),
    responses((status = 200, body = Secrets), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody), (status = 404, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn secrets(
    State(app): State<App>,
    caller: Caller,
    Path((name, id)): Path<(String, String)>,
    query: Query,
) -> Result<Response> {
    query.only(&["fields"])?;
    let fields = query.get("fields").and_then(parse_fields);
    let data = app
        .records
        .secrets(&caller, &name, &id, fields.as_deref())
        .await?;
    let no_store = [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    Ok((no_store, axum::Json(serde_json::json!({ "data": data }))).into_response())
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
    Ok(document(
        StatusCode::OK,
        app.records
            .update(&caller, &name, &id, body, Mode::Put)
            .await?,
    ))
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
    Ok(document(
        StatusCode::OK,
        app.records
            .update(&caller, &name, &id, body, Mode::Patch)
            .await?,
    ))
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

/// What was created.
#[derive(utoipa::ToSchema)]
#[expect(
    dead_code,
    reason = "a shape for the API document; records travel as the database's text"
)]
struct BatchCreated {
    /// The records, in the order in which they were sent.
    created: Vec<Record>,
    /// How many there are.
    count: usize,
}

/// Creates several records, all or none.
#[utoipa::path(post, path = "/api/v1/records/{collection}/batch", tag = "records", params(("collection" = String, Path)),
    request_body = BatchCreate,
    responses((status = 201, body = BatchCreated), (status = 400, body = ErrorBody),
        (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody),
        (status = 409, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn create_many(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
    JsonBody(batch): JsonBody<BatchCreate>,
) -> Result<Response> {
    let docs = app
        .records
        .create_many(&caller, &name, batch.records)
        .await?;
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

/// What was changed.
#[derive(utoipa::ToSchema)]
#[expect(
    dead_code,
    reason = "a shape for the API document; records travel as the database's text"
)]
struct BatchUpdated {
    /// The records as they are now, in the order in which they were sent.
    updated: Vec<Record>,
    /// How many there are.
    count: usize,
}

/// Changes several records, all or none.
#[utoipa::path(patch, path = "/api/v1/records/{collection}/batch", tag = "records", params(("collection" = String, Path)),
    request_body = BatchUpdate,
    responses((status = 200, body = BatchUpdated), (status = 400, body = ErrorBody),
        (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody),
        (status = 409, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn update_many(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
    JsonBody(batch): JsonBody<BatchUpdate>,
) -> Result<Response> {
    let items = batch
        .records
        .into_iter()
        .map(|item| (item.id, item.data))
        .collect();
    let docs = app.records.update_many(&caller, &name, items).await?;
    Ok(document(StatusCode::OK, batch_text("updated", &docs)))
}

/// Records to delete.
#[derive(Deserialize, utoipa::ToSchema)]
struct BatchDelete {
    /// Their ids.
    ids: Vec<String>,
}

/// What was deleted.
#[derive(Serialize, utoipa::ToSchema)]
struct BatchDeleted {
    /// The ids, in the order in which they were sent.
    deleted: Vec<String>,
    /// How many there are.
    count: usize,
}

/// Deletes several records, all or none.
#[utoipa::path(delete, path = "/api/v1/records/{collection}/batch", tag = "records", params(("collection" = String, Path)),
    request_body = BatchDelete,
    responses((status = 200, body = BatchDeleted), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody), (status = 404, body = ErrorBody), (status = 409, body = ErrorBody),
        (status = 422, body = ErrorBody)))]
async fn delete_many(
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

/// Where a realtime subscription goes on after what is read now. Taken before the read: what was
/// handed out by then was committed, so the read shows it.
fn realtime_cursor(app: &App) -> AppendHeaders<Option<(HeaderName, HeaderValue)>> {
    let cursor = app.changes.cursor(app.changes.position()).to_string();
    let value = HeaderValue::try_from(cursor).ok();
    AppendHeaders(value.map(|value| (HeaderName::from_static("x-realtime-cursor"), value)))
}

/// A response of JSON text that is ready.
fn document(status: StatusCode, text: String) -> Response {
    let content_type = (
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    (status, [content_type], text).into_response()
}

fn batch_text(key: &str, docs: &[String]) -> String {
    format!(
        "{{\"{key}\":[{}],\"count\":{}}}",
        docs.join(","),
        docs.len()
    )
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
    let quoted = |cursor: &Option<String>| {
        cursor
            .as_ref()
            .map_or("null".to_owned(), |cursor| format!("\"{cursor}\""))
    };
    let total = page
        .total
        .map_or("null".to_owned(), |total| total.to_string());
    let (next, prev) = (quoted(&page.next_cursor), quoted(&page.prev_cursor));
    let more = page.has_more;
    // Writing to a String does not fail.
    let _ = write!(
        text,
        "],\"total\":{total},\"skip\":{skip},\"limit\":{limit},\"next_cursor\":{next},\"prev_cursor\":{prev},\"has_more\":{more}}}"
    );
    text
}
