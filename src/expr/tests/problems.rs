//! Problems name the place and the remedy; nothing makes the compiler panic.

use proptest::prelude::*;

use super::{filter, rule};

#[test]
fn positions_and_messages() {
    for (source, position, part) in [
        ("", 0, "missing"),
        ("   ", 3, "missing"),
        ("t == 'a'", 2, "single ="),
        ("t <> 'a'", 2, "!="),
        ("t = 'a' and n = 1", 8, "&&"),
        ("(t = 'a' or n = 1)", 9, "||"),
        ("t like 'x'", 2, "~"),
        ("NOT b", 0, "!"),
        ("b NOT", 2, "IS NOT NULL"),
        ("n = 1 = 2", 6, "chained"),
        ("(n = 1", 6, "closing )"),
        ("n = 1)", 5, "closes nothing"),
        ("n IN ()", 6, "belongs here"),
        ("n IN 1", 5, "parentheses"),
        ("n IS 1", 5, "NULL"),
        ("n = .5", 4, "before its dot"),
        ("1.5.2 > n", 3, "one dot"),
        ("n = ", 4, "too early"),
        ("t = 'äöü' & b", 10, "&&"),
        ("t = 'äöü", 4, "closing '"),
        ("t = 'ä\0'", 6, "U+0000"),
        ("t = 'ä' && $", 11, "unexpected character '$'"),
        ("t = 'ä' && zzz = 1", 11, "no field `zzz`"),
        ("b && a.b = 1", 5, "other collections"),
        ("b && t.a = 1", 5, "no document"),
        ("b && j..a = 1", 5, "single dots"),
        ("b && j.a. = 1", 5, "single dots"),
        ("b && j.a = j.b", 9, "a text, a number or a boolean"),
        ("j.a > d", 4, "the date or time `d`"),
        ("j.a > true", 4, "a boolean"),
        ("j = j.a", 2, "IS NULL"),
        ("coalesce(j.a, j.b) = 1", 0, "type is known"),
        ("date_diff(j.a, d, 'days') > 1", 10, "a date or time"),
        ("b > true", 2, "the boolean `b`"),
        ("b && r > 'a'", 7, "=, !=, IN"),
        ("j = 'x'", 2, "IS NULL"),
        ("n IN (1, true)", 9, "boolean"),
        ("d = 'soon'", 4, "YYYY-MM-DD"),
        ("'soon' < d", 0, "YYYY-MM-DD"),
        ("d IN ('2024-01-01', 'soon')", 20, "YYYY-MM-DD"),
        ("n + t > 1", 2, "the text `t`"),
        ("-t > 1", 0, "numbers"),
        ("b && reverse(t) = 'A'", 5, "reverse"),
        ("b && t", 5, "no condition"),
        ("b && @request.auth.id = 'x'", 5, "filter"),
    ] {
        let problems = filter(source).unwrap_err();
        assert_eq!(problems[0].position, position, "{source}: {problems:?}");
        assert!(problems[0].message.contains(part), "{source}: {problems:?}");
    }
}

#[test]
fn problems_of_rules() {
    for (source, position, part) in [
        (
            "b && @request.auth.groups = 'x'",
            5,
            "id, email, role and account_id",
        ),
        ("b && @request.headers.x = 1", 5, "@request.headers.x"),
        ("b || @has_rol('x')", 5, "@has_role('name')"),
        ("@owns_record(zzz)", 13, "no field `zzz`"),
        ("@has_role(admin)", 10, "in quotes"),
        ("@request.data.zzz = 1", 0, "no field `zzz`"),
        ("b && @request.data.zzz:isset", 5, "no field `zzz`"),
        (
            "b && @request.data.t:isst",
            20,
            "there is no :isst; one can ask for :isset and :changed",
        ),
        ("b && @request.data.t: = true", 20, "there is no :;"),
        (
            "b && t:changed",
            5,
            ":isset and :changed follow @request.data.<field>",
        ),
        ("b && @request.auth.id:isset", 5, "no part of what is sent"),
        ("b && (t = 'x'):isset", 14, ":isset and :changed follow"),
        ("b && @request.data.full:changed", 5, "computed"),
        ("@request.data.t:changed > true", 24, "a boolean"),
    ] {
        let problems = rule(source).unwrap_err();
        assert_eq!(
            (problems.len(), problems[0].position),
            (1, position),
            "{source}: {problems:?}"
        );
        assert!(problems[0].message.contains(part), "{source}: {problems:?}");
    }
}

#[test]
fn every_problem_is_named() {
    let problems = rule("zzz = 1 && (b > true || @unknown) && yyy + xxx = 1").unwrap_err();
    assert_eq!(
        problems.iter().map(|p| p.position).collect::<Vec<_>>(),
        [0, 14, 24, 37, 43]
    );
}

#[test]
fn deep_and_long_expressions_are_refused() {
    let deep = |open: &str, close: &str| format!("{}b{}", open.repeat(5_000), close.repeat(5_000));
    for source in [
        deep("(", ")"),
        deep("!", ""),
        format!("{}1 = 1", "-".repeat(10_000)),
        format!("{}1{} = 1", "-(".repeat(3_000), ")".repeat(3_000)),
        deep("f(", ")"),
        "(".repeat(15_000),
        format!("n IN ({}1)", "1, ".repeat(5_000)),
        format!("1{} = 1", "+1".repeat(5_000)),
        format!("b{}", " && b".repeat(3_000)),
        format!("t = '{}'", "a".repeat(20_000)),
        format!("n{} = 1", " % n".repeat(3)).replace('n', "(n % n % n % n % n % n % n % n)"),
        format!("n{} = 1", " * n".repeat(6)),
        format!("{} = n", "9".repeat(400)),
        format!("0.{}1 * n = 1", "0".repeat(290)),
    ] {
        assert!(filter(&source).is_err(), "{}", &source[..40]);
    }
}

#[test]
fn expressions_at_the_limits_are_accepted() {
    for source in [
        format!("{}b{}", "(".repeat(64), ")".repeat(64)),
        format!("{}b", "!".repeat(64)),
        format!("{}1 = 1", "- ".repeat(64)),
        format!("n IN ({}1)", "1, ".repeat(490)),
        format!("1{} = 1", "+1".repeat(240)),
        format!("b{}", " && b".repeat(490)),
        format!("n{} = 1", " * n".repeat(5)),
        format!("n{} = 1", " + n".repeat(240)),
    ] {
        assert!(
            filter(&source).is_ok(),
            "{}: {:?}",
            &source[..40],
            filter(&source).err()
        );
    }
}

#[test]
fn patterns_are_bounded() {
    let long = |chars: usize| format!("t ~ '%{}'", "ä".repeat(chars - 1));
    assert!(rule(&long(1_000)).is_ok());
    let problem = rule(&long(1_001)).unwrap_err().remove(0);
    assert_eq!(
        (
            problem.position,
            problem.message.contains("1000 characters")
        ),
        (4, true),
        "{problem:?}"
    );
    let many = |count: usize| vec![long(1_000); count].join(" || ");
    assert!(filter(&many(4)).is_ok() && rule(&many(5)).is_ok());
    let problem = filter(&format!("{} || t ~ 'x'", many(4)))
        .unwrap_err()
        .remove(0);
    assert!(problem.message.contains("4000 characters"), "{problem:?}");
    assert!(filter("t ~ u || t ~ u || t ~ u || t ~ u || t ~ u").is_err());
}

proptest! {
    #[test]
    fn arbitrary_text_does_not_panic(source in "\\PC*") {
        let _ = rule(&source);
    }

    #[test]
    fn arbitrary_tokens_do_not_panic(tokens in prop::collection::vec(prop::sample::select(vec![
        "n", "t", "b", "j", "d", "'x'", "'2024-01-01'", "1", "5.", "(", ")", ",", "&&", "||", "!", "=", "!=", "<",
        "~", "+", "-", "*", "/", "%", " IN ", " IS ", " NOT ", "NULL", " true ", "@owns_record", "@request.auth.id",
        "@request.data.n", ":isset", ":", "é", "'", "\\", "zzz", " ",
    ]), 0..30)) {
        let source = tokens.concat();
        if let Err(problems) = rule(&source) {
            prop_assert!(!problems.is_empty());
            prop_assert!(problems.iter().all(|problem| problem.position <= source.chars().count()));
        }
    }
}
