//! The meaning of every collection's rules for a role.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::error::Result;
use crate::http::extract::{PathInteger, Superadmin};
use crate::schema::{Collection, Operation};

/// Kind of a collection's rule.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum RuleState {
    /// Nobody but superadmins.
    Locked,
    /// Everybody.
    Public,
    /// Callers for whom the rule is true.
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

/// Meaning of a rule for a role.
#[derive(Serialize, ToSchema)]
pub(super) struct RolePermission {
    /// The collection's name.
    collection: String,
    /// `list`, `view`, `create`, `update` or `delete`.
    operation: &'static str,
    /// Kind of the rule.
    state: RuleState,
    /// The rule.
    rule: Option<String>,
    /// True if the rule names the role.
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
pub(super) struct PermissionRow {
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

/// Meaning of every rule for a role. Rights follow from the collections' rules alone: this is to be
/// read, not changed.
#[utoipa::path(
    get,
    path = "/api/v1/roles/{id}/permissions",
    tag = "roles",
    params(("id" = i64, Path)),
    responses((status = 200, body = Vec<RolePermission>)),
)]
pub(super) async fn permissions(
    State(app): State<App>,
    Superadmin(caller): Superadmin,
    PathInteger(id): PathInteger,
) -> Result<Json<Vec<RolePermission>>> {
    let role = app.accounts.role_by_id(&caller, id).await?;
    Ok(Json(
        rows(&app, &role.name)
            .await?
            .into_iter()
            .flat_map(|row| row.permissions)
            .collect(),
    ))
}

/// Meaning of every rule for a role, collection by collection.
#[derive(Serialize, ToSchema)]
pub(super) struct PermissionMatrix {
    /// The role's id.
    role_id: i64,
    /// The role's name.
    role: String,
    /// The collections by name.
    collections: Vec<PermissionRow>,
}

/// The same as a table of collections.
#[utoipa::path(
    get,
    path = "/api/v1/roles/{id}/permissions/matrix",
    tag = "roles",
    params(("id" = i64, Path)),
    responses((status = 200, body = PermissionMatrix)),
)]
pub(super) async fn matrix(
    State(app): State<App>,
    Superadmin(caller): Superadmin,
    PathInteger(id): PathInteger,
) -> Result<Json<PermissionMatrix>> {
    let role = app.accounts.role_by_id(&caller, id).await?;
    let collections = rows(&app, &role.name).await?;
    Ok(Json(PermissionMatrix {
        role_id: role.id,
        role: role.name,
        collections,
    }))
}
