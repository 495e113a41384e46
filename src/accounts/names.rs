//! Account codes, slugs and e-mail addresses: how they are made and what they may be.

use unicode_normalization::UnicodeNormalization as _;

use crate::error::{Error, Problem, Result};
use crate::{email, slug};

/// The letters that codes of the system begin with.
const RESERVED: u32 = u32_of_letters(b'S', b'Y');
const PER_LETTERS: u32 = 10_000;
/// What a slug is made of when its name yields none.
const FALLBACK: &str = "account";

/// The code after the highest one that is taken; `None` if there are no more.
pub fn next_code(highest: Option<&str>) -> Option<String> {
    let number = match highest {
        None => 1,
        Some(code) => {
            let (letters, digits) = code.split_at_checked(2)?;
            let letters = letters.as_bytes();
            u32_of_letters(letters[0], letters[1]) * PER_LETTERS + digits.parse::<u32>().ok()? + 1
        }
    };
    let number = if number / PER_LETTERS == RESERVED {
        (RESERVED + 1) * PER_LETTERS
    } else {
        number
    };
    let letters = number / PER_LETTERS;
    let letter = |index: u32| {
        u8::try_from(index)
            .ok()
            .map(|index| char::from(b'A' + index))
    };
    if letters >= 26 * 26 {
        return None;
    }
    Some(format!(
        "{}{}{:04}",
        letter(letters / 26)?,
        letter(letters % 26)?,
        number % PER_LETTERS
    ))
}

const fn u32_of_letters(first: u8, second: u8) -> u32 {
    first.saturating_sub(b'A') as u32 * 26 + second.saturating_sub(b'A') as u32
}

/// Checks a slug that somebody chose; it is taken in lower case.
pub fn parse_slug(text: &str) -> Result<String> {
    slug::parse(text)
        .map_err(|problem| Error::invalid("account_slug", problem.code, problem.message))
}

/// The slug that follows from a name.
pub fn slug_of(name: &str) -> String {
    let mut slug = String::new();
    for letter in name.nfkd().filter(char::is_ascii) {
        if letter.is_ascii_alphanumeric() {
            slug.push(letter.to_ascii_lowercase());
        } else if !slug.ends_with('-') {
            slug.push('-');
        }
    }
    let slug = slug
        .trim_matches('-')
        .trim_start_matches(|c: char| c.is_ascii_digit() || c == '-');
    let slug = slug.get(..32).unwrap_or(slug).trim_end_matches('-');
    match slug {
        short if short.len() < 3 => FALLBACK.to_owned(),
        code if slug::is_account_code(code) => format!("{FALLBACK}-{code}"),
        slug => slug.to_owned(),
    }
}

/// An e-mail address in the form in which it is stored and compared: composed, in lower case. `key`
/// is where it was sent.
pub fn parse_email(text: &str, key: &str) -> Result<String> {
    email::normalize_identity(text).ok_or_else(|| {
        let msg = "value is not a valid email address: it must look like name@example.com";
        let reason = serde_json::json!({"reason": "it must look like name@example.com"});
        Error::malformed(Problem::body(key, "value_error", msg, text.into()).with(reason))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_go_on_after_the_highest_and_pass_over_the_reserved_letters() {
        let cases = [
            (None, Some("AA0001")),
            (Some("AA0001"), Some("AA0002")),
            (Some("AA9999"), Some("AB0000")),
            (Some("AZ9999"), Some("BA0000")),
            (Some("SX9999"), Some("SZ0000")),
            (Some("AC0001"), Some("AC0002")),
            (Some("ZZ9999"), None),
        ];
        for (highest, next) in cases {
            assert_eq!(next_code(highest).as_deref(), next, "{highest:?}");
        }
    }

    #[test]
    fn slugs_of_names() {
        let cases = [
            ("Acme Corp", "acme-corp"),
            ("Test & Company, Inc.", "test-company-inc"),
            ("123 Numbers First", "numbers-first"),
            ("Ünïcode Café", "unicode-cafe"),
            ("ab", "account"),
            ("!!", "account"),
            ("9", "account"),
            ("AB 12", "ab-12"),
            ("AB1234", "account-ab1234"),
            ("日本語", "account"),
            (
                "A very long name that does not fit anywhere",
                "a-very-long-name-that-does-not-f",
            ),
        ];
        for (name, slug) in cases {
            assert_eq!(slug_of(name), slug, "{name}");
        }
    }

    #[test]
    fn addresses_are_compared_in_lower_case() {
        assert_eq!(
            parse_email(" Ann@Example.com", "email").unwrap(),
            "ann@example.com"
        );
        assert!(matches!(
            parse_email("a..b@example.com", "email"),
            Err(Error::Malformed { .. })
        ));
    }
}
