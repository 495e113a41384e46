//! Stored macros: queries that rules use by name.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::auth::Caller;
use crate::collections::{MacroInput, MacroResult, MacroTest, MacroView};
use crate::error::{Error, Problem, Result};
use crate::http::error::ErrorBody;
use crate::http::extract::{JsonBody, Query, SignedIn, Superadmin};

/// The routes below `/api/v1/macros`.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(get, update, delete))
        .routes(routes!(test))
}

/// The stored macros, by name.
#[utoipa::path(get, path = "/api/v1/macros", tag = "macros",
    params(("skip" = Option<i64>, Query, minimum = 0), ("limit" = Option<i64>, Query, minimum = 1, maximum = 1000)),
    responses((status = 200, body = Vec<MacroView>), (status = 401, body = ErrorBody),
        (status = 422, body = ErrorBody)))]
async fn list(
    State(app): State<App>,
    SignedIn(principal): SignedIn,
    query: Query,
) -> Result<Json<Vec<MacroView>>> {
    query.refuse_misspelt(&["skip", "limit"])?;
    let skip = query.number("skip", 0, 0..=i64::MAX)?;
    let limit = query.number("limit", 100, 1..=1000)?;
    let at = |number: i64| usize::try_from(number).unwrap_or(usize::MAX);
    Ok(Json(
        app.collections
            .macros(&Caller::User(principal))
            .await?
            .into_iter()
            .skip(at(skip))
            .take(at(limit))
            .collect(),
    ))
}

/// Makes a macro.
#[utoipa::path(post, path = "/api/v1/macros", tag = "macros", request_body = MacroInput,
    responses((status = 201, body = MacroView), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 409, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn create(
    State(app): State<App>,
    Superadmin(caller): Superadmin,
    JsonBody(input): JsonBody<MacroInput>,
) -> Result<(StatusCode, Json<MacroView>)> {
    Ok((
        StatusCode::CREATED,
        Json(app.collections.create_macro(&caller, input).await?),
    ))
}

/// One macro.
#[utoipa::path(get, path = "/api/v1/macros/{id}", tag = "macros", params(("id" = i64, Path)),
    responses((status = 200, body = MacroView), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody),
        (status = 422, body = ErrorBody)))]
async fn get(
    State(app): State<App>,
    SignedIn(principal): SignedIn,
    Path(id): Path<String>,
) -> Result<Json<MacroView>> {
    app.collections
        .get_macro(&Caller::User(principal), number(&id)?)
        .await
        .map(Json)
}

/// Changes a macro; what is null or absent stays.
#[utoipa::path(put, path = "/api/v1/macros/{id}", tag = "macros", params(("id" = i64, Path)),
    request_body = MacroInput,
    responses((status = 200, body = MacroView), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 409, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn update(
    State(app): State<App>,
    Superadmin(caller): Superadmin,
    Path(id): Path<String>,
    JsonBody(input): JsonBody<MacroInput>,
) -> Result<Json<MacroView>> {
    app.collections
        .update_macro(&caller, number(&id)?, input)
        .await
        .map(Json)
}

/// Deletes a macro that no rule uses.
#[utoipa::path(delete, path = "/api/v1/macros/{id}", tag = "macros", params(("id" = i64, Path)),
    responses((status = 204), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 409, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn delete(
    State(app): State<App>,
    Superadmin(caller): Superadmin,
    Path(id): Path<String>,
) -> Result<StatusCode> {
    app.collections.delete_macro(&caller, number(&id)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Tries a macro with parameters, over the records of an account.
#[utoipa::path(post, path = "/api/v1/macros/{id}/test", tag = "macros", params(("id" = i64, Path)),
    request_body = MacroTest,
    responses((status = 200, body = MacroResult), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn test(
    State(app): State<App>,
    Superadmin(caller): Superadmin,
    Path(id): Path<String>,
    JsonBody(request): JsonBody<MacroTest>,
) -> Result<Json<MacroResult>> {
    app.collections
        .test_macro(&caller, number(&id)?, &request)
        .await
        .map(Json)
}

fn number(id: &str) -> Result<i64> {
    let msg = "Input should be a valid integer, unable to parse string as an integer";
    let problem = || {
        Problem::at(
            vec!["path".into(), "id".into()],
            "int_parsing",
            msg,
            id.into(),
        )
    };
    id.parse().map_err(|_| Error::malformed(problem()))
}
