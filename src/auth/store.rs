//! The queries behind "who is this credential".

use std::sync::Arc;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{AccountRef, Principal, Stamp, TokenType};
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
    let args = vec![identifier.to_lowercase().into(), identifier.to_uppercase().into()];
    let row: Option<AccountRow> = db.row(Stmt::fixed(text, args)).await?;
    Ok(row.and_then(|row| {
        let id = AccountId::parse(&row.id)?;
        Some(AccountRef::new(id, row.account_code, row.slug, row.name, row.created_at))
    }))
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
    let text = "SELECT u.email, r.name AS role, u.email_verified, u.created_at, u.last_login, a.account_code, a.slug, \
                a.name AS account_name, a.created_at AS account_created_at, g.name AS group_name \
                FROM sessions s \
                JOIN users u ON u.id = s.user_id \
                JOIN roles r ON r.id = u.role_id \
                JOIN accounts a ON a.id = u.account_id \
                LEFT JOIN group_members m ON m.user_id = u.id \
                LEFT JOIN groups g ON g.id = m.group_id \
                WHERE s.id = $1 AND s.user_id = $2 AND u.account_id = $3 \
                AND s.revoked_at IS NULL AND s.expires_at > $4 AND u.is_active \
                ORDER BY g.name";
    let args = vec![session.to_string().into(), user.into(), account.into(), now.into()];
    let mut rows: Vec<PrincipalRow> = db.rows(Stmt::fixed(text, args)).await?;
    let groups = rows.iter_mut().filter_map(|row| row.group_name.take()).collect();
    Ok(rows.into_iter().next().map(|row| Principal {
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
        session_id: Some(session),
        expires_at: None,
        stamp,
    }))
}
