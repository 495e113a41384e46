//! The answer that carries a file, or a part of it.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};

use super::access::Opened;
use crate::app::App;
use crate::error::Result;
use crate::files::Thumbnail;
use crate::http::byte_range::{Representation, Selection, http_date};
use crate::http::multipart::disposition;
use crate::http::verbatim::Verbatim;

/// Nothing of a file runs, and it loads nothing from elsewhere.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; img-src 'self' data:; media-src 'self'; style-src 'unsafe-inline'; sandbox";
/// How long caches may hand out what everybody may see; a record may stop naming it.
const PUBLIC_CACHE: &str = "public, max-age=300";
/// Of others a browser keeps a copy, and asks each time whether it may still show it.
const PRIVATE_CACHE: &str = "private, no-cache";

/// How a file is asked for.
pub(super) struct Asked<'a> {
    pub method: &'a Method,
    pub headers: &'a HeaderMap,
    /// Whether a browser is to show it instead of saving it.
    pub is_inline: bool,
}

/// The answer: all of a file, a part, or none of it.
pub(super) async fn of(app: &App, opened: &Opened, asked: &Asked<'_>) -> Result<Response> {
    let file = &opened.file;
    let etag = match &file.sha256 {
        Some(hash) => format!("\"{}\"", hash.get(..32).unwrap_or(hash)),
        None => format!("\"{}\"", file.id),
    };
    let there = Representation {
        length: file.bytes(),
        etag: &etag,
        modified: file.created_at.into(),
    };
    let is_get = *asked.method == Method::GET;
    let selection = there.select(asked.headers, is_get);
    let (status, range) = match selection {
        Selection::Whole => (StatusCode::OK, Some(0..there.length)),
        Selection::Part(range) => (StatusCode::PARTIAL_CONTENT, Some(range)),
        Selection::Unsatisfiable => (StatusCode::RANGE_NOT_SATISFIABLE, None),
        Selection::NotModified => (StatusCode::NOT_MODIFIED, None),
        Selection::Failed => (StatusCode::PRECONDITION_FAILED, None),
    };
    let length = range.as_ref().map(|range| range.end - range.start);
    let body = match range.clone() {
        Some(range) if is_get && !range.is_empty() => {
            Body::from_stream(app.files.read(file, range).await?)
        }
        _ => Body::empty(),
    };
    let mut response = (status, body).into_response();
    response.extensions_mut().insert(Verbatim);
    let headers = response.headers_mut();
    let mut set = |name, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    let cache = if opened.is_public {
        PUBLIC_CACHE
    } else {
        PRIVATE_CACHE
    };
    set(header::ETAG, &etag);
    set(header::LAST_MODIFIED, &http_date(there.modified));
    set(header::CACHE_CONTROL, cache);
    set(header::ACCEPT_RANGES, "bytes");
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY);
    if status == StatusCode::RANGE_NOT_SATISFIABLE {
        set(header::CONTENT_RANGE, &format!("bytes */{}", there.length));
    }
    if let (Some(range), Some(length)) = (range, length) {
        if status == StatusCode::PARTIAL_CONTENT {
            let part = format!("bytes {}-{}/{}", range.start, range.end - 1, there.length);
            set(header::CONTENT_RANGE, &part);
        }
        let kind = if asked.is_inline {
            "inline"
        } else {
            "attachment"
        };
        set(header::CONTENT_TYPE, &content_type(&file.mime_type));
        set(header::CONTENT_LENGTH, &length.to_string());
        set(
            header::CONTENT_DISPOSITION,
            &disposition::header_value(kind, &file.name),
        );
    }
    Ok(response)
}

/// The answer with a thumbnail.
pub(super) fn of_thumbnail(
    opened: &Opened,
    thumbnail: Thumbnail,
    size: &str,
    asked: &HeaderMap,
) -> Response {
    let etag = format!("\"{}-{size}\"", opened.file.id);
    let there = Representation {
        length: thumbnail.bytes.len() as u64,
        etag: &etag,
        modified: opened.file.created_at.into(),
    };
    let mut response = match there.select(asked, false) {
        Selection::NotModified => StatusCode::NOT_MODIFIED.into_response(),
        _ => thumbnail.bytes.into_response(),
    };
    response.extensions_mut().insert(Verbatim);
    let cache = if opened.is_public {
        PUBLIC_CACHE
    } else {
        PRIVATE_CACHE
    };
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, thumbnail.mime_type),
        (header::CACHE_CONTROL, cache),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::CONTENT_DISPOSITION, "inline"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if let Ok(etag) = HeaderValue::from_str(&etag) {
        headers.insert(header::ETAG, etag);
    }
    response
}

/// The media type; of texts with the character set that they were checked for.
fn content_type(media_type: &str) -> String {
    if media_type.starts_with("text/") {
        format!("{media_type}; charset=utf-8")
    } else {
        media_type.to_owned()
    }
}
