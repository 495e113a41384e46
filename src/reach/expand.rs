//! `expand`: references are replaced by the records they refer to, as the caller may see those.
//!
//! Each level of references is loaded at once, with one statement for everything that it leads to, even for several
//! callers. A record that the caller could not read by itself (its rule, another account, a locked collection) shows as
//! null, as if it were gone.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value as Json;
use tokio::time::timeout;

use super::Scope;
use crate::auth::Caller;
use crate::db::{AccountName, Db, DbError, Stmt};
use crate::error::{Error, Result};
use crate::expr::CallerKey;
use crate::id::AccountId;
use crate::schema::{Body, Catalog, Collection, Operation, View};

/// References that one request may expand.
const MAX_REFERENCES: usize = 50;
/// How many pairs of a collection and a way to see it one statement reads.
const SIGHTS: usize = 64;

const LABEL: &str = "Invalid expand field";

/// What to expand: a tree of the names of references. Alike wishes are equal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Expand(Vec<Branch>);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
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

    /// Refuses what is no reference of a collection. Deeper names are not looked at: what they lead to may change.
    pub fn check(&self, collection: &Collection) -> Result<()> {
        match self.0.iter().find(|branch| !is_reference(collection, &branch.field)) {
            None => Ok(()),
            Some(Branch { field, .. }) => {
                let message = format!("Field '{field}' is not a reference field and cannot be expanded");
                Err(Error::refused(LABEL, message))
            }
        }
    }

    /// Without what is no reference of a collection; `None` if nothing is left.
    pub fn known_to(self, collection: &Collection) -> Option<Self> {
        self.only(|field| is_reference(collection, field))
    }

    /// So many levels of it at most; `None` if nothing is left.
    pub fn within(self, depth: usize) -> Option<Self> {
        let branches = cut(self.0, depth);
        (!branches.is_empty()).then_some(Self(branches))
    }

    fn only(mut self, wanted: impl Fn(&str) -> bool) -> Option<Self> {
        self.0.retain(|branch| wanted(&branch.field));
        (!self.0.is_empty()).then_some(self)
    }
}

/// The paths, with commas between them.
impl fmt::Display for Expand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&paths(&self.0).join(","))
    }
}

fn paths(branches: &[Branch]) -> Vec<String> {
    let paths = branches.iter().flat_map(|branch| match &branch.below[..] {
        [] => vec![branch.field.clone()],
        below => paths(below).into_iter().map(|path| format!("{}.{path}", branch.field)).collect(),
    });
    paths.collect()
}

fn branch<'l>(level: &'l mut Vec<Branch>, name: &str, count: &mut usize) -> &'l mut Vec<Branch> {
    let index = level.binary_search_by(|branch| branch.field.as_str().cmp(name)).unwrap_or_else(|index| {
        *count += 1;
        level.insert(index, Branch { field: name.to_owned(), below: Vec::new() });
        index
    });
    &mut level[index].below
}

fn cut(branches: Vec<Branch>, depth: usize) -> Vec<Branch> {
    if depth == 0 {
        return Vec::new();
    }
    let cut = |Branch { field, below }| Branch { field, below: cut(below, depth - 1) };
    branches.into_iter().map(cut).collect()
}

fn is_reference(collection: &Collection, field: &str) -> bool {
    collection.field(field).is_some_and(|field| field.target.is_some())
}

/// How somebody sees single records of a collection: equal sights show the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Sight {
    view: View,
    records: Records,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Records {
    None,
    Some { account: Option<AccountId>, rule: Option<CallerKey> },
}

impl Sight {
    fn new(caller: &Caller, collection: &Arc<Collection>) -> Self {
        let view = View::new(collection.clone(), Operation::View, caller.is_superadmin(), caller.sees_pii());
        let records = match Scope::open(caller, collection, Operation::View) {
            Ok(Scope { account, rule, .. }) => {
                Records::Some { account, rule: rule.map(|rule| rule.caller_key(&caller.attributes())) }
            }
            Err(_) => Records::None,
        };
        Self { view, records }
    }
}

/// A reference to expand, resolved.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Step {
    field: String,
    target: Sight,
    below: Box<[Step]>,
}

/// References to expand in the records of a collection that a caller sees.
#[derive(Clone, Debug)]
pub struct Expansion {
    caller: Caller,
    view: View,
    expand: Expand,
    steps: Arc<[Step]>,
}

/// Expansions with equal keys show the same in the same record.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ExpansionKey(Arc<[Step]>);

impl Expansion {
    /// Resolves what is to be expanded in records that are seen through a view. References that it does not show, or that
    /// are not wanted (`selected`), are left out; `None` if that is all.
    pub fn new(
        catalog: &Catalog,
        caller: &Caller,
        view: &View,
        expand: &Expand,
        selected: impl Fn(&str) -> bool,
    ) -> Option<Self> {
        let expand = expand.clone().only(selected)?;
        let steps = resolve(catalog, caller, view, &expand.0);
        let expansion = Self { caller: caller.clone(), view: view.clone(), expand, steps: steps.into() };
        (!expansion.steps.is_empty()).then_some(expansion)
    }

    /// The same with the collections of another moment.
    #[must_use]
    pub fn renewed(&self, catalog: &Catalog) -> Self {
        let steps = resolve(catalog, &self.caller, &self.view, &self.expand.0);
        Self { steps: steps.into(), ..self.clone() }
    }

    /// What it shows depends on this, besides the records.
    pub fn key(&self) -> ExpansionKey {
        ExpansionKey(self.steps.clone())
    }

    /// The collections to which it leads.
    pub fn targets(&self) -> Vec<&Arc<Collection>> {
        fn add<'s>(steps: &'s [Step], targets: &mut Vec<&'s Arc<Collection>>) {
            for step in steps {
                let target = step.target.view.collection();
                if !targets.iter().any(|known| Arc::ptr_eq(known, target)) {
                    targets.push(target);
                }
                add(&step.below, targets);
            }
        }
        let mut targets = Vec::new();
        add(&self.steps, &mut targets);
        targets
    }

    /// What must be known of a record to expand it: its references and its account. `None` if it refers to nothing.
    pub fn stub(&self, record: &Body) -> Option<Body> {
        let references = self.steps.iter().filter(|step| record.get(&step.field).is_some_and(Json::is_string));
        let mut stub: Body =
            references.filter_map(|step| Some((step.field.clone(), record.get(&step.field)?.clone()))).collect();
        if stub.is_empty() {
            return None;
        }
        stub.extend(record.get("account_id").map(|account| ("account_id".to_owned(), account.clone())));
        Some(stub)
    }

    /// Puts the records of a pool to their references. `budget` is how many bytes of them there may be; if they are more,
    /// the record is not of use any more.
    pub fn fill(
        &self,
        record: &mut Body,
        pool: &Pool,
        place: Place,
        budget: &mut usize,
    ) -> std::result::Result<(), TooLarge> {
        fill(record, &self.steps, pool, place, budget)
    }

    /// Replaces references in place.
    pub async fn apply(&self, db: &Db, records: &mut [Body], most: usize) -> Result<()> {
        let too_large = || {
            let message = "The expanded records are too large: expand fewer fields, or take a smaller page";
            Error::refused(LABEL, message)
        };
        let wanted: Vec<(&Self, &Body)> = records.iter().map(|record| (self, record)).collect();
        let pool = Pool::load(db, &wanted, most, None).await.map_err(|unread| match unread {
            Unread::TooLarge => too_large(),
            Unread::Late => Error::Unavailable("The database is too slow".into()),
            Unread::Failed(error) => error.into(),
        })?;
        let mut budget = most;
        for record in records {
            self.fill(record, &pool, in_place, &mut budget).map_err(|TooLarge| too_large())?;
        }
        Ok(())
    }
}

fn resolve(catalog: &Catalog, caller: &Caller, view: &View, branches: &[Branch]) -> Box<[Step]> {
    let step = |branch: &Branch| {
        let field = view.collection().field(&branch.field).filter(|field| view.shows_in_clear(field))?;
        let target = Sight::new(caller, catalog.by_name_ignoring_case(field.target.as_deref()?)?);
        let below = resolve(catalog, caller, &target.view, &branch.below);
        Some(Step { field: branch.field.clone(), target, below })
    };
    branches.iter().filter_map(step).collect()
}

/// Where a record goes to which a field refers; `None` if the caller does not see it.
pub type Place = fn(record: &mut Body, field: &str, found: Option<(Body, &Collection)>);

/// Puts a record in the place of its id.
pub fn in_place(record: &mut Body, field: &str, found: Option<(Body, &Collection)>) {
    if let Some(value) = record.get_mut(field) {
        *value = found.map_or(Json::Null, |(record, _)| Json::Object(record));
    }
}

/// The records are more than is allowed.
#[derive(Debug)]
pub struct TooLarge;

fn fill(
    record: &mut Body,
    steps: &[Step],
    pool: &Pool,
    place: Place,
    budget: &mut usize,
) -> std::result::Result<(), TooLarge> {
    let account = record.get("account_id").cloned();
    for step in steps {
        let Some(id) = record.get(&step.field).and_then(Json::as_str) else { continue };
        let found = pool.get(&step.target, id);
        let Some(loaded) = found.filter(|loaded| loaded.record.get("account_id") == account.as_ref()) else {
            place(record, &step.field, None);
            continue;
        };
        *budget = budget.checked_sub(loaded.size).ok_or(TooLarge)?;
        let mut expanded = loaded.record.clone();
        fill(&mut expanded, &step.below, pool, place, budget)?;
        place(record, &step.field, Some((expanded, step.target.view.collection())));
    }
    Ok(())
}

/// A record that was loaded, and the length of its text.
struct Loaded {
    record: Body,
    size: usize,
}

/// Why records were not loaded.
#[derive(Debug)]
pub enum Unread {
    /// There is too much of them.
    TooLarge,
    /// The database took too long.
    Late,
    /// The database did not give them.
    Failed(DbError),
}

/// Records to which references lead, as they are seen. Those that were looked for in vain are in it, too.
#[derive(Default)]
pub struct Pool(HashMap<Sight, HashMap<String, Option<Loaded>>>);

/// Somebody who has a sight, and the ids that are looked for with it.
type Need<'n> = (&'n Caller, BTreeSet<&'n str>);

impl Pool {
    /// Loads all to which the references of some records lead: `most` bytes of them at most. With `patience`, no
    /// statement may take longer.
    pub async fn load(
        db: &Db,
        wanted: &[(&Expansion, &Body)],
        most: usize,
        patience: Option<Duration>,
    ) -> std::result::Result<Self, Unread> {
        let (mut pool, mut left) = (Self::default(), most);
        let roots = wanted.iter().flat_map(|(expansion, record)| {
            let steps = expansion.steps.iter();
            steps.filter_map(move |step| Some((&expansion.caller, step, reference(record, step)?.to_owned())))
        });
        let mut frontier: Vec<(&Caller, &Step, String)> = roots.collect();
        while !frontier.is_empty() {
            #[expect(clippy::mutable_key_type, reason = "a view compares its collection by its address")]
            let mut needs: HashMap<&Sight, Need<'_>> = HashMap::new();
            for (caller, step, id) in &frontier {
                if step.target.records != Records::None && !pool.knows(&step.target, id) {
                    needs.entry(&step.target).or_insert_with(|| (caller, BTreeSet::new())).1.insert(id);
                }
            }
            let needs: Vec<(&Sight, Need<'_>)> = needs.into_iter().collect();
            let mut needs = &needs[..];
            while !needs.is_empty() {
                let (stmt, asked) = ask(db, needs);
                let rows = match patience {
                    Some(patience) => timeout(patience, db.rows(stmt)).await.map_err(|_| Unread::Late)?,
                    None => db.rows(stmt).await,
                };
                let (now, later) = needs.split_at(asked);
                pool.take(now, rows.map_err(Unread::Failed)?, &mut left)?;
                needs = later;
            }
            let mut next = Vec::new();
            for (caller, step, id) in &frontier {
                let Some(loaded) = pool.get(&step.target, id) else { continue };
                for child in &step.below {
                    next.extend(reference(&loaded.record, child).map(|id| (*caller, child, id.to_owned())));
                }
            }
            frontier = next;
        }
        Ok(pool)
    }

    fn knows(&self, sight: &Sight, id: &str) -> bool {
        self.0.get(sight).is_some_and(|records| records.contains_key(id))
    }

    fn get(&self, sight: &Sight, id: &str) -> Option<&Loaded> {
        self.0.get(sight)?.get(id)?.as_ref()
    }

    /// Takes in what was read for some sights.
    fn take(
        &mut self,
        needs: &[(&Sight, Need<'_>)],
        rows: Vec<(i64, String)>,
        left: &mut usize,
    ) -> std::result::Result<(), Unread> {
        for (sight, (_, ids)) in needs {
            let known = self.0.entry((*sight).clone()).or_default();
            known.extend(ids.iter().map(|id| ((*id).to_owned(), None)));
        }
        for (number, doc) in rows {
            *left = left.checked_sub(doc.len()).ok_or(Unread::TooLarge)?;
            // What cannot be looked into is not shown.
            let Ok(mut record) = serde_json::from_str::<Body>(&doc) else { continue };
            let sight = usize::try_from(number).ok().and_then(|number| needs.get(number)).map(|(sight, _)| *sight);
            let Some((sight, records)) = sight.and_then(|sight| Some((sight, self.0.get_mut(sight)?))) else {
                continue;
            };
            record.shift_remove("account_name");
            sight.view.apply(&mut record);
            if let Some(id) = record.get("id").and_then(Json::as_str).map(str::to_owned) {
                records.insert(id, Some(Loaded { size: doc.len(), record }));
            }
        }
        Ok(())
    }
}

/// The statement that reads for some sights, and for how many of them: as many as go into one, in their order. Each row
/// is the number of a sight and a document.
fn ask(db: &Db, needs: &[(&Sight, Need<'_>)]) -> (Stmt, usize) {
    let (mut sql, mut asked) = (db.sql(), 0);
    for (sight, (caller, ids)) in needs {
        let collection = sight.view.collection();
        if asked > 0 {
            sql.push(" UNION ALL ");
        }
        sql.push("SELECT CAST(").number(i64::try_from(asked).unwrap_or(i64::MAX)).push(" AS BIGINT), ");
        collection.write_document(&mut sql, "r", AccountName::Null, |name| sight.view.shows(name));
        sql.push(" FROM ").fragment(collection.source()).push(" r WHERE r.id").one_of_texts(ids.iter().copied());
        match Scope::open(caller, collection, Operation::View) {
            Ok(scope) => scope.write_conditions(&mut sql, None),
            Err(_) => {
                sql.push(" AND 1 = 0");
            }
        }
        asked += 1;
        if asked == SIGHTS || sql.is_full() {
            break;
        }
    }
    (sql.build(), asked)
}

fn reference<'r>(record: &'r Body, step: &Step) -> Option<&'r str> {
    record.get(&step.field)?.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expand(text: &str) -> Expand {
        Expand::parse(text).unwrap().unwrap()
    }

    #[test]
    fn paths_with_the_same_beginning_share_it() {
        assert_eq!(expand(" b.d , b.c,a,,b,a").to_string(), "a,b.c,b.d");
        assert_eq!(expand("b.d,a,b.c"), expand("a,b.c,b.d"));
        assert!(Expand::parse(" , ").unwrap().is_none());
    }

    #[test]
    fn levels_beyond_the_last_one_are_cut_off() {
        let cut = |depth| expand("a,b.c.d").within(depth).map(|left| left.to_string());
        assert_eq!(cut(2).as_deref(), Some("a,b.c"));
        assert_eq!(cut(0), None);
    }

    #[test]
    fn the_number_of_references_is_limited() {
        let many = |count: usize| (0..count).map(|n| format!("f{n}")).collect::<Vec<_>>().join(",");
        assert!(Expand::parse(&many(MAX_REFERENCES)).is_ok());
        assert!(Expand::parse(&many(MAX_REFERENCES + 1)).is_err());
        assert!(Expand::parse(&"a.".repeat(MAX_REFERENCES + 1)).is_err());
    }
}
