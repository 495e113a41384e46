//! Definitions as a file: exported from one server, imported into another.

use std::collections::HashSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::rules::RulesPatch;
use super::{
    CollectionInput, Collections, Definition, SchemaChange, input, missing_targets, refuse,
    revision,
};
use crate::audit::{Event, Operation};
use crate::auth::Caller;
use crate::error::{Error, FieldError, Result};
use crate::id::CollectionId;
use crate::schema::{Collection, Field, FieldDefinition};

/// The version that exports have. Imports take every version that begins with `1.`.
const VERSION: &str = "1.0";
/// The most collections of one import.
const MAX_COLLECTIONS: usize = 1000;

/// Definitions of collections, with their rules and without their records.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Export {
    /// The version of this format, `1.0`.
    pub version: String,
    /// When it was exported.
    pub exported_at: String,
    /// The e-mail address of who exported it.
    pub exported_by: String,
    /// The collections.
    pub collections: Vec<ExportedCollection>,
}

/// A collection's definition.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ExportedCollection {
    /// Its name.
    pub name: String,
    /// Its fields.
    pub schema: Vec<FieldDefinition>,
    /// Its rules and field lists.
    #[serde(default)]
    pub rules: RulesPatch,
}

/// What happens to a collection whose name is taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ImportStrategy {
    /// The import is refused.
    #[default]
    Error,
    /// It stays as it is.
    Skip,
    /// It is changed to what the import says: fields and rules.
    Update,
}

/// What an import did.
#[derive(Clone, Debug, Default)]
pub struct ImportReport {
    /// True: an import that fails changes nothing and is answered as an error.
    pub success: bool,
    /// Collections that were made.
    pub imported_count: usize,
    /// Collections that stayed as they were.
    pub skipped_count: usize,
    /// Collections that were changed.
    pub updated_count: usize,
    /// Always 0.
    pub failed_count: usize,
    /// What happened to each collection, in the order of the import.
    pub collections: Vec<ImportedCollection>,
    /// An id for each change of the schema.
    pub migrations_created: Vec<String>,
}

/// What happened to one collection.
#[derive(Clone, Debug)]
pub struct ImportedCollection {
    /// Its name.
    pub name: String,
    /// `imported`, `skipped` or `updated`.
    pub status: &'static str,
    /// A sentence.
    pub message: String,
}

/// A collection that was made without the references to those that follow it.
struct Incomplete {
    index: usize,
    id: CollectionId,
    definition: Definition,
    made: Vec<Field>,
}

impl Collections {
    /// The definitions of the collections of these ids, or of all; ids that do not exist are left
    /// out.
    pub async fn export(&self, caller: &Caller, ids: Option<&[&str]>) -> Result<Export> {
        let mut collections = self.all().await?;
        collections
            .retain(|collection| ids.is_none_or(|ids| ids.contains(&collection.row.id.as_str())));
        collections.sort_by(|one, other| one.name.cmp(&other.name));
        let now = self.clock.now();
        let names: Vec<&str> = collections
            .iter()
            .map(|collection| collection.name.as_str())
            .collect();
        let event =
            Event::new(Operation::Export, "collections", "").with(json!({"collections": names}));
        self.db.execute(event.by(caller).entry(now)).await?;
        Ok(Export {
            version: VERSION.into(),
            exported_at: crate::clock::canonical_time(now),
            exported_by: caller.attributes().email.unwrap_or_default().to_owned(),
            collections: collections.iter().map(exported).collect(),
        })
    }

    /// Makes and changes collections as a file says: all of it, or nothing.
    pub async fn import(
        &self,
        caller: &Caller,
        data: Export,
        strategy: ImportStrategy,
    ) -> Result<ImportReport> {
        check_file(&data)?;
        let mut change = self.change().await?;
        let mut result = ImportReport {
            success: true,
            ..ImportReport::default()
        };
        let (mut incomplete, mut existing) = (Vec::new(), Vec::new());
        for (index, collection) in data.collections.into_iter().enumerate() {
            let known = change
                .catalog
                .by_name_ignoring_case(&collection.name)
                .cloned();
            let (status, message) = match (&known, strategy) {
                (None, _) => ("imported", "The collection was made"),
                (Some(_), ImportStrategy::Skip) => ("skipped", "Collection already exists"),
                (Some(_), ImportStrategy::Update) => ("updated", "The collection was changed"),
                (Some(known), ImportStrategy::Error) => {
                    let message = format!(
                        "Collection '{}' already exists; nothing was imported",
                        known.name
                    );
                    return Err(Error::conflict(message, Some("name")));
                }
            };
            let name = known
                .as_ref()
                .map_or(&collection.name, |known| &known.name)
                .clone();
            result.collections.push(ImportedCollection {
                name,
                status,
                message: message.into(),
            });
            let input = CollectionInput {
                name: Some(collection.name),
                schema: Some(collection.schema),
                rules: collection.rules,
                ..CollectionInput::default()
            };
            match known {
                None => {
                    let made = self
                        .make(&mut change, index, &input)
                        .await
                        .map_err(|error| within(index, error))?;
                    incomplete.push(made);
                    result.imported_count += 1;
                }
                Some(known) if strategy == ImportStrategy::Update => {
                    existing.push((index, known, input));
                    result.updated_count += 1;
                }
                Some(_) => result.skipped_count += 1,
            }
        }
        for made in incomplete {
            let index = made.index;
            self.complete(&mut change, made)
                .await
                .map_err(|error| within(index, error))?;
        }
        for (index, known, input) in existing {
            self.redefine(&mut change, &known, &input)
                .await
                .map_err(|error| within(index, error))?;
        }
        let changes = result.imported_count + result.updated_count;
        result.migrations_created = (0..changes).map(|_| revision()).collect();
        if changes > 0 {
            self.finish(change, caller).await?;
        }
        Ok(result)
    }

    /// Makes a collection with every field whose target exists by now.
    async fn make(
        &self,
        change: &mut SchemaChange,
        index: usize,
        input: &CollectionInput,
    ) -> Result<Incomplete> {
        input::check_shape(input, true)?;
        let definition = Definition::check(input, change)?;
        let has_target = |field: &&Field| {
            let own = |target: &str| target.eq_ignore_ascii_case(&definition.name);
            field
                .target
                .as_deref()
                .is_none_or(|target| own(target) || change.table(target).is_some())
        };
        let made: Vec<Field> = definition
            .fields
            .iter()
            .filter(has_target)
            .cloned()
            .collect();
        let id = self.define(change, &definition, &made).await?;
        Ok(Incomplete {
            index,
            id,
            definition,
            made,
        })
    }

    /// Adds the references to collections that were made later.
    async fn complete(&self, change: &mut SchemaChange, made: Incomplete) -> Result<()> {
        let Incomplete {
            id,
            definition,
            made,
            ..
        } = made;
        refuse(missing_targets(
            |name| change.table(name).is_some(),
            &definition.name,
            &definition.fields,
        ))?;
        match change.table(&definition.name) {
            Some(table) if made.len() < definition.fields.len() => {
                self.apply(change, id, &table, &made, &definition.fields)
                    .await
            }
            _ => Ok(()),
        }
    }
}

fn exported(collection: &Arc<Collection>) -> ExportedCollection {
    ExportedCollection {
        name: collection.name.clone(),
        schema: collection.row.definitions(),
        rules: RulesPatch::complete(&collection.row),
    }
}

fn check_file(data: &Export) -> Result<()> {
    if !data.version.starts_with("1.") {
        let message = format!(
            "Version '{}' of the export format is not known; this server reads 1.x",
            data.version
        );
        return Err(Error::invalid(
            "data.version",
            "version_unsupported",
            message,
        ));
    }
    if data.collections.len() > MAX_COLLECTIONS {
        let message = format!("An import has at most {MAX_COLLECTIONS} collections");
        return Err(Error::invalid(
            "data.collections",
            "too_many_collections",
            message,
        ));
    }
    let mut seen = HashSet::new();
    for (index, collection) in data.collections.iter().enumerate() {
        if !seen.insert(collection.name.to_ascii_lowercase()) {
            let message = format!("Collection '{}' is there twice", collection.name);
            return Err(Error::invalid(
                format!("data.collections[{index}].name"),
                "name_duplicate",
                message,
            ));
        }
    }
    Ok(())
}

/// Says of which collection an error speaks.
fn within(index: usize, error: Error) -> Error {
    let place = |field: &str| format!("data.collections[{index}].{field}");
    match error {
        Error::Invalid { fields } => {
            let moved = |problem: FieldError| FieldError {
                field: place(&problem.field),
                ..problem
            };
            Error::Invalid {
                fields: fields.into_iter().map(moved).collect(),
            }
        }
        Error::Malformed { mut problems } => {
            for problem in &mut problems {
                let here = ["data".into(), "collections".into(), index.into()];
                problem.loc.splice(1..1, here);
            }
            Error::Malformed { problems }
        }
        Error::Refused { label, message } => Error::Refused {
            label,
            message: format!("{}: {message}", place("rules")),
        },
        other => other,
    }
}
