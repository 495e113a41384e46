//! The error body of the PocketBase protocol, in the shape that its clients know.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::status::{log_failure, status_of};
use crate::error::Error;

/// A refusal, with the problems of single fields in `data`.
pub struct PocketBaseError {
    status: StatusCode,
    message: String,
    data: Value,
}

impl PocketBaseError {
    /// An error about the whole request.
    pub fn new(status: StatusCode, message: &str) -> Self {
        Self {
            status,
            message: message.to_owned(),
            data: json!({}),
        }
    }

    /// A 400 with the problems of fields.
    fn invalid(data: Value) -> Self {
        let message = "Something went wrong while processing your request.";
        Self {
            data,
            ..Self::new(StatusCode::BAD_REQUEST, message)
        }
    }

    /// A 400 for a body that cannot be read.
    pub fn unreadable() -> Self {
        let message = "An error occurred while loading the submitted data.";
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// A 400 for a field that is missing or blank.
    pub fn blank(key: &str) -> Self {
        let problem = json!({"code": "validation_required", "message": "Cannot be blank."});
        Self::invalid(json!({key: problem}))
    }

    /// A 400 for a field, or the item of a list, that is longer than the limit.
    pub fn too_long(key: &str, index: Option<usize>, limit: usize) -> Self {
        let message = format!("The length must be no more than {limit}.");
        let mut problem = json!({"code": "validation_length_too_long", "message": message});
        if let Some(index) = index {
            problem = Value::Object(Map::from_iter([(index.to_string(), problem)]));
        }
        Self::invalid(Value::Object(Map::from_iter([(key.to_owned(), problem)])))
    }
}

impl From<Error> for PocketBaseError {
    fn from(error: Error) -> Self {
        log_failure(&error);
        let (status, message) = (status_of(&error), error.to_string());
        // A client is not told the details of a failure of the server.
        if status.is_server_error() {
            Self::new(status, "Something went wrong.")
        } else {
            Self::new(status, &message)
        }
    }
}

impl IntoResponse for PocketBaseError {
    fn into_response(self) -> Response {
        let body =
            json!({"data": self.data, "message": self.message, "status": self.status.as_u16()});
        (self.status, Json(body)).into_response()
    }
}
