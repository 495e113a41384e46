//! Trying rules out before they are stored.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::collections::{TestContext, test_rule, validate_rule};
use crate::error::{Error, Problem, Result};
use crate::http::error::ErrorBody;
use crate::http::extract::{JsonBody, Superadmin};
use crate::schema::Operation;

/// The routes below `/api/v1/rules`.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(validate))
        .routes(routes!(test))
}

/// A rule to check.
#[derive(Deserialize, utoipa::ToSchema)]
struct ValidateRuleRequest {
    /// The expression.
    rule: String,
    /// `list`, `view`, `create`, `update` or `delete`.
    operation: String,
    /// The fields it may refer to: names, or definitions with a type.
    #[serde(default, rename = "collectionFields")]
    #[schema(value_type = Vec<serde_json::Value>)]
    collection_fields: Vec<Value>,
}

/// What is wrong with a rule.
#[derive(Serialize, utoipa::ToSchema)]
struct ValidateRuleResponse {
    /// Whether it could be stored.
    valid: bool,
    /// What is wrong.
    errors: Vec<String>,
    /// What is wrong, and where.
    problems: Vec<RuleProblem>,
}

/// One thing wrong with a rule.
#[derive(Serialize, utoipa::ToSchema)]
struct RuleProblem {
    /// Characters from the beginning.
    position: usize,
    /// What is wrong, and what would be right.
    message: String,
}

/// Checks a rule against a list of fields.
#[utoipa::path(post, path = "/api/v1/rules/validate", tag = "rules", request_body = ValidateRuleRequest,
    responses((status = 200, body = ValidateRuleResponse), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn validate(
    State(app): State<App>,
    _: Superadmin,
    JsonBody(request): JsonBody<ValidateRuleRequest>,
) -> Result<Json<ValidateRuleResponse>> {
    let operation = Operation::parse(&request.operation).ok_or_else(|| {
        let message = "Input should be 'list', 'view', 'create', 'update' or 'delete'";
        Error::malformed(Problem::body(
            "operation",
            "enum",
            message,
            request.operation.clone().into(),
        ))
    })?;
    let catalog = app.catalog.current();
    let problems = validate_rule(
        &request.rule,
        operation,
        &request.collection_fields,
        catalog.library(),
    );
    Ok(Json(ValidateRuleResponse {
        valid: problems.is_empty(),
        errors: problems
            .iter()
            .map(|p| format!("{} (at position {})", p.message, p.position))
            .collect(),
        problems: problems
            .into_iter()
            .map(|p| RuleProblem {
                position: p.position,
                message: p.message,
            })
            .collect(),
    }))
}

/// A rule to try.
#[derive(Deserialize, utoipa::ToSchema)]
struct TestRuleRequest {
    /// The expression.
    rule: String,
    /// Who asks, for which record.
    #[serde(default)]
    context: TestContext,
}

/// Whether a rule lets somebody in.
#[derive(Serialize, utoipa::ToSchema)]
struct TestRuleResponse {
    /// Whether it does.
    result: bool,
}

/// Tries a rule with an invented caller and record.
#[utoipa::path(post, path = "/api/v1/rules/test", tag = "rules", request_body = TestRuleRequest,
    responses((status = 200, body = TestRuleResponse), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn test(
    State(app): State<App>,
    _: Superadmin,
    JsonBody(request): JsonBody<TestRuleRequest>,
) -> Result<Json<TestRuleResponse>> {
    let catalog = app.catalog.current();
    let result = test_rule(&app.db, catalog.library(), &request.rule, &request.context).await?;
    Ok(Json(TestRuleResponse { result }))
}
