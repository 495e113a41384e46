//! Tokens to syntax tree, by recursive descent: one function per level of precedence.
//!
//! Recursion is bounded by [`MAX_DEPTH`] and the size of the tree by [`MAX_NODES`], so no input can
//! exhaust the stack here or in anything that walks the tree later.

use super::ast::{Arithmetic, Comparison, Node, NodeKind, Question};
use super::lexer::{Spanned, Token, tokens};
use super::problem::Fault;
use super::query::{Aggregate, Item, Select};

/// How deep parentheses, `!`, unary `-` and calls may nest.
pub(super) const MAX_DEPTH: usize = 64;
/// How many names, literals and operators an expression may have.
pub(super) const MAX_NODES: usize = 500;

/// How deep computed fields may nest: they stand inside of other expressions.
pub(super) const MAX_COMPUTED_DEPTH: usize = 24;

/// Parses a whole expression.
pub(super) fn parse(source: &str) -> Result<Node, Fault> {
    parse_within(source, MAX_DEPTH)
}

/// Parses the expression of a computed field.
pub(super) fn parse_computed(source: &str) -> Result<Node, Fault> {
    parse_within(source, MAX_COMPUTED_DEPTH)
}

/// Parses a stored macro.
pub(super) fn parse_select(source: &str, parameters: &[String]) -> Result<Select, Fault> {
    let mut parser = Parser::new(tokens(source, true)?, MAX_COMPUTED_DEPTH, Some(parameters));
    if !parser.eat_word("SELECT") {
        return Err(parser.fault("Macro query must be a SELECT statement"));
    }
    let value = parser.item()?;
    let (mut collection, mut condition) = (None, None);
    if parser.eat_word("FROM") {
        let Spanned { token, at } = parser.advance();
        let Token::Name(name) = token else {
            return Err(Fault::new(at, "the name of a collection belongs here"));
        };
        collection = Some((name, at));
        if parser.eat_word("WHERE") {
            condition = Some(parser.expression()?);
        }
    }
    match parser.peek() {
        Token::End => Ok(Select {
            value,
            collection,
            condition,
        }),
        _ => Err(parser.fault(
            "a macro is SELECT value [FROM collection [WHERE condition]], and nothing follows it",
        )),
    }
}

fn parse_within(source: &str, max_depth: usize) -> Result<Node, Fault> {
    let mut parser = Parser::new(tokens(source, false)?, max_depth, None);
    if parser.peek() == &Token::End {
        return Err(parser.fault("an expression is missing"));
    }
    let node = parser.expression()?;
    match parser.peek() {
        Token::End => Ok(node),
        _ => Err(parser.unexpected_tail()),
    }
}

struct Parser<'a> {
    tokens: Vec<Spanned>,
    next: usize,
    depth: usize,
    max_depth: usize,
    nodes: usize,
    /// The parameters of a stored macro, if this is one.
    parameters: Option<&'a [String]>,
}

impl<'a> Parser<'a> {
    fn new(tokens: Vec<Spanned>, max_depth: usize, parameters: Option<&'a [String]>) -> Self {
        Self {
            tokens,
            next: 0,
            depth: 0,
            max_depth,
            nodes: 0,
            parameters,
        }
    }

    /// Takes a word that is a name everywhere else.
    fn eat_word(&mut self, word: &str) -> bool {
        let found = matches!(self.peek(), Token::Name(name) if name.eq_ignore_ascii_case(word));
        self.next += usize::from(found);
        found
    }

    /// What a stored macro selects.
    fn item(&mut self) -> Result<Item, Fault> {
        let Spanned { token, at } = self.here().clone();
        let function = match &token {
            Token::Name(name) => Aggregate::named(name),
            _ => None,
        };
        let is_call = self
            .tokens
            .get(self.next + 1)
            .is_some_and(|next| next.token == Token::Open);
        let Some(function) = function.filter(|_| is_call) else {
            return Ok(Item::Value(self.expression()?));
        };
        self.next += 2;
        if function == Aggregate::Count && self.eat(&Token::Times(Arithmetic::Multiply)) {
            self.close()?;
            return Ok(Item::Count);
        }
        let argument = self.nested(Self::expression)?;
        self.close()?;
        Ok(Item::Aggregate {
            function,
            argument,
            at,
        })
    }

    fn parameter(&self, name: &str, at: usize) -> Result<NodeKind, Fault> {
        let parameters = self.parameters.unwrap_or_default();
        let number = name
            .parse::<usize>()
            .ok()
            .and_then(|number| number.checked_sub(1));
        let index = number.or_else(|| parameters.iter().position(|parameter| parameter == name));
        let index = index
            .filter(|index| *index < parameters.len())
            .ok_or_else(|| {
                let known = parameters.join(", ");
                Fault::new(
                    at,
                    format!("there is no parameter `{name}`; the parameters are: {known}"),
                )
            })?;
        Ok(NodeKind::Parameter(index))
    }

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
        if self.eat(token) {
            Ok(())
        } else {
            Err(self.fault(message))
        }
    }

    fn fault(&self, message: impl Into<String>) -> Fault {
        Fault::new(self.here().at, message)
    }

    /// Counts a node.
    fn node(&mut self, at: usize, kind: NodeKind) -> Result<Node, Fault> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return Err(Fault::new(
                at,
                format!("the expression has more than {MAX_NODES} parts"),
            ));
        }
        Ok(kind.at(at))
    }

    fn nested<T>(&mut self, inner: impl FnOnce(&mut Self) -> Result<T, Fault>) -> Result<T, Fault> {
        if self.depth == self.max_depth {
            let message = format!(
                "the expression is nested more than {} levels deep",
                self.max_depth
            );
            return Err(self.fault(message));
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
        let negated =
            self.eat(&Token::Bang) || (self.parameters.is_some() && self.eat(&Token::Not));
        if !negated {
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
                self.node(
                    at,
                    NodeKind::IsNull {
                        operand: left,
                        negated,
                    },
                )
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
            Token::Parameter(name) => self.parameter(&name, at)?,
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
        if let Spanned {
            token: Token::Question(question),
            at: asked_at,
        } = self.here().clone()
        {
            self.next += 1;
            let Some(question) = Question::named(&question) else {
                let message =
                    format!("there is no :{question}; one can ask for :isset and :changed");
                return Err(Fault::new(asked_at, message));
            };
            return self.node(at, NodeKind::Asked { name, question });
        }
        if !self.eat(&Token::Open) {
            return self.node(at, NodeKind::Name(name));
        }
        let args = if self.eat(&Token::Close) {
            Vec::new()
        } else {
            self.nested(|parser| parser.list(Self::expression))?
        };
        self.node(at, NodeKind::Call { name, args })
    }

    /// Something follows a complete expression.
    fn unexpected_tail(&self) -> Fault {
        let message = match self.peek() {
            Token::Compare(_) | Token::In | Token::Is => {
                "comparisons cannot be chained; join them with &&".to_owned()
            }
            Token::Close => "this ) closes nothing".to_owned(),
            Token::Not => "NOT is written only in IS NOT NULL; negate with !( … )".to_owned(),
            Token::Name(word) => match word.to_ascii_uppercase().as_str() {
                "AND" => "write && instead of a word".to_owned(),
                "OR" => "write || instead of a word".to_owned(),
                "LIKE" => "write ~ instead of a word".to_owned(),
                _ => format!("expected an operator before `{word}`"),
            },
            Token::Question(_) => ":isset and :changed follow @request.data.<field>".to_owned(),
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
