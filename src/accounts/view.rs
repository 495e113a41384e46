//! The results of operations on accounts, users and their sessions.

use chrono::{DateTime, Utc};
use serde_json::Value as Json;

use super::store::UserRow;
use crate::auth::{AccountRef, Principal, TokenType};
use crate::id::AccountId;

/// An account, as its users see it.
#[derive(Clone, Debug)]
pub struct Account {
    /// The id.
    pub id: String,
    /// The code, two letters and four digits.
    pub account_code: String,
    /// The name in URLs and at sign-in.
    pub slug: String,
    /// The name for people.
    pub name: String,
    /// When it was created.
    pub created_at: DateTime<Utc>,
}

impl From<&AccountRef> for Account {
    fn from(account: &AccountRef) -> Self {
        Self {
            id: account.id_text.clone(),
            account_code: account.code.clone(),
            slug: account.slug.clone(),
            name: account.name.clone(),
            created_at: account.created_at,
        }
    }
}

/// A user, as the user itself sees it.
#[derive(Clone, Debug)]
pub struct User {
    /// The id.
    pub id: String,
    /// The address.
    pub email: String,
    /// The name of the role.
    pub role: String,
    /// The account's id.
    pub account_id: String,
    /// The names of the groups the user is in.
    pub groups: Vec<String>,
    /// Whether the user may sign in.
    pub is_active: bool,
    /// Whether the address was confirmed.
    pub email_verified: bool,
    /// When the user was created.
    pub created_at: DateTime<Utc>,
    /// When the user last signed in.
    pub last_login: Option<DateTime<Utc>>,
    /// The kind of the credential.
    pub token_type: TokenType,
}

impl User {
    pub(super) fn of_row(row: &UserRow, groups: Vec<String>) -> Self {
        Self {
            id: row.id.clone(),
            email: row.email.clone(),
            role: row.role_name.clone(),
            account_id: row.account_id.clone(),
            groups,
            is_active: row.is_active,
            email_verified: row.email_verified,
            created_at: row.created_at,
            last_login: row.last_login,
            token_type: TokenType::Jwt,
        }
    }
}

impl From<&Principal> for User {
    fn from(principal: &Principal) -> Self {
        Self {
            id: principal.user_id_text.clone(),
            email: principal.email.clone(),
            role: principal.role.clone(),
            account_id: principal.account.id_text.clone(),
            groups: principal.groups.clone(),
            is_active: principal.is_active,
            email_verified: principal.email_verified,
            created_at: principal.created_at,
            last_login: principal.last_login,
            token_type: principal.token_type,
        }
    }
}

/// The answer to a registration: no tokens, the user signs in next.
#[derive(Clone, Debug)]
pub struct Registration {
    /// Whether the user must confirm the address before it can sign in.
    pub must_verify: bool,
    /// The account.
    pub account: Account,
    /// The user.
    pub user: User,
}

/// The answer to a sign-in.
#[derive(Clone, Debug)]
pub struct OpenedSession {
    /// The access token.
    pub token: String,
    /// The refresh token.
    pub refresh_token: String,
    /// How long the access token is valid, in seconds.
    pub expires_in: i64,
    /// The account.
    pub account: Account,
    /// The user.
    pub user: User,
}

/// A fresh pair of tokens.
#[derive(Clone, Debug)]
pub struct RefreshedTokens {
    /// The access token.
    pub token: String,
    /// The refresh token; the one that was sent is used up.
    pub refresh_token: String,
    /// How long the access token is valid, in seconds.
    pub expires_in: i64,
}

/// Who is calling.
#[derive(Clone, Debug)]
pub struct Profile {
    /// The user's id.
    pub user_id: String,
    /// The account's id.
    pub account_id: String,
    /// The address.
    pub email: String,
    /// The name of the role.
    pub role: String,
    /// The user.
    pub user: User,
    /// The account.
    pub account: Account,
}

/// The user of an address that was confirmed.
#[derive(Clone, Debug)]
pub struct ConfirmedAddress {
    /// The id.
    pub id: String,
    /// The address.
    pub email: String,
}

/// Whether a token for a new password is valid.
#[derive(Clone, Debug)]
pub struct ResetTokenValidity {
    /// Whether it is.
    pub valid: bool,
    /// Until when.
    pub expires_at: Option<DateTime<Utc>>,
}

/// An account in a list.
#[derive(Clone, Debug)]
pub struct ListedAccount {
    /// The account.
    pub account: Account,
    /// How many users it has.
    pub user_count: i64,
}

/// A page of accounts.
#[derive(Clone, Debug)]
pub struct AccountPage {
    /// The accounts.
    pub items: Vec<ListedAccount>,
    /// How many there are.
    pub total: i64,
    /// The page, from 1.
    pub page: i64,
    /// Accounts on a page.
    pub page_size: i64,
    /// How many pages there are, at least 1.
    pub total_pages: i64,
}

/// An account with its details.
#[derive(Clone, Debug)]
pub struct AccountDetails {
    /// The account.
    pub account: Account,
    /// When it was changed last.
    pub updated_at: DateTime<Utc>,
    /// How many users it has.
    pub user_count: i64,
    /// What its records take, if that is limited.
    pub usage: Option<RecordUsage>,
}

/// What the records of an account take.
#[derive(Clone, Debug)]
pub struct RecordUsage {
    /// Records.
    pub records: i64,
    /// Records at most; null for any number.
    pub max_records: Option<i64>,
    /// Bytes of the values in them.
    pub bytes: i64,
    /// Bytes at most; null for any number.
    pub max_bytes: Option<i64>,
}

/// A user in an account's list.
#[derive(Clone, Debug)]
pub struct AccountMember {
    /// The id.
    pub id: String,
    /// The address.
    pub email: String,
    /// The name of the role.
    pub role: String,
    /// Whether the user may sign in.
    pub is_active: bool,
    /// When the user was created.
    pub created_at: DateTime<Utc>,
}

/// A page of an account's users.
#[derive(Clone, Debug)]
pub struct AccountMemberPage {
    /// The users, newest first.
    pub items: Vec<AccountMember>,
    /// How many there are.
    pub total: i64,
    /// The page, from 1.
    pub page: i64,
    /// Users on a page.
    pub page_size: i64,
    /// How many pages there are, at least 1.
    pub total_pages: i64,
}

/// A user, as superadmins see it.
#[derive(Clone, Debug)]
pub struct UserDetails {
    /// The user.
    pub user: User,
    /// The account's code.
    pub account_code: String,
    /// The account's name.
    pub account_name: String,
    /// The role's id.
    pub role_id: i64,
    /// The role's name.
    pub role_name: String,
    /// Whether this is a user of the system account: a superadmin, whatever the role.
    pub is_superadmin: bool,
    /// `password`, or how else the user signs in.
    pub auth_provider: String,
    /// The provider's name.
    pub auth_provider_name: Option<String>,
    /// The user's id at the provider.
    pub external_id: Option<String>,
    /// The user's address at the provider.
    pub external_email: Option<String>,
    /// What the provider tells of the user.
    pub profile_data: Option<Json>,
    /// When the address was confirmed.
    pub email_verified_at: Option<DateTime<Utc>>,
}

impl UserDetails {
    pub(super) fn new(row: UserRow, groups: Vec<String>) -> Self {
        Self {
            user: User::of_row(&row, groups),
            is_superadmin: row.account_id().is_ok_and(AccountId::is_system),
            account_code: row.account_code,
            account_name: row.account_name,
            role_id: row.role_id,
            role_name: row.role_name,
            auth_provider: row.auth_provider,
            auth_provider_name: row.auth_provider_name,
            external_id: row.external_id,
            external_email: row.external_email,
            profile_data: row
                .profile_data
                .and_then(|text| serde_json::from_str(&text).ok()),
            email_verified_at: row.email_verified_at,
        }
    }

    /// The same without what is between the user and those who administer the account.
    pub(super) fn for_colleagues(mut self) -> Self {
        self.user.last_login = None;
        self.auth_provider_name = None;
        self.external_id = None;
        self.external_email = None;
        self.profile_data = None;
        self.email_verified_at = None;
        self
    }
}

/// A page of users.
#[derive(Clone, Debug)]
pub struct UserPage {
    /// How many there are.
    pub total: i64,
    /// The users.
    pub items: Vec<UserDetails>,
}
