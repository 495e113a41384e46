//! What a user writes to define a field, and the checks that a definition must pass.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::constraints::Constraints;
use super::field::{Field, FieldType};
use super::mask::Mask;
use super::{SYSTEM_FIELDS, computed};
use crate::db::Ident;
use crate::error::FieldError;

/// The longest field and collection name.
pub const MAX_NAME: usize = 64;
/// The most fields a collection may have; both databases manage this many columns and arguments.
pub const MAX_FIELDS: usize = 400;
/// The most fields of a collection that may be searched.
pub const MAX_SEARCHABLE: usize = 20;

/// What happens to a record when the one it refers to is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnDelete {
    /// It is deleted, too.
    Cascade,
    /// Its reference becomes null.
    SetNull,
    /// The delete is refused.
    Restrict,
}

impl OnDelete {
    fn parse(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "cascade" => Some(Self::Cascade),
            "set_null" => Some(Self::SetNull),
            "restrict" => Some(Self::Restrict),
            _ => None,
        }
    }
}

/// A field, as it is sent, stored and answered.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "attributes that are there or not"
)]
pub struct FieldDefinition {
    /// 1 to 64 letters, digits and underscores, beginning with a letter.
    #[serde(default)]
    pub name: String,
    /// `text`, `number`, `boolean`, `datetime`, `date`, `email`, `url`, `json`, `reference`, `file`
    /// or `computed`.
    #[serde(default, rename = "type")]
    pub kind: String,
    /// Whether a record must have a value.
    #[serde(default, deserialize_with = "null_is_default")]
    pub required: bool,
    /// The value of a record that was sent none.
    #[serde(default)]
    pub default: Option<Json>,
    /// Whether no two records of an account may have the same value.
    #[serde(default, deserialize_with = "null_is_default")]
    pub unique: bool,
    /// For a unique field with personal data, or one that field lists hide: whether callers who do
    /// not see it may be told that a value exists. Without it, clashes name no field, and trying
    /// values out is limited.
    #[serde(default, deserialize_with = "null_is_default")]
    pub discloses_existence: bool,
    /// What values must satisfy: `min`, `max`, `min_length`, `max_length`, `pattern`, `enum`; of
    /// files `max_select`, `max_size`, `mime_types`, `thumbs`. Other keys are kept.
    #[serde(default)]
    pub options: Option<Json>,
    /// For a reference: the name of the collection it points to.
    #[serde(default)]
    pub collection: Option<String>,
    /// For a reference: `cascade`, `set_null` or `restrict`.
    #[serde(default)]
    pub on_delete: Option<String>,
    /// Whether the field holds personal data.
    #[serde(default, deserialize_with = "null_is_default")]
    pub pii: bool,
    /// For personal data: `email`, `ssn`, `phone`, `name`, `full` or `custom`.
    #[serde(default)]
    pub mask_type: Option<String>,
    /// Whether the field has an index, for filters and orders.
    #[serde(default, deserialize_with = "null_is_default")]
    pub index: bool,
    /// Whether `search` looks at the field.
    #[serde(default, deserialize_with = "null_is_default")]
    pub searchable: bool,
    /// Whether the values are encrypted, and shown as `••••••••`.
    #[serde(default, deserialize_with = "null_is_default")]
    pub encrypted: bool,
    /// For a computed field: the expression over the other fields that has its value.
    #[serde(default)]
    pub expression: Option<String>,
    /// For a computed field: `text`, `number`, `boolean` or `datetime`.
    #[serde(default)]
    pub return_type: Option<String>,
    /// Keys that no definition has; what is stored has none.
    #[serde(flatten, skip_serializing)]
    pub unknown: BTreeMap<String, Json>,
}

fn null_is_default<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Ok(Option::<bool>::deserialize(deserializer)?.unwrap_or_default())
}

/// Whether a name may be used for a field or a collection.
fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// Checks a collection's name.
pub fn check_collection_name(name: &str) -> Result<(), FieldError> {
    let problem = |code: &str, message: &str| Err(FieldError::new("name", code, message));
    match name.len() {
        0 => problem("name_required", "A collection needs a name"),
        1..3 => problem(
            "name_too_short",
            "A collection's name has at least 3 characters",
        ),
        _ if name.len() > MAX_NAME => problem(
            "name_too_long",
            "A collection's name has at most 64 characters",
        ),
        _ if !is_name(name) => problem(
            "name_invalid_format",
            "A collection's name begins with a letter and has letters, digits and _ only",
        ),
        _ => Ok(()),
    }
}

/// Checks the fields of a collection and resolves them; every problem is named with its path.
pub fn check_fields(definitions: &mut [FieldDefinition]) -> Result<Vec<Field>, Vec<FieldError>> {
    let mut problems = Vec::new();
    let mut fields = Vec::new();
    if definitions.is_empty() {
        problems.push(FieldError::new(
            "schema",
            "schema_empty",
            "A collection needs at least one field",
        ));
    }
    if definitions.len() > MAX_FIELDS {
        let message = format!("A collection has at most {MAX_FIELDS} fields");
        problems.push(FieldError::new("schema", "too_many_fields", message));
    }
    if definitions
        .iter()
        .filter(|definition| definition.searchable)
        .count()
        > MAX_SEARCHABLE
    {
        let message = format!("A collection has at most {MAX_SEARCHABLE} searchable fields");
        problems.push(FieldError::new(
            "schema",
            "too_many_searchable_fields",
            message,
        ));
    }
    let mut seen = std::collections::HashSet::new();
    let computed = definitions
        .iter()
        .filter(|definition| computed::is_computed(definition))
        .count();
    if computed > computed::MAX {
        let message = format!("A collection has at most {} computed fields", computed::MAX);
        problems.push(FieldError::new(
            "schema",
            "too_many_computed_fields",
            message,
        ));
    }
    for (index, definition) in definitions.iter_mut().enumerate() {
        let before = problems.len();
        let mut problem = |key: &str, code: &str, message: String| {
            problems.push(FieldError::new(
                format!("schema[{index}].{key}"),
                code,
                message,
            ));
        };
        let name = definition.name.clone();
        check_field_name(&name, &mut problem);
        if !seen.insert(name.to_ascii_lowercase()) {
            problem(
                "name",
                "field_name_duplicate",
                format!("Field '{name}' is defined twice"),
            );
        }
        let field = resolve(definition, &mut problem);
        if problems.len() == before {
            fields.extend(field);
        }
    }
    if problems.is_empty() {
        computed::compile(definitions, &mut fields)
            .map_err(|found| problems.extend(found))
            .ok();
    }
    if problems.is_empty() {
        Ok(fields)
    } else {
        Err(problems)
    }
}

/// Checks a field's name.
pub fn check_field_name(name: &str, problem: &mut impl FnMut(&str, &str, String)) {
    if name.is_empty() {
        problem("name", "field_name_required", "A field needs a name".into());
    } else if name.len() > MAX_NAME {
        problem(
            "name",
            "field_name_too_long",
            "A field's name has at most 64 characters".into(),
        );
    } else if !is_name(name) {
        let message = format!(
            "'{name}' is no field name: it begins with a letter and has letters, digits and _ only"
        );
        problem("name", "field_name_invalid_format", message);
    } else if SYSTEM_FIELDS
        .iter()
        .any(|system| system.eq_ignore_ascii_case(name))
        || name == "account_name"
    {
        problem(
            "name",
            "field_name_reserved",
            format!("'{name}' is a field that every record has already"),
        );
    }
}

fn resolve(
    definition: &mut FieldDefinition,
    problem: &mut impl FnMut(&str, &str, String),
) -> Option<Field> {
    let kind = if computed::is_computed(definition) {
        computed::check(definition, problem)?
    } else {
        let kind = check_type(definition, problem)?;
        definition.kind = kind.name().into();
        kind
    };
    let on_delete = check_reference(definition, kind, problem);
    let mask = check_mask(definition, problem);
    if matches!(kind, FieldType::Json | FieldType::File) {
        for (wanted, key) in [(definition.unique, "unique"), (definition.index, "index")] {
            if wanted {
                let message = format!("A field of type {} takes no {key}", kind.name());
                problem(key, &format!("{key}_not_supported"), message);
            }
        }
    }
    let is_text = matches!(kind, FieldType::Text | FieldType::Email | FieldType::Url);
    if definition.searchable && (!is_text || computed::is_computed(definition)) {
        let message = format!("A field of type {} cannot be searched", definition.kind);
        problem("searchable", "searchable_not_supported", message);
    }
    if definition.encrypted {
        check_encrypted(definition, kind, problem);
    }
    if definition.discloses_existence && !definition.unique {
        let message = "discloses_existence goes with unique: true".to_owned();
        problem(
            "discloses_existence",
            "discloses_existence_requires_unique",
            message,
        );
    }
    if let Some(options) = &definition.options
        && !(options.is_object() || options.is_array() || options.is_null())
    {
        problem(
            "options",
            "options_invalid",
            "Options are an object or an array".into(),
        );
    }
    let constraints =
        Constraints::parse(kind, definition.options.as_ref()).unwrap_or_else(|problems| {
            for (key, message) in problems {
                problem(&key, "options_invalid", message);
            }
            Constraints::default()
        });
    let field = Field {
        name: definition.name.clone(),
        column: Ident::of(&definition.name)?,
        kind,
        required: definition.required,
        default: definition
            .default
            .clone()
            .filter(|default| !default.is_null()),
        unique: definition.unique,
        discloses_existence: definition.discloses_existence,
        target: (kind == FieldType::Reference)
            .then(|| definition.collection.clone())
            .flatten(),
        on_delete,
        // Nothing of an encrypted value is shown that could be masked.
        mask: mask.filter(|_| !definition.encrypted),
        searchable: definition.searchable,
        encrypted: definition.encrypted,
        indexed: definition.index,
        constraints,
        computed: None,
    };
    if let Some(default) = &field.default {
        if kind == FieldType::Reference {
            problem(
                "default",
                "default_invalid",
                "A reference takes no default".into(),
            );
        } else if let Err(error) = field.accept(default) {
            problem(
                "default",
                "default_invalid",
                format!("The default does not fit: {}", error.message),
            );
        }
    }
    Some(field)
}

/// What is encrypted cannot be compared with anything.
fn check_encrypted(
    definition: &FieldDefinition,
    kind: FieldType,
    problem: &mut impl FnMut(&str, &str, String),
) {
    let name = &definition.name;
    if !matches!(kind, FieldType::Text | FieldType::Json) {
        let message = format!(
            "A field of type {} cannot be encrypted; text and json can",
            kind.name()
        );
        problem("encrypted", "encrypted_not_supported", message);
    }
    for (key, set) in [
        ("unique", definition.unique),
        ("index", definition.index),
        ("searchable", definition.searchable),
        (
            "default",
            definition
                .default
                .as_ref()
                .is_some_and(|default| !default.is_null()),
        ),
    ] {
        if set {
            let message = format!("Field '{name}' is encrypted, so it takes no {key}");
            problem(key, "encrypted_not_supported", message);
        }
    }
}

fn check_type(
    definition: &FieldDefinition,
    problem: &mut impl FnMut(&str, &str, String),
) -> Option<FieldType> {
    if definition.kind.is_empty() {
        problem(
            "type",
            "field_type_required",
            format!("Field '{}' needs a type", definition.name),
        );
        return None;
    }
    let kind = FieldType::parse(&definition.kind);
    if kind.is_none() {
        let known = FieldType::ALL.map(FieldType::name).join(", ");
        let message = format!(
            "'{}' is no field type; the types are {known}, computed",
            definition.kind
        );
        problem("type", "field_type_invalid", message);
    }
    kind
}

fn check_reference(
    definition: &mut FieldDefinition,
    kind: FieldType,
    problem: &mut impl FnMut(&str, &str, String),
) -> Option<OnDelete> {
    if kind != FieldType::Reference {
        return None;
    }
    if definition
        .collection
        .as_deref()
        .unwrap_or_default()
        .is_empty()
    {
        let message = format!(
            "Reference '{}' needs the name of a collection",
            definition.name
        );
        problem("collection", "reference_collection_required", message);
    }
    let Some(name) = definition
        .on_delete
        .as_deref()
        .filter(|name| !name.is_empty())
    else {
        let message = format!(
            "Reference '{}' needs on_delete: cascade, set_null or restrict",
            definition.name
        );
        problem("on_delete", "reference_on_delete_required", message);
        return None;
    };
    let Some(on_delete) = OnDelete::parse(name) else {
        let message = format!("'{name}' is no on_delete; it is cascade, set_null or restrict");
        problem("on_delete", "reference_on_delete_invalid", message);
        return None;
    };
    if on_delete == OnDelete::SetNull && definition.required {
        let message = format!(
            "'{}' is required, so it cannot become null: use cascade or restrict",
            definition.name
        );
        problem("on_delete", "reference_on_delete_invalid", message);
    }
    definition.on_delete = Some(name.to_ascii_lowercase());
    Some(on_delete)
}

fn check_mask(
    definition: &mut FieldDefinition,
    problem: &mut impl FnMut(&str, &str, String),
) -> Option<Mask> {
    let Some(name) = definition.mask_type.clone() else {
        return definition.pii.then_some(Mask::Full);
    };
    if !definition.pii {
        problem(
            "mask_type",
            "mask_type_requires_pii",
            "mask_type goes with pii: true".into(),
        );
        return None;
    }
    let mask = Mask::parse(&name);
    if mask.is_none() {
        let message = format!(
            "'{name}' is no mask; the masks are {}",
            Mask::NAMES.join(", ")
        );
        problem("mask_type", "mask_type_invalid", message);
    }
    definition.mask_type = Some(name.to_ascii_lowercase());
    mask
}
