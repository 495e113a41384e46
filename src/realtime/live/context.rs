//! The services that a shard uses.

use crate::changes::ChangeLog;
use crate::db::Db;
use crate::schema::CatalogHandle;

/// See the module.
pub(in crate::realtime) struct ShardContext {
    pub(in crate::realtime) db: Db,
    pub(in crate::realtime) catalog: CatalogHandle,
    pub(in crate::realtime) log: ChangeLog,
    /// The number of the shard.
    pub(in crate::realtime) number: u32,
}
