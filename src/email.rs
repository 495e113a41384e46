//! E-mail addresses: one reader for addresses to sign in with and for fields of records.
//!
//! Takes what people have: apostrophes, letters of any script on both sides of the `@` (RFC 6531),
//! tags after a `+`, domains in Unicode or in their `xn--` form. Quoted local parts, comments and
//! addresses of hosts in brackets are refused. Lengths are those of RFC 5321, in bytes of UTF-8.

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

/// The longest address, in bytes.
const MAX_ADDRESS_BYTES: usize = 254;
/// The longest part before the `@`, in bytes.
const MAX_LOCAL_BYTES: usize = 64;
/// The longest part of a domain between two dots, in bytes.
const MAX_LABEL_BYTES: usize = 63;

/// The address as it is stored: composed letters (NFC), the domain in lower case. `None` if it is
/// not an address.
pub fn normalize(text: &str) -> Option<String> {
    // Composition at most triples the bytes of a text: nothing longer can become an address.
    if text.len() > 3 * MAX_ADDRESS_BYTES {
        return None;
    }
    let composed: String = text.nfc().collect();
    let (local, domain) = composed.rsplit_once('@')?;
    let domain: String = domain.to_lowercase().nfc().collect();
    let is_address = local.len() + 1 + domain.len() <= MAX_ADDRESS_BYTES
        && is_local_part(local)
        && is_domain(&domain);
    is_address.then(|| format!("{local}@{domain}"))
}

/// The address that two spellings of one person's have in common: [`normalize`], all of it in lower
/// case.
pub fn normalize_identity(text: &str) -> Option<String> {
    let lower: String = normalize(text.trim())?.to_lowercase().nfc().collect();
    // Lower case can take more bytes.
    (lower.len() <= MAX_ADDRESS_BYTES).then_some(lower)
}

fn is_local_part(local: &str) -> bool {
    let is_plain = |c: char| {
        !c.is_whitespace() && !c.is_control() && !is_invisible(c) && !"()<>[]:;\\,\"@".contains(c)
    };
    (1..=MAX_LOCAL_BYTES).contains(&local.len())
        && local.split('.').all(|part| !part.is_empty())
        && local.chars().all(is_plain)
}

fn is_domain(domain: &str) -> bool {
    let is_letter = |c: char| c.is_alphanumeric() || is_combining_mark(c) || c == '-';
    domain.split('.').all(|label| {
        (1..=MAX_LABEL_BYTES).contains(&label.len())
            && !label.starts_with(|c: char| c == '-' || is_combining_mark(c))
            && !label.ends_with('-')
            && label.chars().all(is_letter)
    })
}

/// Characters that nobody sees, or that turn the order of others around.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn addresses_that_people_have_are_taken() {
        let cases = [
            ("Ann@Example.com", "Ann@example.com"),
            ("a.b+c@acme.test", "a.b+c@acme.test"),
            ("o'brien@example.org", "o'brien@example.org"),
            (
                "#!$%&*/=?^_`{}|~@example.com",
                "#!$%&*/=?^_`{}|~@example.com",
            ),
            ("first/last@example.com", "first/last@example.com"),
            (
                "Ju\u{308}rgen@MU\u{308}LLER.example",
                "J\u{fc}rgen@m\u{fc}ller.example",
            ),
            ("info@xn--mller-kva.example", "info@xn--mller-kva.example"),
            ("user@пример.РФ", "user@пример.рф"),
            ("user@उदाहरण.परीक्षा", "user@उदाहरण.परीक्षा"),
            ("a@b.museum", "a@b.museum"),
            ("x@localhost", "x@localhost"),
        ];
        for (text, stored) in cases {
            assert_eq!(normalize(text).as_deref(), Some(stored), "{text}");
            assert_eq!(
                normalize_identity(&format!(" {text} ")),
                Some(stored.to_lowercase()),
                "{text}"
            );
        }
    }

    #[test]
    fn what_cannot_be_an_address_is_refused() {
        let long = "a".repeat(65);
        let cases = [
            "",
            "ann",
            "a@",
            "@b.cd",
            "a b@c.de",
            "a@b..cd",
            "a@.b.cd",
            "a@b.cd.",
            "a@@b.cd",
            "a@b@c.de",
            "a@b.cd\n",
            " a@b.cd",
            "<a@b.cd>",
            "a@b.cd, c@d.ef",
            ".a@b.cd",
            "a.@b.cd",
            "a..b@c.de",
            "a@-b.cd",
            "a@b-.cd",
            "a@b_c.de",
            "a@[127.0.0.1]",
            "\"a b\"@c.de",
            "a\u{0}@b.cd",
            "a@b\u{0}.cd",
            "\u{202e}a@b.cd",
            "a\u{200b}@b.cd",
            "a@\u{301}b.cd",
        ];
        for text in cases {
            assert_eq!(normalize(text), None, "{text:?}");
        }
        for text in [
            format!("{long}@b.cd"),
            format!("a@{long}.cd"),
            format!("a@{}b", "b.".repeat(127)),
            "a@".repeat(9999),
        ] {
            assert_eq!(normalize(&text), None, "{text}");
        }
        assert!(normalize(&format!("{}@{}.cd", "a".repeat(64), "b".repeat(63))).is_some());
    }

    proptest! {
        #[test]
        fn a_normalized_address_stays_as_it_is(text in "[a-zA-ZäÄßİſΣς'+.\u{308}\u{301}]{1,12}@[a-zA-ZäÄßİΣς.\u{308}-]{1,12}") {
            if let Some(stored) = normalize(&text) {
                prop_assert_eq!(normalize(&stored), Some(stored.clone()));
            }
            if let Some(identity) = normalize_identity(&text) {
                prop_assert_eq!(normalize_identity(&identity), Some(identity.clone()));
            }
        }
    }
}
