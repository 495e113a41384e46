//! Other names for collections and fields. Data stays; whatever names them is rewritten.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Collections, SchemaChange, invalid, macros_reading, stored};
use crate::auth::Caller;
use crate::db::{DbError, Ident, Stmt, Value};
use crate::error::{Error, FieldError, Result};
use crate::expr::{Renamed, rename_field, rename_in_macro};
use crate::id::CollectionId;
use crate::schema::definition::{check_collection_name, check_field_name};
use crate::schema::naming::{check_new_collection, check_new_field};
use crate::schema::{Collection, CollectionRow, Field, FieldDefinition, ddl};

/// Fields under other names: the old name, and the new one.
#[derive(Clone, Debug, Default)]
pub(super) struct Renames(BTreeMap<String, String>);

impl Renames {
    /// Checks that what is renamed is there, and that the new names are free.
    pub fn check(
        wanted: Option<&BTreeMap<String, String>>,
        collection: &Collection,
    ) -> Result<Self> {
        let wanted: BTreeMap<String, String> = wanted
            .into_iter()
            .flatten()
            .filter(|(old, new)| old != new)
            .map(|(o, n)| (o.clone(), n.clone()))
            .collect();
        let mut problems = Vec::new();
        for (old, new) in &wanted {
            let mut problem = |code: &str, message: String| {
                problems.push(FieldError::new(format!("rename.{old}"), code, message));
            };
            if collection.field(old).is_none() {
                problem(
                    "field_unknown",
                    format!("There is no field '{old}' to rename"),
                );
            }
            check_field_name(new, &mut |_: &str, code: &str, message| {
                problem(code, message);
            });
            if let Some(reserved) = check_new_field("name", new) {
                problem(&reserved.code, reserved.message);
            }
            if collection
                .fields
                .iter()
                .any(|field| field.name.eq_ignore_ascii_case(new))
            {
                problem(
                    "field_name_duplicate",
                    format!("There is a field '{new}' already"),
                );
            }
            if wanted
                .iter()
                .any(|(other, name)| other != old && name.eq_ignore_ascii_case(new))
            {
                problem(
                    "field_name_duplicate",
                    format!("'{new}' is the new name of several fields"),
                );
            }
        }
        if problems.is_empty() {
            Ok(Self(wanted))
        } else {
            Err(invalid(problems))
        }
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn new_name<'a>(&'a self, name: &'a str) -> &'a str {
        self.0.get(name).map_or(name, String::as_str)
    }

    /// The fields under their new names.
    pub fn fields(&self, fields: &[Field]) -> Vec<Field> {
        let renamed = |field: &Field| {
            let name = self.new_name(&field.name).to_owned();
            let column = Ident::of(&name).unwrap_or_else(|| field.column.clone());
            Field {
                name,
                column,
                ..field.clone()
            }
        };
        fields.iter().map(renamed).collect()
    }

    /// The definitions under their new names.
    pub fn definitions(&self, mut definitions: Vec<FieldDefinition>) -> Vec<FieldDefinition> {
        for definition in &mut definitions {
            definition.name = self.new_name(&definition.name).to_owned();
        }
        self.expressions(&mut definitions);
        definitions
    }

    /// Rewrites computed fields that still use the old names, unless a field has such a name again.
    pub fn expressions(&self, definitions: &mut [FieldDefinition]) {
        for (old, new) in &self.0 {
            if definitions.iter().any(|definition| definition.name == *old) {
                continue;
            }
            for definition in definitions.iter_mut() {
                if let Some(renamed) = definition
                    .expression
                    .as_deref()
                    .and_then(|text| rename_field(text, old, new))
                {
                    definition.expression = Some(renamed);
                }
            }
        }
    }

    fn rule(&self, rule: &str) -> String {
        self.0.iter().fold(rule.to_owned(), |rule, (old, new)| {
            rename_field(&rule, old, new).unwrap_or(rule)
        })
    }

    fn list(&self, list: &str) -> String {
        match serde_json::from_str::<Vec<String>>(list) {
            Ok(names) => serde_json::json!(
                names
                    .iter()
                    .map(|name| self.new_name(name))
                    .collect::<Vec<_>>()
            )
            .to_string(),
            Err(_) => list.to_owned(),
        }
    }
}

impl Collections {
    /// Gives a collection another name. Records, rules and references stay; macros that read it
    /// follow.
    pub async fn rename(
        &self,
        caller: &Caller,
        id_or_name: &str,
        name: &str,
    ) -> Result<Arc<Collection>> {
        check_collection_name(name).map_err(|problem| invalid(vec![problem]))?;
        let mut change = self.change().await?;
        let collection = self.find(id_or_name)?;
        if name == collection.name {
            return Ok(collection);
        }
        let others = change.names().filter(|other| *other != collection.name);
        if let Some(problem) = check_new_collection(name, others) {
            return Err(invalid(vec![problem]));
        }
        let update =
            "UPDATE collections SET name = $1, name_key = $2, updated_at = $3 WHERE id = $4";
        let key = name.to_ascii_lowercase();
        let args = vec![
            name.into(),
            key.into(),
            change.now.into(),
            collection.id.into(),
        ];
        change
            .tx
            .execute(Stmt::fixed(update, args))
            .await
            .map_err(|error| match error {
                DbError::Unique { .. } => {
                    Error::conflict(format!("Collection '{name}' already exists"), Some("name"))
                }
                other => other.into(),
            })?;
        let table = ddl::table_name(name)
            .ok_or_else(|| Error::internal("a checked name makes no table"))?;
        if table != collection.table {
            let before = ddl::Table {
                id: collection.id,
                name: &collection.table,
                fields: &collection.fields,
            };
            let aside = change.tx.set_triggers_aside(&collection.table).await?;
            for stmt in ddl::rename_table(self.db.dialect(), &before, &table)
                .into_iter()
                .chain(aside)
            {
                change.tx.execute(stmt).await?;
            }
        }
        for other in change.catalog.clone().iter() {
            let mut definitions = other.row.definitions();
            let targets = definitions
                .iter_mut()
                .filter_map(|definition| definition.collection.as_mut());
            let mut refers = false;
            for target in targets.filter(|target| target.eq_ignore_ascii_case(&collection.name)) {
                name.clone_into(target);
                refers = true;
            }
            if refers {
                let update = "UPDATE collections SET schema = $1, updated_at = $2 WHERE id = $3";
                let args = vec![stored(&definitions)?, change.now.into(), other.id.into()];
                change.tx.execute(Stmt::fixed(update, args)).await?;
            }
        }
        rewrite_macros(
            &mut change,
            &collection,
            Renamed::Collection,
            &collection.name,
            name,
        )
        .await?;
        self.finish(change, caller).await?;
        self.find(&collection.id.to_string())
    }

    /// Renames columns, and rewrites whatever else names the fields.
    pub(super) async fn rename_fields(
        &self,
        change: &mut SchemaChange,
        collection: &Collection,
        renames: &Renames,
    ) -> Result<()> {
        let after = renames.fields(&collection.fields);
        let aside = change.tx.set_triggers_aside(&collection.table).await?;
        let renames_columns = ddl::rename_columns(
            self.db.dialect(),
            &collection.table,
            &collection.fields,
            &after,
        );
        for stmt in renames_columns.into_iter().chain(aside) {
            change.tx.execute(stmt).await?;
        }
        for (old, new) in collection
            .fields
            .iter()
            .zip(&after)
            .filter(|(old, new)| old.name != new.name)
        {
            rewrite_macros(change, collection, Renamed::Field, &old.name, &new.name).await?;
        }
        let update = "UPDATE collections SET list_rule = $1, view_rule = $2, create_rule = $3, update_rule = $4, \
                      delete_rule = $5, list_fields = $6, view_fields = $7, create_fields = $8, update_fields = $9, \
                      rules_updated_at = $10, \
                      fields_renamed = (SELECT coalesce(max(position), 0) FROM change_log) WHERE id = $11";
        change
            .tx
            .execute(Stmt::fixed(
                update,
                access(&collection.row, renames, change, collection.id),
            ))
            .await?;
        Ok(())
    }
}

/// The rules and field lists with the new names.
fn access(
    row: &CollectionRow,
    renames: &Renames,
    change: &SchemaChange,
    id: CollectionId,
) -> Vec<Value> {
    let rules = [
        &row.list_rule,
        &row.view_rule,
        &row.create_rule,
        &row.update_rule,
        &row.delete_rule,
    ];
    let lists = [
        &row.list_fields,
        &row.view_fields,
        &row.create_fields,
        &row.update_fields,
    ];
    let rules = rules
        .into_iter()
        .map(|rule| Value::text_or_null(rule.as_deref().map(|rule| renames.rule(rule))));
    let lists = lists
        .into_iter()
        .map(|list| Value::Text(renames.list(list)));
    rules
        .chain(lists)
        .chain([change.now.into(), id.into()])
        .collect()
}

async fn rewrite_macros(
    change: &mut SchemaChange,
    collection: &Collection,
    what: Renamed,
    from: &str,
    to: &str,
) -> Result<()> {
    for row in macros_reading(change, &collection.name) {
        // Read again: one before may have rewritten it.
        let current = Stmt::fixed(
            "SELECT sql_query FROM macros WHERE id = $1",
            vec![row.id.into()],
        );
        let Some((query,)) = change.tx.row::<(String,)>(current).await? else {
            continue;
        };
        let Some(renamed) = rename_in_macro(&query, &row.parameter_names(), what, from, to) else {
            continue;
        };
        let update = "UPDATE macros SET sql_query = $1, updated_at = $2 WHERE id = $3";
        let args = vec![renamed.into(), change.now.into(), row.id.into()];
        change.tx.execute(Stmt::fixed(update, args)).await?;
    }
    Ok(())
}
