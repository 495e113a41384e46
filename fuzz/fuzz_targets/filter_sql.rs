//! A filter that is taken can be written as SQL for both databases, with nothing of the source in
//! its text, and has an answer in memory.

#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::json;
use snackbase::db::{ColumnKind, Computed as _, Dialect, Ident, Sql};
use snackbase::expr::{Auth, Column, Columns, Formula, Predicate, Purpose};

struct Fields;

impl Columns for Fields {
    fn column(&self, name: &str) -> Option<Column> {
        let kind = match name {
            "t" => ColumnKind::Text,
            "n" => ColumnKind::Number,
            "b" => ColumnKind::Boolean,
            "d" => ColumnKind::DateTime,
            "day" => ColumnKind::Date,
            "j" => ColumnKind::Json,
            "at" => ColumnKind::Timestamp,
            _ => return None,
        };
        Some(Column::stored(Ident::of(name)?, kind))
    }
}

fuzz_target!(|source: &str| {
    let record = json!({"t": source, "n": 1.5, "b": true, "d": "2024-01-01T10:00:00+02:00", "day": "2024-02-29",
        "j": {"a": source}, "at": "2024-01-01T10:00:00.000Z"});
    let Some(record) = record.as_object() else { return };
    if let Ok(filter) = Predicate::compile(source, &Fields, Purpose::Filter) {
        for dialect in [Dialect::Sqlite, Dialect::Postgres] {
            let mut sql = Sql::new(dialect);
            filter.write_sql(&mut sql, "r", &Auth::default(), None);
            let text = sql.build().text().to_owned();
            // The source's texts and numbers are bound: no character of the text can be theirs.
            assert!(text.is_ascii());
            assert_eq!(text.matches('(').count(), text.matches(')').count());
        }
        filter.eval(record, &Auth::default(), None);
    }
    if let Ok(formula) = Formula::compile(source, &Fields, ColumnKind::Text) {
        for dialect in [Dialect::Sqlite, Dialect::Postgres] {
            let mut sql = Sql::new(dialect);
            formula.write(&mut sql, "NEW");
            // It stands in statements without arguments, and in the body of a function.
            assert!(sql.clone().into_fragment().is_some());
            assert!(dialect == Dialect::Sqlite || !sql.build().text().contains("$log$"));
        }
    }
});
