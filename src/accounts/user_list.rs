//! The list of users, for superadmins.

use super::Accounts;
use super::store::{self, UserRow};
use super::view::{UserDetails, UserPage};
use crate::access::account::superadmin;
use crate::auth::Caller;
use crate::db::{Sql, containing};
use crate::error::Result;

/// Which users, and in what order.
#[derive(Clone, Debug, Default)]
pub struct UserFilter {
    /// Of one account.
    pub account_id: Option<String>,
    /// With one role.
    pub role_id: Option<i64>,
    /// Who may sign in, or not.
    pub is_active: Option<bool>,
    /// With this in the address.
    pub search: Option<String>,
    /// A column, with `-` before it for the other direction.
    pub sort: Option<String>,
    /// How many to pass over.
    pub skip: i64,
    /// How many at most.
    pub limit: i64,
}

impl UserFilter {
    fn push(&self, sql: &mut Sql) {
        sql.push(" WHERE 1 = 1");
        if let Some(account) = &self.account_id {
            sql.push(" AND u.account_id = ").arg(account);
        }
        if let Some(role) = self.role_id {
            sql.push(" AND u.role_id = ").arg(role);
        }
        if let Some(active) = self.is_active {
            sql.push(" AND u.is_active = ").arg(active);
        }
        if let Some(search) = self.search.as_deref().filter(|search| !search.is_empty()) {
            sql.push(" AND u.email LIKE ")
                .arg(containing(search))
                .push(" ESCAPE '\\'");
        }
    }

    /// The order as SQL; unknown columns sort by the time of creation.
    fn order(&self) -> &'static str {
        let sort = self.sort.as_deref().unwrap_or("-created_at");
        let (column, descending) = match sort.strip_prefix('-') {
            Some(column) => (column, true),
            None => (sort.trim_start_matches(['+', ' ']), false),
        };
        match (column, descending) {
            ("email", false) => " ORDER BY u.email, u.id",
            ("email", true) => " ORDER BY u.email DESC, u.id DESC",
            ("last_login", false) => " ORDER BY u.last_login, u.id",
            ("last_login", true) => " ORDER BY u.last_login DESC, u.id DESC",
            ("is_active", false) => " ORDER BY u.is_active, u.id",
            ("is_active", true) => " ORDER BY u.is_active DESC, u.id DESC",
            ("role_id" | "role" | "role_name", false) => " ORDER BY u.role_id, u.id",
            ("role_id" | "role" | "role_name", true) => " ORDER BY u.role_id DESC, u.id DESC",
            (_, false) => " ORDER BY u.created_at, u.id",
            (_, true) => " ORDER BY u.created_at DESC, u.id DESC",
        }
    }
}

impl Accounts {
    /// A page of users.
    pub async fn users(&self, caller: &Caller, filter: &UserFilter) -> Result<UserPage> {
        superadmin(caller)?;
        let db = &self.0.db;
        let mut count = db.sql();
        count.push("SELECT count(*) FROM users u");
        filter.push(&mut count);
        let total = db.count(count.build()).await?;
        let mut sql = store::select_users(db);
        filter.push(&mut sql);
        sql.push(filter.order())
            .push(" LIMIT ")
            .arg(filter.limit)
            .push(" OFFSET ")
            .arg(filter.skip);
        let rows: Vec<UserRow> = db.rows(sql.build()).await?;
        let mut groups = store::groups_of(db, &rows).await?;
        let items = rows.into_iter().map(|row| {
            let groups = groups.remove(&row.id).unwrap_or_default();
            UserDetails::new(row, groups)
        });
        Ok(UserPage {
            total,
            items: items.collect(),
        })
    }
}
