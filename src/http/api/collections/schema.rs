//! The shapes of definitions in the API document. Definitions are a data format of their own, which
//! is sent, stored, exported and imported, so `schema` and `collections` read and write them; these
//! types only describe them. A test compares the keys.

use std::collections::BTreeMap;

use utoipa::ToSchema;
use utoipa::openapi::schema::{Object, ObjectBuilder, SchemaType, Type};

use crate::schema::{FieldType, Mask, RETURN_TYPES};

/// A field, as it is sent, stored and answered.
#[derive(ToSchema)]
#[schema(as = FieldDefinition)]
#[expect(
    dead_code,
    clippy::struct_excessive_bools,
    reason = "a shape for the API document"
)]
pub struct FieldDefinitionShape {
    /// 1 to 64 letters, digits and underscores, beginning with a letter.
    #[serde(default)]
    #[schema(required, min_length = 1, max_length = 64)]
    name: String,
    /// `text`, `number`, `boolean`, `datetime`, `date`, `email`, `url`, `json`, `reference`, `file`
    /// or `computed`.
    #[serde(default, rename = "type")]
    #[schema(required, schema_with = field_types)]
    kind: String,
    /// True if a record must have a value.
    #[serde(default)]
    required: bool,
    /// The value of a record that was sent none.
    #[serde(default)]
    #[schema(value_type = serde_json::Value)]
    default: Option<serde_json::Value>,
    /// True if no two records of an account may have the same value.
    #[serde(default)]
    unique: bool,
    /// For a unique field with personal data, or one that field lists hide: whether callers who do
    /// not see it may be told that a value exists. Without it, clashes name no field, and trying
    /// values out is limited.
    #[serde(default)]
    discloses_existence: bool,
    /// Bounds of values: `min`, `max`, `min_length`, `max_length`, `pattern`, `enum`. Other
    /// keys are kept.
    #[serde(default)]
    #[schema(value_type = serde_json::Value)]
    options: Option<serde_json::Value>,
    /// For a reference: the name of the collection it points to.
    #[serde(default)]
    collection: Option<String>,
    /// For a reference: `cascade`, `set_null` or `restrict`.
    #[serde(default)]
    #[schema(schema_with = on_delete)]
    on_delete: Option<String>,
    /// True if the field holds personal data.
    #[serde(default)]
    pii: bool,
    /// For personal data: `email`, `ssn`, `phone`, `name`, `full` or `custom`.
    #[serde(default)]
    #[schema(schema_with = masks)]
    mask_type: Option<String>,
    /// True if the field has an index, for filters and orders.
    #[serde(default)]
    index: bool,
    /// True if `search` looks at the field.
    #[serde(default)]
    searchable: bool,
    /// True if the values are encrypted, and shown as `••••••••`.
    #[serde(default)]
    encrypted: bool,
    /// For a computed field: the expression over the other fields that has its value.
    #[serde(default)]
    expression: Option<String>,
    /// For a computed field: `text`, `number`, `boolean` or `datetime`.
    #[serde(default)]
    #[schema(schema_with = return_types)]
    return_type: Option<String>,
}

/// Rules and field lists, as far as they are named: an absent key changes nothing, null locks.
#[derive(ToSchema)]
#[schema(as = RulesPatch)]
#[expect(dead_code, reason = "a shape for the API document")]
pub struct RulesPatchShape {
    /// Rule of listing: null locks, the empty text opens, anything else is an expression.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    list_rule: Option<serde_json::Value>,
    /// Rule of reading one.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    view_rule: Option<serde_json::Value>,
    /// Rule of creating.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    create_rule: Option<serde_json::Value>,
    /// Rule of updating.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    update_rule: Option<serde_json::Value>,
    /// Rule of deleting.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    delete_rule: Option<serde_json::Value>,
    /// Fields in lists: `*`, or a JSON array of names, as such or in a string.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    list_fields: Option<serde_json::Value>,
    /// Fields of single records.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    view_fields: Option<serde_json::Value>,
    /// Fields that may be sent on create.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    create_fields: Option<serde_json::Value>,
    /// Fields that may be sent on update.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    update_fields: Option<serde_json::Value>,
}

/// A collection's definition. Unknown keys are ignored, unless they are probably misspelt ones of
/// these.
#[derive(ToSchema)]
#[schema(as = CollectionInput)]
#[expect(dead_code, reason = "a shape for the API document")]
pub struct CollectionInputShape {
    /// 3 to 64 letters, digits and underscores, beginning with a letter.
    #[serde(default)]
    name: Option<String>,
    /// The fields; may also be called `fields`.
    #[serde(default)]
    schema: Option<Vec<FieldDefinitionShape>>,
    /// The fields.
    #[serde(default)]
    fields: Option<Vec<FieldDefinitionShape>>,
    /// For a change of a collection: fields that get another name, by their old one. Data stays;
    /// rules, field lists, computed fields and macros follow.
    #[serde(default)]
    rename: Option<BTreeMap<String, String>>,
    /// Rules and field lists.
    #[serde(flatten)]
    rules: RulesPatchShape,
}

/// Definitions of collections, with their rules and without their records.
#[derive(ToSchema)]
#[schema(as = CollectionExport)]
#[expect(dead_code, reason = "a shape for the API document")]
pub struct CollectionExportShape {
    /// The version of this format, `1.0`.
    version: String,
    /// Time of the export.
    exported_at: String,
    /// The e-mail address of who exported it.
    exported_by: String,
    /// The collections.
    collections: Vec<ExportedCollectionShape>,
}

/// A collection's definition.
#[derive(ToSchema)]
#[schema(as = ExportedCollection)]
#[expect(dead_code, reason = "a shape for the API document")]
pub struct ExportedCollectionShape {
    /// Its name.
    name: String,
    /// Its fields.
    schema: Vec<FieldDefinitionShape>,
    /// Its rules and field lists.
    #[serde(default)]
    rules: RulesPatchShape,
}

// Names are read in letters of either case, and answered as they stand here.

fn one_of<'n>(names: impl IntoIterator<Item = &'n str>, description: &str) -> Object {
    let builder = ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some(description));
    builder
        .enum_values(Some(names.into_iter().map(str::to_owned)))
        .build()
}

fn one_or_null<'n>(names: impl IntoIterator<Item = &'n str>, description: &str) -> Object {
    let builder =
        ObjectBuilder::new().schema_type(SchemaType::from_iter([Type::String, Type::Null]));
    let names = names
        .into_iter()
        .map(|name| Some(name.to_owned()))
        .chain([None]);
    builder
        .description(Some(description))
        .enum_values(Some(names))
        .build()
}

fn field_types() -> Object {
    one_of(
        FieldType::ALL
            .iter()
            .map(|kind| kind.name())
            .chain(["computed"]),
        "What its values are.",
    )
}

fn on_delete() -> Object {
    let names = ["cascade", "set_null", "restrict"];
    one_or_null(
        names,
        "For a reference: what happens to a record when the one that it refers to is deleted.",
    )
}

fn masks() -> Object {
    one_or_null(
        Mask::NAMES,
        "For personal data: how it is masked; in full, if this is null.",
    )
}

fn return_types() -> Object {
    one_or_null(
        RETURN_TYPES.map(FieldType::name),
        "For a computed field: what its values are.",
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use utoipa::PartialSchema;
    use utoipa::openapi::{RefOr, Schema};

    use super::*;
    use crate::collections::RulesPatch;
    use crate::schema::FieldDefinition;

    fn documented<T: PartialSchema>() -> BTreeSet<String> {
        let RefOr::T(Schema::Object(object)) = T::schema() else {
            panic!("not an object");
        };
        object.properties.keys().cloned().collect()
    }

    fn written(value: &impl serde::Serialize) -> BTreeSet<String> {
        let value = serde_json::to_value(value).unwrap();
        value.as_object().unwrap().keys().cloned().collect()
    }

    #[test]
    fn shapes_have_the_keys_of_what_they_describe() {
        assert_eq!(
            documented::<FieldDefinitionShape>(),
            written(&FieldDefinition::default())
        );
        assert_eq!(
            documented::<RulesPatchShape>(),
            written(&RulesPatch::default())
        );
    }
}
