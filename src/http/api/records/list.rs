//! Listing records.

use std::fmt::Write as _;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::view::{Record, json_response, realtime_cursor};
use crate::app::App;
use crate::auth::Caller;
use crate::error::Result;
use crate::http::extract::StrictQueryParams;
use crate::records::query::RawListQuery;
use crate::records::{ListQuery, Page};

/// The page, order and selection of a list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ListParams {
    /// Records to pass over; 0 if it is left out.
    #[param(minimum = 0, maximum = 2_147_483_647)]
    skip: Option<i64>,
    /// Records of a page, 1 to 100; 30 if it is left out.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<i64>,
    /// Fields with commas between them, a `-` before those that descend; `-created_at` if it is
    /// left out.
    sort: Option<String>,
    /// Only these fields, with commas between them, and those of the system.
    fields: Option<String>,
    /// Only records for which this expression is true.
    filter: Option<String>,
    /// Only records in whose searchable fields all these words occur.
    search: Option<String>,
    /// References, with commas between them, in whose place their records are shown;
    /// `author.country` goes deeper.
    expand: Option<String>,
    /// The page after this, `next_cursor` of the page before; empty for the first.
    cursor: Option<String>,
    /// The page before this, `prev_cursor` of the page after it.
    cursor_before: Option<String>,
    /// True to have the total on a page by cursor, too.
    include_count: Option<bool>,
}

/// A page of records.
#[derive(ToSchema)]
#[expect(dead_code, reason = "a shape for the API document")]
pub(super) struct RecordPage {
    items: Vec<Record>,
    /// The number of records in all; null in a walk that does not ask for it.
    #[schema(required)]
    total: Option<i64>,
    skip: i64,
    limit: i64,
    /// The beginning of the next page; null if there is none.
    #[schema(required)]
    next_cursor: Option<String>,
    /// The end of the previous page; null if there is none.
    #[schema(required)]
    prev_cursor: Option<String>,
    has_more: bool,
}

/// A page of the records that the caller may list.
#[utoipa::path(
    get,
    path = "/api/v1/records/{collection}",
    tag = "records",
    params(("collection" = String, Path), ListParams),
    responses((status = 200, body = RecordPage)),
)]
pub(super) async fn list(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
    StrictQueryParams(params): StrictQueryParams<ListParams>,
) -> Result<Response> {
    let skip = params.skip.unwrap_or_default();
    let limit = params.limit.unwrap_or(30);
    let request = ListQuery::parse(&RawListQuery {
        skip,
        limit,
        sort: params.sort.as_deref(),
        fields: params.fields.as_deref(),
        filter: params.filter.as_deref(),
        search: params.search.as_deref(),
        expand: params.expand.as_deref(),
        cursor: params.cursor.as_deref(),
        cursor_before: params.cursor_before.as_deref(),
        include_count: params.include_count.unwrap_or_default(),
    })?;
    let cursor = realtime_cursor(&app);
    let page = app.records.list(&caller, &name, &request).await?;
    let response = json_response(StatusCode::OK, write_page(&page, skip, limit));
    Ok((cursor, response).into_response())
}

/// The page as JSON; the documents go in as they are.
fn write_page(page: &Page, skip: i64, limit: i64) -> String {
    let size: usize = page.items.iter().map(|doc| doc.len() + 1).sum();
    let mut text = String::with_capacity(size + 256);
    text.push_str("{\"items\":[");
    for (index, doc) in page.items.iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        text.push_str(doc);
    }
    let total = page
        .total
        .map_or("null".to_owned(), |total| total.to_string());
    let next = write_cursor(page.next_cursor.as_deref());
    let previous = write_cursor(page.prev_cursor.as_deref());
    let more = page.has_more;
    // Writing to a String does not fail.
    let _ = write!(
        text,
        "],\"total\":{total},\"skip\":{skip},\"limit\":{limit},\"next_cursor\":{next},\
         \"prev_cursor\":{previous},\"has_more\":{more}}}"
    );
    text
}

fn write_cursor(cursor: Option<&str>) -> String {
    cursor.map_or("null".to_owned(), |cursor| format!("\"{cursor}\""))
}
