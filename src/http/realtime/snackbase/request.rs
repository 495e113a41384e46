//! A request for a subscription, as clients of this protocol make it.

use crate::changes::Cursor;
use crate::id::RecordId;
use crate::realtime::{OperationSet, RecordSelection};
use crate::records::query::parse_fields;

/// The number of records in a snapshot if the request does not say it.
pub const DEFAULT_SNAPSHOT_RECORDS: i64 = 100;
/// Upper limit of the records in a snapshot.
pub const MAX_SNAPSHOT_RECORDS: i64 = 1000;

/// A request for a subscription.
#[derive(Clone, Debug, Default)]
pub struct SubscribeRequest {
    /// The collection's name.
    pub collection: String,
    /// The operations to be told of; `None` for all.
    pub operations: Option<OperationSet>,
    /// The account whose records are meant, if it is named.
    pub account: Option<String>,
    /// The client's reference to this subscription, in JSON.
    pub reference: Option<String>,
    /// The records, and the parts of them.
    pub selection: RecordSelection,
    /// The cursor after which to start.
    pub since: Option<Cursor>,
    /// The records to send first, if that is asked for.
    pub snapshot: Option<SnapshotRequest>,
    /// `true` if the client uses anything beyond the published protocol, and so knows its frames.
    pub is_extended: bool,
    /// A warning about a request that is acknowledged because the published protocol does so.
    pub warning: Option<String>,
}

/// The records to send first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotRequest {
    /// The order, as in a list.
    pub sort: Option<String>,
    /// Upper limit of the records.
    pub limit: i64,
}

/// A comma-separated list of fields in a canonical form, so that lists of the same fields are equal;
/// `None` for all fields.
pub(super) fn canonical_fields(list: &str) -> Option<Box<[String]>> {
    let mut names = parse_fields(list)?;
    names.sort_unstable();
    names.dedup();
    Some(names.into())
}

/// The id of a record in the spelling in which events have it; `None` if the text is not an id.
pub(super) fn canonical_record_id(text: &str) -> Option<Box<str>> {
    RecordId::parse(text).map(|id| id.to_string().into())
}
