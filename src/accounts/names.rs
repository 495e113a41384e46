//! Account codes, slugs and e-mail addresses: how they are made and what they may be.

use unicode_normalization::UnicodeNormalization as _;

use crate::error::{Error, Problem, Result};

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
    let number = if number / PER_LETTERS == RESERVED { (RESERVED + 1) * PER_LETTERS } else { number };
    let letters = number / PER_LETTERS;
    let letter = |index: u32| u8::try_from(index).ok().map(|index| char::from(b'A' + index));
    if letters >= 26 * 26 {
        return None;
    }
    Some(format!("{}{}{:04}", letter(letters / 26)?, letter(letters % 26)?, number % PER_LETTERS))
}

const fn u32_of_letters(first: u8, second: u8) -> u32 {
    first.saturating_sub(b'A') as u32 * 26 + second.saturating_sub(b'A') as u32
}

/// Checks a slug that somebody chose; it is taken in lower case.
pub fn parse_slug(text: &str) -> Result<String> {
    let slug = text.trim().to_lowercase();
    let wrong = |code: &str, message: &str| Err(Error::invalid("account_slug", code, message));
    match slug.chars().count() {
        0..3 => return wrong("slug_too_short", "Slug must be at least 3 characters"),
        33.. => return wrong("slug_too_long", "Slug must be at most 32 characters"),
        _ => {}
    }
    if !slug.starts_with(|c: char| c.is_ascii_lowercase()) {
        return wrong("slug_invalid_start", "Slug must start with a letter");
    }
    if !slug.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-') {
        return wrong("slug_invalid_chars", "Slug must contain only lowercase letters, numbers, and hyphens");
    }
    Ok(slug)
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
    let slug = slug.trim_matches('-').trim_start_matches(|c: char| c.is_ascii_digit() || c == '-');
    let slug = slug.get(..32).unwrap_or(slug).trim_end_matches('-');
    if slug.len() < 3 { FALLBACK.to_owned() } else { slug.to_owned() }
}

/// An e-mail address in the form in which it is stored and compared: lower case. `key` is where it was sent.
pub fn parse_email(text: &str, key: &str) -> Result<String> {
    let email = text.trim().to_lowercase();
    if is_email(&email) {
        return Ok(email);
    }
    let msg = "value is not a valid email address: it must look like name@example.com";
    let reason = serde_json::json!({"reason": "it must look like name@example.com"});
    Err(Error::malformed(Problem::body(key, "value_error", msg, text.into()).with(reason)))
}

fn is_email(email: &str) -> bool {
    let Some((local, domain)) = email.rsplit_once('@') else { return false };
    let plain = |c: char| !c.is_whitespace() && !c.is_control() && !"()<>[]:;\\,\"@".contains(c);
    let dotted = |text: &str| text.split('.').all(|part| !part.is_empty());
    let label = |label: &str| label.len() <= 63 && !label.starts_with('-') && !label.ends_with('-');
    (1..=64).contains(&local.len())
        && email.len() <= 254
        && dotted(local)
        && local.chars().all(plain)
        && dotted(domain)
        && domain.split('.').all(label)
        && domain.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '.')
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
            ("日本語", "account"),
            ("A very long name that does not fit anywhere", "a-very-long-name-that-does-not-f"),
        ];
        for (name, slug) in cases {
            assert_eq!(slug_of(name), slug, "{name}");
        }
    }

    #[test]
    fn chosen_slugs() {
        for (text, slug) in [("Acme", "acme"), ("a-1", "a-1"), ("abc-", "abc-")] {
            assert_eq!(parse_slug(text).unwrap(), slug);
        }
        let long = "a".repeat(33);
        let cases = [
            ("ab", "slug_too_short"),
            (long.as_str(), "slug_too_long"),
            ("1abc", "slug_invalid_start"),
            ("-abc", "slug_invalid_start"),
            ("Bad_Slug!", "slug_invalid_chars"),
            ("äbc", "slug_invalid_start"),
        ];
        for (text, code) in cases {
            let Err(Error::Invalid { fields, .. }) = parse_slug(text) else { panic!("{text}") };
            assert_eq!((fields[0].field.as_str(), fields[0].code.as_str()), ("account_slug", code), "{text}");
        }
    }

    #[test]
    fn addresses() {
        let good = ["Ann@Example.com", "a.b+c@acme.test", "x@localhost", "ü@müller.example", "o'brien@example.org"];
        for text in good {
            assert_eq!(parse_email(text, "email").unwrap(), text.to_lowercase());
        }
        let bad = [
            "",
            "ann",
            "@example.com",
            "ann@",
            "a b@example.com",
            "a@b@c.example",
            "a..b@example.com",
            "a@-example.com",
            "a@example..com",
            "a@exam ple.com",
            "a\n@example.com",
            "<a>@example.com",
        ];
        for text in bad {
            assert!(matches!(parse_email(text, "email"), Err(Error::Malformed { .. })), "{text}");
        }
    }
}
