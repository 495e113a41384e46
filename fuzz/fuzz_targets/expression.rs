//! Any text as a rule, a filter, a computed field and a stored macro: it is refused with a place
//! inside of it, or taken.

#![no_main]

use libfuzzer_sys::fuzz_target;
use snackbase::db::{ColumnKind, Ident};
use snackbase::expr::{Column, Columns, Formula, Predicate, Problem, Purpose, StoredMacro, macros_used, rename_field};

struct Fields;

impl Columns for Fields {
    fn column(&self, name: &str) -> Option<Column> {
        let kind = match name {
            "t" | "id" | "created_by" => ColumnKind::Text,
            "n" => ColumnKind::Number,
            "b" | "public" => ColumnKind::Boolean,
            "d" => ColumnKind::DateTime,
            "day" => ColumnKind::Date,
            "j" => ColumnKind::Json,
            "r" => ColumnKind::Reference,
            "created_at" => ColumnKind::Timestamp,
            _ => return None,
        };
        Some(Column::stored(Ident::of(name)?, kind))
    }
}

fn inside(source: &str, problems: &[Problem]) {
    assert!(!problems.is_empty());
    for problem in problems {
        assert!(problem.position <= source.chars().count(), "{problem:?}");
        assert!(!problem.message.is_empty());
    }
}

fuzz_target!(|source: &str| {
    for purpose in [Purpose::Filter, Purpose::Rule { data: false }, Purpose::Rule { data: true }] {
        match Predicate::compile(source, &Fields, purpose) {
            Ok(predicate) => assert_eq!(predicate.source(), source),
            Err(problems) => inside(source, &problems),
        }
    }
    if let Err(problems) = Formula::compile(source, &Fields, ColumnKind::Text) {
        inside(source, &problems);
    }
    let parameters = ["a".to_owned(), "b".to_owned()];
    match StoredMacro::parse(source, &parameters) {
        Ok(stored) => {
            if let Err(problems) = stored.check(source, &Fields) {
                inside(source, &problems);
            }
        }
        Err(problem) => inside(source, &[problem]),
    }
    // What is renamed there and back is what it was, unless the new name was in it already.
    if !source.contains("zz") && let Some(renamed) = rename_field(source, "t", "zz") {
        assert_eq!(rename_field(&renamed, "zz", "t").as_deref(), Some(source));
    }
    macros_used(source);
});
