//! `LIKE` in memory.

/// The longest pattern, in bytes; SQLite raises an error for longer ones. A longer pattern counts as NULL.
pub(super) const MAX_PATTERN: usize = 50_000;

/// Whether `text` matches `pattern`: `%` stands for any characters, `_` for one, ASCII letters match in either case.
/// U+FFFE and U+FFFF are no characters and count as U+FFFD, as they do for SQLite. There is no escape character. Takes at
/// most the product of the lengths.
pub(super) fn like(text: &str, pattern: &str) -> bool {
    let (mut text, mut pattern) = (text.chars(), pattern.chars());
    // After a `%`: the pattern behind it, and the text that it has not swallowed yet.
    let mut retry: Option<(std::str::Chars<'_>, std::str::Chars<'_>)> = None;
    loop {
        let before = text.clone();
        match (pattern.next(), text.next()) {
            (Some('%'), _) => {
                text = before;
                retry = Some((pattern.clone(), text.clone()));
            }
            (Some(p), Some(t)) if p == '_' || folded(p).eq_ignore_ascii_case(&folded(t)) => {}
            (None, None) => return true,
            _ => {
                let Some((after, left)) = &mut retry else { return false };
                if left.next().is_none() {
                    return false;
                }
                (pattern, text) = (after.clone(), left.clone());
            }
        }
    }
}

fn folded(c: char) -> char {
    if matches!(c, '\u{fffe}' | '\u{ffff}') { '\u{fffd}' } else { c }
}

/// Whether a pattern has a character that matches others, too, apart from letters.
pub(super) fn folds(pattern: &str) -> bool {
    pattern.contains(['\u{fffd}', '\u{fffe}', '\u{ffff}'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards() {
        for (text, pattern, matches) in [
            ("", "", true),
            ("", "%", true),
            ("", "_", false),
            ("abc", "abc", true),
            ("abc", "ABC", true),
            ("abc", "ab", false),
            ("abc", "%b%", true),
            ("abc", "a%", true),
            ("abc", "%c", true),
            ("abc", "a_c", true),
            ("abc", "a__c", false),
            ("äb", "_b", true),
            ("Äb", "äb", false),
            ("\u{fffe}b", "\u{ffff}B", true),
            ("a%b", "a%%b", true),
            ("a\\b", "a\\_", true),
            ("aXbXc", "%x%x%", true),
            ("aab", "%ab", true),
            ("abab", "%ab", true),
            ("mississippi", "m%iss%ip%", true),
            ("mississippi", "m%iss%ipq%", false),
        ] {
            assert_eq!(like(text, pattern), matches, "{text:?} ~ {pattern:?}");
        }
    }

    #[test]
    fn hostile_patterns_take_polynomial_time() {
        assert!(!like(&"a".repeat(20_000), &format!("{}b", "%a".repeat(200))));
    }
}
