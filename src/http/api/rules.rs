//! Trying rules out before they are stored.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::routes;

use crate::access::api_key_scope::ADMIN;
use crate::app::App;
use crate::collections::{RuleTrial, test_rule, validate_rule};
use crate::error::{Error, Problem, Result};
use crate::http::endpoint::Endpoints;
use crate::http::extract::{JsonBody, Superadmin};
use crate::schema::{Body, Operation};

/// The endpoints below `/api/v1/rules`.
pub fn endpoints() -> Endpoints {
    Endpoints::new()
        .superadmin(ADMIN, routes!(validate))
        .superadmin(ADMIN, routes!(test))
}

/// A rule to check.
#[derive(Deserialize, ToSchema)]
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

/// Problems of a rule.
#[derive(Serialize, ToSchema)]
struct ValidateRuleResponse {
    /// True if it could be stored.
    valid: bool,
    /// The problem.
    errors: Vec<String>,
    /// The problems with their places.
    problems: Vec<RuleProblem>,
}

/// One thing wrong with a rule.
#[derive(Serialize, ToSchema)]
struct RuleProblem {
    /// Characters from the beginning.
    position: usize,
    /// The problem and what would be right.
    message: String,
}

/// Checks a rule against a list of fields.
#[utoipa::path(
    post,
    path = "/api/v1/rules/validate",
    tag = "rules",
    request_body = ValidateRuleRequest,
    responses((status = 200, body = ValidateRuleResponse)),
)]
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

/// Caller and record to try a rule with.
#[derive(Default, Deserialize, ToSchema)]
pub struct TestContext {
    /// The caller: `id`, `email`, `role`, `account_id`, `groups`.
    #[serde(default)]
    #[schema(value_type = Object)]
    auth: Body,
    /// The record.
    #[serde(default)]
    #[schema(value_type = Object)]
    record: Body,
    /// The request's body.
    #[serde(default)]
    #[schema(value_type = Object)]
    data: Body,
    /// The collection's fields, as definitions; without them types are read off the record's
    /// values.
    #[serde(default)]
    #[schema(value_type = Vec<serde_json::Value>)]
    fields: Vec<Value>,
}

impl From<TestContext> for RuleTrial {
    fn from(context: TestContext) -> Self {
        Self {
            auth: context.auth,
            record: context.record,
            data: context.data,
            fields: context.fields,
        }
    }
}

/// A rule to try.
#[derive(Deserialize, ToSchema)]
struct TestRuleRequest {
    /// The expression.
    rule: String,
    /// The caller and the record.
    #[serde(default)]
    context: TestContext,
}

/// Outcome of a rule.
#[derive(Serialize, ToSchema)]
struct TestRuleResponse {
    /// True if it lets the caller in.
    result: bool,
}

/// Tries a rule with an invented caller and record.
#[utoipa::path(
    post,
    path = "/api/v1/rules/test",
    tag = "rules",
    request_body = TestRuleRequest,
    responses((status = 200, body = TestRuleResponse)),
)]
async fn test(
    State(app): State<App>,
    _: Superadmin,
    JsonBody(request): JsonBody<TestRuleRequest>,
) -> Result<Json<TestRuleResponse>> {
    let catalog = app.catalog.current();
    let result = test_rule(
        &app.db,
        catalog.library(),
        &request.rule,
        &request.context.into(),
    )
    .await?;
    Ok(Json(TestRuleResponse { result }))
}
