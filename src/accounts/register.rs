//! Registering: a new account with its first user, or a new user of the only account.

use std::net::IpAddr;

use super::input::{Checks, NewRegistration, length, name};
use super::names::{next_code, parse_email, parse_slug, slug_of};
use super::store::{self, NewUser, UserRow};
use super::view::{Account, Registration, User};
use super::{Accounts, trail};
use crate::audit::Event;
use crate::auth::password::check_policy;
use crate::auth::{ADMIN_ROLE, Door, PII_GROUP, USER_ROLE, one_time};
use crate::db::{Batch, CommitError, DbError, Stmt};
use crate::error::{Error, Result};
use crate::hooks::AuthEvent;
use crate::id::{AccountId, UserId, new_id};
use crate::mail::{Kind, Mail};

/// Attempts to take a code that another node takes at the same moment.
const ATTEMPTS: usize = 20;

impl Accounts {
    /// Registers a user: with a new account, or in single-tenant mode in the one that there is.
    pub async fn register(
        &self,
        mut request: NewRegistration,
        address: Option<IpAddr>,
    ) -> Result<Registration> {
        let inner = &*self.0;
        let mut checks = Checks::default();
        let email = checks.take(parse_email(&request.email, "email"));
        checks.take(length("password", &request.password, 1..=1024));
        if let Some(account_name) = &request.account_name {
            // A blank one is missing where it is needed.
            let is_blank = account_name.trim().is_empty() && !account_name.is_empty();
            request.account_name = if is_blank {
                None
            } else {
                checks.take(name("account_name", account_name, 1..=255))
            };
        }
        if let Some(slug) = &request.account_slug {
            checks.take(length("account_slug", slug, 3..=32));
        }
        let email = checks.done(email)?;
        check_policy(&request.password)?;
        inner.throttle.enter(Door::Register, address, None)?;
        self.enter_unasked_mail(&email, address)?;
        let mut event = AuthEvent {
            email: email.clone(),
            account_id: None,
            user_id: None,
        };
        if !inner.hooks.auth_before_register.is_empty() {
            event = inner.hooks.auth_before_register.run(event).await?;
        }
        let user = if inner.config.auth.single_tenant_mode {
            self.join(&email, request.password).await?
        } else {
            self.found(&email, request).await?
        };
        if !inner.hooks.auth_after_register.is_empty() {
            event.account_id = Some(user.account_id()?);
            event.user_id = Some(user.id.clone());
            if let Err(error) = inner.hooks.auth_after_register.run(event).await {
                tracing::warn!(%error, "a hook failed after a registration");
            }
        }
        let groups = store::groups_of(&inner.db, std::slice::from_ref(&user))
            .await?
            .remove(&user.id);
        Ok(Registration {
            must_verify: inner.config.verification_required(),
            account: Account::from(&*user.session_user()?.account),
            user: User::of_row(&user, groups.unwrap_or_default()),
        })
    }

    /// A new user of the only account.
    async fn join(&self, email: &str, password: String) -> Result<UserRow> {
        let inner = &*self.0;
        let account = self
            .account_for(None)
            .await?
            .ok_or_else(|| Error::not_found("The account does not exist"))?;
        refuse_system_account(account.id)?;
        let taken = || Error::conflict("A user with this address exists already", Some("email"));
        if store::user_by_email(&inner.db, account.id, email)
            .await?
            .is_some()
        {
            return Err(taken());
        }
        let role_id = store::role_named(&inner.db, USER_ROLE).await?;
        let password_hash = inner.passwords.hash(password).await?;
        let user = NewUser {
            id: UserId::new(),
            account: account.id,
            email,
            password_hash: &password_hash,
            role_id,
            verified: false,
            at: inner.clock.now(),
        };
        let entry = trail::user_created(&user).by_nobody().entry(user.at);
        let batch = Batch::new().require(store::insert_user(&user)).with(entry);
        let (batch, mail) = self.with_verification(batch, &user);
        match inner.db.commit(batch).await {
            Ok(_) => {}
            Err(CommitError {
                source: DbError::Unique { .. },
                ..
            }) => return Err(taken()),
            Err(error) => return Err(error.source.into()),
        }
        self.registered(&user, mail).await
    }

    /// A new account with its first user.
    async fn found(&self, email: &str, request: NewRegistration) -> Result<UserRow> {
        let inner = &*self.0;
        let Some(name) = request.account_name.as_deref() else {
            return Err(Error::invalid(
                "account_name",
                "required",
                "Account name is required",
            ));
        };
        let slug = match &request.account_slug {
            Some(slug) => parse_slug(slug)?,
            None => slug_of(name),
        };
        if self.slug_taken(&slug).await? {
            return Err(slug_conflict());
        }
        let role_id = store::role_named(&inner.db, ADMIN_ROLE).await?;
        let password_hash = inner.passwords.hash(request.password).await?;
        let (id, group, at) = (UserId::new(), new_id().to_string(), inner.clock.now());
        let mut mail = None;
        let new_user = |account| NewUser {
            id,
            account,
            email,
            password_hash: &password_hash,
            role_id,
            verified: false,
            at,
        };
        let account = self
            .insert_account(name, &slug, |account, batch| {
                let user = new_user(account);
                let add_member = "INSERT INTO group_members (group_id, user_id) VALUES ($1, $2)";
                let batch = batch
                    .require(store::insert_user(&user))
                    .require(store::insert_pii_group(&group, account, at))
                    .require(Stmt::fixed(
                        add_member,
                        vec![group.as_str().into(), id.into()],
                    ));
                let batch = batch
                    .with(
                        trail::account_created(account, name, &slug)
                            .by_nobody()
                            .entry(at),
                    )
                    .with(trail::user_created(&user).by_nobody().entry(at))
                    .with(
                        trail::group_created(&group, account, PII_GROUP, None)
                            .by_nobody()
                            .entry(at),
                    )
                    .with(
                        trail::member_added(&group, account, id)
                            .by_nobody()
                            .entry(at),
                    );
                let (batch, verification) = self.with_verification(batch, &user);
                mail = verification;
                batch
            })
            .await?;
        self.registered(&new_user(account), mail).await
    }

    /// Stores an account without users, with the group that every account has, and the event that
    /// tells of it.
    pub(super) async fn insert_empty_account(
        &self,
        name: &str,
        slug: &str,
        created: impl Fn(AccountId) -> Event,
    ) -> Result<AccountId> {
        let (group, at) = (new_id().to_string(), self.0.clock.now());
        self.insert_account(name, slug, |account, batch| {
            batch
                .require(store::insert_pii_group(&group, account, at))
                .with(created(account).entry(at))
        })
        .await
    }

    /// Stores an account under the next free code, with what `more` adds to the transaction.
    async fn insert_account(
        &self,
        name: &str,
        slug: &str,
        mut more: impl FnMut(AccountId, Batch) -> Batch,
    ) -> Result<AccountId> {
        let inner = &*self.0;
        let _turn = inner.codes.lock().await;
        for _ in 0..ATTEMPTS {
            let highest =
                "SELECT max(account_code) FROM accounts WHERE account_code NOT LIKE 'SY%'";
            let highest: Option<(Option<String>,)> =
                inner.db.row(Stmt::fixed(highest, Vec::new())).await?;
            let highest = highest.and_then(|(code,)| code);
            let code = next_code(highest.as_deref())
                .ok_or_else(|| Error::internal("there are no more account codes"))?;
            let (id, now) = (AccountId::new(), inner.clock.now());
            let batch = more(
                id,
                Batch::new().require(insert_account(id, &code, slug, name, now)),
            );
            match inner.db.commit(batch).await {
                Ok(_) => return Ok(id),
                Err(CommitError {
                    source: DbError::Unique { .. },
                    ..
                }) if self.slug_taken(slug).await? => {
                    return Err(slug_conflict());
                }
                // Another node took the code.
                Err(CommitError {
                    source: DbError::Unique { .. } | DbError::Busy | DbError::SerializationFailure,
                    ..
                }) => {}
                Err(error) => return Err(error.source.into()),
            }
        }
        Err(Error::Unavailable(
            "Too many registrations at once. Try again.".into(),
        ))
    }

    pub(super) async fn slug_taken(&self, slug: &str) -> Result<bool> {
        let count = "SELECT count(*) FROM accounts WHERE slug = $1";
        Ok(self
            .0
            .db
            .count(Stmt::fixed(count, vec![slug.into()]))
            .await?
            > 0)
    }

    /// Counts a mail to somebody who did not ask for it: whoever registers or invites, in whichever
    /// account, may be anybody. Where no mails are sent, nothing counts.
    ///
    /// # Errors
    /// [`Error::RateLimited`] if the address was sent too many of them.
    pub(super) fn enter_unasked_mail(&self, email: &str, address: Option<IpAddr>) -> Result<()> {
        if !self.0.config.mail.has_transport() {
            return Ok(());
        }
        self.0
            .throttle
            .enter(Door::Mail, address, Some(&format!("unasked {email}")))
    }

    /// Adds a token for the user's address to the transaction, if mails are sent or needed.
    fn with_verification(&self, batch: Batch, user: &NewUser<'_>) -> (Batch, Option<Mail>) {
        let config = &self.0.config;
        if !config.verification_required() && !config.mail.has_transport() {
            return (batch, None);
        }
        let purpose = one_time::Purpose::VerifyEmail;
        let lifetime = chrono::TimeDelta::seconds(config.auth.link_seconds);
        let (token, [forget, insert]) =
            one_time::issue(purpose, Some(user.id), user.email, user.at, lifetime);
        let mail = Mail {
            kind: Kind::VerifyEmail,
            account: user.account,
            to: user.email.to_owned(),
            token,
        };
        (batch.with(forget).require(insert), Some(mail))
    }

    async fn registered(&self, user: &NewUser<'_>, mail: Option<Mail>) -> Result<UserRow> {
        if let Some(mail) = mail
            && let Err(error) = self.0.mailer.send(mail)
        {
            // The user is registered and can have another mail sent.
            tracing::warn!(%error, "a mail for a registration was not sent");
        }
        let row = store::user_by_id(&self.0.db, &user.id.to_string()).await?;
        row.ok_or_else(|| Error::Unavailable("The user was removed at once".into()))
    }
}

/// The statement that stores an account.
fn insert_account(
    id: AccountId,
    code: &str,
    slug: &str,
    name: &str,
    at: chrono::DateTime<chrono::Utc>,
) -> Stmt {
    let insert = "INSERT INTO accounts (id, account_code, slug, name, created_at, updated_at) \
                  VALUES ($1, $2, $3, $4, $5, $5)";
    Stmt::fixed(
        insert,
        vec![id.into(), code.into(), slug.into(), name.into(), at.into()],
    )
}

/// Refuses the system account, whose users are superadmins: they are made on purpose, by
/// superadmins.
pub(super) fn refuse_system_account(account: AccountId) -> Result<()> {
    if account.is_system() {
        let message = "nobody registers or is invited into the system account; name another account, \
                       or add a superadmin with POST /users";
        return Err(Error::Unprocessable {
            field: "account_id",
            message: message.into(),
        });
    }
    Ok(())
}

fn slug_conflict() -> Error {
    Error::conflict(
        "An account with this slug already exists",
        Some("account_slug"),
    )
}
