//! The fields that a caller sees of a record: field lists and masks, applied to the database's
//! document.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::Value as Json;

use crate::auth::Caller;
use crate::error::{Error, Result};
use crate::expr::{Predicate, Problem, Purpose};
use crate::schema::{Collection, Field, FieldList, Operation, SYSTEM_FIELDS};

/// The fields and masks that stand between a caller and a record.
#[derive(Clone, Debug)]
pub struct FieldView {
    collection: Arc<Collection>,
    operation: Operation,
    restricted: bool,
    masked: bool,
}

impl FieldView {
    /// What a caller sees in the answer of an operation. Superadmins see every field as it is
    /// stored, callers with [`Caller::sees_pii`] see personal data without its mask.
    pub fn of(caller: &Caller, collection: &Arc<Collection>, operation: Operation) -> Self {
        let superadmin = caller.is_superadmin();
        let restricted = !superadmin && *collection.access.fields(operation) != FieldList::All;
        let masked = !superadmin && collection.has_pii && !caller.sees_pii();
        Self {
            collection: collection.clone(),
            operation,
            restricted,
            masked,
        }
    }

    /// The collection whose records it shows.
    pub fn collection(&self) -> &Arc<Collection> {
        &self.collection
    }

    /// Whether it shows a user-defined field.
    pub fn shows(&self, field: &str) -> bool {
        !self.restricted || self.collection.access.fields(self.operation).allows(field)
    }

    /// Whether it shows the values of a field as they are. What it does not show so must not be
    /// filtered, sorted, grouped or searched by either: the answers would tell.
    pub fn shows_in_clear(&self, field: &Field) -> bool {
        self.shows(&field.name) && !field.encrypted && !(self.masked && field.mask.is_some())
    }

    /// Whether some value may be masked.
    pub fn is_masked(&self) -> bool {
        self.masked
    }

    /// Whether it shows every record as it is stored.
    pub fn is_plain(&self) -> bool {
        !self.restricted && !self.masked
    }

    /// Reads a filter. It may look only at what this view shows in the clear: otherwise it would
    /// tell what is hidden.
    pub fn compile_filter(&self, text: &str) -> Result<Predicate> {
        let label = "Invalid filter expression";
        let filter = self
            .collection
            .compile(text, Purpose::Filter)
            .map_err(|problems| {
                let place = |problem: &Problem| {
                    format!("{} (at position {})", problem.message, problem.position)
                };
                Error::refused(
                    label,
                    problems.iter().map(place).collect::<Vec<_>>().join("; "),
                )
            })?;
        let is_hidden = |name: &&str| {
            self.collection
                .field(name)
                .is_some_and(|field| !self.shows_in_clear(field))
        };
        if let Some(name) = filter.fields().find(is_hidden) {
            return Err(Error::refused(
                label,
                format!("Field '{name}' cannot be seen, so it cannot be filtered by"),
            ));
        }
        Ok(filter)
    }

    /// A document as this view shows it: borrowed if that is the document itself.
    pub fn render<'d>(&self, document: &'d str) -> Cow<'d, str> {
        if self.is_plain() {
            return Cow::Borrowed(document);
        }
        let Ok(Json::Object(mut record)) = serde_json::from_str(document) else {
            // Never show what cannot be looked into.
            return Cow::Borrowed("{}");
        };
        self.apply(&mut record);
        Cow::Owned(Json::Object(record).to_string())
    }

    /// Hides and masks in place.
    pub fn apply(&self, record: &mut serde_json::Map<String, Json>) {
        if self.restricted {
            record.retain(|key, _| {
                SYSTEM_FIELDS.contains(&key.as_str()) || key == "account_name" || self.shows(key)
            });
        }
        if self.masked {
            for field in &self.collection.fields {
                if let (Some(mask), Some(value)) = (field.mask, record.get_mut(&field.name)) {
                    *value = mask.apply(value);
                }
            }
        }
    }
}

/// Views that show the same are equal: realtime groups subscribers by them.
impl PartialEq for FieldView {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key() && Arc::ptr_eq(&self.collection, &other.collection)
    }
}
impl Eq for FieldView {}
impl std::hash::Hash for FieldView {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.key().hash(state);
        Arc::as_ptr(&self.collection).hash(state);
    }
}

impl FieldView {
    fn key(&self) -> (Option<Operation>, bool) {
        (self.restricted.then_some(self.operation), self.masked)
    }
}
