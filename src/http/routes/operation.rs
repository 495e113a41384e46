//! What people who run the server look at: its last requests, its figures, its settings, the types
//! of its records.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::Method;
use serde::Serialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::clock::canonical_time;
use crate::collections::typescript;
use crate::config::Setting;
use crate::error::{Error, Problem, Result};
use crate::http::error::ErrorBody;
use crate::http::extract::{Query, Superadmin};
use crate::traffic::{Answered, Minute, Wanted};

/// `/api/v1/admin/requests`, `/admin/figures`, `/admin/settings` and `/admin/types/typescript`.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(requests))
        .routes(routes!(figures))
        .routes(routes!(settings))
        .routes(routes!(typescript_types))
}

/// A request that was answered.
#[derive(Serialize, utoipa::ToSchema)]
struct RequestView {
    /// Counts up; the newest has the highest.
    number: u64,
    /// When the answer was ready.
    at: String,
    /// The method; `other` for what is not a method of the API.
    method: String,
    /// The route that matched, as in `/api/v1/records/{collection}`; `unmatched` if none did. What
    /// a client writes into paths and queries is not kept.
    path: String,
    /// The status of the answer.
    status: u16,
    /// How long it took, in milliseconds.
    milliseconds: f64,
    /// Where it came from, as far as that is known.
    address: Option<String>,
    /// The id that the answer and the log carry.
    correlation_id: String,
}

impl From<Answered> for RequestView {
    fn from(answered: Answered) -> Self {
        let request = &answered.request;
        Self {
            number: answered.number,
            at: canonical_time(answered.at),
            method: request.method().name().to_owned(),
            path: request.route().to_owned(),
            status: answered.status.as_u16(),
            milliseconds: milliseconds(answered.elapsed),
            address: request.address().map(|address| address.to_string()),
            correlation_id: request.correlation_id().to_owned(),
        }
    }
}

/// The last requests.
#[derive(Serialize, utoipa::ToSchema)]
struct RequestList {
    /// Newest first.
    items: Vec<RequestView>,
}

/// The last requests of the API that this process answered, newest first; a few thousand are
/// remembered.
#[utoipa::path(get, path = "/api/v1/admin/requests", tag = "operation",
    params(
        ("method" = Option<String>, Query, description = "Only this method"),
        ("status" = Option<String>, Query, description = "Only this status, as in `404`, or class, as in `4xx`"),
        ("path" = Option<String>, Query, description = "Only routes that contain this"),
        ("min_milliseconds" = Option<i64>, Query, minimum = 0, description = "Only what took at least this long"),
        ("before" = Option<i64>, Query, minimum = 0, description = "Only requests before this number"),
        ("limit" = Option<i64>, Query, minimum = 1, maximum = 500, description = "Requests at most, 1 to 500; 100 if it is left out"),
    ),
    responses((status = 200, body = RequestList), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 422, body = ErrorBody)))]
async fn requests(
    State(app): State<App>,
    _: Superadmin,
    query: Query,
) -> Result<Json<RequestList>> {
    let (status_from, status_to) = statuses(&query)?.unzip();
    query.refuse_misspelt(&[
        "method",
        "status",
        "path",
        "min_milliseconds",
        "before",
        "limit",
    ])?;
    let method = match query.get("method").filter(|method| !method.is_empty()) {
        None => None,
        Some(text) if Method::from_bytes(text.as_bytes()).is_ok() => Some(text.to_owned()),
        Some(text) => {
            let message = "Input should be an HTTP method";
            return Err(Error::malformed(Problem::query(
                "method",
                "value_error",
                message,
                text,
            )));
        }
    };
    let before = query
        .get("before")
        .is_some()
        .then(|| query.number("before", 0, 0..=i64::MAX))
        .transpose()?;
    let at_least = query.number("min_milliseconds", 0, 0..=i64::MAX)?;
    let limit = query.number("limit", 100, 1..=500)?;
    let wanted = Wanted {
        method,
        status_from,
        status_to,
        route: query
            .get("path")
            .filter(|path| !path.is_empty())
            .map(str::to_owned),
        at_least: Duration::from_millis(at_least.unsigned_abs()),
        before: before.map(i64::unsigned_abs),
        limit: usize::try_from(limit).unwrap_or(1),
    };
    let items = app
        .traffic
        .recent(&wanted)
        .into_iter()
        .map(RequestView::from)
        .collect();
    Ok(Json(RequestList { items }))
}

/// The lowest and the highest status that are asked for.
fn statuses(query: &Query) -> Result<Option<(u16, u16)>> {
    let Some(text) = query.get("status").filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let class = text
        .strip_suffix("xx")
        .and_then(|class| class.parse::<u16>().ok())
        .filter(|class| *class < 10);
    let range = match class {
        Some(class) => Some((class * 100, class * 100 + 99)),
        None => text.parse().ok().map(|status| (status, status)),
    };
    let message = "Input should be a status such as 404, or a class such as 4xx";
    range
        .map(Some)
        .ok_or_else(|| Error::malformed(Problem::query("status", "value_error", message, text)))
}

/// What happened in one minute.
#[derive(Serialize, utoipa::ToSchema)]
struct MinuteView {
    /// Its beginning.
    at: String,
    /// Requests of the API that were answered.
    requests: u64,
    /// Among them those with a 4xx.
    client_errors: u64,
    /// Among them those with a 5xx.
    server_errors: u64,
    /// Half of them took at most this long, in milliseconds; null without requests.
    median_milliseconds: Option<f64>,
    /// 19 of 20 took at most this long.
    p95_milliseconds: Option<f64>,
    /// The most realtime connections that were seen at once, looking every few seconds; null if
    /// nobody looked.
    realtime_connections: Option<usize>,
    /// Events that were handed to realtime connections.
    realtime_deliveries: u64,
    /// How large the database was, in bytes; null if nobody looked.
    database_bytes: Option<i64>,
}

impl From<Minute> for MinuteView {
    fn from(minute: Minute) -> Self {
        Self {
            at: canonical_time(minute.at),
            requests: minute.requests,
            client_errors: minute.client_errors,
            server_errors: minute.server_errors,
            median_milliseconds: minute.median.map(milliseconds),
            p95_milliseconds: minute.p95.map(milliseconds),
            realtime_connections: minute.connections,
            realtime_deliveries: minute.deliveries,
            database_bytes: minute.database_bytes,
        }
    }
}

/// The figures of this process.
#[derive(Serialize, utoipa::ToSchema)]
struct Figures {
    /// When counting began: the start of the process.
    since: String,
    /// Each minute of the range, oldest first.
    minutes: Vec<MinuteView>,
}

/// Requests, errors, times, realtime and the size of the database by the minute, as this process
/// saw them.
#[utoipa::path(get, path = "/api/v1/admin/figures", tag = "operation",
    params(("range_minutes" = Option<i64>, Query, minimum = 1, maximum = 1440, description = "Minutes up to now, 1 to 1440; 60 if it is left out")),
    responses((status = 200, body = Figures), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 422, body = ErrorBody)))]
async fn figures(State(app): State<App>, _: Superadmin, query: Query) -> Result<Json<Figures>> {
    query.refuse_misspelt(&["range_minutes"])?;
    let minutes = query.number("range_minutes", 60, 1..=1440)?;
    app.observe(true).await;
    let span = Duration::from_secs(60 * minutes.unsigned_abs());
    let minutes = app
        .traffic
        .minutes(span)
        .into_iter()
        .map(MinuteView::from)
        .collect();
    Ok(Json(Figures {
        since: canonical_time(app.traffic.since()),
        minutes,
    }))
}

/// All settings.
#[derive(Serialize, utoipa::ToSchema)]
struct SettingList {
    /// In the order of the example file.
    items: Vec<Setting>,
}

/// Every setting with its value and where that comes from. Secrets are not told.
#[utoipa::path(get, path = "/api/v1/admin/settings", tag = "operation",
    responses((status = 200, body = SettingList), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody)))]
async fn settings(State(app): State<App>, _: Superadmin) -> Json<SettingList> {
    Json(SettingList {
        items: app.config.settings.to_vec(),
    })
}

/// The TypeScript types of the records of every collection, as `snackbase types typescript` prints
/// them.
#[utoipa::path(get, path = "/api/v1/admin/types/typescript", tag = "operation",
    responses((status = 200, body = String, content_type = "text/plain"), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody)))]
async fn typescript_types(State(app): State<App>, _: Superadmin) -> Result<String> {
    Ok(typescript(&app.collections.all().await?))
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}
