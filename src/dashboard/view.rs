//! What the dashboard shows.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::audit::AuditRow;
use crate::clock::serialize;

/// How far back the dashboard looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub enum Range {
    /// A week.
    #[default]
    #[serde(rename = "7d")]
    Week,
    /// Thirty days.
    #[serde(rename = "30d")]
    Month,
    /// Ninety days.
    #[serde(rename = "90d")]
    Quarter,
}

impl Range {
    /// The range of that name.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "7d" => Some(Self::Week),
            "30d" => Some(Self::Month),
            "90d" => Some(Self::Quarter),
            _ => None,
        }
    }

    /// Its days, today included.
    pub fn days(self) -> i64 {
        match self {
            Self::Week => 7,
            Self::Month => 30,
            Self::Quarter => 90,
        }
    }
}

/// The figures of the whole server.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DashboardStats {
    /// How far back the figures look.
    pub range: Range,
    /// Accounts, the system account included.
    pub total_accounts: i64,
    /// Users of all accounts.
    pub total_users: i64,
    /// Collections.
    pub total_collections: i64,
    /// Records of all collections and accounts.
    pub total_records: i64,
    /// Accounts created in the range, whatever the name says.
    pub new_accounts_7d: i64,
    /// Users created in the range, whatever the name says.
    pub new_users_7d: i64,
    /// The same figures of as many days before.
    pub previous_period: PreviousPeriod,
    /// Day by day.
    pub time_series: TimeSeries,
    /// The ten newest users.
    pub recent_registrations: Vec<RecentRegistration>,
    /// How the server is.
    pub system_health: SystemHealth,
    /// Open sessions.
    pub active_sessions: i64,
    /// Collections with a rule that lets everybody in.
    pub public_collections_count: i64,
    /// How many records each collection has, the fullest first.
    pub records_by_collection: Vec<CollectionRecords>,
    /// How many there are of other things.
    pub feature_counts: FeatureCounts,
    /// Background jobs.
    pub jobs_by_status: JobsByStatus,
    /// Runs of hooks.
    pub hook_executions_summary: HookExecutions,
    /// Webhooks that were called.
    pub webhook_deliveries_summary: WebhookDeliveries,
    /// The newest entries of the audit log.
    pub recent_audit_logs: Vec<AuditRow>,
}

/// What was new in the period before.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PreviousPeriod {
    /// Accounts.
    pub new_accounts: i64,
    /// Users.
    pub new_users: i64,
}

/// Figures day by day, oldest first; every day of the range is there.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TimeSeries {
    /// Accounts that were created.
    pub accounts_created: Vec<DayCount>,
    /// Users that were created.
    pub users_created: Vec<DayCount>,
    /// Audited changes.
    pub audit_by_operation: Vec<DayOperations>,
}

/// A figure of a day.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DayCount {
    /// The day, UTC: `2026-05-01`.
    pub date: String,
    /// How many.
    pub count: i64,
}

/// Audited changes of a day.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DayOperations {
    /// The day, UTC: `2026-05-01`.
    pub date: String,
    /// What was created.
    pub create: i64,
    /// What was changed.
    pub update: i64,
    /// What was deleted.
    pub delete: i64,
}

/// A user who is new.
#[derive(Clone, Debug, Serialize, ToSchema, sqlx::FromRow)]
pub struct RecentRegistration {
    /// The id.
    pub id: String,
    /// The address.
    pub email: String,
    /// The account's id.
    pub account_id: String,
    /// The account's code.
    pub account_code: String,
    /// The account's name.
    pub account_name: String,
    /// When the user was created.
    #[serde(serialize_with = "serialize")]
    #[schema(value_type = String)]
    pub created_at: DateTime<Utc>,
}

/// How the server is.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SystemHealth {
    /// `connected`.
    pub database_status: &'static str,
    /// How large the database is, in MiB.
    pub storage_usage_mb: f64,
}

/// How many records a collection has.
#[derive(Clone, Debug, Serialize, ToSchema, sqlx::FromRow)]
pub struct CollectionRecords {
    /// The collection's name.
    pub name: String,
    /// How many, over all accounts.
    pub count: i64,
}

/// How many there are of some things; zero for those that this server does not have.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct FeatureCounts {
    /// Hooks made through the API.
    pub hooks: i64,
    /// Of them, those that run.
    pub hooks_enabled: i64,
    /// Webhooks.
    pub webhooks: i64,
    /// Of them, those that are called.
    pub webhooks_enabled: i64,
    /// Workflows.
    pub workflows: i64,
    /// Custom endpoints.
    pub endpoints: i64,
    /// Stored macros.
    pub macros: i64,
    /// API keys that were not revoked and have not expired.
    pub api_keys_active: i64,
    /// Invitations that can be accepted.
    pub invitations_pending: i64,
}

/// Background jobs by what became of them.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct JobsByStatus {
    /// They wait.
    pub pending: i64,
    /// They run.
    pub running: i64,
    /// They are done.
    pub completed: i64,
    /// They failed.
    pub failed: i64,
    /// They will be tried again.
    pub retrying: i64,
    /// They were given up.
    pub dead: i64,
}

/// Runs of hooks by how they ended.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct HookExecutions {
    /// Well.
    pub success: i64,
    /// Not at all.
    pub failed: i64,
    /// In part.
    pub partial: i64,
}

/// Calls of webhooks by what became of them.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct WebhookDeliveries {
    /// They arrived.
    pub delivered: i64,
    /// They did not.
    pub failed: i64,
    /// They wait.
    pub pending: i64,
    /// They will be tried again.
    pub retrying: i64,
}
