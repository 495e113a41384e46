//! The dashboard: figures of the whole server, for superadmins, by a handful of statements.

mod view;

use std::collections::HashMap;

use chrono::{DateTime, NaiveTime, TimeDelta, Utc};

pub use view::{
    DailyFigures, DayChanges, DayTotal, FeatureTotals, NewestUser, PreviousFigures, RecordTotal,
    Stats, StatsRange,
};

use crate::audit::{Audit, TrailRow};
use crate::clock::Clock;
use crate::db::{Db, Stmt};
use crate::error::Result;
use crate::schema::{CatalogHandle, Collection, Operation};

/// Tables that one statement counts; SQLite joins 500 at most.
const TABLES: usize = 100;
/// Rows of the audit trail that are shown.
const AUDITED: i64 = 20;

/// The service; cheap to clone.
#[derive(Clone)]
pub struct Dashboard {
    db: Db,
    catalog: CatalogHandle,
    audit: Audit,
    clock: Clock,
}

#[derive(sqlx::FromRow)]
struct Totals {
    accounts: i64,
    users: i64,
    new_accounts: i64,
    new_users: i64,
    previous_accounts: i64,
    previous_users: i64,
    sessions: i64,
    api_keys: i64,
    invitations: i64,
    macros: i64,
}

/// What the audit log tells.
struct AuditActivity {
    recent: Vec<TrailRow>,
    by_operation: Vec<DayChanges>,
}

/// Days that follow one another.
struct Window {
    since: DateTime<Utc>,
    days: i64,
}

impl Window {
    /// The last days, today included.
    fn last(days: i64, now: DateTime<Utc>) -> Self {
        let today = now.date_naive().and_time(NaiveTime::MIN).and_utc();
        Self {
            since: today - TimeDelta::days(days - 1),
            days,
        }
    }

    /// Its days, oldest first, as the database writes them.
    fn dates(&self) -> impl Iterator<Item = String> {
        (0..self.days).map(|day| (self.since + TimeDelta::days(day)).date_naive().to_string())
    }
}

impl Dashboard {
    /// Over a database.
    pub fn new(db: Db, catalog: CatalogHandle, audit: Audit, clock: Clock) -> Self {
        Self {
            db,
            catalog,
            audit,
            clock,
        }
    }

    /// The figures of the last days.
    pub async fn stats(&self, range: StatsRange) -> Result<Stats> {
        let now = self.clock.now();
        let window = Window::last(range.days(), now);
        let totals = self.totals(&window, now).await?;
        let (accounts_created, users_created) = self.created(&window).await?;
        let records = self.records().await?;
        let audit = self.audited(&window).await?;
        let catalog = self.catalog.current();
        let is_public = |collection: &Collection| {
            Operation::ALL
                .iter()
                .any(|o| collection.row.rule(*o) == Some(""))
        };
        let public = catalog.iter().filter(|collection| is_public(collection));
        Ok(Stats {
            range,
            total_accounts: totals.accounts,
            total_users: totals.users,
            total_collections: count(catalog.iter()),
            total_records: records.iter().map(|collection| collection.count).sum(),
            new_accounts_7d: totals.new_accounts,
            new_users_7d: totals.new_users,
            previous_period: PreviousFigures {
                new_accounts: totals.previous_accounts,
                new_users: totals.previous_users,
            },
            time_series: DailyFigures {
                accounts_created,
                users_created,
                audit_by_operation: audit.by_operation,
            },
            recent_registrations: self.registrations().await?,
            storage_mebibytes: self.megabytes().await?,
            active_sessions: totals.sessions,
            public_collections_count: count(public),
            records_by_collection: records,
            feature_counts: FeatureTotals {
                api_keys_active: totals.api_keys,
                invitations_pending: totals.invitations,
                macros: totals.macros,
            },
            recent_audit_logs: audit.recent,
        })
    }

    /// What was audited in the last days.
    async fn audited(&self, window: &Window) -> Result<AuditActivity> {
        let mut sql = self.db.sql();
        sql.push("SELECT ")
            .day("l.occurred_at")
            .push(" AS day, l.operation, count(*) AS number FROM audit_log l");
        sql.push(" WHERE l.occurred_at >= ")
            .arg(window.since)
            .push(" GROUP BY 1, 2");
        let rows: Vec<(String, String, i64)> = self.db.reads(None).rows(sql.build()).await?;
        let counted: HashMap<(&str, &str), i64> = rows
            .iter()
            .map(|(day, operation, count)| ((day.as_str(), operation.as_str()), *count))
            .collect();
        let of_day = |date: String| {
            let number = |operation: &str| {
                counted
                    .get(&(date.as_str(), operation))
                    .copied()
                    .unwrap_or(0)
            };
            let (create, update, delete) = (number("CREATE"), number("UPDATE"), number("DELETE"));
            DayChanges {
                date,
                create,
                update,
                delete,
            }
        };
        let by_operation = window.dates().map(of_day).collect();
        Ok(AuditActivity {
            recent: self.audit.newest(AUDITED).await?,
            by_operation,
        })
    }

    async fn totals(&self, window: &Window, now: DateTime<Utc>) -> Result<Totals> {
        let text = "SELECT (SELECT count(*) FROM accounts) AS accounts, (SELECT count(*) FROM users) AS users, \
                    (SELECT count(*) FROM accounts WHERE created_at >= $1) AS new_accounts, \
                    (SELECT count(*) FROM users WHERE created_at >= $1) AS new_users, \
                    (SELECT count(*) FROM accounts WHERE created_at >= $2 AND created_at < $1) AS previous_accounts, \
                    (SELECT count(*) FROM users WHERE created_at >= $2 AND created_at < $1) AS previous_users, \
                    (SELECT count(*) FROM sessions WHERE revoked_at IS NULL AND expires_at > $3) AS sessions, \
                    (SELECT count(*) FROM api_keys WHERE revoked_at IS NULL \
                     AND (expires_at IS NULL OR expires_at > $3)) AS api_keys, \
                    (SELECT count(*) FROM invitations WHERE accepted_at IS NULL AND expires_at > $3) AS invitations, \
                    (SELECT count(*) FROM macros) AS macros";
        let before = window.since - TimeDelta::days(window.days);
        let row = self
            .db
            .reads(None)
            .row(Stmt::fixed(
                text,
                vec![window.since.into(), before.into(), now.into()],
            ))
            .await?;
        row.ok_or_else(|| crate::error::Error::internal("a statement of counts has no row"))
    }

    /// Accounts and users created, day by day.
    async fn created(&self, window: &Window) -> Result<(Vec<DayTotal>, Vec<DayTotal>)> {
        let mut sql = self.db.sql();
        sql.push("SELECT 'accounts' AS kind, ")
            .day("a.created_at")
            .push(" AS day, count(*) AS number FROM accounts a");
        sql.push(" WHERE a.created_at >= ")
            .arg(window.since)
            .push(" GROUP BY 2");
        sql.push(" UNION ALL SELECT 'users', ")
            .day("u.created_at")
            .push(", count(*) FROM users u");
        sql.push(" WHERE u.created_at >= ")
            .arg(window.since)
            .push(" GROUP BY 2");
        let rows: Vec<(String, String, i64)> = self.db.reads(None).rows(sql.build()).await?;
        let counted: HashMap<(&str, &str), i64> = rows
            .iter()
            .map(|(kind, day, count)| ((kind.as_str(), day.as_str()), *count))
            .collect();
        let series = |kind: &str| {
            let of_day = |date: String| {
                let count = counted.get(&(kind, date.as_str())).copied().unwrap_or(0);
                DayTotal { date, count }
            };
            window.dates().map(of_day).collect()
        };
        Ok((series("accounts"), series("users")))
    }

    async fn registrations(&self) -> Result<Vec<NewestUser>> {
        let text = "SELECT u.id, u.email, u.account_id, a.account_code, a.name AS account_name, u.created_at \
                    FROM users u JOIN accounts a ON a.id = u.account_id ORDER BY u.created_at DESC, u.id DESC LIMIT 10";
        Ok(self
            .db
            .reads(None)
            .rows(Stmt::fixed(text, Vec::new()))
            .await?)
    }

    /// How many records each collection has, the fullest first.
    async fn records(&self) -> Result<Vec<RecordTotal>> {
        let catalog = self.catalog.current();
        let collections: Vec<_> = catalog.iter().collect();
        let mut counts: Vec<RecordTotal> = Vec::with_capacity(collections.len());
        for chunk in collections.chunks(TABLES) {
            let mut sql = self.db.sql();
            sql.list(" UNION ALL ", chunk, |sql, collection| {
                sql.push("SELECT ").typed_arg(collection.name.as_str());
                sql.push(" AS name, count(*) AS count FROM ")
                    .ident(&collection.table);
            });
            counts.extend(self.db.reads(None).rows::<RecordTotal>(sql.build()).await?);
        }
        counts.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.name.cmp(&b.name)));
        Ok(counts)
    }

    /// How large the database is, in bytes.
    pub async fn database_bytes(&self) -> Result<i64> {
        let mut sql = self.db.sql();
        sql.database_bytes();
        Ok(self.db.count(sql.build()).await?)
    }

    async fn megabytes(&self) -> Result<f64> {
        let bytes = self.database_bytes().await?;
        #[expect(clippy::cast_precision_loss, reason = "shown to people")]
        let megabytes = bytes as f64 / (1024.0 * 1024.0);
        Ok((megabytes * 100.0).round() / 100.0)
    }
}

fn count<T>(items: impl Iterator<Item = T>) -> i64 {
    i64::try_from(items.count()).unwrap_or(i64::MAX)
}
