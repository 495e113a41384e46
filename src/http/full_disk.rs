//! Refuses what would make the database larger while its disk is nearly full.

use axum::extract::{Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::disk::DiskWatch;
use crate::error::Error;

/// Answers 507 to writes while the disk is low. Reads, deletes and signing in go on.
pub(super) async fn refuse_writes(
    State(disk): State<DiskWatch>,
    request: Request,
    next: Next,
) -> Response {
    if disk.is_low() && is_growing(request.method(), request.uri().path()) {
        let message = "the server's disk is nearly full; reading and deleting go on, other changes are refused";
        return Error::InsufficientStorage(message.into()).into_response();
    }
    next.run(request).await
}

fn is_growing(method: &Method, path: &str) -> bool {
    let Some(path) = path.strip_prefix("/api/v1/") else {
        return false;
    };
    let is_write = [Method::POST, Method::PUT, Method::PATCH].contains(method);
    let is_dry_run = ["/test", "/validate", "/test-rule", "/validate-rule"]
        .iter()
        .any(|end| path.ends_with(end));
    let is_small =
        path.starts_with("auth/") && path != "auth/register" || path == "realtime/ticket";
    let is_in_memory = path.starts_with("realtime/rooms/") && path.ends_with("/publish");
    is_write && !is_dry_run && !is_small && !is_in_memory
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_reads_deletes_or_signs_in_is_not_refused() {
        for (method, path, expected) in [
            (Method::POST, "/api/v1/records/posts", true),
            (Method::PATCH, "/api/v1/records/posts/1", true),
            (Method::PUT, "/api/v1/records/posts/1", true),
            (Method::POST, "/api/v1/auth/register", true),
            (Method::POST, "/api/v1/collections", true),
            (Method::GET, "/api/v1/records/posts", false),
            (Method::DELETE, "/api/v1/records/posts/batch", false),
            (Method::POST, "/api/v1/auth/login", false),
            (Method::POST, "/api/v1/auth/refresh", false),
            (Method::POST, "/api/v1/rules/test", false),
            (Method::POST, "/api/v1/realtime/rooms/lobby/publish", false),
            (Method::POST, "/elsewhere", false),
        ] {
            assert_eq!(is_growing(&method, path), expected, "{method} {path}");
        }
    }
}
