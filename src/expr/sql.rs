//! Checked form to SQL.
//!
//! Every composite is parenthesised, every column qualified, every value bound.

mod sent;

use super::ast::{Arithmetic, Comparison, Question};
use super::eval::Scope;
use super::ir::{Condition, Field, Leaf, Number, Operand, Path, Pick, Query, Selected, Text, Time};
use super::query::Aggregate;
use crate::db::{ColumnKind, JsonPath, JsonType, Kind, Sql, Value};

/// The records that a stored macro reads.
const INNER: &str = "m";

/// Writes one expression; `scope` has no record, but the values that are bound.
pub(super) struct Writer<'a> {
    pub sql: &'a mut Sql,
    pub alias: &'static str,
    pub scope: Scope<'a>,
    /// Whether values are written out instead of bound: for statements that take no arguments.
    pub constants: bool,
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
            Condition::Flag(leaf) => match self.stored(leaf) {
                Some(field) => self.column(field),
                None => self.bind(
                    self.scope
                        .flag(leaf)
                        .map_or(Value::Null(Kind::Bool), Value::Bool),
                ),
            },
            Condition::PathFlag(path) => match self.stored_path(path) {
                Some(path) => {
                    self.sql.json_value_of(&path, JsonType::Boolean);
                }
                None => self.bind(
                    self.scope
                        .condition(condition)
                        .map_or(Value::Null(Kind::Bool), Value::Bool),
                ),
            },
            Condition::PathIs { path, kind } => match self.stored_path(path) {
                Some(path) => {
                    self.sql.json_is(&path, *kind);
                }
                None => self.bind(Value::Bool(self.scope.condition(condition) == Some(true))),
            },
            Condition::Asked {
                about,
                question: Question::Changed,
            } if self.scope.record.is_none() => {
                self.changed(about);
            }
            Condition::InGroup(_) | Condition::Asked { .. } => {
                self.bind(Value::Bool(self.scope.condition(condition) == Some(true)));
            }
            Condition::Missing { .. } => {
                self.bind(
                    self.scope
                        .condition(condition)
                        .map_or(Value::Null(Kind::Bool), Value::Bool),
                );
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
                let as_days = self.are_days(std::iter::once(left).chain(options));
                self.sql.push("(");
                self.operand(left, as_days);
                self.sql.push(" IN (");
                self.list(", ", options, |writer, option| {
                    writer.operand(option, as_days);
                });
                self.sql.push("))");
            }
            Condition::Mixed { answer, operands } => {
                self.sql.push("CASE WHEN ");
                self.list(" OR ", operands, |writer, operand| {
                    writer.is_null(operand, false);
                });
                self.sql.push(if *answer {
                    " THEN NULL ELSE TRUE END"
                } else {
                    " THEN NULL ELSE FALSE END"
                });
            }
            Condition::Pick(pick) => self.pick(pick, Self::condition),
            Condition::Query(query) => self.query(query),
        }
    }

    fn list<T>(
        &mut self,
        separator: &'static str,
        items: &'a [T],
        mut each: impl FnMut(&mut Self, &'a T),
    ) {
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
        let as_days = self.are_days([left, right].into_iter());
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
        let Self {
            alias,
            scope,
            constants,
            ..
        } = *self;
        let writer = |sql: &mut Sql, text: &'a Text| {
            Writer {
                sql,
                alias,
                scope,
                constants,
            }
            .text(text);
        };
        let is_bound = match pattern {
            Text::Literal(_) | Text::Caller(_) => true,
            Text::Leaf(leaf) | Text::Path(Path { leaf, .. }) => self.stored(leaf).is_none(),
            _ => false,
        };
        if is_bound {
            let bind = |sql: &mut Sql, pattern| {
                Writer {
                    sql,
                    alias,
                    scope,
                    constants,
                }
                .bind(Value::text_or_null(pattern));
            };
            self.sql.like_known(
                |sql| writer(sql, text),
                scope.text(pattern).as_deref(),
                bind,
            );
        } else {
            self.sql
                .like_stored(|sql| writer(sql, text), |sql| writer(sql, pattern));
        }
    }

    /// The field whose column a leaf is; `None` if its value is known and bound.
    fn stored(&self, leaf: &'a Leaf) -> Option<&'a Field> {
        match leaf {
            Leaf::Field(field) if field.inner || self.scope.record.is_none() => Some(field),
            Leaf::Field(_) | Leaf::Data(_) => None,
        }
    }

    /// The same for a part of a document.
    fn stored_path(&self, path: &'a Path) -> Option<JsonPath<'a>> {
        let field = self.stored(&path.leaf)?;
        let (alias, column) = (self.alias_of(field), &field.ident);
        Some(JsonPath {
            alias,
            column,
            keys: &path.keys,
            constants: self.constants,
        })
    }

    fn column(&mut self, field: &Field) {
        self.sql.column(self.alias_of(field), &field.ident);
    }

    fn alias_of(&self, field: &Field) -> &'static str {
        if field.inner { INNER } else { self.alias }
    }

    /// One value out of another collection's records of the caller's account.
    fn query(&mut self, query: &'a Query) {
        self.sql.push("(SELECT ");
        match &query.item {
            Selected::Count => {
                self.sql.real_count(|sql| {
                    sql.push("*");
                });
            }
            Selected::Aggregate(Aggregate::Count, operand) => {
                let Self {
                    alias,
                    scope,
                    constants,
                    ..
                } = *self;
                self.sql.real_count(|sql| {
                    Writer {
                        sql,
                        alias,
                        scope,
                        constants,
                    }
                    .value(operand);
                });
            }
            Selected::Aggregate(function, operand) => {
                self.sql.push(match function {
                    Aggregate::Sum => "sum(",
                    Aggregate::Average => "avg(",
                    Aggregate::Min => "min(",
                    Aggregate::Max | Aggregate::Count => "max(",
                });
                self.value(operand);
                if let Operand::Text(_) = operand {
                    self.sql.bytewise();
                }
                self.sql.push(")");
            }
            Selected::First(operand) => self.value(operand),
        }
        self.sql
            .push(" FROM ")
            .fragment(&query.source)
            .push(" m WHERE m.account_id = ");
        self.bind(Value::text_or_null(self.scope.auth.account_id));
        if let Some(condition) = &query.condition {
            self.sql.push(" AND ");
            self.condition(condition);
        }
        if let Selected::First(_) = query.item {
            self.sql.push(" ORDER BY m.created_at, m.id LIMIT 1");
        }
        self.sql.push(")");
    }

    /// A value from outside the database.
    fn bind(&mut self, value: Value) {
        if self.constants {
            self.sql.constant(&value);
        } else {
            self.sql.typed_arg(value);
        }
    }

    /// One of several values, each written by `each`.
    fn pick<T>(&mut self, pick: &'a Pick<T>, mut each: impl FnMut(&mut Self, &'a T)) {
        match pick {
            Pick::If {
                condition,
                then,
                otherwise,
            } => {
                self.sql.push("CASE WHEN ");
                self.condition(condition);
                for (word, part) in [(" THEN ", then), (" ELSE ", otherwise)] {
                    self.sql.push(word);
                    match part {
                        Some(part) => each(self, part),
                        None => {
                            self.sql.push("NULL");
                        }
                    }
                }
                self.sql.push(" END");
            }
            Pick::Coalesce(parts) => {
                self.sql.push("coalesce(");
                self.list(", ", parts, each);
                self.sql.push(")");
            }
            Pick::NullIf(left, right) => {
                self.sql.push("nullif(");
                each(self, left);
                self.sql.push(", ");
                each(self, right);
                self.sql.push(")");
            }
        }
    }

    fn is_null(&mut self, operand: &'a Operand, negated: bool) {
        match operand {
            Operand::Json(leaf) | Operand::Time(Time::Leaf(leaf)) => {
                match (self.stored(leaf), operand) {
                    (Some(field), _) => self.column(field),
                    // There is no operator that could give these a type on PostgreSQL, so the
                    // answer is bound.
                    (None, Operand::Json(_)) => {
                        self.bind(Value::Bool(self.scope.is_null(operand) != negated));
                        return;
                    }
                    (None, _) => self.operand(operand, false),
                }
            }
            Operand::Path(path) if self.stored_path(path).is_none() => {
                self.bind(Value::Bool(self.scope.is_null(operand) != negated));
                return;
            }
            other => self.operand(other, false),
        }
        self.sql
            .push(if negated { " IS NOT NULL" } else { " IS NULL" });
    }

    /// An operand on its own.
    pub fn value(&mut self, operand: &'a Operand) {
        self.operand(operand, false);
    }

    fn operand(&mut self, operand: &'a Operand, as_days: bool) {
        match operand {
            Operand::Text(text) => self.text(text),
            Operand::Number(number) => self.number(number),
            Operand::Bool(condition) => self.condition(condition),
            Operand::Time(time) => self.time(time, as_days),
            Operand::Json(leaf) => self.column(leaf.field()),
            Operand::Path(path) => match self.stored_path(path) {
                Some(path) => {
                    self.sql.json_type(&path);
                }
                None => self.bind(Value::text_or_null(
                    (!self.scope.is_null(operand)).then_some(""),
                )),
            },
        }
    }

    fn text(&mut self, text: &'a Text) {
        let Self {
            alias,
            scope,
            constants,
            ..
        } = *self;
        let inner = |text: &'a Text| {
            move |sql: &mut Sql| {
                Writer {
                    sql,
                    alias,
                    scope,
                    constants,
                }
                .text(text);
            }
        };
        match text {
            Text::Leaf(leaf) => match self.stored(leaf) {
                Some(field) => self.column(field),
                None => self.bind(Value::text_or_null(scope.text(text))),
            },
            Text::Path(path) => match self.stored_path(path) {
                Some(path) => {
                    self.sql.json_value_of(&path, JsonType::Text);
                }
                None => self.bind(Value::text_or_null(scope.text(text))),
            },
            Text::Literal(_) | Text::Caller(_) => self.bind(Value::text_or_null(scope.text(text))),
            Text::Query(query) => self.query(query),
            Text::Pick(pick) => self.pick(pick, Self::text),
            Text::Concat(parts) => {
                self.sql.push("(");
                self.list(" || ", parts, Self::text);
                self.sql.push(")");
            }
            Text::Case { upper, text } => {
                self.sql.ascii_case(*upper, inner(text));
            }
            Text::Trim(text) => {
                self.sql.trimmed(inner(text));
            }
            Text::Substring {
                text,
                start,
                length,
            } => {
                self.sql.push("substr(");
                self.text(text);
                self.sql.push(", ").number(i64::from(*start));
                if let Some(length) = length {
                    self.sql.push(", ").number(i64::from(*length));
                }
                self.sql.push(")");
            }
        }
    }

    fn number(&mut self, number: &'a Number) {
        let Self {
            alias,
            scope,
            constants,
            ..
        } = *self;
        match number {
            Number::Literal(value) => self.bind(Value::Real(*value)),
            Number::Query(query) => self.query(query),
            Number::Leaf(leaf) | Number::Factor(leaf) if self.stored(leaf).is_none() => {
                self.bind(
                    scope
                        .number(number)
                        .map_or(Value::Null(Kind::Real), Value::Real),
                );
            }
            Number::Path(path) => match self.stored_path(path) {
                Some(path) => {
                    self.sql.json_value_of(&path, JsonType::Number);
                }
                None => self.bind(
                    scope
                        .number(number)
                        .map_or(Value::Null(Kind::Real), Value::Real),
                ),
            },
            Number::Leaf(leaf) => self.column(leaf.field()),
            Number::Factor(leaf) => {
                let field = leaf.field();
                let alias = self.alias_of(field);
                self.sql
                    .push("CASE WHEN ")
                    .column(alias, &field.ident)
                    .push(" = 0 OR abs(");
                self.sql.real(|sql| {
                    sql.column(alias, &field.ident);
                });
                self.sql.push(") BETWEEN 1e-30 AND 1e30 THEN ");
                self.sql.real(|sql| {
                    sql.column(alias, &field.ident);
                });
                self.sql.push(" END");
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
            Number::Pick(pick) => self.pick(pick, Self::number),
            Number::Length(text) => {
                self.sql.characters(|sql| {
                    Writer {
                        sql,
                        alias,
                        scope,
                        constants,
                    }
                    .text(text);
                });
            }
            Number::Abs(inner) => {
                self.sql.push("abs(");
                self.number(inner);
                self.sql.push(")");
            }
            Number::Floor(inner) => {
                self.sql.floor(|sql| {
                    Writer {
                        sql,
                        alias,
                        scope,
                        constants,
                    }
                    .number(inner);
                });
            }
            Number::Millis(time) => {
                self.sql.millis(|sql| {
                    Writer {
                        sql,
                        alias,
                        scope,
                        constants,
                    }
                    .time(time, false);
                });
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
                let Self {
                    alias,
                    scope,
                    constants,
                    ..
                } = *self;
                self.sql.truncated(|sql| {
                    let mut writer = Writer {
                        sql,
                        alias,
                        scope,
                        constants,
                    };
                    writer.number(left);
                    writer.sql.push(" / ");
                    writer.divisor(right);
                });
                return;
            }
        };
        if op == Arithmetic::Divide {
            self.divisor(right);
        } else {
            self.number(right);
        }
    }

    /// NULL instead of zero.
    fn divisor(&mut self, number: &'a Number) {
        self.sql.push("NULLIF(");
        self.number(number);
        self.sql.push(", 0)");
    }

    fn time(&mut self, time: &'a Time, as_days: bool) {
        let Self {
            alias,
            scope,
            constants,
            ..
        } = *self;
        match time {
            Time::Leaf(leaf) => match self.stored(leaf) {
                Some(field) if as_days => self.column(field),
                Some(field) => {
                    let alias = self.alias_of(field);
                    self.sql.instant(field.kind, |sql| {
                        sql.column(alias, &field.ident);
                    });
                }
                None => self.bind(Value::time_or_null(scope.time(time))),
            },
            Time::Literal { day: Some(day), .. } if as_days => {
                self.bind(Value::Text(day.to_string()));
            }
            Time::Pick(pick) => self.pick(pick, |writer, part| writer.time(part, false)),
            Time::Now => {
                self.sql.present();
            }
            Time::OfMillis(number) => {
                self.sql.instant_of_millis(|sql| {
                    Writer {
                        sql,
                        alias,
                        scope,
                        constants,
                    }
                    .number(number);
                });
            }
            Time::Query(query) => self.query(query),
            Time::Literal { .. } => self.bind(Value::time_or_null(scope.time(time))),
        }
    }

    /// Whether all are days, so that their text form compares like they do (and an index on it
    /// helps).
    fn are_days<'o>(&self, operands: impl Iterator<Item = &'o Operand>) -> bool {
        let (mut all, mut has_column) = (self.scope.record.is_none(), false);
        for operand in operands {
            match operand {
                Operand::Time(Time::Literal { day: Some(_), .. }) => {}
                Operand::Time(Time::Leaf(Leaf::Field(field))) if field.kind == ColumnKind::Date => {
                    has_column = true;
                }
                _ => all = false,
            }
        }
        all && has_column
    }
}
