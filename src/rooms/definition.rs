//! The definition of rooms by an administrator: a pattern and the rules of its rooms.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::error::RoomError;
use super::pattern::{RoomNameParts, RoomPattern};
use crate::access::Gate;
use crate::auth::Caller;
use crate::expr::{Predicate, Purpose};
use crate::schema::Rule;

/// A definition as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct RoomDefinitionRow {
    /// Its id.
    pub id: String,
    /// The pattern.
    pub pattern: String,
    /// The rule of joining.
    pub join_rule: Option<String>,
    /// The rule of publishing.
    pub publish_rule: Option<String>,
    /// The rule of being seen in the room, and seeing the others.
    pub presence_rule: Option<String>,
    /// The number of messages that a room keeps.
    pub history: i64,
    /// The time at which it was defined.
    pub created_at: DateTime<Utc>,
    /// The time of its last change.
    pub updated_at: DateTime<Utc>,
}

/// An action in a room, which a rule allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoomAction {
    /// Be there and hear messages.
    Join,
    /// Send messages.
    Publish,
    /// Be seen, and see who else is there.
    Presence,
}

/// A definition, ready to be used.
#[derive(Debug)]
pub struct RoomDefinition {
    /// The row it was loaded from.
    pub row: RoomDefinitionRow,
    /// The names that it is for.
    pub pattern: RoomPattern,
    rules: [Rule; 3],
    /// The number of messages that a room keeps.
    pub history: usize,
}

impl RoomDefinition {
    /// Makes a stored definition ready for use. A rule that does not compile locks.
    pub fn resolve(row: RoomDefinitionRow) -> Option<Self> {
        let pattern = RoomPattern::parse(&row.pattern).ok()?;
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

    /// Returns `true` if the caller may do this in the room with these parts.
    pub fn allows(&self, act: RoomAction, caller: &Caller, parts: &RoomNameParts) -> bool {
        Gate::of(&self.rules[act as usize], caller).passes(parts, caller)
    }
}

/// Compiles a rule of the rooms of a pattern.
pub fn compile(
    source: &str,
    pattern: &RoomPattern,
) -> Result<Predicate, Vec<crate::expr::Problem>> {
    Predicate::compile(source, pattern, Purpose::Rule { data: false })
}

fn report_invalid_rule(row: &RoomDefinitionRow) {
    tracing::error!(
        pattern = row.pattern,
        "a stored rule of a room is invalid: locked"
    );
}

/// All definitions at one moment, in the order in which they match.
#[derive(Debug, Default)]
pub struct RoomDefinitions(Vec<Arc<RoomDefinition>>);

impl RoomDefinitions {
    /// The definitions, in the order in which they match.
    pub fn new(mut definitions: Vec<Arc<RoomDefinition>>) -> Self {
        definitions.sort_by_cached_key(|definition| {
            (definition.pattern.rank(), definition.row.pattern.clone())
        });
        Self(definitions)
    }

    /// The definition of the room of that name, and the parts of the name.
    ///
    /// # Errors
    ///
    /// [`RoomError::Undefined`] if no pattern matches.
    pub fn find(&self, name: &str) -> Result<(Arc<RoomDefinition>, RoomNameParts), RoomError> {
        let matching = |definition: &Arc<RoomDefinition>| {
            Some((definition.clone(), definition.pattern.matches(name)?))
        };
        self.0.iter().find_map(matching).ok_or(RoomError::Undefined)
    }

    /// All definitions.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<RoomDefinition>> {
        self.0.iter()
    }
}
