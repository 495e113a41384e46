//! How collections are answered.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::schema::{Collection, FieldDefinition, Operation};

/// A collection with its fields.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Collection)]
pub struct CollectionView {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The table that holds its records.
    pub table_name: String,
    /// Its fields.
    pub schema: Vec<FieldDefinition>,
    /// How many fields it has.
    pub fields_count: usize,
    /// How many fields it has.
    pub field_count: usize,
    /// How many records it has, over all accounts.
    pub records_count: i64,
    /// How many records it has, over all accounts.
    pub record_count: i64,
    /// Whether any operation is open to everyone.
    pub has_public_access: bool,
    /// When it was defined.
    #[serde(serialize_with = "crate::clock::serialize")]
    #[schema(value_type = String)]
    pub created_at: DateTime<Utc>,
    /// When its definition changed last.
    #[serde(serialize_with = "crate::clock::serialize")]
    #[schema(value_type = String)]
    pub updated_at: DateTime<Utc>,
}

impl CollectionView {
    /// The answer for a collection with so many records.
    pub fn new(collection: &Collection, records: i64) -> Self {
        let schema = collection.row.definitions();
        Self {
            id: collection.row.id.clone(),
            name: collection.name.clone(),
            table_name: format!("col_{}", collection.name.to_ascii_lowercase()),
            fields_count: schema.len(),
            field_count: schema.len(),
            schema,
            records_count: records,
            record_count: records,
            has_public_access: Operation::ALL
                .iter()
                .any(|operation| collection.row.rule(*operation) == Some("")),
            created_at: collection.row.created_at,
            updated_at: collection.row.updated_at,
        }
    }
}

/// A collection in a list; its fields are there under the other name.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[schema(as = CollectionListItem)]
pub struct CollectionSummary {
    /// The collection.
    #[serde(flatten)]
    pub collection: CollectionView,
    /// Its fields.
    pub fields: Vec<FieldDefinition>,
}

/// A page of collections.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct CollectionList {
    /// The collections.
    pub items: Vec<CollectionSummary>,
    /// How many there are in all.
    pub total: usize,
    /// The page, counted from 1.
    pub page: i64,
    /// Collections a page.
    pub page_size: i64,
    /// How many pages there are.
    pub total_pages: usize,
}

/// The rules of a collection.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Rules)]
pub struct RulesView {
    /// The id of the rules.
    pub id: String,
    /// The collection's id.
    pub collection_id: String,
    /// Who may list: null for nobody, the empty text for everyone.
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
    /// When the collection was defined.
    #[serde(serialize_with = "crate::clock::serialize")]
    #[schema(value_type = String)]
    pub created_at: DateTime<Utc>,
    /// When the rules changed last.
    #[serde(serialize_with = "crate::clock::serialize")]
    #[schema(value_type = String)]
    pub updated_at: DateTime<Utc>,
}

impl From<&Collection> for RulesView {
    fn from(collection: &Collection) -> Self {
        let row = collection.row.clone();
        Self {
            id: row.rules_id,
            collection_id: row.id,
            list_rule: row.list_rule,
            view_rule: row.view_rule,
            create_rule: row.create_rule,
            update_rule: row.update_rule,
            delete_rule: row.delete_rule,
            list_fields: row.list_fields,
            view_fields: row.view_fields,
            create_fields: row.create_fields,
            update_fields: row.update_fields,
            created_at: row.created_at,
            updated_at: row.rules_updated_at,
        }
    }
}

/// What deleting a collection answers.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct DeletedCollection {
    /// A sentence.
    pub message: String,
    /// The collection's id.
    pub collection_id: String,
    /// The collection's name.
    pub collection_name: String,
    /// The table that held its records.
    pub table_name: String,
    /// How many records went with it.
    pub records_deleted: i64,
    /// An id for the change of the schema.
    pub migration_revision: String,
}

impl DeletedCollection {
    pub(super) fn new(collection: &Collection, records: i64) -> Self {
        Self {
            message: format!("Collection '{}' deleted", collection.name),
            collection_id: collection.row.id.clone(),
            collection_name: collection.name.clone(),
            table_name: format!("col_{}", collection.name.to_ascii_lowercase()),
            records_deleted: records,
            migration_revision: super::revision(),
        }
    }
}
