//! Reading the trail.

use chrono::{DateTime, Utc};

use super::Audit;
use super::entry::{Entry, TrailRow};
use crate::access::account::superadmin;
use crate::auth::Caller;
use crate::db::{Sql, Stmt};
use crate::error::{Error, Result};

/// What rows are sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Column {
    /// When it happened.
    #[default]
    OccurredAt,
    /// The order in which it was written down.
    Id,
    /// The account.
    AccountId,
    /// What was done.
    Operation,
    /// The table.
    TableName,
    /// The row of the table.
    RecordId,
    /// Who did it.
    UserId,
    /// The address of who did it.
    UserEmail,
}

impl Column {
    fn name(self) -> &'static str {
        match self {
            Self::OccurredAt => "occurred_at",
            Self::Id => "id",
            Self::AccountId => "account_id",
            Self::Operation => "operation",
            Self::TableName => "table_name",
            Self::RecordId => "record_id",
            Self::UserId => "actor",
            Self::UserEmail => "user_email",
        }
    }
}

/// Which rows, and in what order.
#[derive(Clone, Debug, Default)]
pub struct AuditFilter {
    /// Of this account.
    pub account_id: Option<String>,
    /// About this table.
    pub table_name: Option<String>,
    /// About this row of a table.
    pub record_id: Option<String>,
    /// Done by this user.
    pub user_id: Option<String>,
    /// Where this was done.
    pub operation: Option<String>,
    /// By somebody who had signed in like this: `jwt`, `api_key`, `password` or `token`.
    pub auth_method: Option<String>,
    /// Not before.
    pub from: Option<DateTime<Utc>>,
    /// Not after.
    pub to: Option<DateTime<Utc>>,
    /// What rows are sorted by; rows that are equal in it, by their ids.
    pub sort: Column,
    /// Whether the smallest come first.
    pub ascending: bool,
    /// Whether personal data is masked even for those who may see it.
    pub masked: bool,
    /// With smaller ids only: so that what is written meanwhile does not shift the rows.
    pub before: Option<i64>,
}

/// Some rows of the trail.
#[derive(Clone, Debug)]
pub struct TrailPage {
    /// The rows.
    pub items: Vec<TrailRow>,
    /// How many there are in all.
    pub total: i64,
    /// How many were left out before the first.
    pub skip: i64,
    /// The most that were asked for.
    pub limit: i64,
    /// Whether changes are kept at present.
    pub audit_logging_enabled: bool,
}

/// Bytes of entries that are read at once.
const MAX_READ_BYTES: usize = 16 * 1024 * 1024;

#[derive(sqlx::FromRow)]
struct Placed {
    /// Rows up to the end of this entry.
    up_to: i64,
    #[sqlx(flatten)]
    entry: Entry,
}

impl AuditFilter {
    fn is_everything(&self) -> bool {
        let texts = [
            &self.account_id,
            &self.table_name,
            &self.record_id,
            &self.user_id,
            &self.operation,
            &self.auth_method,
        ];
        texts.iter().all(|text| text.is_none()) && self.from.is_none() && self.to.is_none()
    }

    fn push(&self, sql: &mut Sql) {
        let mut word = " WHERE ";
        let equal = [
            ("account_id = ", &self.account_id),
            ("table_name = ", &self.table_name),
            ("record_id = ", &self.record_id),
            ("actor = ", &self.user_id),
            ("operation = ", &self.operation),
            ("auth_method = ", &self.auth_method),
        ];
        for (condition, value) in equal {
            if let Some(value) = value {
                sql.push(word).push(condition).arg(value.as_str());
                word = " AND ";
            }
        }
        for (condition, time) in [("occurred_at >= ", self.from), ("occurred_at <= ", self.to)] {
            if let Some(time) = time {
                sql.push(word).push(condition).arg(time);
                word = " AND ";
            }
        }
        if let Some(before) = self.before {
            sql.push(word).push("id < ").arg(before);
        }
    }

    fn push_order(&self, sql: &mut Sql, table: &'static str) {
        let direction = if self.ascending { " ASC" } else { " DESC" };
        sql.push(" ORDER BY ")
            .push(table)
            .push(self.sort.name())
            .push(direction);
        if self.sort != Column::Id {
            sql.push(", ").push(table).push("id").push(direction);
        }
    }
}

impl Audit {
    /// A page of the trail.
    pub async fn list(
        &self,
        caller: &Caller,
        filter: &AuditFilter,
        skip: i64,
        limit: i64,
    ) -> Result<TrailPage> {
        superadmin(caller)?;
        self.settle().await?;
        let total = self.total(filter).await?;
        let items = self
            .rows(filter, filter.masked || !caller.sees_pii(), skip, limit)
            .await?;
        Ok(TrailPage {
            items,
            total,
            skip,
            limit,
            audit_logging_enabled: self.is_enabled(),
        })
    }

    /// One row of the trail.
    pub async fn get(&self, caller: &Caller, id: i64) -> Result<TrailRow> {
        superadmin(caller)?;
        self.settle().await?;
        let select = "SELECT * FROM audit_log WHERE id <= $1 ORDER BY id DESC LIMIT 1";
        let entry: Option<Entry> = self.0.db.row(Stmt::fixed(select, vec![id.into()])).await?;
        let masks = if caller.sees_pii() {
            None
        } else {
            Some(self.masks().await?)
        };
        let row = entry.and_then(|entry| {
            entry
                .rows(masks.as_ref())
                .into_iter()
                .find(|row| row.id == id)
        });
        row.ok_or_else(|| Error::not_found("Audit log entry not found"))
    }

    /// The newest rows, as superadmins see them.
    pub async fn newest(&self, limit: i64) -> Result<Vec<TrailRow>> {
        self.rows(
            &AuditFilter {
                sort: Column::Id,
                ..AuditFilter::default()
            },
            false,
            0,
            limit,
        )
        .await
    }

    /// How many rows there are.
    pub(super) async fn total(&self, filter: &AuditFilter) -> Result<i64> {
        let db = &self.0.db;
        if filter.is_everything() {
            // Ids have no gaps.
            let count = match filter.before {
                Some(before) => before,
                None => self.next_id().await?,
            };
            return Ok(count - 1);
        }
        let mut sql = db.sql();
        sql.push("SELECT coalesce(sum(row_count), 0) FROM audit_log");
        filter.push(&mut sql);
        Ok(db.reads(None).count(sql.build()).await?)
    }

    /// The id of the row that will be written next.
    pub(super) async fn next_id(&self) -> Result<i64> {
        Ok(self
            .0
            .db
            .count(Stmt::fixed(
                "SELECT next_id FROM audit_state WHERE id = 1",
                Vec::new(),
            ))
            .await?)
    }

    /// Some rows, in order.
    pub(super) async fn rows(
        &self,
        filter: &AuditFilter,
        mask: bool,
        skip: i64,
        limit: i64,
    ) -> Result<Vec<TrailRow>> {
        let end = skip.saturating_add(limit);
        let mut sql = self.0.db.sql();
        // An entry has at least one row, so that no more entries than rows are looked at.
        sql.push("SELECT a.*, p.up_to FROM (SELECT id, row_count, sum(row_count) OVER (");
        filter.push_order(&mut sql, "");
        sql.push(") AS up_to FROM (SELECT id, row_count, account_id, operation, table_name, record_id, actor, ");
        sql.push("user_email, occurred_at FROM audit_log");
        filter.push(&mut sql);
        filter.push_order(&mut sql, "");
        sql.push(" LIMIT ")
            .arg(end)
            .push(") e) p JOIN audit_log a ON a.id = p.id WHERE p.up_to > ")
            .arg(skip);
        sql.push(" AND p.up_to - p.row_count < ").arg(end);
        filter.push_order(&mut sql, "a.");
        let size = |placed: &Placed| placed.entry.size();
        let entries = self
            .0
            .db
            .reads(None)
            .rows_within(sql.build(), MAX_READ_BYTES, size)
            .await?;
        let masks = if mask {
            Some(self.masks().await?)
        } else {
            None
        };
        let mut found = Vec::new();
        for Placed { up_to, entry } in entries {
            let mut rows = entry.rows(masks.as_ref());
            if !filter.ascending {
                rows.reverse();
            }
            let first = up_to - i64::from(entry.row_count);
            let place = |index: usize| first + i64::try_from(index).unwrap_or_default();
            let wanted = |(index, row)| (skip..end).contains(&place(index)).then_some(row);
            found.extend(rows.into_iter().enumerate().filter_map(wanted));
        }
        Ok(found)
    }
}
