//! Query parameters and names that clients send.

use crate::error::{Error, Result};
use crate::http::extract::Query;

/// The longest name that a message to a client repeats, in characters.
const MAX_REPEATED_NAME: usize = 100;

/// Refuses unknown query parameters: a misspelt one would be ignored in silence.
///
/// # Errors
///
/// [`Error::Refused`] with the name of the first unknown parameter.
pub(super) fn refuse_unknown(query: &Query, known: &[&str]) -> Result<()> {
    match query.keys().find(|key| !known.contains(key)) {
        None => Ok(()),
        Some(key) => Err(Error::refused(
            "Invalid parameters",
            format!("unknown query parameter '{}'", shorten(key)),
        )),
    }
}

/// The beginning of a name that a client sent, as messages repeat it, without control characters.
pub(super) fn shorten(name: &str) -> String {
    name.chars()
        .take(MAX_REPEATED_NAME)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}
