//! Health and figures of the server.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::routes;

use crate::app::App;
use crate::http::endpoint::Endpoints;

/// `/health`, `/live`, `/ready` and `/api/v1`.
pub fn endpoints() -> Endpoints {
    Endpoints::new()
        .everyone(routes!(health))
        .everyone(routes!(live))
        .everyone(routes!(ready))
        .everyone(routes!(version))
}

/// State of the server.
#[derive(Serialize, ToSchema)]
struct Health {
    /// `healthy`, `alive`, `ready` or `not_ready`.
    status: &'static str,
    /// `SnackBase`.
    service: &'static str,
    /// The version of the server.
    version: &'static str,
    /// `connected` or `disconnected`, where it was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    database: Option<&'static str>,
    /// `low` while the disk is nearly full and writes are refused, where it was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    disk: Option<&'static str>,
    /// True if changes are audited.
    audit_logging_enabled: bool,
}

impl Health {
    fn new(app: &App, status: &'static str, database: Option<&'static str>) -> Self {
        let version = env!("CARGO_PKG_VERSION");
        let disk = database.map(|_| if app.disk.is_low() { "low" } else { "ok" });
        Self {
            status,
            service: "SnackBase",
            version,
            database,
            disk,
            audit_logging_enabled: app.audit.is_enabled(),
        }
    }
}

/// The server answers.
#[utoipa::path(
    get,
    path = "/health",
    tag = "health",
    responses((status = 200, body = Health)),
)]
async fn health(State(app): State<App>) -> Json<Health> {
    Json(Health::new(&app, "healthy", None))
}

/// The process lives.
#[utoipa::path(
    get,
    path = "/live",
    tag = "health",
    responses((status = 200, body = Health)),
)]
async fn live(State(app): State<App>) -> Json<Health> {
    Json(Health::new(&app, "alive", None))
}

/// The server can serve: the database answers and nobody told it to stop. It goes on being
/// ready while the disk is low: reads and deletes are served.
#[utoipa::path(
    get,
    path = "/ready",
    tag = "health",
    responses((status = 200, body = Health), (status = 503, body = Health)),
)]
async fn ready(State(app): State<App>) -> (StatusCode, Json<Health>) {
    let answers = app.db.is_reachable().await;
    if answers && !app.lifecycle.stopping().is_cancelled() {
        (
            StatusCode::OK,
            Json(Health::new(&app, "ready", Some("connected"))),
        )
    } else {
        let database = if answers { "connected" } else { "disconnected" };
        (
            StatusCode::SERVICE_UNAVAILABLE,
            Json(Health::new(&app, "not_ready", Some(database))),
        )
    }
}

/// Name and version of the API.
#[derive(Serialize, ToSchema)]
#[expect(clippy::struct_field_names, reason = "the key is called api_version")]
struct ApiVersion {
    /// `SnackBase`.
    name: String,
    /// The version of the server.
    version: &'static str,
    /// `v1`.
    api_version: &'static str,
}

/// Name and version of the API.
#[utoipa::path(
    get,
    path = "/api/v1",
    tag = "health",
    responses((status = 200, body = ApiVersion)),
)]
async fn version(State(app): State<App>) -> Json<ApiVersion> {
    let name = app.config.server.app_name.clone();
    Json(ApiVersion {
        name,
        version: env!("CARGO_PKG_VERSION"),
        api_version: "v1",
    })
}

/// The figures, in Prometheus' format.
pub async fn metrics(State(app): State<App>) -> Response {
    (
        [(header::CONTENT_TYPE, "text/plain; version=0.0.4")],
        app.metrics.render(),
    )
        .into_response()
}
