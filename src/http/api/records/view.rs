//! Records as they are answered. They travel as the text that the database made, so their shape
//! describes responses in the API document and is never built.

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse as _, Response};
use utoipa::ToSchema;

use crate::app::App;

/// A record: the system fields, `account_name`, and the fields of its collection.
#[derive(ToSchema)]
#[expect(dead_code, reason = "a shape for the API document")]
pub struct Record {
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

/// The cursor with which a realtime subscription goes on after a read. Take it before the read:
/// every change that was handed out by then was committed, so the read shows it.
pub fn realtime_cursor(app: &App) -> AppendHeaders<Option<(HeaderName, HeaderValue)>> {
    let cursor = app.changes.cursor(app.changes.position()).to_string();
    let value = HeaderValue::try_from(cursor).ok();
    AppendHeaders(value.map(|value| (HeaderName::from_static("x-realtime-cursor"), value)))
}

/// A response of JSON text that is ready to be sent.
pub fn json_response(status: StatusCode, text: String) -> Response {
    let content_type = HeaderValue::from_static("application/json");
    (status, [(header::CONTENT_TYPE, content_type)], text).into_response()
}
