//! What saving a definition would be refused for, said while it is written: all that needs no look
//! at the records.

use super::input::{check_shape, misspelt_keys};
use super::rename::Renames;
use super::{CollectionInput, Collections, forbidden_changes, missing_targets};
use crate::error::{Error, FieldError, Problem, Result};
use crate::schema::definition::{check_collection_name, check_fields};
use crate::schema::naming::{check_new_collection, check_new_fields};
use crate::schema::{Catalog, Collection};

impl Collections {
    /// What is wrong with a definition: of a new collection, or as a change of the one that is
    /// named. Rules are not looked at. Fails if the collection that is named does not exist.
    pub async fn problems(
        &self,
        of: Option<&str>,
        input: &CollectionInput,
    ) -> Result<Vec<FieldError>> {
        let catalog = self.catalog.latest().await?;
        match of {
            None => Ok(of_new(&catalog, input)),
            Some(name) => {
                let collection = self.find(name)?;
                of_change(&catalog, &collection, input).or_else(told)
            }
        }
    }
}

/// The problems that an error is about; other errors stay what they are.
fn told(error: Error) -> Result<Vec<FieldError>> {
    match error {
        Error::Invalid { fields, .. } => Ok(fields),
        Error::Malformed { problems } => Ok(problems.iter().map(Problem::of_field).collect()),
        other => Err(other),
    }
}

fn of_new(catalog: &Catalog, input: &CollectionInput) -> Vec<FieldError> {
    let mut problems = match check_shape(input, true) {
        Err(Error::Malformed { problems }) => problems.iter().map(Problem::of_field).collect(),
        _ => Vec::new(),
    };
    problems.extend(misspelt_keys(input));
    let name = input.name.as_deref().unwrap_or_default();
    if !problems.iter().any(|problem| problem.field == "name") {
        problems.extend(check_collection_name(name).err());
        problems.extend(check_new_collection(
            name,
            catalog.iter().map(|collection| collection.name.as_str()),
        ));
        if catalog.by_name_ignoring_case(name).is_some() {
            let message = format!("Collection '{name}' already exists");
            problems.push(FieldError::new("name", "name_taken", message));
        }
    }
    let mut definitions = input.definitions().unwrap_or_default();
    if definitions.is_empty() {
        return problems;
    }
    problems.extend(check_new_fields(&definitions, |_| false));
    match check_fields(&mut definitions) {
        Ok(fields) => problems.extend(missing_targets(
            |target| exists(catalog, target),
            name,
            &fields,
        )),
        Err(found) => problems.extend(found),
    }
    problems
}

fn of_change(
    catalog: &Catalog,
    collection: &Collection,
    input: &CollectionInput,
) -> Result<Vec<FieldError>> {
    check_shape(input, false)?;
    let renames = Renames::check(input.rename.as_ref(), collection)?;
    let Some(mut definitions) = input.definitions() else {
        return Ok(Vec::new());
    };
    renames.expressions(&mut definitions);
    let mut problems = match check_fields(&mut definitions) {
        Ok(fields) => missing_targets(|target| exists(catalog, target), &collection.name, &fields),
        Err(found) => found,
    };
    let before = renames.definitions(collection.row.definitions());
    problems.extend(check_new_fields(&definitions, |name| {
        before.iter().any(|old| old.name == name)
    }));
    problems.extend(misspelt_keys(input));
    problems.extend(forbidden_changes(before, &definitions));
    Ok(problems)
}

fn exists(catalog: &Catalog, name: &str) -> bool {
    catalog.by_name_ignoring_case(name).is_some()
}
