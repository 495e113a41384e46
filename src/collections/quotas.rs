//! How much the records of one account may be: switching the quotas on and off.

use crate::config::LimitsConfig;
use crate::db::{Db, DbError, Stmt, Value};
use crate::id::SYSTEM_ACCOUNT;
use crate::schema::{CatalogHandle, ddl};

/// Stores the configured quotas where the triggers of tables read them. When there were none
/// before, what each account has is counted first, which reads every record.
///
/// # Errors
///
/// If the database fails; then the quotas of before hold.
pub async fn apply_quotas(
    db: &Db,
    catalog: &CatalogHandle,
    limits: &LimitsConfig,
) -> Result<(), DbError> {
    let bound = |limit: u64| (limit > 0).then(|| i64::try_from(limit).unwrap_or(i64::MAX));
    let (records, bytes) = (bound(limits.account_records), bound(limits.account_bytes));
    let stored: Option<(Option<i64>, Option<i64>)> = db
        .row(Stmt::fixed(
            "SELECT max_records, max_bytes FROM account_quotas",
            Vec::new(),
        ))
        .await?;
    let wanted = (records.is_some() || bytes.is_some()).then_some((records, bytes));
    if stored == wanted {
        return Ok(());
    }
    let mut tx = db.begin().await?;
    tx.serialize_schema_changes().await?;
    tx.execute(Stmt::fixed("DELETE FROM account_quotas", Vec::new()))
        .await?;
    if wanted.is_some() {
        let number =
            |limit: Option<i64>| limit.map_or(Value::Null(crate::db::Kind::Int), Value::Int);
        let insert = "INSERT INTO account_quotas (id, max_records, max_bytes) VALUES (1, $1, $2)";
        tx.execute(Stmt::fixed(insert, vec![number(records), number(bytes)]))
            .await?;
    }
    if wanted.is_none() || stored.is_none() {
        tx.execute(Stmt::fixed("DELETE FROM account_usage", Vec::new()))
            .await?;
    }
    if wanted.is_some() && stored.is_none() {
        let insert = "INSERT INTO account_usage (account_id, records, bytes) SELECT id, 0, 0 FROM accounts WHERE id <> $1";
        tx.execute(Stmt::fixed(insert, vec![SYSTEM_ACCOUNT.into()]))
            .await?;
        for collection in catalog.current().iter() {
            let table = ddl::Table {
                id: collection.id,
                name: &collection.table,
                fields: &collection.fields,
            };
            for stmt in ddl::count_usage(db.dialect(), &table) {
                tx.execute(stmt).await?;
            }
        }
    }
    tx.commit().await
}
