//! Bodies of requests. They are read as JSON, whatever their `Content-Type` says.

use axum::body::HttpBody as _;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::deserialize_errors;
use crate::app::App;
use crate::error::{Error, Problem, Result};

/// A JSON object of a known shape. What does not fit is answered with 422 and every place.
#[derive(Clone, Debug)]
pub struct JsonBody<T>(pub T);

impl<T: DeserializeOwned> FromRequest<App> for JsonBody<T> {
    type Rejection = Error;

    async fn from_request(request: Request, app: &App) -> Result<Self> {
        shape(&read_bytes(request, app).await?).map(Self)
    }
}

/// The same where a body may be left out.
#[derive(Clone, Debug)]
pub struct OptionalBody<T>(pub Option<T>);

impl<T: DeserializeOwned> FromRequest<App> for OptionalBody<T> {
    type Rejection = Error;

    async fn from_request(request: Request, app: &App) -> Result<Self> {
        let bytes = read_bytes(request, app).await?;
        if bytes.is_empty() {
            Ok(Self(None))
        } else {
            shape(&bytes).map(|shape| Self(Some(shape)))
        }
    }
}

fn shape<T: DeserializeOwned>(bytes: &Bytes) -> Result<T> {
    let body = object(bytes, "model_attributes_type")?;
    refuse_nul(&body)?;
    serde_path_to_error::deserialize(Value::Object(body)).or_else(|error| {
        // The first reading has used the body up.
        Err(Error::Malformed {
            problems: deserialize_errors::find_all::<T>(
                parse(bytes)?,
                deserialize_errors::describe("body", &error),
            ),
        })
    })
}

/// A shape from an object that was not sent as JSON.
///
/// # Errors
///
/// [`Error::Malformed`] with every place that does not fit.
pub fn from_object<T: DeserializeOwned>(body: Map<String, Value>) -> Result<T> {
    let body = Value::Object(body);
    serde_path_to_error::deserialize(&body).map_err(|error| {
        let first = deserialize_errors::describe("body", &error);
        Error::Malformed {
            problems: deserialize_errors::find_all::<T>(body.clone(), first),
        }
    })
}

/// A JSON object as it was sent: the fields of a record.
#[derive(Clone, Debug)]
pub struct JsonObject(pub Map<String, Value>);

impl FromRequest<App> for JsonObject {
    type Rejection = Error;

    async fn from_request(request: Request, app: &App) -> Result<Self> {
        // Which texts a field takes is for its collection to say.
        object(&read_bytes(request, app).await?, "dict_type").map(Self)
    }
}

/// Refuses texts with NUL: PostgreSQL cannot store them, and the answer is the same on both
/// databases. Nested values (records, fields) are checked by their services, and passwords are not
/// stored.
fn refuse_nul(body: &Map<String, Value>) -> Result<()> {
    let has_nul = |value: &Value| value.as_str().is_some_and(|text| text.contains('\0'));
    let wrong = body
        .iter()
        .filter(|(key, value)| has_nul(value) && !key.ends_with("password"));
    let msg = "Texts must not contain NUL characters";
    let problems: Vec<_> = wrong
        .map(|(key, value)| Problem::body(key, "value_error", msg, value.clone()))
        .collect();
    if problems.is_empty() {
        Ok(())
    } else {
        Err(Error::Malformed { problems })
    }
}

/// The members of a JSON object; `kind` is the kind of the problem if it is something else.
fn object(bytes: &Bytes, kind: &str) -> Result<Map<String, Value>> {
    match parse(bytes)? {
        Value::Object(members) => Ok(members),
        other => {
            let msg = "Input should be a valid object";
            Err(Error::malformed(Problem::at(
                vec!["body".into()],
                kind,
                msg,
                other,
            )))
        }
    }
}

async fn read_bytes(request: Request, app: &App) -> Result<Bytes> {
    // Told from the head alone, before anything of the body is read.
    let announced = request.body().size_hint().lower();
    if announced > app.config.limits.body_bytes as u64 {
        return Err(Error::TooLarge("The request body is too large".into()));
    }
    match Bytes::from_request(request, app).await {
        Ok(bytes) => Ok(bytes),
        Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            Err(Error::TooLarge("The request body is too large".into()))
        }
        Err(_) => Err(Error::refused(
            "Bad request",
            "The request body could not be read",
        )),
    }
}

fn parse(bytes: &Bytes) -> Result<Value> {
    if bytes.is_empty() {
        return Err(Error::malformed(Problem::at(
            vec!["body".into()],
            "missing",
            "Field required",
            Value::Null,
        )));
    }
    serde_json::from_slice(bytes).map_err(|error| {
        let loc = vec!["body".into(), error.column().into()];
        let problem = Problem::at(
            loc,
            "json_invalid",
            format!("JSON decode error: {error}"),
            json!({}),
        );
        Error::malformed(problem.with(json!({"error": error.to_string()})))
    })
}
