//! The types of the records of every collection.

use axum::extract::State;

use crate::app::App;
use crate::collections::typescript;
use crate::error::Result;
use crate::http::extract::Superadmin;

/// The TypeScript types of the records of every collection, as `snackbase types typescript` prints
/// them.
#[utoipa::path(
    get,
    path = "/api/v1/admin/types/typescript",
    tag = "operation",
    responses((status = 200, body = String, content_type = "text/plain")),
)]
pub(super) async fn typescript_types(State(app): State<App>, _: Superadmin) -> Result<String> {
    Ok(typescript(&app.collections.all().await?))
}
