//! The figures of the dashboard as they are answered. Figures of jobs, hooks and webhooks are there
//! for published clients and are always zero.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::dashboard::{
    DailyFigures, DayChanges, DayTotal, FeatureTotals, NewestUser, PreviousFigures, RecordTotal,
    Stats, StatsRange,
};
use crate::http::api::audit::view::AuditRow;

/// The days that figures cover.
#[derive(Clone, Copy, Deserialize, Serialize, ToSchema)]
#[schema(as = Range)]
pub(super) enum StatsDays {
    /// A week.
    #[serde(rename = "7d")]
    Week,
    /// Thirty days.
    #[serde(rename = "30d")]
    Month,
    /// Ninety days.
    #[serde(rename = "90d")]
    Quarter,
}

impl From<StatsDays> for StatsRange {
    fn from(days: StatsDays) -> Self {
        match days {
            StatsDays::Week => Self::Week,
            StatsDays::Month => Self::Month,
            StatsDays::Quarter => Self::Quarter,
        }
    }
}

impl From<StatsRange> for StatsDays {
    fn from(range: StatsRange) -> Self {
        match range {
            StatsRange::Week => Self::Week,
            StatsRange::Month => Self::Month,
            StatsRange::Quarter => Self::Quarter,
        }
    }
}

/// The figures of the whole server.
#[derive(Serialize, ToSchema)]
pub(super) struct DashboardStats {
    /// The days that the figures cover.
    range: StatsDays,
    /// Accounts, the system account included.
    total_accounts: i64,
    /// Users of all accounts.
    total_users: i64,
    /// Collections.
    total_collections: i64,
    /// Records of all collections and accounts.
    total_records: i64,
    /// Accounts created in the range, whatever the name says.
    new_accounts_7d: i64,
    /// Users created in the range, whatever the name says.
    new_users_7d: i64,
    /// The same figures of as many days before.
    previous_period: PreviousPeriod,
    /// Day by day.
    time_series: TimeSeries,
    /// The ten newest users.
    recent_registrations: Vec<RecentRegistration>,
    /// State of the server.
    system_health: SystemHealth,
    /// Open sessions.
    active_sessions: i64,
    /// Collections with a rule that lets everybody in.
    public_collections_count: i64,
    /// Number of records of each collection, the fullest first.
    records_by_collection: Vec<CollectionRecords>,
    /// Numbers of other things.
    feature_counts: FeatureCounts,
    /// Background jobs.
    jobs_by_status: JobsByStatus,
    /// Runs of hooks.
    hook_executions_summary: HookExecutions,
    /// Webhooks that were called.
    webhook_deliveries_summary: WebhookDeliveries,
    /// The newest entries of the audit log.
    recent_audit_logs: Vec<AuditRow>,
}

impl From<Stats> for DashboardStats {
    fn from(figures: Stats) -> Self {
        Self {
            range: figures.range.into(),
            total_accounts: figures.total_accounts,
            total_users: figures.total_users,
            total_collections: figures.total_collections,
            total_records: figures.total_records,
            new_accounts_7d: figures.new_accounts_7d,
            new_users_7d: figures.new_users_7d,
            previous_period: figures.previous_period.into(),
            time_series: figures.time_series.into(),
            recent_registrations: figures
                .recent_registrations
                .into_iter()
                .map(Into::into)
                .collect(),
            system_health: SystemHealth {
                database_status: "connected",
                storage_usage_mb: figures.storage_mebibytes,
            },
            active_sessions: figures.active_sessions,
            public_collections_count: figures.public_collections_count,
            records_by_collection: figures
                .records_by_collection
                .into_iter()
                .map(Into::into)
                .collect(),
            feature_counts: figures.feature_counts.into(),
            jobs_by_status: JobsByStatus::default(),
            hook_executions_summary: HookExecutions::default(),
            webhook_deliveries_summary: WebhookDeliveries::default(),
            recent_audit_logs: figures
                .recent_audit_logs
                .into_iter()
                .map(Into::into)
                .collect(),
        }
    }
}

/// Additions in the period before.
#[derive(Serialize, ToSchema)]
pub(super) struct PreviousPeriod {
    /// Accounts.
    new_accounts: i64,
    /// Users.
    new_users: i64,
}

impl From<PreviousFigures> for PreviousPeriod {
    fn from(figures: PreviousFigures) -> Self {
        Self {
            new_accounts: figures.new_accounts,
            new_users: figures.new_users,
        }
    }
}

/// Figures day by day, oldest first; every day of the range is there.
#[derive(Serialize, ToSchema)]
pub(super) struct TimeSeries {
    /// Accounts that were created.
    accounts_created: Vec<DayCount>,
    /// Users that were created.
    users_created: Vec<DayCount>,
    /// Audited changes.
    audit_by_operation: Vec<DayOperations>,
}

impl From<DailyFigures> for TimeSeries {
    fn from(figures: DailyFigures) -> Self {
        Self {
            accounts_created: figures
                .accounts_created
                .into_iter()
                .map(Into::into)
                .collect(),
            users_created: figures.users_created.into_iter().map(Into::into).collect(),
            audit_by_operation: figures
                .audit_by_operation
                .into_iter()
                .map(Into::into)
                .collect(),
        }
    }
}

/// A figure of a day.
#[derive(Serialize, ToSchema)]
pub(super) struct DayCount {
    /// The day, UTC: `2026-05-01`.
    date: String,
    /// Number of them.
    count: i64,
}

impl From<DayTotal> for DayCount {
    fn from(figures: DayTotal) -> Self {
        Self {
            date: figures.date,
            count: figures.count,
        }
    }
}

/// Audited changes of a day.
#[derive(Serialize, ToSchema)]
pub(super) struct DayOperations {
    /// The day, UTC: `2026-05-01`.
    date: String,
    /// Number of creations.
    create: i64,
    /// Number of changes.
    update: i64,
    /// Number of deletions.
    delete: i64,
}

impl From<DayChanges> for DayOperations {
    fn from(figures: DayChanges) -> Self {
        Self {
            date: figures.date,
            create: figures.create,
            update: figures.update,
            delete: figures.delete,
        }
    }
}

/// A user who is new.
#[derive(Serialize, ToSchema)]
pub(super) struct RecentRegistration {
    /// The id.
    id: String,
    /// The address.
    email: String,
    /// The account's id.
    account_id: String,
    /// The account's code.
    account_code: String,
    /// The account's name.
    account_name: String,
    /// Time of the user's creation.
    #[serde(serialize_with = "crate::clock::serialize")]
    #[schema(value_type = String)]
    created_at: DateTime<Utc>,
}

impl From<NewestUser> for RecentRegistration {
    fn from(figures: NewestUser) -> Self {
        Self {
            id: figures.id,
            email: figures.email,
            account_id: figures.account_id,
            account_code: figures.account_code,
            account_name: figures.account_name,
            created_at: figures.created_at,
        }
    }
}

/// State of the server.
#[derive(Serialize, ToSchema)]
pub(super) struct SystemHealth {
    /// `connected`.
    database_status: &'static str,
    /// Size of the database, in MiB.
    storage_usage_mb: f64,
}

/// Number of records of a collection.
#[derive(Serialize, ToSchema)]
pub(super) struct CollectionRecords {
    /// The collection's name.
    name: String,
    /// Number over all accounts.
    count: i64,
}

impl From<RecordTotal> for CollectionRecords {
    fn from(figures: RecordTotal) -> Self {
        Self {
            name: figures.name,
            count: figures.count,
        }
    }
}

/// Numbers of some things; zero for those that this server does not have.
#[derive(Serialize, ToSchema)]
pub(super) struct FeatureCounts {
    /// Hooks made through the API.
    hooks: i64,
    /// Of them, those that run.
    hooks_enabled: i64,
    /// Webhooks.
    webhooks: i64,
    /// Of them, those that are called.
    webhooks_enabled: i64,
    /// Workflows.
    workflows: i64,
    /// Custom endpoints.
    endpoints: i64,
    /// Stored macros.
    macros: i64,
    /// API keys that were not revoked and have not expired.
    api_keys_active: i64,
    /// Invitations that can be accepted.
    invitations_pending: i64,
}

impl From<FeatureTotals> for FeatureCounts {
    fn from(figures: FeatureTotals) -> Self {
        Self {
            hooks: 0,
            hooks_enabled: 0,
            webhooks: 0,
            webhooks_enabled: 0,
            workflows: 0,
            endpoints: 0,
            macros: figures.macros,
            api_keys_active: figures.api_keys_active,
            invitations_pending: figures.invitations_pending,
        }
    }
}

/// Background jobs by what became of them.
#[derive(Default, Serialize, ToSchema)]
pub(super) struct JobsByStatus {
    /// They wait.
    pending: i64,
    /// They run.
    running: i64,
    /// They are done.
    completed: i64,
    /// They failed.
    failed: i64,
    /// They will be tried again.
    retrying: i64,
    /// They were given up.
    dead: i64,
}

/// Runs of hooks by how they ended.
#[derive(Default, Serialize, ToSchema)]
pub(super) struct HookExecutions {
    /// Well.
    success: i64,
    /// Not at all.
    failed: i64,
    /// In part.
    partial: i64,
}

/// Calls of webhooks by what became of them.
#[derive(Default, Serialize, ToSchema)]
pub(super) struct WebhookDeliveries {
    /// They arrived.
    delivered: i64,
    /// They did not.
    failed: i64,
    /// They wait.
    pending: i64,
    /// They will be tried again.
    retrying: i64,
}
