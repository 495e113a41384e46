//! Random conditions with functions, of fields and literals only.

use proptest::prelude::*;
use proptest::sample::select;

use super::strategies::{date_time, field, number_literal, quoted, text as any_text};

type Source = BoxedStrategy<String>;

fn call(name: &'static str, args: &[Source]) -> Source {
    let name = Just(name.to_owned());
    match args {
        [a] => (name, a.clone())
            .prop_map(|(f, a)| format!("{f}({a})"))
            .boxed(),
        [a, b] => (name, a.clone(), b.clone())
            .prop_map(|(f, a, b)| format!("{f}({a}, {b})"))
            .boxed(),
        [a, b, c] => (name, a.clone(), b.clone(), c.clone())
            .prop_map(|(f, a, b, c)| format!("{f}({a}, {b}, {c})"))
            .boxed(),
        _ => name.prop_map(|f| format!("{f}()")).boxed(),
    }
}

/// `if`, `coalesce` and `nullif` of one type.
fn picked(depth: u32, value: &Source) -> Source {
    let condition = condition(depth.saturating_sub(1));
    let maybe = prop_oneof![5 => value.clone(), 1 => Just("null".to_owned())].boxed();
    prop_oneof![
        call("if", &[condition, maybe, value.clone()]),
        call("coalesce", &[value.clone(), value.clone()]),
        call("coalesce", &[value.clone(), value.clone(), value.clone()]),
        call("nullif", &[value.clone(), value.clone()]),
    ]
    .boxed()
}

fn leaf_text() -> Source {
    prop_oneof![
        3 => field(&["t", "u", "id", "created_by", "r", "full", "j.a"]),
        1 => any_text().prop_map(|text| quoted(&text)),
        1 => any_text().prop_map(|text| quoted(&format!(" {text}$log$ "))),
    ]
    .boxed()
}

fn text(depth: u32) -> Source {
    let leaf = leaf_text();
    if depth == 0 {
        return leaf;
    }
    let inner = text(depth - 1);
    let whole = |from: u32| (from..6).prop_map(|n| n.to_string()).boxed();
    prop_oneof![
        2 => leaf,
        2 => call("concat", &[inner.clone(), inner.clone()]),
        1 => call("concat", &[inner.clone(), leaf_text(), inner.clone()]),
        1 => call("upper", std::slice::from_ref(&inner)),
        1 => call("lower", std::slice::from_ref(&inner)),
        1 => call("trim", std::slice::from_ref(&inner)),
        1 => call("substring", &[inner.clone(), whole(1)]),
        1 => call("substring", &[inner.clone(), whole(1), whole(0)]),
        1 => picked(depth - 1, &inner),
    ]
    .boxed()
}

fn unit() -> Source {
    select(vec![
        "'seconds'",
        "'minutes'",
        "'hours'",
        "'days'",
        "'months'",
        "'years'",
    ])
    .prop_map(str::to_owned)
    .boxed()
}

fn number(depth: u32) -> Source {
    let leaf = prop_oneof![2 => field(&["n", "m", "j.b.c"]), 1 => number_literal()].boxed();
    if depth == 0 {
        return leaf;
    }
    let inner = number(depth - 1);
    let digits = (0..4_u32).prop_map(|n| n.to_string()).boxed();
    let arithmetic = (
        inner.clone(),
        select(vec!["+", "-", "*", "/", "%"]),
        inner.clone(),
    );
    prop_oneof![
        2 => leaf,
        2 => arithmetic.prop_map(|(a, op, b)| format!("({a} {op} {b})")),
        1 => call("length", &[text(depth - 1)]),
        1 => call("abs", std::slice::from_ref(&inner)),
        1 => call("ceil", std::slice::from_ref(&inner)),
        1 => call("floor", std::slice::from_ref(&inner)),
        1 => call("round", std::slice::from_ref(&inner)),
        1 => call("round", &[inner.clone(), digits]),
        1 => call("date_diff", &[time(depth - 1), time(depth - 1), unit()]),
        1 => picked(depth - 1, &inner),
    ]
    .boxed()
}

fn time(depth: u32) -> Source {
    let fields = || field(&["d", "e", "day", "created_at"]);
    let leaf = prop_oneof![4 => fields(), 1 => date_time().prop_map(|time| quoted(&time))].boxed();
    if depth == 0 {
        return leaf;
    }
    let inner = prop_oneof![3 => fields(), 1 => time(depth - 1)].boxed();
    prop_oneof![
        2 => leaf,
        2 => call("date_add", &[time(depth - 1), number(depth - 1), unit()]),
        // One of them is a time for sure, so that a text is read as one.
        1 => call("coalesce", &[fields(), inner.clone()]),
        1 => call("nullif", &[fields(), inner.clone()]),
        1 => call("if", &[condition(depth - 1), fields(), inner]),
    ]
    .boxed()
}

pub fn condition(depth: u32) -> Source {
    let op = || select(vec!["=", "!=", "<", ">", "<=", ">="]);
    let join = |(a, op, b): (String, &str, String)| format!("{a} {op} {b}");
    let (deep, flat) = (depth.min(2), depth.min(1));
    let comparison = prop_oneof![
        3 => (number(deep), op(), number(flat)).prop_map(join),
        3 => (text(deep), op(), text(flat)).prop_map(join),
        1 => (text(flat), Just("~"), text(deep)).prop_map(join),
        3 => (time(deep), op(), field(&["d", "day", "created_at"])).prop_map(join),
        // The clock goes on between one answer and the next, so nothing else is asked of it.
        1 => (time(deep), select(vec!["<", ">"]), Just("now()".to_owned())).prop_map(join),
        1 => prop_oneof![text(deep), number(deep), call("date_add", &[time(flat), number(flat), unit()])]
            .prop_map(|a| format!("{a} IS NULL")),
        1 => (text(flat), prop::collection::vec(text(flat), 1..4))
            .prop_map(|(a, items)| format!("{a} IN ({})", items.join(", "))),
        1 => (number(flat), prop::collection::vec(number(flat), 1..4))
            .prop_map(|(a, items)| format!("{a} IN ({})", items.join(", "))),
        1 => (field(&["j"]), select(vec!["IS NULL", "IS NOT NULL", "= null"])).prop_map(|(a, test)| format!("{a} {test}")),
        1 => prop_oneof![field(&["b", "public"]), call("coalesce", &[field(&["b", "public"]), field(&["true", "false"])]), call("nullif", &[field(&["b", "public"]), field(&["b", "public", "true"])])],
    ]
    .boxed();
    if depth == 0 {
        return comparison;
    }
    let inner = condition(depth - 1);
    prop_oneof![
        4 => comparison,
        1 => (inner.clone(), select(vec!["&&", "||"]), inner.clone()).prop_map(|(a, op, b)| format!("(({a}) {op} ({b}))")),
        1 => inner.clone().prop_map(|a| format!("!({a})")),
        1 => call("if", &[inner.clone(), inner.clone(), inner]),
    ]
    .boxed()
}
