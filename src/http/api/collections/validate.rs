//! Checking a definition without storing it.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::schema::CollectionInputShape;
use crate::app::App;
use crate::collections::CollectionInput;
use crate::error::{FieldError, Result};
use crate::http::extract::{JsonBody, QueryParams, Superadmin};

/// The collection that a definition is checked against.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ValidateParams {
    /// The id or name of the collection that would be changed.
    collection: Option<String>,
}

/// One thing wrong with a definition.
#[derive(Serialize, ToSchema)]
pub(super) struct DefinitionProblem {
    /// The place: `name`, or a path such as `schema[0].type`.
    field: String,
    /// A slug for programs.
    code: String,
    /// The problem and what would be right.
    message: String,
}

/// Problems of a definition.
#[derive(Serialize, ToSchema)]
pub(super) struct DefinitionProblems {
    /// Empty if nothing is.
    problems: Vec<DefinitionProblem>,
}

/// Checks a definition without storing it: of a new collection, or as a change of one. Rules have a
/// check of their own, and what the records themselves would refuse is seen when it is saved.
#[utoipa::path(
    post,
    path = "/api/v1/admin/collections/validate",
    tag = "collections",
    request_body = CollectionInputShape,
    params(ValidateParams),
    responses((status = 200, body = DefinitionProblems), (status = 404)),
)]
pub(super) async fn validate(
    State(app): State<App>,
    _: Superadmin,
    QueryParams(params): QueryParams<ValidateParams>,
    JsonBody(input): JsonBody<CollectionInput>,
) -> Result<Json<DefinitionProblems>> {
    let found = app
        .collections
        .problems(params.collection.as_deref(), &input)
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
