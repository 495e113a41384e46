//! Computed fields: an expression over the stored fields of the record, carried out whenever the
//! record is read.

use std::sync::Arc;

use super::definition::FieldDefinition;
use super::field::{Field, FieldType};
use super::mask::Mask;
use crate::db::ColumnKind;
use crate::error::FieldError;
use crate::expr::Formula;

/// The most computed fields of a collection: each is carried out for every record of a list.
pub(super) const MAX: usize = 10;

/// Types that an expression can have.
pub const RETURN_TYPES: [FieldType; 4] = [
    FieldType::Text,
    FieldType::Number,
    FieldType::Boolean,
    FieldType::DateTime,
];

pub(super) fn is_computed(definition: &FieldDefinition) -> bool {
    definition.kind.eq_ignore_ascii_case("computed")
}

/// Checks what can be checked without the other fields, and returns the type of the values.
pub(super) fn check(
    definition: &mut FieldDefinition,
    problem: &mut impl FnMut(&str, &str, String),
) -> Option<FieldType> {
    definition.kind = "computed".into();
    let name = definition.name.clone();
    let has_default = definition
        .default
        .as_ref()
        .is_some_and(|default| !default.is_null());
    for (given, key) in [
        (definition.required, "required"),
        (has_default, "default"),
        (definition.unique, "unique"),
        (definition.index, "index"),
        (definition.searchable, "searchable"),
        (definition.encrypted, "encrypted"),
    ] {
        if given {
            let message = format!("Field '{name}' is computed, so it cannot have '{key}'");
            problem(key, &format!("computed_field_no_{key}"), message);
        }
    }
    if definition
        .expression
        .as_deref()
        .is_none_or(|expression| expression.trim().is_empty())
    {
        let message = format!("Computed field '{name}' needs an expression");
        problem("expression", "computed_field_expression_required", message);
    }
    let Some(return_type) = definition
        .return_type
        .as_deref()
        .filter(|name| !name.is_empty())
    else {
        let message = format!(
            "Computed field '{name}' needs a return_type: text, number, boolean or datetime"
        );
        problem(
            "return_type",
            "computed_field_return_type_required",
            message,
        );
        return None;
    };
    let Some(kind) = RETURN_TYPES
        .into_iter()
        .find(|kind| kind.name().eq_ignore_ascii_case(return_type))
    else {
        let message =
            format!("'{return_type}' is no return_type; it is text, number, boolean or datetime");
        problem("return_type", "computed_field_return_type_invalid", message);
        return None;
    };
    definition.return_type = Some(kind.name().into());
    Some(kind)
}

/// Compiles the expressions. `fields` stand in the order of their definitions.
pub(super) fn compile(
    definitions: &[FieldDefinition],
    fields: &mut [Field],
) -> Result<(), Vec<FieldError>> {
    // Only these may be read: a computed field that read another could read itself.
    let stored: Vec<Field> = fields
        .iter()
        .zip(definitions)
        .filter(|(_, d)| !is_computed(d))
        .map(|(field, _)| field.clone())
        .collect();
    let mut problems = Vec::new();
    for (index, (field, definition)) in fields.iter_mut().zip(definitions).enumerate() {
        if !is_computed(definition) {
            continue;
        }
        let mut problem = |code: &str, message: String| {
            problems.push(FieldError::new(
                format!("schema[{index}].expression"),
                code,
                message,
            ));
        };
        let expression = definition.expression.as_deref().unwrap_or_default();
        match Formula::compile(expression, &stored, wanted(field.kind)) {
            Err(found) => {
                let found: Vec<String> = found
                    .iter()
                    .map(|p| format!("{} (at position {})", p.message, p.position))
                    .collect();
                let message = format!(
                    "The expression of '{}' is invalid: {}",
                    definition.name,
                    found.join("; ")
                );
                problem("computed_field_expression_invalid", message);
            }
            Ok(formula) if formula.kind() != wanted(field.kind) => {
                let message = format!(
                    "The expression of '{}' has values of type {}, but return_type says {}",
                    definition.name,
                    name_of(formula.kind()),
                    field.kind.name()
                );
                problem("computed_field_expression_error", message);
            }
            Ok(formula) => {
                let reads_pii = formula
                    .fields()
                    .any(|name| stored.iter().any(|f| f.name == name && f.mask.is_some()));
                // What is made of personal data is personal data.
                field.mask = field.mask.or(reads_pii.then_some(Mask::Full));
                field.computed = Some(Arc::new(formula));
            }
        }
    }
    if problems.is_empty() {
        Ok(())
    } else {
        Err(problems)
    }
}

fn wanted(kind: FieldType) -> ColumnKind {
    match kind {
        FieldType::DateTime => ColumnKind::Timestamp,
        other => other.column(),
    }
}

fn name_of(kind: ColumnKind) -> &'static str {
    match kind {
        ColumnKind::Number => "number",
        ColumnKind::Boolean => "boolean",
        ColumnKind::Timestamp | ColumnKind::DateTime | ColumnKind::Date => "datetime",
        ColumnKind::Json => "json",
        // What is encrypted was refused as soon as it was named.
        ColumnKind::Text | ColumnKind::Reference | ColumnKind::Sealed => "text",
    }
}
