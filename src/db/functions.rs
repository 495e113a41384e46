//! Functions of the expression language in each dialect, and constants for statements that take no
//! arguments.

use std::fmt::Write as _;

use super::dialect::Dialect;
use super::sql::Sql;
use super::value::{Kind, Value, canonical_time};

impl Sql {
    /// Appends `text` with its ASCII letters in one case; other letters stay.
    pub fn ascii_case(&mut self, upper: bool, text: impl FnOnce(&mut Self)) -> &mut Self {
        self.push(if upper { "upper(" } else { "lower(" });
        text(self);
        self.bytewise().push(")")
    }

    /// Appends `text` without the spaces at its ends.
    pub fn trimmed(&mut self, text: impl FnOnce(&mut Self)) -> &mut Self {
        self.push(match self.dialect() {
            Dialect::Sqlite => "trim(",
            Dialect::Postgres => "btrim(",
        });
        text(self);
        self.push(")")
    }

    /// Appends the number of characters of `text`, as a double.
    pub fn characters(&mut self, text: impl FnOnce(&mut Self)) -> &mut Self {
        self.push("CAST(length(");
        text(self);
        self.push(match self.dialect() {
            Dialect::Sqlite => ") AS REAL)",
            Dialect::Postgres => ") AS float8)",
        })
    }

    /// Appends `count(…)` as a double.
    pub fn real_count(&mut self, counted: impl FnOnce(&mut Self)) -> &mut Self {
        self.push("CAST(count(");
        counted(self);
        self.push(match self.dialect() {
            Dialect::Sqlite => ") AS REAL)",
            Dialect::Postgres => ") AS float8)",
        })
    }

    /// Appends the largest whole number that is not larger than a double.
    pub fn floor(&mut self, number: impl FnOnce(&mut Self)) -> &mut Self {
        match self.dialect() {
            // SQLite is built without the function. From 2⁵² on every double is whole.
            Dialect::Sqlite => self.with_value(number, |sql| {
                sql.push(
                    "CASE WHEN abs(_v) < 4503599627370496.0 \
                     THEN CAST(CAST(_v AS INTEGER) - (_v < CAST(_v AS INTEGER)) AS REAL) ELSE _v END",
                );
            }),
            Dialect::Postgres => {
                self.push("floor(");
                number(self);
                self.push(")")
            }
        }
    }

    /// Appends an instant as milliseconds since 1970, as a double.
    pub fn millis(&mut self, instant: impl FnOnce(&mut Self)) -> &mut Self {
        match self.dialect() {
            Dialect::Sqlite => self.with_value(instant, |sql| {
                sql.push(
                    "CAST(strftime('%s', _v) AS REAL) * 1000 + CAST(substr(_v, 21, 3) AS REAL)",
                );
            }),
            Dialect::Postgres => {
                self.push("CAST(extract(epoch FROM ");
                instant(self);
                self.push(") * 1000 AS float8)")
            }
        }
    }

    /// Appends the instant of so many whole milliseconds since 1970; NULL outside the years 1 to 9999.
    pub fn instant_of_millis(&mut self, number: impl FnOnce(&mut Self)) -> &mut Self {
        let dialect = self.dialect();
        self.with_value(number, |sql| {
            sql.push("CASE WHEN _v BETWEEN -62135596800000 AND 253402300799999 THEN ");
            sql.push(match dialect {
                Dialect::Sqlite => {
                    "strftime('%Y-%m-%dT%H:%M:%S', (CAST(_v AS INTEGER) - (CAST(_v AS INTEGER) % 1000 + 1000) % 1000) \
                     / 1000, 'unixepoch') || format('.%03dZ', (CAST(_v AS INTEGER) % 1000 + 1000) % 1000)"
                }
                // Seconds and the rest apart: their products are exact. The limits keep the cast
                // from failing.
                Dialect::Postgres => {
                    "timestamptz '1970-01-01 00:00:00+00' \
                     + least(greatest(_v, -62135596800000), 253402300799999)::bigint / 1000 * interval '1 second' \
                     + least(greatest(_v, -62135596800000), 253402300799999)::bigint % 1000 \
                     * interval '1 millisecond'"
                }
            });
            sql.push(" END");
        })
    }

    /// Appends the present, to the millisecond.
    pub fn present(&mut self) -> &mut Self {
        self.push(match self.dialect() {
            Dialect::Sqlite => "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')",
            Dialect::Postgres => "date_trunc('milliseconds', now())",
        })
    }

    /// Appends a computed text, so that orders over it are byte by byte.
    pub fn computed_text(&mut self, text: impl FnOnce(&mut Self)) -> &mut Self {
        self.push("(");
        text(self);
        self.bytewise().push(")")
    }

    /// Appends a computed double as a column would hold it: whole ones as integers, and zero
    /// without a sign.
    pub fn as_stored_number(&mut self, number: impl FnOnce(&mut Self)) -> &mut Self {
        match self.dialect() {
            Dialect::Sqlite => self.with_value(number, |sql| {
                sql.push("CASE WHEN abs(_v) < 1e15 AND _v = CAST(_v AS INTEGER) THEN CAST(_v AS INTEGER) ELSE _v END");
            }),
            Dialect::Postgres => {
                self.push("(");
                number(self);
                self.push(" + 0)")
            }
        }
    }

    /// Appends what a computed double is in a JSON document: the same text that a stored number
    /// has, and null for NULL. The number is written once, so it must not be an aggregate.
    pub(super) fn json_of_double(&mut self, number: impl FnOnce(&mut Self)) -> &mut Self {
        match self.dialect() {
            Dialect::Sqlite => {
                self.push("json(");
                self.with_value(number, |sql| {
                    sql.push(
                        "CASE WHEN typeof(_v) <> 'real' THEN _v WHEN _v = CAST(_v AS INTEGER) THEN CAST(_v AS INTEGER) \
                         WHEN CAST(CAST(_v AS TEXT) AS REAL) <> _v THEN format('%!.17g', _v) ELSE _v END",
                    );
                });
                self.push(")")
            }
            Dialect::Postgres => self.with_value(number, |sql| {
                sql.push(
                    "CASE WHEN _v >= -9223372036854775808::float8 AND _v < 9223372036854775808::float8 \
                     AND _v = trunc(_v) THEN to_json(_v::bigint) ELSE to_json(_v) END",
                );
            }),
        }
    }

    /// Appends what a stored number is in a JSON document: a double without a fraction has none
    /// there, and no exponent within 64 bits, as clients with integer types need it. `number` is
    /// written several times.
    pub(super) fn json_of_number(&mut self, number: &dyn Fn(&mut Self)) {
        let parts: &[&'static str] = match self.dialect() {
            // SQLite writes 15 digits of a double; some need 17 to stay what they are. A cast stops
            // at the limits of 64 bits, which no double equals above them.
            Dialect::Sqlite => &[
                "CASE WHEN typeof(",
                ") <> 'real' THEN ",
                " WHEN ",
                " = CAST(",
                " AS INTEGER) THEN CAST(",
                " AS INTEGER) WHEN CAST(CAST(",
                " AS TEXT) AS REAL) <> ",
                " THEN json(format('%!.17g', ",
                ")) ELSE ",
                " END",
            ],
            // PostgreSQL writes an exponent from 10¹⁵ on.
            Dialect::Postgres => &[
                "CASE WHEN abs(",
                ") >= 1e15 AND ",
                " >= -9223372036854775808::float8 AND ",
                " < 9223372036854775808::float8 AND ",
                " = trunc(",
                ") THEN to_json(",
                "::bigint) ELSE to_json(",
                ") END",
            ],
        };
        let (last, before) = parts.split_last().unwrap_or((&"", &[]));
        for part in before {
            self.push(part);
            number(self);
        }
        self.push(last);
    }

    /// Appends a value as a constant of its type, for DDL and triggers, which take no arguments.
    pub fn constant(&mut self, value: &Value) -> &mut Self {
        let dialect = self.dialect();
        match value {
            Value::Null(_) => self.push("NULL"),
            Value::Text(text) | Value::Json(text) => self.text_constant(text),
            Value::Bool(truth) => self.boolean(*truth),
            Value::Int(number) => self.number(*number),
            Value::Real(number) => self.double(*number),
            Value::Time(time) => self.text_literal(&canonical_time(*time)),
        };
        match (dialect, value.kind()) {
            (Dialect::Postgres, Kind::Text) => self.push("::text"),
            (Dialect::Postgres, Kind::Real) => self.push("::float8"),
            (Dialect::Postgres, Kind::Time) => self.push("::timestamptz"),
            (Dialect::Postgres, Kind::Bool) => self.push("::boolean"),
            _ => self,
        }
    }

    /// A text in the body of a PostgreSQL function must not have the mark in it that ends the body.
    fn text_constant(&mut self, text: &str) -> &mut Self {
        if self.dialect() == Dialect::Sqlite || !text.contains('$') {
            return self.text_literal(text);
        }
        self.push("(")
            .list(" || chr(36) || ", text.split('$'), |sql, part| {
                sql.text_literal(part);
            });
        self.push(")")
    }

    /// Appends a scalar sub-query that may use `value` several times, under the name `_v`.
    pub(super) fn with_value(
        &mut self,
        value: impl FnOnce(&mut Self),
        body: impl FnOnce(&mut Self),
    ) -> &mut Self {
        self.push("(SELECT ");
        body(self);
        self.push(" FROM (SELECT ");
        value(self);
        self.push(" AS _v) _q)")
    }
}

/// Writes a finite double so that it is read back as it is, and as a double.
pub(super) fn write_double(text: &mut String, dialect: Dialect, number: f64) {
    // Writing to a String does not fail. Zero keeps its sign nowhere.
    let decimal = format!("{:e}", if number == 0.0 { 0.0 } else { number });
    if dialect == Dialect::Sqlite && !is_plain(&decimal) {
        write_binary(text, number);
    } else {
        let _ = write!(text, "({decimal})");
    }
}

/// Whether few digits and a small exponent make a decimal that every reader gets right.
fn is_plain(decimal: &str) -> bool {
    let Some((digits, exponent)) = decimal.split_once('e') else {
        return false;
    };
    let fraction = digits
        .split_once('.')
        .map_or(0, |(_, fraction)| fraction.len());
    fraction < 15
        && exponent
            .parse::<i32>()
            .is_ok_and(|exponent| (-5..=15).contains(&exponent))
}

/// The same as a whole number times a power of two. SQLite reads decimals that are long, or far
/// from one, with an error in the last digit.
fn write_binary(text: &mut String, number: f64) {
    const STEP: u32 = 62;
    let bits = number.abs().to_bits();
    let (fraction, exponent) = (
        bits & ((1 << 52) - 1),
        i32::try_from(bits >> 52).unwrap_or_default(),
    );
    // Below the least exponent there is no leading one.
    let (whole, exponent) = if exponent == 0 {
        (fraction, -1074)
    } else {
        (fraction | 1 << 52, exponent - 1075)
    };
    let sign = if number < 0.0 { "-" } else { "" };
    let _ = write!(text, "({sign}CAST({whole} AS REAL)");
    let operator = if exponent < 0 { '/' } else { '*' };
    let mut left = exponent.unsigned_abs();
    while left > 0 {
        let step = left.min(STEP);
        let _ = write!(text, " {operator} CAST({} AS REAL)", 1_u64 << step);
        left -= step;
    }
    text.push(')');
}
