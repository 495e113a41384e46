//! Tokens to syntax tree, by recursive descent: one function per level of precedence.
//!
//! Recursion is bounded by [`MAX_DEPTH`] and the size of the tree by [`MAX_NODES`], so no input can exhaust the
//! stack here or in anything that walks the tree later.

use super::ast::{Arithmetic, Comparison, Node, NodeKind};
use super::lexer::{Spanned, Token, tokens};
use super::problem::Fault;

/// How deep parentheses, `!`, unary `-` and calls may nest.
pub(super) const MAX_DEPTH: usize = 64;
/// How many names, literals and operators an expression may have.
pub(super) const MAX_NODES: usize = 500;

/// Parses a whole expression.
pub(super) fn parse(source: &str) -> Result<Node, Fault> {
    let mut parser = Parser { tokens: tokens(source)?, next: 0, depth: 0, nodes: 0 };
    if parser.peek() == &Token::End {
        return Err(parser.fault("an expression is missing"));
    }
    let node = parser.expression()?;
    match parser.peek() {
        Token::End => Ok(node),
        _ => Err(parser.unexpected_tail()),
    }
}

struct Parser {
    tokens: Vec<Spanned>,
    next: usize,
    depth: usize,
    nodes: usize,
}

impl Parser {
    fn here(&self) -> &Spanned {
        // The last token is `End`, and nothing moves past it.
        &self.tokens[self.next.min(self.tokens.len() - 1)]
    }

    fn peek(&self) -> &Token {
        &self.here().token
    }

    fn advance(&mut self) -> Spanned {
        let token = self.here().clone();
        self.next += 1;
        token
    }

    fn eat(&mut self, token: &Token) -> bool {
        let found = self.peek() == token;
        self.next += usize::from(found);
        found
    }

    fn expect(&mut self, token: &Token, message: &'static str) -> Result<(), Fault> {
        if self.eat(token) { Ok(()) } else { Err(self.fault(message)) }
    }

    fn fault(&self, message: impl Into<String>) -> Fault {
        Fault::new(self.here().at, message)
    }

    /// Counts a node.
    fn node(&mut self, at: usize, kind: NodeKind) -> Result<Node, Fault> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return Err(Fault::new(at, format!("the expression has more than {MAX_NODES} parts")));
        }
        Ok(kind.at(at))
    }

    fn nested<T>(&mut self, inner: impl FnOnce(&mut Self) -> Result<T, Fault>) -> Result<T, Fault> {
        if self.depth == MAX_DEPTH {
            return Err(self.fault(format!("the expression is nested more than {MAX_DEPTH} levels deep")));
        }
        self.depth += 1;
        let result = inner(self);
        self.depth -= 1;
        result
    }

    fn expression(&mut self) -> Result<Node, Fault> {
        self.joined(&Token::Or, NodeKind::Any, Self::conjunction)
    }

    fn conjunction(&mut self) -> Result<Node, Fault> {
        self.joined(&Token::And, NodeKind::All, Self::negation)
    }

    fn joined(
        &mut self,
        separator: &Token,
        join: fn(Vec<Node>) -> NodeKind,
        part: fn(&mut Self) -> Result<Node, Fault>,
    ) -> Result<Node, Fault> {
        let first = part(self)?;
        let at = self.here().at;
        let mut parts = vec![first];
        while self.eat(separator) {
            parts.push(part(self)?);
        }
        match (parts.pop(), parts.is_empty()) {
            (Some(only), true) => Ok(only),
            (last, _) => {
                parts.extend(last);
                self.node(at, join(parts))
            }
        }
    }

    fn negation(&mut self) -> Result<Node, Fault> {
        let at = self.here().at;
        if !self.eat(&Token::Bang) {
            return self.comparison();
        }
        let inner = self.nested(Self::negation)?;
        self.node(at, NodeKind::Not(Box::new(inner)))
    }

    fn comparison(&mut self) -> Result<Node, Fault> {
        let left = Box::new(self.sum()?);
        let Spanned { token, at } = self.here().clone();
        match token {
            Token::Compare(op) => {
                self.next += 1;
                let right = Box::new(self.sum()?);
                self.node(at, NodeKind::Compare { op, left, right })
            }
            Token::In => {
                self.next += 1;
                self.expect(&Token::Open, "IN needs a list in parentheses")?;
                let items = self.list(Self::sum)?;
                self.node(at, NodeKind::In { left, items })
            }
            Token::Is => {
                self.next += 1;
                let negated = self.eat(&Token::Not);
                self.expect(&Token::Null, "IS goes with NULL or NOT NULL only")?;
                self.node(at, NodeKind::IsNull { operand: left, negated })
            }
            _ => Ok(*left),
        }
    }

    /// One or more items and the closing parenthesis.
    fn list(&mut self, item: fn(&mut Self) -> Result<Node, Fault>) -> Result<Vec<Node>, Fault> {
        let mut items = vec![item(self)?];
        while self.eat(&Token::Comma) {
            items.push(item(self)?);
        }
        self.close()?;
        Ok(items)
    }

    fn close(&mut self) -> Result<(), Fault> {
        match self.peek() {
            Token::Close => self.next += 1,
            Token::End => return Err(self.fault("a closing ) is missing")),
            _ => return Err(self.unexpected_tail()),
        }
        Ok(())
    }

    fn sum(&mut self) -> Result<Node, Fault> {
        let mut left = self.product()?;
        loop {
            let op = match self.peek() {
                Token::Plus => Arithmetic::Add,
                Token::Minus => Arithmetic::Subtract,
                _ => return Ok(left),
            };
            left = self.arithmetic(op, left, Self::product)?;
        }
    }

    fn product(&mut self) -> Result<Node, Fault> {
        let mut left = self.atom()?;
        while let Token::Times(op) = *self.peek() {
            left = self.arithmetic(op, left, Self::atom)?;
        }
        Ok(left)
    }

    fn arithmetic(
        &mut self,
        op: Arithmetic,
        left: Node,
        right: fn(&mut Self) -> Result<Node, Fault>,
    ) -> Result<Node, Fault> {
        let at = self.advance().at;
        let (left, right) = (Box::new(left), Box::new(right(self)?));
        self.node(at, NodeKind::Arithmetic { op, left, right })
    }

    fn atom(&mut self) -> Result<Node, Fault> {
        let Spanned { token, at } = self.here().clone();
        let kind = match token {
            Token::Null => NodeKind::Null,
            Token::True => NodeKind::Bool(true),
            Token::False => NodeKind::Bool(false),
            Token::Number(number) => NodeKind::Number(number),
            Token::Text(text) => NodeKind::Text(text),
            Token::Name(name) => return self.name_or_call(name, at),
            Token::Minus => {
                self.next += 1;
                let inner = self.nested(Self::atom)?;
                return self.node(at, NodeKind::Negative(Box::new(inner)));
            }
            Token::Open => {
                self.next += 1;
                let inner = self.nested(Self::expression)?;
                self.close()?;
                return Ok(inner);
            }
            _ => return Err(self.fault(missing_operand(&token))),
        };
        self.next += 1;
        self.node(at, kind)
    }

    fn name_or_call(&mut self, name: String, at: usize) -> Result<Node, Fault> {
        self.next += 1;
        if !self.eat(&Token::Open) {
            return self.node(at, NodeKind::Name(name));
        }
        let args =
            if self.eat(&Token::Close) { Vec::new() } else { self.nested(|parser| parser.list(Self::expression))? };
        self.node(at, NodeKind::Call { name, args })
    }

    /// Something follows a complete expression.
    fn unexpected_tail(&self) -> Fault {
        let message = match self.peek() {
            Token::Compare(_) | Token::In | Token::Is => "comparisons cannot be chained; join them with &&".to_owned(),
            Token::Close => "this ) closes nothing".to_owned(),
            Token::Not => "NOT is written only in IS NOT NULL; negate with !( … )".to_owned(),
            Token::Name(word) => match word.to_ascii_uppercase().as_str() {
                "AND" => "write && instead of a word".to_owned(),
                "OR" => "write || instead of a word".to_owned(),
                "LIKE" => "write ~ instead of a word".to_owned(),
                _ => format!("expected an operator before `{word}`"),
            },
            Token::Comma => "a list stands in parentheses, after IN or a name".to_owned(),
            _ => "expected an operator or the end".to_owned(),
        };
        self.fault(message)
    }
}

fn missing_operand(found: &Token) -> &'static str {
    match found {
        Token::End => "the expression ends too early; a field, a value or ( belongs here",
        Token::Not => "negate with ! instead of NOT",
        Token::Compare(Comparison::Equal) => "a field, a value or ( belongs before =",
        _ => "a field, a value or ( belongs here",
    }
}
