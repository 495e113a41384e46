//! Sessions: one for each sign-in. Its refresh tokens follow one another in one row.
//!
//! A refresh token is exchanged once. What becomes of one that is shown again:
//!
//! | It was exchanged | Its successor | |
//! |---|---|---|
//! | moments ago, within the grace | whatever became of it | yields the token that is valid now: other tabs were faster |
//! | earlier | was never exchanged | yields a new successor, and the one before is void: an answer was lost |
//! | earlier | was exchanged | the session ends: somebody else has a copy |
//!
//! A successor that is void ends the session as well if it is shown after all. So of two who hold
//! copies of a token, each going on with it, the second ends the session for both. Tokens follow
//! from the one before and the server's secret, so that one can be handed out again though only its
//! hash is kept.

use std::net::IpAddr;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::access_log::{self, AccessChange};
use super::jwt::{Claims, Pair, Subject, Use};
use super::{AccountRef, Auth, one_time};
use crate::clock::Clock;
use crate::config::AuthConfig;
use crate::db::{Batch, CommitError, Db, DbError, Stmt, Value};
use crate::error::{Error, Result};
use crate::id::{AccountId, UserId, new_id};

/// Tokens that are remembered besides the last two, while they are in the grace.
const MAX_RECENT: usize = 16;
/// What a refused refresh is told, whatever the reason.
const REFUSED: &str = "Invalid or expired refresh token";

/// Opens, refreshes and ends sessions; cheap to clone.
#[derive(Clone)]
pub struct Sessions {
    db: Db,
    clock: Clock,
    auth: Auth,
    grace: TimeDelta,
}

/// Where a session is opened, for people to recognise it.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    /// The address of the client.
    pub address: Option<IpAddr>,
    /// What the client calls itself.
    pub user_agent: Option<String>,
}

impl From<Option<IpAddr>> for Origin {
    fn from(address: Option<IpAddr>) -> Self {
        Self {
            address,
            user_agent: None,
        }
    }
}

/// A user as sessions see one.
#[derive(Clone, Debug)]
pub struct SessionUser {
    /// The user.
    pub user: UserId,
    /// The account.
    pub account: Arc<AccountRef>,
    /// The address.
    pub email: String,
    /// The role.
    pub role: String,
}

#[derive(sqlx::FromRow)]
struct Row {
    user_id: String,
    token_hash: String,
    previous_hash: Option<String>,
    rotated_at: DateTime<Utc>,
    reissued: i64,
    recent_hashes: String,
    expires_at: DateTime<Utc>,
    revoked_at: Option<DateTime<Utc>>,
    is_active: bool,
    email: String,
    role: String,
    account_id: String,
    account_code: String,
    slug: String,
    account_name: String,
    account_created_at: DateTime<Utc>,
}

/// What a refresh token that belongs to a session is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ShownToken {
    /// The one that is valid.
    Current,
    /// One that was exchanged moments ago.
    Recent,
    /// The one before the valid one, which nobody has exchanged.
    Unanswered,
    /// One that nobody should have any more.
    Spent,
}

impl Sessions {
    /// Over a database.
    pub fn new(db: Db, clock: Clock, auth: Auth, config: &AuthConfig) -> Self {
        Self {
            db,
            clock,
            auth,
            grace: TimeDelta::seconds(config.refresh_grace_seconds),
        }
    }

    /// The tokens of a new session, and the statement that opens it.
    pub fn open(
        &self,
        user: &SessionUser,
        origin: &Origin,
        now: DateTime<Utc>,
    ) -> Result<(Pair, Stmt)> {
        let session = new_id();
        let pair = self
            .auth
            .jwt()
            .pair(user.subject(session), &one_time::random_token(), now)?;
        let insert = "INSERT INTO sessions (id, account_id, user_id, token_hash, rotated_at, created_at, expires_at, \
                      ip_address, user_agent) VALUES ($1, $2, $3, $4, $5, $5, $6, $7, $8)";
        let args = vec![
            session.to_string().into(),
            user.account.id.into(),
            user.user.into(),
            one_time::hash(&pair.refresh).into(),
            now.into(),
            (now + self.auth.jwt().session_lifetime()).into(),
            Value::text_or_null(
                origin
                    .address
                    .map(|address| address.to_canonical().to_string()),
            ),
            Value::text_or_null(origin.user_agent.as_deref()),
        ];
        Ok((pair, Stmt::fixed(insert, args)))
    }

    /// Exchanges a refresh token for a new pair. `reused` makes the statement that writes down that
    /// a token was used again, and its session ended.
    pub async fn refresh(
        &self,
        token: &str,
        reused: impl Fn(AccountId, Uuid) -> Stmt,
    ) -> Result<Pair> {
        let now = self.clock.now();
        let claims = self
            .auth
            .jwt()
            .check(token, Use::Refresh, now)
            .map_err(|_| refused())?;
        let shown = one_time::hash(token);
        // The second round is for the one who lost a race against another refresh with the same
        // token.
        for _ in 0..2 {
            let row = self.find(claims.sid).await?.ok_or_else(refused)?;
            let user = row
                .user()
                .filter(|user| user.user == claims.user())
                .ok_or_else(refused)?;
            if row.revoked_at.is_some() || row.expires_at <= now || !row.is_active {
                return Err(refused());
            }
            let exchanged = match row.recognize(&shown, now, self.grace) {
                ShownToken::Current => self.rotate(claims.sid, &user, &row, now).await?,
                ShownToken::Recent => return self.repeat(claims.sid, &user, &row, now),
                ShownToken::Unanswered => {
                    self.reissue(claims.sid, &user, &row, &shown, now).await?
                }
                ShownToken::Spent => {
                    let entry = reused(user.account.id, claims.sid);
                    self.revoke(
                        user.account.id,
                        user.user,
                        claims.sid,
                        "system",
                        Some(entry),
                    )
                    .await?;
                    tracing::warn!(session.id = %claims.sid, user.id = %user.user,
                        "a refresh token was used again: the session has been ended");
                    return Err(refused());
                }
            };
            if let Some(pair) = exchanged {
                return Ok(pair);
            }
        }
        Err(refused())
    }

    /// Ends a session, on all nodes, and writes down who ended it.
    pub async fn revoke(
        &self,
        account: AccountId,
        user: UserId,
        session: Uuid,
        actor: &str,
        also: Option<Stmt>,
    ) -> Result<()> {
        let now = self.clock.now();
        let update = "UPDATE sessions SET revoked_at = $1 WHERE id = $2 AND user_id = $3 AND revoked_at IS NULL";
        let update = Stmt::fixed(
            update,
            vec![now.into(), session.to_string().into(), user.into()],
        );
        let entry = access_log::entry(account, AccessChange::Session(user, session), now, actor);
        let batch = Batch::new().require(update).with(entry);
        match self
            .db
            .commit(also.into_iter().fold(batch, Batch::with))
            .await
        {
            Ok(_) => self.auth.invalidate_session(session),
            // It has ended already.
            Err(CommitError {
                source: DbError::Gone,
                ..
            }) => {}
            Err(error) => return Err(error.source.into()),
        }
        Ok(())
    }

    /// Ends the session of a token, even of one that has expired; does nothing if it is none of
    /// ours. `also` makes the statement that writes it down.
    pub async fn revoke_token(
        &self,
        token: &str,
        also: impl FnOnce(&Claims) -> Stmt,
    ) -> Result<()> {
        let Ok(claims) = self.auth.jwt().read(token) else {
            return Ok(());
        };
        let (also, actor) = (also(&claims), claims.user_id.to_string());
        self.revoke(
            claims.account(),
            claims.user(),
            claims.sid,
            &actor,
            Some(also),
        )
        .await
    }

    /// Exchanges the valid token for its successor; `None` if another request was faster.
    async fn rotate(
        &self,
        session: Uuid,
        user: &SessionUser,
        row: &Row,
        now: DateTime<Utc>,
    ) -> Result<Option<Pair>> {
        let pair = self.successor(session, user, (row.token_hash.as_str(), 0), now, now)?;
        let recent = row.recent(now, self.grace);
        let update = "UPDATE sessions SET token_hash = $1, previous_hash = $2, rotated_at = $3, expires_at = $4, \
                      reissued = 0, recent_hashes = $5 WHERE id = $6 AND token_hash = $2 AND revoked_at IS NULL";
        let args = vec![
            one_time::hash(&pair.refresh).into(),
            row.token_hash.as_str().into(),
            now.into(),
            (now + self.auth.jwt().session_lifetime()).into(),
            serde_json::to_string(&recent)
                .map_err(Error::internal)?
                .into(),
            session.to_string().into(),
        ];
        Ok(self
            .db
            .execute(Stmt::fixed(update, args))
            .await?
            .then_some(pair))
    }

    /// Replaces the valid token, which nobody has exchanged, by another successor of the one
    /// before; `None` if another request was faster.
    async fn reissue(
        &self,
        session: Uuid,
        user: &SessionUser,
        row: &Row,
        shown: &str,
        now: DateTime<Utc>,
    ) -> Result<Option<Pair>> {
        let pair = self.successor(session, user, (shown, row.reissued + 1), now, now)?;
        let update = "UPDATE sessions SET token_hash = $1, rotated_at = $2, expires_at = $3, reissued = $4, \
                      recent_hashes = '[]' WHERE id = $5 AND token_hash = $6 AND revoked_at IS NULL";
        let args = vec![
            one_time::hash(&pair.refresh).into(),
            now.into(),
            (now + self.auth.jwt().session_lifetime()).into(),
            (row.reissued + 1).into(),
            session.to_string().into(),
            row.token_hash.as_str().into(),
        ];
        Ok(self
            .db
            .execute(Stmt::fixed(update, args))
            .await?
            .then_some(pair))
    }

    /// The valid token, which was given out before, with a fresh access token.
    fn repeat(
        &self,
        session: Uuid,
        user: &SessionUser,
        row: &Row,
        now: DateTime<Utc>,
    ) -> Result<Pair> {
        let previous = row.previous_hash.as_deref().ok_or_else(refused)?;
        let pair = self.successor(session, user, (previous, row.reissued), row.rotated_at, now)?;
        if one_time::hash(&pair.refresh) == row.token_hash {
            Ok(pair)
        } else {
            Err(refused())
        }
    }

    /// The tokens that follow a refresh token, given by its hash and by how often its successor was
    /// replaced.
    fn successor(
        &self,
        session: Uuid,
        user: &SessionUser,
        of: (&str, i64),
        rotated_at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<Pair> {
        let jwt = self.auth.jwt();
        jwt.pair_from(
            user.subject(session),
            &jwt.successor_id(session, of.0, of.1)?,
            rotated_at,
            now,
        )
    }

    async fn find(&self, session: Uuid) -> Result<Option<Row>, DbError> {
        let select = "SELECT s.user_id, s.token_hash, s.previous_hash, s.rotated_at, s.reissued, s.recent_hashes, \
                      s.expires_at, s.revoked_at, \
                      u.is_active, u.email, r.name AS role, a.id AS account_id, a.account_code, a.slug, \
                      a.name AS account_name, a.created_at AS account_created_at \
                      FROM sessions s JOIN users u ON u.id = s.user_id JOIN roles r ON r.id = u.role_id \
                      JOIN accounts a ON a.id = u.account_id WHERE s.id = $1";
        self.db
            .row(Stmt::fixed(select, vec![session.to_string().into()]))
            .await
    }
}

/// The statement that ends every session of a user.
pub fn revoke_all(user: UserId, now: DateTime<Utc>) -> Stmt {
    let update = "UPDATE sessions SET revoked_at = $1 WHERE user_id = $2 AND revoked_at IS NULL";
    Stmt::fixed(update, vec![now.into(), user.into()])
}

/// The statement that ends every session of a user but one.
pub fn revoke_others(user: UserId, kept: Uuid, now: DateTime<Utc>) -> Stmt {
    let update = "UPDATE sessions SET revoked_at = $1 WHERE user_id = $2 AND id <> $3 AND revoked_at IS NULL";
    Stmt::fixed(
        update,
        vec![now.into(), user.into(), kept.to_string().into()],
    )
}

/// The statement that deletes sessions that nobody can use any more.
pub fn prune(now: DateTime<Utc>) -> Stmt {
    let delete = "DELETE FROM sessions WHERE expires_at <= $1 OR revoked_at <= $2";
    Stmt::fixed(delete, vec![now.into(), (now - TimeDelta::days(1)).into()])
}

impl SessionUser {
    fn subject(&self, session: Uuid) -> Subject<'_> {
        Subject {
            user: self.user,
            account: &self.account,
            email: &self.email,
            role: &self.role,
            session,
        }
    }
}

impl Row {
    fn recognize(&self, shown: &str, now: DateTime<Utc>, grace: TimeDelta) -> ShownToken {
        if self.token_hash == shown {
            ShownToken::Current
        } else if self
            .recent(now, grace)
            .iter()
            .any(|(hash, _)| hash == shown)
        {
            ShownToken::Recent
        // Without a grace a token is good for one request, whatever became of the answer.
        } else if self.previous_hash.as_deref() == Some(shown) && grace > TimeDelta::zero() {
            ShownToken::Unanswered
        } else {
            ShownToken::Spent
        }
    }

    /// The hashes of the tokens that were exchanged within the grace, and when, in milliseconds
    /// since the epoch.
    fn recent(&self, now: DateTime<Utc>, grace: TimeDelta) -> Vec<(String, i64)> {
        let mut hashes: Vec<(String, i64)> =
            serde_json::from_str(&self.recent_hashes).unwrap_or_default();
        hashes.extend(
            self.previous_hash
                .clone()
                .map(|previous| (previous, self.rotated_at.timestamp_millis())),
        );
        hashes.retain(|(_, at)| now.timestamp_millis() - at < grace.num_milliseconds());
        let older = hashes.len().saturating_sub(MAX_RECENT);
        hashes.split_off(older)
    }

    fn user(&self) -> Option<SessionUser> {
        let account = AccountRef::new(
            AccountId::parse(&self.account_id)?,
            self.account_code.clone(),
            self.slug.clone(),
            self.account_name.clone(),
            self.account_created_at,
        );
        Some(SessionUser {
            user: UserId::parse(&self.user_id)?,
            account: Arc::new(account),
            email: self.email.clone(),
            role: self.role.clone(),
        })
    }
}

fn refused() -> Error {
    Error::SignInRefused(REFUSED.to_owned())
}
