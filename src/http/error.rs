//! Errors become responses here, and nowhere else. This is also where a failure is logged, once.
//!
//! The status is the same for every client; the body is that of the protocol: an encoder for each
//! stands in a file of its own.

mod plain;
mod pocketbase;
mod snackbase;
mod status;

use axum::Json;
use axum::response::{IntoResponse, Response};

pub use plain::plain;
pub use pocketbase::PocketBaseError;
pub use snackbase::{ErrorBody, FieldProblem};
use status::{header_of, log_failure, status_of};

use crate::error::Error;

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        log_failure(&self);
        let (status, header) = (status_of(&self), header_of(&self));
        let mut response = (status, Json(snackbase::encode(self))).into_response();
        if let Some((name, value)) = header {
            response.headers_mut().insert(name, value);
        }
        response
    }
}
