//! The error body of this API.
//!
//! Every body has `error` (a label), `message` and `detail`. `detail` is text, except where the
//! shape of a request is wrong (422): there it is the list of problems that generated clients know;
//! and where fields may not be written (422) or a new password is weak (400): there it is an
//! object. On 401 and 403 it is text always.

use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use crate::error::{Error, FieldError, Problem};

/// The body of every error response.
#[derive(Serialize, ToSchema)]
pub struct ErrorBody {
    /// A label for the kind of error.
    pub error: String,
    /// The problem in words.
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
#[derive(Serialize, ToSchema)]
pub struct FieldProblem {
    /// The field, or a path such as `schema[0].name`.
    pub field: String,
    /// The problem and what would be right.
    pub message: String,
    /// A slug for programs.
    pub code: String,
}

/// The body for an error.
pub(super) fn encode(error: Error) -> Map<String, Value> {
    match error {
        Error::InBatch { index, error } => {
            let label = match &*error {
                Error::NotFound(_) => Some("not_found"),
                Error::Invalid { .. } => Some("validation_error"),
                _ => None,
            };
            let mut body = encode(*error);
            if let Some(label) = label {
                body.insert("error".into(), label.into());
            }
            body.insert("index".into(), index.into());
            body
        }
        error => encode_single(error),
    }
}

fn encode_single(error: Error) -> Map<String, Value> {
    let message = error.to_string();
    match error {
        Error::InBatch { error, .. } => encode(*error),
        Error::NotFound(_) => new_body("Not found", &message),
        Error::CollectionNotFound(_) => new_body("Not Found", &message),
        Error::Refused { label, .. } => new_body(label, &message),
        Error::Invalid { fields } => {
            let mut body = new_body("Validation error", &message);
            add_fields(&mut body, &fields);
            body
        }
        Error::WeakPassword { fields } => encode_weak_password(&fields, &message),
        Error::Malformed { problems } => encode_malformed(&problems),
        Error::Unprocessable { field, .. } => {
            let mut body = new_body("Validation error", &message);
            let errors = group_by_field([(field, message.as_str())].into_iter());
            body.insert("errors".into(), errors);
            body
        }
        Error::FieldAccess {
            fields, allowed, ..
        } => encode_field_access(&fields, allowed, &message),
        Error::Unauthenticated(_) => new_body("Not authenticated", &message),
        Error::SignInRefused(_) => new_body("Authentication failed", &message),
        Error::Forbidden(_) => new_body("Forbidden", &message),
        Error::Conflict { field, .. } => add_field(new_body("Conflict", &message), field, &message),
        Error::DefinitionChanged => new_body("Conflict", &message),
        Error::TooLarge(_) => new_body("Too large", &message),
        Error::RecordTooLarge { field, .. } => encode_record_too_large(field, &message),
        Error::RateLimited { retry_after } => {
            let mut body = new_body("Too Many Requests", &message);
            body.insert("retryAfter".into(), retry_after.into());
            body
        }
        Error::Aborted { .. } => new_body("Aborted", &message),
        Error::Unavailable(_) => new_body("Unavailable", &message),
        Error::QuotaExceeded { quota, limit, .. } => {
            let mut body = new_body("quota_exceeded", &message);
            body.insert("quota".into(), quota.into());
            body.insert("limit".into(), limit.into());
            body
        }
        Error::InsufficientStorage(_) => new_body("insufficient_storage", &message),
        // The text is for the log.
        Error::Internal(_) => new_body("Internal server error", "An unexpected error occurred"),
    }
}

fn new_body(label: &str, message: &str) -> Map<String, Value> {
    let mut body = Map::new();
    body.insert("detail".into(), message.into());
    body.insert("error".into(), label.into());
    body.insert("message".into(), message.into());
    body
}

/// The messages of each field, in the order in which the fields are first named.
fn group_by_field<'a>(problems: impl Iterator<Item = (&'a str, &'a str)>) -> Value {
    let mut errors = Map::new();
    for (field, message) in problems {
        let entry = errors.entry(field).or_insert_with(|| json!([]));
        if let Value::Array(messages) = entry {
            messages.push(message.into());
        }
    }
    Value::Object(errors)
}

/// Adds the problems of fields, as a list and by field.
fn add_fields(body: &mut Map<String, Value>, fields: &[FieldError]) {
    let named = fields
        .iter()
        .map(|problem| (problem.field.as_str(), problem.message.as_str()));
    body.insert("details".into(), json!(fields));
    body.insert("errors".into(), group_by_field(named));
}

fn encode_weak_password(fields: &[FieldError], message: &str) -> Map<String, Value> {
    let label = "Validation error";
    let mut body = new_body(label, message);
    let detail = json!({"error": label, "message": message, "details": fields});
    body.insert("detail".into(), detail);
    add_fields(&mut body, fields);
    body
}

fn encode_malformed(problems: &[Problem]) -> Map<String, Value> {
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
    let mut body = new_body("Validation error", &message);
    body.insert("detail".into(), json!(problems));
    body.insert(
        "errors".into(),
        group_by_field(named.iter().map(|(field, msg)| (field.as_str(), *msg))),
    );
    body
}

fn encode_field_access(
    fields: &[String],
    allowed: Option<Vec<String>>,
    message: &str,
) -> Map<String, Value> {
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
    let mut body = new_body(label, message);
    body.insert("detail".into(), detail);
    body.insert(
        "errors".into(),
        group_by_field(
            fields
                .iter()
                .map(|f| (f.as_str(), "This field cannot be written")),
        ),
    );
    body
}

fn encode_record_too_large(field: Option<String>, message: &str) -> Map<String, Value> {
    let named = field.as_deref().unwrap_or("record");
    let problem = FieldError::new(named, "record_too_large", message);
    let mut body = new_body("Record too large", message);
    body.insert("details".into(), json!([problem]));
    add_field(body, field, message)
}

/// Adds the field that an error is about, if it is about one.
fn add_field(
    mut body: Map<String, Value>,
    field: Option<String>,
    message: &str,
) -> Map<String, Value> {
    if let Some(field) = field {
        let errors = group_by_field([(field.as_str(), message)].into_iter());
        body.insert("errors".into(), errors);
        body.insert("field".into(), field.into());
    }
    body
}
