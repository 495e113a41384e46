//! Exporting rows of the trail as a file.

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::filter::FilterParams;
use crate::app::App;
use crate::audit::Format;
use crate::error::Result;
use crate::http::extract::{QueryParams, Superadmin};

/// The kind of the file.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct FormatParams {
    /// The kind of the file; `csv` if it is left out.
    #[param(inline)]
    format: Option<ExportFormat>,
}

/// A kind of file.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum ExportFormat {
    Csv,
    Json,
    Pdf,
}

impl From<ExportFormat> for Format {
    fn from(format: ExportFormat) -> Self {
        match format {
            ExportFormat::Csv => Self::Csv,
            ExportFormat::Json => Self::Json,
            ExportFormat::Pdf => Self::Pdf,
        }
    }
}

/// Rows of the trail as a file, at most 10,000. A PDF comes as text in base64, unless
/// `application/pdf` is asked for.
#[utoipa::path(
    get,
    path = "/api/v1/audit-logs/export",
    tag = "audit",
    params(FormatParams, FilterParams),
    responses((
        status = 200,
        content(
            (String = "text/csv"),
            (String = "application/json"),
            (String = "text/plain"),
        ),
    )),
)]
pub(super) async fn export(
    State(app): State<App>,
    Superadmin(caller): Superadmin,
    headers: HeaderMap,
    QueryParams(format): QueryParams<FormatParams>,
    QueryParams(filter): QueryParams<FilterParams>,
) -> Result<Response> {
    let format = Format::from(format.format.unwrap_or(ExportFormat::Csv));
    let is_binary = format == Format::Pdf && headers.get(header::ACCEPT).is_some_and(accepts_pdf);
    let export = app
        .audit
        .export(&caller, filter.into_filter()?, format, is_binary)
        .await?;
    let disposition = format!("attachment; filename={}", export.name);
    let headers = [
        (header::CONTENT_TYPE, export.media_type.to_owned()),
        (header::CONTENT_DISPOSITION, disposition),
    ];
    Ok((headers, export.content).into_response())
}

fn accepts_pdf(accept: &HeaderValue) -> bool {
    accept
        .to_str()
        .is_ok_and(|accept| accept.contains("application/pdf"))
}
