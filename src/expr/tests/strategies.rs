//! Random expressions, most of them well typed, and random rows for them.

use std::sync::Arc;

use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::Union;
use serde_json::{Map, Value, json};

use super::{FIELDS, Fields, filter, functions, rule};
use crate::db::ColumnKind;
use crate::expr::{Formula, Predicate};

/// The caller of a case, owned.
#[derive(Clone, Debug)]
pub struct Caller {
    pub id: Option<String>,
    pub role: Option<String>,
    pub groups: Vec<String>,
}

/// Expressions, and everything that they are evaluated over.
#[derive(Clone, Debug)]
pub struct Case {
    pub expressions: Vec<Predicate>,
    /// Conditions with functions, as filters and as computed fields.
    pub formulas: Vec<(Predicate, Arc<Formula>)>,
    pub rows: Vec<Map<String, Value>>,
    pub caller: Caller,
    pub data: Option<Map<String, Value>>,
}

impl Case {
    /// How many answers it asks for: of every expression about every row.
    pub fn size(&self) -> usize {
        (self.expressions.len() + self.formulas.len()) * self.rows.len()
    }
}

/// At most, and half as many again with functions. Many share the costs of a statement.
const EXPRESSIONS_PER_CASE: usize = 80;
/// At most.
const ROWS_PER_CASE: usize = 50;

pub fn case() -> impl Strategy<Value = Case> {
    let expression =
        condition(4).prop_filter_map("too large a calculation", |source| rule(&source).ok());
    let formula = functions::condition(3).prop_filter_map("too large a calculation", |source| {
        Some((
            filter(&source).ok()?,
            Arc::new(Formula::compile(&source, &Fields, ColumnKind::Boolean).ok()?),
        ))
    });
    let caller = (
        option(text()),
        option(select(vec!["admin", "user", "A"])),
        0..3_usize,
    )
        .prop_map(|(id, role, n)| Caller {
            id,
            role: role.map(str::to_owned),
            groups: ["g", "it's", "h"][..n]
                .iter()
                .map(|g| (*g).into())
                .collect(),
        });
    (
        prop::collection::vec(expression, 1..=EXPRESSIONS_PER_CASE),
        prop::collection::vec(formula, 1..=EXPRESSIONS_PER_CASE / 2),
        prop::collection::vec(row(), 1..=ROWS_PER_CASE),
        caller,
        prop::option::of(body()),
    )
        .prop_map(|(expressions, formulas, rows, caller, data)| Case {
            expressions,
            formulas,
            rows,
            caller,
            data,
        })
}

fn option<T: std::fmt::Debug + Clone>(
    some: impl Strategy<Value = T>,
) -> impl Strategy<Value = Option<T>> {
    prop::option::weighted(0.8, some)
}

// Rows.

fn row() -> BoxedStrategy<Map<String, Value>> {
    let fields = FIELDS.map(|(name, kind)| match name {
        "id" | "created_by" => valid(kind)
            .prop_map(move |value| (name.to_owned(), value))
            .boxed(),
        _ => option(valid(kind))
            .prop_map(move |v| (name.to_owned(), v.unwrap_or(Value::Null)))
            .boxed(),
    });
    Vec::from(fields)
        .prop_map(|fields| fields.into_iter().collect())
        .boxed()
}

/// A request's body: values of any type, and missing ones.
fn body() -> BoxedStrategy<Map<String, Value>> {
    let anything = Union::new([
        valid(ColumnKind::Text).boxed(),
        valid(ColumnKind::Number).boxed(),
        valid(ColumnKind::Boolean).boxed(),
        Just(Value::Null).boxed(),
        Just(json!("a\0b")).boxed(),
        Just(json!([1, "a"])).boxed(),
        Just(json!({"a": null})).boxed(),
    ]);
    let fields = FIELDS.map(|(name, kind)| {
        option(prop_oneof![4 => valid(kind), 1 => anything.clone()])
            .prop_map(move |v| v.map(|v| (name.to_owned(), v)))
    });
    Vec::from(fields)
        .prop_map(|fields| fields.into_iter().flatten().collect())
        .boxed()
}

fn valid(kind: ColumnKind) -> BoxedStrategy<Value> {
    match kind {
        ColumnKind::Text | ColumnKind::Reference => text().prop_map(Value::from).boxed(),
        ColumnKind::Number => number().prop_map(Value::from).boxed(),
        ColumnKind::Boolean => any::<bool>().prop_map(Value::from).boxed(),
        ColumnKind::Timestamp => timestamp().prop_map(Value::from).boxed(),
        ColumnKind::DateTime => date_time().prop_map(Value::from).boxed(),
        ColumnKind::Date => day().prop_map(Value::from).boxed(),
        ColumnKind::Json | ColumnKind::Sealed => prop_oneof![
            1 => select(vec![json!([]), json!(["a"]), json!("x"), json!(0)]),
            4 => (part(), part()).prop_map(|(a, c)| json!({"a": a, "b": {"c": c}})),
        ]
        .boxed(),
    }
}

/// What stands in a document. Digits of a number are read by each database itself, which is exact
/// near 1 only.
fn part() -> BoxedStrategy<Value> {
    prop_oneof![
        2 => text().prop_map(Value::from),
        2 => number()
            .prop_filter("near 1", |n| *n == 0.0 || (1e-300..1e20).contains(&n.abs()) || n.abs() > 1e31)
            .prop_map(Value::from),
        1 => (-5..5_i32).prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
        1 => select(vec![Value::Null, json!([1]), json!({"a": "x"})]),
    ]
    .boxed()
}

pub fn text() -> BoxedStrategy<String> {
    let known = vec![
        "",
        " ",
        "a",
        "A",
        "b",
        "abc",
        "ABC",
        "aBc",
        "Äb",
        "äb",
        "äB",
        "%",
        "_",
        "a%",
        "a_c",
        "\\",
        "a\\b",
        "%\\%",
        "it's",
        "\"dq\"",
        "日本",
        "ß",
        "ẞ",
        "é",
        "e\u{301}",
        "İ",
        "i",
        "I",
        "K",
        "k",
        "😀",
        "ﬀ",
        "z",
        "Z",
        "~",
        "1",
        "0",
        "true",
        "null",
        "2024-01-01",
        "a\nb",
        "a\tb",
        "$1",
        "?",
        "admin",
        "a;--",
        "\u{ffff}",
        "\u{10ffff}",
    ];
    prop_oneof![
        3 => select(known).prop_map(str::to_owned),
        1 => "[a-cA-C%_é\\\\']{0,6}",
        1 => any::<String>().prop_map(|text| text.chars().filter(|c| *c != '\0').take(12).collect()),
    ]
    .boxed()
}

fn number() -> BoxedStrategy<f64> {
    let known = vec![
        0.0,
        -0.0,
        1.0,
        -1.0,
        2.0,
        3.0,
        4.0,
        7.0,
        -7.0,
        0.1,
        0.2,
        0.3,
        0.1 + 0.2,
        0.5,
        1.5,
        -2.5,
        1e15,
        1e15 + 0.5,
        1e16,
        9_007_199_254_740_991.0,
        9_007_199_254_740_992.0,
        9.2e18,
        9_223_372_036_854_775_807.0,
        -9_223_372_036_854_775_808.0,
        1e19,
        1e30,
        1.000_000_000_000_000_2e30,
        -1e30,
        1e31,
        1e-30,
        9.9e-31,
        1e-31,
        1e300,
        -1e300,
        1.5e308,
        5e-324,
        1e-320,
    ];
    prop_oneof![
        3 => select(known),
        1 => (-50..50_i32).prop_map(f64::from),
        1 => (-5000..5000_i32).prop_map(|n| f64::from(n) / 100.0),
        1 => any::<f64>().prop_filter("finite", |n| n.is_finite()),
        1 => -1e6..1e6,
    ]
    .boxed()
}

fn day() -> BoxedStrategy<String> {
    let known = vec![
        "2024-01-01",
        "2024-01-01",
        "2024-01-01",
        "2024-01-02",
        "2023-12-31",
        "0001-01-01",
        "9999-12-31",
    ];
    let years = select(vec![1, 4, 999, 1900, 1970, 2000, 2024, 9999]);
    prop_oneof![
        3 => select(known).prop_map(str::to_owned),
        1 => (years, 1..=12, 1..=28).prop_map(|(y, m, d)| format!("{y:04}-{m:02}-{d:02}")),
    ]
    .boxed()
}

fn timestamp() -> BoxedStrategy<String> {
    let clock = select(vec![
        "00:00:00.000",
        "00:00:00.001",
        "10:00:00.123",
        "23:59:59.999",
    ]);
    (day(), clock)
        .prop_map(|(day, clock)| format!("{day}T{clock}Z"))
        .boxed()
}

pub fn date_time() -> BoxedStrategy<String> {
    let clock = select(vec!["00:00", "00:00:00", "10:00:00", "23:59:59"]);
    let fraction = select(vec![
        "",
        ".1",
        ".12",
        ".123",
        ".0005",
        ".9995",
        ".1234",
        ".123456",
        ".999999",
        ".1239999999",
        ".999999999",
        ".0",
        ".000",
    ]);
    let zone = select(vec![
        "", "Z", "+00:00", "-00:00", "+02:00", "-05:30", "+14:00", "-14:00",
    ]);
    let full = (day(), select(vec!["T", " "]), clock, fraction, zone).prop_filter_map(
        "no instant",
        |(d, t, c, f, z)| {
            let text = format!(
                "{d}{t}{c}{}{z}",
                if c.len() == 8 {
                    &f[..f.len().min(10)]
                } else {
                    ""
                }
            );
            crate::expr::parse_instant(&text).map(|_| text)
        },
    );
    prop_oneof![4 => full, 1 => day(), 1 => timestamp()].boxed()
}

// Expressions.

pub fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

pub fn field(names: &[&'static str]) -> BoxedStrategy<String> {
    select(names.to_vec()).prop_map(str::to_owned).boxed()
}

pub fn number_literal() -> BoxedStrategy<String> {
    number().prop_map(|n| format!("{n}")).boxed()
}

fn number_operand(depth: u32) -> BoxedStrategy<String> {
    let fields = field(&[
        "n",
        "m",
        "n",
        "m",
        "@request.data.n",
        "either",
        "rounded",
        "length",
        "j.a",
    ]);
    let leaf = prop_oneof![3 => fields, 2 => number_literal()].boxed();
    leaf.prop_recursive(depth, 12, 2, |inner| {
        let op = select(vec!["+", "-", "*", "/", "%"]);
        prop_oneof![
            4 => (inner.clone(), op, inner.clone()).prop_map(|(a, op, b)| format!("({a} {op} {b})")),
            1 => inner.prop_map(|a| format!("-{a}")),
        ]
    })
    .boxed()
}

fn text_operand() -> BoxedStrategy<String> {
    let callers = [
        "@request.auth.id",
        "@request.auth.role",
        "@request.auth.email",
        "@request.auth.account_id",
    ];
    prop_oneof![
        4 => field(&["t", "u", "id", "created_by", "updated_by", "@request.data.t", "@request.data.u"]),
        1 => field(&["full", "first", "dollars"]),
        1 => field(&callers),
        1 => field(&["j.a", "j.b.c", "j.b", "@request.data.j.a"]),
        3 => text().prop_map(|text| quoted(&text)),
    ]
    .boxed()
}

fn time_field() -> BoxedStrategy<String> {
    field(&[
        "d",
        "e",
        "day",
        "created_at",
        "@request.data.d",
        "@request.data.day",
        "@request.data.created_at",
        "later",
    ])
}

fn time_operand() -> BoxedStrategy<String> {
    prop_oneof![2 => time_field(), 1 => date_time().prop_map(|t| quoted(&t)), 1 => day().prop_map(|t| quoted(&t))]
        .boxed()
}

/// An operand of any type that equality accepts.
fn any_operand() -> BoxedStrategy<String> {
    prop_oneof![
        2 => number_operand(1),
        2 => text_operand(),
        1 => time_field(),
        1 => field(&["b", "public", "true", "false", "@request.data.b", "chosen", "r", "null"]),
    ]
    .boxed()
}

fn list(left: BoxedStrategy<String>, item: BoxedStrategy<String>) -> BoxedStrategy<String> {
    (left, prop::collection::vec(item, 1..5))
        .prop_map(|(a, items)| format!("{a} IN ({})", items.join(", ")))
        .boxed()
}

fn comparison() -> BoxedStrategy<String> {
    let op = || select(vec!["=", "!=", "<", ">", "<=", ">="]);
    let equality = || select(vec!["=", "!="]);
    let join = |(a, op, b): (String, &str, String)| format!("{a} {op} {b}");
    let not_boolean = || {
        prop_oneof![
            number_operand(0),
            text_operand(),
            time_field(),
            Just("null".to_owned())
        ]
        .boxed()
    };
    prop_oneof![
        4 => (number_operand(3), op(), number_operand(2)).prop_map(join),
        4 => (text_operand(), op(), text_operand()).prop_map(join),
        4 => (text_operand(), Just("~"), text_operand()).prop_map(join),
        4 => (time_field(), op(), time_operand()).prop_map(join),
        2 => (time_operand(), op(), time_field()).prop_map(join),
        2 => (any_operand(), equality(), any_operand()).prop_map(join),
        1 => (not_boolean(), op(), not_boolean()).prop_map(join),
        1 => (field(&["j", "@request.data.j", "t", "d", "b"]), equality(), Just("null".to_owned())).prop_map(join),
        1 => list(number_operand(1), not_boolean()),
        1 => list(text_operand(), not_boolean()),
        1 => list(time_field(), time_operand()),
        1 => list(field(&["r", "@request.data.r"]), text_operand()),
    ]
    .boxed()
}

fn condition(depth: u32) -> BoxedStrategy<String> {
    let null_test = (
        prop_oneof![
            any_operand(),
            field(&["j", "@request.data.j", "@request.data.day"])
        ],
        select(vec!["IS NULL", "is not null"]),
    );
    let sent = [
        "n",
        "t",
        "b",
        "d",
        "day",
        "r",
        "created_at",
        "j",
        "j.a",
        "j.b",
        "j.b.c",
        "id",
    ];
    let asked = (
        select(sent.to_vec()),
        select(vec![":isset", ":changed", " IS NULL", " != null"]),
    )
        .prop_map(|(name, question)| format!("@request.data.{name}{question}"));
    let macros = vec![
        "@owns_record",
        "@owns_record(t)",
        "@owns_record('n')",
        "@is_creator()",
        "@is_public",
        "@has_role('admin')",
        "@has_group('g')",
        "@has_group('it\\'s')",
    ];
    let bare = vec![
        "b",
        "public",
        "true",
        "false",
        "null",
        "t",
        "n",
        "@request.auth.id",
        "@request.data.b",
        "''",
        "m",
        "chosen",
        "full",
        "j.a",
    ];
    let leaf = prop_oneof![
        8 => comparison(),
        1 => null_test.prop_map(|(a, test)| format!("{a} {test}")),
        1 => asked,
        1 => select(macros).prop_map(str::to_owned),
        1 => select(bare).prop_map(str::to_owned),
    ]
    .boxed();
    leaf.prop_recursive(depth, 24, 3, |inner| {
        let several = || prop::collection::vec(inner.clone(), 2..4);
        prop_oneof![
            2 => several().prop_map(|parts| format!("({})", parts.join(" && "))),
            2 => several().prop_map(|parts| format!("({})", parts.join(" || "))),
            2 => inner.clone().prop_map(|a| format!("!({a})")),
            1 => (inner.clone(), select(vec!["=", "!="]), inner.clone())
                .prop_map(|(a, op, b)| format!("(({a}) {op} ({b}))")),
            1 => (inner.clone(), select(vec!["IS NULL", "IS NOT NULL", "= t", "!= n"]))
                .prop_map(|(a, test)| format!("(({a}) {test})")),
        ]
    })
    .boxed()
}
