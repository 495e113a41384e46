//! Users as they are answered.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::accounts::{User, UserDetails};
use crate::auth::TokenType;

/// A user, as the user itself sees it.
#[derive(Serialize, ToSchema)]
pub struct UserView {
    /// The id.
    id: String,
    /// The address.
    email: String,
    /// The name of the role.
    role: String,
    /// The account's id.
    account_id: String,
    /// The names of the groups the user is in.
    groups: Vec<String>,
    /// True if the user may sign in.
    is_active: bool,
    /// True if the address was confirmed.
    email_verified: bool,
    /// Time of the user's creation.
    #[serde(serialize_with = "crate::clock::serialize")]
    #[schema(value_type = String)]
    created_at: DateTime<Utc>,
    /// Time of the user's last sign-in.
    #[serde(serialize_with = "crate::clock::serialize_option")]
    #[schema(value_type = Option<String>)]
    last_login: Option<DateTime<Utc>>,
    /// The kind of the credential.
    #[schema(value_type = String)]
    token_type: TokenType,
}

impl From<User> for UserView {
    fn from(user: User) -> Self {
        Self {
            id: user.id,
            email: user.email,
            role: user.role,
            account_id: user.account_id,
            groups: user.groups,
            is_active: user.is_active,
            email_verified: user.email_verified,
            created_at: user.created_at,
            last_login: user.last_login,
            token_type: user.token_type,
        }
    }
}

/// A user, as superadmins see it.
#[derive(Serialize, ToSchema)]
pub struct UserDetail {
    /// The user.
    #[serde(flatten)]
    user: UserView,
    /// The account's code.
    account_code: String,
    /// The account's name.
    account_name: String,
    /// The role's id.
    role_id: i64,
    /// The role's name.
    role_name: String,
    /// True for users of the system account: superadmins, whatever the role.
    is_superadmin: bool,
    /// `password`, or how else the user signs in.
    auth_provider: String,
    /// The provider's name.
    auth_provider_name: Option<String>,
    /// The user's id at the provider.
    external_id: Option<String>,
    /// The user's address at the provider.
    external_email: Option<String>,
    /// Data of the provider about the user.
    #[schema(value_type = Value)]
    profile_data: Option<Value>,
    /// Time at which the address was confirmed.
    #[serde(serialize_with = "crate::clock::serialize_option")]
    #[schema(value_type = Option<String>)]
    email_verified_at: Option<DateTime<Utc>>,
}

impl From<UserDetails> for UserDetail {
    fn from(details: UserDetails) -> Self {
        Self {
            user: details.user.into(),
            account_code: details.account_code,
            account_name: details.account_name,
            role_id: details.role_id,
            role_name: details.role_name,
            is_superadmin: details.is_superadmin,
            auth_provider: details.auth_provider,
            auth_provider_name: details.auth_provider_name,
            external_id: details.external_id,
            external_email: details.external_email,
            profile_data: details.profile_data,
            email_verified_at: details.email_verified_at,
        }
    }
}
