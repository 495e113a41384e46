//! Defining, changing, renaming and deleting collections.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::schema::CollectionInputShape;
use super::view::CollectionView;
use crate::app::App;
use crate::collections::{CollectionInput, DroppedCollection};
use crate::error::Result;
use crate::http::extract::{JsonBody, Superadmin};

/// Defines a collection.
#[utoipa::path(
    post,
    path = "/api/v1/collections",
    tag = "collections",
    request_body = CollectionInputShape,
    responses((status = 201, body = CollectionView), (status = 409)),
)]
pub(super) async fn create(
    State(app): State<App>,
    Superadmin(caller): Superadmin,
    JsonBody(input): JsonBody<CollectionInput>,
) -> Result<(StatusCode, Json<CollectionView>)> {
    let collection = app.collections.create(&caller, input).await?;
    Ok((
        StatusCode::CREATED,
        Json(CollectionView::new(&collection, 0)),
    ))
}

/// Changes a collection: the complete list of fields, and rules as far as they are named.
#[utoipa::path(
    put,
    path = "/api/v1/collections/{id}",
    tag = "collections",
    params(("id" = String, Path)),
    request_body = CollectionInputShape,
    responses((status = 200, body = CollectionView)),
)]
pub(super) async fn update(
    State(app): State<App>,
    Superadmin(caller): Superadmin,
    Path(id): Path<String>,
    JsonBody(input): JsonBody<CollectionInput>,
) -> Result<Json<CollectionView>> {
    let collection = app.collections.update(&caller, &id, input).await?;
    let records = app.collections.count(&collection).await?;
    Ok(Json(CollectionView::new(&collection, records)))
}

/// Another name.
#[derive(Deserialize, ToSchema)]
pub(super) struct RenameInput {
    /// 3 to 64 letters, digits and underscores, beginning with a letter.
    name: String,
}

/// Gives a collection another name. Its records, rules and references stay; macros that read it
/// follow.
#[utoipa::path(
    post,
    path = "/api/v1/collections/{id}/rename",
    tag = "collections",
    params(("id" = String, Path)),
    request_body = RenameInput,
    responses((status = 200, body = CollectionView), (status = 409)),
)]
pub(super) async fn rename(
    State(app): State<App>,
    Superadmin(caller): Superadmin,
    Path(id): Path<String>,
    JsonBody(input): JsonBody<RenameInput>,
) -> Result<Json<CollectionView>> {
    let collection = app.collections.rename(&caller, &id, &input.name).await?;
    let records = app.collections.count(&collection).await?;
    Ok(Json(CollectionView::new(&collection, records)))
}

/// The response to the deletion of a collection.
#[derive(Serialize, ToSchema)]
pub(super) struct DeletedCollection {
    /// A sentence.
    message: String,
    /// The collection's id.
    collection_id: String,
    /// The collection's name.
    collection_name: String,
    /// The table that held its records.
    table_name: String,
    /// Number of records that went with it.
    records_deleted: i64,
    /// An id for the change of the schema.
    migration_revision: String,
}

impl From<DroppedCollection> for DeletedCollection {
    fn from(dropped: DroppedCollection) -> Self {
        let name = &dropped.collection.name;
        Self {
            message: format!("Collection '{name}' deleted"),
            collection_id: dropped.collection.row.id.clone(),
            collection_name: name.clone(),
            table_name: format!("col_{}", name.to_ascii_lowercase()),
            records_deleted: dropped.records,
            migration_revision: dropped.revision,
        }
    }
}

/// Deletes a collection with its records.
#[utoipa::path(
    delete,
    path = "/api/v1/collections/{id}",
    tag = "collections",
    params(("id" = String, Path)),
    responses((status = 200, body = DeletedCollection), (status = 409)),
)]
pub(super) async fn delete(
    State(app): State<App>,
    Superadmin(caller): Superadmin,
    Path(id): Path<String>,
) -> Result<Json<DeletedCollection>> {
    let found = app.collections.delete(&caller, &id).await?;
    Ok(Json(found.into()))
}
