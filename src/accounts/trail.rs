//! What the audit trail is told of accounts and users.

use std::fmt::Display;

use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::Accounts;
use super::store::{NewUser, UserRow};
use crate::audit::{Event, Operation};
use crate::db::Stmt;
use crate::id::{AccountId, SYSTEM_ACCOUNT};

/// The values of a user.
pub(super) fn values(user: &UserRow) -> Json {
    json!({
        "email": user.email, "role_id": user.role_id, "is_active": user.is_active,
        "auth_provider": user.auth_provider, "auth_provider_name": user.auth_provider_name,
        "external_id": user.external_id, "external_email": user.external_email,
        "profile_data": user.profile_data, "email_verified": user.email_verified,
    })
}

/// A user is new.
pub(super) fn user_created(user: &NewUser<'_>) -> Event {
    let values = json!({
        "email": user.email, "role_id": user.role_id, "is_active": true, "email_verified": user.verified,
    });
    Event::create("users", user.id, values).of(user.account)
}

/// A user is different: the keys that are named have these values now.
pub(super) fn user_changed(user: &UserRow, changes: &Json) -> Event {
    let account = AccountId::parse(&user.account_id).unwrap_or(SYSTEM_ACCOUNT);
    Event::update("users", &user.id, &values(user), changes).of(account)
}

/// A user has another password.
pub(super) fn password_changed(user: &UserRow) -> Event {
    // The trail hides both; that they differ is what it tells.
    let account = AccountId::parse(&user.account_id).unwrap_or(SYSTEM_ACCOUNT);
    Event::update(
        "users",
        &user.id,
        &json!({"password": "old"}),
        &json!({"password": "new"}),
    )
    .of(account)
}

/// An account is new.
pub(super) fn account_created(id: AccountId, name: &str, slug: &str) -> Event {
    Event::create("accounts", id, json!({"name": name, "slug": slug})).of(id)
}

/// A group is new.
pub(super) fn group_created(
    id: &str,
    account: AccountId,
    name: &str,
    description: Option<&str>,
) -> Event {
    Event::create(
        "groups",
        id,
        json!({"name": name, "description": description}),
    )
    .of(account)
}

/// A user is in a group from now on.
pub(super) fn member_added(group: &str, account: AccountId, user: impl Display) -> Event {
    Event::create("group_members", group, json!({"user_id": user.to_string()})).of(account)
}

/// A user is in a group no more.
pub(super) fn member_removed(group: &str, account: AccountId, user: impl Display) -> Event {
    Event::delete("group_members", group, json!({"user_id": user.to_string()})).of(account)
}

/// A user has signed in.
pub(super) fn signed_in(user: &UserRow, account: AccountId) -> Event {
    let method = user.auth_provider.as_str();
    Event::new(Operation::Login, "users", &user.id)
        .with(json!({"email": user.email}))
        .of(account)
        .by_user(&user.id, &user.email, method)
}

/// A session was ended by somebody.
pub(super) fn session_ended(account: AccountId, session: Uuid) -> Event {
    Event::new(Operation::Logout, "sessions", session).of(account)
}

/// A session was ended because its user has opened so many others.
pub(super) fn session_displaced(account: AccountId, session: Uuid) -> Event {
    session_ended(account, session).with(json!({"reason": "too_many_sessions"}))
}

/// A refresh token was used again after its successor was: somebody else has it, so the server has
/// ended the session.
pub(super) fn token_reused(account: AccountId, session: Uuid) -> Event {
    session_ended(account, session).with(json!({"reason": "refresh_token_reused"}))
}

impl Accounts {
    /// Writes down that somebody was not let in, and why. The answer does not say it.
    pub(super) async fn not_let_in(
        &self,
        account: Option<AccountId>,
        user: Option<&UserRow>,
        email: &str,
        reason: &'static str,
    ) {
        let event = Event::new(
            Operation::LoginFailed,
            "users",
            user.map_or("", |user| &user.id),
        )
        .with(json!({"email": email, "reason": reason}))
        .of(account.unwrap_or(SYSTEM_ACCOUNT))
        .by_nobody();
        let entry: Stmt = event.entry(self.0.clock.now());
        if let Err(error) = self.0.db.execute(entry).await {
            tracing::error!(%error, "a refused sign-in could not be written into the audit trail");
        }
    }
}
