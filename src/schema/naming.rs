//! Names that new fields and collections may not have. Those that exist with such a name keep
//! working as far as they can: these checks are for definitions that come in, not for those that
//! are loaded.

use super::definition::FieldDefinition;
use crate::error::FieldError;
use crate::expr::is_reserved_word;
use crate::spelling::nearest;

/// What stands between the parts of the names that the server makes: of indexes, constraints and
/// triggers.
const SEPARATOR: &str = "__";

/// Checks the names of fields that are new: `exists` tells the others.
pub fn check_new_fields(
    definitions: &[FieldDefinition],
    exists: impl Fn(&str) -> bool,
) -> Vec<FieldError> {
    let new = definitions
        .iter()
        .enumerate()
        .filter(|(_, definition)| !exists(&definition.name));
    new.filter_map(|(index, definition)| {
        check_new_field(&format!("schema[{index}].name"), &definition.name)
    })
    .collect()
}

/// The keys of a field's definition.
const FIELD_KEYS: [&str; 16] = [
    "name",
    "type",
    "required",
    "default",
    "unique",
    "discloses_existence",
    "options",
    "collection",
    "on_delete",
    "pii",
    "mask_type",
    "index",
    "searchable",
    "encrypted",
    "expression",
    "return_type",
];

/// Finds misspelt keys in definitions of fields. Others that are not known are ignored, as
/// published clients expect.
pub fn check_keys(definitions: &[FieldDefinition]) -> Vec<FieldError> {
    let of = |(index, definition): (usize, &FieldDefinition)| {
        let place = |key: &str| format!("schema[{index}].{key}");
        let found = definition
            .unknown
            .keys()
            .filter_map(|key| misspelt(place(key), key, FIELD_KEYS));
        found.collect::<Vec<_>>()
    };
    definitions.iter().enumerate().flat_map(of).collect()
}

/// The problem of an unknown key that was probably meant to be one of those that are known.
pub fn misspelt<'k>(
    place: String,
    key: &str,
    known: impl IntoIterator<Item = &'k str>,
) -> Option<FieldError> {
    let near = nearest(key, known).filter(|near| *near != key)?;
    Some(FieldError::new(
        place,
        "unknown_attribute",
        format!("unknown attribute '{key}'; did you mean '{near}'?"),
    ))
}

/// Checks the name of a new field; `place` is what the problem is about.
pub fn check_new_field(place: &str, name: &str) -> Option<FieldError> {
    is_reserved_word(name).then(|| {
        let message = format!(
            "'{name}' is a word of the expression language, so no rule or filter could name the field: choose another name"
        );
        FieldError::new(place, "field_name_reserved", message)
    })
}

/// Checks the name of a new collection beside those that exist.
pub fn check_new_collection<'n>(
    name: &str,
    existing: impl IntoIterator<Item = &'n str>,
) -> Option<FieldError> {
    let problem = |code: &str, message: String| Some(FieldError::new("name", code, message));
    if is_reserved_word(name) {
        let message = format!(
            "'{name}' is a word of the expression language, so no macro could name the collection: choose another name"
        );
        return problem("name_reserved", message);
    }
    if name.contains(SEPARATOR) {
        let message =
            "A collection's name must not contain '__': the names of indexes are made with it";
        return problem("name_invalid_format", message.into());
    }
    let taken = existing.into_iter().find(|other| {
        let (name, other) = (name.to_ascii_lowercase(), other.to_ascii_lowercase());
        other
            .strip_prefix(&name)
            .is_some_and(|rest| rest.starts_with(SEPARATOR))
    })?;
    let message = format!(
        "'{name}' cannot stand beside the collection '{taken}': rename that one, or choose another name"
    );
    problem("name_taken", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(name: &str, existing: &[&str]) -> Option<String> {
        check_new_collection(name, existing.iter().copied()).map(|problem| problem.code)
    }

    #[test]
    fn no_name_is_a_word_of_the_language() {
        for word in [
            "null", "True", "FALSE", "in", "is", "not", "and", "or", "like",
        ] {
            assert!(check_new_field("x", word).is_some(), "{word}");
            assert_eq!(code(word, &[]).as_deref(), Some("name_reserved"));
        }
        for word in ["nulls", "select", "count", "where", "inn", "_in"] {
            assert!(
                check_new_field("x", word).is_none() && code(word, &[]).is_none(),
                "{word}"
            );
        }
    }

    #[test]
    fn misspelt_keys_are_told_from_those_that_mean_nothing() {
        let definition: FieldDefinition =
            serde_json::from_value(serde_json::json!({"name": "a", "type": "text", "uniqe": true, "requierd": false,
                "label": "A", "description": "", "id": "x", "hidden": false, "system": false, "comment": null}))
            .unwrap();
        let found = check_keys(&[definition]);
        let places: Vec<&str> = found.iter().map(|problem| problem.field.as_str()).collect();
        assert_eq!(places, ["schema[0].requierd", "schema[0].uniqe"]);
        assert_eq!(
            found[1].message,
            "unknown attribute 'uniqe'; did you mean 'unique'?"
        );
    }

    #[test]
    fn every_key_of_a_definition_is_known() {
        let definition = serde_json::to_value(FieldDefinition::default()).unwrap();
        let keys: std::collections::BTreeSet<&str> = definition
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        assert_eq!(keys, FIELD_KEYS.into_iter().collect());
    }

    #[test]
    fn names_of_collections_leave_room_for_those_of_indexes() {
        assert_eq!(
            code("notes__newest", &[]).as_deref(),
            Some("name_invalid_format")
        );
        assert_eq!(code("notes_", &["notes"]), None);
        assert_eq!(
            code("Notes", &["other", "notes__newest"]).as_deref(),
            Some("name_taken")
        );
        assert_eq!(code("note", &["notes__newest"]), None);
    }
}
