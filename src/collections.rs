//! Defining collections: metadata and tables change together, in one transaction.

mod check;
mod dropped;
mod input;
mod macros;
mod quotas;
mod rename;
mod rules;
mod trail;
mod transfer;
mod types;

use chrono::{DateTime, Utc};
use uuid::Uuid;

pub use dropped::DroppedCollection;
pub use input::CollectionInput;
pub use macros::{Macro, MacroChange, MacroOutcome, MacroTrial};
pub use quotas::apply_quotas;
pub use rules::{RuleTrial, RulesPatch, test_rule, validate_rule};
pub use transfer::{Export, ImportReport, ImportStrategy, ImportedCollection};
pub use types::{describe, typescript};

use crate::auth::Caller;
use crate::changes::catalog_entry;
use crate::clock::Clock;
use crate::db::{Db, DbError, Ident, Stmt, Tx, Value};
use crate::error::{Error, FieldError, Result};
use crate::expr::{Columns as _, StoredMacro};
use crate::id::CollectionId;
use crate::schema::catalog::CollectionRow;
use crate::schema::definition::{check_collection_name, check_fields};
use crate::schema::naming::{check_new_collection, check_new_fields};
use crate::schema::{Catalog, CatalogHandle, Collection, Field, FieldDefinition, MacroRow, ddl};
use rename::Renames;
use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::{Mutex, OwnedMutexGuard};

/// The collections service; cheap to clone.
#[derive(Clone, Debug)]
pub struct Collections {
    db: Db,
    catalog: CatalogHandle,
    clock: Clock,
    /// Held while this process changes the schema: waiting for one another with a connection in
    /// hand could use up the pool that the first one needs to finish.
    changing: Arc<Mutex<()>>,
}

/// A change of the schema under way.
struct SchemaChange {
    tx: Tx,
    catalog: Arc<Catalog>,
    /// The tables that it has made, by the name of their collection in lower case.
    tables: HashMap<String, Ident>,
    now: DateTime<Utc>,
    _turn: OwnedMutexGuard<()>,
}

impl SchemaChange {
    /// The names of the collections that were there before the change.
    fn names(&self) -> impl Iterator<Item = &str> {
        self.catalog
            .iter()
            .map(|collection| collection.name.as_str())
    }

    /// The table behind a collection, as the change leaves it.
    fn table(&self, collection: &str) -> Option<Ident> {
        let made = self.tables.get(&collection.to_ascii_lowercase());
        made.or_else(|| {
            self.catalog
                .by_name_ignoring_case(collection)
                .map(|collection| &collection.table)
        })
        .cloned()
    }
}

/// A definition that passed every check that needs no database.
struct Definition {
    name: String,
    definitions: Vec<FieldDefinition>,
    fields: Vec<Field>,
    rules: rules::Resolved,
}

impl Definition {
    fn check(input: &CollectionInput, change: &SchemaChange) -> Result<Self> {
        let library = change.catalog.library();
        let name = input.name.clone().unwrap_or_default();
        let mut definitions = input.definitions().unwrap_or_default();
        let mut problems = input::misspelt_keys(input);
        problems.extend(check_collection_name(&name).err());
        problems.extend(check_new_collection(&name, change.names()));
        problems.extend(check_new_fields(&definitions, |_| false));
        let fields = check_fields(&mut definitions).unwrap_or_else(|found| {
            problems.extend(found);
            Vec::new()
        });
        refuse(problems)?;
        let rules = input.rules.resolve(&library.for_fields(&fields))?;
        Ok(Self {
            name,
            definitions,
            fields,
            rules,
        })
    }
}

impl Collections {
    /// A service over a database and its catalog.
    pub fn new(db: Db, catalog: CatalogHandle, clock: Clock) -> Self {
        Self {
            db,
            catalog,
            clock,
            changing: Arc::default(),
        }
    }

    /// A collection by id or name, as it is in the database now.
    pub async fn get(&self, id_or_name: &str) -> Result<Arc<Collection>> {
        self.catalog.reload().await?;
        self.find(id_or_name)
    }

    /// A collection by id or name, as it was when the catalog was read last.
    fn find(&self, id_or_name: &str) -> Result<Arc<Collection>> {
        let catalog = self.catalog.current();
        let by_id = CollectionId::parse(id_or_name).and_then(|id| catalog.by_id(id));
        by_id
            .or_else(|| catalog.by_name(id_or_name))
            .cloned()
            .ok_or_else(|| {
                Error::CollectionNotFound(format!("Collection '{id_or_name}' not found"))
            })
    }

    /// Defines a collection and makes its table.
    pub async fn create(&self, caller: &Caller, input: CollectionInput) -> Result<Arc<Collection>> {
        input::check_shape(&input, true)?;
        let mut change = self.change().await?;
        let definition = Definition::check(&input, &change)?;
        refuse(missing_targets(
            |name| change.table(name).is_some(),
            &definition.name,
            &definition.fields,
        ))?;
        let id = self
            .define(&mut change, &definition, &definition.fields)
            .await?;
        self.finish(change, caller).await?;
        self.find(&id.to_string())
    }

    /// Changes a definition: fields are added, attributes and rules change.
    pub async fn update(
        &self,
        caller: &Caller,
        id_or_name: &str,
        input: CollectionInput,
    ) -> Result<Arc<Collection>> {
        input::check_shape(&input, false)?;
        let mut change = self.change().await?;
        let collection = self.find(id_or_name)?;
        if let Some(name) = &input.name
            && *name != collection.name
        {
            let message = "A collection is renamed with POST /api/v1/collections/{id}/rename";
            return Err(Error::invalid("name", "rename_not_allowed", message));
        }
        self.redefine(&mut change, &collection, &input).await?;
        self.finish(change, caller).await?;
        self.find(&collection.id.to_string())
    }

    /// Stores a definition and makes its table with some of its fields; [`Self::apply`] adds the
    /// others.
    async fn define(
        &self,
        change: &mut SchemaChange,
        definition: &Definition,
        fields: &[Field],
    ) -> Result<CollectionId> {
        let Definition {
            name,
            definitions,
            rules,
            ..
        } = definition;
        let id = CollectionId::new();
        let table = ddl::table_name(name)
            .ok_or_else(|| Error::internal("a checked name makes no table"))?;
        let insert = "INSERT INTO collections (id, name, name_key, schema, rules_id, created_at, updated_at, \
                      rules_updated_at) VALUES ($1, $2, $3, $4, $5, $6, $6, $6)";
        let args = vec![
            id.into(),
            name.as_str().into(),
            name.to_ascii_lowercase().into(),
            stored(definitions)?,
            Value::Text(crate::id::new_id().to_string()),
            change.now.into(),
        ];
        let taken = |error| match error {
            DbError::Unique { .. } => {
                Error::conflict(format!("Collection '{name}' already exists"), Some("name"))
            }
            other => other.into(),
        };
        change
            .tx
            .execute(Stmt::fixed(insert, args))
            .await
            .map_err(taken)?;
        for update in rules.statements(id, change.now) {
            change.tx.execute(update).await?;
        }
        change
            .tables
            .insert(name.to_ascii_lowercase(), table.clone());
        let target = |name: &str| change.table(name);
        let statements = ddl::create(
            self.db.dialect(),
            &ddl::Table {
                id,
                name: &table,
                fields,
            },
            target,
        );
        for stmt in statements {
            change.tx.execute(stmt).await?;
        }
        Ok(id)
    }

    /// Brings a collection to what is named of a definition.
    async fn redefine(
        &self,
        change: &mut SchemaChange,
        collection: &Arc<Collection>,
        input: &CollectionInput,
    ) -> Result<()> {
        refuse(input::misspelt_keys(input))?;
        let renames = Renames::check(input.rename.as_ref(), collection)?;
        let sent = input.definitions().map(|mut definitions| {
            renames.expressions(&mut definitions);
            definitions
        });
        let under_new_names =
            (!renames.is_empty()).then(|| renames.definitions(collection.row.definitions()));
        let fields = match sent.or_else(|| under_new_names.clone()) {
            None => collection.fields.clone(),
            Some(mut definitions) => {
                let fields = check_fields(&mut definitions).map_err(invalid)?;
                let before = under_new_names.unwrap_or_else(|| collection.row.definitions());
                refuse(check_new_fields(&definitions, |name| {
                    before.iter().any(|old| old.name == name)
                }))?;
                refuse(forbidden_changes(before, &definitions))?;
                refuse(missing_targets(
                    |name| change.table(name).is_some(),
                    &collection.name,
                    &fields,
                ))?;
                if !renames.is_empty() {
                    self.rename_fields(change, collection, &renames).await?;
                }
                let before = renames.fields(&collection.fields);
                self.apply(change, collection.id, &collection.table, &before, &fields)
                    .await?;
                let update = "UPDATE collections SET schema = $1, updated_at = $2 WHERE id = $3";
                let args = vec![
                    stored(&definitions)?,
                    change.now.into(),
                    collection.id.into(),
                ];
                change.tx.execute(Stmt::fixed(update, args)).await?;
                fields
            }
        };
        for update in input
            .rules
            .resolve(&change.catalog.library().for_fields(&fields))?
            .statements(collection.id, change.now)
        {
            change.tx.execute(update).await?;
        }
        Ok(())
    }

    /// Drops a collection with its records.
    pub async fn delete(&self, caller: &Caller, id_or_name: &str) -> Result<DroppedCollection> {
        let mut change = self.change().await?;
        let collection = self.find(id_or_name)?;
        let refers = |other: &&Arc<Collection>| {
            other.id != collection.id
                && other
                    .references()
                    .any(|(_, target)| target.eq_ignore_ascii_case(&collection.name))
        };
        let referring: Vec<&str> = change
            .catalog
            .iter()
            .filter(refers)
            .map(|other| other.name.as_str())
            .collect();
        if !referring.is_empty() {
            let message = format!(
                "'{}' is referred to by {}",
                collection.name,
                referring.join(", ")
            );
            return Err(Error::conflict(message, None));
        }
        refuse_read_by_macros(&change, &collection)?;
        let mut count = self.db.sql();
        count.push("SELECT count(*) FROM ").ident(&collection.table);
        let records: i64 = change
            .tx
            .row::<(i64,)>(count.build())
            .await?
            .map_or(0, |(count,)| count);
        let own: Vec<&Ident> = collection
            .references()
            .filter(|(_, target)| target.eq_ignore_ascii_case(&collection.name))
            .map(|(field, _)| &field.column)
            .collect();
        let table = ddl::Table {
            id: collection.id,
            name: &collection.table,
            fields: &collection.fields,
        };
        change
            .tx
            .execute(ddl::discount_usage(self.db.dialect(), &table))
            .await?;
        for stmt in ddl::drop(
            self.db.dialect(),
            &collection.table,
            &collection.fields,
            &own,
        ) {
            change.tx.execute(stmt).await?;
        }
        change
            .tx
            .execute(Stmt::fixed(
                "DELETE FROM collections WHERE id = $1",
                vec![collection.id.into()],
            ))
            .await?;
        self.finish(change, caller).await?;
        Ok(DroppedCollection {
            collection,
            records,
            revision: revision(),
        })
    }

    /// Changes the rules of a collection; what is not named stays.
    pub async fn set_rules(
        &self,
        caller: &Caller,
        name: &str,
        patch: RulesPatch,
    ) -> Result<Arc<Collection>> {
        let mut change = self.change().await?;
        let collection = self.find(name)?;
        for update in patch
            .resolve(&change.catalog.library().for_fields(&collection.fields))?
            .statements(collection.id, change.now)
        {
            change.tx.execute(update).await?;
        }
        self.finish(change, caller).await?;
        self.find(&collection.id.to_string())
    }

    /// How many records a collection has, over all accounts.
    pub async fn count(&self, collection: &Collection) -> Result<i64> {
        let mut sql = self.db.sql();
        sql.push("SELECT count(*) FROM ").ident(&collection.table);
        Ok(self.db.reads(None).count(sql.build()).await?)
    }

    /// Every collection, as it is in the database now: another node may have changed one a moment
    /// ago, and what is read here is edited and sent back.
    pub async fn all(&self) -> Result<Vec<Arc<Collection>>> {
        Ok(self.catalog.latest().await?.iter().cloned().collect())
    }

    /// Begins a change. Changes of the schema follow one another; each sees the outcome of the one
    /// before.
    async fn change(&self) -> Result<SchemaChange> {
        let turn = self.changing.clone().lock_owned().await;
        let mut tx = self.db.begin().await?;
        tx.serialize_schema_changes().await?;
        let (catalog, now) = (self.catalog.latest().await?, self.clock.now());
        Ok(SchemaChange {
            tx,
            catalog,
            tables: HashMap::new(),
            now,
            _turn: turn,
        })
    }

    /// Tells the audit trail and every node what changed, and commits.
    async fn finish(&self, mut change: SchemaChange, caller: &Caller) -> Result<()> {
        let rows: Vec<CollectionRow> = change
            .tx
            .rows(Stmt::fixed(
                "SELECT * FROM collections ORDER BY id",
                Vec::new(),
            ))
            .await?;
        for event in trail::changes(&change.catalog, &rows) {
            change
                .tx
                .execute(event.by(caller).entry(change.now))
                .await?;
        }
        change
            .tx
            .execute(catalog_entry(change.now, caller.actor()))
            .await?;
        change.tx.commit().await?;
        Ok(self.catalog.reload().await?)
    }

    /// Brings a table from one list of fields to another.
    async fn apply(
        &self,
        change: &mut SchemaChange,
        id: CollectionId,
        table: &Ident,
        before: &[Field],
        fields: &[Field],
    ) -> Result<()> {
        self.check_data(&mut change.tx, table, before, fields)
            .await?;
        let statements = {
            let target = |name: &str| change.table(name);
            ddl::alter(
                self.db.dialect(),
                &ddl::Table {
                    id,
                    name: table,
                    fields,
                },
                before,
                target,
            )
        };
        for stmt in statements {
            change.tx.execute(stmt).await.map_err(|error| match error {
                DbError::Unique { .. } => {
                    let message = "Records that exist have equal values, so the field cannot become unique";
                    Error::invalid("schema", "unique_violated", message)
                }
                DbError::TooLongForIndex { index } => {
                    let is_new = |field: &Field| {
                        let old = before.iter().find(|old| old.name == field.name);
                        (field.unique || field.indexed) && old.is_none_or(|old| !(old.unique || old.indexed))
                    };
                    let named = fields.iter().position(|field| ddl::has_index(table, field, &index));
                    let place = named.or_else(|| fields.iter().position(is_new));
                    let message = "Records that exist have values of more than about 2,700 bytes, so the field cannot have an index";
                    let place = place.map_or_else(|| "schema".to_owned(), |place| format!("schema[{place}].index"));
                    Error::invalid(place, "too_long_for_index", message)
                }
                other => other.into(),
            })?;
        }
        Ok(())
    }

    /// Refuses what records that exist do not satisfy.
    async fn check_data(
        &self,
        tx: &mut Tx,
        table: &Ident,
        before: &[Field],
        fields: &[Field],
    ) -> Result<()> {
        for (index, field) in fields.iter().enumerate() {
            let old = before.iter().find(|old| old.name == field.name);
            if !field.required || old.is_some_and(|old| old.required) {
                continue;
            }
            let mut sql = self.db.sql();
            sql.push("SELECT count(*) FROM ").ident(table);
            match (old, &field.default) {
                (Some(old), _) => {
                    sql.push(" WHERE ").ident(&old.column).push(" IS NULL");
                }
                (None, Some(_)) => continue,
                (None, None) => {}
            }
            let lacking = tx
                .row::<(i64,)>(sql.build())
                .await?
                .map_or(0, |(count,)| count);
            if lacking > 0 {
                let name = &field.name;
                let message = format!(
                    "{lacking} records have no '{name}': give them a value, or the field a default"
                );
                return Err(Error::invalid(
                    format!("schema[{index}].required"),
                    "required_violated",
                    message,
                ));
            }
        }
        Ok(())
    }
}

fn invalid(fields: Vec<FieldError>) -> Error {
    Error::Invalid { fields }
}

fn refuse(problems: Vec<FieldError>) -> Result<()> {
    if problems.is_empty() {
        Ok(())
    } else {
        Err(invalid(problems))
    }
}

fn stored(definitions: &[FieldDefinition]) -> Result<Value> {
    Ok(Value::Text(
        serde_json::to_string(definitions).map_err(Error::internal)?,
    ))
}

/// The stored macros that read a collection, parsed.
fn macros_reading(change: &SchemaChange, name: &str) -> Vec<MacroRow> {
    let library = change.catalog.library();
    let scope = library.for_fields(&[]);
    let reads = |row: &&MacroRow| {
        let read = scope
            .stored_macro(&row.name)
            .and_then(StoredMacro::collection);
        read.is_some_and(|read| {
            library
                .collection_name(read)
                .is_some_and(|read| read.eq_ignore_ascii_case(name))
        })
    };
    library.rows().iter().filter(reads).cloned().collect()
}

fn refuse_read_by_macros(change: &SchemaChange, collection: &Collection) -> Result<()> {
    let names: Vec<String> = macros_reading(change, &collection.name)
        .iter()
        .map(|row| format!("@{}", row.name))
        .collect();
    if names.is_empty() {
        return Ok(());
    }
    let message = format!(
        "'{}' is read by the macros {}",
        collection.name,
        names.join(", ")
    );
    Err(Error::conflict(message, None))
}

/// References to collections that do not exist; a collection may refer to itself.
fn missing_targets(exists: impl Fn(&str) -> bool, own: &str, fields: &[Field]) -> Vec<FieldError> {
    let missing = |(index, field): (usize, &Field)| {
        let target = field.target.as_deref()?;
        if target.eq_ignore_ascii_case(own) || exists(target) {
            return None;
        }
        let message = format!("There is no collection '{target}' to refer to");
        Some(FieldError::new(
            format!("schema[{index}].collection"),
            "reference_collection_unknown",
            message,
        ))
    };
    fields.iter().enumerate().filter_map(missing).collect()
}

/// Changes that would lose data, or that the tables cannot follow.
fn forbidden_changes(before: Vec<FieldDefinition>, after: &[FieldDefinition]) -> Vec<FieldError> {
    let mut problems = Vec::new();
    for old in before {
        let name = &old.name;
        let Some((index, new)) = after.iter().enumerate().find(|(_, new)| new.name == *name) else {
            let message = "Field deletion is not allowed: the values of its records would be lost";
            problems.push(FieldError::new(name, "field_deletion_not_allowed", message));
            continue;
        };
        let computed_otherwise = old.kind == "computed" && old.return_type != new.return_type;
        if !old.kind.eq_ignore_ascii_case(&new.kind) || computed_otherwise {
            let (from, to) = if computed_otherwise {
                (old.return_type.as_deref(), new.return_type.as_deref())
            } else {
                (Some(old.kind.as_str()), Some(new.kind.as_str()))
            };
            let (from, to) = (from.unwrap_or_default(), to.unwrap_or_default());
            let message =
                format!("A type change from '{from}' to '{to}' is not allowed: add a new field");
            problems.push(FieldError::new(name, "type_change_not_allowed", message));
        }
        if old.encrypted != new.encrypted {
            let message = "'encrypted' of an existing field cannot change: add a new field";
            problems.push(FieldError::new(
                format!("schema[{index}].encrypted"),
                "encrypted_change_not_allowed",
                message,
            ));
        }
        let same_target = match (&old.collection, &new.collection) {
            (Some(old), Some(new)) => old.eq_ignore_ascii_case(new),
            (old, new) => old == new,
        };
        for (same, key) in [
            (same_target, "collection"),
            (old.on_delete == new.on_delete, "on_delete"),
        ] {
            if !same && old.kind == "reference" {
                let message =
                    format!("'{key}' of an existing reference cannot change: add a new field");
                problems.push(FieldError::new(
                    format!("schema[{index}].{key}"),
                    "reference_change_not_allowed",
                    message,
                ));
            }
        }
    }
    problems
}

/// A made-up revision: schema changes are transactions here, not migration files.
fn revision() -> String {
    let id: Uuid = crate::id::new_id();
    id.simple().to_string()[20..].to_owned()
}
