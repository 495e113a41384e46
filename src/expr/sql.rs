//! Checked form to SQL.
//!
//! Every composite is parenthesised, every column qualified, every value bound.

use super::ast::{Arithmetic, Comparison};
use super::eval::Scope;
use super::ir::{Condition, Leaf, Number, Operand, Text, Time};
use super::like::MAX_PATTERN;
use crate::db::{ColumnKind, Kind, Sql, Value};

/// Writes one expression; `scope` has no record, but the values that are bound.
pub(super) struct Writer<'a> {
    pub sql: &'a mut Sql,
    pub alias: &'static str,
    pub scope: Scope<'a>,
}

impl<'a> Writer<'a> {
    pub fn condition(&mut self, condition: &'a Condition) {
        match condition {
            Condition::Constant(truth) => {
                self.sql.push(match truth {
                    Some(true) => "TRUE",
                    Some(false) => "FALSE",
                    None => "CAST(NULL AS BOOLEAN)",
                });
            }
            Condition::Flag(Leaf::Field(field)) => {
                self.sql.column(self.alias, &field.ident);
            }
            Condition::Flag(leaf @ Leaf::Data(_)) => {
                self.sql.typed_arg(self.scope.flag(leaf).map_or(Value::Null(Kind::Bool), Value::Bool));
            }
            Condition::InGroup(_) => {
                self.sql.typed_arg(self.scope.condition(condition) == Some(true));
            }
            Condition::All(parts) => self.joined(" AND ", parts),
            Condition::Any(parts) => self.joined(" OR ", parts),
            Condition::Not(inner) => {
                self.sql.push("(NOT ");
                self.condition(inner);
                self.sql.push(")");
            }
            Condition::IsNull { operand, negated } => {
                self.sql.push("(");
                self.is_null(operand, *negated);
                self.sql.push(")");
            }
            Condition::Compare { op, left, right } => self.compare(*op, left, right),
            Condition::Like { text, pattern } => self.like(text, pattern),
            Condition::OneOf { left, options } => {
                let as_days = are_days(std::iter::once(left).chain(options));
                self.sql.push("(");
                self.operand(left, as_days);
                self.sql.push(" IN (");
                self.list(", ", options, |writer, option| writer.operand(option, as_days));
                self.sql.push("))");
            }
            Condition::Mixed { answer, operands } => {
                self.sql.push("CASE WHEN ");
                self.list(" OR ", operands, |writer, operand| writer.is_null(operand, false));
                self.sql.push(if *answer { " THEN NULL ELSE TRUE END" } else { " THEN NULL ELSE FALSE END" });
            }
        }
    }

    fn list<T>(&mut self, separator: &'static str, items: &'a [T], mut each: impl FnMut(&mut Self, &'a T)) {
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                self.sql.push(separator);
            }
            each(self, item);
        }
    }

    fn joined(&mut self, separator: &'static str, parts: &'a [Condition]) {
        self.sql.push("(");
        self.list(separator, parts, Self::condition);
        self.sql.push(")");
    }

    fn compare(&mut self, op: Comparison, left: &'a Operand, right: &'a Operand) {
        let as_days = are_days([left, right].into_iter());
        self.sql.push("(");
        self.operand(left, as_days);
        self.sql.push(match op {
            Comparison::Equal => " = ",
            Comparison::NotEqual => " <> ",
            Comparison::Less => " < ",
            Comparison::Greater => " > ",
            Comparison::LessOrEqual => " <= ",
            Comparison::GreaterOrEqual => " >= ",
            Comparison::Like => " LIKE ",
        });
        self.operand(right, as_days);
        if op.is_ordering() && matches!(right, Operand::Text(_)) {
            self.sql.bytewise();
        }
        self.sql.push(")");
    }

    fn like(&mut self, text: &'a Text, pattern: &'a Text) {
        let Self { alias, scope, .. } = *self;
        let operand = |text: &'a Text| move |sql: &mut Sql| Writer { sql, alias, scope }.text(text);
        if let Text::Leaf(Leaf::Field(_)) = pattern {
            // A pattern in the database is measured there.
            self.sql.like(operand(text), |sql| {
                sql.push("CASE WHEN octet_length(");
                operand(pattern)(sql);
                sql.push(") <= 50000 THEN ");
                operand(pattern)(sql);
                sql.push(" END");
            });
        } else {
            let pattern = scope.text(pattern).filter(|pattern| pattern.len() <= MAX_PATTERN);
            self.sql.like(operand(text), |sql| {
                sql.typed_arg(Value::text_or_null(pattern));
            });
        }
    }

    fn is_null(&mut self, operand: &'a Operand, negated: bool) {
        match operand {
            // There is no operator that could give these a type on PostgreSQL, so the answer is bound.
            Operand::Json(Leaf::Data(_)) => {
                self.sql.typed_arg(self.scope.is_null(operand) != negated);
                return;
            }
            Operand::Json(Leaf::Field(field)) | Operand::Time(Time::Leaf(Leaf::Field(field))) => {
                self.sql.column(self.alias, &field.ident);
            }
            other => self.operand(other, false),
        }
        self.sql.push(if negated { " IS NOT NULL" } else { " IS NULL" });
    }

    fn operand(&mut self, operand: &'a Operand, as_days: bool) {
        match operand {
            Operand::Text(text) => self.text(text),
            Operand::Number(number) => self.number(number),
            Operand::Bool(condition) => self.condition(condition),
            Operand::Time(time) => self.time(time, as_days),
            Operand::Json(leaf) => {
                self.sql.column(self.alias, &leaf.field().ident);
            }
        }
    }

    fn text(&mut self, text: &'a Text) {
        match text {
            Text::Leaf(Leaf::Field(field)) => self.sql.column(self.alias, &field.ident),
            bound => self.sql.typed_arg(Value::text_or_null(self.scope.text(bound))),
        };
    }

    fn number(&mut self, number: &'a Number) {
        let alias = self.alias;
        match number {
            Number::Leaf(Leaf::Field(field)) => {
                self.sql.column(alias, &field.ident);
            }
            Number::Factor(Leaf::Field(field)) => {
                self.sql.push("CASE WHEN ").column(alias, &field.ident).push(" = 0 OR abs(");
                self.sql.real(|sql| {
                    sql.column(alias, &field.ident);
                });
                self.sql.push(") BETWEEN 1e-30 AND 1e30 THEN ");
                self.sql.real(|sql| {
                    sql.column(alias, &field.ident);
                });
                self.sql.push(" END");
            }
            Number::Literal(_) | Number::Leaf(_) | Number::Factor(_) => {
                self.sql.typed_arg(self.scope.number(number).map_or(Value::Null(Kind::Real), Value::Real));
            }
            Number::Negative(inner) => {
                self.sql.push("(- ");
                self.number(inner);
                self.sql.push(")");
            }
            Number::Binary { op, left, right } => {
                self.sql.push("(");
                self.arithmetic(*op, left, right);
                self.sql.push(")");
            }
        }
    }

    fn arithmetic(&mut self, op: Arithmetic, left: &'a Number, right: &'a Number) {
        self.number(left);
        match op {
            Arithmetic::Add => self.sql.push(" + "),
            Arithmetic::Subtract => self.sql.push(" - "),
            Arithmetic::Multiply => self.sql.push(" * "),
            Arithmetic::Divide => self.sql.push(" / "),
            Arithmetic::Remainder => {
                self.sql.push(" - ");
                self.divisor(right);
                self.sql.push(" * ");
                let Self { alias, scope, .. } = *self;
                self.sql.truncated(|sql| {
                    let mut writer = Writer { sql, alias, scope };
                    writer.number(left);
                    writer.sql.push(" / ");
                    writer.divisor(right);
                });
                return;
            }
        };
        if op == Arithmetic::Divide { self.divisor(right) } else { self.number(right) }
    }

    /// NULL instead of zero.
    fn divisor(&mut self, number: &'a Number) {
        self.sql.push("NULLIF(");
        self.number(number);
        self.sql.push(", 0)");
    }

    fn time(&mut self, time: &'a Time, as_days: bool) {
        let alias = self.alias;
        match time {
            Time::Leaf(Leaf::Field(field)) if as_days => {
                self.sql.column(alias, &field.ident);
            }
            Time::Leaf(Leaf::Field(field)) => {
                self.sql.instant(field.kind, |sql| {
                    sql.column(alias, &field.ident);
                });
            }
            Time::Literal { day: Some(day), .. } if as_days => {
                self.sql.typed_arg(Value::Text(day.to_string()));
            }
            bound => {
                self.sql.typed_arg(Value::time_or_null(self.scope.time(bound)));
            }
        }
    }
}

/// Whether all are days, so that their text form compares like they do (and an index on it helps).
fn are_days<'a>(operands: impl Iterator<Item = &'a Operand>) -> bool {
    let (mut all, mut has_column) = (true, false);
    for operand in operands {
        match operand {
            Operand::Time(Time::Literal { day: Some(_), .. }) => {}
            Operand::Time(Time::Leaf(Leaf::Field(field))) if field.kind == ColumnKind::Date => has_column = true,
            _ => all = false,
        }
    }
    all && has_column
}
