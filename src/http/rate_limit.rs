//! Limit of the rate of requests: a bucket of tokens for each user, and for each address
//! without credentials. A path with a number of its own has buckets of its own, so that requests to
//! other paths do not fill them.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{MatchedPath, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use percent_encoding::percent_decode_str;

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
    /// Requests a minute for some paths and routes.
    paths: Arc<BTreeMap<String, u32>>,
}

/// A bucket that a request takes a token from.
#[derive(Clone, Copy)]
struct Charge {
    bucket: Key,
    per_minute: u32,
}

impl RateLimit {
    /// Made once, if it is switched on.
    pub(super) fn new(app: &App) -> Option<Self> {
        let limits = &app.config.limits;
        let own = [
            limits.rate_limit_per_minute,
            limits.rate_limit_authenticated_per_minute,
        ];
        let slowest = own
            .iter()
            .chain(limits.rate_limit_endpoints.values())
            .min()
            .copied()
            .unwrap_or(1);
        let idle = Duration::from_mins(1) * limits.rate_limit_burst / slowest.max(1);
        let buckets = Buckets::new(app.clock.clone(), idle);
        let paths = limits
            .rate_limit_endpoints
            .iter()
            .map(|(path, rate)| (one_spelling(path), *rate))
            .collect();
        limits.rate_limit_enabled.then(|| Self {
            app: app.clone(),
            buckets,
            paths: Arc::new(paths),
        })
    }

    /// The buckets that a request takes from, at least one; `None` for superadmins.
    async fn charges(&self, request: &Parts) -> Option<Vec<Charge>> {
        let limits = &self.app.config.limits;
        let query = request
            .uri
            .query()
            .filter(|query| query.contains("token="))
            .map(Query::read);
        // A browser cannot send a header with a realtime connection.
        let token = query
            .as_ref()
            .and_then(|query| query.get("token"))
            .map(Credential::Bearer);
        let caller = match credential(&request.headers).or(token) {
            // Credentials that are not valid count as none: the handler will say so.
            Some(credential) => self
                .app
                .auth
                .authenticate(credential)
                .await
                .ok()
                .map(Caller::User),
            None => None,
        };
        let (bucket, per_minute) = match &caller {
            Some(caller) if caller.is_superadmin() => return None,
            Some(caller) => (
                key(b"user", caller.actor().as_bytes()),
                limits.rate_limit_authenticated_per_minute,
            ),
            None => {
                let network = ClientAddress::of(&request.extensions)
                    .0
                    .map(network)
                    .unwrap_or_default();
                (key(b"address", &network), limits.rate_limit_per_minute)
            }
        };
        let usual = Charge { bucket, per_minute };
        Some(match self.path_limit(request) {
            None => vec![usual],
            Some((path, per_minute)) => {
                let own = Charge {
                    bucket: key(&bucket, path.as_bytes()),
                    per_minute,
                };
                // A higher number is meant to let more through than the usual one.
                if per_minute > usual.per_minute {
                    vec![own]
                } else {
                    vec![own, usual]
                }
            }
        })
    }

    /// The number for a path or its route, and what that number is configured for.
    fn path_limit(&self, request: &Parts) -> Option<(&str, u32)> {
        if self.paths.is_empty() {
            return None;
        }
        let route = || {
            request
                .extensions
                .get::<MatchedPath>()
                .map(MatchedPath::as_str)
        };
        let path = self.paths.get_key_value(&one_spelling(request.uri.path()));
        let limit = path.or_else(|| self.paths.get_key_value(&one_spelling(route()?)));
        limit.map(|(path, per_minute)| (path.as_str(), *per_minute))
    }

    /// Takes a token from each bucket, if each has one. The answer tells of the one that is nearest
    /// to being empty.
    fn take(&self, charges: &[Charge]) -> Option<(u32, Level)> {
        let capacity = f64::from(self.app.config.limits.rate_limit_burst);
        let rate = |charge: &Charge| Rate {
            capacity,
            per_second: f64::from(charge.per_minute) / 60.0,
        };
        // A refusal costs nothing, in none of them.
        let refuses =
            |charge: &&Charge| self.buckets.drain(charge.bucket, rate(charge), 0.0).wait > 0;
        let charges = charges
            .iter()
            .find(refuses)
            .map_or(charges, std::slice::from_ref);
        let levels = charges.iter().map(|charge| {
            (
                charge.per_minute,
                self.buckets.take(charge.bucket, rate(charge)),
            )
        });
        levels.max_by_key(|(_, level)| (level.wait, Reverse(level.remaining)))
    }
}

/// The spelling by which a path is found: letters may be escaped in it, and names of collections
/// are written in any case.
fn one_spelling(path: &str) -> String {
    percent_decode_str(path).decode_utf8_lossy().to_lowercase()
}

/// Refuses requests to the API that come too fast, and tells every caller how much is left.
pub(super) async fn limit(
    State(limit): State<RateLimit>,
    request: Request,
    next: Next,
) -> Response {
    if !request.uri().path().starts_with("/api/") {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    let charges = limit.charges(&parts).await;
    let request = Request::from_parts(parts, body);
    let Some((per_minute, level)) = charges.and_then(|charges| limit.take(&charges)) else {
        return next.run(request).await;
    };
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
