//! Signing in, refreshing, signing out.

use std::net::IpAddr;
use std::sync::Arc;

use super::input::{Checks, SignIn, length};
use super::names::parse_email;
use super::store::{self, UserRow};
use super::view::{OpenedSession, Profile, RefreshedTokens, User};
use super::{Accounts, trail};
use crate::access::account::signed_in;
use crate::auth::bucket::network;
use crate::auth::jwt::Claims;
use crate::auth::password::Verdict;
use crate::auth::{AccountRef, Admission, Caller, Door, Origin};
use crate::db::{Batch, CommitError, DbError, Stmt, Value};
use crate::error::{Error, Result};
use crate::hooks::AuthEvent;
use crate::id::{AccountId, UserId};

/// What a refused sign-in is told, whatever the reason.
const REFUSED: &str = "Invalid credentials";
/// Clients look for the word `email` to tell this from a wrong password.
const UNVERIFIED: &str = "Email not verified. Please check your email inbox.";

impl Accounts {
    /// Signs a user in.
    pub async fn login(&self, request: SignIn, origin: impl Into<Origin>) -> Result<OpenedSession> {
        let (inner, origin) = (&*self.0, origin.into());
        let address = origin.address;
        let mut checks = Checks::default();
        let email = checks.take(parse_email(&request.email, "email"));
        if let Some(account) = &request.account {
            checks.take(length("account", account, 1..=usize::MAX));
        }
        let email = checks.done(email)?;
        let account = self.account_for(request.account.as_deref()).await?;
        let account_id = account.as_ref().map(|account| account.id);
        let mut event = AuthEvent {
            email: email.clone(),
            account_id,
            user_id: None,
        };
        if !inner.hooks.auth_before_login.is_empty() {
            event = inner.hooks.auth_before_login.run(event).await?;
        }
        // Without an account, its name: so that there is no more to be guessed for accounts that do
        // not exist.
        let scope = account.as_ref().map_or_else(
            || request.account.clone().unwrap_or_default().to_lowercase(),
            |account| account.id_text.clone(),
        );
        let identity = format!("{scope} {email}");
        let user = match &account {
            Some(account) => store::user_by_email(&inner.db, account.id, &email).await?,
            None => None,
        };
        let checked = self
            .check_password(user.as_ref(), &request.password, address, &identity)
            .await;
        if let Err(Error::RateLimited { .. }) = &checked
            && inner.throttle.is_news(address, &identity)
        {
            self.not_let_in(account_id, user.as_ref(), &email, "throttled")
                .await;
        }
        let verdict = checked?;
        let user = match user {
            Some(user) if verdict != Verdict::Wrong && user.is_active => user,
            user => {
                inner.throttle.count_failure(address, &identity);
                let reason = match &user {
                    None => "unknown_user",
                    Some(user) if user.auth_provider != "password" => "wrong_method",
                    Some(_) if verdict == Verdict::Wrong => "wrong_password",
                    Some(_) => "inactive",
                };
                self.not_let_in(account_id, user.as_ref(), &email, reason)
                    .await;
                return Err(refused());
            }
        };
        inner.throttle.count(Door::SignIn, address, Some(&identity));
        // Superadmins need no mail to run the server.
        let verified = user.email_verified || user.account_id()?.is_system();
        if inner.config.verification_required() && !verified {
            self.not_let_in(account_id, Some(&user), &email, "unverified")
                .await;
            return Err(Error::SignInRefused(UNVERIFIED.into()));
        }
        let renewed = match verdict {
            Verdict::Outdated => Some(inner.passwords.hash(request.password).await?),
            _ => None,
        };
        let response = self.open_session(user, renewed, &origin).await?;
        if !inner.hooks.auth_after_login.is_empty() {
            event.user_id = Some(response.user.id.clone());
            // The user is in: a hook cannot stop that any more.
            if let Err(error) = inner.hooks.auth_after_login.run(event).await {
                tracing::warn!(%error, "a hook failed after a sign-in");
            }
        }
        Ok(response)
    }

    /// Compares the password of a sign-in, as far as those before it allow. A wrong one that was
    /// looked at although too many had failed is answered like one that was not.
    async fn check_password(
        &self,
        user: Option<&UserRow>,
        password: &str,
        address: Option<IpAddr>,
        identity: &str,
    ) -> Result<Verdict> {
        let inner = &*self.0;
        // Who signs in another way has no password, and whoever does not know that is not told.
        let by_password = user.filter(|user| user.auth_provider == "password");
        let stored = by_password.map(|user| user.password_hash.clone());
        let admission = inner.throttle.admit(address, identity)?;
        let known = admission != Admission::Open && self.is_known_client(user, address).await?;
        let _turn = match admission {
            Admission::OverLimit(retry_after) if !known => {
                return Err(Error::RateLimited { retry_after });
            }
            Admission::OverLimit(_) => Some(
                inner
                    .throttle
                    .let_known_client_through(address, identity)
                    .await?,
            ),
            Admission::Braked if !known => Some(inner.throttle.brake(identity).await?),
            Admission::Braked | Admission::Open => None,
        };
        // Others may have failed while this one waited for a thread.
        let allowed = || match inner.throttle.admit(address, identity)? {
            Admission::OverLimit(retry_after) if !matches!(admission, Admission::OverLimit(_)) => {
                Err(Error::RateLimited { retry_after })
            }
            _ => Ok(()),
        };
        let verdict = inner
            .passwords
            .verify(password.to_owned(), stored, allowed)
            .await?;
        match admission {
            Admission::OverLimit(retry_after) if verdict == Verdict::Wrong => {
                Err(Error::RateLimited { retry_after })
            }
            _ => Ok(verdict),
        }
    }

    /// Whether the user has signed in from this network before, as far as the sessions go back.
    async fn is_known_client(
        &self,
        user: Option<&UserRow>,
        address: Option<IpAddr>,
    ) -> Result<bool> {
        let (Some(user), Some(address)) = (user, address) else {
            return Ok(false);
        };
        let select = "SELECT ip_address FROM sessions WHERE user_id = $1 AND ip_address IS NOT NULL \
                      ORDER BY created_at DESC LIMIT 1000";
        let rows: Vec<(String,)> = self
            .0
            .db
            .rows(Stmt::fixed(select, vec![user.id.as_str().into()]))
            .await?;
        let here = network(address);
        Ok(rows
            .iter()
            .filter_map(|(text,)| text.parse().ok())
            .any(|known: IpAddr| network(known) == here))
    }

    /// Ends the oldest sessions of a user who has more than are allowed.
    async fn end_oldest_sessions(&self, account: AccountId, user: UserId) -> Result<()> {
        let inner = &*self.0;
        let now = inner.clock.now();
        let select = "SELECT id FROM sessions WHERE user_id = $1 AND revoked_at IS NULL AND expires_at > $2 \
                      ORDER BY created_at DESC, id DESC LIMIT 10 OFFSET $3";
        let most = i64::from(inner.config.auth.session_max_per_user);
        let rows: Vec<(String,)> = inner
            .db
            .rows(Stmt::fixed(
                select,
                vec![user.into(), now.into(), most.into()],
            ))
            .await?;
        for session in rows
            .iter()
            .filter_map(|(id,)| uuid::Uuid::try_parse(id).ok())
        {
            let entry = trail::session_displaced(account, session).entry(now);
            inner
                .sessions
                .revoke(account, user, session, "system", Some(entry))
                .await?;
        }
        Ok(())
    }

    /// Opens a session for a user whose password was checked, and stores the password's new hash if
    /// there is one.
    pub(super) async fn open_session(
        &self,
        mut user: UserRow,
        renewed: Option<String>,
        origin: &Origin,
    ) -> Result<OpenedSession> {
        let inner = &*self.0;
        let now = inner.clock.now();
        let subject = user.session_user()?;
        let (pair, open) = inner.sessions.open(&subject, origin, now)?;
        // The password must still be the one that was checked: a change of it has ended all
        // sessions.
        let update = "UPDATE users SET last_login = $1, password_hash = $2 \
                      WHERE id = $3 AND password_hash = $4 AND is_active";
        let args = vec![
            now.into(),
            Value::Text(renewed.unwrap_or_else(|| user.password_hash.clone())),
            user.id.as_str().into(),
            user.password_hash.as_str().into(),
        ];
        let entry = trail::signed_in(&user, subject.account.id).entry(now);
        match inner
            .db
            .commit(
                Batch::new()
                    .require(Stmt::fixed(update, args))
                    .with(open)
                    .with(entry),
            )
            .await
        {
            Ok(_) => {}
            Err(CommitError {
                source: DbError::Gone,
                ..
            }) => return Err(refused()),
            Err(error) => return Err(error.source.into()),
        }
        self.end_oldest_sessions(subject.account.id, subject.user)
            .await?;
        user.last_login = Some(now);
        let groups = store::groups_of(&inner.db, std::slice::from_ref(&user))
            .await?
            .remove(&user.id);
        Ok(OpenedSession {
            token: pair.access,
            refresh_token: pair.refresh,
            expires_in: pair.expires_in,
            account: (&*subject.account).into(),
            user: User::of_row(&user, groups.unwrap_or_default()),
        })
    }

    /// Exchanges a refresh token.
    pub async fn refresh(
        &self,
        refresh_token: String,
        address: Option<IpAddr>,
    ) -> Result<RefreshedTokens> {
        let inner = &*self.0;
        length("refresh_token", &refresh_token, 1..=usize::MAX)?;
        let now = inner.clock.now();
        let reused = |account, session| trail::token_reused(account, session).entry(now);
        match inner.sessions.refresh(&refresh_token, reused).await {
            Ok(pair) => Ok(RefreshedTokens {
                token: pair.access,
                refresh_token: pair.refresh,
                expires_in: pair.expires_in,
            }),
            Err(error @ Error::SignInRefused(_)) => Err(inner.throttle.wrong_token(address, error)),
            Err(error) => Err(error),
        }
    }

    /// The user that is calling, with its account.
    pub fn me(&self, caller: &Caller) -> Result<Profile> {
        let principal = signed_in(caller)?;
        Ok(Profile {
            user_id: principal.user_id_text.clone(),
            account_id: principal.account.id_text.clone(),
            email: principal.email.clone(),
            role: principal.role.clone(),
            user: principal.into(),
            account: (&*principal.account).into(),
        })
    }

    /// Ends the caller's session, and those of the tokens, which may have expired. Without any
    /// there is nothing to end.
    pub async fn logout(&self, caller: &Caller, tokens: &[&str]) -> Result<&'static str> {
        let inner = &*self.0;
        let event = caller.principal().map(|principal| AuthEvent {
            email: principal.email.clone(),
            account_id: Some(principal.account.id),
            user_id: Some(principal.user_id_text.clone()),
        });
        if let Some(event) = event
            .clone()
            .filter(|_| !inner.hooks.auth_before_logout.is_empty())
        {
            inner.hooks.auth_before_logout.run(event).await?;
        }
        if let Some(principal) = caller.principal()
            && let Some(session) = principal.session_id
        {
            let entry = trail::session_ended(principal.account.id, session)
                .by(caller)
                .entry(inner.clock.now());
            inner
                .sessions
                .revoke(
                    principal.account.id,
                    principal.user_id,
                    session,
                    caller.actor(),
                    Some(entry),
                )
                .await?;
        }
        for token in tokens {
            let entry = |claims: &Claims| {
                let event = trail::session_ended(claims.account(), claims.sid);
                event
                    .by_user(
                        claims.user(),
                        claims.email.as_deref().unwrap_or_default(),
                        "jwt",
                    )
                    .entry(inner.clock.now())
            };
            inner.sessions.revoke_token(token, entry).await?;
        }
        if let Some(event) = event.filter(|_| !inner.hooks.auth_after_logout.is_empty())
            && let Err(error) = inner.hooks.auth_after_logout.run(event).await
        {
            tracing::warn!(%error, "a hook failed after a sign-out");
        }
        Ok("Signed out")
    }

    /// The account that a request without credentials is about: the one it names, or the only one.
    pub(super) async fn account_for(&self, named: Option<&str>) -> Result<Option<Arc<AccountRef>>> {
        let inner = &*self.0;
        let config = &inner.config.auth;
        let named = named.filter(|name| !name.trim().is_empty());
        match named {
            Some(name) => inner.auth.resolve_account(name).await,
            None if config.single_tenant_mode => {
                inner
                    .auth
                    .resolve_account(&config.single_tenant_account)
                    .await
            }
            None => Err(Error::invalid(
                "account",
                "required",
                "Account is required in multi-tenant mode",
            )),
        }
    }
}

fn refused() -> Error {
    Error::SignInRefused(REFUSED.into())
}
