//! Tests of the expression language as a whole.

mod agreement;
mod databases;
mod documents;
mod functions;
mod meaning;
mod problems;
mod statements;
mod strategies;
mod vectors;

use std::sync::Arc;

use super::{Column, Columns, Formula, Predicate, Problem, Purpose};
use crate::db::{ColumnKind, Ident};

/// The fields of the tests' collection.
pub const FIELDS: [(&str, ColumnKind); 16] = [
    ("id", ColumnKind::Text),
    ("account_id", ColumnKind::Text),
    ("created_by", ColumnKind::Text),
    ("updated_by", ColumnKind::Text),
    ("created_at", ColumnKind::Timestamp),
    ("n", ColumnKind::Number),
    ("m", ColumnKind::Number),
    ("t", ColumnKind::Text),
    ("u", ColumnKind::Text),
    ("b", ColumnKind::Boolean),
    ("public", ColumnKind::Boolean),
    ("j", ColumnKind::Json),
    ("r", ColumnKind::Reference),
    ("d", ColumnKind::DateTime),
    ("e", ColumnKind::DateTime),
    ("day", ColumnKind::Date),
];

pub struct Fields;

impl Columns for Fields {
    fn column(&self, name: &str) -> Option<Column> {
        let formula = match name {
            "full" => "concat(upper(t), ' ', u)",
            "later" => "date_add(d, n, 'days')",
            "age" => "date_diff(now(), d, 'years')",
            "length" => "length(concat('ä', t, '日本', trim('  x ')))",
            "first" => "lower(substring(t, 2, 2))",
            "rounded" => "round(n / 3, 2)",
            "negative" => "round(-2.5)",
            "hours" => {
                "date_diff('2024-05-01T12:30:00.1219Z', date_add(d, -0.0014, 'seconds'), 'hours')"
            }
            "never" => "date_add(d, 10000, 'years')",
            "either" => "coalesce(nullif(n, 8), m)",
            "chosen" => "if(m > 1, public, b)",
            "city" => "upper(j.b.c)",
            "filled" => "coalesce(j.a, j.nothing, j.b.c, '')",
            "dollars" => "concat('a$log$', 'b$')",
            _ => "",
        };
        if !formula.is_empty() {
            let computed = Some(Arc::new(
                Formula::compile(formula, self, ColumnKind::Text).ok()?,
            ));
            return Some(Column {
                computed,
                ..Column::stored(Ident::of(name)?, ColumnKind::Text)
            });
        }
        let (name, kind) = FIELDS.iter().find(|(field, _)| *field == name)?;
        Some(Column::stored(Ident::of(name)?, *kind))
    }
}

pub const RULE: Purpose = Purpose::Rule { data: true };

pub fn filter(source: &str) -> Result<Predicate, Vec<Problem>> {
    Predicate::compile(source, &Fields, Purpose::Filter)
}

pub fn rule(source: &str) -> Result<Predicate, Vec<Problem>> {
    Predicate::compile(source, &Fields, RULE)
}
