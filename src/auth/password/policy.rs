//! What a password must have.

use crate::error::{Error, FieldError, Result};

const LENGTH: usize = 12;
const SYMBOLS: &str = r#"!@#$%^&*()_+-=[]{};':"\|,.<>/?`~"#;

/// A requirement: its code, what it asks for, and whether a password meets it.
type Requirement = (&'static str, &'static str, fn(&str) -> bool);

const REQUIREMENTS: [Requirement; 5] = [
    (
        "password_too_short",
        "Password must be at least 12 characters",
        |p| p.chars().count() >= LENGTH,
    ),
    (
        "password_no_uppercase",
        "Password must contain at least one uppercase letter",
        |p| has(p, |c| c.is_ascii_uppercase()),
    ),
    (
        "password_no_lowercase",
        "Password must contain at least one lowercase letter",
        |p| has(p, |c| c.is_ascii_lowercase()),
    ),
    (
        "password_no_digit",
        "Password must contain at least one digit",
        |p| has(p, |c| c.is_ascii_digit()),
    ),
    (
        "password_no_special",
        "Password must contain at least one special character",
        |p| has(p, |c| SYMBOLS.contains(c)),
    ),
];

fn has(password: &str, wanted: impl Fn(char) -> bool) -> bool {
    password.chars().any(wanted)
}

/// Refuses a password that breaks the policy, with everything that is wrong with it.
pub fn check(password: &str) -> Result<()> {
    let fields = broken(password);
    if fields.is_empty() {
        Ok(())
    } else {
        Err(Error::Invalid { fields })
    }
}

/// The same for a password that takes the place of another, or is given by a superadmin: the answer
/// has another form.
pub fn check_new(password: &str) -> Result<()> {
    let fields = broken(password);
    if fields.is_empty() {
        Ok(())
    } else {
        Err(Error::WeakPassword { fields })
    }
}

fn broken(password: &str) -> Vec<FieldError> {
    let password = super::normalize(password);
    let broken = REQUIREMENTS.iter().filter(|(_, _, met)| !met(&password));
    broken
        .map(|(code, message, _)| FieldError::new("password", *code, *message))
        .collect()
}
