//! Connections: accepted, served one request after another, and closed in good order.

mod body;
mod sockets;
mod stream;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::response::Response;
use axum::serve::Listener;
use hyper::body::{Body as _, Incoming};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use metrics::counter;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::util::{MapRequestLayer, MapResponseLayer};
use tower::{Layer as _, Service, ServiceExt as _};

use super::guarded_body::GuardedBody;
use crate::app::App;
use body::{MAX_DISCARDED_BYTES, RequestBody};
use sockets::{SocketGuard, SocketLimits, Sockets};
use stream::ClientStream;

/// The answer to a client that has too many sockets already.
const REFUSAL: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\nretry-after: 1\r\ncontent-length: 0\r\n\r\n";

/// Settings that all connections have in common.
#[derive(Clone)]
struct Terms {
    /// For the head of a request, and until the next.
    head_timeout: Duration,
    /// For taking something of what is sent.
    write_timeout: Duration,
    stop: CancellationToken,
}

/// Serves until the app is told to stop, then finishes what is under way.
pub async fn serve(app: App, mut listener: TcpListener) -> std::io::Result<()> {
    let limits = &app.config.limits;
    let terms = Terms {
        head_timeout: Duration::from_secs(limits.header_timeout_seconds),
        write_timeout: Duration::from_secs(limits.write_timeout_seconds),
        stop: app.lifecycle.stopping().clone(),
    };
    let sockets = Sockets::new(SocketLimits::new(&app.config, crate::open_files::limit()));
    let service = MapRequestLayer::new(without_trailing_slash).layer(super::router(app));
    let service = MapResponseLayer::new(without_head).layer(service);
    let connections = TaskTracker::new();
    loop {
        let (stream, peer) = tokio::select! {
            // Waits by itself after an error such as too many open files.
            accepted = Listener::accept(&mut listener) => accepted,
            () = terms.stop.cancelled() => break,
        };
        let Some(guard) = sockets.admit(peer.ip()) else {
            counter!("snackbase_http_connections_refused_total").increment(1);
            // It may be read; the socket is closed in any case.
            let _ = stream.try_write(REFUSAL);
            continue;
        };
        connections.spawn(connection(
            stream,
            peer,
            guard,
            service.clone(),
            terms.clone(),
        ));
    }
    drop(listener);
    connections.close();
    connections.wait().await;
    Ok(())
}

/// Serves one connection until either side closes it. A client is cut off that sends the head of a
/// request too slowly, or nothing, or takes nothing of what it is sent: it would hold a socket and
/// memory for ever.
async fn connection<S>(
    stream: TcpStream,
    peer: SocketAddr,
    guard: SocketGuard,
    service: S,
    terms: Terms,
) where
    S: Service<Request, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    // Small answers must not wait for more to send.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY could not be set");
    }
    let socket = guard.socket().clone();
    let (under_way, stop) = (socket.clone(), terms.stop.clone());
    let service = hyper::service::service_fn(move |request: hyper::Request<Incoming>| {
        let (request_guard, service) = (under_way.begin(), service.clone());
        let is_too_long = request.body().size_hint().lower() > MAX_DISCARDED_BYTES;
        let (parts, incoming) = request.into_parts();
        let body = if incoming.is_end_stream() {
            Body::empty()
        } else {
            Body::new(RequestBody::new(incoming, &parts.headers, stop.clone()))
        };
        let mut request = Request::from_parts(parts, body);
        request.extensions_mut().insert(ConnectInfo(peer));
        async move {
            let mut response = service.oneshot(request).await?;
            if is_too_long {
                response
                    .headers_mut()
                    .insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            let request_guard = if response.status() == StatusCode::SWITCHING_PROTOCOLS {
                request_guard.keep_busy();
                None
            } else {
                Some(request_guard)
            };
            Ok::<_, Infallible>(response.map(|body| GuardedBody::new(body, request_guard)))
        }
    });
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(terms.head_timeout);
    let stream = TokioIo::new(ClientStream::new(stream, terms.write_timeout, guard));
    let mut connection = pin!(builder.serve_connection(stream, service).with_upgrades());
    let served = tokio::select! {
        served = connection.as_mut() => served,
        () = socket.evicted() => {
            counter!("snackbase_http_connections_evicted_total").increment(1);
            return;
        }
        () = terms.stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = served {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// Takes HEAD off the methods that a refusal says a path has: the framework counts it to GET, and
/// [`super::middleware::refuse_head`] refuses it.
fn without_head(mut response: Response) -> Response {
    if response.status() == StatusCode::METHOD_NOT_ALLOWED
        && let Some(allowed) = response
            .headers()
            .get(header::ALLOW)
            .and_then(|allowed| allowed.to_str().ok())
    {
        let rest: Vec<&str> = allowed
            .split(',')
            .map(str::trim)
            .filter(|method| *method != "HEAD")
            .collect();
        if let Ok(rest) = HeaderValue::from_str(&rest.join(", ")) {
            response.headers_mut().insert(header::ALLOW, rest);
        }
    }
    response
}

/// Both slash forms of an API path are the same.
fn without_trailing_slash(mut request: Request) -> Request {
    let path = request.uri().path();
    if !(path.starts_with("/api/") && path.ends_with('/')) {
        return request;
    }
    let trimmed = path.trim_end_matches('/');
    let target = match request.uri().query() {
        Some(query) => format!("{trimmed}?{query}"),
        None => trimmed.to_owned(),
    };
    if let Ok(uri) = target.parse::<Uri>() {
        *request.uri_mut() = uri;
    }
    request
}
