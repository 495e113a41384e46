//! From a request's body to values: which fields may be sent, and what they must look like.

use std::sync::Arc;

use serde_json::Value as Json;

use super::vault::{Place, Vault};
use super::write::Mode;
use crate::access::RecordScope;
use crate::db::{Kind, SEALED, Value};
use crate::error::{Error, FieldError, Result};
use crate::expr::{Predicate, Sent};
use crate::id::{AccountId, CollectionId, RecordId};
use crate::schema::{Body, Collection, Field, FieldList, SYSTEM_FIELDS};

/// A body, read once: what field lists, rules and storage look at is the same.
pub(super) struct Draft<'c> {
    /// What is stored, in the order of the definition.
    pub values: Vec<(&'c Field, Value)>,
    /// What was sent, as a read will show it, if the rule reads it. An encrypted value is plain,
    /// unless the record keeps its own.
    sent: Body,
}

impl<'c> Draft<'c> {
    /// The references that are set: each must exist in the record's account.
    pub fn references(&self) -> impl Iterator<Item = (&'c Field, &str)> {
        self.values.iter().filter_map(|(field, value)| match value {
            Value::Text(id) if field.target.is_some() => Some((*field, id.as_str())),
            _ => None,
        })
    }

    /// What rules see of what was sent.
    pub fn sent(&self, is_new: bool) -> Sent<'_> {
        Sent {
            values: &self.sent,
            is_new,
        }
    }

    /// The field with the longest text or JSON value.
    pub fn largest(&self) -> Option<&'c Field> {
        let length = |value: &Value| match value {
            Value::Text(text) | Value::Json(text) => Some(text.len()),
            _ => None,
        };
        let sized = self
            .values
            .iter()
            .filter_map(|(field, value)| Some((*field, length(value)?)));
        sized
            .max_by_key(|(_, length)| *length)
            .map(|(field, _)| field)
    }

    /// Encrypts what is to be stored encrypted.
    pub fn seal(
        &mut self,
        vault: &Vault,
        account: AccountId,
        collection: CollectionId,
        record: RecordId,
    ) -> Result<()> {
        for (field, value) in self.values.iter_mut().filter(|(field, _)| field.encrypted) {
            let place = Place {
                account,
                collection,
                record,
                field: &field.name,
            };
            *value = match value {
                Value::Text(plain) | Value::Json(plain) => Value::Text(vault.seal(place, plain)?),
                _ => Value::Null(Kind::Text),
            };
        }
        Ok(())
    }

    /// Adds the values to a document, the way the database will show them.
    pub fn fill(&self, record: &mut Body) {
        for (field, value) in &self.values {
            record.insert(field.name.clone(), value.shown());
        }
    }
}

/// Refuses fields that only the server writes, and fields that the collection's list for this
/// operation leaves out.
pub(super) fn check_access(
    scope: &RecordScope<'_>,
    body: &Body,
    also_allowed: Option<&str>,
) -> Result<()> {
    let is_system = |name: &String| {
        SYSTEM_FIELDS.contains(&name.as_str()) && also_allowed != Some(name.as_str())
    };
    let mut system: Vec<String> = body
        .keys()
        .filter(|name| is_system(name))
        .cloned()
        .collect();
    system.sort();
    if !system.is_empty() {
        let message = format!("Only the server writes: {}", system.join(", "));
        return Err(Error::FieldAccess {
            message,
            fields: system,
            allowed: None,
        });
    }
    let refused: Vec<String> = body
        .keys()
        .filter(|name| !scope.may_write(name))
        .cloned()
        .collect();
    let FieldList::Only(allowed) = scope.collection.access.fields(scope.operation) else {
        return Ok(());
    };
    if refused.is_empty() {
        return Ok(());
    }
    let message = format!(
        "Permission denied to {} fields: {}",
        scope.operation.name(),
        refused.join(", ")
    );
    Err(Error::FieldAccess {
        message,
        fields: refused,
        allowed: Some(allowed.iter().cloned().collect()),
    })
}

/// Reads a body against the definition; every problem is reported. `unchanged` has what comes back
/// as the caller was shown it, as it is stored: the record keeps that.
pub(super) fn read_values<'c>(
    scope: &RecordScope<'c>,
    body: &Body,
    mode: Mode,
    unchanged: &Body,
) -> Result<Draft<'c>> {
    let collection: &'c Arc<Collection> = scope.collection;
    let mut problems: Vec<FieldError> = body
        .keys()
        .filter(|name| collection.field(name).is_none() && !SYSTEM_FIELDS.contains(&name.as_str()))
        .map(|name| {
            let message = format!("Collection '{}' has no field '{name}'", collection.name);
            FieldError::new(name.as_str(), "unknown_field", message)
        })
        .collect();
    let for_rule = scope.rule.is_some_and(Predicate::reads_data);
    let mut draft = Draft {
        values: Vec::with_capacity(collection.fields.len()),
        sent: Body::new(),
    };
    // What is sent for a computed field is ignored: a record that was read can be written back.
    for field in collection
        .fields
        .iter()
        .filter(|field| field.computed.is_none())
    {
        let sent = body.get(&field.name);
        if let Some(kept) = unchanged
            .get(&field.name)
            .filter(|kept| sent == Some(*kept))
        {
            if for_rule {
                draft.sent.insert(field.name.clone(), kept.clone());
            }
            continue;
        }
        let value = match (sent, mode) {
            (Some(sent), _) => value_of(field, sent, mode).map(Some),
            (None, Mode::Patch) => Ok(None),
            (None, Mode::Put) if !scope.may_write(&field.name) => Ok(None),
            (None, _) => missing_value(field, mode),
        };
        match value {
            Ok(Some(value)) => {
                // What PUT fills in changes a record as if it had been sent; a new record's
                // defaults do not.
                if for_rule && (sent.is_some() || mode == Mode::Put) {
                    draft.sent.insert(field.name.clone(), value.shown());
                }
                draft.values.push((field, value));
            }
            Ok(None) => {}
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() {
        Ok(draft)
    } else {
        Err(Error::Invalid { fields: problems })
    }
}

/// The value to store for what was sent.
fn value_of(field: &Field, sent: &Json, mode: Mode) -> Result<Value, FieldError> {
    let name = &field.name;
    match sent {
        Json::Null if field.required => Err(FieldError::new(
            name,
            "required_null",
            format!("Field '{name}' is required and cannot be null"),
        )),
        Json::Null => Ok(field.kind.null()),
        Json::String(text) if field.encrypted && text == SEALED && mode == Mode::Create => {
            let message = format!(
                "Field '{name}' was sent what stands for an encrypted value instead of one"
            );
            Err(FieldError::new(name, "masked_value", message))
        }
        sent => field.accept(sent),
    }
}

/// The value to store where none was sent, or `None` to leave what is stored.
fn missing_value(field: &Field, mode: Mode) -> Result<Option<Value>, FieldError> {
    let name = &field.name;
    match (&field.default, mode) {
        _ if field.required => Err(FieldError::new(
            name,
            "required_missing",
            format!("Field '{name}' is required"),
        )),
        (Some(default), _) => field.accept(default).map(Some),
        (None, Mode::Create) => Ok(Some(field.kind.null())),
        (None, _) => Ok(None),
    }
}
