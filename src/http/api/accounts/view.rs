//! Accounts as they are answered.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::accounts::{Account, AccountDetails, RecordUsage};

/// An account, as its users see it.
#[derive(Serialize, ToSchema)]
pub struct AccountView {
    /// The id.
    id: String,
    /// The code, two letters and four digits.
    account_code: String,
    /// The name in URLs and at sign-in.
    slug: String,
    /// The name for people.
    name: String,
    /// Time of creation.
    #[serde(serialize_with = "crate::clock::serialize")]
    #[schema(value_type = String)]
    created_at: DateTime<Utc>,
}

impl From<Account> for AccountView {
    fn from(account: Account) -> Self {
        Self {
            id: account.id,
            account_code: account.account_code,
            slug: account.slug,
            name: account.name,
            created_at: account.created_at,
        }
    }
}

/// Space that the records of an account take.
#[derive(Serialize, ToSchema)]
pub struct AccountUsage {
    /// Records.
    records: i64,
    /// Records at most; null for any number.
    max_records: Option<i64>,
    /// Bytes of the values in them.
    bytes: i64,
    /// Bytes at most; null for any number.
    max_bytes: Option<i64>,
}

impl From<RecordUsage> for AccountUsage {
    fn from(usage: RecordUsage) -> Self {
        Self {
            records: usage.records,
            max_records: usage.max_records,
            bytes: usage.bytes,
            max_bytes: usage.max_bytes,
        }
    }
}

/// An account with its details.
#[derive(Serialize, ToSchema)]
pub struct AccountDetail {
    /// The account.
    #[serde(flatten)]
    account: AccountView,
    /// Time of the last change.
    #[serde(serialize_with = "crate::clock::serialize")]
    #[schema(value_type = String)]
    updated_at: DateTime<Utc>,
    /// Number of its users.
    user_count: i64,
    /// Empty.
    collections_used: Vec<String>,
    /// Space that its records take, if that is limited.
    usage: Option<AccountUsage>,
}

impl From<AccountDetails> for AccountDetail {
    fn from(details: AccountDetails) -> Self {
        Self {
            account: details.account.into(),
            updated_at: details.updated_at,
            user_count: details.user_count,
            collections_used: Vec::new(),
            usage: details.usage.map(Into::into),
        }
    }
}
