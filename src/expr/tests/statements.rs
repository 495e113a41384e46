//! The text of the SQL: qualified columns, bound values, and nothing that depends on them.

use serde_json::json;

use super::agreement::sent;
use super::{meaning, rule};
use crate::db::{Dialect, Sql};
use crate::expr::Auth;

fn text(source: &str, dialect: Dialect, auth: &Auth<'_>, data: bool) -> String {
    let data = data.then(meaning::data);
    let mut sql = Sql::new(dialect);
    rule(source)
        .unwrap()
        .write_sql(&mut sql, "r", auth, sent(data.as_ref()));
    sql.build().text().to_owned()
}

#[test]
fn columns_are_qualified_and_values_bound() {
    for (source, sqlite, postgres) in [
        (
            "public = true || created_by = @request.auth.id",
            r#"((r."public" = TRUE) OR (r."created_by" = ?))"#,
            r#"((r."public" = TRUE) OR (r."created_by" = $1::text))"#,
        ),
        (
            "n IN (1, 2) && !(t < 'x')",
            r#"((r."n" IN (?, ?)) AND (NOT (r."t" < ?)))"#,
            r#"((r."n" IN ($1::float8, $2::float8)) AND (NOT (r."t" < $3::text COLLATE "C")))"#,
        ),
        (
            "created_at >= '2024-01-01' && day < '2024-01-01'",
            r#"((r."created_at" >= ?) AND (r."day" < ?))"#,
            r#"((r."created_at" >= $1::timestamptz) AND (r."day" < $2::text))"#,
        ),
    ] {
        assert_eq!(
            text(source, Dialect::Sqlite, &Auth::default(), false),
            sqlite
        );
        assert_eq!(
            text(source, Dialect::Postgres, &Auth::default(), false),
            postgres
        );
    }
}

#[test]
fn the_text_is_the_same_for_every_caller_and_body() {
    let groups = ["g".to_owned()];
    for dialect in [Dialect::Sqlite, Dialect::Postgres] {
        for (source, _) in meaning::CASES {
            let known = text(source, dialect, &meaning::caller(&groups), true);
            assert_eq!(
                known,
                text(source, dialect, &Auth::default(), false),
                "{source}"
            );
        }
    }
}

#[test]
fn nothing_from_outside_becomes_sql() {
    let hostile = "x'; DROP TABLE users; --";
    let body = json!({"t": hostile});
    let auth = Auth {
        id: Some(hostile),
        ..Auth::default()
    };
    for dialect in [Dialect::Sqlite, Dialect::Postgres] {
        let mut sql = Sql::new(dialect);
        let source = r#"t = "x'; DROP TABLE users; --" || t ~ @request.data.t || t = @request.auth.id || @has_group("'")
            || @request.data.t:changed"#;
        rule(source)
            .unwrap()
            .write_sql(&mut sql, "r", &auth, sent(body.as_object()));
        assert!(!sql.build().text().contains("DROP"));
    }
}
