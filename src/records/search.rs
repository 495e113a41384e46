//! `search`: records in whose searchable fields all the words occur, the last of them perhaps as a
//! beginning.

use crate::access::{FieldView, RecordScope};
use crate::db::{Ident, Sql, TextSearch, words};
use crate::error::{Error, Result};
use crate::id::AccountId;

/// Characters of a search.
const MAX_TEXT: usize = 500;
/// Words of a search.
const MAX_WORDS: usize = 20;

const LABEL: &str = "Invalid search";

/// Words to look for, and where.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Search {
    table: Ident,
    columns: Vec<(usize, Ident)>,
    words: Vec<String>,
    account: Option<AccountId>,
}

impl Search {
    /// The memory that its words take, about.
    pub(super) fn bytes(&self) -> usize {
        self.words
            .iter()
            .map(|word| size_of::<String>() + word.len())
            .sum()
    }

    /// Reads what to look for. Only fields that the caller sees in the clear are searched: anything
    /// else would tell what is hidden. `None` if the text is blank.
    pub fn prepare(scope: &RecordScope<'_>, view: &FieldView, text: &str) -> Result<Option<Self>> {
        if text.trim().is_empty() {
            return Ok(None);
        }
        let collection = scope.collection;
        let searchable = collection.searchable();
        if searchable.is_empty() {
            let message = format!(
                "Collection '{}' cannot be searched: define its text fields with \"searchable\": true",
                collection.name
            );
            return Err(Error::refused(LABEL, message));
        }
        let seen = searchable
            .iter()
            .enumerate()
            .filter(|(_, field)| view.shows_in_clear(field));
        let columns: Vec<(usize, Ident)> = seen
            .map(|(place, field)| (place, field.column.clone()))
            .collect();
        if columns.is_empty() {
            return Err(Error::refused(
                LABEL,
                "None of the fields that you see can be searched",
            ));
        }
        if text.chars().count() > MAX_TEXT {
            return Err(Error::refused(
                LABEL,
                format!("A search has at most {MAX_TEXT} characters"),
            ));
        }
        let words: Vec<String> = words(text);
        if words.len() > MAX_WORDS {
            return Err(Error::refused(
                LABEL,
                format!("A search has at most {MAX_WORDS} words"),
            ));
        }
        Ok(Some(Self {
            table: collection.table.clone(),
            columns,
            words,
            account: scope.account,
        }))
    }

    /// Appends the condition.
    pub fn write(&self, sql: &mut Sql) {
        let account = self.account.map(|account| account.0);
        sql.text_search(&TextSearch {
            table: &self.table,
            columns: &self.columns,
            words: &self.words,
            account,
        });
    }
}
