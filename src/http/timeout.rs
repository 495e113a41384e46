//! How long a request may take until its answer begins.

use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

/// Answers 408 to what takes too long. Uploads may take any time: their handlers end those in which
/// nothing comes for a while.
pub(super) async fn limit(
    State(timeout): State<Duration>,
    request: Request,
    next: Next,
) -> Response {
    if is_upload(&request) {
        return next.run(request).await;
    }
    match tokio::time::timeout(timeout, next.run(request)).await {
        Ok(response) => response,
        Err(_) => StatusCode::REQUEST_TIMEOUT.into_response(),
    }
}

/// Whether the body is a file, or has files in it.
fn is_upload(request: &Request) -> bool {
    let path = request.uri().path();
    let takes_files = ["/api/v1/files", "/api/v1/records/"]
        .iter()
        .any(|start| path.starts_with(start));
    let kind = request.headers().get(header::CONTENT_TYPE);
    let kind = kind.map(|kind| kind.as_bytes().to_ascii_lowercase());
    let has_file = kind.is_some_and(|kind| {
        kind.starts_with(b"multipart/form-data") || kind == b"application/offset+octet-stream"
    });
    takes_files && has_file && [Method::POST, Method::PUT, Method::PATCH].contains(request.method())
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    #[test]
    fn files_alone_may_take_any_time() {
        for (method, path, kind, expected) in [
            (
                "POST",
                "/api/v1/files/upload",
                "multipart/form-data; boundary=b",
                true,
            ),
            (
                "PATCH",
                "/api/v1/records/posts/1",
                "Multipart/Form-Data; boundary=b",
                true,
            ),
            (
                "PATCH",
                "/api/v1/files/resumable/1",
                "application/offset+octet-stream",
                true,
            ),
            ("POST", "/api/v1/records/posts", "application/json", false),
            (
                "POST",
                "/api/v1/auth/login",
                "multipart/form-data; boundary=b",
                false,
            ),
            (
                "GET",
                "/api/v1/files/a/b",
                "multipart/form-data; boundary=b",
                false,
            ),
        ] {
            let request = Request::builder()
                .method(method)
                .uri(path)
                .header(header::CONTENT_TYPE, kind)
                .body(Body::empty())
                .unwrap();
            assert_eq!(is_upload(&request), expected, "{method} {path} {kind}");
        }
    }
}
