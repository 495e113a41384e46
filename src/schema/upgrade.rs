//! Tables that older versions made, brought up to what this one makes: once, at a start.

use super::catalog::CatalogHandle;
use super::ddl;
use crate::db::{Db, DbError, Stmt, Tx};

/// What the tables of collections have besides their fields. Another number makes the next start go through all of them.
const VERSION: &str = "2";

/// Renews every table, unless this or another process has done so before.
pub async fn upgrade_tables(db: &Db, catalog: &CatalogHandle) -> Result<(), DbError> {
    let stored = "SELECT value FROM meta WHERE key = 'tables_version'";
    if is_current(db.row(Stmt::fixed(stored, Vec::new())).await?) {
        return Ok(());
    }
    let mut tx = db.begin().await?;
    tx.serialize_schema_changes().await?;
    if is_current(tx.row(Stmt::fixed(stored, Vec::new())).await?) {
        return Ok(());
    }
    renew_all(&mut tx, db, catalog).await?;
    let insert = "INSERT INTO meta (key, value) VALUES ('tables_version', $1) \
                  ON CONFLICT (key) DO UPDATE SET value = excluded.value";
    tx.execute(Stmt::fixed(insert, vec![VERSION.into()])).await?;
    tx.commit().await
}

fn is_current(stored: Option<(String,)>) -> bool {
    stored.is_some_and(|(version,)| version == VERSION)
}

async fn renew_all(tx: &mut Tx, db: &Db, catalog: &CatalogHandle) -> Result<(), DbError> {
    // The catalog may be older than the lock; a collection that was dropped meanwhile has no table any more.
    let there: Vec<(String,)> = tx.rows(Stmt::fixed("SELECT id FROM collections", Vec::new())).await?;
    let catalog = catalog.current();
    let there = |id: &str| there.iter().any(|(known,)| known == id);
    for collection in catalog.iter().filter(|collection| there(&collection.row.id)) {
        let table = ddl::Table { id: collection.id, name: &collection.table, fields: &collection.fields };
        for stmt in ddl::renew(db.dialect(), &table) {
            tx.execute(stmt).await?;
        }
    }
    Ok(())
}
