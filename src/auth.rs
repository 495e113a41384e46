//! Who is calling: credentials in, [`Caller`] out.
//!
//! [`Auth`] checks tokens and remembers the answer for seconds, so that a request with a known
//! token reads nothing from the database. Passwords, sessions and one-time tokens are here as well;
//! creating and changing users is `accounts`'.

pub mod access_log;
pub mod api_key;
pub mod bucket;
mod cache;
pub mod jwt;
pub mod one_time;
pub mod password;
pub mod scope;
mod service;
pub mod session;
mod store;
pub mod throttle;
pub mod ticket;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use uuid::Uuid;

pub use api_key::{KeyGrant, Keys};
pub use cache::Stamp;
pub use jwt::Jwt;
pub use password::Passwords;
pub use scope::{KeyScope, KeyScopes};
pub use service::Auth;
pub use session::{Origin, Sessions};
pub use throttle::{Admission, Door, SlowTurn, Throttle};

use crate::error::{Error, Result};
use crate::expr;
use crate::id::{ANONYMOUS, AccountId, UserId};

/// The group of each account whose members see personal data in the clear.
pub const PII_GROUP: &str = "pii_access";
/// The role whose users administer their account.
pub const ADMIN_ROLE: &str = "admin";
/// The role of users who were given no other.
pub const USER_ROLE: &str = "user";

/// What everyone needs to know of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountRef {
    /// The account's id.
    pub id: AccountId,
    /// The id as text.
    pub id_text: String,
    /// The code, two letters and four digits: `AB1234`.
    pub code: String,
    /// The name in URLs and at sign-in.
    pub slug: String,
    /// The name for people.
    pub name: String,
    /// When it was created.
    pub created_at: DateTime<Utc>,
}

impl AccountRef {
    /// An account.
    pub fn new(
        id: AccountId,
        code: String,
        slug: String,
        name: String,
        created_at: DateTime<Utc>,
    ) -> Self {
        Self {
            id,
            id_text: id.to_string(),
            code,
            slug,
            name,
            created_at,
        }
    }
}

/// What kind of credential the caller showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenType {
    /// An access token.
    Jwt,
    /// An API key.
    ApiKey,
}

impl TokenType {
    /// The name in the audit trail.
    pub fn method(self) -> &'static str {
        match self {
            Self::Jwt => "jwt",
            Self::ApiKey => "api_key",
        }
    }
}

/// A user who has shown a valid credential.
#[derive(Clone, Debug)]
pub struct Principal {
    /// The user's id.
    pub user_id: UserId,
    /// The id as text: the author of what the user writes.
    pub user_id_text: String,
    /// The user's account.
    pub account: Arc<AccountRef>,
    /// The address, in lower case.
    pub email: String,
    /// The name of the role.
    pub role: String,
    /// The names of the groups the user is in, sorted.
    pub groups: Vec<String>,
    /// Whether the user may sign in; a principal that [`Auth`] returns always may.
    pub is_active: bool,
    /// Whether the address was confirmed.
    pub email_verified: bool,
    /// When the user was created.
    pub created_at: DateTime<Utc>,
    /// When the user last signed in.
    pub last_login: Option<DateTime<Utc>>,
    /// What kind of credential it was.
    pub token_type: TokenType,
    /// The session that the credential belongs to.
    pub session_id: Option<Uuid>,
    /// The API key, if it was one.
    pub key: Option<KeyGrant>,
    /// When the credential expires.
    pub expires_at: Option<DateTime<Utc>>,
    /// When, in terms of invalidations, this was read from the database; see [`Auth::is_current`].
    pub stamp: Stamp,
}

impl Principal {
    /// What rules can read of this user.
    pub fn attributes(&self) -> expr::Auth<'_> {
        expr::Auth {
            id: Some(&self.user_id_text),
            email: Some(&self.email),
            role: Some(&self.role),
            account_id: Some(&self.account.id_text),
            groups: &self.groups,
        }
    }

    /// Whether this is a person, or a program whose key has no limits.
    pub fn is_unlimited(&self) -> bool {
        self.key
            .as_ref()
            .is_none_or(|key| !key.scopes.are_limited())
    }

    /// Refuses what the API key was not made for. Users may everything that keys may, except for
    /// reading secrets.
    pub fn require(&self, scope: KeyScope) -> Result<()> {
        match &self.key {
            Some(key) if key.scopes.allow(scope) => Ok(()),
            Some(_) => Err(Error::Forbidden(format!(
                "This API key is restricted: it has no scope {}",
                scope.name()
            ))),
            None if scope == KeyScope::SecretsRead => Err(Error::Forbidden(format!(
                "This needs an API key with the scope {}",
                scope.name()
            ))),
            None => Ok(()),
        }
    }
}

/// Who sends a request.
#[derive(Clone, Debug)]
pub enum Caller {
    /// Nobody known; perhaps about one account.
    Anonymous {
        /// The account that the request names.
        account: Option<Arc<AccountRef>>,
    },
    /// A user.
    User(Arc<Principal>),
}

impl Caller {
    /// Whether this is a user of the system account, who administers the server.
    pub fn is_superadmin(&self) -> bool {
        matches!(self, Self::User(principal) if principal.account.id.is_system())
    }

    /// Whether nothing can have changed from one to the other: both are the same reading of who it
    /// is.
    pub fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::User(one), Self::User(other)) => Arc::ptr_eq(one, other),
            _ => false,
        }
    }

    /// Whether this is the same user in the same account with the same kind of credential (of API
    /// keys, the same key), or nobody about the same account. What one credential opened goes on
    /// with another one only then: otherwise it would outlive the first one, or have other rights.
    pub fn has_identity_of(&self, other: &Self) -> bool {
        match (self.principal(), other.principal()) {
            (None, None) => self.account_id() == other.account_id(),
            (Some(one), Some(other)) => {
                let key = |principal: &Principal| principal.key.as_ref().map(|key| key.id);
                one.user_id == other.user_id
                    && one.account.id == other.account.id
                    && one.token_type == other.token_type
                    && key(one) == key(other)
            }
            _ => false,
        }
    }

    /// Whether this is somebody who administers the account that it belongs to, or the whole
    /// server.
    pub fn is_account_admin(&self) -> bool {
        self.is_superadmin()
            || self
                .principal()
                .is_some_and(|principal| principal.role == ADMIN_ROLE)
    }

    /// The account of the user, or the one that an anonymous request names.
    pub fn account(&self) -> Option<&Arc<AccountRef>> {
        match self {
            Self::Anonymous { account } => account.as_ref(),
            Self::User(principal) => Some(&principal.account),
        }
    }

    /// The id of [`Caller::account`].
    pub fn account_id(&self) -> Option<AccountId> {
        self.account().map(|account| account.id)
    }

    /// The user, if it is one.
    pub fn principal(&self) -> Option<&Arc<Principal>> {
        match self {
            Self::Anonymous { .. } => None,
            Self::User(principal) => Some(principal),
        }
    }

    /// The author of what this caller writes: the user's id, or `anonymous`.
    pub fn actor(&self) -> &str {
        self.principal()
            .map_or(ANONYMOUS, |principal| &principal.user_id_text)
    }

    /// Whether personal data is shown in the clear: to superadmins, and to the account's group for
    /// it.
    pub fn sees_pii(&self) -> bool {
        let member =
            |principal: &Arc<Principal>| principal.groups.iter().any(|group| group == PII_GROUP);
        self.is_superadmin() || self.principal().is_some_and(member)
    }

    /// What rules can read of this caller.
    pub fn attributes(&self) -> expr::Auth<'_> {
        self.principal()
            .map_or_else(expr::Auth::default, |principal| principal.attributes())
    }
}

/// A credential as it was sent.
#[derive(Clone, Copy)]
pub enum Credential<'a> {
    /// `Authorization: Bearer …`.
    Bearer(&'a str),
    /// `X-API-Key: …`.
    ApiKey(&'a str),
}
