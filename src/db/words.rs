//! Words of searchable texts: how a text is cut and folded, the same for what is stored and for
//! what is asked.
//!
//! A word is a run of letters, digits and marks. Letters that can be encoded in several ways are
//! composed (NFC). They compare in lower case; variants of a Greek letter are that letter, as FTS5
//! folds them, and the dotted capital I is an i. Nothing of it depends on the locale of a database.

use std::fmt::Write as _;
use std::sync::LazyLock;

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

use super::dialect::Dialect;
use super::sql::{Sql, Stmt};

/// The function that cuts a text into words on PostgreSQL. Indexes hold what it answers: when it
/// changes, the next start must renew the tables (`schema::upgrade`).
pub(super) const WORDS_FUNCTION: &str = "snackbase_words";

/// Characters of a word that count; PostgreSQL takes 2,046 bytes.
const MAX_WORD: usize = 500;

/// Letters that are variants of others, and the others.
const VARIANTS: [(char, char); 11] = [
    ('\u{b5}', '\u{3bc}'),
    ('ſ', 's'),
    ('\u{345}', 'ι'),
    ('ς', 'σ'),
    ('ϐ', 'β'),
    ('ϑ', 'θ'),
    ('ϕ', 'φ'),
    ('ϖ', 'π'),
    ('ϰ', 'κ'),
    ('ϱ', 'ρ'),
    ('ϵ', 'ε'),
];

/// Cuts a question into words, composed and folded.
pub fn words(text: &str) -> Vec<String> {
    let composed: String = text.nfc().collect();
    let words = composed
        .split(|c| !is_part_of_word(c))
        .filter(|word| !word.is_empty());
    words
        .map(|word| folded(word).chars().take(MAX_WORD).collect())
        .collect()
}

/// Letters, digits and their marks. Letters in circles are symbols for FTS5.
fn is_part_of_word(c: char) -> bool {
    let circled = matches!(c, '\u{24b6}'..='\u{24e9}' | '\u{1f130}'..='\u{1f189}');
    (c.is_alphanumeric() || is_combining_mark(c)) && !circled
}

fn folded(word: &str) -> String {
    let variant = |c: char| {
        VARIANTS
            .iter()
            .find(|(variant, _)| *variant == c)
            .map_or(c, |(_, letter)| *letter)
    };
    let lower: String = word
        .chars()
        .flat_map(char::to_lowercase)
        .map(variant)
        .collect();
    lower.replace("i\u{307}", "i")
}

/// The ways in which a word may stand in a text, for a tokenizer that compares code points and
/// knows the case of most letters only.
pub(super) fn spellings(word: &str) -> Vec<String> {
    if word.is_ascii() {
        return vec![word.to_owned()];
    }
    let upper = |c: char| {
        let mut upper = c.to_uppercase();
        if upper.len() == 1 {
            upper.next().unwrap_or(c)
        } else {
            c
        }
    };
    let upper: String = word.chars().map(upper).collect();
    let mut spellings: Vec<String> = Vec::new();
    for spelling in [word, &upper] {
        for encoded in [spelling.nfc().collect::<String>(), spelling.nfd().collect()] {
            if !spellings.contains(&encoded) {
                spellings.push(encoded);
            }
        }
    }
    spellings
}

/// The statement that makes the function, which cuts and folds like [`words`]. Lower case comes
/// from ICU where the server has it, because it is the same in every locale there; a server without
/// it uses its own.
pub(super) fn create_words_function() -> Stmt {
    let variants: (String, String) = VARIANTS.into_iter().unzip();
    let mut sql = Sql::new(Dialect::Postgres);
    sql.push(
        "DO $do$ DECLARE folding text := CASE WHEN EXISTS (SELECT FROM pg_catalog.pg_collation ",
    );
    sql.push("WHERE collname = 'und-x-icu') THEN ' COLLATE \"und-x-icu\"' ELSE '' END; ");
    sql.push("BEGIN EXECUTE 'CREATE OR REPLACE FUNCTION ")
        .push(WORDS_FUNCTION);
    sql.push("(source text) RETURNS tsvector LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $words$ BEGIN ");
    // The beginning is enough, and an index takes no more than a megabyte of a row.
    sql.push(
        "RETURN array_to_tsvector(ARRAY(SELECT left(word, 500) FROM regexp_split_to_table(left(replace(translate(",
    );
    sql.push("lower(normalize(left(source, 100000), NFC)' || folding || '), ");
    sql.quoted_text_literal(&variants.0)
        .push(", ")
        .quoted_text_literal(&variants.1);
    sql.push("), ''i'' || chr(775), ''i''), 100000) COLLATE \"C\", ")
        .quoted_text_literal(&SEPARATORS);
    sql.push(") word WHERE word <> '''')); END $words$'; END $do$");
    sql.build()
}

/// A class of a regular expression: runs of what is not part of a word.
static SEPARATORS: LazyLock<String> = LazyLock::new(|| {
    let mut ranges: Vec<(char, char)> = Vec::new();
    for c in ('\u{1}'..=char::MAX).filter(|c| !is_part_of_word(*c)) {
        match ranges.last_mut() {
            Some((_, last)) if u32::from(*last) + 1 == u32::from(c) => *last = c,
            _ => ranges.push((c, c)),
        }
    }
    let mut class = String::from("[");
    for (first, last) in ranges {
        // Writing to a String does not fail.
        let _ = write!(
            class,
            "\\U{:08x}-\\U{:08x}",
            u32::from(first),
            u32::from(last)
        );
    }
    class.push_str("]+");
    class
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_but_letters_digits_and_marks_stands_between_words() {
        assert_eq!(
            words(" it's \"John\" OR-x: (größe*) "),
            ["it", "s", "john", "or", "x", "größe"]
        );
        assert_eq!(words("हिन्दी ง่าย"), ["हिन्दी", "ง่าย"]);
        assert!(words("'*-!\u{0}🦊Ⓐ").is_empty());
    }

    #[test]
    fn the_same_letters_are_the_same_word_however_they_are_encoded() {
        let apart: String = "한국어".nfd().collect();
        for (one, other) in [
            ("Cafe\u{301}", "café"),
            ("ΟΔΟΣ", "οδος"),
            ("İstanbul", "istanbul"),
            ("I\u{307}stanbul", "istanbul"),
            ("한국어", apart.as_str()),
            ("Vie\u{302}\u{323}t", "việt"),
        ] {
            assert_eq!(words(one), words(other), "{one} {other}");
        }
        assert_eq!(spellings("é"), ["é", "e\u{301}", "É", "E\u{301}"]);
        assert_eq!(spellings("plain"), ["plain"]);
    }

    #[test]
    fn the_class_of_separators_is_well_formed() {
        assert!(
            SEPARATORS.starts_with("[\\U00000001-\\U0000002f\\U0000003a-\\U00000040"),
            "{}",
            &SEPARATORS[..80]
        );
        assert!(!SEPARATORS.contains('\'') && SEPARATORS.ends_with("]+"));
    }
}
