//! Figures of this process by the minute.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::app::App;
use crate::clock::canonical_time;
use crate::error::Result;
use crate::http::extract::{QueryParams, Superadmin};
use crate::traffic::Minute;

/// The minutes that figures are asked of.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct FiguresParams {
    /// Minutes up to now, 1 to 1440; 60 if it is left out.
    #[param(minimum = 1, maximum = 1440)]
    range_minutes: Option<u64>,
}

/// Figures of one minute.
#[derive(Serialize, ToSchema)]
pub(super) struct MinuteView {
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
    /// Size of the database, in bytes; null if it was not measured.
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
#[derive(Serialize, ToSchema)]
pub(super) struct Figures {
    /// Beginning of counting: the start of the process.
    since: String,
    /// Each minute of the range, oldest first.
    minutes: Vec<MinuteView>,
}

/// Requests, errors, times, realtime and the size of the database by the minute, as this process
/// saw them.
#[utoipa::path(
    get,
    path = "/api/v1/admin/figures",
    tag = "operation",
    params(FiguresParams),
    responses((status = 200, body = Figures)),
)]
pub(super) async fn figures(
    State(app): State<App>,
    _: Superadmin,
    QueryParams(params): QueryParams<FiguresParams>,
) -> Result<Json<Figures>> {
    app.observe(true).await;
    let span = Duration::from_secs(60 * params.range_minutes.unwrap_or(60));
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

/// A duration in milliseconds, as responses have it.
pub(super) fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}
