//! Roles: names that rules refer to. They are the same for all accounts.

use chrono::{DateTime, Utc};
use serde_json::json;

use super::Accounts;
use super::input::{Checks, length};
use crate::access::account::superadmin;
use crate::audit::Event;
use crate::auth::{ADMIN_ROLE, Caller, USER_ROLE};
use crate::db::{DbError, Stmt, Value};
use crate::error::{Error, Result};

/// A new role.
#[derive(Clone, Debug)]
pub struct NewRole {
    /// The name, in 1 to 50 characters.
    pub name: String,
    /// What the role is for, in at most 255 characters.
    pub description: Option<String>,
}

/// A change of a role.
#[derive(Clone, Debug, Default)]
pub struct RoleChange {
    /// The name; stays as it is if it is absent.
    pub name: Option<String>,
    /// What the role is for; none if it is absent.
    pub description: Option<String>,
}

/// A role.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Role {
    /// The id.
    pub id: i64,
    /// The name.
    pub name: String,
    /// What the role is for.
    pub description: Option<String>,
    /// How many users have it, over all accounts.
    pub user_count: i64,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it was changed last.
    pub updated_at: DateTime<Utc>,
}

const ALL: &str = "SELECT r.id, r.name, r.description, (SELECT count(*) FROM users u WHERE u.role_id = r.id) AS user_count, \
                   r.created_at, r.updated_at FROM roles r ORDER BY r.id";
const ONE: &str = "SELECT r.id, r.name, r.description, (SELECT count(*) FROM users u WHERE u.role_id = r.id) AS user_count, \
                   r.created_at, r.updated_at FROM roles r WHERE r.id = $1";

impl Accounts {
    /// Every role, by id.
    pub async fn roles(&self, caller: &Caller) -> Result<Vec<Role>> {
        superadmin(caller)?;
        Ok(self.0.db.rows(Stmt::fixed(ALL, Vec::new())).await?)
    }

    /// One role.
    pub async fn role_by_id(&self, caller: &Caller, id: i64) -> Result<Role> {
        superadmin(caller)?;
        let row = self.0.db.row(Stmt::fixed(ONE, vec![id.into()])).await?;
        row.ok_or_else(|| Error::not_found(format!("Role with ID {id} not found")))
    }

    /// Creates a role.
    pub async fn create_role(&self, caller: &Caller, request: NewRole) -> Result<Role> {
        superadmin(caller)?;
        let mut checks = Checks::default();
        let name = checks.take(role_name(&request.name));
        let description = checks.take(role_description(request.description.clone()));
        let (name, description) = checks.done(name.zip(description))?;
        let now = self.0.clock.now();
        let mut tx = self.0.db.begin().await?;
        let insert = "INSERT INTO roles (name, description, created_at, updated_at) VALUES ($1, $2, $3, $3) RETURNING id";
        let args = vec![name.into(), Value::text_or_null(description), now.into()];
        let row = tx
            .row::<(i64,)>(Stmt::fixed(insert, args))
            .await
            .map_err(|error| name_taken(error, name))?;
        let (id,) = row.ok_or_else(|| Error::internal("a role that was created has no id"))?;
        let values = json!({"name": name, "description": request.description});
        tx.execute(Event::create("roles", id, values).by(caller).entry(now))
            .await?;
        tx.commit().await?;
        self.role_by_id(caller, id).await
    }

    /// Changes a role. A new name counts at once for everyone who has it.
    pub async fn update_role(&self, caller: &Caller, id: i64, request: RoleChange) -> Result<Role> {
        let role = self.role_by_id(caller, id).await?;
        let mut checks = Checks::default();
        let name = checks.take(
            request
                .name
                .as_deref()
                .map_or(Ok(role.name.as_str()), role_name),
        );
        let description = checks.take(role_description(request.description));
        let (name, description) = checks.done(name.zip(description))?;
        let renamed = name != role.name;
        if renamed && is_default(&role.name) {
            return Err(fixed(&role, "Cannot rename default role"));
        }
        let now = self.0.clock.now();
        let mut tx = self.0.db.begin().await?;
        let update = "UPDATE roles SET name = $1, description = $2, updated_at = $3 WHERE id = $4";
        let old = json!({"name": role.name, "description": role.description});
        let event = Event::update(
            "roles",
            role.id,
            &old,
            &json!({"name": name, "description": description}),
        );
        let args = vec![
            name.into(),
            Value::text_or_null(description),
            now.into(),
            role.id.into(),
        ];
        tx.execute(Stmt::fixed(update, args))
            .await
            .map_err(|error| name_taken(error, name))?;
        tx.execute(event.by(caller).entry(now)).await?;
        if renamed {
            // Everyone's rights are read anew in the accounts where somebody has the role.
            let announce = "INSERT INTO change_log (account_id, record_id, operation, at, actor) \
                            SELECT a.id, a.id, 'access', $1, $2 FROM accounts a \
                            WHERE EXISTS (SELECT 1 FROM users u WHERE u.account_id = a.id AND u.role_id = $3) \
                            OR EXISTS (SELECT 1 FROM api_keys k WHERE k.account_id = a.id AND k.role_id = $3)";
            let args = vec![now.into(), caller.actor().into(), role.id.into()];
            tx.execute(Stmt::fixed(announce, args)).await?;
        }
        tx.commit().await?;
        if renamed {
            self.0.auth.invalidate_all();
        }
        self.role_by_id(caller, id).await
    }

    /// Deletes a role that nobody has.
    pub async fn delete_role(&self, caller: &Caller, id: i64) -> Result<()> {
        let role = self.role_by_id(caller, id).await?;
        if is_default(&role.name) {
            return Err(fixed(&role, "Cannot delete default role"));
        }
        let used = || {
            Error::conflict(
                format!(
                    "Users, invitations or API keys have the role '{}'",
                    role.name
                ),
                None,
            )
        };
        let mut tx = self.0.db.begin().await?;
        let count = "SELECT (SELECT count(*) FROM invitations WHERE role_id = $1 AND accepted_at IS NULL AND expires_at > $2) \
                     + (SELECT count(*) FROM api_keys WHERE role_id = $1 AND revoked_at IS NULL)";
        let args = vec![role.id.into(), self.0.clock.now().into()];
        if tx
            .row::<(i64,)>(Stmt::fixed(count, args))
            .await?
            .is_some_and(|(count,)| count > 0)
        {
            return Err(used());
        }
        let deleted = tx
            .execute(Stmt::fixed(
                "DELETE FROM roles WHERE id = $1",
                vec![role.id.into()],
            ))
            .await;
        deleted.map_err(|error| match error {
            DbError::ForeignKey => used(),
            other => other.into(),
        })?;
        let old = json!({"name": role.name, "description": role.description});
        tx.execute(
            Event::delete("roles", role.id, old)
                .by(caller)
                .entry(self.0.clock.now()),
        )
        .await?;
        Ok(tx.commit().await?)
    }
}

/// Whether the server itself needs the role.
fn is_default(name: &str) -> bool {
    [ADMIN_ROLE, USER_ROLE].contains(&name)
}

fn fixed(role: &Role, what: &str) -> Error {
    Error::Unprocessable {
        field: "name",
        message: format!("{what} '{}'", role.name),
    }
}

fn role_name(name: &str) -> Result<&str> {
    let name = name.trim();
    length("name", name, 1..=50)?;
    Ok(name)
}

fn role_description(description: Option<String>) -> Result<Option<String>> {
    description.as_deref().map_or(Ok(()), |description| {
        length("description", description, 0..=255)
    })?;
    Ok(description)
}

fn name_taken(error: DbError, name: &str) -> Error {
    match error {
        DbError::Unique { .. } => Error::conflict(
            format!("Role with name '{name}' already exists"),
            Some("name"),
        ),
        other => other.into(),
    }
}
