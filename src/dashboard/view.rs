//! What the dashboard shows.

use chrono::{DateTime, Utc};

use crate::audit::TrailRow;

/// How far back the dashboard looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StatsRange {
    /// A week.
    #[default]
    Week,
    /// Thirty days.
    Month,
    /// Ninety days.
    Quarter,
}

impl StatsRange {
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
#[derive(Clone, Debug)]
pub struct Stats {
    /// How far back the figures look.
    pub range: StatsRange,
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
    pub previous_period: PreviousFigures,
    /// Space of the database, in MiB.
    pub storage_mebibytes: f64,
    /// Day by day.
    pub time_series: DailyFigures,
    /// The ten newest users.
    pub recent_registrations: Vec<NewestUser>,
    /// Open sessions.
    pub active_sessions: i64,
    /// Collections with a rule that lets everybody in.
    pub public_collections_count: i64,
    /// How many records each collection has, the fullest first.
    pub records_by_collection: Vec<RecordTotal>,
    /// How many there are of other things.
    pub feature_counts: FeatureTotals,
    /// The newest entries of the audit log.
    pub recent_audit_logs: Vec<TrailRow>,
}

/// What was new in the period before.
#[derive(Clone, Debug)]
pub struct PreviousFigures {
    /// Accounts.
    pub new_accounts: i64,
    /// Users.
    pub new_users: i64,
}

/// Figures day by day, oldest first; every day of the range is there.
#[derive(Clone, Debug)]
pub struct DailyFigures {
    /// Accounts that were created.
    pub accounts_created: Vec<DayTotal>,
    /// Users that were created.
    pub users_created: Vec<DayTotal>,
    /// Audited changes.
    pub audit_by_operation: Vec<DayChanges>,
}

/// A figure of a day.
#[derive(Clone, Debug)]
pub struct DayTotal {
    /// The day, UTC: `2026-05-01`.
    pub date: String,
    /// How many.
    pub count: i64,
}

/// Audited changes of a day.
#[derive(Clone, Debug)]
pub struct DayChanges {
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
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct NewestUser {
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
    pub created_at: DateTime<Utc>,
}

/// How many records a collection has.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct RecordTotal {
    /// The collection's name.
    pub name: String,
    /// How many, over all accounts.
    pub count: i64,
}

/// How many there are of some things; zero for those that this server does not have.
#[derive(Clone, Debug, Default)]
pub struct FeatureTotals {
    /// Stored macros.
    pub macros: i64,
    /// API keys that were not revoked and have not expired.
    pub api_keys_active: i64,
    /// Invitations that can be accepted.
    pub invitations_pending: i64,
}
