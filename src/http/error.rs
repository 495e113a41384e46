//! Errors become responses here, and nowhere else. This is also where a failure is logged, once.
//!
//! Every body has `error` (a label), `message` and `detail`. `detail` is text, except where the
//! shape of a request is wrong (422): there it is the list of problems that generated clients know;
//! and where fields may not be written (422) or a new password is weak (400): there it is an
//! object. On 401 and 403 it is text always.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use crate::error::{Error, FieldError, Problem};

/// What every error answer has.
#[derive(serde::Serialize, utoipa::ToSchema)]
pub struct ErrorBody {
    /// A label for the kind of error.
    pub error: String,
    /// What is wrong, for people.
    pub message: String,
    /// The message again; on status 422 the list of problems, for a new password that is weak an
    /// object with `details`.
    pub detail: Value,
    /// Problems by field.
    #[schema(value_type = Option<Object>)]
    pub errors: Option<Value>,
    /// Problems by field, each with a code.
    pub details: Option<Vec<FieldProblem>>,
    /// The field that clashes.
    pub field: Option<String>,
}

/// One thing wrong with one field.
#[derive(serde::Serialize, utoipa::ToSchema)]
pub struct FieldProblem {
    /// The field, or a path such as `schema[0].name`.
    pub field: String,
    /// What is wrong.
    pub message: String,
    /// A slug for programs.
    pub code: String,
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let message = self.to_string();
        match self {
            Self::NotFound(_) => plain(StatusCode::NOT_FOUND, "Not found", &message),
            Self::CollectionNotFound(_) => plain(StatusCode::NOT_FOUND, "Not Found", &message),
            Self::ItemNotFound { index, .. } => {
                let mut body = body("not_found", &message);
                body.insert("index".into(), index.into());
                respond(StatusCode::NOT_FOUND, body)
            }
            Self::Refused { label, .. } => plain(StatusCode::BAD_REQUEST, label, &message),
            Self::Invalid { fields, index } => invalid(&fields, index, &message),
            Self::WeakPassword { fields } => weak_password(&fields, &message),
            Self::Malformed { problems } => malformed(&problems),
            Self::Unprocessable { field, .. } => {
                let mut body = body("Validation error", &message);
                body.insert(
                    "errors".into(),
                    by_field([(field, message.as_str())].into_iter()),
                );
                respond(StatusCode::UNPROCESSABLE_ENTITY, body)
            }
            Self::FieldAccess {
                fields, allowed, ..
            } => field_access(&fields, allowed, &message),
            Self::Unauthenticated(_) => {
                let mut response = plain(StatusCode::UNAUTHORIZED, "Not authenticated", &message);
                response
                    .headers_mut()
                    .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
                response
            }
            Self::SignInRefused(_) => {
                plain(StatusCode::UNAUTHORIZED, "Authentication failed", &message)
            }
            Self::Forbidden(_) => plain(StatusCode::FORBIDDEN, "Forbidden", &message),
            Self::Conflict { field, index, .. } => conflict(field, index, &message),
            Self::DefinitionChanged => conflict(None, None, &message),
            Self::TooLarge(_) => plain(StatusCode::PAYLOAD_TOO_LARGE, "Too large", &message),
            Self::RecordTooLarge { field, index, .. } => record_too_large(field, index, &message),
            Self::RateLimited { retry_after } => {
                let mut body = body("Too Many Requests", &message);
                body.insert("retryAfter".into(), retry_after.into());
                let mut response = respond(StatusCode::TOO_MANY_REQUESTS, body);
                response
                    .headers_mut()
                    .insert(header::RETRY_AFTER, retry_after.into());
                response
            }
            Self::Aborted { status, .. } => plain(
                StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST),
                "Aborted",
                &message,
            ),
            Self::Unavailable(_) => {
                tracing::warn!(reason = message, "request not served");
                plain(StatusCode::SERVICE_UNAVAILABLE, "Unavailable", &message)
            }
            Self::QuotaExceeded {
                quota,
                limit,
                index,
                ..
            } => {
                let mut body = body("quota_exceeded", &message);
                body.insert("quota".into(), quota.into());
                body.insert("limit".into(), limit.into());
                respond(
                    StatusCode::FORBIDDEN,
                    with_place(body, None, index, &message),
                )
            }
            Self::InsufficientStorage(_) => {
                tracing::warn!(reason = message, "write refused");
                plain(
                    StatusCode::INSUFFICIENT_STORAGE,
                    "insufficient_storage",
                    &message,
                )
            }
            Self::Internal(_) => {
                tracing::error!(reason = message, "request failed");
                plain(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "Internal server error",
                    "An unexpected error occurred",
                )
            }
        }
    }
}

fn body(label: &str, message: &str) -> Map<String, Value> {
    let mut body = Map::new();
    body.insert("detail".into(), message.into());
    body.insert("error".into(), label.into());
    body.insert("message".into(), message.into());
    body
}

fn respond(status: StatusCode, body: Map<String, Value>) -> Response {
    (status, Json(Value::Object(body))).into_response()
}

fn plain(status: StatusCode, label: &str, message: &str) -> Response {
    respond(status, body(label, message))
}

fn by_field<'a>(problems: impl Iterator<Item = (&'a str, &'a str)>) -> Value {
    let mut errors = Map::new();
    for (field, message) in problems {
        let entry = errors.entry(field).or_insert_with(|| json!([]));
        if let Value::Array(messages) = entry {
            messages.push(message.into());
        }
    }
    Value::Object(errors)
}

fn invalid(fields: &[FieldError], index: Option<usize>, message: &str) -> Response {
    let label = if index.is_some() {
        "validation_error"
    } else {
        "Validation error"
    };
    let mut body = body(label, message);
    body.insert("details".into(), json!(fields));
    body.insert(
        "errors".into(),
        by_field(
            fields
                .iter()
                .map(|f| (f.field.as_str(), f.message.as_str())),
        ),
    );
    if let Some(index) = index {
        body.insert("index".into(), index.into());
    }
    respond(StatusCode::BAD_REQUEST, body)
}

fn weak_password(fields: &[FieldError], message: &str) -> Response {
    let label = "Validation error";
    let mut body = body(label, message);
    body.insert(
        "detail".into(),
        json!({"error": label, "message": message, "details": fields}),
    );
    body.insert("details".into(), json!(fields));
    body.insert(
        "errors".into(),
        by_field(
            fields
                .iter()
                .map(|f| (f.field.as_str(), f.message.as_str())),
        ),
    );
    respond(StatusCode::BAD_REQUEST, body)
}

fn malformed(problems: &[Problem]) -> Response {
    let field = |problem: &Problem| match problem.loc.get(1) {
        Some(Value::String(key)) => key.clone(),
        _ => "body".to_owned(),
    };
    let named: Vec<(String, &str)> = problems
        .iter()
        .map(|p| (field(p), p.msg.as_str()))
        .collect();
    let message = named
        .iter()
        .map(|(field, msg)| format!("{field}: {msg}"))
        .collect::<Vec<_>>()
        .join("; ");
    let mut body = body("Validation error", &message);
    body.insert("detail".into(), json!(problems));
    body.insert(
        "errors".into(),
        by_field(named.iter().map(|(field, msg)| (field.as_str(), *msg))),
    );
    respond(StatusCode::UNPROCESSABLE_ENTITY, body)
}

fn field_access(fields: &[String], allowed: Option<Vec<String>>, message: &str) -> Response {
    let label = "Field access denied";
    let kind = if allowed.is_some() {
        "restricted"
    } else {
        "system"
    };
    let mut detail = json!({"error": label, "message": message, "unauthorized_fields": fields, "field_type": kind});
    if let Some(allowed) = allowed {
        detail["allowed_fields"] = json!(allowed);
    }
    let mut body = body(label, message);
    body.insert("detail".into(), detail);
    body.insert(
        "errors".into(),
        by_field(
            fields
                .iter()
                .map(|f| (f.as_str(), "This field cannot be written")),
        ),
    );
    respond(StatusCode::UNPROCESSABLE_ENTITY, body)
}

fn conflict(field: Option<String>, index: Option<usize>, message: &str) -> Response {
    respond(
        StatusCode::CONFLICT,
        with_place(body("Conflict", message), field, index, message),
    )
}

fn record_too_large(field: Option<String>, index: Option<usize>, message: &str) -> Response {
    let named = field.as_deref().unwrap_or("record");
    let mut body = body("Record too large", message);
    body.insert(
        "details".into(),
        json!([FieldError::new(named, "record_too_large", message)]),
    );
    respond(
        StatusCode::PAYLOAD_TOO_LARGE,
        with_place(body, field, index, message),
    )
}

/// Adds the field and the item of a batch that an error is about.
fn with_place(
    mut body: Map<String, Value>,
    field: Option<String>,
    index: Option<usize>,
    message: &str,
) -> Map<String, Value> {
    if let Some(field) = field {
        body.insert(
            "errors".into(),
            by_field([(field.as_str(), message)].into_iter()),
        );
        body.insert("field".into(), field.into());
    }
    if let Some(index) = index {
        body.insert("index".into(), index.into());
    }
    body
}
