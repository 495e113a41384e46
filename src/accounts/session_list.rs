//! The open sessions of a user, and ending them: the caller's, and those of users that the caller
//! administers.

use chrono::{DateTime, Utc};
use serde_json::json;
use uuid::Uuid;

use super::store::{self, UserRow};
use super::{Accounts, trail, unlimited_for};
use crate::access::account::signed_in;
use crate::audit::{Event, Operation};
use crate::auth::access_log::{self, AccessChange};
use crate::auth::{Caller, Principal, session};
use crate::db::Stmt;
use crate::error::{Error, Result};
use crate::id::{AccountId, UserId};

/// Sessions that a list shows.
const MOST: i64 = 500;

/// An open session: what began with one sign-in.
#[derive(Clone, Debug)]
pub struct OpenSession {
    /// The id.
    pub id: String,
    /// The address from which it was opened, if it is known.
    pub ip_address: Option<String>,
    /// What the client called itself.
    pub user_agent: Option<String>,
    /// When it was opened.
    pub created_at: DateTime<Utc>,
    /// When its tokens were exchanged last.
    pub refreshed_at: DateTime<Utc>,
    /// When it ends, unless its tokens are exchanged before.
    pub expires_at: DateTime<Utc>,
    /// Whether it is the one that asks.
    pub is_current: bool,
}

/// Open sessions.
#[derive(Clone, Debug)]
pub struct OpenSessions {
    /// The sessions, the last refreshed first, 500 at most.
    pub items: Vec<OpenSession>,
    /// How many there are.
    pub total: i64,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    ip_address: Option<String>,
    user_agent: Option<String>,
    created_at: DateTime<Utc>,
    rotated_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
}

impl Accounts {
    /// The caller's open sessions.
    pub async fn own_sessions(&self, caller: &Caller) -> Result<OpenSessions> {
        let principal = in_person(caller)?;
        self.sessions_of(principal.user_id, principal.session_id)
            .await
    }

    /// Ends one of the caller's sessions; one that has ended stays so.
    pub async fn end_own_session(&self, caller: &Caller, session: &str) -> Result<()> {
        let principal = in_person(caller)?;
        self.end_session(caller, principal.account.id, principal.user_id, session)
            .await
    }

    /// Ends every session of the caller but the one that asks.
    pub async fn end_own_others(&self, caller: &Caller) -> Result<()> {
        let principal = in_person(caller)?;
        self.end_sessions(
            caller,
            principal.account.id,
            principal.user_id,
            principal.session_id,
        )
        .await
    }

    /// The open sessions of a user.
    pub async fn user_sessions(&self, caller: &Caller, user: &str) -> Result<OpenSessions> {
        let user = self.administered_user(caller, user).await?;
        let current = signed_in(caller)?.session_id;
        self.sessions_of(user.user_id()?, current).await
    }

    /// Ends one session of a user; one that has ended stays so.
    pub async fn end_user_session(&self, caller: &Caller, user: &str, session: &str) -> Result<()> {
        let user = self.administered_user(caller, user).await?;
        self.end_session(caller, user.account_id()?, user.user_id()?, session)
            .await
    }

    /// Ends every session of a user.
    pub async fn end_user_sessions(&self, caller: &Caller, user: &str) -> Result<()> {
        let user = self.administered_user(caller, user).await?;
        self.refuse_demo(&user)?;
        self.end_sessions(caller, user.account_id()?, user.user_id()?, None)
            .await
    }

    /// A user of the account that the caller administers, or of any if it administers the server.
    async fn administered_user(&self, caller: &Caller, id: &str) -> Result<UserRow> {
        let own = &signed_in(caller)?.account.id_text;
        if !caller.is_account_admin() {
            return Err(Error::Forbidden("This needs the role admin".into()));
        }
        let found = store::user_by_id(&self.0.db, id).await?;
        let user = found.filter(|user| caller.is_superadmin() || user.account_id == *own);
        let user = user.ok_or_else(|| Error::not_found("User not found"))?;
        unlimited_for(caller, user.account_id()?)?;
        Ok(user)
    }

    async fn sessions_of(&self, user: UserId, current: Option<Uuid>) -> Result<OpenSessions> {
        let (db, now) = (&self.0.db, self.0.clock.now());
        let count = "SELECT count(*) FROM sessions WHERE user_id = $1 AND revoked_at IS NULL AND expires_at > $2";
        let total = db
            .count(Stmt::fixed(count, vec![user.into(), now.into()]))
            .await?;
        let select = "SELECT id, ip_address, user_agent, created_at, rotated_at, expires_at FROM sessions \
                      WHERE user_id = $1 AND revoked_at IS NULL AND expires_at > $2 \
                      ORDER BY rotated_at DESC, id DESC LIMIT $3";
        let rows: Vec<Row> = db
            .rows(Stmt::fixed(
                select,
                vec![user.into(), now.into(), MOST.into()],
            ))
            .await?;
        let current = current.map(|id| id.to_string());
        let view = |row: Row| OpenSession {
            is_current: current.as_deref() == Some(&row.id),
            id: row.id,
            ip_address: row.ip_address,
            user_agent: row.user_agent,
            created_at: row.created_at,
            refreshed_at: row.rotated_at,
            expires_at: row.expires_at,
        };
        Ok(OpenSessions {
            items: rows.into_iter().map(view).collect(),
            total,
        })
    }

    async fn end_session(
        &self,
        caller: &Caller,
        account: AccountId,
        user: UserId,
        session: &str,
    ) -> Result<()> {
        let missing = || Error::not_found("Session not found");
        let session = Uuid::try_parse(session).map_err(|_| missing())?;
        let count = "SELECT count(*) FROM sessions WHERE id = $1 AND user_id = $2";
        let args = vec![session.to_string().into(), user.into()];
        if self.0.db.count(Stmt::fixed(count, args)).await? == 0 {
            return Err(missing());
        }
        let entry = trail::session_ended(account, session)
            .by(caller)
            .entry(self.0.clock.now());
        self.0
            .sessions
            .revoke(account, user, session, caller.actor(), Some(entry))
            .await
    }

    async fn end_sessions(
        &self,
        caller: &Caller,
        account: AccountId,
        user: UserId,
        kept: Option<Uuid>,
    ) -> Result<()> {
        let now = self.0.clock.now();
        let mut tx = self.0.db.begin().await?;
        let ended = tx.execute(match kept {
            Some(kept) => session::revoke_others(user, kept, now),
            None => session::revoke_all(user, now),
        });
        let count = ended.await?;
        if count == 0 {
            return Ok(());
        }
        let event = Event::new(Operation::Logout, "users", user).with(json!({"sessions": count}));
        tx.execute(event.of(account).by(caller).entry(now)).await?;
        tx.execute(access_log::entry(
            account,
            AccessChange::Credentials(user),
            now,
            caller.actor(),
        ))
        .await?;
        tx.commit().await?;
        self.0.auth.invalidate_user(user);
        Ok(())
    }
}

/// Whoever has signed in. A key has no sessions, and must not reach those of whoever made it.
fn in_person(caller: &Caller) -> Result<&Principal> {
    let principal = signed_in(caller)?;
    if principal.key.is_some() {
        Err(Error::Forbidden("API keys have no sessions".into()))
    } else {
        Ok(principal)
    }
}
