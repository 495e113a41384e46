//! Connections: accepted, served one request after another, and closed in good order.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::response::Response;
use axum::serve::Listener;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::util::{MapRequestLayer, MapResponseLayer};
use tower::{Layer as _, Service};

use super::middleware::RefusedHead;
use crate::app::App;

/// Serves until the app is told to stop, then finishes what is under way.
pub async fn serve(app: App, mut listener: TcpListener) -> std::io::Result<()> {
    let stop = app.lifecycle.stopping().clone();
    let patience = Duration::from_secs(app.config.limits.header_timeout_seconds);
    let service = MapRequestLayer::new(before_routing).layer(super::router(app));
    let service = MapResponseLayer::new(after_routing).layer(service);
    let connections = TaskTracker::new();
    loop {
        let (stream, peer) = tokio::select! {
            // Waits by itself after an error such as too many open files.
            accepted = Listener::accept(&mut listener) => accepted,
            () = stop.cancelled() => break,
        };
        connections.spawn(connection(stream, peer, service.clone(), patience, stop.clone()));
    }
    drop(listener);
    connections.close();
    connections.wait().await;
    Ok(())
}

/// Serves one connection until either side closes it. A client that sends the head of a request too slowly, or nothing
/// for as long, is cut off: it would hold a socket for ever.
async fn connection<S>(stream: TcpStream, peer: SocketAddr, service: S, patience: Duration, stop: CancellationToken)
where
    S: Service<Request, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    // Small answers must not wait for more to send.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY could not be set");
    }
    let arrived = move |request: hyper::Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        request
    };
    let service = TowerToHyperService::new(MapRequestLayer::new(arrived).layer(service));
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(patience);
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service).with_upgrades());
    let served = tokio::select! {
        served = connection.as_mut() => served,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = served {
        tracing::debug!(%error, "a connection ended early");
    }
}

fn before_routing(request: Request) -> Request {
    without_head(without_trailing_slash(request))
}

/// HEAD is no method of the API: the framework would answer it wherever there is a GET, with all of its work. So it
/// is handed on as a method that nothing has. Pages and their files have it.
fn without_head(mut request: Request) -> Request {
    let path = request.uri().path();
    let is_page = path == "/" || ["/admin", "/docs"].iter().any(|pages| path.starts_with(pages));
    if *request.method() == Method::HEAD && !is_page {
        *request.method_mut() = Method::TRACE;
        request.extensions_mut().insert(RefusedHead);
    }
    request
}

/// Takes HEAD off the methods that a path is said to have.
fn after_routing(mut response: Response) -> Response {
    if response.status() == StatusCode::METHOD_NOT_ALLOWED
        && let Some(allowed) = response.headers().get(header::ALLOW).and_then(|allowed| allowed.to_str().ok())
    {
        let rest: Vec<&str> = allowed.split(',').map(str::trim).filter(|method| *method != "HEAD").collect();
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
