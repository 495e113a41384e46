//! The result of dropping a collection.

use std::sync::Arc;

use crate::schema::Collection;

/// A collection that was dropped.
#[derive(Clone, Debug)]
pub struct DroppedCollection {
    /// The collection as it was.
    pub collection: Arc<Collection>,
    /// Number of records that went with it.
    pub records: i64,
    /// An id for the change of the schema.
    pub revision: String,
}
