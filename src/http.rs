//! The HTTP surface: a table of contents of everything the server answers, and the layers around
//! it.

pub mod admin_ui;
mod api;
mod api_document;
mod byte_range;
pub mod client;
mod client_file;
mod client_load;
mod endpoint;
pub mod error;
pub mod extract;
mod full_disk;
mod guarded_body;
mod mail_pages;
pub mod middleware;
mod multipart;
mod rate_limit;
pub mod realtime;
mod record_form;
mod serve;
mod timeout;
mod verbatim;

use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::response::{Redirect, Response};
use axum::routing::get;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate as _, SizeAbove};

pub use endpoint::{CallerLevel, EndpointAccess, RouteEntry};
pub use serve::serve;

use crate::app::App;
use endpoint::Endpoints;
use error::plain;
use verbatim::is_not_verbatim;

/// The API document, as JSON.
pub fn openapi_json() -> String {
    // The document is made of maps with text keys: it can always be written.
    api_document::describe()
        .to_pretty_json()
        .unwrap_or_default()
}

/// Every route that asks for a caller, with the callers that it lets in.
pub fn route_table() -> Vec<RouteEntry> {
    endpoints().table().collect()
}

/// The endpoints of the API, and the API document itself.
fn endpoints() -> Endpoints {
    api::endpoints().merge(api_document::endpoints())
}

/// The whole service.
pub fn router(app: App) -> Router {
    let limits = &app.config.limits;
    let timeout = Duration::from_secs(limits.request_timeout_seconds);
    let docs = utoipa_swagger_ui::SwaggerUi::new("/docs")
        .config(utoipa_swagger_ui::Config::from("/openapi.json"));
    let router = Router::new()
        .merge(endpoints().into_router(&app))
        .merge(mail_pages::routes())
        .merge(Router::from(docs))
        .route("/", get(async || Redirect::temporary("/admin/")))
        .route(
            "/metrics",
            get(api::health::metrics).route_layer(axum::middleware::from_fn_with_state(
                "GET",
                middleware::refuse_head,
            )),
        )
        .route("/admin", get(admin_ui::index))
        .route("/admin/", get(admin_ui::index))
        .route("/admin/{*path}", get(admin_ui::asset))
        .route("/sdk/snackbase.js", get(client_file::module))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(
            CompressionLayer::new().gzip(true).compress_when(
                SizeAbove::new(1024)
                    .and(NotForContentType::new("text/event-stream"))
                    .and(NotForContentType::IMAGES)
                    .and(is_not_verbatim),
            ),
        )
        .layer(axum::middleware::from_fn_with_state(
            timeout,
            timeout::limit,
        ))
        .layer(DefaultBodyLimit::max(limits.body_bytes));
    let router = router.layer(axum::middleware::from_fn_with_state(
        app.disk.clone(),
        full_disk::refuse_writes,
    ));
    let router = match rate_limit::RateLimit::new(&app) {
        Some(limit) => router.layer(axum::middleware::from_fn_with_state(
            limit,
            rate_limit::limit,
        )),
        None => router,
    };
    let router = match middleware::HttpsRedirect::new(&app.config) {
        Some(redirect) => router.layer(axum::middleware::from_fn_with_state(
            redirect,
            middleware::to_https,
        )),
        None => router,
    };
    router
        .layer(CatchPanicLayer::custom(middleware::panicked))
        .layer(middleware::cors(
            &app.config.cors,
            app.config.server.environment,
            api::files::resumable::EXPOSED,
        ))
        .layer(axum::middleware::from_fn_with_state(
            app.clone(),
            api::files::resumable::answer_options,
        ))
        .layer(axum::middleware::from_fn_with_state(
            middleware::RequestContext::new(&app),
            middleware::trace_request,
        ))
        .with_state(app)
}

async fn not_found() -> Response {
    plain(StatusCode::NOT_FOUND, "Not Found")
}

async fn method_not_allowed() -> Response {
    plain(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed")
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
