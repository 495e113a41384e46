//! Patterns of `~`: one matcher for memory and SQLite, and the form that PostgreSQL's `LIKE` takes.
//!
//! `%` stands for any characters, `_` for one; a backslash in front of `%`, `_` or `\` takes it as
//! itself, and is itself in front of anything else. ASCII letters match in either case. U+FFFE and
//! U+FFFF are no characters and count as U+FFFD.
//!
//! A match takes time in proportion to the text, however hostile the pattern: the pieces between
//! two `%` are searched for from left to right, those without `_` as bytes in linear time
//! ([`memchr::memmem`]), the others with one bit for each position of the piece (the shift-and
//! algorithm of Baeza-Yates and Gonnet, 1992).

use std::cell::RefCell;
use std::cmp::Ordering;
use std::collections::HashMap;

use memchr::memchr;
use memchr::memmem::Finder;

use super::dialect::Dialect;
use super::sql::Sql;

/// The longest pattern, in characters. A longer one counts as NULL.
pub const MAX_PATTERN_CHARS: usize = 1_000;

/// SQLite offers a safe way to call a comparison of ours, but not a function: the matcher is the
/// collation of this name, for which a text and a pattern that it matches are equal.
pub(super) const SQLITE_MATCHER: &str = "snackbase_like";

/// Up to this product of the lengths, trying every position is quicker than preparing the bits.
const SHORT_SEARCH: usize = 4_096;

/// One element of a pattern.
#[derive(Clone, Copy, Debug, PartialEq)]
enum PatternElement {
    /// `%`
    Any,
    /// `_`
    One,
    Char(char),
}

/// What stands between two `%`.
#[derive(Debug)]
enum PatternPiece {
    /// Without `_`.
    Literal(Box<Finder<'static>>),
    Wild(Box<[PatternElement]>),
}

/// A pattern, read: one piece more than it has `%`.
#[derive(Debug)]
struct LikePattern {
    source: Box<str>,
    pieces: Vec<PatternPiece>,
}

thread_local! {
    /// The pattern that was matched last: a statement asks about one text after another.
    static LAST_PATTERN: RefCell<Option<LikePattern>> = const { RefCell::new(None) };
}

/// The pattern of `lower(…) LIKE … ESCAPE '\'` for texts that contain a part.
pub fn containing(part: &str) -> String {
    let escaped = part
        .to_lowercase()
        .replace('\\', "\\\\")
        .replace('%', "\\%")
        .replace('_', "\\_");
    format!("%{escaped}%")
}

/// Whether `text` matches `pattern`.
pub fn matches_pattern(text: &str, pattern: &str) -> bool {
    LAST_PATTERN.with_borrow_mut(|last| match last {
        Some(known) if *known.source == *pattern => known.matches(text),
        _ => last.insert(LikePattern::read(pattern)).matches(text),
    })
}

impl LikePattern {
    fn read(source: &str) -> Self {
        let elements: Vec<PatternElement> = elements(source).collect();
        let pieces = elements
            .split(|element| *element == PatternElement::Any)
            .map(PatternPiece::read)
            .collect();
        Self {
            source: source.into(),
            pieces,
        }
    }

    fn matches(&self, text: &str) -> bool {
        let text = folded(text);
        let Some((first, others)) = self.pieces.split_first() else {
            return text.is_empty();
        };
        let Some(rest) = first.after_prefix(&text) else {
            return false;
        };
        let Some((last, between)) = others.split_last() else {
            return rest.is_empty();
        };
        let Some(rest) = last.before_suffix(rest) else {
            return false;
        };
        between
            .iter()
            .try_fold(rest, |rest, piece| piece.after_found(rest))
            .is_some()
    }
}

impl PatternPiece {
    fn read(elements: &[PatternElement]) -> Self {
        let char_of = |element: &PatternElement| {
            if let PatternElement::Char(c) = element {
                Some(*c)
            } else {
                None
            }
        };
        match elements.iter().map(char_of).collect::<Option<String>>() {
            Some(literal) => Self::Literal(Box::new(Finder::new(&literal).into_owned())),
            None => Self::Wild(elements.into()),
        }
    }

    /// What follows the piece at the beginning of a text.
    fn after_prefix<'t>(&self, text: &'t str) -> Option<&'t str> {
        match self {
            Self::Literal(literal) if text.as_bytes().starts_with(literal.needle()) => {
                text.get(literal.needle().len()..)
            }
            Self::Literal(_) => None,
            Self::Wild(piece) => after_prefix(text, piece),
        }
    }

    /// What precedes the piece at the end of a text.
    fn before_suffix<'t>(&self, text: &'t str) -> Option<&'t str> {
        match self {
            Self::Literal(literal) if text.as_bytes().ends_with(literal.needle()) => {
                text.get(..text.len() - literal.needle().len())
            }
            Self::Literal(_) => None,
            Self::Wild(piece) => {
                let mut chars = text.chars();
                piece
                    .iter()
                    .rev()
                    .all(|element| fits(*element, chars.next_back()))
                    .then_some(chars.as_str())
            }
        }
    }

    /// What follows the first place of the piece in a text.
    fn after_found<'t>(&self, text: &'t str) -> Option<&'t str> {
        match self {
            Self::Literal(literal) => {
                text.get(literal.find(text.as_bytes())? + literal.needle().len()..)
            }
            Self::Wild(piece) if text.len().saturating_mul(piece.len()) <= SHORT_SEARCH => text
                .char_indices()
                .find_map(|(at, _)| after_prefix(&text[at..], piece)),
            Self::Wild(piece) => after_found_by_bits(text, piece),
        }
    }
}

/// Upper limit of the bytes that a match looks at, where a step over several positions of a piece
/// counts as several.
pub fn pattern_steps(text: &str, pattern: &str) -> usize {
    let words = if pattern.contains('_') {
        pattern.len().div_ceil(64)
    } else {
        1
    };
    text.len()
        .saturating_mul(words)
        .saturating_add(pattern.len())
}

/// Whether a pattern is short enough to be one.
pub fn is_pattern(pattern: &str) -> bool {
    pattern.len() <= MAX_PATTERN_CHARS || pattern.chars().nth(MAX_PATTERN_CHARS).is_none()
}

/// The matcher as a collation.
pub(super) fn compare_with_pattern(text: &str, pattern: &str) -> Ordering {
    if matches_pattern(text, pattern) {
        Ordering::Equal
    } else {
        Ordering::Less
    }
}

fn elements(pattern: &str) -> impl Iterator<Item = PatternElement> {
    let mut chars = pattern.chars().peekable();
    std::iter::from_fn(move || {
        Some(match chars.next()? {
            '%' => PatternElement::Any,
            '_' => PatternElement::One,
            '\\' => PatternElement::Char(
                chars
                    .next_if(|next| matches!(next, '%' | '_' | '\\'))
                    .unwrap_or('\\'),
            ),
            '\u{fffe}' | '\u{ffff}' => PatternElement::Char('\u{fffd}'),
            other => PatternElement::Char(other.to_ascii_lowercase()),
        })
    })
}

/// The text as patterns see it.
fn folded(text: &str) -> String {
    let mut text = text.to_ascii_lowercase();
    // Both begin with this byte.
    if memchr(0xef, text.as_bytes()).is_some() && text.contains(['\u{fffe}', '\u{ffff}']) {
        text = text.replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}");
    }
    text
}

/// What follows some elements at the beginning of a text.
fn after_prefix<'t>(text: &'t str, piece: &[PatternElement]) -> Option<&'t str> {
    let mut chars = text.chars();
    piece
        .iter()
        .all(|element| fits(*element, chars.next()))
        .then_some(chars.as_str())
}

fn fits(element: PatternElement, c: Option<char>) -> bool {
    match (element, c) {
        (PatternElement::Char(wanted), Some(c)) => wanted == c,
        (_, c) => c.is_some(),
    }
}

/// What follows the first place of a piece with `_`. For every position of the piece, one bit says
/// whether the characters before end like the piece up to there.
fn after_found_by_bits<'t>(text: &'t str, piece: &[PatternElement]) -> Option<&'t str> {
    const BITS: usize = u64::BITS as usize;
    let words = piece.len().div_ceil(BITS);
    let mut anywhere = vec![0_u64; words];
    let mut places: HashMap<char, Vec<u64>> = HashMap::new();
    for (position, element) in piece.iter().enumerate() {
        let bits = match element {
            PatternElement::Char(c) => places.entry(*c).or_insert_with(|| vec![0; words]),
            _ => &mut anywhere,
        };
        bits[position / BITS] |= 1 << (position % BITS);
    }
    for bits in places.values_mut() {
        bits.iter_mut()
            .zip(&anywhere)
            .for_each(|(bits, anywhere)| *bits |= anywhere);
    }
    let last = piece.len() - 1;
    let mut state = vec![0_u64; words];
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        let mut carry = 1;
        for (state, fitting) in state.iter_mut().zip(places.get(&c).unwrap_or(&anywhere)) {
            let next = *state >> (BITS - 1);
            *state = (*state << 1 | carry) & fitting;
            carry = next;
        }
        if state[last / BITS] >> (last % BITS) & 1 == 1 {
            return Some(chars.as_str());
        }
    }
    None
}

/// The pattern as PostgreSQL takes it: in lower case, and every backslash that stands for itself
/// doubled.
fn postgres_pattern(pattern: &str) -> String {
    let mut written = String::with_capacity(pattern.len());
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        written.push(c.to_ascii_lowercase());
        if c == '\\' {
            written.push(
                chars
                    .next_if(|next| matches!(next, '%' | '_' | '\\'))
                    .unwrap_or('\\'),
            );
        }
    }
    written
}

/// Whether a pattern has a character that matches others, too, apart from letters.
fn folds(pattern: &str) -> bool {
    pattern.contains(['\u{fffd}', '\u{fffe}', '\u{ffff}'])
}

impl Sql {
    /// Appends whether `text` matches a pattern that is known; `bind` appends it in the form for
    /// this database. NULL if there is none, or if it is too long.
    pub fn like_known(
        &mut self,
        text: impl FnOnce(&mut Self),
        pattern: Option<&str>,
        bind: impl FnOnce(&mut Self, Option<String>),
    ) -> &mut Self {
        let pattern = pattern.filter(|pattern| is_pattern(pattern));
        match self.dialect() {
            Dialect::Sqlite => {
                let pattern = pattern.map(ToOwned::to_owned);
                self.like_sqlite(text, |sql| bind(sql, pattern))
            }
            Dialect::Postgres => {
                let folds = pattern.is_some_and(folds);
                self.push("(").folded(text, folds).push(" LIKE ");
                let pattern = pattern.map(postgres_pattern);
                if folds {
                    self.folded(|sql| bind(sql, pattern), true);
                } else {
                    bind(self, pattern);
                }
                self.push(")")
            }
        }
    }

    /// Appends whether `text` matches a pattern that the database knows; NULL if it is too long.
    pub fn like_stored(
        &mut self,
        text: impl FnOnce(&mut Self),
        pattern: impl Fn(&mut Self),
    ) -> &mut Self {
        let short = |sql: &mut Self| {
            sql.push("CASE WHEN length(");
            pattern(sql);
            sql.push(") <= ")
                .number(i64::try_from(MAX_PATTERN_CHARS).unwrap_or(i64::MAX))
                .push(" THEN ");
            pattern(sql);
            sql.push(" END");
        };
        match self.dialect() {
            Dialect::Sqlite => self.like_sqlite(text, short),
            Dialect::Postgres => {
                self.push("(")
                    .folded(text, true)
                    .push(" LIKE regexp_replace(");
                // Doubles every backslash that stands for itself.
                self.folded(short, true)
                    .push(r", '\\([%_\\])|(\\)', '\\\1\2', 'g'))")
            }
        }
    }

    /// The sub-query keeps the collation to itself: comparisons of what is made of the answer would
    /// take it over. The sign keeps the text from being looked for in an index.
    fn like_sqlite(
        &mut self,
        text: impl FnOnce(&mut Self),
        pattern: impl FnOnce(&mut Self),
    ) -> &mut Self {
        self.push("(SELECT +(");
        text(self);
        self.push(") = (");
        pattern(self);
        self.push(") COLLATE ").push(SQLITE_MATCHER).push(")")
    }

    /// Appends a text as patterns see it, on PostgreSQL; what is no character takes longer, and is
    /// left alone on demand.
    fn folded(&mut self, text: impl FnOnce(&mut Self), all: bool) -> &mut Self {
        self.push(if all { "lower(translate(" } else { "lower((" });
        text(self);
        self.push(if all {
            r#", U&'\FFFE\FFFF', U&'\FFFD\FFFD') COLLATE "C")"#
        } else {
            ") COLLATE \"C\")"
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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
            ("a", "a%a", false),
            ("aXbXc", "%x%x%", true),
            ("aab", "%ab", true),
            ("abab", "%ab", true),
            ("mississippi", "m%iss%ip%", true),
            ("mississippi", "m%iss%ipq%", false),
            ("mississippi", "%s_i%p_", true),
            ("mississippi", "%p_s%", false),
        ] {
            assert_eq!(
                matches_pattern(text, pattern),
                matches,
                "{text:?} ~ {pattern:?}"
            );
        }
    }

    #[test]
    fn a_backslash_takes_wildcards_as_themselves() {
        for (text, pattern, matches) in [
            ("20% off", r"20\% off", true),
            ("200 off", r"20\% off", false),
            ("test_data", r"%t\_d%", true),
            ("testXdata", r"%t\_d%", false),
            (r"a\b", r"a\b", true),
            (r"a\b", r"a\\b", true),
            (r"a\%", r"a\\%", true),
            (r"a\bc", r"a\\%", true),
            (r"a\", r"a\", true),
            (r"a\", r"a\\", true),
            (r"\\", r"\\\", true),
            (r"C:\TMP", r"c:\t%", true),
        ] {
            assert_eq!(
                matches_pattern(text, pattern),
                matches,
                "{text:?} ~ {pattern:?}"
            );
        }
    }

    /// What the words say, in as many steps as it takes.
    fn by_definition(text: &[char], pattern: &[PatternElement]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some((PatternElement::Any, rest)) => {
                (0..=text.len()).any(|skipped| by_definition(&text[skipped..], rest))
            }
            Some((element, rest)) => {
                fits(*element, text.first().copied()) && by_definition(&text[1..], rest)
            }
        }
    }

    proptest! {
        #[test]
        fn the_search_does_what_the_definition_says(text in "[abAB_%\\\\ä\u{fffe}]{0,12}", pattern in "[abA_%%_\\\\ä\u{ffff}]{0,8}") {
            let chars: Vec<char> = folded(&text).chars().collect();
            let elements: Vec<PatternElement> = elements(&pattern).collect();
            prop_assert_eq!(matches_pattern(&text, &pattern), by_definition(&chars, &elements));
        }

        #[test]
        fn bits_find_what_trying_every_position_finds(text in "[abä]{0,300}", piece in "[ab__ä]{1,150}") {
            let piece: Vec<PatternElement> = elements(&piece).collect();
            let tried = text.char_indices().find_map(|(at, _)| after_prefix(&text[at..], &piece));
            prop_assert_eq!(after_found_by_bits(&text, &piece), tried);
        }
    }

    #[test]
    fn hostile_patterns_take_linear_time() {
        let text = "a".repeat(1 << 20);
        for pattern in [
            "%a".repeat(500) + "b",
            format!("%{}b%", "a".repeat(998)),
            format!("%{}b%", "a_".repeat(490)),
        ] {
            assert!(!matches_pattern(&text, &pattern));
            assert!(pattern_steps(&text, &pattern) <= 17 * text.len());
        }
    }
}
