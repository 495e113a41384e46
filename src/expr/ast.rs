//! The syntax tree: what was written, before names and types mean anything.

/// A piece of an expression and where it was written.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Node {
    /// Byte offset of the token that a message about this node points at.
    pub at: usize,
    pub kind: NodeKind,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum NodeKind {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    /// A field, a variable or a macro without parentheses.
    Name(String),
    /// What is asked about a value of the request's body instead of the value itself:
    /// `@request.data.x:isset`.
    Asked {
        name: String,
        question: Question,
    },
    Call {
        name: String,
        args: Vec<Node>,
    },
    Not(Box<Node>),
    Negative(Box<Node>),
    /// Two or more, joined with `&&`.
    All(Vec<Node>),
    /// Two or more, joined with `||`.
    Any(Vec<Node>),
    Compare {
        op: Comparison,
        left: Box<Node>,
        right: Box<Node>,
    },
    In {
        left: Box<Node>,
        items: Vec<Node>,
    },
    IsNull {
        operand: Box<Node>,
        negated: bool,
    },
    Arithmetic {
        op: Arithmetic,
        left: Box<Node>,
        right: Box<Node>,
    },
    /// Membership of the caller in a group; only macros make it.
    HasGroup(String),
    /// A parameter of a stored macro, counted from 0.
    Parameter(usize),
}

impl Node {
    /// Calls `each` for this node and everything below it.
    pub fn walk(&self, each: &mut impl FnMut(&Self)) {
        each(self);
        match &self.kind {
            NodeKind::Call { args: nodes, .. } | NodeKind::All(nodes) | NodeKind::Any(nodes) => {
                for node in nodes {
                    node.walk(each);
                }
            }
            NodeKind::Not(inner)
            | NodeKind::Negative(inner)
            | NodeKind::IsNull { operand: inner, .. } => {
                inner.walk(each);
            }
            NodeKind::Compare { left, right, .. } | NodeKind::Arithmetic { left, right, .. } => {
                left.walk(each);
                right.walk(each);
            }
            NodeKind::In { left, items } => {
                left.walk(each);
                for item in items {
                    item.walk(each);
                }
            }
            NodeKind::Null
            | NodeKind::Bool(_)
            | NodeKind::Number(_)
            | NodeKind::Text(_)
            | NodeKind::Name(_)
            | NodeKind::Asked { .. }
            | NodeKind::HasGroup(_)
            | NodeKind::Parameter(_) => {}
        }
    }
}

impl NodeKind {
    pub fn at(self, at: usize) -> Node {
        Node { at, kind: self }
    }
}

/// A question about a value of the request's body; the answer is never NULL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Question {
    /// Whether it was sent, be it as null.
    IsSet,
    /// Whether it was sent and differs from what the record has.
    Changed,
}

impl Question {
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "isset" => Some(Self::IsSet),
            "changed" => Some(Self::Changed),
            _ => None,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    Greater,
    LessOrEqual,
    GreaterOrEqual,
    Like,
}

impl Comparison {
    /// As it is written in an expression.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::Greater => ">",
            Self::LessOrEqual => "<=",
            Self::GreaterOrEqual => ">=",
            Self::Like => "~",
        }
    }

    pub fn is_ordering(self) -> bool {
        matches!(
            self,
            Self::Less | Self::Greater | Self::LessOrEqual | Self::GreaterOrEqual
        )
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

impl Arithmetic {
    /// As it is written in an expression.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Remainder => "%",
        }
    }
}
