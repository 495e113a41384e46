//! What handlers take out of a request. Authority is a type: a handler that takes [`Superadmin`] has one.

use std::sync::Arc;

use axum::extract::{FromRequest, FromRequestParts, RawQuery, Request};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::app::App;
use crate::auth::{Caller, Credential, Principal};
use crate::error::{Error, Problem, Result};
use crate::http::scopes;

/// The credential that a request presents, if it presents one. A bearer token wins over an API key.
pub fn credential(headers: &HeaderMap) -> Option<Credential<'_>> {
    if let Some(value) = headers.get(axum::http::header::AUTHORIZATION) {
        let text = value.to_str().unwrap_or_default();
        let token = match text.split_once(' ') {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
            _ => "",
        };
        return Some(Credential::Bearer(token));
    }
    headers.get("x-api-key").map(|value| Credential::ApiKey(value.to_str().unwrap_or_default()))
}

/// The user behind a credential that is good for this very request.
async fn authenticated(parts: &Parts, app: &App, credential: Credential<'_>) -> Result<Arc<Principal>> {
    let principal = app.auth.authenticate(credential).await?;
    scopes::permit(&principal, &parts.method, parts.uri.path())?;
    Ok(principal)
}

/// Whoever calls: anonymous if nothing is presented; credentials that are presented must be valid.
impl FromRequestParts<App> for Caller {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        if let Some(credential) = credential(&parts.headers) {
            return Ok(Self::User(authenticated(parts, app, credential).await?));
        }
        let Some(identifier) = parts.headers.get("x-account-id") else {
            return Ok(Self::Anonymous { account: None });
        };
        let identifier = identifier.to_str().unwrap_or_default();
        match app.auth.resolve_account(identifier).await? {
            Some(account) => Ok(Self::Anonymous { account: Some(account) }),
            None => Err(Error::not_found("The account in X-Account-ID does not exist")),
        }
    }
}

/// A caller with valid credentials.
#[derive(Clone, Debug)]
pub struct SignedIn(pub Arc<Principal>);

impl FromRequestParts<App> for SignedIn {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        match credential(&parts.headers) {
            Some(credential) => Ok(Self(authenticated(parts, app, credential).await?)),
            None => Err(Error::Unauthenticated("Missing credentials".into())),
        }
    }
}

/// A user of the system account.
#[derive(Clone, Debug)]
pub struct Superadmin(pub Caller);

impl FromRequestParts<App> for Superadmin {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        let SignedIn(principal) = SignedIn::from_request_parts(parts, app).await?;
        let caller = Caller::User(principal);
        if caller.is_superadmin() {
            Ok(Self(caller))
        } else {
            Err(Error::Forbidden("Superadmin access required".into()))
        }
    }
}

/// A JSON object of a known shape. What does not fit is answered with 422 and the place.
#[derive(Clone, Debug)]
pub struct JsonBody<T>(pub T);

impl<T: DeserializeOwned> FromRequest<App> for JsonBody<T> {
    type Rejection = Error;

    async fn from_request(request: Request, app: &App) -> Result<Self> {
        let value = read_object(request, app, "model_attributes_type").await?;
        refuse_nul(&value)?;
        parse_value(value).map(Self)
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
            return Ok(Self(None));
        }
        let value = object(parse_json(&bytes)?, "model_attributes_type")?;
        refuse_nul(&value)?;
        parse_value(value).map(|value| Self(Some(value)))
    }
}

/// A JSON object as it was sent: the fields of a record.
#[derive(Clone, Debug)]
pub struct JsonObject(pub serde_json::Map<String, Value>);

impl FromRequest<App> for JsonObject {
    type Rejection = Error;

    async fn from_request(request: Request, app: &App) -> Result<Self> {
        // Which texts a field takes is for its collection to say.
        read_object(request, app, "dict_type").await.and_then(parse_value).map(Self)
    }
}

/// PostgreSQL holds no NUL in texts, and nothing that is sent needs one: so the answer is the same on both databases.
/// What is nested (records, fields) is judged by those who know what it is, and passwords are not stored.
fn refuse_nul(body: &Value) -> Result<()> {
    let has_nul = |value: &Value| value.as_str().is_some_and(|text| text.contains('\0'));
    let mut members = body.as_object().into_iter().flatten();
    match members.find(|(key, value)| has_nul(value) && !key.ends_with("password")) {
        Some((key, value)) => {
            let msg = "Texts must not contain NUL characters";
            Err(Error::malformed(Problem::body(key, "value_error", msg, value.clone())))
        }
        None => Ok(()),
    }
}

/// `kind` is what the problem is called if it is no object.
async fn read_object(request: Request, app: &App, kind: &str) -> Result<Value> {
    object(read_json(request, app).await?, kind)
}

fn object(value: Value, kind: &str) -> Result<Value> {
    if value.is_object() {
        return Ok(value);
    }
    Err(Error::malformed(Problem {
        kind: kind.into(),
        loc: vec!["body".into()],
        msg: "Input should be a valid object".into(),
        input: value,
    }))
}

async fn read_bytes(request: Request, app: &App) -> Result<bytes::Bytes> {
    match bytes::Bytes::from_request(request, app).await {
        Ok(bytes) => Ok(bytes),
        Err(rejection) if rejection.status() == axum::http::StatusCode::PAYLOAD_TOO_LARGE => {
            Err(Error::TooLarge("The request body is too large".into()))
        }
        Err(_) => Err(Error::refused("Bad request", "The request body could not be read")),
    }
}

async fn read_json(request: Request, app: &App) -> Result<Value> {
    let bytes = read_bytes(request, app).await?;
    if bytes.is_empty() {
        return Err(Error::malformed(Problem {
            kind: "missing".into(),
            loc: vec!["body".into()],
            msg: "Field required".into(),
            input: Value::Null,
        }));
    }
    parse_json(&bytes)
}

fn parse_json(bytes: &[u8]) -> Result<Value> {
    serde_json::from_slice(bytes).map_err(|error| {
        Error::malformed(Problem {
            kind: "json_invalid".into(),
            loc: vec!["body".into(), error.column().into()],
            msg: format!("JSON decode error: {error}"),
            input: Value::Object(serde_json::Map::new()),
        })
    })
}

/// Reads a value into a shape, naming the place where it does not fit.
fn parse_value<T: DeserializeOwned>(value: Value) -> Result<T> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let message = error.inner().to_string();
        let missing = message.strip_prefix("missing field `").and_then(|rest| rest.split('`').next());
        let mut loc: Vec<Value> = vec!["body".into()];
        loc.extend(error.path().iter().filter_map(|segment| match segment {
            serde_path_to_error::Segment::Map { key } => Some(Value::from(key.clone())),
            serde_path_to_error::Segment::Seq { index } => Some(Value::from(*index)),
            _ => None,
        }));
        if let Some(field) = missing {
            loc.push(field.into());
        }
        let kind = if missing.is_some() {
            "missing"
        } else if message.contains("unknown field") {
            "extra_forbidden"
        } else {
            "value_error"
        };
        let msg = if missing.is_some() { "Field required".to_owned() } else { message };
        Error::malformed(Problem { kind: kind.into(), loc, msg, input: Value::Null })
    })
}

/// The query, key by key, in order; keys may repeat.
#[derive(Clone, Debug, Default)]
pub struct Query(Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for Query {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> std::result::Result<Self, Self::Rejection> {
        let RawQuery(query) = RawQuery::from_request_parts(parts, state).await?;
        Ok(Self::read(query.as_deref().unwrap_or_default()))
    }
}

impl Query {
    /// Reads the part of a URL behind its `?`.
    pub fn read(query: &str) -> Self {
        Self(form_urlencoded::parse(query.as_bytes()).into_owned().collect())
    }

    /// The last value of a key.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().rev().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    /// Every value of a key.
    pub fn all<'q>(&'q self, key: &'q str) -> impl Iterator<Item = &'q str> {
        self.0.iter().filter(move |(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    /// The keys.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// A whole number in a range, or the default.
    pub fn number(&self, key: &str, default: i64, range: std::ops::RangeInclusive<i64>) -> Result<i64> {
        let Some(text) = self.get(key) else { return Ok(default) };
        let Ok(number) = text.trim().parse::<i64>() else {
            let msg = "Input should be a valid integer, unable to parse string as an integer";
            return Err(Error::malformed(Problem::query(key, "int_parsing", msg, text)));
        };
        if number < *range.start() {
            let msg = format!("Input should be greater than or equal to {}", range.start());
            return Err(Error::malformed(Problem::query(key, "greater_than_equal", msg, text)));
        }
        if number > *range.end() {
            let msg = format!("Input should be less than or equal to {}", range.end());
            return Err(Error::malformed(Problem::query(key, "less_than_equal", msg, text)));
        }
        Ok(number)
    }

    /// `true`/`false`, `1`/`0`, `yes`/`no`, `on`/`off`, or the default.
    pub fn flag(&self, key: &str, default: bool) -> Result<bool> {
        match self.get(key).map(str::to_ascii_lowercase).as_deref() {
            None => Ok(default),
            Some("true" | "1" | "yes" | "on") => Ok(true),
            Some("false" | "0" | "no" | "off") => Ok(false),
            Some(other) => {
                Err(Error::malformed(Problem::query(key, "bool_parsing", "Input should be a valid boolean", other)))
            }
        }
    }
}
