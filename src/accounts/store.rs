//! The queries that several operations share.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use crate::auth::access_log::{self, AccessChange};
use crate::auth::session::SessionUser;
use crate::auth::{AccountRef, PII_GROUP};
use crate::db::{Batch, Db, Sql, Stmt};
use crate::error::{Error, Result};
use crate::id::{AccountId, UserId};

/// A user with its account and role.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(super) struct UserRow {
    pub(super) id: String,
    pub(super) account_id: String,
    pub(super) account_code: String,
    pub(super) account_slug: String,
    pub(super) account_name: String,
    pub(super) account_created_at: DateTime<Utc>,
    pub(super) email: String,
    pub(super) password_hash: String,
    pub(super) role_id: i64,
    pub(super) role_name: String,
    pub(super) is_active: bool,
    pub(super) auth_provider: String,
    pub(super) auth_provider_name: Option<String>,
    pub(super) external_id: Option<String>,
    pub(super) external_email: Option<String>,
    pub(super) profile_data: Option<String>,
    pub(super) email_verified: bool,
    pub(super) email_verified_at: Option<DateTime<Utc>>,
    pub(super) created_at: DateTime<Utc>,
    pub(super) last_login: Option<DateTime<Utc>>,
}

impl UserRow {
    pub(super) fn user_id(&self) -> Result<UserId> {
        UserId::parse(&self.id).ok_or_else(|| Error::internal("a user's id is no UUID"))
    }

    pub(super) fn account_id(&self) -> Result<AccountId> {
        AccountId::parse(&self.account_id)
            .ok_or_else(|| Error::internal("an account's id is no UUID"))
    }

    pub(super) fn session_user(&self) -> Result<SessionUser> {
        let account = AccountRef::new(
            self.account_id()?,
            self.account_code.clone(),
            self.account_slug.clone(),
            self.account_name.clone(),
            self.account_created_at,
        );
        Ok(SessionUser {
            user: self.user_id()?,
            account: account.into(),
            email: self.email.clone(),
            role: self.role_name.clone(),
        })
    }
}

/// The beginning of a statement that selects users; go on with ` WHERE …`.
pub(super) fn select_users(db: &Db) -> Sql {
    let mut sql = db.sql();
    sql.push(
        "SELECT u.id, u.account_id, a.account_code, a.slug AS account_slug, a.name AS account_name, \
         a.created_at AS account_created_at, u.email, u.password_hash, u.role_id, r.name AS role_name, u.is_active, \
         u.auth_provider, u.auth_provider_name, u.external_id, u.external_email, u.profile_data, u.email_verified, \
         u.email_verified_at, u.created_at, u.last_login \
         FROM users u JOIN accounts a ON a.id = u.account_id JOIN roles r ON r.id = u.role_id",
    );
    sql
}

/// The user with this address in an account.
pub(super) async fn user_by_email(
    db: &Db,
    account: AccountId,
    email: &str,
) -> Result<Option<UserRow>> {
    let mut sql = select_users(db);
    sql.push(" WHERE u.account_id = ")
        .arg(account)
        .push(" AND u.email = ")
        .arg(email);
    Ok(db.row(sql.build()).await?)
}

/// The user with this id.
pub(super) async fn user_by_id(db: &Db, id: &str) -> Result<Option<UserRow>> {
    let Some(id) = UserId::parse(id) else {
        return Ok(None);
    };
    let mut sql = select_users(db);
    sql.push(" WHERE u.id = ").arg(id);
    Ok(db.row(sql.build()).await?)
}

/// The names of the groups of these users, by user.
pub(super) async fn groups_of(db: &Db, users: &[UserRow]) -> Result<HashMap<String, Vec<String>>> {
    let mut groups: HashMap<String, Vec<String>> = HashMap::new();
    if users.is_empty() {
        return Ok(groups);
    }
    let mut sql = db.sql();
    sql.push("SELECT m.user_id, g.name FROM group_members m JOIN groups g ON g.id = m.group_id WHERE m.user_id IN (");
    sql.list(", ", users, |sql, user| {
        sql.arg(&user.id);
    });
    sql.push(") ORDER BY g.name");
    let rows: Vec<(String, String)> = db.rows(sql.build()).await?;
    for (user, group) in rows {
        groups.entry(user).or_default().push(group);
    }
    Ok(groups)
}

/// The id of the role with this name.
pub(super) async fn role_named(db: &Db, name: &str) -> Result<i64> {
    let select = Stmt::fixed("SELECT id FROM roles WHERE name = $1", vec![name.into()]);
    let row: Option<(i64,)> = db.row(select).await?;
    row.map(|(id,)| id)
        .ok_or_else(|| Error::not_found("Role not found"))
}

/// Adds to a change of a user what tells every node of it: [`AccessChange::Rights`] or
/// [`AccessChange::Credentials`].
pub(super) fn announce(
    batch: Batch,
    user: &UserRow,
    change: fn(UserId) -> AccessChange,
    at: DateTime<Utc>,
    actor: &str,
) -> Result<Batch> {
    let change = change(user.user_id()?);
    Ok(batch.with(access_log::entry(user.account_id()?, change, at, actor)))
}

/// The statement that stores a group.
pub(super) fn insert_group(
    id: &str,
    account: AccountId,
    name: &str,
    description: Option<&str>,
    at: DateTime<Utc>,
) -> Stmt {
    let insert = "INSERT INTO groups (id, account_id, name, description, created_at, updated_at) \
                  VALUES ($1, $2, $3, $4, $5, $5)";
    let description = crate::db::Value::text_or_null(description);
    Stmt::fixed(
        insert,
        vec![
            id.into(),
            account.into(),
            name.into(),
            description,
            at.into(),
        ],
    )
}

/// The statement that stores the group, with this id, whose members see personal data.
pub(super) fn insert_pii_group(id: &str, account: AccountId, at: DateTime<Utc>) -> Stmt {
    insert_group(
        id,
        account,
        PII_GROUP,
        Some("Members see personal data unmasked"),
        at,
    )
}

/// A user to be stored.
pub(super) struct NewUser<'a> {
    pub(super) id: UserId,
    pub(super) account: AccountId,
    pub(super) email: &'a str,
    pub(super) password_hash: &'a str,
    pub(super) role_id: i64,
    pub(super) verified: bool,
    pub(super) at: DateTime<Utc>,
}

/// The statement that stores a user who signs in with a password.
pub(super) fn insert_user(user: &NewUser<'_>) -> Stmt {
    let insert = "INSERT INTO users (id, account_id, email, password_hash, role_id, email_verified, \
                  email_verified_at, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)";
    let args = vec![
        user.id.into(),
        user.account.into(),
        user.email.into(),
        user.password_hash.into(),
        user.role_id.into(),
        user.verified.into(),
        crate::db::Value::time_or_null(user.verified.then_some(user.at)),
        user.at.into(),
    ];
    Stmt::fixed(insert, args)
}
