//! Handing a file out.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, Method};
use axum::response::Response;
use utoipa::IntoParams;

use super::{access, answer};
use crate::app::App;
use crate::error::Result;
use crate::http::extract::Query;

/// What of a file is wanted.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "the query is read in steps")]
pub(super) struct DownloadParams {
    /// A credential where no header can be sent: an access token, or a token for files.
    token: Option<String>,
    /// A smaller picture instead of the file: a size that the configuration or a file field names,
    /// such as `100x100` (cropped), `100x100f` (fitted), `100x100t` and `100x100b` (cropped from the
    /// top or bottom), `0x100` and `100x0` (the other side follows).
    thumb: Option<String>,
    /// Whether a browser is to show the file instead of saving it.
    #[param(default = false)]
    inline: Option<bool>,
}

/// A file, or the part of it that `Range` names. Whoever uploaded it may have it, and whoever may
/// view a record that names it.
#[utoipa::path(
    get,
    path = "/api/v1/files/{*path}",
    tag = "files",
    params(("path" = String, Path, description = "The file's path, as in its description"), DownloadParams),
    responses(
        (status = 200, description = "The file", body = String, content_type = "application/octet-stream"),
        (status = 206, description = "The part that was asked for", body = String, content_type = "application/octet-stream"),
        (status = 304, description = "What the client has is still right"),
        (status = 401), (status = 403), (status = 404),
        (status = 412, description = "It is not what the client wants to go on with"),
        (status = 416, description = "There is no such part"),
    ),
)]
pub(super) async fn download(
    State(app): State<App>,
    method: Method,
    headers: HeaderMap,
    query: Query,
    Path(path): Path<String>,
) -> Result<Response> {
    let is_inline = query.flag("inline", false)?;
    let opened = access::open(&app, &headers, &query, &path).await?;
    if let Some(size) = query.get("thumb").filter(|size| !size.is_empty()) {
        let thumbnail = app.files.thumbnail(&opened.file, size).await?;
        return Ok(answer::of_thumbnail(&opened, thumbnail, size, &headers));
    }
    let asked = answer::Asked {
        method: &method,
        headers: &headers,
        is_inline,
    };
    answer::of(&app, &opened, &asked).await
}
