//! Source text to tokens.

use super::ast::{Arithmetic, Comparison};
use super::problem::Fault;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Number(f64),
    Text(String),
    Name(String),
    In,
    Is,
    Not,
    Null,
    True,
    False,
    And,
    Or,
    Bang,
    Compare(Comparison),
    Plus,
    Minus,
    Times(Arithmetic),
    Open,
    Close,
    Comma,
    /// What is asked about the name before: `isset` of `:isset`.
    Question(String),
    /// A parameter of a stored macro: its name, or its number counted from 1.
    Parameter(String),
    End,
}

/// A token and the byte offset where it begins.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Spanned {
    pub token: Token,
    pub at: usize,
}

/// Splits an expression into tokens; the last one is [`Token::End`]. `query` takes the other
/// spellings of stored macros.
pub(super) fn tokens(source: &str, query: bool) -> Result<Vec<Spanned>, Fault> {
    let mut lexer = Lexer {
        source,
        at: 0,
        query,
    };
    let mut tokens = Vec::new();
    loop {
        lexer.skip_space();
        let at = lexer.at;
        let token = lexer.token()?;
        let end = token == Token::End;
        tokens.push(Spanned { token, at });
        if end {
            return Ok(tokens);
        }
    }
}

/// The token of a word that cannot be a name, in any case; `query` knows those of stored macros as
/// well.
fn keyword(word: &str, query: bool) -> Option<Token> {
    Some(match word.to_ascii_uppercase().as_str() {
        "IN" => Token::In,
        "IS" => Token::Is,
        "NOT" => Token::Not,
        "NULL" => Token::Null,
        "TRUE" => Token::True,
        "FALSE" => Token::False,
        "AND" if query => Token::And,
        "OR" if query => Token::Or,
        "LIKE" if query => Token::Compare(Comparison::Like),
        _ => return None,
    })
}

/// Whether a word means something of its own in rules, filters or stored macros: no field or
/// collection of that name could be named there.
pub fn is_reserved_word(word: &str) -> bool {
    keyword(word, true).is_some()
}

struct Lexer<'a> {
    source: &'a str,
    at: usize,
    query: bool,
}

impl Lexer<'_> {
    fn rest(&self) -> &str {
        &self.source[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn skip_space(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    /// Takes as many characters as `belongs` accepts.
    fn take_while(&mut self, belongs: impl Fn(char) -> bool) -> &str {
        let rest = &self.source[self.at..];
        let taken = &rest[..rest.find(|c| !belongs(c)).unwrap_or(rest.len())];
        self.at += taken.len();
        taken
    }

    fn token(&mut self) -> Result<Token, Fault> {
        let Some(first) = self.peek() else {
            return Ok(Token::End);
        };
        match first {
            '0'..='9' => self.number(),
            '\'' | '"' => self.text(first),
            'a'..='z' | 'A'..='Z' | '_' | '@' => Ok(self.word()),
            '$' | ':' if self.query => {
                self.at += 1;
                let name = self
                    .take_while(|c| c.is_ascii_alphanumeric() || c == '_')
                    .to_owned();
                Ok(Token::Parameter(name))
            }
            ':' => {
                self.at += 1;
                Ok(Token::Question(
                    self.take_while(|c| c.is_ascii_alphanumeric() || c == '_')
                        .to_owned(),
                ))
            }
            _ => self.symbol(first),
        }
    }

    fn number(&mut self) -> Result<Token, Fault> {
        let start = self.at;
        self.take_while(|c| c.is_ascii_digit());
        if self.peek() == Some('.') {
            self.at += 1;
            self.take_while(|c| c.is_ascii_digit());
        }
        match self.source[start..self.at].parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Token::Number(number)),
            _ => Err(Fault::new(start, "this number is too large")),
        }
    }

    fn text(&mut self, quote: char) -> Result<Token, Fault> {
        let start = self.at;
        let mut text = String::new();
        let mut chars = self.source[start + 1..].char_indices().peekable();
        while let Some((offset, c)) = chars.next() {
            match c {
                _ if c == quote => {
                    self.at = start + 1 + offset + c.len_utf8();
                    return Ok(Token::Text(text));
                }
                '\\' => match chars.next_if(|(_, next)| matches!(next, '\'' | '"' | '\\')) {
                    Some((_, escaped)) => text.push(escaped),
                    None => text.push('\\'),
                },
                '\0' => {
                    return Err(Fault::new(
                        start + 1 + offset,
                        "text cannot contain the character U+0000",
                    ));
                }
                _ => text.push(c),
            }
        }
        Err(Fault::new(
            start,
            format!("this text has no closing {quote}; a quote inside is written \\{quote}"),
        ))
    }

    fn word(&mut self) -> Token {
        let query = self.query;
        let word = self.take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '@'));
        keyword(word, query).unwrap_or_else(|| Token::Name(word.to_owned()))
    }

    fn symbol(&mut self, first: char) -> Result<Token, Fault> {
        let start = self.at;
        let doubled = |second: char| self.rest().chars().nth(1) == Some(second);
        let (token, length) = match first {
            '&' if doubled('&') => (Token::And, 2),
            '|' if doubled('|') => (Token::Or, 2),
            '&' => return Err(Fault::new(start, "write && for a logical and")),
            '|' => return Err(Fault::new(start, "write || for a logical or")),
            '!' if doubled('=') => (Token::Compare(Comparison::NotEqual), 2),
            '<' if doubled('=') => (Token::Compare(Comparison::LessOrEqual), 2),
            '>' if doubled('=') => (Token::Compare(Comparison::GreaterOrEqual), 2),
            '=' if doubled('=') => return Err(Fault::new(start, "write a single = to compare")),
            '<' if doubled('>') && self.query => (Token::Compare(Comparison::NotEqual), 2),
            '<' if doubled('>') => return Err(Fault::new(start, "write != for unequal")),
            '!' => (Token::Bang, 1),
            '=' => (Token::Compare(Comparison::Equal), 1),
            '<' => (Token::Compare(Comparison::Less), 1),
            '>' => (Token::Compare(Comparison::Greater), 1),
            '~' => (Token::Compare(Comparison::Like), 1),
            '+' => (Token::Plus, 1),
            '-' => (Token::Minus, 1),
            '*' => (Token::Times(Arithmetic::Multiply), 1),
            '/' => (Token::Times(Arithmetic::Divide), 1),
            '%' => (Token::Times(Arithmetic::Remainder), 1),
            '(' => (Token::Open, 1),
            ')' => (Token::Close, 1),
            ',' => (Token::Comma, 1),
            '.' => {
                return Err(Fault::new(
                    start,
                    "a number has digits before its dot, and one dot at most",
                ));
            }
            _ => return Err(Fault::new(start, format!("unexpected character {first:?}"))),
        };
        self.at += length;
        Ok(token)
    }
}
