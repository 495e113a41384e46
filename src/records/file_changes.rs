//! Files that are added to a field or taken out of it: `"photos+"` and `"photos-"` in the body of an
//! update, as PocketBase's clients write them.

use serde_json::Value as Json;

use super::Records;
use crate::access::RecordScope;
use crate::db::{Ident, Kind, Sql, Value};
use crate::error::{Error, Result};
use crate::id::RecordId;
use crate::schema::{Body, Field, FieldType};

/// How often an update is tried whose files others change at the same time.
pub(super) const MAX_ATTEMPTS: usize = 5;

/// What an update of files is based on: the values of the fields, as they are stored.
#[derive(Clone, Debug, Default)]
pub(super) struct FileBasis(Vec<(Ident, Option<String>)>);

impl FileBasis {
    /// Whether the update depends on stored values.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Appends `AND …`: the values are still what they were.
    pub fn write_conditions(&self, sql: &mut Sql) {
        for (column, stored) in &self.0 {
            let stored = match stored {
                Some(text) => Value::Text(text.clone()),
                None => Value::Null(Kind::Text),
            };
            sql.push(" AND CAST(")
                .column("r", column)
                .push(" AS TEXT) IS NOT DISTINCT FROM ")
                .typed_arg(stored);
        }
    }
}

/// Whether a body has changes of files in it.
pub(super) fn changes_files(body: &Body) -> bool {
    body.keys()
        .any(|name| name.starts_with('+') || name.ends_with(['+', '-']))
}

/// A change of a field's files.
enum FileChange {
    Append(Vec<Json>),
    Prepend(Vec<Json>),
    /// Paths or names.
    Remove(Vec<String>),
}

impl Records {
    /// Replaces the changes in a body by the values that they lead to.
    pub(super) async fn apply_file_changes(
        &self,
        scope: &RecordScope<'_>,
        record: Option<RecordId>,
        body: &mut Body,
    ) -> Result<FileBasis> {
        let mut basis = FileBasis::default();
        let fields = scope.collection.fields.iter();
        for field in fields.filter(|field| field.kind == FieldType::File) {
            let changes = take_changes(field, body);
            if changes.is_empty() || !scope.may_write(&field.name) {
                continue;
            }
            let sent = body.shift_remove(&field.name);
            let mut files = match (sent, record) {
                (Some(sent), _) => listed(sent),
                (None, Some(record)) => {
                    let stored = self.stored_files(scope, record, field).await?;
                    basis.0.push((field.column.clone(), stored.clone()));
                    let stored = stored.map(|text| serde_json::from_str(&text));
                    let stored = stored.transpose().map_err(Error::internal)?;
                    stored.map(listed).unwrap_or_default()
                }
                (None, None) => Vec::new(),
            };
            for change in changes {
                change.apply(&mut files);
            }
            body.insert(field.name.clone(), as_value(field, files));
        }
        Ok(basis)
    }

    async fn stored_files(
        &self,
        scope: &RecordScope<'_>,
        record: RecordId,
        field: &Field,
    ) -> Result<Option<String>> {
        let mut sql = self.db.sql();
        sql.push("SELECT CAST(")
            .column("r", &field.column)
            .push(" AS TEXT) FROM ")
            .fragment(scope.collection.source())
            .push(" r WHERE r.id = ")
            .arg(record);
        if let Some(account) = scope.account {
            sql.push(" AND r.account_id = ").arg(account);
        }
        let row: Option<(Option<String>,)> = self.db.row(sql.build()).await?;
        Ok(row.and_then(|(stored,)| stored))
    }
}

impl FileChange {
    fn apply(self, files: &mut Vec<Json>) {
        match self {
            Self::Append(more) => files.extend(more),
            Self::Prepend(more) => {
                files.splice(0..0, more);
            }
            Self::Remove(names) => files.retain(|file| {
                let is = |key: &str| {
                    let value = file.get(key).and_then(Json::as_str);
                    value.is_some_and(|value| names.iter().any(|name| name == value))
                };
                !is("path") && !is("filename")
            }),
        }
    }
}

/// Takes the changes of a field out of a body.
fn take_changes(field: &Field, body: &mut Body) -> Vec<FileChange> {
    let name = &field.name;
    let mut changes = Vec::new();
    if let Some(removed) = body.shift_remove(&format!("{name}-")) {
        let names = match removed {
            Json::Array(names) => names,
            other => vec![other],
        };
        let name = |name: Json| match name {
            Json::String(name) => Some(name),
            other => other.get("path").and_then(Json::as_str).map(str::to_owned),
        };
        changes.push(FileChange::Remove(
            names.into_iter().filter_map(name).collect(),
        ));
    }
    if let Some(more) = body.shift_remove(&format!("+{name}")) {
        changes.push(FileChange::Prepend(listed(more)));
    }
    if let Some(more) = body.shift_remove(&format!("{name}+")) {
        changes.push(FileChange::Append(listed(more)));
    }
    changes
}

/// A value as a list of descriptions.
fn listed(value: Json) -> Vec<Json> {
    match value {
        Json::Null => Vec::new(),
        Json::Array(items) => items,
        Json::String(text) => match serde_json::from_str(&text) {
            Ok(value @ (Json::Array(_) | Json::Object(_))) => listed(value),
            _ => vec![Json::String(text)],
        },
        other => vec![other],
    }
}

/// A list as a value of the field: of one file it is the last.
fn as_value(field: &Field, mut files: Vec<Json>) -> Json {
    if field.constraints.files().is_list() {
        Json::Array(files)
    } else {
        files.pop().unwrap_or(Json::Null)
    }
}
