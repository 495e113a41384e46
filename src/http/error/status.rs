//! The status and header of an error, which are the same for every protocol, and its line in the log.

use axum::http::{HeaderName, HeaderValue, StatusCode, header};

use crate::error::Error;

/// The status of an error.
pub(super) fn status_of(error: &Error) -> StatusCode {
    match error {
        Error::InBatch { error, .. } => status_of(error),
        Error::NotFound(_) | Error::CollectionNotFound(_) => StatusCode::NOT_FOUND,
        Error::Refused { .. } | Error::Invalid { .. } | Error::WeakPassword { .. } => {
            StatusCode::BAD_REQUEST
        }
        Error::Malformed { .. } | Error::Unprocessable { .. } | Error::FieldAccess { .. } => {
            StatusCode::UNPROCESSABLE_ENTITY
        }
        Error::Unauthenticated(_) | Error::SignInRefused(_) => StatusCode::UNAUTHORIZED,
        Error::Forbidden(_) | Error::QuotaExceeded { .. } => StatusCode::FORBIDDEN,
        Error::Conflict { .. } | Error::DefinitionChanged => StatusCode::CONFLICT,
        Error::TooLarge(_) | Error::RecordTooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        Error::RateLimited { .. } => StatusCode::TOO_MANY_REQUESTS,
        Error::Aborted { status, .. } => {
            StatusCode::from_u16(*status).unwrap_or(StatusCode::BAD_REQUEST)
        }
        Error::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        Error::InsufficientStorage(_) => StatusCode::INSUFFICIENT_STORAGE,
        Error::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// The header that goes with an error.
pub(super) fn header_of(error: &Error) -> Option<(HeaderName, HeaderValue)> {
    match error {
        Error::Unauthenticated(_) => {
            Some((header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")))
        }
        Error::RateLimited { retry_after } => {
            Some((header::RETRY_AFTER, HeaderValue::from(*retry_after)))
        }
        _ => None,
    }
}

/// Logs the failures of the server; those of clients are the business of clients.
pub(super) fn log_failure(error: &Error) {
    match error {
        Error::Unavailable(_) => tracing::warn!(reason = %error, "request not served"),
        Error::InsufficientStorage(_) => tracing::warn!(reason = %error, "write refused"),
        Error::Internal(_) => tracing::error!(reason = %error, "request failed"),
        _ => {}
    }
}
