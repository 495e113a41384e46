//! New passwords for forgotten ones, and new passwords by a superadmin.

use std::net::IpAddr;

use serde_json::json;

use super::input::{ForgottenPassword, PasswordChange, PasswordReset, length};
use super::names::parse_email;
use super::store::{self, UserRow};
use super::view::ResetTokenValidity;
use super::{Accounts, trail, unlimited_for};
use crate::access::account::superadmin;
use crate::auth::access_log::AccessChange;
use crate::auth::password::check_new_password;
use crate::auth::{Caller, Door, one_time, one_time::Purpose, session};
use crate::db::{Batch, CommitError, DbError, Stmt, canonical_time};
use crate::error::{Error, Problem, Result};
use crate::hooks::AuthEvent;
use crate::mail::Kind;

const SENT: &str = "If an account with that email exists, a password reset link has been sent.";

impl Accounts {
    /// Sends a link to set a new password; the answer and its time are always the same.
    pub async fn forgot_password(
        &self,
        request: ForgottenPassword,
        address: Option<IpAddr>,
    ) -> Result<&'static str> {
        let email = parse_email(&request.email, "email")?;
        let account = self.account_for(request.account.as_deref()).await?;
        let scope = account.as_ref().map_or("", |account| &account.id_text);
        self.0
            .throttle
            .enter(Door::Mail, address, Some(&format!("reset {scope} {email}")))?;
        let service = self.clone();
        self.in_background(async move {
            let Some(account) = account else {
                return Ok(());
            };
            match store::user_by_email(&service.0.db, account.id, &email).await? {
                Some(user) if user.is_active && user.auth_provider == "password" => {
                    service
                        .mail_link(Purpose::ResetPassword, Kind::ResetPassword, &user)
                        .await
                }
                _ => Ok(()),
            }
        });
        Ok(SENT)
    }

    /// Whether a token for a new password is valid.
    pub async fn reset_token_status(
        &self,
        token: &str,
        address: Option<IpAddr>,
    ) -> Result<ResetTokenValidity> {
        let inner = &*self.0;
        let found =
            one_time::find(&inner.db, Purpose::ResetPassword, token, inner.clock.now()).await?;
        if found.is_none() {
            inner.throttle.enter(Door::Guess, address, None)?;
        }
        Ok(ResetTokenValidity {
            valid: found.is_some(),
            expires_at: found.map(|found| found.expires_at),
        })
    }

    /// Sets a new password with the token out of a mail. Every session of the user ends.
    pub async fn reset_password(
        &self,
        request: PasswordReset,
        address: Option<IpAddr>,
    ) -> Result<&'static str> {
        let inner = &*self.0;
        length("new_password", &request.new_password, 8..=1024)?;
        check_new_password(&request.new_password)?;
        let refused = || {
            let refusal = Error::refused(
                "Invalid token",
                "Invalid, expired, or already used reset token",
            );
            inner.throttle.wrong_token(address, refusal)
        };
        let now = inner.clock.now();
        let token = one_time::find(&inner.db, Purpose::ResetPassword, &request.token, now)
            .await?
            .ok_or_else(refused)?;
        let user_id = token.user_id.ok_or_else(refused)?;
        let user = store::user_by_id(&inner.db, &user_id)
            .await?
            .ok_or_else(refused)?;
        self.refuse_demo(&user)?;
        let event = AuthEvent {
            email: user.email.clone(),
            account_id: Some(user.account_id()?),
            user_id: Some(user.id.clone()),
        };
        if !inner.hooks.auth_before_password_reset.is_empty() {
            inner
                .hooks
                .auth_before_password_reset
                .run(event.clone())
                .await?;
        }
        let hash = inner.passwords.hash(request.new_password).await?;
        let consume = one_time::consume(Purpose::ResetPassword, &request.token, now);
        // Whoever could read the mail has the address.
        let confirmed = user.email == token.email;
        let entry = trail::password_changed(&user)
            .by_user(&user.id, &user.email, "token")
            .entry(now);
        let batch = Batch::new().require(consume).with(entry);
        match self
            .change_password(batch, &user, &hash, confirmed, &user.id)
            .await
        {
            Err(CommitError {
                source: DbError::Gone,
                ..
            }) => return Err(refused()),
            Err(error) => return Err(error.source.into()),
            Ok(()) => {}
        }
        if !inner.hooks.auth_after_password_reset.is_empty()
            && let Err(error) = inner.hooks.auth_after_password_reset.run(event).await
        {
            tracing::warn!(%error, "a hook failed after a new password was set");
        }
        Ok("Password has been reset successfully")
    }

    /// Sets a user's password, or sends a link to set one, for a superadmin.
    pub async fn set_password(
        &self,
        caller: &Caller,
        id: &str,
        request: PasswordChange,
    ) -> Result<&'static str> {
        superadmin(caller)?;
        let inner = &*self.0;
        let user = self.existing_user(id).await?;
        unlimited_for(caller, user.account_id()?)?;
        self.refuse_demo(&user)?;
        if request.send_reset_link {
            inner.mailer.require_delivery()?;
            let now = inner.clock.now();
            let event =
                trail::user_changed(&user, &json!({"reset_link_sent_at": canonical_time(now)}))
                    .by(caller);
            let batch = Batch::new()
                .with(session::revoke_all(user.user_id()?, now))
                .with(event.entry(now));
            let batch =
                store::announce(batch, &user, AccessChange::Credentials, now, caller.actor())?;
            inner
                .db
                .commit(batch)
                .await
                .map_err(|error| Error::from(error.source))?;
            inner.auth.invalidate_user(user.user_id()?);
            self.mail_link(Purpose::ResetPassword, Kind::ResetPassword, &user)
                .await?;
            return Ok("A link to set a new password is on its way");
        }
        let Some(password) = request.new_password else {
            return Err(Error::malformed(Problem::missing("new_password")));
        };
        check_new_password(&password)?;
        let hash = inner.passwords.hash(password).await?;
        let entry = trail::password_changed(&user)
            .by(caller)
            .entry(inner.clock.now());
        self.change_password(
            Batch::new().with(entry),
            &user,
            &hash,
            false,
            caller.actor(),
        )
        .await
        .map_err(|error| Error::from(error.source))?;
        Ok("Password updated successfully")
    }

    /// Adds to a transaction that the user has another password and no session, and commits it.
    pub(super) async fn change_password(
        &self,
        batch: Batch,
        user: &UserRow,
        hash: &str,
        confirmed: bool,
        actor: &str,
    ) -> Result<(), CommitError> {
        let inner = &*self.0;
        let now = inner.clock.now();
        let defect = |error: Error| CommitError {
            index: 0,
            source: DbError::Check(error.to_string()),
        };
        let id = user.user_id().map_err(defect)?;
        let update = "UPDATE users SET password_hash = $1, updated_at = $2, \
                      email_verified = (email_verified OR $3) WHERE id = $4";
        let update = Stmt::fixed(
            update,
            vec![hash.into(), now.into(), confirmed.into(), id.into()],
        );
        // The user first: a sign-in that is under way waits for it, and is then refused or ended.
        let batch = batch
            .require(update)
            .with(session::revoke_all(id, now))
            .with(one_time::forget(Purpose::ResetPassword, Some(id)));
        inner
            .db
            .commit(
                store::announce(batch, user, AccessChange::Credentials, now, actor)
                    .map_err(defect)?,
            )
            .await?;
        inner.auth.invalidate_user(id);
        Ok(())
    }
}
