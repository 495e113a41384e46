//! Records: everything that can be done to one, with the caller's rights, the collection's definition and the hooks.
//!
//! A write is validated, shown to the `before` hooks, and stored in one statement that also checks the rule. Everyone
//! else hears of it from the change log.

mod batch;
mod cursor;
mod draft;
mod list;
pub mod query;
mod scope;
mod snapshot;
mod write;

use std::sync::Arc;

use moka::sync::Cache;

pub use list::Page;
pub use query::ListQuery;
pub use snapshot::{Moment, SnapshotQuery};
pub use write::Mode;

use crate::auth::Caller;
use crate::clock::Clock;
use crate::db::{Db, Doc};
use crate::error::{Error, Result};
use crate::hooks::Hooks;
use crate::id::RecordId;
use crate::schema::{CatalogHandle, Collection, Operation};
use list::TotalKey;
use scope::Scope;

/// Totals that are remembered at most.
const REMEMBERED_TOTALS: u64 = 10_000;

/// The records service; cheap to clone.
#[derive(Clone, Debug)]
pub struct Records {
    db: Db,
    catalog: CatalogHandle,
    hooks: Arc<Hooks>,
    clock: Clock,
    batch_max: usize,
    totals: Cache<TotalKey, (u64, i64)>,
}

impl Records {
    /// A service over a database and its catalog. `batch_max` limits the items of a batch.
    pub fn new(db: Db, catalog: CatalogHandle, hooks: Arc<Hooks>, clock: Clock, batch_max: usize) -> Self {
        let totals = Cache::builder().max_capacity(REMEMBERED_TOTALS).build();
        Self { db, catalog, hooks, clock, batch_max, totals }
    }

    /// One record, as the caller may see it. `fields` narrows it.
    pub async fn get(&self, caller: &Caller, collection: &str, id: &str, fields: Option<&[String]>) -> Result<Doc> {
        let collection = self.collection(collection)?;
        let scope = Scope::open(caller, &collection, Operation::View)?;
        let id = record_id(id)?;
        let view = scope.view();
        let mut sql = self.db.sql();
        sql.push("SELECT ");
        if view.is_plain() && fields.is_none() {
            sql.fragment(collection.full_document());
        } else {
            let wanted = |name: &str| view.shows(name) && fields.is_none_or(|fields| fields.iter().any(|f| f == name));
            collection.write_document(&mut sql, "r", crate::db::AccountName::Null, wanted);
        }
        sql.push(" FROM ").fragment(collection.source()).push(" r WHERE r.id = ").arg(id);
        scope.write_conditions(&mut sql, None);
        let doc = self.db.doc(sql.build()).await?.ok_or_else(record_not_found)?;
        Ok(if view.is_masked() { view.render(&doc).into_owned() } else { doc })
    }

    /// A collection by name.
    pub fn collection(&self, name: &str) -> Result<Arc<Collection>> {
        let catalog = self.catalog.current();
        catalog.by_name(name).cloned().ok_or_else(|| Error::not_found(format!("Collection '{name}' does not exist")))
    }
}

fn record_id(text: &str) -> Result<RecordId> {
    RecordId::parse(text).ok_or_else(record_not_found)
}

/// The same answer for a record that does not exist and for one that a rule hides.
fn record_not_found() -> Error {
    Error::not_found("Record not found")
}
