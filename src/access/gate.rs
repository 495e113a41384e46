//! The gate of a rule: what the rule means for a caller. No other file looks into a [`Rule`] to
//! decide about access.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Map, Value as Json};

use crate::auth::Caller;
use crate::expr::{CallerKey, Predicate};
use crate::schema::Rule;

/// Which records a rule lets pass for one caller.
#[derive(Clone, Copy, Debug)]
pub enum Gate<'r> {
    /// All of them: the rule is public, or the caller is a superadmin.
    Everything,
    /// None of them.
    Nothing(Denied),
    /// Those for which the expression is true.
    When(&'r Predicate),
}

/// Why nothing passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    /// The rule is locked: only superadmins pass.
    Locked,
    /// The rule is an expression, and anonymous callers satisfy none.
    Anonymous,
}

/// Gates of the same rule with equal keys let the same records pass.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum GateKey {
    /// All records pass.
    Everything,
    /// No record passes.
    Nothing,
    /// Those pass for which the rule's expression is true with these values of the caller's.
    When(CallerKey),
}

impl<'r> Gate<'r> {
    /// What a rule means for a caller.
    pub fn of(rule: &'r Rule, caller: &Caller) -> Self {
        if caller.is_superadmin() {
            return Self::Everything;
        }
        match (rule, caller) {
            (Rule::Public, _) => Self::Everything,
            (Rule::Locked, _) => Self::Nothing(Denied::Locked),
            (Rule::When(_), Caller::Anonymous { .. }) => Self::Nothing(Denied::Anonymous),
            (Rule::When(predicate), Caller::User(_)) => Self::When(predicate),
        }
    }

    /// The expression that decides, if one does.
    pub fn predicate(self) -> Option<&'r Predicate> {
        match self {
            Self::When(predicate) => Some(predicate),
            Self::Everything | Self::Nothing(_) => None,
        }
    }

    /// The expression that only the database can judge, because it reads other records.
    pub fn relational(self) -> Option<&'r Predicate> {
        self.predicate().filter(|predicate| predicate.relational())
    }

    /// Whether a record passes, judged in memory. A record that only the database can judge does
    /// not.
    pub fn passes(self, record: &Map<String, Json>, caller: &Caller) -> bool {
        match self {
            Self::Everything => true,
            Self::Nothing(_) => false,
            Self::When(predicate) => {
                predicate.eval(record, &caller.attributes(), None) == Some(true)
            }
        }
    }

    /// What the answers depend on besides the rule and the record.
    pub fn key(self, caller: &Caller) -> GateKey {
        match self {
            Self::Everything => GateKey::Everything,
            Self::Nothing(_) => GateKey::Nothing,
            Self::When(predicate) => GateKey::When(predicate.caller_key(&caller.attributes())),
        }
    }
}

/// The collections, by the names that stored macros use, and their fields that a rule reads besides
/// its own record, for any caller that it lets in. Empty if there are none.
pub fn other_records_read(rule: &Rule) -> impl Iterator<Item = (&str, &BTreeSet<Arc<str>>)> {
    let predicate = match rule {
        Rule::When(predicate) => Some(predicate),
        Rule::Public | Rule::Locked => None,
    };
    predicate.into_iter().flat_map(Predicate::collections)
}
