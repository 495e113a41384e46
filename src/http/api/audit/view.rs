//! Rows of the trail as they are answered.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::audit::TrailRow;

/// One column of an entry. The rows of an entry share its checksum.
#[derive(Serialize, ToSchema)]
pub struct AuditRow {
    /// The row's id; it never changes.
    id: i64,
    /// The account whose trail it belongs to.
    account_id: String,
    /// `CREATE`, `UPDATE`, `DELETE`, `LOGIN`, `LOGIN_FAILED`, `LOGOUT`, `EXPORT` or `REVEAL`.
    operation: String,
    /// The table: one of the system, or `col_` and the collection's name.
    table_name: String,
    /// The row of that table.
    record_id: String,
    /// The column; empty if the entry has none.
    column_name: String,
    /// The value before.
    old_value: Option<String>,
    /// The value afterwards.
    new_value: Option<String>,
    /// The user who did it; null for visitors and for the server itself.
    user_id: Option<String>,
    /// The user's address at that time.
    user_email: Option<String>,
    /// The user's address, `anonymous` or `system`.
    user_name: String,
    /// Always null: there are no electronic signatures.
    es_username: Option<String>,
    /// Always null.
    es_reason: Option<String>,
    /// Always null.
    es_timestamp: Option<String>,
    /// Address that the request came from.
    ip_address: Option<String>,
    /// Name that the client gave itself.
    user_agent: Option<String>,
    /// The request's `X-Correlation-ID`.
    request_id: Option<String>,
    /// Time of it.
    #[serde(serialize_with = "crate::clock::serialize")]
    #[schema(value_type = String)]
    occurred_at: DateTime<Utc>,
    /// The entry's checksum: SHA-256 in hexadecimal digits.
    checksum: String,
    /// The checksum of the account's entry before.
    previous_hash: Option<String>,
    /// The way in which the user had signed in, where it is known.
    extra_metadata: Option<AuditMetadata>,
}

impl From<TrailRow> for AuditRow {
    fn from(row: TrailRow) -> Self {
        Self {
            id: row.id,
            account_id: row.account_id,
            operation: row.operation,
            table_name: row.table_name,
            record_id: row.record_id,
            column_name: row.column_name,
            old_value: row.old_value,
            new_value: row.new_value,
            user_id: row.user_id,
            user_email: row.user_email,
            user_name: row.user_name,
            es_username: None,
            es_reason: None,
            es_timestamp: None,
            ip_address: row.ip_address,
            user_agent: row.user_agent,
            request_id: row.request_id,
            occurred_at: row.occurred_at,
            checksum: row.checksum,
            previous_hash: row.previous_hash,
            extra_metadata: row
                .auth_method
                .map(|auth_method| AuditMetadata { auth_method }),
        }
    }
}

/// More about an entry.
#[derive(Serialize, ToSchema)]
pub struct AuditMetadata {
    /// `jwt`, `api_key`, `password` or `token`.
    auth_method: String,
}
