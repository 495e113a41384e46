//! Extractors for the client of a request: its address, its name, its token.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap};

use super::extract::credential;
use crate::auth::{Caller, Credential, Origin};
use crate::error::{Error, Result};
use crate::request_facts::RequestFacts;

/// The address of the client, as far as it is known.
#[derive(Clone, Copy, Debug)]
pub struct ClientAddress(pub Option<IpAddr>);

impl ClientAddress {
    /// The address in the facts of a request.
    pub fn of(extensions: &Extensions) -> Self {
        Self(facts(extensions).and_then(RequestFacts::address))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for ClientAddress {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self::of(&parts.extensions))
    }
}

/// Origin of a session that is opened.
#[derive(Clone, Debug)]
pub struct SessionOrigin(pub Origin);

impl<S: Send + Sync> FromRequestParts<S> for SessionOrigin {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let user_agent = facts(&parts.extensions)
            .and_then(RequestFacts::user_agent)
            .map(str::to_owned);
        Ok(Self(Origin {
            address: ClientAddress::of(&parts.extensions).0,
            user_agent,
        }))
    }
}

/// The facts that [`super::middleware::trace_request`] took out of the request.
fn facts(extensions: &Extensions) -> Option<&RequestFacts> {
    extensions.get::<Arc<RequestFacts>>().map(AsRef::as_ref)
}

/// The address that a request comes from: the peer's, or the one that a trusted proxy has seen.
pub(super) fn address(
    headers: &HeaderMap,
    extensions: &Extensions,
    trust_proxy: bool,
) -> Option<IpAddr> {
    // A proxy appends the address that it saw; what stands before it, anybody could have written.
    let forwarded = || {
        let header = headers.get_all("x-forwarded-for").iter().next_back()?;
        let last = header.to_str().ok()?.rsplit(',').next()?.trim();
        // Some proxies name the port as well.
        last.parse()
            .ok()
            .or_else(|| last.parse::<SocketAddr>().ok().map(|peer| peer.ip()))
    };
    let proxied = if trust_proxy { forwarded() } else { None };
    let peer = || {
        extensions
            .get::<ConnectInfo<SocketAddr>>()
            .map(|ConnectInfo(peer)| peer.ip())
    };
    proxied.or_else(peer)
}

/// The caller of an endpoint for everyone, and the token that was sent: credentials that are not
/// valid count as none.
#[derive(Clone, Debug)]
pub struct AnyCaller {
    /// The caller.
    pub caller: Caller,
    /// The bearer token that was sent, valid or not.
    pub token: Option<String>,
}

impl<S: Send + Sync> FromRequestParts<S> for AnyCaller {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let token = match credential(&parts.headers) {
            Some(Credential::Bearer(token)) => Some(token.to_owned()),
            Some(Credential::ApiKey(_)) | None => None,
        };
        let caller = Caller::from_request_parts(parts, state).await?;
        Ok(Self { caller, token })
    }
}
