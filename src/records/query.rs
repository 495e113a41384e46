//! What a list request asks for, read from its query parameters.

use crate::access::{ExpandPaths, FieldView};
use crate::error::{Error, Result};
use crate::schema::{ALWAYS_SHOWN, Collection, SYSTEM_FIELDS};
use crate::spelling::hint;

/// One key of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SortKey {
    /// The field.
    pub field: String,
    /// Whether the largest comes first.
    pub descending: bool,
}

/// Which part of the list is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Window {
    /// So many records skipped; answered with a total.
    Offset(i64),
    /// The records after a cursor; from the beginning if there is none.
    After(Option<String>),
    /// The records before a cursor.
    Before(String),
}

/// A list request.
#[derive(Clone, Debug)]
pub struct ListQuery {
    /// Which part.
    pub window: Window,
    /// How many records at most.
    pub limit: i64,
    /// The order.
    pub sort: Vec<SortKey>,
    /// The order in its one spelling: a cursor is valid only with it.
    pub sort_text: String,
    /// The fields wanted; `None` for all.
    pub fields: Option<Vec<String>>,
    /// A condition on the records.
    pub filter: Option<String>,
    /// Words to look for in the searchable fields.
    pub search: Option<String>,
    /// References to replace by their records.
    pub expand: Option<ExpandPaths>,
    /// Whether a total is wanted with a cursor, too.
    pub include_count: bool,
}

/// The parameters that [`ListQuery::parse`] reads, as text.
#[derive(Clone, Debug, Default)]
pub struct RawListQuery<'a> {
    /// Records to skip.
    pub skip: i64,
    /// Records at most.
    pub limit: i64,
    /// The order.
    pub sort: Option<&'a str>,
    /// A comma list of fields.
    pub fields: Option<&'a str>,
    /// A filter expression.
    pub filter: Option<&'a str>,
    /// Words to look for.
    pub search: Option<&'a str>,
    /// A comma list of references.
    pub expand: Option<&'a str>,
    /// Go on after this; empty to begin.
    pub cursor: Option<&'a str>,
    /// Go back before this.
    pub cursor_before: Option<&'a str>,
    /// Whether a total is wanted with a cursor, too.
    pub include_count: bool,
}

impl ListQuery {
    /// Reads the parameters.
    pub fn parse(raw: &RawListQuery<'_>) -> Result<Self> {
        let window = match (raw.cursor, raw.cursor_before) {
            (Some(after), Some(before)) if !after.is_empty() && !before.is_empty() => {
                let message = "Use cursor or cursor_before, not both";
                return Err(Error::refused("Invalid pagination parameters", message));
            }
            (_, Some(before)) if !before.is_empty() => Window::Before(before.to_owned()),
            (Some(after), _) if !after.is_empty() => Window::After(Some(after.to_owned())),
            (None, None) => Window::Offset(raw.skip),
            _ => Window::After(None),
        };
        let sort = raw
            .sort
            .map(str::trim_end)
            .filter(|sort| !sort.trim().is_empty())
            .unwrap_or("-created_at");
        let sort = parse_sort(sort)?;
        Ok(Self {
            window,
            limit: raw.limit,
            sort_text: spelled(&sort),
            sort,
            fields: raw.fields.and_then(parse_fields),
            filter: raw
                .filter
                .map(str::trim)
                .filter(|filter| !filter.is_empty())
                .map(str::to_owned),
            search: raw.search.map(str::to_owned),
            expand: raw.expand.map(ExpandPaths::parse).transpose()?.flatten(),
            include_count: raw.include_count,
        })
    }

    /// Whether a field is wanted.
    pub fn selects(&self, field: &str) -> bool {
        self.fields
            .as_ref()
            .is_none_or(|fields| fields.iter().any(|name| name == field))
    }

    /// Checks that the fields asked for exist.
    pub fn check_fields(&self, view: &FieldView) -> Result<()> {
        check_selected(self.fields.as_deref(), view)
    }

    /// Checks that the order uses fields that exist, sort, and are visible in the clear.
    pub fn check_sort(&self, collection: &Collection, view: &FieldView) -> Result<()> {
        for key in &self.sort {
            let name = key.field.as_str();
            let problem = match collection.field(name) {
                None if SYSTEM_FIELDS.contains(&name) => continue,
                Some(field) if !view.shows_in_clear(field) => "cannot be seen",
                Some(field) if field.column_kind() == crate::db::ColumnKind::Json => "has no order",
                Some(_) => continue,
                None => "does not exist",
            };
            let hint = if collection.field(name).is_none() {
                hint(name, shown(view))
            } else {
                String::new()
            };
            return Err(Error::refused(
                "Invalid sort",
                format!("Cannot sort by '{name}': the field {problem}{hint}"),
            ));
        }
        Ok(())
    }
}

/// The names of the fields that a view shows.
fn shown(view: &FieldView) -> impl Iterator<Item = &str> {
    let own = view
        .collection()
        .fields
        .iter()
        .map(|field| field.name.as_str());
    own.filter(|name| view.shows(name)).chain(ALWAYS_SHOWN)
}

/// Checks that selected fields exist, so that a misspelt name shows. Fields that the view hides are
/// left out silently.
pub(super) fn check_selected(fields: Option<&[String]>, view: &FieldView) -> Result<()> {
    let exists =
        |name: &str| view.collection().field(name).is_some() || ALWAYS_SHOWN.contains(&name);
    match fields.into_iter().flatten().find(|name| !exists(name)) {
        None => Ok(()),
        Some(name) => {
            let message = format!(
                "unknown field '{name}' in fields{}",
                hint(name, shown(view))
            );
            Err(Error::refused("Invalid fields", message))
        }
    }
}

/// A comma list of field names; `*` or an empty list means all.
pub fn parse_fields(text: &str) -> Option<Vec<String>> {
    let names: Vec<String> = text
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect();
    if names.is_empty() || names.iter().any(|name| name == "*") {
        None
    } else {
        Some(names)
    }
}

/// `-a` descends; `+a`, ` a` (a `+` that was not encoded) and `a` ascend.
fn parse_sort(text: &str) -> Result<Vec<SortKey>> {
    let mut keys: Vec<SortKey> = Vec::new();
    for part in text.split(',').filter(|part| !part.trim().is_empty()) {
        let (descending, name) = match part.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, part.strip_prefix('+').unwrap_or(part)),
        };
        let name = name.trim();
        if name.is_empty() {
            return Err(Error::refused(
                "Invalid sort",
                format!("'{part}' names no field"),
            ));
        }
        if !keys.iter().any(|key| key.field == name) {
            keys.push(SortKey {
                field: name.to_owned(),
                descending,
            });
        }
        if keys.len() > 8 {
            return Err(Error::refused(
                "Invalid sort",
                "A list is sorted by at most 8 fields",
            ));
        }
    }
    if !keys.iter().any(|key| key.field == "id") {
        // Ties are broken in the direction of the last key, so that an order never changes between
        // two pages.
        let descending = keys.last().is_some_and(|key| key.descending);
        keys.push(SortKey {
            field: "id".into(),
            descending,
        });
    }
    Ok(keys)
}

fn spelled(sort: &[SortKey]) -> String {
    let key = |key: &SortKey| format!("{}{}", if key.descending { '-' } else { '+' }, key.field);
    sort.iter().map(key).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sort(text: &str) -> Vec<(String, bool)> {
        parse_sort(text)
            .unwrap()
            .into_iter()
            .map(|key| (key.field, key.descending))
            .collect()
    }

    #[test]
    fn sorts_are_read_in_every_spelling() {
        let expected = [
            ("a".to_owned(), false),
            ("b".to_owned(), true),
            ("id".to_owned(), true),
        ];
        for text in ["+a,-b", " a,-b", "a,-b", "a, -b".replace(' ', "").as_str()] {
            assert_eq!(sort(text), expected);
        }
        assert!(parse_sort("-").is_err());
    }

    #[test]
    fn a_list_of_fields_with_a_star_means_all() {
        assert_eq!(parse_fields("a,*"), None);
        assert_eq!(
            parse_fields(" a , b,"),
            Some(vec!["a".to_owned(), "b".to_owned()])
        );
    }
}
