//! Stored macros: queries that rules use by name.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

use crate::access::api_key_scope::ADMIN;
use crate::app::App;
use crate::auth::Caller;
use crate::collections::{Macro, MacroChange, MacroOutcome, MacroTrial};
use crate::error::Result;
use crate::http::endpoint::Endpoints;
use crate::http::extract::{JsonBody, PathInteger, QueryParams, SignedIn, Superadmin};

/// The endpoints below `/api/v1/macros`.
pub fn endpoints() -> Endpoints {
    Endpoints::new()
        .signed_in(ADMIN, routes!(list))
        .superadmin(ADMIN, routes!(create))
        .signed_in(ADMIN, routes!(get))
        .superadmin(ADMIN, routes!(update))
        .superadmin(ADMIN, routes!(delete))
        .superadmin(ADMIN, routes!(test))
}

/// A macro.
#[derive(Serialize, ToSchema)]
#[schema(as = Macro)]
pub struct MacroView {
    /// Its id.
    id: i64,
    /// Its name: rules write `@name(…)`.
    name: String,
    /// Purpose; null for all but superadmins.
    description: Option<String>,
    /// The query: `SELECT value [FROM collection [WHERE condition]]`. Empty for all but
    /// superadmins: it names collections.
    sql_query: String,
    /// The names of its parameters: `:name` or `$1` in the query.
    parameters: Vec<String>,
    /// Time of creation.
    created_at: String,
    /// Time of the last change.
    updated_at: String,
    /// The id of who made it.
    created_by: String,
}

impl From<Macro> for MacroView {
    fn from(found: Macro) -> Self {
        Self {
            id: found.id,
            name: found.name,
            description: found.description,
            sql_query: found.sql_query,
            parameters: found.parameters,
            created_at: found.created_at,
            updated_at: found.updated_at,
            created_by: found.created_by,
        }
    }
}

/// Part of the macros.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListParams {
    /// Macros to pass over.
    #[param(minimum = 0)]
    skip: Option<usize>,
    /// Macros at most; 100 if it is left out.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
}

/// The stored macros, by name.
#[utoipa::path(
    get,
    path = "/api/v1/macros",
    tag = "macros",
    params(ListParams),
    responses((status = 200, body = Vec<MacroView>)),
)]
async fn list(
    State(app): State<App>,
    SignedIn(principal): SignedIn,
    QueryParams(params): QueryParams<ListParams>,
) -> Result<Json<Vec<MacroView>>> {
    let macros = app.collections.macros(&Caller::User(principal)).await?;
    let part = macros
        .into_iter()
        .skip(params.skip.unwrap_or_default())
        .take(params.limit.unwrap_or(100));
    Ok(Json(part.map(Into::into).collect()))
}

/// A macro to make, or what of one is changed.
#[derive(Deserialize, ToSchema)]
pub struct MacroInput {
    /// 1 to 64 letters, digits and underscores, not beginning with a digit.
    #[serde(default)]
    name: Option<String>,
    /// Purpose.
    #[serde(default)]
    description: Option<String>,
    /// `SELECT value [FROM collection [WHERE condition]]`.
    #[serde(default)]
    sql_query: Option<String>,
    /// The names of its parameters.
    #[serde(default)]
    parameters: Option<Vec<String>>,
}

impl From<MacroInput> for MacroChange {
    fn from(request: MacroInput) -> Self {
        Self {
            name: request.name,
            description: request.description,
            sql_query: request.sql_query,
            parameters: request.parameters,
        }
    }
}

/// Makes a macro.
#[utoipa::path(
    post,
    path = "/api/v1/macros",
    tag = "macros",
    request_body = MacroInput,
    responses((status = 201, body = MacroView), (status = 409)),
)]
async fn create(
    State(app): State<App>,
    Superadmin(caller): Superadmin,
    JsonBody(input): JsonBody<MacroInput>,
) -> Result<(StatusCode, Json<MacroView>)> {
    let found = app.collections.create_macro(&caller, input.into()).await?;
    Ok((StatusCode::CREATED, Json(found.into())))
}

/// One macro.
#[utoipa::path(
    get,
    path = "/api/v1/macros/{id}",
    tag = "macros",
    params(("id" = i64, Path)),
    responses((status = 200, body = MacroView)),
)]
async fn get(
    State(app): State<App>,
    SignedIn(principal): SignedIn,
    PathInteger(id): PathInteger,
) -> Result<Json<MacroView>> {
    let found = app
        .collections
        .get_macro(&Caller::User(principal), id)
        .await?;
    Ok(Json(found.into()))
}

/// Changes a macro; absent and null keys stay.
#[utoipa::path(
    put,
    path = "/api/v1/macros/{id}",
    tag = "macros",
    params(("id" = i64, Path)),
    request_body = MacroInput,
    responses((status = 200, body = MacroView), (status = 409)),
)]
async fn update(
    State(app): State<App>,
    Superadmin(caller): Superadmin,
    PathInteger(id): PathInteger,
    JsonBody(input): JsonBody<MacroInput>,
) -> Result<Json<MacroView>> {
    let found = app
        .collections
        .update_macro(&caller, id, input.into())
        .await?;
    Ok(Json(found.into()))
}

/// Deletes a macro that no rule uses.
#[utoipa::path(
    delete,
    path = "/api/v1/macros/{id}",
    tag = "macros",
    params(("id" = i64, Path)),
    responses((status = 204), (status = 409)),
)]
async fn delete(
    State(app): State<App>,
    Superadmin(caller): Superadmin,
    PathInteger(id): PathInteger,
) -> Result<StatusCode> {
    app.collections.delete_macro(&caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Parameters to try a macro with.
#[derive(Deserialize, ToSchema)]
pub struct MacroTest {
    /// The values of its parameters: texts, numbers, booleans or null.
    #[serde(default)]
    #[schema(value_type = Vec<Object>)]
    parameters: Vec<Value>,
    /// The account whose records it reads; without it, the caller's.
    #[serde(default)]
    account_id: Option<String>,
}

impl From<MacroTest> for MacroTrial {
    fn from(request: MacroTest) -> Self {
        Self {
            parameters: request.parameters,
            account_id: request.account_id,
        }
    }
}

/// Result of a macro.
#[derive(Serialize, ToSchema)]
pub struct MacroResult {
    /// The value as text, or null.
    result: Option<String>,
    /// Milliseconds.
    execution_time: f64,
    /// Always 0: a macro only reads.
    rows_affected: u64,
}

impl From<MacroOutcome> for MacroResult {
    fn from(outcome: MacroOutcome) -> Self {
        Self {
            result: outcome.result,
            execution_time: outcome.execution_time,
            rows_affected: outcome.rows_affected,
        }
    }
}

/// Tries a macro with parameters, over the records of an account.
#[utoipa::path(
    post,
    path = "/api/v1/macros/{id}/test",
    tag = "macros",
    params(("id" = i64, Path)),
    request_body = MacroTest,
    responses((status = 200, body = MacroResult)),
)]
async fn test(
    State(app): State<App>,
    Superadmin(caller): Superadmin,
    PathInteger(id): PathInteger,
    JsonBody(request): JsonBody<MacroTest>,
) -> Result<Json<MacroResult>> {
    let found = app
        .collections
        .test_macro(&caller, id, &request.into())
        .await?;
    Ok(Json(found.into()))
}
