//! Definitions as a file: exporting and importing.

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::schema::CollectionExportShape;
use crate::app::App;
use crate::collections::{Export, ImportReport, ImportStrategy, ImportedCollection};
use crate::error::Result;
use crate::http::extract::{JsonBody, QueryParams, Superadmin};

/// The collections of an export.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ExportParams {
    /// The ids, separated by commas; without it, all.
    collection_ids: Option<String>,
}

/// The definitions of collections with their rules, as a file to import elsewhere; records are not
/// in it.
#[utoipa::path(
    get,
    path = "/api/v1/collections/export",
    tag = "collections",
    params(ExportParams),
    responses((status = 200, body = CollectionExportShape)),
)]
pub(super) async fn export(
    State(app): State<App>,
    Superadmin(caller): Superadmin,
    QueryParams(params): QueryParams<ExportParams>,
) -> Result<impl IntoResponse> {
    let ids: Option<Vec<&str>> = params
        .collection_ids
        .as_deref()
        .map(|ids| {
            ids.split(',')
                .map(str::trim)
                .filter(|id| !id.is_empty())
                .collect()
        })
        .filter(|ids: &Vec<&str>| !ids.is_empty());
    let export = app.collections.export(&caller, ids.as_deref()).await?;
    let name = app
        .clock
        .now()
        .format("collections_export_%Y%m%d_%H%M%S.json");
    Ok((
        [(
            header::CONTENT_DISPOSITION,
            format!("attachment; filename={name}"),
        )],
        Json(export),
    ))
}

/// Treatment of a collection whose name exists.
#[derive(Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Strategy {
    /// The import is refused.
    #[default]
    Error,
    /// It stays as it is.
    Skip,
    /// It is changed to the fields and rules of the import.
    Update,
}

impl From<Strategy> for ImportStrategy {
    fn from(strategy: Strategy) -> Self {
        match strategy {
            Strategy::Error => Self::Error,
            Strategy::Skip => Self::Skip,
            Strategy::Update => Self::Update,
        }
    }
}

/// An import.
#[derive(Deserialize, ToSchema)]
pub(super) struct ImportRequest {
    /// The exported definitions.
    #[schema(value_type = CollectionExportShape)]
    data: Export,
    /// Treatment of a collection whose name exists: `error`, `skip` or `update`.
    #[serde(default)]
    strategy: Strategy,
}

/// Result of an import.
#[derive(Serialize, ToSchema)]
pub(super) struct ImportResult {
    /// True: an import that fails changes nothing and is answered as an error.
    success: bool,
    /// Collections that were made.
    imported_count: usize,
    /// Collections that stayed as they were.
    skipped_count: usize,
    /// Collections that were changed.
    updated_count: usize,
    /// Always 0.
    failed_count: usize,
    /// Result for each collection, in the order of the import.
    collections: Vec<ImportedCollectionView>,
    /// An id for each change of the schema.
    migrations_created: Vec<String>,
}

impl From<ImportReport> for ImportResult {
    fn from(report: ImportReport) -> Self {
        Self {
            success: report.success,
            imported_count: report.imported_count,
            skipped_count: report.skipped_count,
            updated_count: report.updated_count,
            failed_count: report.failed_count,
            collections: report.collections.into_iter().map(Into::into).collect(),
            migrations_created: report.migrations_created,
        }
    }
}

/// Result for one collection.
#[derive(Serialize, ToSchema)]
#[schema(as = ImportedCollection)]
pub(super) struct ImportedCollectionView {
    /// Its name.
    name: String,
    /// `imported`, `skipped` or `updated`.
    status: &'static str,
    /// A sentence.
    message: String,
}

impl From<ImportedCollection> for ImportedCollectionView {
    fn from(imported: ImportedCollection) -> Self {
        Self {
            name: imported.name,
            status: imported.status,
            message: imported.message,
        }
    }
}

/// Makes and changes collections as an exported file says: all of it, or nothing.
#[utoipa::path(
    post,
    path = "/api/v1/collections/import",
    tag = "collections",
    request_body = ImportRequest,
    responses((status = 200, body = ImportResult), (status = 409)),
)]
pub(super) async fn import(
    State(app): State<App>,
    Superadmin(caller): Superadmin,
    JsonBody(request): JsonBody<ImportRequest>,
) -> Result<Json<ImportResult>> {
    let found = app
        .collections
        .import(&caller, request.data, request.strategy.into())
        .await?;
    Ok(Json(found.into()))
}
