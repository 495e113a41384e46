//! Users, for superadmins: creating, changing, deactivating.

use serde_json::{Value as Json, json};

use super::input::{Checks, UserChange, UserDraft};
use super::names::parse_email;
use super::store::{self, NewUser, UserRow};
use super::view::UserDetails;
use super::{Accounts, trail, unlimited_for};
use crate::access::account::superadmin;
use crate::auth::access_log::AccessChange;
use crate::auth::one_time::{self, Purpose};
use crate::auth::password::check_new_password;
use crate::auth::{Caller, session};
use crate::db::{Batch, CommitError, DbError, Stmt, Value};
use crate::error::{Error, Problem, Result};
use crate::id::{AccountId, UserId};

impl Accounts {
    /// One user.
    pub async fn user(&self, caller: &Caller, id: &str) -> Result<UserDetails> {
        superadmin(caller)?;
        let user = self.existing_user(id).await?;
        self.detail(user).await
    }

    /// Creates a user in an account. A user of the system account is a superadmin, whatever the
    /// role.
    pub async fn create_user(&self, caller: &Caller, request: UserDraft) -> Result<UserDetails> {
        superadmin(caller)?;
        let inner = &*self.0;
        let mut checks = Checks::default();
        let email = checks.take(parse_email(&request.email, "email"));
        let account = checks.take(AccountId::parse(&request.account_id).ok_or_else(|| {
            let msg = "Input should be the id of an account";
            Error::malformed(Problem::body(
                "account_id",
                "uuid_parsing",
                msg,
                request.account_id.as_str().into(),
            ))
        }));
        if request.role_id.is_none() && request.role.is_none() {
            checks.add(Problem::missing("role_id"));
        }
        let (email, account) = checks.done(email.zip(account))?;
        unlimited_for(caller, account)?;
        let provider = request.auth_provider.as_deref().unwrap_or("password");
        let password = match request.password {
            // Nobody knows it: the user signs in another way.
            _ if provider != "password" => one_time::random_token(),
            Some(password) => {
                check_new_password(&password)?;
                password
            }
            None => return Err(Error::refused("Validation error", "A password is required")),
        };
        let exists = "SELECT count(*) FROM accounts WHERE id = $1";
        if inner
            .db
            .count(Stmt::fixed(exists, vec![account.into()]))
            .await?
            == 0
        {
            return Err(Error::not_found("Account not found"));
        }
        let Some(role_id) = self.role(request.role_id, request.role.as_deref()).await? else {
            return Err(Error::malformed(Problem::missing("role_id")));
        };
        let password_hash = inner.passwords.hash(password).await?;
        let user = NewUser {
            id: UserId::new(),
            account,
            email: &email,
            password_hash: &password_hash,
            role_id,
            verified: request.email_verified,
            at: inner.clock.now(),
        };
        let more = "UPDATE users SET is_active = $1, auth_provider = $2, auth_provider_name = $3, external_id = $4, \
                    external_email = $5, profile_data = $6 WHERE id = $7";
        let args = vec![
            request.is_active.into(),
            provider.into(),
            Value::text_or_null(request.auth_provider_name),
            Value::text_or_null(request.external_id),
            Value::text_or_null(request.external_email),
            Value::text_or_null(request.profile_data.map(|data| data.to_string())),
            user.id.into(),
        ];
        let details = json!({"is_active": request.is_active, "auth_provider": provider});
        let entry = trail::user_created(&user)
            .with(details)
            .by(caller)
            .entry(user.at);
        let batch = Batch::new()
            .require(store::insert_user(&user))
            .require(Stmt::fixed(more, args))
            .with(entry);
        inner.db.commit(batch).await.map_err(taken)?;
        let row = self.existing_user(&user.id.to_string()).await?;
        self.detail(row).await
    }

    /// Changes a user; what is absent stays.
    pub async fn update_user(
        &self,
        caller: &Caller,
        id: &str,
        request: UserChange,
    ) -> Result<UserDetails> {
        let own = superadmin(caller)?.user_id_text == id;
        let inner = &*self.0;
        if own {
            return Err(Error::Forbidden("You cannot change yourself here".into()));
        }
        let user = self.existing_user(id).await?;
        unlimited_for(caller, user.account_id()?)?;
        self.refuse_demo(&user)?;
        let role_id = self.role(request.role_id, request.role.as_deref()).await?;
        let email = request
            .email
            .as_deref()
            .map(|email| parse_email(email, "email"))
            .transpose()?;
        let now = inner.clock.now();
        let readdressed = email.as_ref().is_some_and(|email| *email != user.email);
        let verified = request.email_verified.or(readdressed.then_some(false));
        let entry = trail::user_changed(&user, &changes(&request, email.as_deref(), role_id))
            .by(caller)
            .entry(now);
        // A NULL leaves a column as it is.
        let update = "UPDATE users SET email = coalesce($1, email), role_id = coalesce($2, role_id), \
                      is_active = coalesce($3, is_active), auth_provider = coalesce($4, auth_provider), \
                      auth_provider_name = coalesce($5, auth_provider_name), external_id = coalesce($6, external_id), \
                      external_email = coalesce($7, external_email), profile_data = coalesce($8, profile_data), \
                      updated_at = $9, email_verified = coalesce($10, email_verified), \
                      email_verified_at = CASE WHEN $10 THEN coalesce(email_verified_at, $9) WHEN $10 IS NULL \
                      THEN email_verified_at END WHERE id = $11";
        let args = vec![
            Value::text_or_null(email),
            role_id.map_or(Value::Null(crate::db::Kind::Int), Value::Int),
            flag(request.is_active),
            Value::text_or_null(request.auth_provider),
            Value::text_or_null(request.auth_provider_name),
            Value::text_or_null(request.external_id),
            Value::text_or_null(request.external_email),
            Value::text_or_null(request.profile_data.map(|data| data.to_string())),
            now.into(),
            flag(verified),
            user.id.as_str().into(),
        ];
        let mut batch = Batch::new().require(Stmt::fixed(update, args)).with(entry);
        if readdressed {
            // Links that went to the address before must not open the account to whoever reads
            // there.
            for purpose in [Purpose::VerifyEmail, Purpose::ResetPassword] {
                batch = batch.with(one_time::forget(purpose, Some(user.user_id()?)));
            }
        }
        if request.is_active == Some(false) {
            batch = batch.with(session::revoke_all(user.user_id()?, now));
        }
        let other_rights = readdressed || role_id.is_some_and(|role| role != user.role_id);
        let change = if other_rights {
            AccessChange::Rights
        } else {
            AccessChange::Credentials
        };
        let batch = store::announce(batch, &user, change, now, caller.actor())?;
        inner.db.commit(batch).await.map_err(taken)?;
        inner.auth.invalidate_user(user.user_id()?);
        let user = self.existing_user(id).await?;
        self.detail(user).await
    }

    /// Deactivates a user: every session ends, and none can be opened.
    pub async fn deactivate_user(&self, caller: &Caller, id: &str) -> Result<()> {
        let own = superadmin(caller)?.user_id_text == id;
        if own {
            return Err(Error::Forbidden("You cannot deactivate yourself".into()));
        }
        let inner = &*self.0;
        let user = self.existing_user(id).await?;
        unlimited_for(caller, user.account_id()?)?;
        self.refuse_demo(&user)?;
        let (user_id, now) = (user.user_id()?, inner.clock.now());
        let update = "UPDATE users SET is_active = FALSE, updated_at = $1 WHERE id = $2";
        let batch = Batch::new()
            .require(Stmt::fixed(update, vec![now.into(), user_id.into()]))
            .with(session::revoke_all(user_id, now))
            .with(
                trail::user_changed(&user, &json!({"is_active": false}))
                    .by(caller)
                    .entry(now),
            );
        let batch = store::announce(batch, &user, AccessChange::Credentials, now, caller.actor())?;
        inner
            .db
            .commit(batch)
            .await
            .map_err(|error| Error::from(error.source))?;
        inner.auth.invalidate_user(user_id);
        Ok(())
    }

    pub(super) async fn existing_user(&self, id: &str) -> Result<UserRow> {
        store::user_by_id(&self.0.db, id)
            .await?
            .ok_or_else(|| Error::not_found("User not found"))
    }

    /// In a demonstration the superadmins stay as they are.
    pub(super) fn refuse_demo(&self, user: &UserRow) -> Result<()> {
        if self.0.config.auth.is_demo && user.account_id()?.is_system() {
            return Err(Error::Forbidden(
                "This user cannot be changed in the demonstration".into(),
            ));
        }
        Ok(())
    }

    async fn detail(&self, user: UserRow) -> Result<UserDetails> {
        let groups = store::groups_of(&self.0.db, std::slice::from_ref(&user))
            .await?
            .remove(&user.id);
        Ok(UserDetails::new(user, groups.unwrap_or_default()))
    }

    /// The role with this id, or else with this name.
    pub(super) async fn role(&self, id: Option<i64>, name: Option<&str>) -> Result<Option<i64>> {
        match (id, name) {
            (Some(id), _) => {
                let exists = "SELECT count(*) FROM roles WHERE id = $1";
                if self
                    .0
                    .db
                    .count(Stmt::fixed(exists, vec![id.into()]))
                    .await?
                    == 0
                {
                    return Err(Error::not_found("Role not found"));
                }
                Ok(Some(id))
            }
            (None, Some(name)) => store::role_named(&self.0.db, name).await.map(Some),
            (None, None) => Ok(None),
        }
    }
}

/// A boolean, or a NULL that leaves a column as it is.
fn flag(truth: Option<bool>) -> Value {
    truth.map_or(Value::Null(crate::db::Kind::Bool), Value::Bool)
}

/// What an update sets: absent values stay.
fn changes(request: &UserChange, email: Option<&str>, role_id: Option<i64>) -> Json {
    let mut changes = json!({
        "email": email, "role_id": role_id, "is_active": request.is_active, "auth_provider": request.auth_provider,
        "email_verified": request.email_verified,
        "auth_provider_name": request.auth_provider_name, "external_id": request.external_id,
        "external_email": request.external_email,
        "profile_data": request.profile_data.as_ref().map(ToString::to_string),
    });
    if let Json::Object(changes) = &mut changes {
        changes.retain(|_, value| !value.is_null());
    }
    changes
}

fn taken(error: CommitError) -> Error {
    match error.source {
        DbError::Unique { .. } => Error::conflict(
            "A user with this email already exists in the account",
            Some("email"),
        ),
        source => source.into(),
    }
}
