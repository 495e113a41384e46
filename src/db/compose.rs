//! Composing letters in SQLite, which cannot normalise: a table of what becomes what, and an
//! expression that applies it.
//!
//! Full-text indexes of texts in which letters and their marks are encoded apart, or in an odd
//! order, hold the composed letters (NFC), as questions do. Hangul is left out: it has thousands of
//! forms, and questions bring both of its spellings.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde_json::json;
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::{canonical_combining_class, compose};

use super::dialect::Dialect;
use super::sql::{Ident, Sql, Stmt};
use super::value::Value;

/// Characters of a text in which letters are composed. It takes time for each form that may occur;
/// what follows is indexed as it is encoded.
const MAX_COMPOSED: i64 = 4000;

/// Two characters or more that one or other ones stand for.
struct Form {
    /// The last of them: a form is looked for only where its mark occurs.
    mark: char,
    written: String,
    composed: String,
}

/// Every form, those first that others are made of.
static FORMS: LazyLock<Vec<Form>> = LazyLock::new(|| {
    let is_hangul = |c: char| ('\u{ac00}'..='\u{d7a3}').contains(&c);
    let mut composites: Vec<(char, char, String)> = Vec::new();
    for letter in ('\u{80}'..=char::MAX).filter(|c| !is_hangul(*c)) {
        let mut apart: Vec<char> = std::iter::once(letter).nfd().collect();
        let Some(mark) = apart.pop() else { continue };
        let mut base = apart.into_iter().nfc();
        if let (Some(base), None) = (base.next(), base.next())
            && compose(base, mark) == Some(letter)
        {
            composites.push((letter, mark, [base, mark].iter().collect()));
        }
    }
    let marks: BTreeSet<char> = composites.iter().map(|(_, mark, _)| *mark).collect();
    let mut forms = Vec::new();
    for (letter, _, _) in &composites {
        // A mark that belongs before one that the letter has already.
        for &mark in marks
            .iter()
            .filter(|mark| canonical_combining_class(**mark) != 0)
        {
            let written: String = [*letter, mark].iter().collect();
            let composed: String = written.nfc().collect();
            if composed != written && compose(*letter, mark).is_none() {
                forms.push(Form {
                    mark,
                    written,
                    composed,
                });
            }
        }
    }
    forms.extend(composites.into_iter().map(|(letter, mark, written)| Form {
        mark,
        written,
        composed: letter.into(),
    }));
    forms.sort_by_cached_key(|form| (form.written.nfd().count(), form.mark, form.written.clone()));
    forms
});

/// A pattern for texts in which a mark occurs.
static HAS_MARK: LazyLock<String> = LazyLock::new(|| {
    let marks: BTreeSet<char> = FORMS.iter().map(|form| form.mark).collect();
    format!("*[{}]*", marks.into_iter().collect::<String>())
});

/// The statements that make the table of forms, if it is not there.
pub(super) fn create_forms() -> Vec<Stmt> {
    let forms: Vec<_> = FORMS
        .iter()
        .map(|form| json!([form.mark, form.written, form.composed]))
        .collect();
    let create = "CREATE TABLE IF NOT EXISTS search_forms (mark TEXT NOT NULL, place INTEGER NOT NULL, \
                  written TEXT NOT NULL, composed TEXT NOT NULL, PRIMARY KEY (mark, place)) WITHOUT ROWID";
    let fill = "INSERT INTO search_forms (mark, place, written, composed) \
                SELECT value ->> 0, key, value ->> 1, value ->> 2 FROM json_each($1) \
                WHERE NOT EXISTS (SELECT 1 FROM search_forms)";
    vec![
        Stmt::fixed(create, Vec::new()),
        Stmt::fixed(fill, vec![Value::Json(json!(forms).to_string())]),
    ]
}

impl Sql {
    /// Appends the beginning of a column's text with composed letters, for a table that has
    /// [`create_forms`] beside it.
    pub(super) fn composed_text(&mut self, row: &'static str, column: &Ident) -> &mut Self {
        debug_assert_eq!(
            self.dialect(),
            Dialect::Sqlite,
            "PostgreSQL normalises by itself"
        );
        self.push("CASE WHEN ")
            .column(row, column)
            .push(" GLOB ")
            .text_literal(&HAS_MARK);
        // Each form is put in the place of what it was written as, one after the other.
        self.push(" THEN (WITH RECURSIVE form(number, written, composed) AS MATERIALIZED (SELECT row_number() OVER ");
        self.push("(ORDER BY f.place), f.written, f.composed FROM (SELECT DISTINCT mark FROM search_forms) m ");
        self.push("JOIN search_forms f ON f.mark = m.mark WHERE instr(")
            .column(row, column)
            .push(", m.mark)), ");
        self.push("step(number, text) AS (SELECT 0, substr(")
            .column(row, column)
            .push(", 1, ")
            .number(MAX_COMPOSED);
        self.push(") UNION ALL SELECT form.number, replace(step.text, form.written, form.composed) FROM step ");
        self.push("JOIN form ON form.number = step.number + 1) SELECT text FROM step ORDER BY number DESC LIMIT 1) ");
        self.push("|| substr(")
            .column(row, column)
            .push(", ")
            .number(MAX_COMPOSED + 1)
            .push(") ELSE ");
        self.column(row, column).push(" END")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What the expression does.
    fn composed(text: &str) -> String {
        let forms = FORMS.iter().filter(|form| text.contains(form.mark));
        forms.fold(text.to_owned(), |text, form| {
            text.replace(&form.written, &form.composed)
        })
    }

    #[test]
    fn letters_are_composed_whichever_way_they_are_encoded() {
        for text in [
            "Cafe\u{301}",
            "re\u{301}sumé",
            "Vie\u{302}\u{323}t",
            "Vie\u{323}\u{302}t",
            "Viê\u{323}t",
            "ハ\u{309a}ン",
        ] {
            assert_eq!(composed(text), text.nfc().collect::<String>(), "{text}");
        }
        assert!((1500..4000).contains(&FORMS.len()), "{}", FORMS.len());
    }

    proptest! {
        #[test]
        fn texts_with_two_marks_on_a_letter_are_composed_like_nfc(
            letters in prop::collection::vec(("[aeouAEOU]", prop::sample::subsequence(vec!['\u{301}', '\u{302}', '\u{323}', '\u{308}'], 0..=2)), 0..8)
        ) {
            let text: String =
                letters.into_iter().map(|(letter, marks)| letter + &marks.into_iter().collect::<String>()).collect();
            prop_assert_eq!(composed(&text), text.nfc().collect::<String>());
        }
    }
}
