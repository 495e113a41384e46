//! Collections and their rules as they are answered.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::schema::FieldDefinitionShape;
use crate::schema::{Collection, FieldDefinition, Operation};

/// A collection with its fields.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Collection)]
pub struct CollectionView {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The table that holds its records.
    pub table_name: String,
    /// Its fields.
    #[schema(value_type = Vec<FieldDefinitionShape>)]
    pub schema: Vec<FieldDefinition>,
    /// Number of fields.
    pub fields_count: usize,
    /// Number of fields.
    pub field_count: usize,
    /// Number of records, over all accounts.
    pub records_count: i64,
    /// Number of records, over all accounts.
    pub record_count: i64,
    /// True if any operation is open to everyone.
    pub has_public_access: bool,
    /// Time of its definition.
    #[serde(serialize_with = "crate::clock::serialize")]
    #[schema(value_type = String)]
    pub created_at: DateTime<Utc>,
    /// Time of the last change of its definition.
    #[serde(serialize_with = "crate::clock::serialize")]
    #[schema(value_type = String)]
    pub updated_at: DateTime<Utc>,
}

impl CollectionView {
    /// The response for a collection; `records` is the number of its records.
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
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = CollectionListItem)]
pub struct CollectionSummary {
    /// The collection.
    #[serde(flatten)]
    pub collection: CollectionView,
    /// Its fields.
    #[schema(value_type = Vec<FieldDefinitionShape>)]
    pub fields: Vec<FieldDefinition>,
}

/// A page of collections.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CollectionList {
    /// The collections.
    pub items: Vec<CollectionSummary>,
    /// Number of collections in all.
    pub total: usize,
    /// The page, counted from 1.
    pub page: usize,
    /// Collections a page.
    pub page_size: usize,
    /// Number of pages.
    pub total_pages: usize,
}

/// The rules of a collection.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Rules)]
pub struct RulesView {
    /// The id of the rules.
    pub id: String,
    /// The collection's id.
    pub collection_id: String,
    /// Rule of listing: null for nobody, the empty text for everyone.
    pub list_rule: Option<String>,
    /// Rule of reading one.
    pub view_rule: Option<String>,
    /// Rule of creating.
    pub create_rule: Option<String>,
    /// Rule of updating.
    pub update_rule: Option<String>,
    /// Rule of deleting.
    pub delete_rule: Option<String>,
    /// Fields in lists.
    pub list_fields: String,
    /// Fields of single records.
    pub view_fields: String,
    /// Fields that may be sent on create.
    pub create_fields: String,
    /// Fields that may be sent on update.
    pub update_fields: String,
    /// Time of the collection's definition.
    #[serde(serialize_with = "crate::clock::serialize")]
    #[schema(value_type = String)]
    pub created_at: DateTime<Utc>,
    /// Time of the last change of the rules.
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
