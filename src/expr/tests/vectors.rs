//! What is an expression and what is not.

use super::{filter, rule};
use crate::expr::{Predicate, Purpose};

fn accepted(sources: &[&str], compile: fn(&str) -> Result<Predicate, Vec<crate::expr::Problem>>) {
    for source in sources {
        if let Err(problems) = compile(source) {
            panic!("{source} is refused: {problems:?}");
        }
    }
}

fn refused(sources: &[&str], compile: fn(&str) -> Result<Predicate, Vec<crate::expr::Problem>>) {
    for source in sources {
        assert!(compile(source).is_err(), "{source} is accepted");
    }
}

const COMMON: [&str; 59] = [
    "t = 'a' && (n=1||b=true)",
    "n >= 1 || n <= 0 && b = true",
    "!(n = 1) && b",
    "t in ('a')",
    "t is not null",
    "t Is NuLl",
    "'a' = t",
    "n = t",
    r"t = 'it\'s'",
    r"t = 'c:\new'",
    r"t = 'a\\b'",
    r#"t = "dq""#,
    r#"t = "d\"q""#,
    "n > -5",
    "-n > 1",
    "n IN (-1,2)",
    "n + 1 > 2",
    "t = null",
    "null = t",
    "t != null",
    "null = null",
    "t IN (null)",
    "null IN (t)",
    "null IS NULL",
    "n = 5.",
    "n=1.50",
    "n - - 1 = 2",
    "n--1 = 2",
    "2 * (n + m) / 3 % 4 >= -n",
    "b && !public",
    "!b",
    "!!b",
    "!t = 'a'",
    "true",
    "FALSE",
    "1 = 1",
    "(n = 1) = b",
    "(n = 1) IS NULL",
    "(n = 1) = (m = 2)",
    "b = true",
    "true = b",
    "b != null",
    "r = 'x'",
    "'x' = r",
    "r IN ('x', t)",
    "r IS NULL",
    "j IS NOT NULL",
    "j = null",
    "d > '2024-01-01'",
    "d = '2024-01-01T10:00:00.123456+02:00'",
    "'2024-01-01 10:00' <= created_at",
    "d < e",
    "day = created_at",
    "day IN ('2024-01-01', d)",
    "'2024-01-01' IN (d, t)",
    "d = 5",
    "n = 'abc'",
    "id = 'x' && updated_by = account_id",
    "t ~ '%a_' && u ~ t",
];

const WRONG: [&str; 64] = [
    "t == 'a'",
    "t = 'a' and n = 1",
    "NOT b",
    "t LIKE 'x'",
    "n = 1 = 2",
    "n IN (1) IN (2)",
    "n IS NULL IS NULL",
    "(n = 1",
    "n = 1)",
    "n IN ()",
    "n IN 1",
    "n IN (1",
    "n IN (1,)",
    "n=.5",
    "1.5.2 > n",
    "n = 1e5",
    "n = 1 5",
    "b > true",
    "true < b",
    "b IN (true)",
    "j = 'x'",
    "'x' = j",
    "j = j",
    "j > null",
    "j IN ('x')",
    "t IN (j)",
    "j",
    "r > 'a'",
    "'a' > r",
    "r ~ 'a'",
    "t ~ r",
    "n ~ 'a'",
    "t ~ 5",
    "5 ~ t",
    "d ~ '2024%'",
    "created_at ~ 'x'",
    "a.b = 1",
    "zzz = 1",
    "T = 'a'",
    "d = 'yesterday'",
    "'2024-13-01' < d",
    "d IN ('2024-01-01', 'x')",
    "day = '2024-02-30'",
    "t + 1 = 2",
    "1 + t = 2",
    "t + 'a' = 'b'",
    "-t = 1",
    "-b = 1",
    "n + null = 1",
    "d - e > 1",
    "n & m",
    "b | b",
    "t = 'a",
    "t = 'a\\'",
    "t = \"a'",
    "t = 'a\0b'",
    "n = 1; n = 2",
    "n[1] = 2",
    "n = $1",
    "n = 1 -- x",
    "IS NULL",
    "",
    "   ",
    "d",
];

#[test]
fn filters() {
    accepted(&COMMON, filter);
    refused(&WRONG, filter);
    refused(
        &[
            "@request.auth.id = 'x'",
            "@request.data.t = 'x'",
            "@owns_record()",
            "@has_role('x')",
            "@is_public",
            "'x'",
            "t",
            "n",
            "n + 1",
            "b && t",
        ],
        filter,
    );
}

#[test]
fn rules() {
    accepted(&COMMON, rule);
    refused(&WRONG, rule);
    accepted(
        &[
            "created_by = @request.auth.id",
            "@request.auth.id",
            "@request.auth.id && b",
            "'x'",
            "n",
            "@request.data.t = 'x'",
            "@request.data.n + 1 > n",
            "@request.data.b",
            "@request.data.d < created_at",
            "@request.data.j IS NULL",
            "n IN (1, t)",
            "t IN (@request.auth.id)",
            "@owns_record",
            "@owns_record()",
            "@owns_record(t)",
            "@owns_record('t')",
            "@owns_record(\"r\")",
            "@is_creator",
            "@is_creator()",
            "@is_public",
            "@is_public()",
            "!@is_public || @has_role('admin') && !@has_group('a b')",
            "@has_group('x') = b",
        ],
        rule,
    );
    refused(
        &[
            "@request.auth.groups = 'x'",
            "@request.auth.Id = 'x'",
            "@request.headers.x = 1",
            "@request.data.zzz = 1",
            "@request.data.j = 'x'",
            "@request.data.r > 'x'",
            "@request.data = 1",
            "@request",
            "@",
            "@request.auth.id()",
            "@owns_record(zzz)",
            "@owns_record(1)",
            "@owns_record(t, u)",
            "@owns_record(j)",
            "@is_creator(t)",
            "@is_public(t)",
            "@has_role",
            "@has_role()",
            "@has_role(admin)",
            "@has_group('a', 'b')",
            "@unknown",
            "@unknown('x')",
        ],
        rule,
    );
}

#[test]
fn functions() {
    let good = [
        "upper(t) = 'A'",
        "UPPER(lower(trim(t))) != u",
        "now() > d",
        "concat(t, ' ', u) ~ 'a%'",
        "length(t) + 1 > n",
        "substring(t, 1) = 'a' || substring(t, 2, 3) = 'b'",
        "round(n / 3, 2) = 0.33 && abs(-n) = ceil(n) && floor(n) = round(n)",
        "if(n > 1 && t IS NOT NULL, n, null) = 2",
        "if(b, d, '2024-01-01') < now()",
        "if(b, public, false)",
        "coalesce(t, u, 'x') = 'x'",
        "coalesce(b, false)",
        "nullif(n, 0) IS NULL",
        "date_diff(d, '2024-01-01', 'days') >= 1",
        "date_add(day, n * 2, 'months') > created_at",
    ];
    accepted(&good, filter);
    for source in good {
        let compiled =
            crate::expr::Formula::compile(source, &super::Fields, crate::db::ColumnKind::Text);
        assert!(
            compiled.is_ok_and(|formula| formula.kind() == crate::db::ColumnKind::Boolean),
            "{source}"
        );
    }
    refused(&good, rule);
    refused(
        &[
            "reverse(t) = 'a'",
            "upper() = 'a'",
            "upper(t, u) = 'a'",
            "upper(n) = 'a'",
            "upper(null) = 'a'",
            "concat(t) = 'a'",
            "concat(t, n) = 'a'",
            "substring(t, 0) = 'a'",
            "substring(t, 1.5) = 'a'",
            "substring(t, n) = 'a'",
            "substring(t, 1, -1) = 'a'",
            "abs(t) = 1",
            "round(n, 11) = 1",
            "round(n, m) = 1",
            "if(n, 1, 2) = 1",
            "if(b, 1, 'a') = 1",
            "if(b, null, null) IS NULL",
            "if(b, j, j) IS NULL",
            "coalesce(t, null) = 'a'",
            "coalesce(t, n) = 'a'",
            "nullif(d, 'soon') IS NULL",
            "date_diff(d, t, 'days') = 1",
            "date_diff(d, e, 'weeks') = 1",
            "date_diff(d, e, t) = 1",
            "date_add(n, 1, 'days') = d",
            "date_add(d, t, 'days') = d",
            "now(1) = d",
            "now",
            "upper(t)",
        ],
        filter,
    );
    let joined = format!("concat({}t) = 'a'", "t, ".repeat(64));
    let nested = format!("{}t{} = 'a'", "concat(t, ".repeat(64), ")".repeat(64));
    refused(&[&joined, &nested], filter);
}

#[test]
fn computed_fields_have_a_type() {
    use crate::db::ColumnKind;
    for (source, kind) in [
        ("concat(t, u)", Some(ColumnKind::Text)),
        ("n * 2", Some(ColumnKind::Number)),
        ("n > 2", Some(ColumnKind::Boolean)),
        ("b && public", Some(ColumnKind::Boolean)),
        ("day", Some(ColumnKind::Timestamp)),
        ("r", Some(ColumnKind::Text)),
        ("j", None),
        ("null", None),
        ("@request.auth.id", None),
        ("@owns_record()", None),
        ("zzz", None),
        ("", None),
    ] {
        let compiled = crate::expr::Formula::compile(source, &super::Fields, ColumnKind::Text);
        assert_eq!(
            compiled.ok().map(|formula| formula.kind()),
            kind,
            "{source}"
        );
    }
    let deep = |levels: usize| format!("{}n{}", "abs(".repeat(levels), ")".repeat(levels));
    assert!(crate::expr::Formula::compile(&deep(24), &super::Fields, ColumnKind::Text).is_ok());
    assert!(crate::expr::Formula::compile(&deep(25), &super::Fields, ColumnKind::Text).is_err());
}

#[test]
fn a_computed_field_stands_for_its_expression() {
    let predicate = super::filter("full = 'A b' && later > created_at").unwrap();
    assert_eq!(
        predicate.fields().collect::<Vec<_>>(),
        ["created_at", "full", "later"]
    );
    assert!(!predicate.reads_clock() && super::filter("age > 1").unwrap().reads_clock());
    let record = serde_json::json!({"t": "a", "u": "b", "n": 1, "d": "2024-01-01", "created_at": "2024-01-01T12:00:00Z"});
    assert_eq!(
        predicate.eval(
            record.as_object().unwrap(),
            &crate::expr::Auth::default(),
            None
        ),
        Some(true)
    );
    assert!(rule("@request.data.full = 'x'").is_err());
    assert!(rule("full = @request.auth.id").is_ok());
}

#[test]
fn a_rule_without_a_body_has_no_data() {
    let compile =
        |source| Predicate::compile(source, &super::Fields, Purpose::Rule { data: false });
    assert!(compile("@request.auth.id = created_by").is_ok());
    assert!(compile("@request.data.t = 'x'").is_err());
}

#[test]
fn a_public_rule_needs_a_boolean_field() {
    struct None;
    impl crate::expr::Columns for None {
        fn column(&self, _: &str) -> Option<crate::expr::Column> {
            Option::None
        }
    }
    let problems = Predicate::compile("@is_public", &None, super::RULE).unwrap_err();
    assert!(problems[0].message.contains("`public`"), "{problems:?}");
}

#[test]
fn what_an_expression_reads() {
    let predicate = rule(
        "t = 'x' && (@owns_record(r) || @has_group('g') && @has_group('f') || -n > @request.data.m)",
    );
    let predicate = predicate.unwrap();
    assert_eq!(predicate.fields().collect::<Vec<_>>(), ["n", "r", "t"]);
    let reads = predicate.reads();
    assert!(reads.id && !reads.email && !reads.role && !reads.account_id);
    assert_eq!(reads.groups.iter().collect::<Vec<_>>(), ["f", "g"]);
    assert!(rule("t = 'x'").unwrap().reads().nothing());
}

#[test]
fn callers_who_differ_only_in_what_is_not_read_are_alike() {
    use crate::expr::Auth;
    let predicate = rule("@owns_record || @has_group('g')").unwrap();
    let groups = ["g".to_owned(), "h".to_owned()];
    let one = Auth {
        id: Some("1"),
        role: Some("admin"),
        groups: &groups,
        ..Auth::default()
    };
    let same = Auth {
        id: Some("1"),
        email: Some("x"),
        groups: &groups[..1],
        ..Auth::default()
    };
    assert_eq!(predicate.caller_key(&one), predicate.caller_key(&same));
    for other in [
        Auth {
            id: Some("2"),
            ..one
        },
        Auth { id: None, ..one },
        Auth {
            id: Some(""),
            ..one
        },
        Auth {
            groups: &groups[1..],
            ..one
        },
    ] {
        assert_ne!(predicate.caller_key(&one), predicate.caller_key(&other));
    }
}

#[test]
fn a_field_that_must_equal_an_attribute() {
    use crate::expr::Attribute;
    for (source, expected) in [
        ("@owns_record", Some(("created_by", Attribute::Id))),
        (
            "b && (n = 1 && @request.auth.role = t)",
            Some(("t", Attribute::Role)),
        ),
        ("b || @owns_record", None),
        ("!@owns_record", None),
        ("created_by != @request.auth.id", None),
    ] {
        assert_eq!(rule(source).unwrap().caller_match(), expected, "{source}");
    }
}
