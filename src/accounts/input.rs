//! The inputs of operations on accounts and users, and checks that inputs have in common.

use serde_json::{Value as Json, json};

use crate::error::{Error, Problem, Result};

/// A registration.
#[derive(Clone, Debug)]
pub struct NewRegistration {
    /// The address to sign in with.
    pub email: String,
    /// The password.
    pub password: String,
    /// The name of the account to be made.
    pub account_name: Option<String>,
    /// The slug of the account to be made; follows from the name if it is absent.
    pub account_slug: Option<String>,
}

/// A sign-in.
#[derive(Clone, Debug)]
pub struct SignIn {
    /// The account's slug, code or id; not needed in single-tenant mode.
    pub account: Option<String>,
    /// The address.
    pub email: String,
    /// The password.
    pub password: String,
}

/// Whose address is to be confirmed.
#[derive(Clone, Debug, Default)]
pub struct VerificationTarget {
    /// The address; the caller's own if it is absent.
    pub email: Option<String>,
    /// The account, for callers who are not signed in.
    pub account: Option<String>,
}

/// Who has forgotten a password.
#[derive(Clone, Debug)]
pub struct ForgottenPassword {
    /// The address.
    pub email: String,
    /// The account's slug, code or id; not needed in single-tenant mode.
    pub account: Option<String>,
}

/// A new password, with the token out of a mail.
#[derive(Clone, Debug)]
pub struct PasswordReset {
    /// The token.
    pub token: String,
    /// The new password.
    pub new_password: String,
}

/// The first superadmin.
#[derive(Clone, Debug)]
pub struct FirstSuperadmin {
    /// The token that the server printed when it started.
    pub token: String,
    /// The superadmin's address.
    pub email: String,
    /// The superadmin's password.
    pub password: String,
}

/// A new account.
#[derive(Clone, Debug)]
pub struct NewAccount {
    /// The name.
    pub name: String,
    /// The slug; follows from the name if it is absent.
    pub slug: Option<String>,
}

/// A new user.
#[derive(Clone, Debug, Default)]
pub struct UserDraft {
    /// The address.
    pub email: String,
    /// The password; needed unless the user signs in another way.
    pub password: Option<String>,
    /// The account's id. A user of the system account is a superadmin, whatever the role.
    pub account_id: String,
    /// The role's id.
    pub role_id: Option<i64>,
    /// The role's name, if its id is absent.
    pub role: Option<String>,
    /// Whether the user may sign in.
    pub is_active: bool,
    /// Whether the address counts as confirmed.
    pub email_verified: bool,
    /// `password`, or how else the user signs in.
    pub auth_provider: Option<String>,
    /// The provider's name.
    pub auth_provider_name: Option<String>,
    /// The user's id at the provider.
    pub external_id: Option<String>,
    /// The user's address at the provider.
    pub external_email: Option<String>,
    /// What the provider tells of the user.
    pub profile_data: Option<Json>,
}

/// A change of a user; what is absent or null stays.
#[derive(Clone, Debug, Default)]
pub struct UserChange {
    /// The address.
    pub email: Option<String>,
    /// The role's id.
    pub role_id: Option<i64>,
    /// The role's name.
    pub role: Option<String>,
    /// Whether the user may sign in.
    pub is_active: Option<bool>,
    /// Whether the address counts as confirmed; a new address does not, unless this says so.
    pub email_verified: Option<bool>,
    /// `password`, or how else the user signs in.
    pub auth_provider: Option<String>,
    /// The provider's name.
    pub auth_provider_name: Option<String>,
    /// The user's id at the provider.
    pub external_id: Option<String>,
    /// The user's address at the provider.
    pub external_email: Option<String>,
    /// What the provider tells of the user.
    pub profile_data: Option<Json>,
}

/// A new password for a user, or a mail with which the user sets one.
#[derive(Clone, Debug, Default)]
pub struct PasswordChange {
    /// The new password.
    pub new_password: Option<String>,
    /// Whether a mail is sent instead.
    pub send_reset_link: bool,
}

/// Collects what does not fit in a request, so that all of it is told at once.
#[derive(Default)]
pub(super) struct Checks {
    problems: Vec<Problem>,
    other: Option<Error>,
}

impl Checks {
    /// A value that was checked; what is wrong with it is kept.
    pub fn take<T>(&mut self, checked: Result<T>) -> Option<T> {
        match checked {
            Ok(value) => return Some(value),
            Err(Error::Malformed { problems }) => self.problems.extend(problems),
            Err(other) => self.other = self.other.take().or(Some(other)),
        }
        None
    }

    /// Adds a problem.
    pub fn add(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    /// The value if nothing was wrong with it nor with anything else, or everything that was.
    pub fn done<T>(self, value: Option<T>) -> Result<T> {
        match (value, self.other) {
            (Some(value), None) if self.problems.is_empty() => Ok(value),
            (_, Some(other)) if self.problems.is_empty() => Err(other),
            _ => Err(Error::Malformed {
                problems: self.problems,
            }),
        }
    }
}

/// Refuses texts that are too short or too long, or that PostgreSQL does not store.
pub(super) fn length(
    key: &str,
    text: &str,
    allowed: std::ops::RangeInclusive<usize>,
) -> Result<()> {
    let length = text.chars().count();
    let problem = |kind: &str, msg: String| Problem::body(key, kind, msg, Json::Null);
    Err(Error::malformed(if text.contains('\0') {
        problem(
            "value_error",
            "Input must not contain NUL characters".to_owned(),
        )
    } else if length < *allowed.start() {
        let msg = format!("String should have at least {} characters", allowed.start());
        problem("string_too_short", msg).with(json!({"min_length": allowed.start()}))
    } else if length > *allowed.end() {
        let msg = format!("String should have at most {} characters", allowed.end());
        problem("string_too_long", msg).with(json!({"max_length": allowed.end()}))
    } else {
        return Ok(());
    }))
}

/// A name for people: in one line, however it was sent. Space of any kind becomes one space.
///
/// # Errors
/// Refuses other control characters, those that turn the order of letters around, and other lengths
/// than allowed.
pub(super) fn name(
    key: &str,
    text: &str,
    allowed: std::ops::RangeInclusive<usize>,
) -> Result<String> {
    length(key, text, allowed.clone())?;
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().any(is_unprintable) {
        let msg = "Input must be one line without control characters";
        return Err(Error::malformed(Problem::body(
            key,
            "value_error",
            msg,
            Json::Null,
        )));
    }
    length(key, &line, allowed)?;
    Ok(line)
}

/// Characters that no name has: nobody sees them, or they change how the rest is shown.
fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_in_one_line() {
        let cases = [
            ("Acme", Some("Acme")),
            (
                "  Acme \n\n Your mailbox\tis\r\nfull \u{2028}",
                Some("Acme Your mailbox is full"),
            ),
            (
                "علی\u{200c}رضا & Söhne 👩\u{200d}🚀",
                Some("علی\u{200c}رضا & Söhne 👩\u{200d}🚀"),
            ),
            ("a\u{0}b", None),
            ("a\u{1b}[31mb", None),
            ("a\u{202e}b", None),
            ("a\u{7f}", None),
            (" \n ", None),
            ("0123456789 0123456789", None),
        ];
        for (text, line) in cases {
            let longest = if text.starts_with('0') { 20 } else { 100 };
            assert_eq!(
                name("name", text, 1..=longest).ok().as_deref(),
                line,
                "{text:?}"
            );
        }
    }
}
