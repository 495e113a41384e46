//! The difference that a change of collections makes for a subscriber.

use std::sync::Arc;

use crate::access::FieldView;
use crate::auth::Caller;
use crate::realtime::protocol::ResyncReason;
use crate::realtime::subscription::RecordSelection;
use crate::schema::{Catalog, Collection, Operation};

/// The reason for which a client must fetch the records of a collection again, and what they refer
/// to, if it knows them from an earlier state of the catalog.
pub(in crate::realtime) fn resync_reason(
    before: &Catalog,
    now: &Catalog,
    name: &str,
    selection: &RecordSelection,
    caller: &Caller,
) -> Option<ResyncReason> {
    if std::ptr::eq(before, now) {
        return None;
    }
    // A client knows nothing of a collection that did not exist.
    let collection = before.by_name(name)?;
    let operation = selection.operation();
    collection_difference(collection, now.by_name(name), operation, caller).or_else(|| {
        selection.expand.as_ref()?;
        let view = FieldView::of(caller, collection, operation);
        let plan = selection.expand_plan(before, caller, &view)?;
        plan.targets().into_iter().find_map(|target| {
            collection_difference(target, now.by_id(target.id), Operation::View, caller)
        })
    })
}

fn collection_difference(
    before: &Arc<Collection>,
    now: Option<&Arc<Collection>>,
    operation: Operation,
    caller: &Caller,
) -> Option<ResyncReason> {
    let Some(now) = now else {
        return Some(ResyncReason::Schema);
    };
    if Arc::ptr_eq(before, now) {
        return None;
    }
    let (was, is) = (&before.row, &now.row);
    if was.id != is.id || was.schema != is.schema {
        return Some(ResyncReason::Schema);
    }
    let has_same_rule = was.rule(operation) == is.rule(operation);
    let has_same_fields = before.access.fields(operation) == now.access.fields(operation);
    let reads_same = before.dependencies == now.dependencies;
    let sees_same = caller.is_superadmin() || (has_same_rule && has_same_fields && reads_same);
    (!sees_same).then_some(ResyncReason::Rules)
}
