//! The files of an account.

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::FileDescription;
use crate::app::App;
use crate::auth::Caller;
use crate::clock::{serialize, serialize_option};
use crate::error::Result;
use crate::files::{FileQuery, ListedFile};
use crate::http::extract::QueryParams;

/// Which files.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ListParams {
    /// How many to leave out.
    #[param(minimum = 0, maximum = 1_000_000_000, default = 0)]
    #[serde(default)]
    skip: i64,
    /// How many to return.
    #[param(minimum = 1, maximum = 100, default = 30)]
    #[serde(default = "default_limit")]
    limit: i64,
    /// For superadmins: the account. Without it they get those of all.
    account_id: Option<String>,
    /// Whether no record names them.
    #[param(default = false)]
    #[serde(default)]
    unclaimed: bool,
    /// A part of their names, in any case.
    search: Option<String>,
}

fn default_limit() -> i64 {
    30
}

/// A file of the library.
#[derive(Serialize, ToSchema)]
pub(super) struct FileView {
    /// Its id.
    id: String,
    #[serde(flatten)]
    description: FileDescription,
    /// The account that it belongs to.
    account_id: String,
    /// Who uploaded it.
    uploaded_by: String,
    /// Its SHA-256 in hexadecimal.
    sha256: Option<String>,
    /// Of a picture that can be read: its width in pixels.
    width: Option<i64>,
    /// Of a picture that can be read: its height in pixels.
    height: Option<i64>,
    /// How many records name it.
    uses: i64,
    /// When it was uploaded.
    #[serde(serialize_with = "serialize")]
    #[schema(value_type = String)]
    created_at: DateTime<Utc>,
    /// Since when no record names it; it will be removed some time after that.
    #[serde(serialize_with = "serialize_option")]
    #[schema(value_type = Option<String>)]
    unclaimed_since: Option<DateTime<Utc>>,
}

/// Files.
#[derive(Serialize, ToSchema)]
pub(super) struct FilePage {
    /// The files, the newest first.
    items: Vec<FileView>,
    /// How many there are.
    total: i64,
    /// Bytes of all files of the account, if one is meant.
    used_bytes: Option<u64>,
    /// Bytes of files that an account may have; null for any number.
    max_account_bytes: Option<u64>,
}

impl From<ListedFile> for FileView {
    fn from(listed: ListedFile) -> Self {
        let ListedFile { file, uses } = listed;
        Self {
            description: (&file).into(),
            id: file.id,
            account_id: file.account_id,
            uploaded_by: file.uploaded_by,
            sha256: file.sha256,
            width: file.width,
            height: file.height,
            uses,
            created_at: file.created_at,
            unclaimed_since: file.unclaimed_since,
        }
    }
}

/// The library: all files of the account for its admins, the own uploads for others.
#[utoipa::path(
    get,
    path = "/api/v1/files",
    tag = "files",
    params(ListParams),
    responses((status = 200, body = FilePage)),
)]
pub(super) async fn list(
    State(app): State<App>,
    caller: Caller,
    QueryParams(params): QueryParams<ListParams>,
) -> Result<Json<FilePage>> {
    let query = FileQuery {
        skip: params.skip,
        limit: params.limit,
        account: params.account_id,
        unclaimed: params.unclaimed,
        search: params.search,
    };
    let page = app.files.list(&caller, &query).await?;
    let max = app.files.config().account_bytes;
    Ok(Json(FilePage {
        items: page.items.into_iter().map(FileView::from).collect(),
        total: page.total,
        used_bytes: page.used_bytes,
        max_account_bytes: Some(max).filter(|max| *max > 0),
    }))
}
