//! The last requests.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::Method;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::figures::milliseconds;
use crate::app::App;
use crate::clock::canonical_time;
use crate::error::{Error, Problem, Result};
use crate::http::extract::{QueryParams, Superadmin};
use crate::traffic::{Answered, Wanted};

/// The requests that are asked for.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct RequestsParams {
    /// Only this method.
    method: Option<String>,
    /// Only this status, as in `404`, or class, as in `4xx`.
    status: Option<String>,
    /// Only routes that contain this.
    path: Option<String>,
    /// Only requests that took at least this long.
    #[param(minimum = 0)]
    min_milliseconds: Option<u64>,
    /// Only requests before this number.
    #[param(minimum = 0)]
    before: Option<u64>,
    /// Requests at most, 1 to 500; 100 if it is left out.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<usize>,
}

impl RequestsParams {
    fn into_wanted(self) -> Result<Wanted> {
        let (status_from, status_to) = self.status_range()?.unzip();
        let method = self.method.filter(|method| !method.is_empty());
        if let Some(text) = method.as_deref()
            && Method::from_bytes(text.as_bytes()).is_err()
        {
            return Err(refused("method", "Input should be an HTTP method", text));
        }
        Ok(Wanted {
            method,
            status_from,
            status_to,
            route: self.path.filter(|path| !path.is_empty()),
            at_least: Duration::from_millis(self.min_milliseconds.unwrap_or_default()),
            before: self.before,
            limit: self.limit.unwrap_or(100),
        })
    }

    /// The lowest and the highest status that are asked for.
    fn status_range(&self) -> Result<Option<(u16, u16)>> {
        let Some(text) = self.status.as_deref().filter(|text| !text.is_empty()) else {
            return Ok(None);
        };
        let class = text.strip_suffix("xx").and_then(|class| class.parse().ok());
        let range = match class.filter(|class: &u16| *class < 10) {
            Some(class) => Some((class * 100, class * 100 + 99)),
            None => text.parse().ok().map(|status| (status, status)),
        };
        let message = "Input should be a status such as 404, or a class such as 4xx";
        range
            .map(Some)
            .ok_or_else(|| refused("status", message, text))
    }
}

fn refused(parameter: &str, message: &str, text: &str) -> Error {
    Error::malformed(Problem::query(parameter, "value_error", message, text))
}

/// A request that was answered.
#[derive(Serialize, ToSchema)]
pub(super) struct RequestView {
    /// Counts up; the newest has the highest.
    number: u64,
    /// Time at which the response was ready.
    at: String,
    /// The method; `other` for what is not a method of the API.
    method: String,
    /// The route that matched, as in `/api/v1/records/{collection}`; `unmatched` if none did. What
    /// a client writes into paths and queries is not kept.
    path: String,
    /// The status of the answer.
    status: u16,
    /// Duration, in milliseconds.
    milliseconds: f64,
    /// Address of the client, as far as it is known.
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
            status: answered.status,
            milliseconds: milliseconds(answered.elapsed),
            address: request.address().map(|address| address.to_string()),
            correlation_id: request.correlation_id().to_owned(),
        }
    }
}

/// The last requests.
#[derive(Serialize, ToSchema)]
pub(super) struct RequestList {
    /// Newest first.
    items: Vec<RequestView>,
}

/// The last requests of the API that this process answered, newest first; a few thousand are
/// remembered.
#[utoipa::path(
    get,
    path = "/api/v1/admin/requests",
    tag = "operation",
    params(RequestsParams),
    responses((status = 200, body = RequestList)),
)]
pub(super) async fn requests(
    State(app): State<App>,
    _: Superadmin,
    QueryParams(params): QueryParams<RequestsParams>,
) -> Result<Json<RequestList>> {
    let wanted = params.into_wanted()?;
    let items = app
        .traffic
        .recent(&wanted)
        .into_iter()
        .map(RequestView::from)
        .collect();
    Ok(Json(RequestList { items }))
}
