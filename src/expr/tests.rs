//! Tests of the expression language as a whole.

mod agreement;
mod databases;
mod documents;
mod meaning;
mod problems;
mod statements;
mod strategies;
mod vectors;

use super::{Column, Columns, Predicate, Problem, Purpose};
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
        let (name, kind) = FIELDS.iter().find(|(field, _)| *field == name)?;
        Some(Column { ident: Ident::of(name)?, kind: *kind })
    }
}

pub const RULE: Purpose = Purpose::Rule { data: true };

pub fn filter(source: &str) -> Result<Predicate, Vec<Problem>> {
    Predicate::compile(source, &Fields, Purpose::Filter)
}

pub fn rule(source: &str) -> Result<Predicate, Vec<Problem>> {
    Predicate::compile(source, &Fields, RULE)
}
