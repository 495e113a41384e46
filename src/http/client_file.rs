//! The JavaScript client as one file, for pages without a bundler; embedded when the program was
//! built.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rust_embed::RustEmbed;

use super::admin_ui::respond;

#[derive(RustEmbed)]
#[folder = "$OUT_DIR/client"]
struct Files;

/// The file `snackbase.js`; 404 from a build that was made without it. Pages of every origin may
/// import it: it is public, and what they may call is decided for each request.
pub async fn module(headers: HeaderMap) -> Response {
    let Some(file) = Files::get("snackbase.js") else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let mut response = respond("snackbase.js", file, &headers);
    response.headers_mut().insert(
        header::ACCESS_CONTROL_ALLOW_ORIGIN,
        HeaderValue::from_static("*"),
    );
    response
}
