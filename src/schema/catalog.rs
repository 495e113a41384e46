//! The catalog: every collection, held in memory as one immutable snapshot. No request for records
//! reads it from the database.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use tokio::sync::{Mutex, watch};

use super::definition::check_fields;
use super::{
    AccessRules, Collection, FieldDefinition, FieldList, Library, MacroRow, Operation, Rule, ddl,
    render_document, render_source,
};
use crate::db::{Db, DbError, Stmt};
use crate::expr::{Predicate, is_built_in, macros_used};
use crate::id::CollectionId;

/// A collection as it is stored.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
pub struct CollectionRow {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its fields: a JSON array of [`FieldDefinition`].
    pub schema: String,
    /// The id by which the API calls its rules.
    pub rules_id: String,
    /// Who may list.
    pub list_rule: Option<String>,
    /// Who may read one.
    pub view_rule: Option<String>,
    /// Who may create.
    pub create_rule: Option<String>,
    /// Who may update.
    pub update_rule: Option<String>,
    /// Who may delete.
    pub delete_rule: Option<String>,
    /// Fields in lists.
    pub list_fields: String,
    /// Fields of single records.
    pub view_fields: String,
    /// Fields that may be sent on create.
    pub create_fields: String,
    /// Fields that may be sent on update.
    pub update_fields: String,
    /// When it was defined.
    pub created_at: DateTime<Utc>,
    /// When its definition changed last.
    pub updated_at: DateTime<Utc>,
    /// When its rules changed last.
    pub rules_updated_at: DateTime<Utc>,
}

impl CollectionRow {
    /// The stored rule of an operation.
    pub fn rule(&self, operation: Operation) -> Option<&str> {
        match operation {
            Operation::List => self.list_rule.as_deref(),
            Operation::View => self.view_rule.as_deref(),
            Operation::Create => self.create_rule.as_deref(),
            Operation::Update => self.update_rule.as_deref(),
            Operation::Delete => self.delete_rule.as_deref(),
        }
    }

    /// The stored definitions of its fields.
    pub fn definitions(&self) -> Vec<FieldDefinition> {
        serde_json::from_str(&self.schema).unwrap_or_default()
    }
}

/// Every collection at one moment.
#[derive(Debug, Default)]
pub struct Catalog {
    by_name: HashMap<String, Arc<Collection>>,
    by_id: HashMap<CollectionId, Arc<Collection>>,
    library: Library,
    /// The collections that rules of writes read, of whatever collection.
    read_by_write_rules: BTreeSet<CollectionId>,
}

impl Catalog {
    /// The collection of that name; names are case-sensitive.
    pub fn by_name(&self, name: &str) -> Option<&Arc<Collection>> {
        self.by_name.get(name)
    }

    /// The collection of that name in any case: no two differ in case alone.
    pub fn by_name_ignoring_case(&self, name: &str) -> Option<&Arc<Collection>> {
        self.by_name
            .values()
            .find(|collection| collection.name.eq_ignore_ascii_case(name))
    }

    /// The collection of that id.
    pub fn by_id(&self, id: CollectionId) -> Option<&Arc<Collection>> {
        self.by_id.get(&id)
    }

    /// The collections that a rule reads besides the record that it is about.
    pub fn read_by<'a>(&'a self, rule: &'a Predicate) -> impl Iterator<Item = CollectionId> + 'a {
        let names = rule
            .collections()
            .filter_map(|(name, _)| self.library.collection_name(name));
        names
            .filter_map(|name| self.by_name_ignoring_case(name))
            .map(|collection| collection.id)
    }

    /// Whether a rule of creating, updating or deleting reads the records of this collection.
    pub fn is_read_by_write_rules(&self, id: CollectionId) -> bool {
        self.read_by_write_rules.contains(&id)
    }

    /// What rules may refer to besides the fields of their own collection.
    pub fn library(&self) -> &Library {
        &self.library
    }

    /// Whether it was made of these.
    fn is_of(&self, collections: &[CollectionRow], macros: &[MacroRow]) -> bool {
        let is_known = |row: &CollectionRow| {
            CollectionId::parse(&row.id)
                .and_then(|id| self.by_id(id))
                .is_some_and(|known| known.row == *row)
        };
        self.by_id.len() == collections.len()
            && collections.iter().all(is_known)
            && self.library.rows() == macros
    }

    /// Every collection, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Collection>> {
        self.by_name.values()
    }
}

/// The catalog as the services hold it; cheap to clone.
#[derive(Clone, Debug)]
pub struct CatalogHandle {
    db: Db,
    current: watch::Sender<Arc<Catalog>>,
    loading: Arc<Mutex<()>>,
}

impl CatalogHandle {
    /// Loads the catalog.
    pub async fn load(db: Db) -> Result<Self, DbError> {
        let handle = Self {
            db,
            current: watch::Sender::new(Arc::default()),
            loading: Arc::default(),
        };
        handle.reload().await?;
        Ok(handle)
    }

    /// The catalog of this moment.
    pub fn current(&self) -> Arc<Catalog> {
        self.current.borrow().clone()
    }

    /// The catalog as the database has it now: another node may have changed it a moment ago.
    pub async fn latest(&self) -> Result<Arc<Catalog>, DbError> {
        self.reload().await?;
        Ok(self.current())
    }

    /// Reads the collections again. A collection that did not change keeps its snapshot; if none
    /// did, all stays.
    pub async fn reload(&self) -> Result<(), DbError> {
        // An async lock: reloads follow one another, so that an older state never replaces a newer
        // one.
        let _order = self.loading.lock().await;
        let rows: Vec<CollectionRow> = self
            .db
            .rows(Stmt::fixed("SELECT * FROM collections", Vec::new()))
            .await?;
        let macros: Vec<MacroRow> = self
            .db
            .rows(Stmt::fixed(
                "SELECT * FROM macros ORDER BY name",
                Vec::new(),
            ))
            .await?;
        let before = self.current();
        if before.is_of(&rows, &macros) {
            return Ok(());
        }
        let library = Library::new(macros, &rows, self.db.dialect());
        let mut catalog = Catalog::default();
        for row in rows {
            let known = CollectionId::parse(&row.id)
                .and_then(|id| before.by_id(id))
                .filter(|known| known.row == row);
            let collection = match known {
                // Rules that use stored macros depend on other collections, too.
                Some(known) if !known.uses_macros => known.clone(),
                _ => match self.resolve(row, &library) {
                    Some(collection) => Arc::new(collection),
                    None => continue,
                },
            };
            catalog
                .by_name
                .insert(collection.name.clone(), collection.clone());
            catalog.by_id.insert(collection.id, collection);
        }
        catalog.library = library;
        let rules = catalog
            .by_id
            .values()
            .flat_map(|collection| collection.access.write_rules());
        catalog.read_by_write_rules = rules.flat_map(|rule| catalog.read_by(rule)).collect();
        self.current.send_replace(Arc::new(catalog));
        Ok(())
    }

    fn resolve(&self, row: CollectionRow, library: &Library) -> Option<Collection> {
        let resolved = Collection::resolve(row, library, &self.db);
        if resolved.is_none() {
            tracing::error!("a stored collection cannot be read and is left out");
        }
        resolved
    }
}

impl Collection {
    /// Makes a stored collection ready for use. A rule that does not compile locks its operation.
    fn resolve(row: CollectionRow, library: &Library, db: &Db) -> Option<Self> {
        let fields = check_fields(&mut row.definitions()).ok()?;
        let table = ddl::table_name(&row.name)?;
        let source = render_source(&table, &row, db.dialect())?;
        let document = render_document(&fields, db.dialect(), "r")?;
        let returning = render_document(&fields, db.dialect(), "")?;
        let compile = |operation: Operation| {
            let compile = |text: &str| {
                Predicate::compile(text, &library.for_fields(&fields), operation.purpose())
            };
            Rule::stored(row.rule(operation), compile, |_| {
                report_invalid_rule(&row, operation);
            })
        };
        let calls =
            |operation: &Operation| row.rule(*operation).map(macros_used).unwrap_or_default();
        let called: BTreeSet<String> = Operation::ALL
            .iter()
            .flat_map(calls)
            .filter(|name| !is_built_in(name))
            .collect();
        let access = AccessRules {
            rules: Operation::ALL.map(compile),
            list_fields: FieldList::parse(&row.list_fields),
            view_fields: FieldList::parse(&row.view_fields),
            create_fields: FieldList::parse(&row.create_fields),
            update_fields: FieldList::parse(&row.update_fields),
        };
        Some(Self {
            id: CollectionId::parse(&row.id)?,
            name: row.name.clone(),
            table,
            has_pii: fields.iter().any(|field| field.mask.is_some()),
            by_name: fields
                .iter()
                .enumerate()
                .map(|(index, field)| (field.name.clone(), index))
                .collect(),
            access,
            uses_macros: !called.is_empty(),
            dependencies: library.outline(&called),
            fields,
            row,
            source,
            document,
            returning,
        })
    }
}

/// A rule that stopped compiling lets nobody in.
fn report_invalid_rule(row: &CollectionRow, operation: Operation) {
    tracing::error!(
        collection = row.name,
        operation = operation.name(),
        "a stored rule is invalid: locked"
    );
}
