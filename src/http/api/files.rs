//! Uploaded files.

mod access;
mod answer;
mod delete;
mod download;
mod list;
mod pocketbase;
pub(in crate::http) mod resumable;
mod token;
mod upload;

use axum::extract::DefaultBodyLimit;
use axum::routing::get;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::{UtoipaMethodRouter, UtoipaMethodRouterExt as _};
use utoipa_axum::routes;

use crate::access::api_key_scope::{FILES_READ, FILES_WRITE};
use crate::app::App;
use crate::files::StoredFile;
use crate::http::endpoint::{CallerLevel, Endpoints};

/// The endpoints below `/api/v1/files`.
pub fn endpoints() -> Endpoints {
    Endpoints::new()
        .signed_in(FILES_READ, routes!(list::list))
        .signed_in(FILES_WRITE, unlimited(routes!(upload::upload)))
        .signed_in(FILES_READ, routes!(token::issue))
        .signed_in(FILES_WRITE, unlimited(routes!(resumable::create)))
        .signed_in(FILES_WRITE, routes!(resumable::state))
        .answering_head()
        .signed_in(FILES_WRITE, unlimited(routes!(resumable::append)))
        .signed_in(FILES_WRITE, routes!(resumable::cancel))
        .handshake(FILES_READ, routes!(download::download))
        .answering_head()
        .signed_in(FILES_WRITE, routes!(delete::delete))
        .undocumented(
            CallerLevel::Handshake,
            FILES_READ,
            ("GET", "/api/files/{collection}/{record}/{name}"),
            get(pocketbase::download),
        )
        .answering_head()
}

/// Routes whose bodies are as large as the settings for files say.
fn unlimited(routes: UtoipaMethodRouter<App>) -> UtoipaMethodRouter<App> {
    routes.layer(DefaultBodyLimit::disable())
}

/// The description of a file: what a record's file field holds.
#[derive(Serialize, ToSchema)]
struct FileDescription {
    /// The name that the client gave it.
    filename: String,
    /// Its size in bytes.
    size: i64,
    /// The media type that was found in its bytes.
    mime_type: String,
    /// What it is known by: `GET /api/v1/files/{path}` answers it.
    path: String,
}

impl From<&StoredFile> for FileDescription {
    fn from(file: &StoredFile) -> Self {
        Self {
            filename: file.name.clone(),
            size: file.size,
            mime_type: file.mime_type.clone(),
            path: file.path.clone(),
        }
    }
}
