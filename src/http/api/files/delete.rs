//! Deleting a file.

use axum::extract::{Path, State};
use axum::http::StatusCode;

use crate::app::App;
use crate::auth::Caller;
use crate::error::Result;

/// Deletes a file that no record names. Its uploader may, and who administers its account or the
/// server.
#[utoipa::path(
    delete,
    path = "/api/v1/files/{*path}",
    tag = "files",
    params(("path" = String, Path, description = "The file's path, as in its description")),
    responses((status = 204), (status = 409)),
)]
pub(super) async fn delete(
    State(app): State<App>,
    caller: Caller,
    Path(path): Path<String>,
) -> Result<StatusCode> {
    app.files.delete(&caller, &path).await?;
    Ok(StatusCode::NO_CONTENT)
}
