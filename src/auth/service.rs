//! Credentials in, principals out.

use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use super::cache::{Caches, TokenKey, token_key};
use super::jwt::{Rejection, Use};
use super::{AccountRef, Credential, Jwt, Principal, store};
use crate::clock::Clock;
use crate::config::AuthConfig;
use crate::db::Db;
use crate::error::{Error, Result};
use crate::id::{AccountId, UserId};

/// Tells who a credential belongs to; cheap to clone.
#[derive(Clone)]
pub struct Auth(Arc<Inner>);

struct Inner {
    db: Db,
    clock: Clock,
    jwt: Jwt,
    caches: Caches,
}

impl Auth {
    /// Over a database, with the server's secret.
    pub fn new(db: Db, clock: Clock, config: &AuthConfig) -> Self {
        let caches = Caches::new(Duration::from_secs(config.cache_seconds));
        Self(Arc::new(Inner { db, clock, jwt: Jwt::new(config), caches }))
    }

    /// The user behind a credential, or [`Error::Unauthenticated`]. A token that was seen in the last seconds costs no
    /// database read.
    pub async fn authenticate(&self, credential: Credential<'_>) -> Result<Arc<Principal>> {
        match credential {
            Credential::Bearer(token) | Credential::ApiKey(token) if token.starts_with("sb_") => {
                Err(refused("Invalid API key"))
            }
            Credential::ApiKey(_) => Err(refused("Invalid API key")),
            Credential::Bearer(token) => self.bearer(token).await,
        }
    }

    /// The account with this id, code or slug.
    pub async fn resolve_account(&self, identifier: &str) -> Result<Option<Arc<AccountRef>>> {
        let caches = &self.0.caches;
        if let Some(account) = caches.account(identifier) {
            return Ok(Some(account));
        }
        // No code, slug or id is longer; and a NUL is an error to PostgreSQL.
        if identifier.len() > 64 || identifier.contains('\0') {
            return Ok(None);
        }
        let generation = caches.account_generation();
        let Some(account) = store::account(&self.0.db, identifier.trim()).await?.map(Arc::new) else {
            return Ok(None);
        };
        caches.keep_account(identifier.to_owned(), generation, account.clone());
        Ok(Some(account))
    }

    /// Whether nothing that this principal was read from has been invalidated since.
    pub fn is_current(&self, principal: &Principal) -> bool {
        self.0.caches.is_current(principal)
    }

    /// The maker of tokens.
    pub fn jwt(&self) -> &Jwt {
        &self.0.jwt
    }

    /// Reads a user anew at the next request: after a change of the user, role, groups or password.
    pub fn invalidate_user(&self, user: UserId) {
        self.0.caches.invalidate_user(user);
    }

    /// Reads a session anew at the next request: after it was revoked.
    pub fn invalidate_session(&self, session: Uuid) {
        self.0.caches.invalidate_session(session);
    }

    /// Reads an account and its users anew.
    pub fn invalidate_account(&self, account: AccountId) {
        self.0.caches.invalidate_account(account);
    }

    /// Reads everything anew: after changes that were perhaps missed.
    pub fn invalidate_all(&self) {
        self.0.caches.invalidate_all();
    }

    async fn bearer(&self, token: &str) -> Result<Arc<Principal>> {
        let key = token_key(token);
        match self.0.caches.principal(&key) {
            Some(principal) if principal.expires_at.is_some_and(|at| at <= self.0.clock.now()) => {
                Err(refused("Token expired"))
            }
            Some(principal) => Ok(principal),
            None => self.load(token, key).await,
        }
    }

    async fn load(&self, token: &str, key: TokenKey) -> Result<Arc<Principal>> {
        let now = self.0.clock.now();
        let claims = self.0.jwt.check(token, Use::Access, now).map_err(|rejection| {
            refused(match rejection {
                Rejection::Invalid => "Invalid token",
                Rejection::Expired => "Token expired",
                Rejection::WrongUse => "Not an access token",
            })
        })?;
        let (user, account) = (claims.user(), claims.account());
        let stamp = self.0.caches.stamp(user, Some(claims.sid), account);
        let principal = store::session_user(&self.0.db, claims.sid, user, account, now, stamp).await?;
        let mut principal = principal.ok_or_else(|| refused("The session has ended. Sign in again."))?;
        principal.expires_at = claims.expires_at();
        let principal = Arc::new(principal);
        self.0.caches.keep(key, principal.clone());
        Ok(principal)
    }
}

fn refused(message: &str) -> Error {
    Error::Unauthenticated(message.to_owned())
}
