//! Files at the addresses that PocketBase's clients build: collection, record, name.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, Method};
use axum::response::Response;

use super::{access, answer};
use crate::app::App;
use crate::error::{Error, Result};
use crate::http::extract::Query;
use crate::id::CollectionId;

/// A file that a record names, by its name or the last part of its path. A `thumb` of a size that
/// nothing names is the file itself, as there.
pub(super) async fn download(
    State(app): State<App>,
    method: Method,
    headers: HeaderMap,
    query: Query,
    Path((collection, record, name)): Path<(String, String, String)>,
) -> Result<Response> {
    let missing = || Error::not_found("File not found");
    let catalog = app.catalog.current();
    let collection = catalog
        .by_name_ignoring_case(&collection)
        .or_else(|| CollectionId::parse(&collection).and_then(|id| catalog.by_id(id)))
        .ok_or_else(missing)?;
    let path = app.files.named(collection.id, &record, &name).await?;
    let path = path.ok_or_else(missing)?;
    let opened = access::open(&app, &headers, &query, &path).await?;
    if let Some(size) = query.get("thumb")
        && app.files.has_thumbnails(&opened.file)
        && app.files.thumb_sizes().iter().any(|named| named == size)
    {
        let thumbnail = app.files.thumbnail(&opened.file, size).await?;
        return Ok(answer::of_thumbnail(&opened, thumbnail, size, &headers));
    }
    let asked = answer::Asked {
        method: &method,
        headers: &headers,
        is_inline: !query.flag("download", false)?,
    };
    answer::of(&app, &opened, &asked).await
}
