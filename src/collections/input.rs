//! What a client sends to define or change a collection.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::rules::KNOWN_KEYS;
use super::rules::RulesPatch;
use crate::error::{Error, FieldError, Problem, Result};
use crate::schema::FieldDefinition;
use crate::schema::definition::MAX_NAME;
use crate::schema::naming::{check_keys, misspelt};

/// A collection's definition. Unknown keys are ignored, unless they are probably misspelt ones of
/// these.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct CollectionInput {
    /// 3 to 64 letters, digits and underscores, beginning with a letter.
    #[serde(default)]
    pub name: Option<String>,
    /// The fields; may also be called `fields`.
    #[serde(default)]
    pub schema: Option<Vec<FieldDefinition>>,
    /// The fields.
    #[serde(default)]
    pub fields: Option<Vec<FieldDefinition>>,
    /// When a collection is changed: fields that get another name, by their old one. Data stays;
    /// rules, field lists, computed fields and macros follow.
    #[serde(default)]
    pub rename: Option<BTreeMap<String, String>>,
    /// Rules and field lists.
    #[serde(flatten)]
    pub rules: RulesPatch,
    /// Other keys.
    #[serde(flatten)]
    pub unknown: BTreeMap<String, Json>,
}

impl CollectionInput {
    /// The fields, under whichever name they came.
    pub fn definitions(&self) -> Option<Vec<FieldDefinition>> {
        self.schema.clone().or_else(|| self.fields.clone())
    }
}

/// The keys that are misspelt, of the definition and of its fields.
pub(super) fn misspelt_keys(input: &CollectionInput) -> Vec<FieldError> {
    let known = || {
        ["name", "schema", "fields", "rename"]
            .into_iter()
            .chain(KNOWN_KEYS)
    };
    let mut problems: Vec<FieldError> = input
        .unknown
        .keys()
        .filter_map(|key| misspelt(key.clone(), key, known()))
        .collect();
    problems.extend(check_keys(
        input
            .schema
            .as_deref()
            .or(input.fields.as_deref())
            .unwrap_or_default(),
    ));
    problems
}

/// Checks what does not depend on anything stored.
pub(super) fn check_shape(input: &CollectionInput, complete: bool) -> Result<()> {
    let mut problems = Vec::new();
    match &input.name {
        None if complete => problems.push(Problem::missing("name")),
        Some(name) if complete && name.chars().count() < 3 => {
            let message = "String should have at least 3 characters";
            let problem = Problem::body("name", "string_too_short", message, name.as_str().into());
            problems.push(problem.with(json!({"min_length": 3})));
        }
        Some(name) if complete && name.len() > MAX_NAME => {
            let message = "String should have at most 64 characters";
            let problem = Problem::body("name", "string_too_long", message, name.as_str().into());
            problems.push(problem.with(json!({"max_length": MAX_NAME})));
        }
        _ => {}
    }
    match input.definitions() {
        None if complete => problems.push(Problem::missing("schema")),
        Some(fields) if fields.is_empty() => problems.push(Problem::empty_list("schema")),
        _ => {}
    }
    if problems.is_empty() {
        Ok(())
    } else {
        Err(Error::Malformed { problems })
    }
}
