//! What the trail never holds, and what it shows only to those who may see personal data.

use std::borrow::Cow;

use std::collections::HashMap;

use serde_json::{Map, Value as Json};

use super::Audit;
use crate::db::{DbError, Stmt};
use crate::schema::definition::check_fields;
use crate::schema::mask::Mask;
use crate::schema::{Catalog, Collection, FieldDefinition, ddl};

/// What stands in the place of a secret.
pub(super) const HIDDEN: &str = "***";

/// Names of columns whose values are secrets, whatever they are for.
const SECRETS: [&str; 17] = [
    "password",
    "password_hash",
    "hashed_password",
    "refresh_token",
    "token",
    "token_hash",
    "access_token",
    "api_key",
    "key_hash",
    "client_secret",
    "secret",
    "secret_key",
    "private_key",
    "smtp_password",
    "code_verifier",
    "state_token",
    "verification_token",
];

/// Whether the values of a column are secrets.
pub(super) fn is_secret(column: &str) -> bool {
    SECRETS
        .iter()
        .any(|secret| column.eq_ignore_ascii_case(secret))
}

/// Puts [`HIDDEN`] in the place of secrets, also inside of objects and lists.
pub(super) fn hide(values: &mut Map<String, Json>) {
    for (name, value) in values.iter_mut() {
        if is_secret(name) && !value.is_null() {
            *value = HIDDEN.into();
        } else {
            hide_inside(value);
        }
    }
}

fn hide_inside(value: &mut Json) {
    match value {
        Json::Object(inner) => hide(inner),
        Json::Array(items) => items.iter_mut().for_each(hide_inside),
        _ => {}
    }
}

/// How personal data in a column is masked, as far as its name tells.
fn mask_of(column: &str) -> Option<Mask> {
    let column = column.to_ascii_lowercase();
    let has = |part: &str| column.contains(part);
    if has("email") {
        Some(Mask::Email)
    } else if has("ssn") || has("social_security") {
        Some(Mask::Ssn)
    } else if has("phone") || has("mobile") {
        Some(Mask::Phone)
    } else if has("name") && !has("username") {
        Some(Mask::Name)
    } else {
        None
    }
}

/// The value of a column as those see it who may not see personal data.
pub(super) fn masked<'v>(column: &str, value: &'v str) -> Cow<'v, str> {
    mask_of(column).map_or(Cow::Borrowed(value), |mask| apply(mask, value))
}

fn apply(mask: Mask, value: &str) -> Cow<'_, str> {
    match mask.apply(&Json::from(value)) {
        Json::String(masked) => Cow::Owned(masked),
        _ => Cow::Borrowed(value),
    }
}

/// The masks that definitions have for columns of collections, those of earlier definitions
/// included: an entry tells of the table and the column as they were called when it was written.
#[derive(Debug, Default)]
pub(super) struct Masks(HashMap<String, HashMap<String, Mask>>);

impl Masks {
    /// The value of a column as it is shown to callers who may not see personal data: masked as a
    /// definition says, or else as far as the column's name tells.
    pub fn apply<'v>(&self, table: &str, column: &str, value: &'v str) -> Cow<'v, str> {
        match self.0.get(table).and_then(|columns| columns.get(column)) {
            Some(mask) => apply(*mask, value),
            None => masked(column, value),
        }
    }

    fn add_current(&mut self, catalog: &Catalog) {
        for collection in catalog.iter() {
            let Collection { table, fields, .. } = &**collection;
            let masks = fields
                .iter()
                .filter_map(|field| Some((field.name.clone(), field.mask?)));
            self.0
                .entry(table.as_str().to_owned())
                .or_default()
                .extend(masks);
        }
    }

    /// Adds what a former definition says of names that no later one knows.
    fn add_former(&mut self, definition: &Definition) {
        let (Some(table), Some(schema)) = (
            definition.name.as_deref().and_then(ddl::table_name),
            &definition.schema,
        ) else {
            return;
        };
        let mut definitions: Vec<FieldDefinition> =
            serde_json::from_str(schema).unwrap_or_default();
        // What is computed of personal data is masked, too.
        let fields = check_fields(&mut definitions).unwrap_or_default();
        let columns = self.0.entry(table.as_str().to_owned()).or_default();
        for (name, mask) in fields
            .into_iter()
            .filter_map(|field| Some((field.name, field.mask?)))
        {
            columns.entry(name).or_insert(mask);
        }
    }
}

/// What the trail tells of a collection's definition at some time.
#[derive(Debug, Default)]
struct Definition {
    name: Option<String>,
    schema: Option<String>,
}

/// Entries about definitions hold what changed only.
#[derive(sqlx::FromRow)]
struct DefinitionChange {
    record_id: String,
    old_values: Option<String>,
    new_values: Option<String>,
}

impl Audit {
    /// The masks of all definitions that there are and, as the trail tells of them, that there
    /// were.
    pub(super) async fn masks(&self) -> Result<Masks, DbError> {
        let select = "SELECT record_id, old_values, new_values FROM audit_log WHERE table_name = 'collections' ORDER BY id DESC";
        let changes: Vec<DefinitionChange> =
            self.0.db.rows(Stmt::fixed(select, Vec::new())).await?;
        let catalog = self.0.catalog.current();
        let mut masks = Masks::default();
        masks.add_current(&catalog);
        let known = |collection: &Collection| {
            let (name, schema) = (collection.row.name.clone(), collection.row.schema.clone());
            (
                collection.row.id.clone(),
                Definition {
                    name: Some(name),
                    schema: Some(schema),
                },
            )
        };
        // From the newest change back to the oldest, each collection's definition is as it was
        // before.
        let mut definitions: HashMap<String, Definition> =
            catalog.iter().map(|collection| known(collection)).collect();
        for change in changes {
            let definition = definitions.entry(change.record_id).or_default();
            for values in [change.new_values, change.old_values] {
                let values: Map<String, Json> = values
                    .and_then(|values| serde_json::from_str(&values).ok())
                    .unwrap_or_default();
                let text = |key: &str| values.get(key).and_then(Json::as_str).map(str::to_owned);
                definition.name = text("name").or(definition.name.take());
                definition.schema = text("schema").or(definition.schema.take());
                masks.add_former(definition);
            }
        }
        Ok(masks)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn secrets_are_hidden_wherever_they_stand() {
        let mut values = json!({"Password": "x", "secret": null, "name": "y", "config": [{"client_secret": "z"}]});
        hide(values.as_object_mut().unwrap());
        assert_eq!(
            values,
            json!({"Password": "***", "secret": null, "name": "y", "config": [{"client_secret": "***"}]})
        );
    }

    #[test]
    fn personal_data_is_masked_by_the_name_of_its_column() {
        for (column, value, shown) in [
            ("Work_Email", "john@example.com", "j***@example.com"),
            ("social_security_no", "123-45-6789", "***-**-****"),
            ("mobile", "555-123-4567", "***-***-4567"),
            ("full_name", "John Doe", "J*** D***"),
            ("username", "john", "john"),
            ("title", "john@example.com", "john@example.com"),
        ] {
            assert_eq!(masked(column, value), shown);
        }
    }
}
