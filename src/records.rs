//! Records: everything that can be done to one, with the caller's rights, the collection's
//! definition and the hooks.
//!
//! A write is validated, shown to the `before` hooks, and stored in one statement that also checks
//! the rule. Everyone else hears of it from the change log.

mod aggregate;
mod answer;
mod batch;
mod cursor;
mod draft;
mod exchange;
mod file_changes;
mod files;
mod guesses;
mod list;
mod locks;
mod order;
pub mod query;
mod replan;
mod search;
mod secrets;
mod snapshot;
mod vault;
mod write;

use std::sync::Arc;

use moka::sync::Cache;
use serde_json::Value as Json;

pub use aggregate::{Aggregate, AggregateQuery, RawAggregateQuery};
pub use list::Page;
pub use query::ListQuery;
pub use snapshot::{Moment, SnapshotQuery};
pub use write::Mode;

use crate::access::{ExpandPaths, ExpandPlan, FieldView, RecordScope};
use crate::audit::Origins;
use crate::auth::Caller;
use crate::clock::Clock;
use crate::config::Config;
use crate::db::{AccountName, Db, Doc};
use crate::error::{Error, Result};
use crate::files::Files;
use crate::hooks::Hooks;
use crate::id::RecordId;
use crate::schema::{Body, CatalogHandle, Collection, Operation};
use cursor::Signer;
use guesses::Guesses;
use list::TotalKey;
use vault::Vault;

/// Upper limit of the totals that are remembered, in bytes of their keys: filters come from
/// clients.
const TOTALS_BYTES: u64 = 4 << 20;
/// Bytes of records that one answer may take in by expanding, each as often as it is referred to.
const MAX_EXPANDED: usize = 32 * 1024 * 1024;

/// The records service; cheap to clone.
#[derive(Clone, Debug)]
pub struct Records {
    db: Db,
    catalog: CatalogHandle,
    hooks: Arc<Hooks>,
    clock: Clock,
    files: Files,
    batch_max: usize,
    record_max: usize,
    account_record_max: u64,
    account_byte_max: u64,
    expand_depth: usize,
    /// Bytes of records that one answer may have.
    answer_bytes: usize,
    signer: Signer,
    vault: Arc<Vault>,
    totals: Cache<TotalKey, (u64, i64)>,
    origins: Origins,
    guesses: Guesses,
}

impl Records {
    /// A service over a database and its catalog.
    pub fn new(
        db: Db,
        catalog: CatalogHandle,
        hooks: Arc<Hooks>,
        clock: Clock,
        files: Files,
        config: &Config,
    ) -> Self {
        Self {
            db,
            catalog,
            hooks,
            clock,
            files,
            batch_max: config.limits.batch_max_size,
            record_max: config.limits.record_bytes,
            account_record_max: config.limits.account_records,
            account_byte_max: config.limits.account_bytes,
            expand_depth: config.limits.max_expand_depth,
            answer_bytes: config.limits.answer_bytes,
            signer: Signer::new(&config.auth.secret_key),
            vault: Arc::new(Vault::new(config.auth.encryption_keys())),
            totals: Cache::builder()
                .weigher(|key: &TotalKey, _| key.bytes())
                .max_capacity(TOTALS_BYTES)
                .build(),
            origins: Origins::default(),
            guesses: Guesses::default(),
        }
    }

    fn quota_exceeded(&self, quota: &'static str) -> Error {
        let limit = if quota == "records" {
            self.account_record_max
        } else {
            self.account_byte_max
        };
        let message = format!(
            "the account may have {limit} {quota}{}; delete records, or ask those who run the server for more",
            if quota == "records" {
                ""
            } else {
                " of values in its records"
            }
        );
        Error::QuotaExceeded {
            message,
            quota,
            limit,
        }
    }

    /// Tells the audit trail where changes come from.
    #[must_use]
    pub fn with_origins(self, origins: Origins) -> Self {
        Self { origins, ..self }
    }

    /// One record, as the caller may see it. `fields` narrows it, `expand` replaces references by
    /// their records.
    async fn try_get(
        &self,
        caller: &Caller,
        collection: &str,
        id: &str,
        fields: Option<&[String]>,
        expand: Option<&ExpandPaths>,
    ) -> Result<Doc> {
        let collection = self.collection(collection)?;
        let scope = RecordScope::open(caller, &collection, Operation::View)?;
        let id = record_id(id)?;
        let view = scope.view();
        query::check_selected(fields, &view)?;
        let selected =
            |name: &str| fields.is_none_or(|fields| fields.iter().any(|field| field == name));
        let expansion = self.expansion(caller, &view, expand, selected)?;
        let mut sql = self.db.sql();
        sql.push("SELECT ");
        if fields.is_some() {
            sql.varied();
        }
        if view.is_plain() && fields.is_none() {
            sql.fragment(collection.full_document());
        } else {
            collection.write_document(&mut sql, "r", AccountName::Null, |name| {
                view.shows(name) && selected(name)
            });
        }
        sql.push(" FROM ")
            .fragment(collection.source())
            .push(" r WHERE r.id = ")
            .arg(id);
        scope.write_conditions(&mut sql, None);
        let doc = self
            .db
            .reads(scope.reader())
            .doc(sql.build())
            .await?
            .ok_or_else(record_not_found)?;
        let doc = if view.is_masked() {
            view.render(&doc).into_owned()
        } else {
            doc
        };
        let Some(expansion) = expansion else {
            return Ok(doc);
        };
        let mut record: Body = serde_json::from_str(&doc).map_err(Error::internal)?;
        expansion
            .apply(&self.db, std::slice::from_mut(&mut record), MAX_EXPANDED)
            .await?;
        Ok(Json::Object(record).to_string())
    }

    /// What is to be expanded in records that are seen through a view.
    fn expansion(
        &self,
        caller: &Caller,
        view: &FieldView,
        expand: Option<&ExpandPaths>,
        selected: impl Fn(&str) -> bool,
    ) -> Result<Option<ExpandPlan>> {
        let Some(expand) = expand else {
            return Ok(None);
        };
        expand.check(view.collection())?;
        let expand = expand.clone().within(self.expand_depth);
        Ok(expand.and_then(|expand| {
            ExpandPlan::new(&self.catalog.current(), caller, view, &expand, selected)
        }))
    }

    /// A collection by name.
    pub fn collection(&self, name: &str) -> Result<Arc<Collection>> {
        let catalog = self.catalog.current();
        catalog
            .by_name(name)
            .cloned()
            .ok_or_else(|| Error::not_found(format!("Collection '{name}' does not exist")))
    }
}

fn record_id(text: &str) -> Result<RecordId> {
    RecordId::parse(text).ok_or_else(record_not_found)
}

/// The same answer for a record that does not exist and for one that a rule hides.
fn record_not_found() -> Error {
    Error::not_found("Record not found")
}
