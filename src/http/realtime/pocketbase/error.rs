//! The errors of the protocol, in the shape that its clients know.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use crate::error::Error;

/// A refusal, with the problems of single fields in `data`.
pub(super) struct PocketBaseError {
    status: StatusCode,
    message: String,
    data: Value,
}

impl PocketBaseError {
    /// An error about the whole request.
    pub(super) fn new(status: StatusCode, message: &str) -> Self {
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
    pub(super) fn unreadable() -> Self {
        let message = "An error occurred while loading the submitted data.";
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// A 400 for a field that is missing or blank.
    pub(super) fn blank(key: &str) -> Self {
        let problem = json!({"code": "validation_required", "message": "Cannot be blank."});
        Self::invalid(json!({key: problem}))
    }

    /// A 400 for a field, or the item of a list, that is longer than the limit.
    pub(super) fn too_long(key: &str, index: Option<usize>, limit: usize) -> Self {
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
        let message = error.to_string();
        let status = error.into_response().status();
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
