//! The services that the replay of the log uses.

use std::sync::atomic::{AtomicU64, Ordering};

use super::log_cache::LogCache;
use crate::changes::ChangeLog;
use crate::db::Db;
use crate::realtime::live::handles::ShardHandles;
use crate::schema::CatalogHandle;

/// See the module. All connections share one.
pub(in crate::realtime) struct ReplayContext {
    pub(in crate::realtime) db: Db,
    pub(in crate::realtime) catalog: CatalogHandle,
    pub(in crate::realtime) log: ChangeLog,
    pub(in crate::realtime) log_cache: LogCache,
    pub(in crate::realtime) shards: ShardHandles,
    last_id: AtomicU64,
}

impl ReplayContext {
    pub(in crate::realtime) fn new(
        db: Db,
        catalog: CatalogHandle,
        log: ChangeLog,
        shards: ShardHandles,
    ) -> Self {
        Self {
            db,
            catalog,
            log_cache: LogCache::new(log.clone()),
            log,
            shards,
            last_id: AtomicU64::new(0),
        }
    }

    /// A number that identifies a subscription or a replay task in this process.
    pub(in crate::realtime) fn next_id(&self) -> u64 {
        self.last_id.fetch_add(1, Ordering::Relaxed) + 1
    }
}
