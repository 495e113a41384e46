//! Roles, for superadmins, and what collections' rules mean for them.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::accounts::{RoleCreate, RoleList, RoleUpdate, RoleView};
use crate::app::App;
use crate::collections::{TestContext, test_rule, validate_rule};
use crate::error::{Error, Result};
use crate::http::error::ErrorBody;
use crate::http::extract::{JsonBody, Superadmin};
use crate::schema::{Collection, Operation};

/// The routes below `/api/v1/roles`.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(get, update, delete))
        .routes(routes!(validate))
        .routes(routes!(test))
        .routes(routes!(permissions))
        .routes(routes!(matrix))
}

/// Every role.
#[utoipa::path(get, path = "/api/v1/roles", tag = "roles",
    responses((status = 200, body = RoleList), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody)))]
async fn list(State(app): State<App>, Superadmin(caller): Superadmin) -> Result<Json<RoleList>> {
    app.accounts.roles(&caller).await.map(Json)
}

/// Creates a role.
#[utoipa::path(post, path = "/api/v1/roles", tag = "roles", request_body = RoleCreate,
    responses((status = 201, body = RoleView), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 409, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn create(
    State(app): State<App>,
    Superadmin(caller): Superadmin,
    JsonBody(request): JsonBody<RoleCreate>,
) -> Result<(StatusCode, Json<RoleView>)> {
    Ok((
        StatusCode::CREATED,
        Json(app.accounts.create_role(&caller, request).await?),
    ))
}

/// One role.
#[utoipa::path(get, path = "/api/v1/roles/{id}", tag = "roles", params(("id" = i64, Path)),
    responses((status = 200, body = RoleView), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn get(
    State(app): State<App>,
    Superadmin(caller): Superadmin,
    Path(id): Path<String>,
) -> Result<Json<RoleView>> {
    app.accounts.role_by_id(&caller, &id).await.map(Json)
}

/// Changes a role. Without a name it keeps its own; without a description it has none.
#[utoipa::path(put, path = "/api/v1/roles/{id}", tag = "roles", params(("id" = i64, Path)), request_body = RoleUpdate,
    responses((status = 200, body = RoleView), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 409, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn update(
    State(app): State<App>,
    Superadmin(caller): Superadmin,
    Path(id): Path<String>,
    JsonBody(request): JsonBody<RoleUpdate>,
) -> Result<Json<RoleView>> {
    app.accounts
        .update_role(&caller, &id, request)
        .await
        .map(Json)
}

/// Deletes a role that nobody has.
#[utoipa::path(delete, path = "/api/v1/roles/{id}", tag = "roles", params(("id" = i64, Path)),
    responses((status = 204), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 409, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn delete(
    State(app): State<App>,
    Superadmin(caller): Superadmin,
    Path(id): Path<String>,
) -> Result<StatusCode> {
    app.accounts.delete_role(&caller, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A rule to check.
#[derive(Deserialize, ToSchema)]
struct ValidateRoleRule {
    /// The expression.
    rule: String,
    /// The collection that it is for; without one, every name counts as a text field.
    #[serde(default)]
    collection: Option<String>,
}

/// Whether a rule could be stored.
#[derive(Serialize, ToSchema)]
struct RoleRuleValidity {
    /// Whether it could.
    valid: bool,
    /// What is wrong.
    error: Option<String>,
}

/// Checks a rule, against the fields of a collection if one is named.
#[utoipa::path(post, path = "/api/v1/roles/validate-rule", tag = "roles", request_body = ValidateRoleRule,
    responses((status = 200, body = RoleRuleValidity), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody), (status = 404, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn validate(
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
struct TestRoleRule {
    /// The expression.
    rule: String,
    /// Who asks, for which record.
    #[serde(default)]
    context: TestContext,
}

/// Whether a rule lets somebody in.
#[derive(Serialize, ToSchema)]
struct RoleRuleOutcome {
    /// Whether it does.
    allowed: bool,
    /// What is wrong with the rule.
    error: Option<String>,
    /// What came of it, in words.
    evaluation_details: Option<String>,
}

/// Tries a rule with an invented caller and record.
#[utoipa::path(post, path = "/api/v1/roles/test-rule", tag = "roles", request_body = TestRoleRule,
    responses((status = 200, body = RoleRuleOutcome), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 422, body = ErrorBody)))]
async fn test(
    State(app): State<App>,
    _: Superadmin,
    JsonBody(request): JsonBody<TestRoleRule>,
) -> Result<Json<RoleRuleOutcome>> {
    let catalog = app.catalog.current();
    let tried = test_rule(&app.db, catalog.library(), &request.rule, &request.context).await;
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

/// How a collection's rule lets callers in.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum RuleState {
    /// Nobody but superadmins.
    Locked,
    /// Everybody.
    Public,
    /// Whoever meets the rule.
    Rule,
}

impl RuleState {
    fn of(rule: Option<&str>) -> Self {
        match rule {
            None => Self::Locked,
            Some("") => Self::Public,
            Some(_) => Self::Rule,
        }
    }
}

/// What a rule means for a role.
#[derive(Serialize, ToSchema)]
struct RolePermission {
    /// The collection's name.
    collection: String,
    /// `list`, `view`, `create`, `update` or `delete`.
    operation: &'static str,
    /// Whom the rule lets in.
    state: RuleState,
    /// The rule.
    rule: Option<String>,
    /// Whether the rule names the role.
    names_role: bool,
}

impl RolePermission {
    fn new(collection: &Collection, operation: Operation, role: &str) -> Self {
        let source = collection.row.rule(operation);
        let named = |quote: char| {
            source.is_some_and(|rule| rule.contains(&format!("{quote}{role}{quote}")))
        };
        Self {
            collection: collection.name.clone(),
            operation: operation.name(),
            state: RuleState::of(source),
            rule: source.map(Into::into),
            names_role: named('\'') || named('"'),
        }
    }
}

/// A collection's rules, as they stand for a role.
#[derive(Serialize, ToSchema)]
struct PermissionRow {
    /// The collection's name.
    collection: String,
    /// Operation by operation.
    permissions: Vec<RolePermission>,
}

async fn rows(app: &App, role: &str) -> Result<Vec<PermissionRow>> {
    let mut collections = app.collections.all().await?;
    collections.sort_by(|a, b| a.name.cmp(&b.name));
    let row = |collection: &Arc<Collection>| PermissionRow {
        collection: collection.name.clone(),
        permissions: Operation::ALL
            .map(|operation| RolePermission::new(collection, operation, role))
            .into(),
    };
    Ok(collections.iter().map(row).collect())
}

/// What every rule means for a role. Rights follow from the collections' rules alone: this is to be
/// read, not changed.
#[utoipa::path(get, path = "/api/v1/roles/{id}/permissions", tag = "roles", params(("id" = i64, Path)),
    responses((status = 200, body = Vec<RolePermission>), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody), (status = 404, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn permissions(
    State(app): State<App>,
    Superadmin(caller): Superadmin,
    Path(id): Path<String>,
) -> Result<Json<Vec<RolePermission>>> {
    let role = app.accounts.role_by_id(&caller, &id).await?;
    Ok(Json(
        rows(&app, &role.name)
            .await?
            .into_iter()
            .flat_map(|row| row.permissions)
            .collect(),
    ))
}

/// What every rule means for a role, collection by collection.
#[derive(Serialize, ToSchema)]
struct PermissionMatrix {
    /// The role's id.
    role_id: i64,
    /// The role's name.
    role: String,
    /// The collections by name.
    collections: Vec<PermissionRow>,
}

/// The same as a table of collections.
#[utoipa::path(get, path = "/api/v1/roles/{id}/permissions/matrix", tag = "roles", params(("id" = i64, Path)),
    responses((status = 200, body = PermissionMatrix), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody), (status = 404, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn matrix(
    State(app): State<App>,
    Superadmin(caller): Superadmin,
    Path(id): Path<String>,
) -> Result<Json<PermissionMatrix>> {
    let role = app.accounts.role_by_id(&caller, &id).await?;
    let collections = rows(&app, &role.name).await?;
    Ok(Json(PermissionMatrix {
        role_id: role.id,
        role: role.name,
        collections,
    }))
}
