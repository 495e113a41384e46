//! The caller of a request, whom the guard of the endpoint has let in.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::request::Parts;

use crate::auth::{Caller, Credential, Principal};
use crate::error::{Error, Result};

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

/// The caller that the guard of the endpoint has let in.
impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        let caller = parts.extensions.get::<Self>().cloned();
        caller.ok_or_else(|| {
            Error::internal("a handler wants a caller, but its endpoint does not ask for one")
        })
    }
}

/// A caller with valid credentials.
#[derive(Clone, Debug)]
pub struct SignedIn(pub Arc<Principal>);

impl<S: Send + Sync> FromRequestParts<S> for SignedIn {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        match Caller::from_request_parts(parts, state).await? {
            Caller::User(principal) => Ok(Self(principal)),
            Caller::Anonymous { .. } => Err(Error::Unauthenticated("Missing credentials".into())),
        }
    }
}

/// A user of the system account.
#[derive(Clone, Debug)]
pub struct Superadmin(pub Caller);

impl<S: Send + Sync> FromRequestParts<S> for Superadmin {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let caller = Caller::from_request_parts(parts, state).await?;
        if caller.is_superadmin() {
            Ok(Self(caller))
        } else {
            Err(Error::Forbidden("Superadmin access required".into()))
        }
    }
}
