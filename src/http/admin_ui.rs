//! The admin UI: files that were embedded when the program was built.

use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use rust_embed::{EmbeddedFile, RustEmbed};

#[derive(RustEmbed)]
#[folder = "$OUT_DIR/admin-ui"]
struct Files;

/// The page that every address of the UI starts from.
pub async fn index(headers: HeaderMap) -> Response {
    match Files::get("index.html") {
        Some(file) => respond("index.html", file, &headers),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// A file of the UI; an address that is none belongs to the page.
pub async fn asset(Path(path): Path<String>, headers: HeaderMap) -> Response {
    match Files::get(&path) {
        Some(file) => respond(&path, file, &headers),
        // A missing script must not be answered with a page.
        None if path.starts_with("assets/") => StatusCode::NOT_FOUND.into_response(),
        None => index(headers).await,
    }
}

/// The response with an embedded file, or 304 if the client has it already.
pub(super) fn respond(path: &str, file: EmbeddedFile, headers: &HeaderMap) -> Response {
    let tag = format!(
        "\"{}\"",
        BASE64_URL_SAFE_NO_PAD.encode(&file.metadata.sha256_hash()[..16])
    );
    let known = headers
        .get(header::IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok());
    // Names below assets/ change with their content; everything else is asked for again.
    let caching = if path.starts_with("assets/") {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    let common = [
        (header::ETAG, tag.clone()),
        (header::CACHE_CONTROL, caching.to_owned()),
    ];
    if known.is_some_and(|known| known.split(',').any(|known| known.trim() == tag)) {
        return (StatusCode::NOT_MODIFIED, common).into_response();
    }
    let content_type = HeaderValue::from_str(file.metadata.mimetype());
    let content_type = content_type.unwrap_or(HeaderValue::from_static("application/octet-stream"));
    (common, [(header::CONTENT_TYPE, content_type)], file.data).into_response()
}
