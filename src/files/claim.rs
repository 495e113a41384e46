//! Who may see a file: whoever uploaded it, and whoever may view a record that names it, in a field
//! that they see.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value as Json;

use super::Files;
use super::registry::StoredFile;
use crate::access::RecordScope;
use crate::auth::Caller;
use crate::db::{AccountName, Stmt};
use crate::error::Result;
use crate::id::CollectionId;
use crate::schema::{Body, Collection, Field, FieldType, Operation};

/// Records that are looked at for one file.
const MAX_RECORDS: i64 = 200;

impl Files {
    /// Whether the caller may see a file. Its account must be the caller's.
    ///
    /// # Errors
    ///
    /// If the database cannot be read.
    pub async fn may_view(&self, caller: &Caller, file: &StoredFile) -> Result<bool> {
        if caller.principal().is_some() && caller.actor() == file.uploaded_by {
            return Ok(true);
        }
        for (collection, records) in self.naming_records(file).await? {
            let Ok(scope) = RecordScope::open(caller, &collection, Operation::View) else {
                continue;
            };
            if self.shows(&scope, &records, &file.path).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The path of a file that a record names, by its name or the last part of its path; the
    /// youngest, if several have it.
    ///
    /// # Errors
    ///
    /// If the database cannot be read.
    pub async fn named(
        &self,
        collection: CollectionId,
        record: &str,
        name: &str,
    ) -> Result<Option<String>> {
        let named = "SELECT f.path, f.name FROM file_uses u JOIN files f ON f.path = u.path \
                     WHERE u.collection_id = $1 AND u.record_id = $2 ORDER BY f.created_at DESC";
        let named = Stmt::fixed(named, vec![collection.into(), record.into()]);
        let files: Vec<(String, String)> = self.db.rows(named).await?;
        let is_it = |(path, given): &&(String, String)| {
            given == name || path.rsplit('/').next() == Some(name)
        };
        Ok(files.iter().find(is_it).map(|(path, _)| path.clone()))
    }

    /// The ids of records that name a file, by collection.
    async fn naming_records(
        &self,
        file: &StoredFile,
    ) -> Result<Vec<(Arc<Collection>, Vec<String>)>> {
        let uses = "SELECT collection_id, record_id FROM file_uses WHERE path = $1 LIMIT $2";
        let uses = Stmt::fixed(uses, vec![(&file.path).into(), MAX_RECORDS.into()]);
        let mut by_collection: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (collection, record) in self.db.rows::<(String, String)>(uses).await? {
            by_collection.entry(collection).or_default().push(record);
        }
        let catalog = self.catalog.current();
        let known = |id: &str| CollectionId::parse(id).and_then(|id| catalog.by_id(id).cloned());
        Ok(by_collection
            .into_iter()
            .filter_map(|(id, records)| Some((known(&id)?, records)))
            .collect())
    }

    /// Whether one of the records is in the scope and shows the path in a field.
    async fn shows(&self, scope: &RecordScope<'_>, records: &[String], path: &str) -> Result<bool> {
        let view = scope.view();
        let is_shown = |field: &Field| is_file(field) && view.shows_in_clear(field);
        if !scope.collection.fields.iter().any(is_shown) {
            return Ok(false);
        }
        let mut sql = self.db.sql();
        sql.push("SELECT ");
        scope
            .collection
            .write_document(&mut sql, "r", AccountName::Null, |name| {
                scope.collection.field(name).is_some_and(is_shown)
            });
        sql.push(" FROM ")
            .fragment(scope.collection.source())
            .push(" r WHERE r.id");
        sql.one_of_texts(records.iter().map(String::as_str));
        scope.write_conditions(&mut sql, None);
        let reads = self.db.reads(scope.reader());
        let docs: Vec<(String,)> = reads.rows(sql.build()).await?;
        Ok(docs.iter().any(|(doc,)| {
            serde_json::from_str::<Body>(doc).is_ok_and(|record| {
                let fields = scope
                    .collection
                    .fields
                    .iter()
                    .filter(|field| is_shown(field));
                fields
                    .filter_map(|field| record.get(&field.name))
                    .flat_map(paths)
                    .any(|named| named == path)
            })
        }))
    }
}

/// Whether a field's values describe files.
pub(super) fn is_file(field: &Field) -> bool {
    field.kind == FieldType::File && field.computed.is_none()
}

/// The paths in the value of a file field: a description or a list of them.
pub fn paths(value: &Json) -> impl Iterator<Item = &str> {
    let several = value.as_array().map(Vec::as_slice).unwrap_or_default();
    std::iter::once(value)
        .filter(|value| value.is_object())
        .chain(several)
        .filter_map(|description| description.get("path")?.as_str())
}
