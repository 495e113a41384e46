//! The HTTP surface: a table of contents of everything the server answers, and the layers around
//! it.

pub mod admin_ui;
mod api_document;
pub mod client;
mod client_file;
mod client_load;
mod document;
pub mod error;
pub mod extract;
mod full_disk;
mod guarded_body;
pub mod middleware;
mod rate_limit;
pub mod realtime;
pub mod routes;
mod scopes;
mod serve;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use axum::{Extension, Router};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate as _, SizeAbove};
use tower_http::timeout::TimeoutLayer;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;

pub use serve::serve;

use crate::app::App;

#[derive(OpenApi)]
#[openapi(info(
    title = "SnackBase",
    description = "Accounts, collections, records and realtime. Sign in, then send the token as `Authorization: Bearer …`. \
                   Bodies are read as JSON, whatever their Content-Type says: nothing is answered with 415."
))]
struct ApiDoc;

/// Everything that the API document describes.
fn api() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(ApiDoc::openapi())
        .merge(routes::health::routes())
        .merge(routes::setup::routes())
        .merge(routes::auth::routes())
        .merge(routes::sessions::routes())
        .merge(routes::accounts::routes())
        .merge(routes::users::routes())
        .merge(routes::api_keys::routes())
        .merge(routes::roles::routes())
        .merge(routes::groups::routes())
        .merge(routes::invitations::routes())
        .merge(routes::dashboard::routes())
        .merge(routes::collections::routes())
        .merge(routes::rules::routes())
        .merge(routes::macros::routes())
        .merge(routes::records::routes())
        .merge(routes::rooms::routes())
        .merge(routes::audit::routes())
        .merge(realtime::api())
        .merge(routes::operation::routes())
}

/// The API document, as JSON.
pub fn openapi_json() -> String {
    // The document is made of maps with text keys: it can always be written.
    document::completed(api().into_openapi())
        .to_pretty_json()
        .unwrap_or_default()
}

/// The whole service.
pub fn router(app: App) -> Router {
    let api = Router::from(api());
    let limits = &app.config.limits;
    let timeout = Duration::from_secs(limits.request_timeout_seconds);
    let documents = Arc::<api_document::SuperadminDocument>::default();
    let docs = utoipa_swagger_ui::SwaggerUi::new("/docs")
        .config(utoipa_swagger_ui::Config::from("/openapi.json"));
    let router = Router::new()
        .merge(api)
        .merge(realtime::routes())
        .merge(routes::pages::routes())
        .merge(Router::from(docs))
        .route(
            "/openapi.json",
            get(api_document::openapi).layer(Extension(documents)),
        )
        .route("/", get(async || Redirect::temporary("/admin/")))
        .route("/metrics", get(routes::health::metrics))
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
                    .and(NotForContentType::IMAGES),
            ),
        )
        .layer(TimeoutLayer::with_status_code(
            StatusCode::REQUEST_TIMEOUT,
            timeout,
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
        ))
        .layer(axum::middleware::from_fn_with_state(
            middleware::Surface::new(&app),
            middleware::envelope,
        ))
        .with_state(app)
}

async fn not_found() -> Response {
    plain(StatusCode::NOT_FOUND, "Not Found")
}

async fn method_not_allowed() -> Response {
    plain(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed")
}

fn plain(status: StatusCode, text: &str) -> Response {
    (
        status,
        axum::Json(serde_json::json!({ "detail": text, "error": text, "message": text })),
    )
        .into_response()
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
