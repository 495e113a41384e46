//! The two backends agree: every expression has the same answer on SQLite, on PostgreSQL and in
//! memory.
//!
//! A case is one random expression against one random row, asked of all three.
//! `SNACKBASE_AGREEMENT_CASES` sets how many there are; many share a statement, so that a hundred
//! thousand take seconds.

use std::cell::Cell;

use proptest::test_runner::{Config, TestCaseError, TestRunner};
use serde_json::{Map, Value};

use super::databases::{Database, all};
use super::strategies::{Case, case};
use super::{FIELDS, meaning, rule};
use crate::db::{Batch, ColumnKind, Computed as _, Db, Ident, Kind, Sql, Stmt, Value as Bound};
use crate::expr::{Auth, Predicate, Sent, parse_instant};

const TABLE: &str = "agreement";
/// How many expressions are compared, times rows, unless the environment says otherwise.
const CASES: usize = 100_000;
const POSTGRES: &str = include_str!("../../../migrations/postgres/0005_schema.sql");

type Body = Map<String, Value>;
type Write<'a> = Box<dyn Fn(&mut Sql) + 'a>;

#[test]
fn written_down_answers_hold_everywhere() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let groups = ["g".to_owned()];
        let (auth, data) = (meaning::caller(&groups), meaning::data());
        let predicates: Vec<_> = meaning::CASES
            .iter()
            .map(|(source, _)| rule(source).expect(source))
            .collect();
        let databases = prepared().await;
        for database in &databases {
            fill(&database.db, &[meaning::record()]).await.unwrap();
            let answers = ask_each(&database.db, &predicates, &auth, Some(&data))
                .await
                .unwrap();
            for ((source, expected), answer) in meaning::CASES.iter().zip(&answers[0]) {
                assert_eq!(
                    answer,
                    expected,
                    "{source} on {}",
                    database.db.dialect().name()
                );
            }
        }
        for ((source, expected), predicate) in meaning::CASES.iter().zip(&predicates) {
            assert_eq!(
                predicate.eval(&meaning::record(), &auth, sent(Some(&data))),
                *expected,
                "{source} in memory"
            );
        }
        close(databases).await;
    });
}

#[test]
fn random_expressions_agree() {
    with_room(compare_many);
}

fn compare_many() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let databases = runtime.block_on(prepared());
    let wanted = std::env::var("SNACKBASE_AGREEMENT_CASES")
        .ok()
        .and_then(|cases| cases.parse().ok())
        .unwrap_or(CASES);
    let (compared, strategy) = (Cell::new(0), case());
    let once = Config {
        cases: 1,
        failure_persistence: None,
        max_global_rejects: 100_000,
        ..Config::default()
    };
    let mut runner = TestRunner::new(once.clone());
    let mut result = Ok(());
    while compared.get() < wanted && result.is_ok() {
        // A runner stops for good when it has had its cases; the next one goes on with its random
        // numbers.
        runner = TestRunner::new_with_rng(once.clone(), runner.new_rng());
        result = runner.run(&strategy, |case| {
            runtime.block_on(compare(&databases, &case))?;
            compared.set(compared.get() + case.size());
            Ok(())
        });
    }
    runtime.block_on(close(databases));
    result.unwrap_or_else(|failure| panic!("{failure}"));
}

/// A number that is written out means the same as one that is bound, however far from one and
/// however many digits.
#[test]
fn constants_are_read_back_as_they_were() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let databases = prepared().await;
        let known = [
            0.0,
            1.0,
            -2.5,
            0.1,
            1e15,
            1e22,
            1e23,
            1.5e308,
            1e300,
            1e-300,
            f64::MAX,
            f64::MIN_POSITIVE,
            5e-324,
        ];
        let powers = (-300..300).map(|exponent| 1.234_567_890_123_456_7 * 10_f64.powi(exponent));
        let numbers: Vec<f64> = known
            .into_iter()
            .chain(powers)
            .flat_map(|number| [number, -number])
            .collect();
        for Database { db, .. } in &databases {
            fill(db, &[meaning::record()]).await.unwrap();
            for some in numbers.chunks(100) {
                let equal = some.iter().map(|number| -> Write<'_> {
                    Box::new(|sql| {
                        sql.push("(")
                            .constant(&Bound::Real(*number))
                            .push(" = ")
                            .typed_arg(*number)
                            .push(")");
                    })
                });
                let answers = ask(db, &equal.collect::<Vec<_>>()).await.unwrap();
                for (number, answer) in some.iter().zip(&answers[0]) {
                    assert_eq!(*answer, Some(true), "{number:e} on {}", db.dialect().name());
                }
            }
        }
        close(databases).await;
    });
}

/// Expressions as large as they may be do not exceed a limit of a database.
#[test]
fn the_largest_expressions_run() {
    let sources = [
        format!("{}b{}", "(".repeat(64), ")".repeat(64)),
        format!("{}b", "!".repeat(64)),
        format!("{}n{} = n", "-(1 + ".repeat(31), ")".repeat(31)),
        format!("n IN ({}1)", "m, ".repeat(490)),
        format!("n IN ({}1)", "t, ".repeat(490)),
        format!("1{} = 1", "+1".repeat(240)),
        format!("n{} = 1", " + n".repeat(240)),
        format!("b{}", " && b".repeat(490)),
        format!("b{}", " || !b".repeat(160)),
        format!("{}b{}", "(n = 1) = (".repeat(60), ")".repeat(60)),
        format!("{}b{}", "!(n = 1 || ".repeat(31), ")".repeat(31)),
        format!("{}n{} = 1", "(".repeat(7), " % n)".repeat(7)),
        format!("t ~ '{}'", "%a".repeat(500)),
        format!("t ~ '%{}'", "_".repeat(999)),
    ];
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let databases = prepared().await;
        let mut record = meaning::record();
        record.insert("t".into(), Value::from("a".repeat(60_000)));
        for database in &databases {
            fill(&database.db, &[record.clone()]).await.unwrap();
            for source in &sources {
                let predicate =
                    rule(source).unwrap_or_else(|problems| panic!("{source}: {problems:?}"));
                let answers = ask_each(
                    &database.db,
                    std::slice::from_ref(&predicate),
                    &Auth::default(),
                    None,
                )
                .await;
                let answers = answers.unwrap_or_else(|error| panic!("{}: {error}", &source[..30]));
                assert_eq!(
                    answers[0][0],
                    predicate.eval(&record, &Auth::default(), None),
                    "{}",
                    &source[..30]
                );
            }
            for source in ["'x' ~ t", "t ~ @request.data.t"] {
                let answers = ask_each(
                    &database.db,
                    &[rule(source).unwrap()],
                    &Auth::default(),
                    Some(&record),
                )
                .await;
                assert_eq!(answers.unwrap()[0][0], None, "{source}");
                assert_eq!(
                    rule(source)
                        .unwrap()
                        .eval(&record, &Auth::default(), sent(Some(&record))),
                    None,
                    "{source}"
                );
            }
        }
        close(databases).await;
    });
}

async fn compare(databases: &[Database], case: &Case) -> Result<(), TestCaseError> {
    let Case {
        expressions,
        formulas,
        rows,
        caller,
        data,
    } = case;
    let auth = Auth {
        id: caller.id.as_deref(),
        email: caller.id.as_deref(),
        role: caller.role.as_deref(),
        account_id: None,
        groups: &caller.groups,
    };
    let fail = |text: String| TestCaseError::fail(text);
    for Database { db, .. } in databases {
        let name = db.dialect().name();
        fill(db, rows)
            .await
            .map_err(|error| fail(format!("{name}: {error}")))?;
        // Filters bind their values, computed fields write them out.
        let mut writers: Vec<Write<'_>> = Vec::new();
        for predicate in expressions
            .iter()
            .chain(formulas.iter().map(|(predicate, _)| predicate))
        {
            writers.push(Box::new(|sql| {
                predicate.write_sql(sql, "r", &auth, sent(data.as_ref()));
            }));
        }
        for (_, formula) in formulas {
            writers.push(Box::new(|sql| formula.write(sql, "r")));
        }
        let predicates = expressions
            .iter()
            .chain(formulas.iter().map(|(predicate, _)| predicate));
        let predicates: Vec<&Predicate> = predicates
            .chain(formulas.iter().map(|(predicate, _)| predicate))
            .collect();
        let answers = ask(db, &writers)
            .await
            .map_err(|error| fail(format!("{name}: {error}")))?;
        for ((row, answers), position) in rows.iter().zip(answers).zip(0..) {
            for (predicate, answer) in predicates.iter().zip(answers) {
                let expected = predicate.eval(row, &auth, sent(data.as_ref()));
                if answer != expected {
                    let source = predicate.source();
                    let text = format!(
                        "{source}\n{name}: {answer:?}, in memory: {expected:?}\nrow {position}: {row:?}"
                    );
                    return Err(fail(text));
                }
            }
        }
    }
    Ok(())
}

/// Runs a test that makes random expressions: without optimisation, that takes more stack than a
/// test's thread has.
pub fn with_room(test: fn()) {
    std::thread::Builder::new()
        .stack_size(32 << 20)
        .spawn(test)
        .unwrap()
        .join()
        .unwrap();
}

/// The databases with an empty table of all kinds of columns.
pub async fn prepared() -> Vec<Database> {
    let databases = all().await;
    for Database { db, .. } in &databases {
        let mut drop = db.sql();
        drop.push("DROP TABLE IF EXISTS ")
            .ident(&Ident::fixed(TABLE));
        let mut create = db.sql();
        create
            .push("CREATE TABLE ")
            .ident(&Ident::fixed(TABLE))
            .push(" (position BIGINT PRIMARY KEY, ");
        create.list(", ", FIELDS, |sql, (name, kind)| {
            let column_type = sql.dialect().column_type(kind);
            sql.ident(&Ident::fixed(name)).push(" ").push(column_type);
        });
        create.push(")");
        let mut batch = Batch::new().with(drop.build()).with(create.build());
        if db.dialect() == crate::db::Dialect::Postgres {
            // The tests' database has no tables of the system's; of what migrations make it needs
            // the function.
            let function = POSTGRES
                .find("CREATE OR REPLACE FUNCTION")
                .map(|start| &POSTGRES[start..]);
            batch = batch.with(Stmt::fixed(function.unwrap(), Vec::new()));
        }
        db.commit(batch).await.unwrap();
    }
    databases
}

pub async fn close(databases: Vec<Database>) {
    for Database { db, .. } in &databases {
        let mut drop = db.sql();
        drop.push("DROP TABLE ").ident(&Ident::fixed(TABLE));
        db.commit(Batch::new().with(drop.build())).await.unwrap();
        db.close().await;
    }
}

pub async fn fill(db: &Db, rows: &[Body]) -> Result<(), crate::db::CommitError> {
    let mut delete = db.sql();
    delete.push("DELETE FROM ").ident(&Ident::fixed(TABLE));
    let mut insert = db.sql();
    insert
        .push("INSERT INTO ")
        .ident(&Ident::fixed(TABLE))
        .push(" VALUES ");
    insert.list(", ", rows.iter().zip(0..), |sql, (row, position)| {
        sql.push("(").number(position);
        for (name, kind) in FIELDS {
            sql.push(", ")
                .arg(stored(kind, row.get(name).unwrap_or(&Value::Null)));
        }
        sql.push(")");
    });
    db.commit(Batch::new().with(delete.build()).with(insert.build()))
        .await
        .map(|_| ())
}

/// The value as the database keeps it.
fn stored(kind: ColumnKind, value: &Value) -> Bound {
    match kind {
        ColumnKind::Number => value.as_f64().map_or(Bound::Null(Kind::Real), Bound::Real),
        ColumnKind::Boolean => value.as_bool().map_or(Bound::Null(Kind::Bool), Bound::Bool),
        ColumnKind::Timestamp => Bound::time_or_null(value.as_str().and_then(parse_instant)),
        ColumnKind::Json if value.is_null() => Bound::Null(Kind::Json),
        ColumnKind::Json => Bound::Json(value.to_string()),
        _ => Bound::text_or_null(value.as_str()),
    }
}

/// A body that was sent to change a record.
pub fn sent(data: Option<&Body>) -> Option<Sent<'_>> {
    data.map(|values| Sent {
        values,
        is_new: false,
    })
}

/// The answers of all expressions for each row.
async fn ask(db: &Db, writers: &[Write<'_>]) -> Result<Vec<Vec<Option<bool>>>, crate::db::DbError> {
    let mut sql = db.sql();
    sql.push("SELECT ");
    sql.list(" || ", writers, |sql, write| {
        sql.push("coalesce(CAST(CAST(");
        write(sql);
        sql.push(" AS INTEGER) AS TEXT), '-')");
    });
    let rows = db.docs(from_table(sql)).await?;
    let answer = |c| match c {
        '0' => Some(false),
        '1' => Some(true),
        _ => None,
    };
    Ok(rows
        .iter()
        .map(|row| row.chars().map(answer).collect())
        .collect())
}

async fn ask_each(
    db: &Db,
    predicates: &[Predicate],
    auth: &Auth<'_>,
    data: Option<&Body>,
) -> Result<Vec<Vec<Option<bool>>>, crate::db::DbError> {
    let write = |predicate: &'_ Predicate| -> Write<'_> {
        let predicate = predicate.clone();
        Box::new(move |sql| predicate.write_sql(sql, "r", auth, sent(data)))
    };
    ask(db, &predicates.iter().map(write).collect::<Vec<_>>()).await
}

pub fn from_table(mut sql: Sql) -> Stmt {
    sql.push(" FROM ")
        .ident(&Ident::fixed(TABLE))
        .push(" r ORDER BY r.position");
    sql.build()
}
