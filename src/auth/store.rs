//! The queries behind "who is this credential".

use std::sync::Arc;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::api_key::{KeyClaims, KeyGrant};
use super::{AccountRef, KeyScopes, Principal, Stamp, TokenType};
use crate::db::{Db, DbError, Stmt};
use crate::id::{AccountId, UserId};

#[derive(sqlx::FromRow)]
struct AccountRow {
    id: String,
    account_code: String,
    slug: String,
    name: String,
    created_at: DateTime<Utc>,
}

/// One row for each group of the user, or one without a group.
#[derive(sqlx::FromRow)]
struct PrincipalRow {
    email: String,
    role: String,
    email_verified: bool,
    created_at: DateTime<Utc>,
    last_login: Option<DateTime<Utc>>,
    account_code: String,
    slug: String,
    account_name: String,
    account_created_at: DateTime<Utc>,
    group_name: Option<String>,
}

/// The account with this id, code (any case) or slug (any case).
pub(super) async fn account(db: &Db, identifier: &str) -> Result<Option<AccountRef>, DbError> {
    let text = "SELECT id, account_code, slug, name, created_at FROM accounts \
                WHERE id = $1 OR account_code = $2 OR slug = $1 \
                ORDER BY CASE WHEN account_code = $2 THEN 0 WHEN slug = $1 THEN 1 ELSE 2 END LIMIT 1";
    let args = vec![
        identifier.to_lowercase().into(),
        identifier.to_uppercase().into(),
    ];
    let row: Option<AccountRow> = db.row(Stmt::fixed(text, args)).await?;
    Ok(row.and_then(|row| {
        let id = AccountId::parse(&row.id)?;
        Some(AccountRef::new(
            id,
            row.account_code,
            row.slug,
            row.name,
            row.created_at,
        ))
    }))
}

/// What makes a user a principal, and one group of each row.
const SELECT: &str = "SELECT u.email, r.name AS role, u.email_verified, u.created_at, u.last_login, a.account_code, \
    a.slug, a.name AS account_name, a.created_at AS account_created_at, g.name AS group_name \
    FROM users u \
    JOIN roles r ON r.id = u.role_id \
    JOIN accounts a ON a.id = u.account_id \
    LEFT JOIN group_members m ON m.user_id = u.id \
    LEFT JOIN groups g ON g.id = m.group_id";

/// A user who may sign in, without a credential.
pub(super) async fn user(
    db: &Db,
    user: UserId,
    account: AccountId,
    stamp: Stamp,
) -> Result<Option<Principal>, DbError> {
    let mut sql = db.sql();
    sql.push(SELECT)
        .push(" WHERE u.id = ")
        .arg(user)
        .push(" AND u.account_id = ")
        .arg(account);
    sql.push(" AND u.is_active ORDER BY g.name");
    let rows: Vec<PrincipalRow> = db.rows(sql.build()).await?;
    Ok(principal(rows, user, account, stamp))
}

/// The user of a session, if the session is open and the user may sign in.
pub(super) async fn session_user(
    db: &Db,
    session: Uuid,
    user: UserId,
    account: AccountId,
    now: DateTime<Utc>,
    stamp: Stamp,
) -> Result<Option<Principal>, DbError> {
    let mut sql = db.sql();
    sql.push(SELECT)
        .push(" JOIN sessions s ON s.user_id = u.id WHERE s.id = ")
        .arg(session.to_string());
    sql.push(" AND s.user_id = ")
        .arg(user)
        .push(" AND u.account_id = ")
        .arg(account);
    sql.push(" AND s.revoked_at IS NULL AND s.expires_at > ")
        .arg(now)
        .push(" AND u.is_active ORDER BY g.name");
    let rows: Vec<PrincipalRow> = db.rows(sql.build()).await?;
    Ok(
        principal(rows, user, account, stamp).map(|principal| Principal {
            session_id: Some(session),
            ..principal
        }),
    )
}

/// The user whom rows are about, if there are any.
fn principal(
    mut rows: Vec<PrincipalRow>,
    user: UserId,
    account: AccountId,
    stamp: Stamp,
) -> Option<Principal> {
    let groups = rows
        .iter_mut()
        .filter_map(|row| row.group_name.take())
        .collect();
    rows.into_iter().next().map(|row| Principal {
        user_id: user,
        user_id_text: user.to_string(),
        account: Arc::new(AccountRef::new(
            account,
            row.account_code,
            row.slug,
            row.account_name,
            row.account_created_at,
        )),
        email: row.email,
        role: row.role,
        groups,
        is_active: true,
        email_verified: row.email_verified,
        created_at: row.created_at,
        last_login: row.last_login,
        token_type: TokenType::Jwt,
        session_id: None,
        key: None,
        expires_at: None,
        stamp,
    })
}

/// One row for each group of the key's owner, or one without a group.
#[derive(sqlx::FromRow)]
struct KeyRow {
    key_hash: String,
    scopes: String,
    last_used_at: Option<DateTime<Utc>>,
    expires_at: Option<DateTime<Utc>>,
    revoked_at: Option<DateTime<Utc>>,
    is_active: bool,
    #[sqlx(flatten)]
    owner: PrincipalRow,
}

/// What became of a key.
pub(super) enum KeyOwner {
    /// It is valid, unless it has expired.
    Known {
        /// The SHA-256 that the key must have.
        hash: String,
        /// Who shows it.
        principal: Box<Principal>,
    },
    /// It was revoked, or its owner may not sign in any more.
    Revoked,
}

/// The owner of an API key, in the account that the key is bound to.
pub(super) async fn key_owner(
    db: &Db,
    claims: &KeyClaims,
    stamp: Stamp,
) -> Result<Option<KeyOwner>, DbError> {
    let text = "SELECT k.key_hash, k.scopes, k.last_used_at, k.expires_at, k.revoked_at, u.is_active, u.email, \
                coalesce(kr.name, r.name) AS role, u.email_verified, u.created_at, u.last_login, a.account_code, \
                a.slug, a.name AS account_name, a.created_at AS account_created_at, g.name AS group_name \
                FROM api_keys k \
                JOIN users u ON u.id = k.user_id \
                JOIN roles r ON r.id = u.role_id \
                JOIN accounts a ON a.id = k.account_id \
                LEFT JOIN roles kr ON kr.id = k.role_id \
                LEFT JOIN group_members m ON m.user_id = u.id \
                LEFT JOIN groups g ON g.id = m.group_id AND g.account_id = k.account_id \
                WHERE k.id = $1 AND k.user_id = $2 AND k.account_id = $3 \
                ORDER BY g.name";
    let (user, account) = (UserId(claims.user_id), AccountId(claims.account_id));
    let args = vec![
        claims.token_id.to_string().into(),
        user.into(),
        account.into(),
    ];
    let mut rows: Vec<KeyRow> = db.rows(Stmt::fixed(text, args)).await?;
    let groups = rows
        .iter_mut()
        .filter_map(|row| row.owner.group_name.take())
        .collect();
    let Some(row) = rows.into_iter().next() else {
        return Ok(None);
    };
    // A scope that this version does not know must not widen what the key may do.
    let (Some(scopes), None, true) = (
        KeyScopes::stored(&row.scopes),
        row.revoked_at,
        row.is_active,
    ) else {
        return Ok(Some(KeyOwner::Revoked));
    };
    let owner = row.owner;
    let principal = Principal {
        user_id: user,
        user_id_text: user.to_string(),
        account: Arc::new(AccountRef::new(
            account,
            owner.account_code,
            owner.slug,
            owner.account_name,
            owner.account_created_at,
        )),
        email: owner.email,
        role: owner.role,
        groups,
        is_active: true,
        email_verified: owner.email_verified,
        created_at: owner.created_at,
        last_login: owner.last_login,
        token_type: TokenType::ApiKey,
        session_id: None,
        key: Some(KeyGrant::new(claims.token_id, scopes, row.last_used_at)),
        expires_at: row.expires_at,
        stamp,
    };
    Ok(Some(KeyOwner::Known {
        hash: row.key_hash,
        principal: Box::new(principal),
    }))
}
