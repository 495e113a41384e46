//! Layers around every request: the facts that are kept of it, security headers, CORS, figures,
//! and what happens after a panic.

use std::any::Any;
use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tower_http::cors::{AllowHeaders, AllowMethods, AllowOrigin, CorsLayer};

use crate::app::App;
use crate::config::{Config, CorsConfig, Environment};
use crate::error::Error;
use crate::http::client;
use crate::http::client_load::ClientLoad;
use crate::http::error::plain;
use crate::http::guarded_body::GuardedBody;
use crate::metrics::Metrics;
use crate::request_facts::{RequestFacts, RequestMethod, RequestOrigin};
use crate::traffic::Traffic;

/// The header that carries the id of a request.
const CORRELATION_ID: HeaderName = HeaderName::from_static("x-correlation-id");

/// The state of [`trace_request`].
#[derive(Clone)]
pub struct RequestContext {
    metrics: Metrics,
    traffic: Traffic,
    trust_proxy: bool,
    load: Option<ClientLoad>,
    headers: Arc<[(HeaderName, HeaderValue)]>,
}

impl RequestContext {
    /// Made once for an app.
    pub fn new(app: &App) -> Self {
        Self {
            metrics: app.metrics.clone(),
            traffic: app.traffic.clone(),
            trust_proxy: app.config.server.trust_proxy,
            load: ClientLoad::new(&app.config),
            headers: security_headers(&app.config).into(),
        }
    }
}

/// The methods that some path has.
const KNOWN_METHODS: &str = "GET, POST, PUT, PATCH, DELETE, OPTIONS";

/// Takes the facts out of a request, from which figures, trail and log are made; gives the response
/// the id and the security headers; counts and, when it fails, logs it. Nothing else of a request
/// is kept.
pub async fn trace_request(
    State(context): State<RequestContext>,
    mut request: Request,
    next: Next,
) -> Response {
    let started = Instant::now();
    let facts = Arc::new(context.facts(&request));
    let method = facts.method().name();
    let mut response = if is_invented(request.method()) {
        // Not 501: clients repeat what a server fails at.
        let mut response = plain(StatusCode::METHOD_NOT_ALLOWED, "Unknown HTTP method");
        response
            .headers_mut()
            .insert(header::ALLOW, HeaderValue::from_static(KNOWN_METHODS));
        context.metrics.request(
            method,
            facts.route(),
            response.status().as_u16(),
            started.elapsed(),
        );
        response
    } else {
        let is_api = request.uri().path().starts_with("/api/");
        request.extensions_mut().insert(facts.clone());
        let mut response = facts
            .clone()
            .scope(context.serve(request, next, &facts))
            .await;
        let status = response.status();
        if is_api && (status.is_client_error() || status.is_server_error()) && !is_json(&response) {
            response = in_json(response);
        }
        let (elapsed, route) = (started.elapsed(), facts.route());
        context
            .metrics
            .request(method, route, status.as_u16(), elapsed);
        if is_api {
            context
                .traffic
                .answered(facts.clone(), status.as_u16(), elapsed);
            response
                .headers_mut()
                .entry(header::CACHE_CONTROL)
                .or_insert(HeaderValue::from_static("no-store"));
        }
        if status.is_server_error() {
            let (id, status) = (facts.correlation_id(), status.as_u16());
            tracing::error!(
                correlation_id = id,
                method,
                route,
                status,
                ?elapsed,
                "request failed"
            );
        } else {
            tracing::debug!(method, route, status = status.as_u16(), ?elapsed, "request");
        }
        response
    };
    let headers = response.headers_mut();
    // Ids that do not fit into a header have been replaced.
    if let Ok(id) = HeaderValue::from_str(facts.correlation_id()) {
        headers.insert(CORRELATION_ID, id);
    }
    for (name, value) in &*context.headers {
        if !headers.contains_key(name) {
            headers.insert(name.clone(), value.clone());
        }
    }
    response
}

impl RequestContext {
    /// Hands the request on, unless its client has too many under way already.
    async fn serve(&self, request: Request, next: Next, facts: &RequestFacts) -> Response {
        let Some(load) = &self.load else {
            return next.run(request).await;
        };
        match load.begin(facts.address()) {
            None => Error::RateLimited { retry_after: 1 }.into_response(),
            Some(guard) => next
                .run(request)
                .await
                .map(|body| Body::new(GuardedBody::new(body, guard))),
        }
    }

    fn facts(&self, request: &Request) -> RequestFacts {
        let (headers, extensions) = (request.headers(), request.extensions());
        let route = extensions.get::<MatchedPath>().map(MatchedPath::as_str);
        let user_agent = headers.get(header::USER_AGENT);
        let origin = RequestOrigin {
            address: client::address(headers, extensions, self.trust_proxy),
            correlation_id: headers.get(CORRELATION_ID).map(HeaderValue::as_bytes),
            user_agent: user_agent.and_then(|agent| agent.to_str().ok()),
        };
        RequestFacts::new(RequestMethod::of(request.method().as_str()), route, origin)
    }
}

/// Refuses HEAD on routes that are not declared as [`super::endpoint::Endpoints`]: the framework
/// would answer it wherever there is a GET, with all of its work. `allowed` are the methods that the
/// path has.
pub(super) async fn refuse_head(
    State(allowed): State<&'static str>,
    request: Request,
    next: Next,
) -> Response {
    if request.method() == Method::HEAD {
        head_refusal(HeaderValue::from_static(allowed))
    } else {
        next.run(request).await
    }
}

/// The response to a HEAD: the methods that the path has instead.
pub(super) fn head_refusal(allowed: HeaderValue) -> Response {
    let mut response = plain(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed");
    response.headers_mut().insert(header::ALLOW, allowed);
    response
}

/// True if a method is not one of HTTP's own. TRACE and CONNECT are: they are refused by the path.
fn is_invented(method: &Method) -> bool {
    RequestMethod::of(method.as_str()) == RequestMethod::Other
        && ![Method::TRACE, Method::CONNECT].contains(method)
}

fn is_json(response: &Response) -> bool {
    let kind = response
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok());
    kind.is_some_and(|kind| kind.starts_with("application/json"))
}

/// The same refusal as JSON: the framework's own, such as of a path that is no text, are plain text
/// or nothing.
fn in_json(response: Response) -> Response {
    let (mut parts, _) = response.into_parts();
    for name in [
        header::CONTENT_TYPE,
        header::CONTENT_LENGTH,
        header::CONTENT_ENCODING,
    ] {
        parts.headers.remove(name);
    }
    let mut refusal = plain(
        parts.status,
        parts.status.canonical_reason().unwrap_or("Refused"),
    );
    refusal.headers_mut().extend(parts.headers);
    refusal
}

/// The headers that tell browsers to be careful, made once.
fn security_headers(config: &Config) -> Vec<(HeaderName, HeaderValue)> {
    let security = &config.security;
    if !security.headers_enabled {
        return Vec::new();
    }
    let mut headers = vec![
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (header::X_FRAME_OPTIONS, "DENY".to_owned()),
        (header::X_XSS_PROTECTION, "1; mode=block".to_owned()),
        (
            header::REFERRER_POLICY,
            "strict-origin-when-cross-origin".to_owned(),
        ),
        (header::CONTENT_SECURITY_POLICY, security.csp_policy.clone()),
        (
            HeaderName::from_static("permissions-policy"),
            security.permissions_policy.clone(),
        ),
    ];
    if config.server.environment == Environment::Production {
        let value = format!("max-age={}; includeSubDomains", security.hsts_max_age);
        headers.push((header::STRICT_TRANSPORT_SECURITY, value));
    }
    headers
        .into_iter()
        .filter_map(|(name, value)| Some((name, HeaderValue::from_str(&value).ok()?)))
        .collect()
}

/// Sends requests that a trusted proxy took over plain HTTP to HTTPS.
#[derive(Clone, Debug)]
pub struct HttpsRedirect {
    /// As in `https://api.example.com`. A host that a request names itself is not used: anybody
    /// could name any.
    origin: Arc<str>,
}

impl HttpsRedirect {
    /// Made once, if it is wanted; in production only, and only behind a proxy that is trusted to
    /// say what came over plain HTTP.
    pub fn new(config: &Config) -> Option<Self> {
        let wanted = config.security.https_redirect_enabled
            && config.server.trust_proxy
            && config.server.environment == Environment::Production;
        let url = config.server.external_url.as_str();
        let origin = url
            .starts_with("https://")
            .then(|| url.split('/').take(3).collect::<Vec<_>>().join("/"))?;
        wanted.then(|| Self {
            origin: origin.into(),
        })
    }

    fn target(&self, request: &Request) -> Option<HeaderValue> {
        let proto = request.headers().get("x-forwarded-proto")?;
        if !proto.as_bytes().eq_ignore_ascii_case(b"http") {
            return None;
        }
        let path = request
            .uri()
            .path_and_query()
            .map_or("/", axum::http::uri::PathAndQuery::as_str);
        HeaderValue::from_str(&format!("{}{path}", self.origin)).ok()
    }
}

/// Answers what came over plain HTTP with the address to go to instead.
pub async fn to_https(
    State(redirect): State<HttpsRedirect>,
    request: Request,
    next: Next,
) -> Response {
    let Some(target) = redirect.target(&request) else {
        return next.run(request).await;
    };
    // The older status lets clients make a GET of everything.
    let status = match *request.method() {
        Method::GET | Method::HEAD => StatusCode::MOVED_PERMANENTLY,
        _ => StatusCode::PERMANENT_REDIRECT,
    };
    (status, [(header::LOCATION, target)]).into_response()
}

/// Web pages of other origins that may call the API. They may read the response headers in `more`
/// besides the ones of every endpoint.
pub fn cors(
    config: &CorsConfig,
    environment: Environment,
    more: impl IntoIterator<Item = HeaderName>,
) -> CorsLayer {
    let exposed = [
        header::RETRY_AFTER,
        CORRELATION_ID,
        HeaderName::from_static("x-ratelimit-limit"),
        HeaderName::from_static("x-ratelimit-remaining"),
        HeaderName::from_static("x-ratelimit-reset"),
        HeaderName::from_static("x-function-execution-id"),
        HeaderName::from_static("x-realtime-cursor"),
        header::CONTENT_DISPOSITION,
    ];
    let exposed = exposed.into_iter().chain(more);
    let all = |list: &[String]| list.iter().any(|item| item == "*");
    let origins = config.origins_in(environment);
    let origins = if all(origins) {
        AllowOrigin::mirror_request()
    } else {
        AllowOrigin::list(
            origins
                .iter()
                .filter_map(|origin| HeaderValue::from_str(origin).ok()),
        )
    };
    let methods = if all(&config.allow_methods) {
        AllowMethods::mirror_request()
    } else {
        AllowMethods::list(
            config
                .allow_methods
                .iter()
                .filter_map(|method| Method::from_bytes(method.as_bytes()).ok()),
        )
    };
    let headers = if all(&config.allow_headers) {
        AllowHeaders::mirror_request()
    } else {
        AllowHeaders::list(
            config
                .allow_headers
                .iter()
                .filter_map(|name| name.parse::<HeaderName>().ok()),
        )
    };
    CorsLayer::new()
        .allow_origin(origins)
        .allow_methods(methods)
        .allow_headers(headers)
        .allow_credentials(config.allow_credentials)
        .expose_headers(exposed.collect::<Vec<_>>())
}

/// A panic is a defect: it is logged, answered with 500, and the server goes on.
#[expect(clippy::needless_pass_by_value, reason = "the layer hands it over")]
pub fn panicked(panic: Box<dyn Any + Send + 'static>) -> Response {
    let text = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied());
    let mut response =
        Error::Internal(format!("panic: {}", text.unwrap_or("unknown"))).into_response();
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response
}
