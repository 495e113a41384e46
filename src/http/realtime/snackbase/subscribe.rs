//! The way from a request to a subscription, with the snapshot that it may ask for.

use std::sync::Arc;

use bytes::Bytes;

use super::request::{SnapshotRequest, SubscribeRequest};
use crate::db::Doc;
use crate::error::{Error, Result};
use crate::http::realtime::session::Session;
use crate::realtime::{AccountScope, OperationSet, SnapshotStart, StartAt, Subscribe, Topic};
use crate::records::query::RawListQuery;
use crate::records::{ListQuery, SnapshotQuery};

/// Upper limit of the records in one frame of a snapshot.
const MAX_PAGE_RECORDS: usize = 100;
/// Upper limit, in bytes, of the records in one frame of a snapshot, unless a single one has more.
const MAX_PAGE_BYTES: usize = 256 * 1024;
/// Seconds after which a client may ask for another snapshot if too many wait to be sent.
const RETRY_AFTER_SECONDS: u64 = 1;

/// Encodes records of a snapshot. The last frame says whether there are more than the snapshot has.
pub(super) type EncodePage<'a> = &'a (dyn Fn(&[Doc], Option<bool>) -> Bytes + Send + Sync);

/// Turns a request into a subscription and reads the snapshot, if it asks for one.
///
/// # Errors
///
/// [`Error::NotFound`] for an unknown collection or account, [`Error::Forbidden`] for records that
/// the caller may not list, [`Error::Refused`] for a bad filter, and [`Error::RateLimited`] if too
/// many snapshots wait to be sent.
pub(super) async fn make_subscription(
    session: &Session,
    mut request: SubscribeRequest,
    encode_page: EncodePage<'_>,
    ack: Option<Bytes>,
) -> Result<Subscribe> {
    // The published protocol acknowledges any name.
    if request.is_extended {
        session.app.records.collection(&request.collection)?;
    }
    let scope = session.resolve_scope(request.account.as_deref()).await?;
    request.selection.expand = session.limit_expand_depth(request.selection.expand.take());
    let start = match (&request.snapshot, request.since.take()) {
        (Some(snapshot), _) => {
            let start = read_snapshot(session, &request, snapshot, scope, encode_page).await?;
            StartAt::Snapshot(start)
        }
        (None, Some(since)) => StartAt::After(since),
        (None, None) => StartAt::Now,
    };
    Ok(Subscribe {
        name: subscription_name(request.reference.as_deref(), &request.collection).into(),
        topic: Topic::Collection(request.collection.into()),
        operations: request.operations.unwrap_or(OperationSet::ALL),
        scope,
        selection: Arc::new(request.selection),
        tag: request.reference.map(Into::into),
        knows_control_frames: request.is_extended,
        start,
        ack,
    })
}

/// The name of a subscription in its connection: its reference, or its collection.
pub(super) fn subscription_name(reference: Option<&str>, collection: &str) -> String {
    match reference {
        Some(reference) => format!("\0{reference}"),
        None => collection.to_owned(),
    }
}

async fn read_snapshot(
    session: &Session,
    request: &SubscribeRequest,
    snapshot: &SnapshotRequest,
    scope: AccountScope,
    encode_page: EncodePage<'_>,
) -> Result<SnapshotStart> {
    let app = &session.app;
    let mut reservation = session
        .connection
        .reserve_snapshot()
        .ok_or(Error::RateLimited {
            retry_after: RETRY_AFTER_SECONDS,
        })?;
    // In this order: a change of rights, rules or records after this is told later.
    let caller = session.connection.caller();
    let catalog = app.catalog.current();
    let after = app.changes.position();
    let selection = &request.selection;
    let fields = selection.fields.as_ref().map(|fields| fields.join(","));
    let mut list = ListQuery::parse(&RawListQuery {
        limit: snapshot.limit,
        sort: snapshot.sort.as_deref(),
        fields: fields.as_deref(),
        filter: selection.filter.as_deref(),
        ..RawListQuery::default()
    })?;
    list.expand.clone_from(&selection.expand);
    let query = SnapshotQuery {
        collection: &request.collection,
        record: selection.record.as_deref(),
        account: scope.account(),
        list: &list,
        after,
    };
    let read = app.records.snapshot(&caller, &query).await?;
    let frames = encode_pages(read.items, read.has_more, encode_page);
    reservation.grow(frames.iter().map(Bytes::len).sum());
    Ok(SnapshotStart {
        frames,
        after,
        shown: read.shown,
        catalog: Some(catalog),
        caller: Some(caller),
        reservation: Some(reservation),
    })
}

/// Encodes records in pages, at least one.
fn encode_pages(items: Vec<Doc>, has_more: bool, encode_page: EncodePage<'_>) -> Vec<Bytes> {
    let mut frames: Vec<Bytes> = Vec::new();
    let mut items = items.into_iter().peekable();
    loop {
        let (mut page, mut bytes) = (Vec::new(), 0);
        while let Some(item) = items.next_if(|item| {
            page.is_empty()
                || (page.len() < MAX_PAGE_RECORDS && bytes + item.len() <= MAX_PAGE_BYTES)
        }) {
            bytes += item.len();
            page.push(item);
        }
        let is_last = items.peek().is_none();
        frames.push(encode_page(&page, is_last.then_some(has_more)));
        if is_last {
            return frames;
        }
    }
}
