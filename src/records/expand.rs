//! `expand`: references are replaced by the records they refer to, as the caller may see those.
//!
//! Each level of references is loaded at once, with one statement for each collection it leads to. A record that the
//! caller could not read by itself (its rule, another account, a locked collection) shows as null, as if it were gone.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use serde_json::Value as Json;

use super::Records;
use super::scope::Scope;
use crate::auth::Caller;
use crate::db::AccountName;
use crate::error::{Error, Result};
use crate::id::CollectionId;
use crate::schema::{Body, Catalog, Collection, Operation, View};

/// References that one request may expand.
const MAX_REFERENCES: usize = 50;
/// Bytes of records that one answer may take in by expanding.
const MAX_EXPANDED: usize = 32 * 1024 * 1024;

const LABEL: &str = "Invalid expand field";

/// What to expand: a tree of the names of references.
#[derive(Clone, Debug, Default)]
pub struct Expand(Vec<Branch>);

#[derive(Clone, Debug)]
struct Branch {
    field: String,
    below: Vec<Branch>,
}

impl Expand {
    /// Reads a comma list of paths such as `author,team.industry`; `None` if it names nothing.
    pub fn parse(text: &str) -> Result<Option<Self>> {
        let mut roots = Vec::new();
        let mut count = 0;
        for path in text.split(',').map(str::trim).filter(|path| !path.is_empty()) {
            let mut level = &mut roots;
            for name in path.split('.').map(str::trim) {
                level = branch(level, name, &mut count);
                if count > MAX_REFERENCES {
                    let message = format!("A request expands at most {MAX_REFERENCES} references");
                    return Err(Error::refused(LABEL, message));
                }
            }
        }
        Ok(if roots.is_empty() { None } else { Some(Self(roots)) })
    }
}

fn branch<'l>(level: &'l mut Vec<Branch>, name: &str, count: &mut usize) -> &'l mut Vec<Branch> {
    let index = level.iter().position(|branch| branch.field == name).unwrap_or_else(|| {
        *count += 1;
        level.push(Branch { field: name.to_owned(), below: Vec::new() });
        level.len() - 1
    });
    &mut level[index].below
}

/// A reference to expand, resolved.
pub(super) struct Step {
    field: String,
    target: Arc<Collection>,
    below: Vec<Step>,
}

/// A record that was loaded, and the length of its text.
struct Loaded {
    record: Body,
    size: usize,
}

/// The records of one level, by collection and id.
type Level = HashMap<CollectionId, HashMap<String, Loaded>>;

impl Records {
    /// Resolves what is to be expanded in records of a collection. References that the caller does not see, or does not
    /// want (`selected`), are left out.
    pub(super) fn steps(
        &self,
        collection: &Collection,
        view: &View,
        expand: &Expand,
        selected: impl Fn(&str) -> bool,
    ) -> Result<Vec<Step>> {
        let catalog = self.catalog.current();
        for Branch { field, .. } in &expand.0 {
            if collection.field(field).is_none_or(|field| field.target.is_none()) {
                let message = format!("Field '{field}' is not a reference field and cannot be expanded");
                return Err(Error::refused(LABEL, message));
            }
        }
        let wanted = expand.0.iter().filter(|branch| selected(&branch.field));
        Ok(resolve(&catalog, collection, view, wanted, self.expand_depth))
    }

    /// Replaces references in place.
    pub(super) async fn expand(&self, caller: &Caller, steps: &[Step], records: &mut [Body]) -> Result<()> {
        let mut levels: Vec<Level> = Vec::new();
        let mut frontier: Vec<(&Step, BTreeSet<String>)> =
            steps.iter().map(|step| (step, references(records.iter(), &step.field))).collect();
        while frontier.iter().any(|(_, ids)| !ids.is_empty()) {
            let mut wanted: HashMap<CollectionId, (&Step, BTreeSet<&str>)> = HashMap::new();
            for (step, ids) in &frontier {
                let (_, all) = wanted.entry(step.target.id).or_insert_with(|| (step, BTreeSet::new()));
                all.extend(ids.iter().map(String::as_str));
            }
            let mut level = Level::new();
            for (id, (step, ids)) in wanted {
                level.insert(id, self.load(caller, &step.target, &ids).await?);
            }
            let mut next = Vec::new();
            for (step, ids) in &frontier {
                let Some(loaded) = level.get(&step.target.id) else { continue };
                for child in &step.below {
                    let found = ids.iter().filter_map(|id| Some(&loaded.get(id)?.record));
                    next.push((child, references(found, &child.field)));
                }
            }
            frontier = next;
            levels.push(level);
        }
        let mut budget = MAX_EXPANDED;
        for record in records {
            fill(record, steps, &levels, &mut budget)?;
        }
        Ok(())
    }

    /// The records of a collection with these ids that the caller may read, as the caller sees them.
    async fn load(
        &self,
        caller: &Caller,
        collection: &Arc<Collection>,
        ids: &BTreeSet<&str>,
    ) -> Result<HashMap<String, Loaded>> {
        let scope = match Scope::open(caller, collection, Operation::View) {
            Ok(scope) => scope,
            Err(Error::Forbidden(_) | Error::Unauthenticated(_)) => return Ok(HashMap::new()),
            Err(error) => return Err(error),
        };
        let view = scope.view();
        let mut sql = self.db.sql();
        sql.push("SELECT ");
        collection.write_document(&mut sql, "r", AccountName::Null, |name| view.shows(name));
        sql.push(" FROM ").fragment(collection.source()).push(" r WHERE r.id").one_of_texts(ids.iter().copied());
        scope.write_conditions(&mut sql, None);
        let mut loaded = HashMap::new();
        for doc in self.db.docs(sql.build()).await? {
            let mut record: Body = serde_json::from_str(&doc).map_err(Error::internal)?;
            record.shift_remove("account_name");
            view.apply(&mut record);
            if let Some(id) = record.get("id").and_then(Json::as_str) {
                loaded.insert(id.to_owned(), Loaded { size: doc.len(), record });
            }
        }
        Ok(loaded)
    }
}

fn resolve<'b>(
    catalog: &Catalog,
    collection: &Collection,
    view: &View,
    branches: impl IntoIterator<Item = &'b Branch>,
    depth: usize,
) -> Vec<Step> {
    if depth == 0 {
        return Vec::new();
    }
    let step = |branch: &Branch| {
        let field = collection.field(&branch.field).filter(|field| view.shows_in_clear(field))?;
        let target = catalog.by_name_ignoring_case(field.target.as_deref()?)?.clone();
        let target_view = view.of(target.clone(), Operation::View);
        let below = resolve(catalog, &target, &target_view, &branch.below, depth - 1);
        Some(Step { field: branch.field.clone(), target, below })
    };
    branches.into_iter().filter_map(step).collect()
}

fn references<'r>(records: impl Iterator<Item = &'r Body>, field: &str) -> BTreeSet<String> {
    records.filter_map(|record| record.get(field)?.as_str().map(str::to_owned)).collect()
}

fn fill(record: &mut Body, steps: &[Step], levels: &[Level], budget: &mut usize) -> Result<()> {
    let Some((level, deeper)) = levels.split_first() else { return Ok(()) };
    let account = record.get("account_id").cloned();
    for step in steps {
        let Some(value) = record.get_mut(&step.field) else { continue };
        let Some(id) = value.as_str() else { continue };
        let found = level.get(&step.target.id).and_then(|loaded| loaded.get(id));
        let Some(loaded) = found.filter(|loaded| loaded.record.get("account_id") == account.as_ref()) else {
            *value = Json::Null;
            continue;
        };
        *budget = budget.checked_sub(loaded.size).ok_or_else(|| {
            let message = "The expanded records are too large: expand fewer fields, or take a smaller page";
            Error::refused(LABEL, message)
        })?;
        let mut expanded = loaded.record.clone();
        fill(&mut expanded, &step.below, deeper, budget)?;
        *value = Json::Object(expanded);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(branches: &[Branch]) -> Vec<String> {
        branches
            .iter()
            .flat_map(|branch| match &branch.below[..] {
                [] => vec![branch.field.clone()],
                below => paths(below).into_iter().map(|path| format!("{}.{path}", branch.field)).collect(),
            })
            .collect()
    }

    #[test]
    fn paths_with_the_same_beginning_share_it() {
        let expand = Expand::parse(" a , b.c,b.d,,b,a").unwrap().unwrap();
        assert_eq!(paths(&expand.0), ["a", "b.c", "b.d"]);
        assert!(Expand::parse(" , ").unwrap().is_none());
    }

    #[test]
    fn the_number_of_references_is_limited() {
        let many = |count: usize| (0..count).map(|n| format!("f{n}")).collect::<Vec<_>>().join(",");
        assert!(Expand::parse(&many(MAX_REFERENCES)).is_ok());
        assert!(Expand::parse(&many(MAX_REFERENCES + 1)).is_err());
        assert!(Expand::parse(&"a.".repeat(MAX_REFERENCES + 1)).is_err());
    }
}
