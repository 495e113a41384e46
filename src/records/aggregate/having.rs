//! `having`: conditions on the results of functions, such as `count() > 1 and (sum_price >= 10 or
//! min(name) != 'x')`.

use super::{Measure, Shape};
use crate::db::{Sql, Value};
use crate::error::{Error, Result};

/// The longest source, in bytes.
const MAX_SOURCE: usize = 2_000;
/// How deep parentheses may be nested.
const MAX_DEPTH: usize = 20;

/// A condition on a group.
#[derive(Debug)]
pub(super) enum Having {
    Any(Vec<Having>),
    All(Vec<Having>),
    Compare {
        /// Which of the functions.
        measure: usize,
        op: &'static str,
        value: Value,
    },
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Word(String),
    Number(f64),
    Text(String),
    Op(&'static str),
    And,
    Or,
    Open,
    Close,
}

impl Having {
    pub fn parse(source: &str, measures: &[Measure]) -> Result<Self> {
        let refuse = |message: String| Error::refused("Invalid having expression", message);
        if source.len() > MAX_SOURCE {
            return Err(refuse(format!("It is longer than {MAX_SOURCE} bytes")));
        }
        let tokens = tokens(source).map_err(refuse)?;
        let mut parser = Parser {
            tokens: &tokens,
            measures,
        };
        let parsed = parser.any(0).map_err(refuse)?;
        match parser.tokens.first() {
            None => Ok(parsed),
            Some(token) => Err(refuse(format!(
                "Nothing was expected where {} stands",
                shown(Some(token))
            ))),
        }
    }

    /// Appends the condition.
    pub fn write(&self, sql: &mut Sql, measures: &[Measure]) {
        match self {
            Self::Any(parts) | Self::All(parts) => {
                let between = if matches!(self, Self::Any(_)) {
                    " OR "
                } else {
                    " AND "
                };
                sql.push("(")
                    .list(between, parts, |sql, part| part.write(sql, measures))
                    .push(")");
            }
            Self::Compare { measure, op, value } => {
                measures[*measure].write(sql);
                sql.push(op).typed_arg(value.clone());
            }
        }
    }
}

struct Parser<'a> {
    tokens: &'a [Token],
    measures: &'a [Measure],
}

impl Parser<'_> {
    fn next(&mut self) -> Option<Token> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        Some(first.clone())
    }

    fn take(&mut self, token: &Token) -> bool {
        let found = self.tokens.first() == Some(token);
        if found {
            self.tokens = &self.tokens[1..];
        }
        found
    }

    fn any(&mut self, depth: usize) -> Result<Having, String> {
        let mut parts = vec![self.all(depth)?];
        while self.take(&Token::Or) {
            parts.push(self.all(depth)?);
        }
        Ok(Having::Any(parts))
    }

    fn all(&mut self, depth: usize) -> Result<Having, String> {
        let mut parts = vec![self.comparison(depth)?];
        while self.take(&Token::And) {
            parts.push(self.comparison(depth)?);
        }
        Ok(Having::All(parts))
    }

    fn comparison(&mut self, depth: usize) -> Result<Having, String> {
        if self.take(&Token::Open) {
            if depth == MAX_DEPTH {
                return Err(format!("Parentheses are nested more than {MAX_DEPTH} deep"));
            }
            let inner = self.any(depth + 1)?;
            return if self.take(&Token::Close) {
                Ok(inner)
            } else {
                Err("A ) is missing".into())
            };
        }
        let measure = self.alias()?;
        let op = match self.next() {
            Some(Token::Op(op)) => op,
            other => {
                return Err(format!(
                    "A comparison was expected instead of {}",
                    shown(other.as_ref())
                ));
            }
        };
        let Measure { alias, shape, .. } = &self.measures[measure];
        let value = match (self.next(), shape) {
            (Some(Token::Number(number)), Shape::Number) => Value::Real(number),
            (Some(Token::Text(text)), Shape::Text) => Value::Text(text),
            (Some(Token::Text(text)), Shape::Day) => match crate::expr::parse_day(&text) {
                Some(day) => Value::Text(crate::expr::stored_day(day)),
                None => {
                    return Err(format!(
                        "'{alias}' is a day; compare it with one such as '2025-12-24'"
                    ));
                }
            },
            (Some(Token::Text(text)), Shape::Instant) => match crate::expr::parse_instant(&text) {
                Some(time) => Value::Time(time),
                None => {
                    return Err(format!(
                        "'{alias}' is a time; compare it with one such as '2025-12-24T22:00:00Z'"
                    ));
                }
            },
            (Some(Token::Number(_)), _) => {
                return Err(format!(
                    "'{alias}' is no number; compare it with a text in quotes"
                ));
            }
            (Some(Token::Text(_)), _) => {
                return Err(format!("'{alias}' is a number; compare it with one"));
            }
            (other, _) => {
                return Err(format!(
                    "A value was expected instead of {}",
                    shown(other.as_ref())
                ));
            }
        };
        Ok(Having::Compare { measure, op, value })
    }

    /// `sum_price`, `sum(price)`, `count` or `count()`.
    fn alias(&mut self) -> Result<usize, String> {
        let Some(Token::Word(word)) = self.tokens.first().cloned() else {
            return Err(format!(
                "A function was expected instead of {}",
                shown(self.tokens.first())
            ));
        };
        self.next();
        let alias = if self.take(&Token::Open) {
            let name = word.to_ascii_lowercase();
            match self.next() {
                Some(Token::Close) => name,
                Some(Token::Word(field)) if self.take(&Token::Close) => format!("{name}_{field}"),
                _ => return Err(format!("{word}( takes one field and a )")),
            }
        } else {
            word
        };
        self.measures
            .iter()
            .position(|measure| measure.alias == alias)
            .ok_or_else(|| {
                let known: Vec<&str> = self
                    .measures
                    .iter()
                    .map(|measure| measure.alias.as_str())
                    .collect();
                format!(
                    "'{alias}' is none of the functions asked for: {}",
                    known.join(", ")
                )
            })
    }
}

fn shown(token: Option<&Token>) -> String {
    match token {
        None => "the end".into(),
        Some(Token::Word(word)) => format!("'{word}'"),
        Some(Token::Number(number)) => format!("'{number}'"),
        Some(Token::Text(_)) => "a text".into(),
        Some(Token::Op(op)) => format!("'{}'", op.trim()),
        Some(Token::And) => "'and'".into(),
        Some(Token::Or) => "'or'".into(),
        Some(Token::Open) => "'('".into(),
        Some(Token::Close) => "')'".into(),
    }
}

/// Operators; the longer ones first.
const OPERATORS: [(&str, Token); 10] = [
    ("&&", Token::And),
    ("||", Token::Or),
    ("!=", Token::Op(" <> ")),
    ("<=", Token::Op(" <= ")),
    (">=", Token::Op(" >= ")),
    ("=", Token::Op(" = ")),
    ("<", Token::Op(" < ")),
    (">", Token::Op(" > ")),
    ("(", Token::Open),
    (")", Token::Close),
];

fn tokens(source: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = source.trim_start();
    while let Some(first) = rest.chars().next() {
        let operator = OPERATORS.iter().find(|(text, _)| rest.starts_with(text));
        if let Some((text, token)) = operator {
            tokens.push(token.clone());
            rest = &rest[text.len()..];
        } else if first == '\'' || first == '"' {
            let (text, after) = quoted(&rest[1..], first)?;
            tokens.push(Token::Text(text));
            rest = after;
        } else if first == '-' || first.is_ascii_digit() {
            let end = rest[1..]
                .find(|c: char| !c.is_ascii_digit() && c != '.')
                .map_or(rest.len(), |end| end + 1);
            let (text, after) = rest.split_at(end);
            // Digits on both sides of the point.
            let well_formed = text
                .trim_start_matches('-')
                .split('.')
                .all(|part| !part.is_empty());
            let number = text
                .parse::<f64>()
                .ok()
                .filter(|number| well_formed && number.is_finite());
            tokens.push(Token::Number(
                number.ok_or_else(|| format!("'{text}' is no number"))?,
            ));
            rest = after;
        } else if first.is_ascii_alphabetic() || first == '_' {
            let end = rest
                .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                .unwrap_or(rest.len());
            let (word, after) = rest.split_at(end);
            tokens.push(match word {
                "and" | "AND" => Token::And,
                "or" | "OR" => Token::Or,
                _ => Token::Word(word.to_owned()),
            });
            rest = after;
        } else {
            return Err(format!("'{first}' has no meaning here"));
        }
        rest = rest.trim_start();
    }
    Ok(tokens)
}

/// A text up to its quote; a backslash stands before a quote or a backslash that belongs to it.
fn quoted(source: &str, quote: char) -> Result<(String, &str), String> {
    let mut text = String::new();
    let mut characters = source.char_indices().peekable();
    while let Some((index, character)) = characters.next() {
        match character {
            '\0' => break,
            '\\' => match characters.next_if(|(_, next)| matches!(next, '\'' | '"' | '\\')) {
                Some((_, escaped)) => text.push(escaped),
                None => text.push('\\'),
            },
            _ if character == quote => return Ok((text, &source[index + 1..])),
            _ => text.push(character),
        }
    }
    Err("A text has no end".into())
}

#[cfg(test)]
mod tests {
    use super::super::query::FunctionKind;
    use super::*;
    use crate::db::Dialect;

    fn measures() -> Vec<Measure> {
        let ident = || crate::db::Ident::fixed("x");
        let column = || {
            Some(super::super::Column {
                ident: ident(),
                kind: crate::db::ColumnKind::Number,
            })
        };
        let measure = |alias: &str, kind, column, shape| Measure {
            alias: alias.into(),
            kind,
            column,
            shape,
        };
        vec![
            measure("count", FunctionKind::Count, None, Shape::Number),
            measure("sum_price", FunctionKind::Sum, column(), Shape::Number),
            measure("min_name", FunctionKind::Min, column(), Shape::Text),
            measure("max_day", FunctionKind::Max, column(), Shape::Day),
        ]
    }

    fn written(source: &str) -> Option<String> {
        let having = Having::parse(source, &measures()).ok()?;
        let mut sql = Sql::new(Dialect::Postgres);
        having.write(&mut sql, &measures());
        Some(sql.build().text().to_owned())
    }

    #[test]
    fn and_binds_closer_than_or() {
        let sum = "sum(r.\"x\")";
        let expected = format!(
            "((count(*) > $1::float8) OR ({sum} <= $2::float8 AND count(*) <> $3::float8))"
        );
        for source in [
            "count() > 1 or sum_price <= -2.5 and count != 3",
            "COUNT()>1||sum(price)<=-2.5&&count()!=3",
        ] {
            assert_eq!(
                written(source).as_deref(),
                Some(expected.as_str()),
                "{source}"
            );
        }
    }

    #[test]
    fn values_have_the_type_of_the_result() {
        for right in [
            "min(name) = 'it\\'s'",
            "min_name > \"\"",
            "max_day >= '2025-1-2'",
            "((count() = 0))",
        ] {
            assert!(written(right).is_some(), "{right}");
        }
        for wrong in [
            "",
            "count",
            "count() >",
            "count() > 'a'",
            "min_name > 1",
            "max_day > 'soon'",
            "avg_x > 1",
            "count() > 1 2",
            "(count() > 1",
            "count() > 1)",
            "count(x > 1",
            "count() > .5",
            "count() > 5.",
            "count() > 1.2.3",
            "count() > -",
            "count() > 1 xor count() > 2",
            "count() == 1",
            "min_name = 'open",
            "count() > 1; drop",
            "count() ~ 1",
            "1 < count()",
        ] {
            assert!(written(wrong).is_none(), "{wrong}");
        }
        assert!(written(&format!("{}count() > 1{}", "(".repeat(30), ")".repeat(30))).is_none());
    }
}
