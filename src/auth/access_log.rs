//! Entries of the change log that tell every node that somebody's access changed.
//!
//! They go into the transaction of the change itself; the follower of the log invalidates caches
//! and closes realtime connections when it reads them.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::db::{Stmt, Value};
use crate::id::{AccountId, UserId};

/// What changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessChange {
    /// A session ended; the user's others go on.
    Session(UserId, Uuid),
    /// The user's role, groups or address changed: rules may show other records.
    Rights(UserId),
    /// The user's credentials changed or ended, or something that no rule reads: the rights are
    /// what they were.
    Credentials(UserId),
    /// The account was changed or deleted.
    Account,
}

/// The statement that logs it.
pub fn entry(account: AccountId, change: AccessChange, at: DateTime<Utc>, actor: &str) -> Stmt {
    let (record_id, record) = match change {
        AccessChange::Session(user, session) => {
            (user.to_string(), format!(r#"{{"session":"{session}"}}"#))
        }
        AccessChange::Rights(user) => (user.to_string(), format!(r#"{{"user":"{user}"}}"#)),
        AccessChange::Credentials(user) => {
            (user.to_string(), format!(r#"{{"credentials":"{user}"}}"#))
        }
        AccessChange::Account => (account.to_string(), format!(r#"{{"account":"{account}"}}"#)),
    };
    let text = "INSERT INTO change_log (account_id, record_id, operation, at, actor, record) \
                VALUES ($1, $2, 'access', $3, $4, $5)";
    Stmt::fixed(
        text,
        vec![
            account.into(),
            record_id.into(),
            Value::Time(at),
            actor.into(),
            Value::Text(record),
        ],
    )
}

/// Whether the entry of a user with this text tells of other rights.
pub fn changes_rights(record: Option<&str>) -> bool {
    record.is_none_or(|record| record.starts_with(r#"{"user""#))
}
