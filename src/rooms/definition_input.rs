//! Changes of definitions, checked against the resulting definition.

use serde_json::Value as Json;

use super::definition::{RoomDefinitionRow, compile};
use super::pattern::RoomPattern;
use crate::error::{Error, FieldError, Problem, Result};

/// Upper limit of the messages that a room may keep.
pub const MAX_HISTORY_MESSAGES: i64 = 500;

/// A change of a definition, or a new one. An absent value changes nothing; null locks a rule.
#[derive(Clone, Debug, Default)]
pub struct RoomChange {
    /// Segments with `:` between them, each literal text or a part in braces: `doc:{id}`.
    pub pattern: Option<String>,
    /// The rule of joining: null locks, the empty text opens to the account's users, anything else
    /// is an expression.
    pub join_rule: Option<Json>,
    /// The rule of publishing.
    pub publish_rule: Option<Json>,
    /// The rule of being seen in the room, and seeing the others.
    pub presence_rule: Option<Json>,
    /// The number of messages that a room keeps, 0 to 500.
    pub history: Option<i64>,
}

impl RoomChange {
    /// Applies the input to a definition. Rules are checked against the resulting pattern.
    pub(super) fn apply(
        &self,
        mut row: RoomDefinitionRow,
    ) -> Result<(RoomDefinitionRow, RoomPattern)> {
        if let Some(pattern) = &self.pattern {
            row.pattern.clone_from(pattern);
        }
        let pattern = RoomPattern::parse(&row.pattern)
            .map_err(|problem| Error::invalid("pattern", "pattern_invalid", problem))?;
        let mut problems = Vec::new();
        if let Some(history) = self.history {
            if !(0..=MAX_HISTORY_MESSAGES).contains(&history) {
                let message = format!("A room remembers 0 to {MAX_HISTORY_MESSAGES} messages");
                problems.push(FieldError::new("history", "out_of_range", message));
            }
            row.history = history;
        }
        for (name, sent, stored) in [
            ("join_rule", &self.join_rule, &mut row.join_rule),
            ("publish_rule", &self.publish_rule, &mut row.publish_rule),
            ("presence_rule", &self.presence_rule, &mut row.presence_rule),
        ] {
            match sent {
                None => {}
                Some(Json::Null) => *stored = None,
                Some(Json::String(source)) => *stored = Some(source.clone()),
                Some(other) => {
                    let message = "Input should be a valid string";
                    return Err(Error::malformed(Problem::body(
                        name,
                        "string_type",
                        message,
                        other.clone(),
                    )));
                }
            }
            // Stored rules as well: the pattern may have changed.
            if let Some(source) = stored.as_deref().filter(|source| !source.is_empty()) {
                let found = compile(source, &pattern).err().unwrap_or_default();
                problems.extend(found.iter().map(|problem| {
                    let message = format!("{} (at position {})", problem.message, problem.position);
                    FieldError::new(name, "rule_invalid", message)
                }));
            }
        }
        if problems.is_empty() {
            Ok((row, pattern))
        } else {
            Err(Error::invalid_fields(problems))
        }
    }
}
