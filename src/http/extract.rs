//! What handlers take out of a request. Authority is a type: a handler that takes [`Superadmin`]
//! has one.

mod misfits;

use std::sync::Arc;

use axum::body::HttpBody as _;
use axum::extract::{FromRequest, FromRequestParts, RawQuery, Request};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::app::App;
use crate::auth::{Caller, Credential, Principal};
use crate::error::{Error, Problem, Result};
use crate::http::scopes;
use crate::spelling::{hint, nearest};

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
    headers
        .get("x-api-key")
        .map(|value| Credential::ApiKey(value.to_str().unwrap_or_default()))
}

/// The user behind a credential that is good for this very request.
async fn authenticated(
    parts: &Parts,
    app: &App,
    credential: Credential<'_>,
) -> Result<Arc<Principal>> {
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
            Some(account) => Ok(Self::Anonymous {
                account: Some(account),
            }),
            None => Err(Error::not_found(
                "The account in X-Account-ID does not exist",
            )),
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
            problems: misfits::all::<T>(parse(bytes)?, misfits::problem(&error)),
        })
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

/// PostgreSQL holds no NUL in texts, and nothing that is sent needs one: so the answer is the same
/// on both databases. What is nested (records, fields) is judged by those who know what it is, and
/// passwords are not stored.
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

/// `kind` is what the problem is called if it is no object.
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
        Err(rejection) if rejection.status() == axum::http::StatusCode::PAYLOAD_TOO_LARGE => {
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

/// The query, key by key, in order; keys may repeat.
#[derive(Clone, Debug, Default)]
pub struct Query(Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for Query {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(
        parts: &mut Parts,
        state: &S,
    ) -> std::result::Result<Self, Self::Rejection> {
        let RawQuery(query) = RawQuery::from_request_parts(parts, state).await?;
        Ok(Self::read(query.as_deref().unwrap_or_default()))
    }
}

impl Query {
    /// Reads the part of a URL behind its `?`.
    pub fn read(query: &str) -> Self {
        Self(
            form_urlencoded::parse(query.as_bytes())
                .into_owned()
                .collect(),
        )
    }

    /// The last value of a key.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0
            .iter()
            .rev()
            .find(|(name, _)| name == key)
            .map(|(_, value)| value.as_str())
    }

    /// Every value of a key.
    pub fn all<'q>(&'q self, key: &'q str) -> impl Iterator<Item = &'q str> {
        self.0
            .iter()
            .filter(move |(name, _)| name == key)
            .map(|(_, value)| value.as_str())
    }

    /// The keys.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// Refuses every parameter that is not among these, so that a misspelt one shows.
    ///
    /// # Errors
    ///
    /// The first that is not known, with the name that was probably meant.
    pub fn only(&self, known: &[&str]) -> Result<()> {
        match self.keys().find(|key| !known.contains(key)) {
            None => Ok(()),
            Some(unknown) => Err(unknown_parameter(unknown, known)),
        }
    }

    /// Refuses parameters that are probably misspelt ones of these. Others are ignored, as
    /// published clients expect.
    ///
    /// # Errors
    ///
    /// The first that is misspelt, with the name that was probably meant.
    pub fn refuse_misspelt(&self, known: &[&str]) -> Result<()> {
        let is_misspelt =
            |key: &&str| !known.contains(key) && nearest(key, known.iter().copied()).is_some();
        match self.keys().find(is_misspelt) {
            None => Ok(()),
            Some(unknown) => Err(unknown_parameter(unknown, known)),
        }
    }

    /// A whole number in a range, or the default.
    pub fn number(
        &self,
        key: &str,
        default: i64,
        range: std::ops::RangeInclusive<i64>,
    ) -> Result<i64> {
        let Some(text) = self.get(key) else {
            return Ok(default);
        };
        let Ok(number) = text.trim().parse::<i64>() else {
            let msg = "Input should be a valid integer, unable to parse string as an integer";
            return Err(Error::malformed(Problem::query(
                key,
                "int_parsing",
                msg,
                text,
            )));
        };
        if number < *range.start() {
            let msg = format!("Input should be greater than or equal to {}", range.start());
            let problem = Problem::query(key, "greater_than_equal", msg, text);
            return Err(Error::malformed(problem.with(json!({"ge": range.start()}))));
        }
        if number > *range.end() {
            let msg = format!("Input should be less than or equal to {}", range.end());
            let problem = Problem::query(key, "less_than_equal", msg, text);
            return Err(Error::malformed(problem.with(json!({"le": range.end()}))));
        }
        Ok(number)
    }

    /// `true`/`false`, `1`/`0`, `yes`/`no`, `on`/`off`, or the default.
    pub fn flag(&self, key: &str, default: bool) -> Result<bool> {
        match self.get(key).map(str::to_ascii_lowercase).as_deref() {
            None => Ok(default),
            Some("true" | "1" | "yes" | "on") => Ok(true),
            Some("false" | "0" | "no" | "off") => Ok(false),
            Some(other) => Err(Error::malformed(Problem::query(
                key,
                "bool_parsing",
                "Input should be a valid boolean",
                other,
            ))),
        }
    }
}

fn unknown_parameter(name: &str, known: &[&str]) -> Error {
    let shown: String = name.chars().take(100).collect();
    let expected = if known.is_empty() {
        "there are none here".into()
    } else {
        format!("expected one of {}", known.join(", "))
    };
    let hint = hint(name, known.iter().copied());
    Error::refused(
        "Unsupported query parameter",
        format!("unknown query parameter '{shown}'; {expected}{hint}"),
    )
}
