//! Confirming e-mail addresses.

use std::net::IpAddr;

use chrono::TimeDelta;
use serde_json::json;

use super::input::VerificationTarget;
use super::names::parse_email;
use super::store::{self, UserRow};
use super::view::ConfirmedAddress;
use super::{Accounts, trail, unlimited_for};
use crate::access::account::{signed_in, superadmin};
use crate::auth::access_log::AccessChange;
use crate::auth::{Caller, Door, one_time, one_time::Purpose};
use crate::db::{Batch, CommitError, DbError, Stmt};
use crate::error::{Error, Result};
use crate::mail::{Kind, Mail};

const SENT: &str = "If the address is known and not confirmed yet, a mail is on its way.";

impl Accounts {
    /// Confirms the address that a token was sent to.
    pub async fn verify_email(
        &self,
        token: &str,
        address: Option<IpAddr>,
    ) -> Result<ConfirmedAddress> {
        let inner = &*self.0;
        let now = inner.clock.now();
        let refused = || {
            let refusal = Error::refused("Invalid token", "Invalid or expired verification token");
            inner.throttle.wrong_token(address, refusal)
        };
        let found = one_time::find(&inner.db, Purpose::VerifyEmail, token, now)
            .await?
            .ok_or_else(refused)?;
        let user_id = found.user_id.ok_or_else(refused)?;
        // The address must still be the one that the mail went to.
        let update = "UPDATE users SET email_verified = TRUE, email_verified_at = $1, updated_at = $1 \
                      WHERE id = $2 AND email = $3";
        let update = Stmt::fixed(
            update,
            vec![
                now.into(),
                user_id.as_str().into(),
                found.email.as_str().into(),
            ],
        );
        let user = store::user_by_id(&inner.db, &user_id)
            .await?
            .ok_or_else(refused)?;
        let event = trail::user_changed(&user, &json!({"email_verified": true}));
        let entry = event.by_user(&user_id, &found.email, "token").entry(now);
        let consume = one_time::consume(Purpose::VerifyEmail, token, now);
        match inner
            .db
            .commit(Batch::new().require(consume).require(update).with(entry))
            .await
        {
            Ok(_) => {}
            Err(CommitError {
                source: DbError::Gone,
                ..
            }) => return Err(refused()),
            Err(error) => return Err(error.source.into()),
        }
        if let Some(user) = crate::id::UserId::parse(&user_id) {
            inner.auth.invalidate_user(user);
        }
        Ok(ConfirmedAddress {
            id: user_id,
            email: found.email,
        })
    }

    /// Sends the caller a mail to confirm the address; superadmins may name another user's.
    pub async fn send_verification(
        &self,
        caller: &Caller,
        request: &VerificationTarget,
        address: Option<IpAddr>,
    ) -> Result<&'static str> {
        let inner = &*self.0;
        let principal = signed_in(caller)?;
        inner.mailer.require_delivery()?;
        let email = match &request.email {
            Some(email) => parse_email(email, "email")?,
            None => principal.email.clone(),
        };
        let account = if email == principal.email {
            principal.account.id
        } else if caller.is_superadmin() {
            let named = match &request.account {
                Some(named) => inner.auth.resolve_account(named).await?,
                None => Some(principal.account.clone()),
            };
            named
                .ok_or_else(|| Error::not_found("Account not found"))?
                .id
        } else {
            return Err(Error::Forbidden(
                "You can only have a mail sent to your own address".into(),
            ));
        };
        inner.throttle.enter(
            Door::Mail,
            address,
            Some(&format!("verify {account} {email}")),
        )?;
        let user = store::user_by_email(&inner.db, account, &email).await?;
        let user = user.ok_or_else(|| Error::not_found("User not found"))?;
        if user.email_verified {
            return Ok("The address is confirmed already");
        }
        self.mail_verification(&user).await?;
        Ok("A mail to confirm the address is on its way")
    }

    /// Sends a mail to confirm an address to whoever says to have registered; the answer is always
    /// the same.
    pub async fn resend_verification(
        &self,
        caller: &Caller,
        request: VerificationTarget,
        address: Option<IpAddr>,
    ) -> Result<&'static str> {
        if caller.principal().is_some() {
            return self.send_verification(caller, &request, address).await;
        }
        self.0.mailer.require_delivery()?;
        let missing = || Error::malformed(crate::error::Problem::missing("email"));
        let email = parse_email(request.email.as_deref().ok_or_else(missing)?, "email")?;
        let account = self.account_for(request.account.as_deref()).await?;
        let scope = account.as_ref().map_or("", |account| &account.id_text);
        self.0.throttle.enter(
            Door::Mail,
            address,
            Some(&format!("verify {scope} {email}")),
        )?;
        let service = self.clone();
        self.in_background(async move {
            let Some(account) = account else {
                return Ok(());
            };
            match store::user_by_email(&service.0.db, account.id, &email).await? {
                Some(user) if !user.email_verified && user.is_active => {
                    service.mail_verification(&user).await
                }
                _ => Ok(()),
            }
        });
        Ok(SENT)
    }

    /// Sends a user a mail to confirm the address, for a superadmin.
    pub async fn resend_user_verification(
        &self,
        caller: &Caller,
        id: &str,
    ) -> Result<&'static str> {
        superadmin(caller)?;
        let user = self.existing_user(id).await?;
        unlimited_for(caller, user.account_id()?)?;
        if user.email_verified {
            return Err(Error::refused(
                "Already verified",
                "The address is confirmed already",
            ));
        }
        self.0.mailer.require_delivery()?;
        self.mail_verification(&user).await?;
        Ok("A mail to confirm the address is on its way")
    }

    /// Confirms a user's address without a mail, for a superadmin.
    pub async fn verify_user(&self, caller: &Caller, id: &str) -> Result<&'static str> {
        superadmin(caller)?;
        let user = self.existing_user(id).await?;
        unlimited_for(caller, user.account_id()?)?;
        let now = self.0.clock.now();
        let update = "UPDATE users SET email_verified = TRUE, email_verified_at = coalesce(email_verified_at, $1) \
                      WHERE id = $2";
        let update = Stmt::fixed(update, vec![now.into(), user.id.as_str().into()]);
        let entry = trail::user_changed(&user, &json!({"email_verified": true}))
            .by(caller)
            .entry(now);
        let batch = store::announce(
            Batch::new().require(update).with(entry),
            &user,
            AccessChange::Credentials,
            now,
            caller.actor(),
        )?;
        self.0
            .db
            .commit(batch)
            .await
            .map_err(|error| Error::from(error.source))?;
        self.0.auth.invalidate_user(user.user_id()?);
        Ok("User email verified successfully")
    }

    async fn mail_verification(&self, user: &UserRow) -> Result<()> {
        self.mail_link(Purpose::VerifyEmail, Kind::VerifyEmail, user)
            .await
    }

    /// Stores a one-time token for a user, instead of the one before, and sends it.
    pub(super) async fn mail_link(
        &self,
        purpose: Purpose,
        kind: Kind,
        user: &UserRow,
    ) -> Result<()> {
        let inner = &*self.0;
        let lifetime = TimeDelta::seconds(inner.config.auth.link_seconds);
        let now = inner.clock.now();
        let (token, [forget, insert]) =
            one_time::issue(purpose, Some(user.user_id()?), &user.email, now, lifetime);
        inner
            .db
            .commit(Batch::new().with(forget).require(insert))
            .await
            .map_err(|error| Error::from(error.source))?;
        inner.mailer.send(Mail {
            kind,
            account: user.account_id()?,
            to: user.email.clone(),
            token,
        })
    }
}
