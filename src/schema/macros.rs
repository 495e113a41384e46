//! Stored macros, and everything else that a rule may refer to besides its own collection.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};

use super::{CollectionRow, Field, check_fields, ddl, render_source};
use crate::db::{Dialect, Fragment};
use crate::expr::{Column, Columns, StoredMacro};

/// A macro as it is stored.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
pub struct MacroRow {
    /// Its id.
    pub id: i64,
    /// Its name, by which rules call it with an `@` before.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// The query.
    pub sql_query: String,
    /// The names of its parameters: a JSON array.
    pub parameters: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it changed last.
    pub updated_at: DateTime<Utc>,
    /// The id of who made it.
    pub created_by: String,
}

impl MacroRow {
    /// The names of its parameters.
    pub fn parameter_names(&self) -> Vec<String> {
        serde_json::from_str(&self.parameters).unwrap_or_default()
    }
}

/// The macros there are, and the collections that they may read.
#[derive(Clone, Debug, Default)]
pub struct Library {
    rows: Vec<MacroRow>,
    macros: HashMap<String, StoredMacro>,
    collections: HashMap<String, (Fragment, Vec<Field>)>,
}

impl Library {
    pub(super) fn new(
        rows: Vec<MacroRow>,
        collections: &[CollectionRow],
        dialect: Dialect,
    ) -> Self {
        let parsed = rows.iter().filter_map(|row| {
            let parsed = StoredMacro::parse(&row.sql_query, &row.parameter_names());
            parsed.ok().map(|parsed| (row.name.clone(), parsed))
        });
        let macros = parsed.collect();
        let resolved = collections.iter().filter_map(|row| {
            let fields = check_fields(&mut row.definitions()).ok()?;
            let source = render_source(&ddl::table_name(&row.name)?, row, dialect)?;
            Some((row.name.to_ascii_lowercase(), (source, fields)))
        });
        let collections = resolved.collect();
        Self {
            rows,
            macros,
            collections,
        }
    }

    /// The stored macros, by name.
    pub fn rows(&self) -> &[MacroRow] {
        &self.rows
    }

    /// The same with another macro, which replaces one of its name.
    #[must_use]
    pub fn with(&self, name: &str, parsed: StoredMacro) -> Self {
        let mut library = self.clone();
        library.macros.insert(name.to_owned(), parsed);
        library
    }

    /// The name, in lower case, of the collection that a macro names; it may name the table
    /// instead.
    pub fn collection_name<'a>(&'a self, written: &str) -> Option<&'a str> {
        let written = written.to_ascii_lowercase();
        let found = self.collections.get_key_value(&written);
        found
            .or_else(|| {
                self.collections
                    .get_key_value(written.strip_prefix("col_")?)
            })
            .map(|(name, _)| name.as_str())
    }

    /// What macros are and what they read, in words that are equal if they mean the same.
    pub(super) fn outline(&self, names: &BTreeSet<String>) -> String {
        let rows = self.rows.iter().filter(|row| names.contains(&row.name));
        let outline = rows.map(|row| {
            let read = self.macros.get(&row.name).and_then(StoredMacro::collection);
            let read = read.and_then(|name| self.collections.get(self.collection_name(name)?));
            format!(
                "{} {} {}: {read:?}\n",
                row.name, row.parameters, row.sql_query
            )
        });
        outline.collect()
    }

    /// The rules of a collection see its fields and the library.
    pub fn for_fields<'a>(&'a self, fields: &'a [Field]) -> RuleScope<'a> {
        RuleScope {
            fields,
            library: self,
        }
    }
}

/// What a rule may refer to.
#[derive(Clone, Copy, Debug)]
pub struct RuleScope<'a> {
    /// The fields of the collection that the rule is for.
    pub fields: &'a [Field],
    /// Everything else.
    pub library: &'a Library,
}

impl Columns for RuleScope<'_> {
    fn column(&self, name: &str) -> Option<Column> {
        super::column_of(self.fields, name)
    }

    fn stored_macro(&self, name: &str) -> Option<&StoredMacro> {
        self.library.macros.get(name)
    }

    /// By name, or by the name of its table.
    fn collection(&self, name: &str) -> Option<(Fragment, &dyn Columns)> {
        let (source, fields) = self
            .library
            .collections
            .get(self.library.collection_name(name)?)?;
        Some((source.clone(), fields as &dyn Columns))
    }
}
