//! What the API document says of the names that a field's definition takes. They are read in any
//! case, and answered as they stand here.

use utoipa::openapi::schema::{Object, ObjectBuilder, SchemaType, Type};

use super::computed::RETURN_TYPES;
use super::field::FieldType;
use super::mask::Mask;

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

pub(super) fn field_types() -> Object {
    one_of(
        FieldType::ALL
            .iter()
            .map(|kind| kind.name())
            .chain(["computed"]),
        "What its values are.",
    )
}

pub(super) fn on_delete() -> Object {
    let names = ["cascade", "set_null", "restrict"];
    one_or_null(
        names,
        "For a reference: what happens to a record when the one that it refers to is deleted.",
    )
}

pub(super) fn masks() -> Object {
    one_or_null(
        Mask::NAMES,
        "For personal data: how it is masked; in full, if this is null.",
    )
}

pub(super) fn return_types() -> Object {
    one_or_null(
        RETURN_TYPES.map(FieldType::name),
        "For a computed field: what its values are.",
    )
}
