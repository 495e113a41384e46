//! What is wrong with an expression, and where.

use serde::Serialize;

/// Why an expression was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Where: characters from the beginning of the source, the first is 0.
    pub position: usize,
    /// What is wrong, and what would be right.
    pub message: String,
}

/// A problem whose position still counts bytes.
#[derive(Clone, Debug)]
pub(super) struct Fault {
    at: usize,
    message: String,
}

impl Fault {
    pub fn new(at: usize, message: impl Into<String>) -> Self {
        Self {
            at,
            message: message.into(),
        }
    }

    /// What is wrong, without the place.
    pub fn into_message(self) -> String {
        self.message
    }

    pub fn problem(self, source: &str) -> Problem {
        let before = source
            .char_indices()
            .take_while(|(offset, _)| *offset < self.at);
        Problem {
            position: before.count(),
            message: self.message,
        }
    }
}
