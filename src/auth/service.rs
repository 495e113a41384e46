//! Credentials in, principals out.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::api_key::{KeyUses, Keys};
use super::cache::{Caches, TokenKey, token_key};
use super::jwt::{Rejection, Use};
use super::store::KeyOwner;
use super::{AccountRef, Credential, Jwt, Principal, one_time, store};
use crate::clock::Clock;
use crate::config::AuthConfig;
use crate::db::Db;
use crate::error::{Error, Result};
use crate::id::{AccountId, UserId};
use crate::secret::constant_time_eq;

/// Tells who a credential belongs to; cheap to clone.
#[derive(Clone)]
pub struct Auth(Arc<Inner>);

struct Inner {
    db: Db,
    clock: Clock,
    jwt: Jwt,
    keys: Keys,
    uses: KeyUses,
    caches: Caches,
}

impl Auth {
    /// Over a database, with the server's secret.
    pub fn new(db: Db, clock: Clock, config: &AuthConfig) -> Self {
        let caches = Caches::new(Duration::from_secs(config.cache_seconds));
        let (jwt, keys) = (Jwt::new(config), Keys::new(config));
        Self(Arc::new(Inner {
            db,
            clock,
            jwt,
            keys,
            uses: KeyUses::default(),
            caches,
        }))
    }

    /// The user behind a credential, or [`Error::Unauthenticated`]. A token that was seen in the
    /// last seconds costs no database read.
    pub async fn authenticate(&self, credential: Credential<'_>) -> Result<Arc<Principal>> {
        let (token, is_key) = match credential {
            Credential::Bearer(token) => (token, token.starts_with("sb_")),
            Credential::ApiKey(key) => (key, true),
        };
        let (now, cached) = (self.0.clock.now(), token_key(token));
        let principal = match self.0.caches.principal(&cached) {
            // What is not a key at all is not one because it was sent where keys are.
            Some(principal) if principal.key.is_some() == is_key => principal,
            _ if is_key => self.load_key(token, cached).await?,
            _ => self.load(token, cached, now).await?,
        };
        if principal.expires_at.is_some_and(|at| at <= now) {
            return Err(refused(if is_key {
                "API key expired"
            } else {
                "Token expired"
            }));
        }
        if let Some(key) = &principal.key {
            self.0.uses.note(key, now);
        }
        Ok(principal)
    }

    /// A user who may sign in, for somebody who may act for others; `None` if there is no such user
    /// in the account.
    pub async fn user(&self, user: UserId, account: AccountId) -> Result<Option<Principal>> {
        let stamp = self.0.caches.stamp(user, None, account);
        Ok(store::user(&self.0.db, user, account, stamp).await?)
    }

    /// Notes in the database when API keys are used, until the server stops.
    pub async fn note_key_uses(self, stopping: CancellationToken) {
        self.0.uses.write(&self.0.db, &stopping).await;
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
        let Some(account) = store::account(&self.0.db, identifier.trim())
            .await?
            .map(Arc::new)
        else {
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

    /// The maker of API keys.
    pub fn keys(&self) -> &Keys {
        &self.0.keys
    }

    /// Reads a user anew at the next request: after a change of the user, role, groups or password.
    pub fn invalidate_user(&self, user: UserId) {
        self.0.caches.invalidate_user(user);
    }

    /// Reads a session anew at the next request: after it was revoked.
    pub fn invalidate_session(&self, session: Uuid) {
        self.0.caches.invalidate_credential(session);
    }

    /// Reads an account and its users anew.
    pub fn invalidate_account(&self, account: AccountId) {
        self.0.caches.invalidate_account(account);
    }

    /// Reads everything anew: after changes that were perhaps missed.
    pub fn invalidate_all(&self) {
        self.0.caches.invalidate_all();
    }

    async fn load_key(&self, shown: &str, key: TokenKey) -> Result<Arc<Principal>> {
        let claims = self
            .0
            .keys
            .read(shown)
            .ok_or_else(|| refused("Invalid API key"))?;
        let (user, account) = (UserId(claims.user_id), AccountId(claims.account_id));
        let stamp = self.0.caches.stamp(user, Some(claims.token_id), account);
        let principal = match store::key_owner(&self.0.db, &claims, stamp).await? {
            Some(KeyOwner::Known { hash, principal })
                if constant_time_eq(hash.as_bytes(), one_time::hash(shown).as_bytes()) =>
            {
                Arc::from(principal)
            }
            Some(KeyOwner::Revoked) => return Err(refused("API key revoked")),
            _ => return Err(refused("Invalid API key")),
        };
        self.0.caches.keep(key, Arc::clone(&principal));
        Ok(principal)
    }

    async fn load(&self, token: &str, key: TokenKey, now: DateTime<Utc>) -> Result<Arc<Principal>> {
        let claims = self
            .0
            .jwt
            .check(token, Use::Access, now)
            .map_err(|rejection| {
                refused(match rejection {
                    Rejection::Invalid => "Invalid token",
                    Rejection::Expired => "Token expired",
                    Rejection::WrongUse => "Not an access token",
                })
            })?;
        let (user, account) = (claims.user(), claims.account());
        let stamp = self.0.caches.stamp(user, Some(claims.sid), account);
        let principal =
            store::session_user(&self.0.db, claims.sid, user, account, now, stamp).await?;
        let mut principal =
            principal.ok_or_else(|| refused("The session has ended. Sign in again."))?;
        principal.expires_at = claims.expires_at();
        let principal = Arc::new(principal);
        self.0.caches.keep(key, principal.clone());
        Ok(principal)
    }
}

fn refused(message: &str) -> Error {
    Error::Unauthenticated(message.to_owned())
}
