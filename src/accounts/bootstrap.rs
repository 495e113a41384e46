//! The first start: what every installation has, and its first superadmin.

use std::sync::Arc;

use chrono::TimeDelta;

use super::input::FirstSuperadmin;
use super::names::{parse_email, parse_slug};
use super::store::{self, NewUser};
use super::view::OpenedSession;
use super::{Accounts, trail};
use crate::auth::password::check_policy;
use crate::auth::{
    Caller, Origin, Principal, Stamp, TokenType, api_key, one_time, one_time::Purpose, session,
};
use crate::db::{Batch, CommitError, DbError, Stmt};
use crate::email;
use crate::error::{Error, Result};
use crate::id::{SYSTEM_ACCOUNT, UserId};
use crate::mail;

/// How long the link that is printed at the first start is valid.
const SETUP_HOURS: i64 = 24;
/// How often what nobody can use any more is deleted.
const TIDY: std::time::Duration = std::time::Duration::from_hours(1);

impl Accounts {
    /// Makes what every installation has: roles, the system account, configured accounts and users.
    pub async fn bootstrap(&self) -> Result<()> {
        let inner = &*self.0;
        let now = inner.clock.now();
        for (id, name, description) in [
            (1, "admin", "Administers an account"),
            (2, "user", "Uses an account"),
        ] {
            let insert = "INSERT INTO roles (id, name, description, created_at, updated_at) \
                          VALUES ($1, $2, $3, $4, $4) ON CONFLICT DO NOTHING";
            let args = vec![
                i64::from(id).into(),
                name.into(),
                description.into(),
                now.into(),
            ];
            inner.db.execute(Stmt::fixed(insert, args)).await?;
        }
        let insert = "INSERT INTO accounts (id, account_code, slug, name, created_at, updated_at) \
                      VALUES ($1, 'SY0000', 'system', 'System Account', $2, $2) ON CONFLICT DO NOTHING";
        inner
            .db
            .execute(Stmt::fixed(insert, vec![SYSTEM_ACCOUNT.into(), now.into()]))
            .await?;
        self.normalize_addresses().await?;
        let config = &inner.config.auth;
        if !config.superadmin_email.is_empty() && self.needs_setup().await? {
            // A mistake in it must not keep the server down.
            let created = self
                .create_superadmin(
                    &config.superadmin_email,
                    config.superadmin_password.expose(),
                )
                .await;
            if let Err(error) = created {
                tracing::error!(%error, "the configured superadmin was not created");
            }
        }
        if config.single_tenant_mode {
            let slug = parse_slug(&config.single_tenant_account)
                .map_err(|error| Error::internal(format!("auth.single_tenant_account: {error}")))?;
            if !self.slug_taken(&slug).await? {
                let name = Some(config.single_tenant_account_name.as_str())
                    .filter(|name| !name.is_empty());
                let name = name.unwrap_or(&slug);
                let created = |id| trail::account_created(id, name, &slug);
                match self.insert_empty_account(name, &slug, created).await {
                    // Another node was faster.
                    Ok(_) | Err(Error::Conflict { .. }) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        let service = self.clone();
        inner.lifecycle.spawn(async move {
            let stop = service.0.lifecycle.stopping().clone();
            loop {
                service.tidy().await;
                if tokio::time::timeout(TIDY, stop.cancelled()).await.is_ok() {
                    return;
                }
            }
        });
        Ok(())
    }

    /// Composes the letters of addresses from before they were composed when they came, once.
    async fn normalize_addresses(&self) -> Result<()> {
        let db = &self.0.db;
        let done = Stmt::fixed(
            "SELECT count(*) FROM meta WHERE key = 'addresses_normalized'",
            Vec::new(),
        );
        if db.count(done).await? > 0 {
            return Ok(());
        }
        let select = "SELECT id, email FROM users WHERE octet_length(email) <> length(email)";
        let rows: Vec<(String, String)> = db.rows(Stmt::fixed(select, Vec::new())).await?;
        for (id, email) in rows {
            let Some(normal) = email::normalize_identity(&email).filter(|normal| *normal != email)
            else {
                continue;
            };
            let update = "UPDATE users SET email = $1 WHERE id = $2";
            match db
                .execute(Stmt::fixed(update, vec![normal.into(), id.as_str().into()]))
                .await
            {
                Err(DbError::Unique { .. }) => {
                    tracing::warn!(
                        user.id = id,
                        "two users of an account have the same address, composed in two ways"
                    );
                }
                other => _ = other?,
            }
        }
        let insert = "INSERT INTO meta (key, value) VALUES ('addresses_normalized', '1') ON CONFLICT DO NOTHING";
        db.execute(Stmt::fixed(insert, Vec::new())).await?;
        Ok(())
    }

    /// Whether the server waits for its first superadmin.
    pub async fn needs_setup(&self) -> Result<bool> {
        let count = "SELECT count(*) FROM users WHERE account_id = $1";
        let count = self
            .0
            .db
            .count(Stmt::fixed(count, vec![SYSTEM_ACCOUNT.into()]))
            .await?;
        Ok(count == 0)
    }

    /// A token with which the first superadmin is created, instead of the one before; none if there
    /// is a superadmin.
    pub async fn setup_token(&self) -> Result<Option<String>> {
        if !self.needs_setup().await? {
            return Ok(None);
        }
        let now = self.0.clock.now();
        let (token, [forget, insert]) =
            one_time::issue(Purpose::SetUp, None, "", now, TimeDelta::hours(SETUP_HOURS));
        let batch = Batch::new().with(forget).require(insert);
        self.0
            .db
            .commit(batch)
            .await
            .map_err(|error| Error::from(error.source))?;
        Ok(Some(token))
    }

    /// Creates the first superadmin with the token that the server printed, and signs it in.
    pub async fn setup(
        &self,
        request: FirstSuperadmin,
        origin: impl Into<Origin>,
    ) -> Result<OpenedSession> {
        let (inner, origin) = (&*self.0, origin.into());
        let address = origin.address;
        let email = parse_email(&request.email, "email")?;
        check_policy(&request.password)?;
        if !self.needs_setup().await? {
            return Err(Error::conflict("The server is set up already", None));
        }
        let refused = || {
            let message = "The link is not valid any more: restart the server for a new one";
            inner
                .throttle
                .wrong_token(address, Error::refused("Invalid token", message))
        };
        let now = inner.clock.now();
        one_time::find(&inner.db, Purpose::SetUp, &request.token, now)
            .await?
            .ok_or_else(refused)?;
        // Whoever uses the token up is the one: there is one token.
        let consume = one_time::consume(Purpose::SetUp, &request.token, now);
        match self
            .insert_superadmin(Batch::new().require(consume), &email, request.password)
            .await
        {
            Ok(user) => {
                let row = self.existing_user(&user.to_string()).await?;
                self.open_session(row, None, &origin).await
            }
            Err(DbError::Gone) => Err(refused()),
            Err(error) => Err(error.into()),
        }
    }

    /// Creates a superadmin, whose address counts as confirmed. One who exists gets the password.
    pub async fn create_superadmin(&self, email: &str, password: &str) -> Result<()> {
        let email = parse_email(email, "email")?;
        check_policy(password)?;
        if let Some(user) = store::user_by_email(&self.0.db, SYSTEM_ACCOUNT, &email).await? {
            let hash = self.0.passwords.hash(password.to_owned()).await?;
            let activate = "UPDATE users SET is_active = TRUE WHERE id = $1";
            let entry = trail::password_changed(&user).entry(self.0.clock.now());
            let batch = Batch::new()
                .require(Stmt::fixed(activate, vec![user.id.as_str().into()]))
                .with(entry);
            let changed = self
                .change_password(batch, &user, &hash, true, "system")
                .await;
            return changed.map_err(|error| Error::from(error.source));
        }
        self.insert_superadmin(Batch::new(), &email, password.to_owned())
            .await?;
        Ok(())
    }

    /// The active superadmin with this address, as the caller of operations: for the command line.
    pub async fn superadmin_at(&self, email: &str) -> Result<Option<Caller>> {
        let email = parse_email(email, "email")?;
        let user = store::user_by_email(&self.0.db, SYSTEM_ACCOUNT, &email)
            .await?
            .filter(|user| user.is_active);
        let Some(user) = user else { return Ok(None) };
        let subject = user.session_user()?;
        Ok(Some(Caller::User(Arc::new(Principal {
            user_id: subject.user,
            user_id_text: subject.user.to_string(),
            account: subject.account,
            email: subject.email,
            role: subject.role,
            groups: Vec::new(),
            is_active: true,
            email_verified: user.email_verified,
            created_at: user.created_at,
            last_login: user.last_login,
            token_type: TokenType::Jwt,
            session_id: None,
            key: None,
            expires_at: None,
            stamp: Stamp::default(),
        }))))
    }

    async fn insert_superadmin(
        &self,
        batch: Batch,
        email: &str,
        password: String,
    ) -> Result<UserId, DbError> {
        let inner = &*self.0;
        let hash = inner
            .passwords
            .hash(password)
            .await
            .map_err(|error| DbError::Check(error.to_string()))?;
        let user = NewUser {
            id: UserId::new(),
            account: SYSTEM_ACCOUNT,
            email,
            password_hash: &hash,
            role_id: 1,
            verified: true,
            at: inner.clock.now(),
        };
        let entry = trail::user_created(&user).entry(user.at);
        match inner
            .db
            .commit(batch.require(store::insert_user(&user)).with(entry))
            .await
        {
            Ok(_) => Ok(user.id),
            Err(CommitError { source, .. }) => Err(source),
        }
    }

    async fn tidy(&self) {
        let now = self.0.clock.now();
        for stmt in [
            session::prune(now),
            one_time::prune(now),
            api_key::prune(now),
            mail::prune_log(now),
        ] {
            if let Err(error) = self.0.db.execute(stmt).await {
                tracing::warn!(%error, "old sessions, tokens, API keys and entries of the log of mails could not be deleted");
            }
        }
    }
}
