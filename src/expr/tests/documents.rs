//! A record's document, which expressions are evaluated over in memory, says what the row says.

use std::collections::BTreeMap;

use proptest::test_runner::{Config, TestCaseError, TestRunner};
use serde_json::Value;
use serde_json::value::RawValue;

use super::FIELDS;
use super::agreement::{close, fill, from_table, prepared, with_room};
use super::databases::Database;
use super::strategies::{Case, case};
use crate::db::{AccountName, ColumnKind, Ident, Projected};
use crate::expr::number::usable;

#[test]
fn documents_keep_what_expressions_read() {
    with_room(compare_many);
}

fn compare_many() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let databases = runtime.block_on(prepared());
    let config = Config {
        cases: 10,
        failure_persistence: None,
        max_global_rejects: 100_000,
        ..Config::default()
    };
    let result =
        TestRunner::new(config).run(&case(), |case| runtime.block_on(compare(&databases, &case)));
    runtime.block_on(close(databases));
    result.unwrap_or_else(|failure| panic!("{failure}"));
}

async fn compare(databases: &[Database], case: &Case) -> Result<(), TestCaseError> {
    let idents = FIELDS.map(|(name, _)| Ident::fixed(name));
    let columns = FIELDS.iter().zip(&idents);
    let columns: Vec<_> = columns
        .map(|((key, kind), column)| Projected {
            key,
            column,
            kind: *kind,
            computed: None,
        })
        .collect();
    for Database { db, .. } in databases {
        fill(db, &case.rows).await.unwrap();
        let mut sql = db.sql();
        sql.push("SELECT ")
            .document("r", &columns, AccountName::Null);
        for (row, doc) in case
            .rows
            .iter()
            .zip(db.docs(from_table(sql)).await.unwrap())
        {
            let doc: BTreeMap<String, &RawValue> = serde_json::from_str(&doc).unwrap();
            for (name, kind) in FIELDS {
                let (before, after) = (&row[name], doc[name].get());
                let alike = match kind {
                    // Far from 1, SQLite's own conversion to text is not exact to the last digit.
                    ColumnKind::Number if before.as_f64().is_some_and(|n| !usable(n)) => true,
                    ColumnKind::Number => before.as_f64() == after.parse().ok(),
                    _ => serde_json::from_str::<Value>(after).unwrap() == *before,
                };
                if !alike {
                    let db = db.dialect().name();
                    return Err(TestCaseError::fail(format!(
                        "{db}, {name}: {before} became {after}"
                    )));
                }
            }
        }
    }
    Ok(())
}
