//! Refusals that no handler makes: of paths and methods that do not exist.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde_json::json;

/// A refusal with the usual body, in which one text stands for everything.
pub fn plain(status: StatusCode, text: &str) -> Response {
    (
        status,
        Json(json!({ "detail": text, "error": text, "message": text })),
    )
        .into_response()
}
