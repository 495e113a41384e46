//! Accounts, for superadmins.

use chrono::{DateTime, Utc};
use serde_json::json;

use super::input::{self, Checks, NewAccount, length};
use super::names::slug_of;
use super::view::{
    Account, AccountDetails, AccountMember, AccountMemberPage, AccountPage, ListedAccount,
    RecordUsage,
};
use super::{Accounts, trail};
use crate::access::account::superadmin;
use crate::audit::Event;
use crate::auth::Caller;
use crate::auth::access_log::{self, AccessChange};
use crate::db::{Batch, Sql, Stmt, containing};
use crate::error::{Error, Result};
use crate::id::AccountId;
use crate::slug;

/// Which accounts, and in what order.
#[derive(Clone, Debug)]
pub struct AccountFilter {
    /// With this in name, slug, code or id.
    pub search: Option<String>,
    /// A column.
    pub sort_by: String,
    /// Whether the smallest come first.
    pub ascending: bool,
    /// The page, from 1.
    pub page: i64,
    /// Accounts on a page.
    pub page_size: i64,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    account_code: String,
    slug: String,
    name: String,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    user_count: i64,
    records: Option<i64>,
    max_records: Option<i64>,
    bytes: Option<i64>,
    max_bytes: Option<i64>,
}

const SELECT: &str = "SELECT a.id, a.account_code, a.slug, a.name, a.created_at, a.updated_at, \
                      (SELECT count(*) FROM users u WHERE u.account_id = a.id) AS user_count, \
                      u.records, u.bytes, q.max_records, q.max_bytes FROM accounts a \
                      LEFT JOIN account_usage u ON u.account_id = a.id LEFT JOIN account_quotas q ON q.id = 1";

impl Row {
    fn view(&self) -> Account {
        Account {
            id: self.id.clone(),
            account_code: self.account_code.clone(),
            slug: self.slug.clone(),
            name: self.name.clone(),
            created_at: self.created_at,
        }
    }

    fn detail(&self) -> AccountDetails {
        AccountDetails {
            account: self.view(),
            updated_at: self.updated_at,
            user_count: self.user_count,
            usage: self
                .records
                .zip(self.bytes)
                .map(|(records, bytes)| RecordUsage {
                    records,
                    max_records: self.max_records,
                    bytes,
                    max_bytes: self.max_bytes,
                }),
        }
    }
}

impl AccountFilter {
    fn push(&self, sql: &mut Sql) {
        if let Some(search) = self.search.as_deref().filter(|search| !search.is_empty()) {
            let pattern = containing(search);
            sql.push(" WHERE (lower(a.name) LIKE ")
                .arg(pattern.as_str())
                .push(" ESCAPE '\\'");
            sql.push(" OR a.slug LIKE ")
                .arg(pattern.as_str())
                .push(" ESCAPE '\\'");
            sql.push(" OR lower(a.account_code) LIKE ")
                .arg(pattern.as_str())
                .push(" ESCAPE '\\'");
            sql.push(" OR a.id LIKE ")
                .arg(pattern)
                .push(" ESCAPE '\\')");
        }
    }

    fn order(&self) -> Result<&'static str> {
        Ok(match self.sort_by.as_str() {
            "id" => " ORDER BY a.id",
            "slug" => " ORDER BY a.slug",
            "name" => " ORDER BY a.name",
            "created_at" => " ORDER BY a.created_at",
            "account_code" => " ORDER BY a.account_code",
            _ => {
                let message =
                    "sort_by should be 'id', 'slug', 'name', 'created_at' or 'account_code'".into();
                return Err(Error::Unprocessable {
                    field: "sort_by",
                    message,
                });
            }
        })
    }
}

impl Accounts {
    /// A page of accounts.
    pub async fn accounts(&self, caller: &Caller, filter: &AccountFilter) -> Result<AccountPage> {
        superadmin(caller)?;
        let db = &self.0.db;
        let order = filter.order()?;
        let mut count = db.sql();
        count.push("SELECT count(*) FROM accounts a");
        filter.push(&mut count);
        let total = db.count(count.build()).await?;
        let mut sql = db.sql();
        sql.push(SELECT);
        filter.push(&mut sql);
        sql.push(order)
            .push(if filter.ascending { "" } else { " DESC" })
            .push(", a.id");
        sql.push(" LIMIT ")
            .arg(filter.page_size)
            .push(" OFFSET ")
            .arg((filter.page - 1) * filter.page_size);
        let rows: Vec<Row> = db.rows(sql.build()).await?;
        let summary = |row: &Row| ListedAccount {
            account: row.view(),
            user_count: row.user_count,
        };
        Ok(AccountPage {
            items: rows.iter().map(summary).collect(),
            total,
            page: filter.page,
            page_size: filter.page_size,
            total_pages: pages(total, filter.page_size),
        })
    }

    /// One account.
    pub async fn account(&self, caller: &Caller, id: &str) -> Result<AccountDetails> {
        superadmin(caller)?;
        Ok(self.account_row(id).await?.detail())
    }

    /// Creates an account without users.
    pub async fn create_account(
        &self,
        caller: &Caller,
        request: NewAccount,
    ) -> Result<AccountDetails> {
        superadmin(caller)?;
        let mut checks = Checks::default();
        let name = checks.take(input::name("name", &request.name, 1..=255));
        if let Some(slug) = &request.slug {
            checks.take(length("slug", slug, 3..=32));
        }
        let name = checks.done(name)?;
        let wrong = |message: String| Error::Unprocessable {
            field: "slug",
            message,
        };
        let slug = match request.slug.as_deref() {
            Some(named) => {
                let slug = named.to_lowercase();
                if !slug
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
                {
                    return Err(wrong(
                        "Slug must contain only lowercase letters, numbers, and hyphens".into(),
                    ));
                }
                if slug::is_account_code(&slug) {
                    let message =
                        "Slug must not look like an account code: two letters and four digits";
                    return Err(wrong(message.into()));
                }
                if self.slug_taken(&slug).await? {
                    return Err(wrong(format!("Slug '{slug}' already exists")));
                }
                slug
            }
            None => self.free_slug(&slug_of(&name)).await?,
        };
        let created = |id| trail::account_created(id, &name, &slug).by(caller);
        let account = self.insert_empty_account(&name, &slug, created).await?;
        Ok(self.account_row(&account.to_string()).await?.detail())
    }

    /// Renames an account.
    pub async fn update_account(
        &self,
        caller: &Caller,
        id: &str,
        name: &str,
    ) -> Result<AccountDetails> {
        superadmin(caller)?;
        let name = input::name("name", name, 1..=255)?;
        let before = self.account_row(id).await?;
        let account = self.account_id(id).await?;
        let now = self.0.clock.now();
        let (old, new) = (json!({"name": before.name}), json!({"name": name}));
        let entry = Event::update("accounts", account, &old, &new)
            .of(account)
            .by(caller)
            .entry(now);
        let update = "UPDATE accounts SET name = $1, updated_at = $2 WHERE id = $3";
        let update = Stmt::fixed(update, vec![name.into(), now.into(), account.into()]);
        self.change_account(Batch::new().require(update).with(entry), account, caller)
            .await?;
        Ok(self.account_row(id).await?.detail())
    }

    /// Deletes an account with its users and records.
    pub async fn delete_account(&self, caller: &Caller, id: &str) -> Result<()> {
        superadmin(caller)?;
        let account = self.account_id(id).await?;
        if account.is_system() {
            let message = "Cannot delete the system account".into();
            return Err(Error::Unprocessable {
                field: "id",
                message,
            });
        }
        let before = self.account_row(id).await?;
        let old =
            json!({"name": before.name, "slug": before.slug, "account_code": before.account_code});
        let entry = Event::delete("accounts", account, old)
            .of(account)
            .by(caller)
            .entry(self.0.clock.now());
        let delete = Stmt::fixed("DELETE FROM accounts WHERE id = $1", vec![account.into()]);
        self.change_account(Batch::new().require(delete).with(entry), account, caller)
            .await
    }

    /// A page of an account's users, newest first.
    pub async fn account_users(
        &self,
        caller: &Caller,
        id: &str,
        page: i64,
        page_size: i64,
    ) -> Result<AccountMemberPage> {
        superadmin(caller)?;
        let account = self.account_id(id).await?;
        let count = Stmt::fixed(
            "SELECT count(*) FROM users WHERE account_id = $1",
            vec![account.into()],
        );
        let total = self.0.db.count(count).await?;
        let select = "SELECT u.id, u.email, r.name, u.is_active, u.created_at FROM users u \
                      JOIN roles r ON r.id = u.role_id WHERE u.account_id = $1 \
                      ORDER BY u.created_at DESC, u.id DESC LIMIT $2 OFFSET $3";
        let args = vec![
            account.into(),
            page_size.into(),
            ((page - 1) * page_size).into(),
        ];
        let rows: Vec<(String, String, String, bool, DateTime<Utc>)> =
            self.0.db.rows(Stmt::fixed(select, args)).await?;
        let user = |(id, email, role, is_active, created_at)| AccountMember {
            id,
            email,
            role,
            is_active,
            created_at,
        };
        let items = rows.into_iter().map(user).collect();
        Ok(AccountMemberPage {
            items,
            total,
            page,
            page_size,
            total_pages: pages(total, page_size),
        })
    }

    async fn account_row(&self, id: &str) -> Result<Row> {
        let missing = || Error::not_found(format!("Account '{id}' not found"));
        let account = AccountId::parse(id).ok_or_else(missing)?;
        let mut sql = self.0.db.sql();
        sql.push(SELECT).push(" WHERE a.id = ").arg(account);
        self.0.db.row(sql.build()).await?.ok_or_else(missing)
    }

    async fn account_id(&self, id: &str) -> Result<AccountId> {
        let row = self.account_row(id).await?;
        AccountId::parse(&row.id).ok_or_else(|| Error::internal("an account's id is no UUID"))
    }

    async fn change_account(
        &self,
        change: Batch,
        account: AccountId,
        caller: &Caller,
    ) -> Result<()> {
        let now = self.0.clock.now();
        let entry = access_log::entry(account, AccessChange::Account, now, caller.actor());
        let batch = change.with(entry).acting(caller.actor(), now, None);
        self.0
            .db
            .commit(batch)
            .await
            .map_err(|error| Error::from(error.source))?;
        self.0.auth.invalidate_account(account);
        Ok(())
    }

    /// The slug, or the first with a number behind it that is free.
    async fn free_slug(&self, slug: &str) -> Result<String> {
        let mut candidate = slug.to_owned();
        let mut number = 1;
        while self.slug_taken(&candidate).await? {
            let suffix = format!("-{number}");
            let stem = slug.get(..32 - suffix.len()).unwrap_or(slug);
            candidate = format!("{stem}{suffix}");
            number += 1;
        }
        Ok(candidate)
    }
}

/// How many pages there are; an empty list has one.
fn pages(total: i64, page_size: i64) -> i64 {
    ((total + page_size - 1) / page_size.max(1)).max(1)
}
