//! One-time tokens: e-mail verification, password reset, first set-up. Only their hashes are
//! stored.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest as _, Sha256};

use crate::db::{Db, DbError, Stmt, Value};
use crate::id::UserId;

/// What a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Confirms an e-mail address.
    VerifyEmail,
    /// Sets a new password.
    ResetPassword,
    /// Creates the first superadmin.
    SetUp,
}

impl Purpose {
    fn name(self) -> &'static str {
        match self {
            Self::VerifyEmail => "verify_email",
            Self::ResetPassword => "reset_password",
            Self::SetUp => "set_up",
        }
    }
}

/// A token that is valid.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct OneTime {
    /// The user's id as text; none for the set-up.
    pub user_id: Option<String>,
    /// The address that it was sent to.
    pub email: String,
    /// When it expires.
    pub expires_at: DateTime<Utc>,
}

/// 32 random bytes as text.
pub fn random_token() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())
}

/// The hash under which a token is stored.
pub fn hash(token: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(token.as_bytes()))
}

/// The statements that replace a user's tokens of one purpose by a new one, and the token.
pub fn issue(
    purpose: Purpose,
    user: Option<UserId>,
    email: &str,
    now: DateTime<Utc>,
    lifetime: TimeDelta,
) -> (String, [Stmt; 2]) {
    let token = random_token();
    let insert = "INSERT INTO one_time_tokens (token_hash, purpose, user_id, email, created_at, expires_at) \
                  VALUES ($1, $2, $3, $4, $5, $6)";
    let args = vec![
        hash(&token).into(),
        purpose.name().into(),
        Value::text_or_null(user.map(|user| user.to_string())),
        email.into(),
        now.into(),
        (now + lifetime).into(),
    ];
    (token, [forget(purpose, user), Stmt::fixed(insert, args)])
}

/// The statement that deletes a user's tokens of one purpose.
pub fn forget(purpose: Purpose, user: Option<UserId>) -> Stmt {
    match user {
        Some(user) => Stmt::fixed(
            "DELETE FROM one_time_tokens WHERE purpose = $1 AND user_id = $2",
            vec![purpose.name().into(), user.into()],
        ),
        None => Stmt::fixed(
            "DELETE FROM one_time_tokens WHERE purpose = $1 AND user_id IS NULL",
            vec![purpose.name().into()],
        ),
    }
}

/// The token, if it is valid.
pub async fn find(
    db: &Db,
    purpose: Purpose,
    token: &str,
    now: DateTime<Utc>,
) -> Result<Option<OneTime>, DbError> {
    let select = "SELECT user_id, email, expires_at FROM one_time_tokens \
                  WHERE token_hash = $1 AND purpose = $2 AND expires_at > $3";
    db.row(Stmt::fixed(
        select,
        vec![hash(token).into(), purpose.name().into(), now.into()],
    ))
    .await
}

/// The statement that uses a token up; in a batch it must be required, so that a token works once.
pub fn consume(purpose: Purpose, token: &str, now: DateTime<Utc>) -> Stmt {
    let delete =
        "DELETE FROM one_time_tokens WHERE token_hash = $1 AND purpose = $2 AND expires_at > $3";
    Stmt::fixed(
        delete,
        vec![hash(token).into(), purpose.name().into(), now.into()],
    )
}

/// The statement that deletes what has expired.
pub fn prune(now: DateTime<Utc>) -> Stmt {
    Stmt::fixed(
        "DELETE FROM one_time_tokens WHERE expires_at <= $1",
        vec![now.into()],
    )
}
