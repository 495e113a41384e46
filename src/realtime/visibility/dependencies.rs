//! The records of other collections that the rules of a collection read. A change of them can
//! change which records a subscriber sees.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Map, Value as Json};

use crate::access::gate::other_records_read;
use crate::changes::{Change, ChangeKind};
use crate::id::CollectionId;
use crate::schema::{Catalog, Collection, Operation};

/// The records that the list rule and the view rule of a collection read.
#[derive(Debug, Default)]
pub(in crate::realtime) struct RuleDependencies {
    list: DependencyFields,
    view: DependencyFields,
}

/// Collections, and the fields of them that a rule reads.
type DependencyFields = Vec<(CollectionId, BTreeSet<Arc<str>>)>;

impl RuleDependencies {
    pub(in crate::realtime) fn of(catalog: &Catalog, collection: Option<&Arc<Collection>>) -> Self {
        Self {
            list: fields_read(catalog, collection, Operation::List),
            view: fields_read(catalog, collection, Operation::View),
        }
    }

    /// Returns `true` if a change can change the answer of an operation's rule about records that
    /// did not change.
    pub(in crate::realtime) fn include(&self, operation: Operation, change: &Change) -> bool {
        let fields_read = if operation == Operation::View {
            &self.view
        } else {
            &self.list
        };
        fields_read
            .iter()
            .filter(|(id, _)| change.collection_id == Some(*id))
            .any(|(_, fields)| change.kind != ChangeKind::Update || changes_fields(change, fields))
    }

    pub(in crate::realtime) fn is_empty(&self) -> bool {
        self.list.is_empty() && self.view.is_empty()
    }
}

fn fields_read(
    catalog: &Catalog,
    collection: Option<&Arc<Collection>>,
    operation: Operation,
) -> DependencyFields {
    collection
        .into_iter()
        .flat_map(|collection| other_records_read(collection.access.rule(operation)))
        .filter_map(|(written, fields)| {
            let name = catalog.library().collection_name(written)?;
            Some((catalog.by_name_ignoring_case(name)?.id, fields.clone()))
        })
        .collect()
}

/// Returns `true` if an update changed one of these fields; a document that cannot be read counts
/// as changed.
fn changes_fields(change: &Change, fields: &BTreeSet<Arc<str>>) -> bool {
    let before = parse_object(change.previous.as_deref());
    let (Some(before), Some(after)) = (before, parse_object(change.record.as_deref())) else {
        return true;
    };
    fields
        .iter()
        .any(|field| match (before.get(&**field), after.get(&**field)) {
            (Some(before), Some(after)) => before != after,
            _ => true,
        })
}

fn parse_object(text: Option<&str>) -> Option<Map<String, Json>> {
    serde_json::from_str(text?).ok()
}
