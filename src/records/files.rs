//! Files that a record names: each must be an upload of the record's account that the caller may
//! name, and fit the field.
//!
//! A description whose path is not of this server's form is kept as it is, unless the field demands
//! something of its files: clients may keep files elsewhere, and such a path opens nothing here.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::{Records, draft::Draft};
use crate::access::RecordScope;
use crate::db::{Sql, Stmt};
use crate::error::{Error, FieldError, Result};
use crate::files::{self, FileLimits, StoredFile, content_type};
use crate::id::{ANONYMOUS, AccountId, RecordId};
use crate::schema::{Body, Field, FieldType, FileOptions, Operation};

impl Records {
    /// What a field takes, for a file that a client sends with a record.
    ///
    /// # Errors
    ///
    /// What keeps the caller from the operation, and an unknown field, or one that is no file
    /// field or not for the caller to write.
    pub fn upload_terms(
        &self,
        caller: &crate::auth::Caller,
        collection: &str,
        operation: Operation,
        field: &str,
    ) -> Result<FileOptions> {
        let collection = self.collection(collection)?;
        let scope = RecordScope::open(caller, &collection, operation)?;
        let problem = |code: &str, message: String| Err(Error::invalid(field, code, message));
        let Some(found) = collection.field(field) else {
            let message = format!("Collection '{}' has no field '{field}'", collection.name);
            return problem("unknown_field", message);
        };
        if !is_file(found) {
            return problem(
                "not_a_file_field",
                format!("Field '{field}' takes no files"),
            );
        }
        if !scope.may_write(field) {
            let message = format!("Permission denied to {} fields: {field}", operation.name());
            return Err(Error::FieldAccess {
                message,
                fields: vec![field.to_owned()],
                allowed: None,
            });
        }
        Ok(found.constraints.files().clone())
    }

    /// Checks the files that a body names, and puts what the registry knows of them in the place of
    /// what the client says. Values of the wrong shape are left to be refused with the others.
    pub(super) async fn resolve_files(
        &self,
        scope: &RecordScope<'_>,
        account: AccountId,
        record: Option<RecordId>,
        body: &mut Body,
    ) -> Result<()> {
        let mut problems = Vec::new();
        for field in scope
            .collection
            .fields
            .iter()
            .filter(|field| is_file(field))
        {
            let Some(value) = body.get_mut(&field.name) else {
                continue;
            };
            normalize(field, value);
            let descriptions: Vec<&mut Json> = match value {
                Json::Array(items) => items.iter_mut().collect(),
                other => vec![other],
            };
            for description in descriptions {
                let resolved = self.resolve(scope, account, record, field, description);
                if let Err(problem) = resolved.await? {
                    problems.push(problem);
                }
            }
        }
        if problems.is_empty() {
            Ok(())
        } else {
            Err(Error::Invalid { fields: problems })
        }
    }

    async fn resolve(
        &self,
        scope: &RecordScope<'_>,
        account: AccountId,
        record: Option<RecordId>,
        field: &Field,
        description: &mut Json,
    ) -> Result<std::result::Result<(), FieldError>> {
        let Some(path) = description.get("path").and_then(Json::as_str) else {
            return Ok(Ok(()));
        };
        let options = field.constraints.files();
        let missing = || Err(not_found(&field.name, path));
        if !files::is_path(path) {
            return Ok(if options.needs_upload() {
                missing()
            } else {
                Ok(())
            });
        }
        let file = match self.files.find(path).await? {
            Some(file) if file.account_id == account.to_string() => file,
            _ => return Ok(missing()),
        };
        if !self.may_name(scope, record, &file).await? {
            return Ok(missing());
        }
        if let Some(problem) = misfit(field, options, &file) {
            return Ok(Err(problem));
        }
        if let Json::Object(described) = description {
            described.insert("size".into(), file.size.into());
            described.insert("mime_type".into(), file.mime_type.clone().into());
            described
                .entry("filename")
                .or_insert_with(|| file.name.clone().into());
        }
        Ok(Ok(()))
    }

    /// Whether the caller may let a record name a file: whoever uploaded it may, and whoever sees it
    /// already, and the record may keep it.
    async fn may_name(
        &self,
        scope: &RecordScope<'_>,
        record: Option<RecordId>,
        file: &StoredFile,
    ) -> Result<bool> {
        let caller = scope.caller;
        // Only who uploaded it without credentials knows its path, until a record names it.
        let is_fresh = file.uploaded_by != ANONYMOUS || file.unclaimed_since.is_some();
        if caller.is_superadmin() || (caller.actor() == file.uploaded_by && is_fresh) {
            return Ok(true);
        }
        if let Some(record) = record {
            let kept = "SELECT count(*) FROM file_uses WHERE path = $1 AND collection_id = $2 AND record_id = $3";
            let args = vec![
                (&file.path).into(),
                scope.collection.id.into(),
                record.into(),
            ];
            if self.db.count(Stmt::fixed(kept, args)).await? > 0 {
                return Ok(true);
            }
        }
        self.files.may_view(caller, file).await
    }

    /// The account of a record, for superadmins.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if there is none.
    pub async fn account_of_record(&self, collection: &str, record: &str) -> Result<AccountId> {
        let collection = self.collection(collection)?;
        let mut sql = self.db.sql();
        sql.push("SELECT r.account_id FROM ")
            .fragment(collection.source())
            .push(" r WHERE r.id = ")
            .arg(super::record_id(record)?);
        let account = self.db.doc(sql.build()).await?;
        let account = account.as_deref().and_then(AccountId::parse);
        account.ok_or_else(super::record_not_found)
    }

    /// Appends `AND …` for every file of this server that is named: it must be there still.
    pub(super) fn write_files(sql: &mut Sql, account: AccountId, draft: &Draft<'_>) {
        for path in named_paths(draft) {
            sql.push(" AND EXISTS (SELECT 1 FROM files t WHERE t.path = ")
                .arg(path);
            sql.push(" AND t.account_id = ")
                .arg(account)
                .push(" AND t.state = 'stored')");
        }
    }

    /// The problem of a file that went away before the record was stored.
    pub(super) async fn missing_file(
        &self,
        account: AccountId,
        draft: &Draft<'_>,
    ) -> Result<Option<FieldError>> {
        for (field, value) in draft.values.iter().filter(|(field, _)| is_file(field)) {
            for path in paths_of(value) {
                let found = self.files.find(&path).await?;
                if found.is_none_or(|file| file.account_id != account.to_string()) {
                    return Ok(Some(not_found(&field.name, &path)));
                }
            }
        }
        Ok(None)
    }
}

fn is_file(field: &Field) -> bool {
    field.kind == FieldType::File && field.computed.is_none()
}

/// Reads descriptions that are sent as text, and takes a list of one for it where one is taken.
fn normalize(field: &Field, value: &mut Json) {
    if let Json::String(text) = value
        && let Ok(parsed @ (Json::Object(_) | Json::Array(_))) = serde_json::from_str(text)
    {
        *value = parsed;
    }
    if let Json::Array(items) = value
        && let [Json::Object(only)] = items.as_slice()
        && !field.constraints.files().is_list()
    {
        *value = Json::Object(only.clone());
    }
}

/// The paths of this server in what is to be stored, each once.
fn named_paths(draft: &Draft<'_>) -> BTreeSet<String> {
    let values = draft.values.iter().filter(|(field, _)| is_file(field));
    values.flat_map(|(_, value)| paths_of(value)).collect()
}

fn paths_of(value: &crate::db::Value) -> Vec<String> {
    let crate::db::Value::Json(text) = value else {
        return Vec::new();
    };
    let value: Json = serde_json::from_str(text).unwrap_or_default();
    files::paths(&value)
        .filter(|path| files::is_path(path))
        .map(str::to_owned)
        .collect()
}

fn not_found(field: &str, path: &str) -> FieldError {
    let shown: String = path.chars().take(200).collect();
    let message = format!("Field '{field}' names no uploaded file: '{shown}'");
    FieldError::new(field, "file_not_found", message)
}

/// What is wrong with a file that fits the server but not the field.
fn misfit(field: &Field, options: &FileOptions, file: &StoredFile) -> Option<FieldError> {
    let limits = FileLimits {
        max_bytes: options.max_size,
        types: options.mime_types.as_deref(),
    };
    let name = &field.name;
    if let Some(most) = limits.max_bytes.filter(|most| file.bytes() > *most) {
        let message = format!("Field '{name}' takes files of {most} bytes at most");
        return Some(FieldError::new(name, "file_too_large", message));
    }
    let types = limits
        .types
        .filter(|types| !content_type::is_allowed(&file.mime_type, types))?;
    let message = format!(
        "Field '{name}' does not take files of type '{}'. Allowed types: {}",
        file.mime_type,
        types.join(", ")
    );
    Some(FieldError::new(name, "file_type_not_allowed", message))
}
