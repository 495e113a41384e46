//! Tables that older versions made, brought up to what this one makes: once, at a start.

use super::catalog::CatalogHandle;
use super::ddl::{self, UniqueRenewal};
use super::{Collection, Field};
use crate::db::{Db, DbError, Dialect, Stmt, Tx};

/// What the tables of collections have besides their fields. Another number makes the next start go
/// through all of them.
const VERSION: &str = "5";

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
    if !renew_all(&mut tx, db, catalog).await? {
        // The next start looks again.
        return tx.commit().await;
    }
    let insert = "INSERT INTO meta (key, value) VALUES ('tables_version', $1) \
                  ON CONFLICT (key) DO UPDATE SET value = excluded.value";
    tx.execute(Stmt::fixed(insert, vec![VERSION.into()]))
        .await?;
    tx.commit().await
}

fn is_current(stored: Option<(String,)>) -> bool {
    stored.is_some_and(|(version,)| version == VERSION)
}

/// Returns whether everything could be renewed.
async fn renew_all(tx: &mut Tx, db: &Db, catalog: &CatalogHandle) -> Result<bool, DbError> {
    let mut complete = true;
    // The catalog may be older than the lock; a collection that was dropped meanwhile has no table
    // any more.
    let there: Vec<(String,)> = tx
        .rows(Stmt::fixed("SELECT id FROM collections", Vec::new()))
        .await?;
    let catalog = catalog.current();
    let there = |id: &str| there.iter().any(|(known,)| known == id);
    for collection in catalog
        .iter()
        .filter(|collection| there(&collection.row.id))
    {
        let table = ddl::Table {
            id: collection.id,
            name: &collection.table,
            fields: &collection.fields,
        };
        let target = |name: &str| {
            catalog
                .by_name_ignoring_case(name)
                .map(|target| target.table.clone())
        };
        for stmt in ddl::renew(db.dialect(), &table, target) {
            tx.execute(stmt).await?;
        }
        for field in &collection.fields {
            complete &= renew_unique(tx, db.dialect(), collection, field).await?;
        }
    }
    Ok(complete)
}

/// Makes a field unique by what its values mean. Records that clash keep the server from that, not
/// from starting.
async fn renew_unique(
    tx: &mut Tx,
    dialect: Dialect,
    collection: &Collection,
    field: &Field,
) -> Result<bool, DbError> {
    let Some(renewal) = UniqueRenewal::of(dialect, &collection.table, field) else {
        return Ok(true);
    };
    // First, so that nobody writes until the new index is there.
    tx.execute(renewal.drop).await?;
    let clashes: Vec<(String, String)> = tx.rows(renewal.clashes).await?;
    if let Some((one, other)) = clashes.first() {
        tracing::error!(
            collection = collection.name,
            field = field.name,
            values = clashes.len(),
            "records have the same value of a unique field in different spellings, such as {one} and {other}: change \
             one of each and start again; until then new ones can be stored, too"
        );
    }
    tx.execute(if clashes.is_empty() {
        renewal.create
    } else {
        renewal.restore
    })
    .await?;
    if let Some(index) = renewal.index {
        tx.execute(index).await?;
    }
    Ok(clashes.is_empty())
}
