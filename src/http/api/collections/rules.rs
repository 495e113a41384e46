//! The rules of a collection.

use axum::Json;
use axum::extract::{Path, State};

use super::schema::RulesPatchShape;
use super::view::RulesView;
use crate::app::App;
use crate::collections::RulesPatch;
use crate::error::Result;
use crate::http::extract::{JsonObject, Superadmin};

/// The rules of a collection, by its name.
#[utoipa::path(
    get,
    path = "/api/v1/collections/{name}/rules",
    tag = "rules",
    params(("name" = String, Path)),
    responses((status = 200, body = RulesView)),
)]
pub(super) async fn rules(
    State(app): State<App>,
    _: Superadmin,
    Path(name): Path<String>,
) -> Result<Json<RulesView>> {
    Ok(Json(RulesView::from(&*app.collections.get(&name).await?)))
}

/// Changes the rules of a collection; a key that is absent changes nothing.
#[utoipa::path(
    put,
    path = "/api/v1/collections/{name}/rules",
    tag = "rules",
    params(("name" = String, Path)),
    request_body = RulesPatchShape,
    responses((status = 200, body = RulesView)),
)]
pub(super) async fn set_rules(
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
