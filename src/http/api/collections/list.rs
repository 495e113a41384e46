//! Reading definitions.

use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::view::{CollectionList, CollectionSummary, CollectionView};
use crate::app::App;
use crate::error::Result;
use crate::http::extract::{QueryParams, Superadmin};
use crate::schema::Collection;

/// Page, order and search of a list of collections.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ListParams {
    /// Page, from 1.
    #[param(minimum = 1, maximum = 1_000_000)]
    page: Option<usize>,
    /// Collections on a page; 25 if it is left out.
    #[param(minimum = 1, maximum = 100)]
    page_size: Option<usize>,
    /// `name`, `id`, `updated_at` or `created_at`; the last if it is left out.
    sort_by: Option<String>,
    /// Direction: `asc`, or `desc` if it is anything else.
    sort_order: Option<String>,
    /// Only collections in whose name or id this occurs.
    search: Option<String>,
}

/// The collections, newest first unless sorted otherwise.
#[utoipa::path(
    get,
    path = "/api/v1/collections",
    tag = "collections",
    params(ListParams),
    responses((status = 200, body = CollectionList)),
)]
pub(super) async fn list(
    State(app): State<App>,
    _: Superadmin,
    QueryParams(params): QueryParams<ListParams>,
) -> Result<Json<CollectionList>> {
    let page = params.page.unwrap_or(1);
    let page_size = params.page_size.unwrap_or(25);
    let mut collections = app.collections.all().await?;
    if let Some(search) = params.search.as_deref().map(str::to_ascii_lowercase) {
        collections.retain(|c| {
            c.name.to_ascii_lowercase().contains(&search) || c.row.id.contains(&search)
        });
    }
    let key = |c: &Collection| match params.sort_by.as_deref() {
        Some("name") => c.name.to_ascii_lowercase(),
        Some("id") => c.row.id.clone(),
        Some("updated_at") => crate::db::canonical_time(c.row.updated_at),
        _ => crate::db::canonical_time(c.row.created_at),
    };
    collections.sort_by_cached_key(|c| (key(c), c.row.id.clone()));
    if params.sort_order.as_deref() != Some("asc") {
        collections.reverse();
    }
    let total = collections.len();
    let mut items = Vec::new();
    for collection in collections
        .into_iter()
        .skip((page - 1).saturating_mul(page_size))
        .take(page_size)
    {
        let view = CollectionView::new(&collection, app.collections.count(&collection).await?);
        items.push(CollectionSummary {
            fields: view.schema.clone(),
            collection: view,
        });
    }
    Ok(Json(CollectionList {
        items,
        total,
        page,
        page_size,
        total_pages: total.div_ceil(page_size),
    }))
}

/// The names of all collections.
#[derive(serde::Serialize, ToSchema)]
pub(super) struct CollectionNames {
    /// The names, sorted.
    names: Vec<String>,
    /// Number of them.
    total: usize,
}

/// The names of all collections, sorted.
#[utoipa::path(
    get,
    path = "/api/v1/collections/names",
    tag = "collections",
    responses((status = 200, body = CollectionNames)),
)]
pub(super) async fn names(State(app): State<App>, _: Superadmin) -> Result<Json<CollectionNames>> {
    let mut names: Vec<String> = app
        .collections
        .all()
        .await?
        .iter()
        .map(|c| c.name.clone())
        .collect();
    names.sort();
    Ok(Json(CollectionNames {
        total: names.len(),
        names,
    }))
}

/// One collection, by id or name.
#[utoipa::path(
    get,
    path = "/api/v1/collections/{id}",
    tag = "collections",
    params(("id" = String, Path)),
    responses((status = 200, body = CollectionView)),
)]
pub(super) async fn get(
    State(app): State<App>,
    _: Superadmin,
    Path(id): Path<String>,
) -> Result<Json<CollectionView>> {
    let collection = app.collections.get(&id).await?;
    let records = app.collections.count(&collection).await?;
    Ok(Json(CollectionView::new(&collection, records)))
}
