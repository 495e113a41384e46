//! The audit trail: who changed what, when, and from where; in one chain for each account that
//! shows tampering.
//!
//! A change is written to the change log in its own transaction: of records by triggers, of
//! everything else as an [`Event`]. The sealer reads the log and appends entries to the trail, a
//! moment later and off the path of the writers. An entry holds a change with the values before and
//! afterwards; when it is read, it becomes one row for each column. Each entry has a checksum of
//! itself and of the one before it, and the database refuses to change it.

mod entry;
mod event;
mod export;
mod origin;
mod pdf;
mod query;
mod sealer;
mod sensitive;
mod verify;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{Notify, watch};

pub use entry::TrailRow;
pub use event::{Event, Operation};
pub use export::{Export, Format};
pub use origin::{ChangeKey, Origins};
pub use query::{AuditFilter, Column, TrailPage};
pub use verify::{ChainHead, ChainProblem, Verification, verify};

use crate::changes::ChangeLog;
use crate::clock::Clock;
use crate::config::AuditConfig;
use crate::db::{Batch, CommitError, Db, DbError, Stmt};
use crate::error::Result;
use crate::lifecycle::Lifecycle;
use crate::schema::CatalogHandle;

/// Where the trail says that it was switched on or off.
const SWITCH_TABLE: &str = "settings";
const SWITCH: &str = "audit_logging_enabled";
/// The longest that a reader waits for what was written before.
const PATIENCE: Duration = Duration::from_secs(2);
/// Until it looks again.
const LOOK: Duration = Duration::from_millis(10);

/// The trail; cheap to clone.
#[derive(Clone)]
pub struct Audit(Arc<Inner>);

struct Inner {
    db: Db,
    changes: ChangeLog,
    catalog: CatalogHandle,
    clock: Clock,
    enabled: bool,
    /// The longest value that is kept whole.
    value_bytes: usize,
    origins: Origins,
    /// How far the change log has been taken over by this process.
    sealed: watch::Sender<i64>,
    /// Wakes the sealer for readers who wait.
    wake: Notify,
    waiting: AtomicUsize,
}

impl Audit {
    /// Opens the trail, and notes in it if it was switched on or off since the last start.
    pub async fn open(
        db: Db,
        changes: ChangeLog,
        catalog: CatalogHandle,
        clock: Clock,
        config: &AuditConfig,
    ) -> Result<Self> {
        let (enabled, value_bytes) = (config.logging_enabled, config.value_bytes);
        let (old, new) = (
            serde_json::json!({"value": !enabled}),
            serde_json::json!({"value": enabled}),
        );
        let event = Event::update(SWITCH_TABLE, SWITCH, &old, &new).entry(clock.now());
        let update = "UPDATE audit_state SET wanted = $1 WHERE id = 1 AND wanted <> $1";
        match db
            .commit(
                Batch::new()
                    .require(Stmt::fixed(update, vec![enabled.into()]))
                    .with(event),
            )
            .await
        {
            Ok(_)
            | Err(CommitError {
                source: DbError::Gone,
                ..
            }) => {}
            Err(error) => return Err(error.source.into()),
        }
        let (sealed, wake, waiting) = (watch::Sender::new(0), Notify::new(), AtomicUsize::new(0));
        let origins = Origins::new(&db, enabled);
        Ok(Self(Arc::new(Inner {
            db,
            changes,
            catalog,
            clock,
            enabled,
            value_bytes,
            origins,
            sealed,
            wake,
            waiting,
        })))
    }

    /// Takes the change log over from now on, until the server stops.
    pub fn start(&self, lifecycle: &Lifecycle) {
        let (sealer, stop) = (
            sealer::Sealer::new(self.clone()),
            lifecycle.stopping().clone(),
        );
        lifecycle.spawn(async move {
            tokio::select! {
                () = sealer.run() => {}
                () = stop.cancelled() => {}
            }
        });
    }

    /// Whether changes are kept.
    pub fn is_enabled(&self) -> bool {
        self.0.enabled
    }

    /// Writes an event that no other statement goes with.
    ///
    /// # Errors
    ///
    /// If the database fails.
    pub async fn record(&self, event: Event) -> Result<()> {
        let batch = Batch::new().with(event.entry(self.0.clock.now()));
        self.0
            .db
            .commit(batch)
            .await
            .map_err(|error| error.source)?;
        Ok(())
    }

    /// For those who change records: where changes come from.
    pub fn origins(&self) -> Origins {
        self.0.origins.clone()
    }

    /// The position up to which the change log was taken over: entries after it must not be
    /// deleted.
    pub async fn position(&self) -> Result<i64, DbError> {
        self.0
            .db
            .count(Stmt::fixed(
                "SELECT position FROM audit_state WHERE id = 1",
                Vec::new(),
            ))
            .await
    }

    fn is_awaited(&self) -> bool {
        self.0.waiting.load(Ordering::Relaxed) > 0
    }

    /// Waits until what is committed now is in the trail; if that takes too long, readers see what
    /// is there.
    pub async fn settle(&self) -> Result<()> {
        let inner = &*self.0;
        let end = "SELECT coalesce(max(position), 0) FROM change_log";
        let end = inner.db.count(Stmt::fixed(end, Vec::new())).await?;
        inner.waiting.fetch_add(1, Ordering::Relaxed);
        let settled = tokio::time::timeout(PATIENCE, async {
            while *inner.sealed.borrow() < end && self.position().await? < end {
                inner.wake.notify_one();
                tokio::time::sleep(LOOK).await;
            }
            Ok(())
        });
        let settled = settled.await;
        inner.waiting.fetch_sub(1, Ordering::Relaxed);
        settled.unwrap_or(Ok(()))
    }
}
