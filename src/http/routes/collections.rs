//! Collections: their definitions, for superadmins.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use serde::Serialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::collections::{
    CollectionInput, CollectionList, CollectionSummary, CollectionView, DeletedCollection, Export,
    ImportRequest, ImportResult, RenameInput, RulesPatch, RulesView,
};
use crate::error::{FieldError, Result};
use crate::http::error::ErrorBody;
use crate::http::extract::{JsonBody, JsonObject, Query, Superadmin};
use crate::schema::Collection;

/// The routes below `/api/v1/collections`.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(names))
        .routes(routes!(export))
        .routes(routes!(import))
        .routes(routes!(get, update, delete))
        .routes(routes!(rename))
        .routes(routes!(validate))
        .routes(routes!(rules, set_rules))
}

/// The collections, newest first unless sorted otherwise.
#[utoipa::path(get, path = "/api/v1/collections", tag = "collections",
    params(("page" = Option<i64>, Query, minimum = 1, maximum = 1_000_000), ("page_size" = Option<i64>, Query, minimum = 1, maximum = 100), ("sort_by" = Option<String>, Query),
        ("sort_order" = Option<String>, Query), ("search" = Option<String>, Query)),
    responses((status = 200, body = CollectionList), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 422, body = ErrorBody)))]
async fn list(State(app): State<App>, _: Superadmin, query: Query) -> Result<Json<CollectionList>> {
    query.refuse_misspelt(&["page", "page_size", "sort_by", "sort_order", "search"])?;
    let page = query.number("page", 1, 1..=1_000_000)?;
    let page_size = query.number("page_size", 25, 1..=100)?;
    let mut collections = app.collections.all().await?;
    if let Some(search) = query.get("search").map(str::to_ascii_lowercase) {
        collections.retain(|c| {
            c.name.to_ascii_lowercase().contains(&search) || c.row.id.contains(&search)
        });
    }
    let key = |c: &Collection| match query.get("sort_by") {
        Some("name") => c.name.to_ascii_lowercase(),
        Some("id") => c.row.id.clone(),
        Some("updated_at") => crate::db::canonical_time(c.row.updated_at),
        _ => crate::db::canonical_time(c.row.created_at),
    };
    collections.sort_by_cached_key(|c| (key(c), c.row.id.clone()));
    if query.get("sort_order") != Some("asc") {
        collections.reverse();
    }
    let total = collections.len();
    let (size, skipped) = (
        usize::try_from(page_size).unwrap_or(25),
        usize::try_from(page - 1).unwrap_or_default(),
    );
    let mut items = Vec::new();
    for collection in collections
        .into_iter()
        .skip(skipped.saturating_mul(size))
        .take(size)
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
        total_pages: total.div_ceil(size),
    }))
}

/// The names of all collections.
#[derive(serde::Serialize, utoipa::ToSchema)]
struct CollectionNames {
    /// The names, sorted.
    names: Vec<String>,
    /// How many.
    total: usize,
}

/// The names of all collections, sorted.
#[utoipa::path(get, path = "/api/v1/collections/names", tag = "collections",
    responses((status = 200, body = CollectionNames), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody)))]
async fn names(State(app): State<App>, _: Superadmin) -> Result<Json<CollectionNames>> {
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

/// The definitions of collections with their rules, as a file to import elsewhere; records are not
/// in it.
#[utoipa::path(get, path = "/api/v1/collections/export", tag = "collections",
    params(("collection_ids" = Option<String>, Query, description = "The ids, separated by commas; without it, all")),
    responses((status = 200, body = Export), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody)))]
async fn export(
    State(app): State<App>,
    Superadmin(caller): Superadmin,
    query: Query,
) -> Result<impl IntoResponse> {
    query.refuse_misspelt(&["collection_ids"])?;
    let ids: Option<Vec<&str>> = query
        .get("collection_ids")
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

/// Makes and changes collections as an exported file says: all of it, or nothing.
#[utoipa::path(post, path = "/api/v1/collections/import", tag = "collections", request_body = ImportRequest,
    responses((status = 200, body = ImportResult), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody), (status = 409, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn import(
    State(app): State<App>,
    Superadmin(caller): Superadmin,
    JsonBody(request): JsonBody<ImportRequest>,
) -> Result<Json<ImportResult>> {
    app.collections.import(&caller, request).await.map(Json)
}

/// Defines a collection.
#[utoipa::path(post, path = "/api/v1/collections", tag = "collections", request_body = CollectionInput,
    responses((status = 201, body = CollectionView), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody), (status = 409, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn create(
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

/// One collection, by id or name.
#[utoipa::path(get, path = "/api/v1/collections/{id}", tag = "collections", params(("id" = String, Path)),
    responses((status = 200, body = CollectionView), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody)))]
async fn get(
    State(app): State<App>,
    _: Superadmin,
    Path(id): Path<String>,
) -> Result<Json<CollectionView>> {
    let collection = app.collections.get(&id).await?;
    let records = app.collections.count(&collection).await?;
    Ok(Json(CollectionView::new(&collection, records)))
}

/// Changes a collection: the complete list of fields, and rules as far as they are named.
#[utoipa::path(put, path = "/api/v1/collections/{id}", tag = "collections", params(("id" = String, Path)),
    request_body = CollectionInput,
    responses((status = 200, body = CollectionView), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody), (status = 404, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn update(
    State(app): State<App>,
    Superadmin(caller): Superadmin,
    Path(id): Path<String>,
    JsonBody(input): JsonBody<CollectionInput>,
) -> Result<Json<CollectionView>> {
    let collection = app.collections.update(&caller, &id, input).await?;
    let records = app.collections.count(&collection).await?;
    Ok(Json(CollectionView::new(&collection, records)))
}

/// One thing wrong with a definition.
#[derive(Serialize, utoipa::ToSchema)]
struct DefinitionProblem {
    /// Where: `name`, or a path such as `schema[0].type`.
    field: String,
    /// A slug for programs.
    code: String,
    /// What is wrong and what would be right.
    message: String,
}

/// What is wrong with a definition.
#[derive(Serialize, utoipa::ToSchema)]
struct DefinitionProblems {
    /// Empty if nothing is.
    problems: Vec<DefinitionProblem>,
}

/// Checks a definition without storing it: of a new collection, or as a change of one. Rules have a
/// check of their own, and what the records themselves would refuse is seen when it is saved.
#[utoipa::path(post, path = "/api/v1/admin/collections/validate", tag = "collections", request_body = CollectionInput,
    params(("collection" = Option<String>, Query, description = "The id or name of the collection that would be changed")),
    responses((status = 200, body = DefinitionProblems), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody), (status = 404, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn validate(
    State(app): State<App>,
    _: Superadmin,
    query: Query,
    JsonBody(input): JsonBody<CollectionInput>,
) -> Result<Json<DefinitionProblems>> {
    query.refuse_misspelt(&["collection"])?;
    let found = app
        .collections
        .problems(query.get("collection"), &input)
        .await?;
    let view = |FieldError {
                    field,
                    message,
                    code,
                }| DefinitionProblem {
        field,
        code,
        message,
    };
    Ok(Json(DefinitionProblems {
        problems: found.into_iter().map(view).collect(),
    }))
}

/// Gives a collection another name. Its records, rules and references stay; macros that read it
/// follow.
#[utoipa::path(post, path = "/api/v1/collections/{id}/rename", tag = "collections", params(("id" = String, Path)),
    request_body = RenameInput,
    responses((status = 200, body = CollectionView), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody), (status = 404, body = ErrorBody), (status = 409, body = ErrorBody),
        (status = 422, body = ErrorBody)))]
async fn rename(
    State(app): State<App>,
    Superadmin(caller): Superadmin,
    Path(id): Path<String>,
    JsonBody(input): JsonBody<RenameInput>,
) -> Result<Json<CollectionView>> {
    let collection = app.collections.rename(&caller, &id, &input.name).await?;
    let records = app.collections.count(&collection).await?;
    Ok(Json(CollectionView::new(&collection, records)))
}

/// Deletes a collection with its records.
#[utoipa::path(delete, path = "/api/v1/collections/{id}", tag = "collections", params(("id" = String, Path)),
    responses((status = 200, body = DeletedCollection), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody), (status = 404, body = ErrorBody), (status = 409, body = ErrorBody)))]
async fn delete(
    State(app): State<App>,
    Superadmin(caller): Superadmin,
    Path(id): Path<String>,
) -> Result<Json<DeletedCollection>> {
    app.collections.delete(&caller, &id).await.map(Json)
}

/// The rules of a collection, by its name.
#[utoipa::path(get, path = "/api/v1/collections/{name}/rules", tag = "rules", params(("name" = String, Path)),
    responses((status = 200, body = RulesView), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody)))]
async fn rules(
    State(app): State<App>,
    _: Superadmin,
    Path(name): Path<String>,
) -> Result<Json<RulesView>> {
    Ok(Json(RulesView::from(&*app.collections.get(&name).await?)))
}

/// Changes the rules of a collection; a key that is absent changes nothing.
#[utoipa::path(put, path = "/api/v1/collections/{name}/rules", tag = "rules", params(("name" = String, Path)),
    request_body = RulesPatch,
    responses((status = 200, body = RulesView), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody), (status = 404, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn set_rules(
    State(app): State<App>,
    Superadmin(caller): Superadmin,
    Path(name): Path<String>,
    JsonObject(body): JsonObject,
) -> Result<Json<RulesView>> {
    let collection = app
        .collections
        .set_rules(&caller, &name, RulesPatch::parse(body)?)
        .await?;
    Ok(Json(RulesView::from(&*collection)))
}
