//! Which scope of an API key a request needs: one table for all routes.

use axum::http::Method;

use crate::auth::{KeyScope, Principal};
use crate::error::Result;

/// Refuses what the API key that was shown is not made for.
pub fn permit(principal: &Principal, method: &Method, path: &str) -> Result<()> {
    needed(method, path).map_or(Ok(()), |scope| principal.require(scope))
}

/// The scope for a request; none for what every key may do.
fn needed(method: &Method, path: &str) -> Option<KeyScope> {
    let reads = method.is_safe();
    let mut segments = path
        .trim_start_matches('/')
        .trim_start_matches("api/v1/")
        .split('/');
    Some(match (segments.next().unwrap_or_default(), reads) {
        // A collection, a record, and what of it.
        ("records", true) if segments.nth(2) == Some("secrets") => KeyScope::SecretsRead,
        ("realtime", _) if segments.next() == Some("rooms") => match segments.nth(1) {
            Some("publish") => KeyScope::RecordsWrite,
            _ => KeyScope::Admin,
        },
        ("records", true) | ("realtime", _) => KeyScope::RecordsRead,
        ("records", false) => KeyScope::RecordsWrite,
        ("files", true) => KeyScope::FilesRead,
        ("files", false) => KeyScope::FilesWrite,
        ("auth", true) if segments.next() == Some("me") => return None,
        _ => KeyScope::Admin,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_path_needs_its_scope_and_unknown_ones_the_widest() {
        let cases = [
            (
                Method::GET,
                "/api/v1/records/posts",
                Some(KeyScope::RecordsRead),
            ),
            (
                Method::HEAD,
                "/api/v1/records/posts/1",
                Some(KeyScope::RecordsRead),
            ),
            (
                Method::POST,
                "/api/v1/records/posts",
                Some(KeyScope::RecordsWrite),
            ),
            (
                Method::DELETE,
                "/api/v1/records/posts/batch",
                Some(KeyScope::RecordsWrite),
            ),
            (
                Method::GET,
                "/api/v1/records/posts/1/secrets",
                Some(KeyScope::SecretsRead),
            ),
            (
                Method::GET,
                "/api/v1/records/secrets",
                Some(KeyScope::RecordsRead),
            ),
            (
                Method::GET,
                "/api/v1/records/posts/secrets",
                Some(KeyScope::RecordsRead),
            ),
            (
                Method::GET,
                "/api/v1/realtime/ws",
                Some(KeyScope::RecordsRead),
            ),
            (
                Method::POST,
                "/api/v1/realtime/rooms",
                Some(KeyScope::Admin),
            ),
            (
                Method::DELETE,
                "/api/v1/realtime/rooms/1",
                Some(KeyScope::Admin),
            ),
            (
                Method::POST,
                "/api/v1/realtime/rooms/doc:1/publish",
                Some(KeyScope::RecordsWrite),
            ),
            (Method::GET, "/api/v1/files/a/b", Some(KeyScope::FilesRead)),
            (
                Method::POST,
                "/api/v1/files/upload",
                Some(KeyScope::FilesWrite),
            ),
            (Method::GET, "/api/v1/auth/me", None),
            (Method::GET, "/api/v1/auth/sessions", Some(KeyScope::Admin)),
            (Method::GET, "/api/v1/users", Some(KeyScope::Admin)),
            (Method::GET, "/api/v1/admin/records", Some(KeyScope::Admin)),
            (Method::GET, "/", Some(KeyScope::Admin)),
        ];
        for (method, path, scope) in cases {
            assert_eq!(needed(&method, path), scope, "{method} {path}");
        }
    }
}
