//! Slugs of accounts: the names in URLs and at sign-in.

/// The slug of the system account.
pub const SYSTEM_SLUG: &str = "system";

/// Why a text cannot be the slug of a new account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlugProblem {
    /// A slug for programs.
    pub code: &'static str,
    /// What is wrong.
    pub message: &'static str,
}

/// Reads a slug that somebody chose, in lower case.
///
/// # Errors
/// Refuses what is too short or too long, does not start with a letter, has other characters than
/// letters, digits and hyphens, or looks like the code of an account.
pub fn parse(text: &str) -> Result<String, SlugProblem> {
    let slug = text.trim().to_lowercase();
    let wrong = |code, message| Err(SlugProblem { code, message });
    match slug.chars().count() {
        0..3 => return wrong("slug_too_short", "Slug must be at least 3 characters"),
        33.. => return wrong("slug_too_long", "Slug must be at most 32 characters"),
        _ => {}
    }
    if !slug.starts_with(|c: char| c.is_ascii_lowercase()) {
        return wrong("slug_invalid_start", "Slug must start with a letter");
    }
    if !slug
        .bytes()
        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    {
        return wrong(
            "slug_invalid_chars",
            "Slug must contain only lowercase letters, numbers, and hyphens",
        );
    }
    if is_account_code(&slug) {
        return wrong(
            "slug_reserved",
            "Slug must not look like an account code: two letters and four digits",
        );
    }
    Ok(slug)
}

/// Whether a text has the form of an account's code, in either case: `AB1234`. A code names one
/// account only, so that an account with such a slug could not be reached by it.
pub fn is_account_code(text: &str) -> bool {
    let (letters, digits) = text.split_at_checked(2).unwrap_or_default();
    digits.len() == 4
        && letters.bytes().all(|b| b.is_ascii_alphabetic())
        && digits.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chosen_slugs() {
        for (text, slug) in [
            ("Acme", "acme"),
            ("a-1", "a-1"),
            ("abc-", "abc-"),
            ("aa00011", "aa00011"),
        ] {
            assert_eq!(parse(text).unwrap(), slug);
        }
        let long = "a".repeat(33);
        let cases = [
            ("ab", "slug_too_short"),
            (long.as_str(), "slug_too_long"),
            ("1abc", "slug_invalid_start"),
            ("-abc", "slug_invalid_start"),
            ("Bad_Slug!", "slug_invalid_chars"),
            ("äbc", "slug_invalid_start"),
            ("aa0001", "slug_reserved"),
            (" SY0000 ", "slug_reserved"),
        ];
        for (text, code) in cases {
            assert_eq!(parse(text).unwrap_err().code, code, "{text}");
        }
    }

    #[test]
    fn codes_are_two_letters_and_four_digits() {
        for code in ["AA0001", "sy0000", "zZ9999"] {
            assert!(is_account_code(code), "{code}");
        }
        for other in [
            "", "a", "ü0001", "aa001", "aa00011", "a00001", "aaa001", "acme", "aa-001",
        ] {
            assert!(!is_account_code(other), "{other}");
        }
    }
}
