//! From a request's body to values: which fields may be sent, and what they must look like.

use std::sync::Arc;

use serde_json::Value as Json;

use super::vault::{Place, Vault};
use super::write::Mode;
use crate::access::RecordScope;
use crate::db::{Kind, SEALED, Value};
use crate::error::{Error, FieldError, Result};
use crate::id::{AccountId, CollectionId, RecordId};
use crate::schema::{Body, Collection, Field, FieldList, SYSTEM_FIELDS};

/// The checked values of a record, in the order of the definition.
pub(super) struct Draft<'c> {
    pub values: Vec<(&'c Field, Value)>,
}

impl<'c> Draft<'c> {
    /// The references that are set: each must exist in the record's account.
    pub fn references(&self) -> impl Iterator<Item = (&'c Field, &str)> {
        self.values.iter().filter_map(|(field, value)| match value {
            Value::Text(id) if field.target.is_some() => Some((*field, id.as_str())),
            _ => None,
        })
    }

    /// Leaves alone what a body has as it is stored.
    pub fn leave(&mut self, stored: &Body, body: &Body) {
        let same = |name: &str| stored.get(name).is_some_and(|stored| body.get(name) == Some(stored));
        self.values.retain(|(field, _)| !same(&field.name));
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
            let place = Place { account, collection, record, field: &field.name };
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
            let shown = match value {
                Value::Null(_) => Json::Null,
                Value::Text(text) => Json::String(text.clone()),
                Value::Real(number) => Json::from(*number),
                Value::Bool(truth) => Json::Bool(*truth),
                Value::Json(text) => serde_json::from_str(text).unwrap_or_default(),
                Value::Int(number) => Json::from(*number),
                Value::Time(time) => Json::String(crate::db::canonical_time(*time)),
            };
            record.insert(field.name.clone(), shown);
        }
    }
}

/// Refuses fields that only the server writes, and fields that the collection's list for this operation leaves out.
pub(super) fn check_access(scope: &RecordScope<'_>, body: &Body, also_allowed: Option<&str>) -> Result<()> {
    let is_system = |name: &String| SYSTEM_FIELDS.contains(&name.as_str()) && also_allowed != Some(name.as_str());
    let mut system: Vec<String> = body.keys().filter(|name| is_system(name)).cloned().collect();
    system.sort();
    if !system.is_empty() {
        let message = format!("Only the server writes: {}", system.join(", "));
        return Err(Error::FieldAccess { message, fields: system, allowed: None });
    }
    let list = scope.collection.access.fields(scope.operation);
    let FieldList::Only(allowed) = list else { return Ok(()) };
    if scope.caller.is_superadmin() {
        return Ok(());
    }
    let refused: Vec<String> = body.keys().filter(|name| !allowed.contains(*name)).cloned().collect();
    if refused.is_empty() {
        return Ok(());
    }
    let message = format!("Permission denied to {} fields: {}", scope.operation.name(), refused.join(", "));
    Err(Error::FieldAccess { message, fields: refused, allowed: Some(allowed.iter().cloned().collect()) })
}

/// Checks a body against the definition; every problem is reported.
pub(super) fn check_values<'c>(collection: &'c Arc<Collection>, body: &Body, mode: Mode) -> Result<Draft<'c>> {
    let mut problems: Vec<FieldError> = body
        .keys()
        .filter(|name| collection.field(name).is_none() && !SYSTEM_FIELDS.contains(&name.as_str()))
        .map(|name| {
            let message = format!("Collection '{}' has no field '{name}'", collection.name);
            FieldError::new(name.as_str(), "unknown_field", message)
        })
        .collect();
    let mut values = Vec::with_capacity(collection.fields.len());
    // What is sent for a computed field is ignored: a record that was read can be written back.
    for field in collection.fields.iter().filter(|field| field.computed.is_none()) {
        match value_of(field, body.get(&field.name), mode) {
            Ok(Some(value)) => values.push((field, value)),
            Ok(None) => {}
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() { Ok(Draft { values }) } else { Err(Error::Invalid { fields: problems, index: None }) }
}

/// The value to store, or `None` to leave what is stored.
fn value_of(field: &Field, sent: Option<&Json>, mode: Mode) -> Result<Option<Value>, FieldError> {
    let name = &field.name;
    match sent {
        Some(Json::Null) if field.required => {
            Err(FieldError::new(name, "required_null", format!("Field '{name}' is required and cannot be null")))
        }
        Some(Json::Null) => Ok(Some(field.kind.null())),
        Some(Json::String(text)) if field.encrypted && text == SEALED && mode == Mode::Create => {
            let message = format!("Field '{name}' was sent what stands for an encrypted value instead of one");
            Err(FieldError::new(name, "masked_value", message))
        }
        Some(value) => field.accept(value).map(Some),
        None if mode == Mode::Patch => Ok(None),
        None if field.required => Err(FieldError::new(name, "required_missing", format!("Field '{name}' is required"))),
        None => match (&field.default, mode) {
            (Some(default), _) => field.accept(default).map(Some),
            (None, Mode::Create) => Ok(Some(field.kind.null())),
            (None, _) => Ok(None),
        },
    }
}
