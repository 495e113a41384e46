//! The HTTP surface: a table of contents of everything the server answers, and the layers around it.

pub mod admin_ui;
pub mod client;
mod document;
pub mod error;
pub mod extract;
pub mod middleware;
pub mod realtime;
pub mod routes;

use std::net::SocketAddr;
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use axum::serve::ListenerExt as _;
use axum::{Router, ServiceExt as _};
use tokio::net::TcpListener;
use tower::Layer as _;
use tower::util::MapRequestLayer;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate as _, SizeAbove};
use tower_http::timeout::TimeoutLayer;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use crate::app::App;

#[derive(OpenApi)]
#[openapi(info(
    title = "SnackBase",
    description = "Accounts, collections, records and realtime. Sign in, then send the token as `Authorization: Bearer …`."
))]
struct ApiDoc;

/// Everything that the API document describes.
fn api() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(ApiDoc::openapi())
        .merge(routes::health::routes())
        .merge(routes::setup::routes())
        .merge(routes::auth::routes())
        .merge(routes::accounts::routes())
        .merge(routes::users::routes())
        .merge(routes::collections::routes())
        .merge(routes::rules::routes())
        .merge(routes::records::routes())
}

/// The API document, as JSON.
pub fn openapi_json() -> String {
    // The document is made of maps with text keys: it can always be written.
    document::completed(api().into_openapi()).to_pretty_json().unwrap_or_default()
}

/// The whole service.
pub fn router(app: App) -> Router {
    let (api, document) = api().split_for_parts();
    let limits = &app.config.limits;
    let timeout = Duration::from_secs(limits.request_timeout_seconds);
    let docs = utoipa_swagger_ui::SwaggerUi::new("/docs").url("/openapi.json", document::completed(document));
    Router::new()
        .merge(api)
        .merge(realtime::routes())
        .merge(routes::pages::routes())
        .merge(Router::from(docs))
        .route("/", get(async || Redirect::temporary("/admin/")))
        .route("/metrics", get(routes::health::metrics))
        .route("/admin", get(admin_ui::index))
        .route("/admin/", get(admin_ui::index))
        .route("/admin/{*path}", get(admin_ui::asset))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(CompressionLayer::new().gzip(true).compress_when(
            SizeAbove::new(1024).and(NotForContentType::new("text/event-stream")).and(NotForContentType::IMAGES),
        ))
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, timeout))
        .layer(DefaultBodyLimit::max(limits.body_bytes))
        .layer(CatchPanicLayer::custom(middleware::panicked))
        .layer(middleware::cors(&app.config.cors))
        .layer(axum::middleware::from_fn_with_state(middleware::Surface::new(&app), middleware::envelope))
        .with_state(app)
}

/// Serves until the app is told to stop, then finishes what is under way.
pub async fn serve(app: App, listener: TcpListener) -> std::io::Result<()> {
    let stop = app.lifecycle.stopping().clone().cancelled_owned();
    let service = MapRequestLayer::new(without_trailing_slash).layer(router(app));
    // Small answers must not wait for more to send.
    let listener = listener.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY could not be set");
        }
    });
    axum::serve(listener, service.into_make_service_with_connect_info::<SocketAddr>())
        .with_graceful_shutdown(stop)
        .await
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

async fn not_found() -> Response {
    plain(StatusCode::NOT_FOUND, "Not Found")
}

async fn method_not_allowed() -> Response {
    plain(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed")
}

fn plain(status: StatusCode, text: &str) -> Response {
    (status, axum::Json(serde_json::json!({ "detail": text, "error": text, "message": text }))).into_response()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_admin_ui_is_built_against_this_very_api() {
        let known = include_str!("../admin-ui/openapi.json");
        let hint = "the API changed: run `cargo run -- openapi > admin-ui/openapi.json`";
        assert_eq!(known.trim(), super::openapi_json().trim(), "{hint}");
    }
}
