//! How many requests somebody may send: a bucket of tokens for each user, and for each address without credentials.

use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::client::ClientAddress;
use super::extract::{Query, credential};
use crate::app::App;
use crate::auth::bucket::{Buckets, Key, Level, Rate, key, network};
use crate::auth::{Caller, Credential};
use crate::error::Error;

const LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");

/// The buckets, and whose they are; cheap to clone.
#[derive(Clone)]
pub(super) struct RateLimit {
    app: App,
    buckets: Buckets,
}

impl RateLimit {
    /// Made once, if it is switched on.
    pub(super) fn new(app: &App) -> Option<Self> {
        let limits = &app.config.limits;
        let own = [limits.rate_limit_per_minute, limits.rate_limit_authenticated_per_minute];
        let slowest = own.iter().chain(limits.rate_limit_endpoints.values()).min().copied().unwrap_or(1);
        let idle = Duration::from_mins(1) * limits.rate_limit_burst / slowest.max(1);
        let buckets = Buckets::new(app.clock.clone(), idle);
        limits.rate_limit_enabled.then(|| Self { app: app.clone(), buckets })
    }

    /// Whose bucket a request takes from, and how many a minute it gives; nobody's for superadmins.
    async fn bucket(&self, request: &Parts) -> Option<(Key, u32)> {
        let limits = &self.app.config.limits;
        let (headers, extensions) = (&request.headers, &request.extensions);
        let query = request.uri.query().filter(|query| query.contains("token=")).map(Query::read);
        // A browser cannot send a header with a realtime connection.
        let token = query.as_ref().and_then(|query| query.get("token")).map(Credential::Bearer);
        let caller = match credential(headers).or(token) {
            // Credentials that are not valid count as none: the handler will say so.
            Some(credential) => self.app.auth.authenticate(credential).await.ok().map(Caller::User),
            None => None,
        };
        let (key, usual) = match &caller {
            Some(caller) if caller.is_superadmin() => return None,
            Some(caller) => (key(b"user", caller.actor().as_bytes()), limits.rate_limit_authenticated_per_minute),
            None => {
                let network = ClientAddress::of(extensions).0.map(network).unwrap_or_default();
                (key(b"address", &network), limits.rate_limit_per_minute)
            }
        };
        let chosen = limits.rate_limit_endpoints.get(request.uri.path());
        Some((key, chosen.copied().unwrap_or(usual)))
    }
}

/// Refuses requests to the API that come too fast, and tells every caller how much is left.
pub(super) async fn limit(State(limit): State<RateLimit>, request: Request, next: Next) -> Response {
    if !request.uri().path().starts_with("/api/") {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    let bucket = limit.bucket(&parts).await;
    let request = Request::from_parts(parts, body);
    let Some((key, per_minute)) = bucket else { return next.run(request).await };
    let capacity = f64::from(limit.app.config.limits.rate_limit_burst);
    let level = limit.buckets.take(key, Rate { capacity, per_second: f64::from(per_minute) / 60.0 });
    let mut response = match level.wait {
        0 => next.run(request).await,
        wait => Error::RateLimited { retry_after: wait }.into_response(),
    };
    tell(&mut response, per_minute, level);
    response
}

fn tell(response: &mut Response, per_minute: u32, level: Level) {
    let headers = response.headers_mut();
    headers.insert(LIMIT, per_minute.into());
    headers.insert(REMAINING, HeaderValue::from(level.remaining));
    headers.insert(RESET, HeaderValue::from(level.full_in));
}
