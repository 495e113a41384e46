//! What an administrator defined: a pattern and the rules of its rooms.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::error::RoomError;
use super::pattern::{Parts, Pattern};
use crate::access::Gate;
use crate::auth::Caller;
use crate::expr::{Predicate, Purpose};
use crate::schema::Rule;

/// A definition as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct DefinitionRow {
    /// Its id.
    pub id: String,
    /// The pattern.
    pub pattern: String,
    /// Who may join.
    pub join_rule: Option<String>,
    /// Who may publish.
    pub publish_rule: Option<String>,
    /// Who is seen in the room, and sees the others.
    pub presence_rule: Option<String>,
    /// How many messages a room remembers.
    pub history: i64,
    /// When it was defined.
    pub created_at: DateTime<Utc>,
    /// When it changed last.
    pub updated_at: DateTime<Utc>,
}

/// What one may do in a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Be there and hear messages.
    Join,
    /// Send messages.
    Publish,
    /// Be seen, and see who else is there.
    Presence,
}

/// A definition, ready to be used.
#[derive(Debug)]
pub struct Definition {
    /// The row it was loaded from.
    pub row: DefinitionRow,
    /// Which names it is for.
    pub pattern: Pattern,
    rules: [Rule; 3],
    /// How many messages a room remembers.
    pub history: usize,
}

impl Definition {
    /// Makes a stored definition ready for use. A rule that does not compile locks.
    pub fn resolve(row: DefinitionRow) -> Option<Self> {
        let pattern = Pattern::parse(&row.pattern).ok()?;
        let resolve = |text: &Option<String>| {
            Rule::stored(
                text.as_deref(),
                |text| compile(text, &pattern),
                |_| report_invalid_rule(&row),
            )
        };
        let rules = [&row.join_rule, &row.publish_rule, &row.presence_rule].map(resolve);
        let history = usize::try_from(row.history).unwrap_or_default();
        Some(Self {
            row,
            pattern,
            rules,
            history,
        })
    }

    /// Whether the caller may do this in the room with these parts.
    pub fn allows(&self, act: Act, caller: &Caller, parts: &Parts) -> bool {
        Gate::of(&self.rules[act as usize], caller).passes(parts, caller)
    }
}

/// Compiles a rule of the rooms of a pattern.
pub fn compile(source: &str, pattern: &Pattern) -> Result<Predicate, Vec<crate::expr::Problem>> {
    Predicate::compile(source, pattern, Purpose::Rule { data: false })
}

fn report_invalid_rule(row: &DefinitionRow) {
    tracing::error!(
        pattern = row.pattern,
        "a stored rule of a room is invalid: locked"
    );
}

/// Every definition at one moment, those that match first come first.
#[derive(Debug, Default)]
pub struct Definitions(Vec<Arc<Definition>>);

impl Definitions {
    /// Puts them in order.
    pub fn new(mut definitions: Vec<Arc<Definition>>) -> Self {
        definitions.sort_by_cached_key(|definition| {
            (definition.pattern.rank(), definition.row.pattern.clone())
        });
        Self(definitions)
    }

    /// What defines the room of that name, and the parts of the name.
    pub fn find(&self, name: &str) -> Result<(Arc<Definition>, Parts), RoomError> {
        let matching = |definition: &Arc<Definition>| {
            Some((definition.clone(), definition.pattern.matches(name)?))
        };
        self.0.iter().find_map(matching).ok_or(RoomError::Undefined)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Definition>> {
        self.0.iter()
    }
}
