//! Trying a rule for a role.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::app::App;
use crate::collections::{test_rule, validate_rule};
use crate::error::{Error, Result};
use crate::http::api::rules::TestContext;
use crate::http::extract::{JsonBody, Superadmin};
use crate::schema::Operation;

/// A rule to check.
#[derive(Deserialize, ToSchema)]
pub(super) struct ValidateRoleRule {
    /// The expression.
    rule: String,
    /// The collection that it is for; without one, every name counts as a text field.
    #[serde(default)]
    collection: Option<String>,
}

/// Validity of a rule.
#[derive(Serialize, ToSchema)]
pub(super) struct RoleRuleValidity {
    /// True if it could be stored.
    valid: bool,
    /// The problem.
    error: Option<String>,
}

/// Checks a rule, against the fields of a collection if one is named.
#[utoipa::path(
    post,
    path = "/api/v1/roles/validate-rule",
    tag = "roles",
    request_body = ValidateRoleRule,
    responses((status = 200, body = RoleRuleValidity), (status = 404)),
)]
pub(super) async fn validate(
    State(app): State<App>,
    _: Superadmin,
    JsonBody(request): JsonBody<ValidateRoleRule>,
) -> Result<Json<RoleRuleValidity>> {
    let fields: Vec<Value> = match &request.collection {
        None => names(&request.rule).map(Value::from).collect(),
        Some(name) => {
            let catalog = app.catalog.current();
            let collection = catalog
                .by_name(name)
                .ok_or_else(|| Error::not_found("Collection not found"))?;
            let definitions = collection.row.definitions();
            definitions
                .iter()
                .filter_map(|field| serde_json::to_value(field).ok())
                .collect()
        }
    };
    let catalog = app.catalog.current();
    let problems = validate_rule(&request.rule, Operation::Update, &fields, catalog.library());
    let error: Vec<String> = problems
        .iter()
        .map(|p| format!("{} (at position {})", p.message, p.position))
        .collect();
    Ok(Json(RoleRuleValidity {
        valid: error.is_empty(),
        error: (!error.is_empty()).then(|| error.join("; ")),
    }))
}

/// The names in a rule that can be those of fields.
fn names(rule: &str) -> impl Iterator<Item = &str> {
    rule.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|name| !name.is_empty())
}

/// A rule to try.
#[derive(Deserialize, ToSchema)]
pub(super) struct TestRoleRule {
    /// The expression.
    rule: String,
    /// The caller and the record.
    #[serde(default)]
    context: TestContext,
}

/// Outcome of a rule.
#[derive(Serialize, ToSchema)]
pub(super) struct RoleRuleOutcome {
    /// True if it lets the caller in.
    allowed: bool,
    /// The problem of the rule.
    error: Option<String>,
    /// The outcome in words.
    evaluation_details: Option<String>,
}

/// Tries a rule with an invented caller and record.
#[utoipa::path(
    post,
    path = "/api/v1/roles/test-rule",
    tag = "roles",
    request_body = TestRoleRule,
    responses((status = 200, body = RoleRuleOutcome)),
)]
pub(super) async fn test(
    State(app): State<App>,
    _: Superadmin,
    JsonBody(request): JsonBody<TestRoleRule>,
) -> Result<Json<RoleRuleOutcome>> {
    let catalog = app.catalog.current();
    let tried = test_rule(
        &app.db,
        catalog.library(),
        &request.rule,
        &request.context.into(),
    )
    .await;
    let (allowed, error, details) = match tried {
        Ok(true) => (true, None, Some("The rule is met")),
        Ok(false) => (false, None, Some("The rule is not met")),
        Err(Error::Refused { message, .. }) => (false, Some(message), None),
        Err(error) => return Err(error),
    };
    Ok(Json(RoleRuleOutcome {
        allowed,
        error,
        evaluation_details: details.map(Into::into),
    }))
}
