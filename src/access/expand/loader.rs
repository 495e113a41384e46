//! Reads the records to which references lead.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use serde_json::Value as Json;
use tokio::time::timeout;

use super::ExpandPlan;
use super::plan::{PlanStep, ReferencedView, VisibleRecords};
use crate::access::RecordScope;
use crate::auth::Caller;
use crate::db::{AccountName, Db, DbError, Stmt};
use crate::schema::{Body, Operation};

/// How many pairs of a collection and a way to see it one statement reads.
const MAX_VIEWS_PER_STATEMENT: usize = 64;

/// A record that was loaded, and the length of its text.
pub(super) struct LoadedRecord {
    pub(super) record: Body,
    pub(super) size: usize,
}

/// Why records were not loaded.
#[derive(Debug)]
pub enum LoadError {
    /// There is too much of them.
    TooLarge,
    /// The database took too long.
    Late,
    /// The database did not give them.
    Failed(DbError),
}

/// Records to which references lead, as they are seen. Those that were looked for in vain are in
/// it, too.
#[derive(Default)]
pub struct LoadedRecords(HashMap<ReferencedView, HashMap<String, Option<LoadedRecord>>>);

/// A caller who has a view, and the ids that are looked for with it.
type LoadRequest<'n> = (&'n Caller, BTreeSet<&'n str>);

impl LoadedRecords {
    /// Loads all to which the references of some records lead: `most` bytes of them at most. With
    /// `patience`, no statement may take longer.
    pub async fn load(
        db: &Db,
        wanted: &[(&ExpandPlan, &Body)],
        most: usize,
        patience: Option<Duration>,
    ) -> std::result::Result<Self, LoadError> {
        let (mut loaded, mut left) = (Self::default(), most);
        let reads = db.reads(
            wanted
                .first()
                .and_then(|(plan, _)| plan.caller.account_id()),
        );
        let roots = wanted.iter().flat_map(|(plan, record)| {
            let steps = plan.steps.iter();
            steps.filter_map(move |step| {
                Some((&plan.caller, step, reference(record, step)?.to_owned()))
            })
        });
        let mut frontier: Vec<(&Caller, &PlanStep, String)> = roots.collect();
        while !frontier.is_empty() {
            #[expect(
                clippy::mutable_key_type,
                reason = "a view compares its collection by its address"
            )]
            let mut needs: HashMap<&ReferencedView, LoadRequest<'_>> = HashMap::new();
            for (caller, step, id) in &frontier {
                if step.target.records != VisibleRecords::None && !loaded.knows(&step.target, id) {
                    needs
                        .entry(&step.target)
                        .or_insert_with(|| (caller, BTreeSet::new()))
                        .1
                        .insert(id);
                }
            }
            let needs: Vec<(&ReferencedView, LoadRequest<'_>)> = needs.into_iter().collect();
            let mut needs = &needs[..];
            while !needs.is_empty() {
                let (stmt, asked) = ask(db, needs);
                let rows = reads.rows_within(stmt, left, |(_, doc): &(i64, String)| doc.len());
                let rows = match patience {
                    Some(patience) => timeout(patience, rows).await.map_err(|_| LoadError::Late)?,
                    None => rows.await,
                };
                let rows = rows.map_err(|error| match error {
                    DbError::TooLarge => LoadError::TooLarge,
                    other => LoadError::Failed(other),
                })?;
                let (now, later) = needs.split_at(asked);
                loaded.take(now, rows, &mut left)?;
                needs = later;
            }
            let mut next = Vec::new();
            for (caller, step, id) in &frontier {
                let Some(found) = loaded.get(&step.target, id) else {
                    continue;
                };
                for child in &step.below {
                    next.extend(
                        reference(&found.record, child).map(|id| (*caller, child, id.to_owned())),
                    );
                }
            }
            frontier = next;
        }
        Ok(loaded)
    }

    fn knows(&self, seen: &ReferencedView, id: &str) -> bool {
        self.0
            .get(seen)
            .is_some_and(|records| records.contains_key(id))
    }

    pub(super) fn get(&self, seen: &ReferencedView, id: &str) -> Option<&LoadedRecord> {
        self.0.get(seen)?.get(id)?.as_ref()
    }

    /// Takes in what was read for some views.
    fn take(
        &mut self,
        needs: &[(&ReferencedView, LoadRequest<'_>)],
        rows: Vec<(i64, String)>,
        left: &mut usize,
    ) -> std::result::Result<(), LoadError> {
        for (seen, (_, ids)) in needs {
            let known = self.0.entry((*seen).clone()).or_default();
            known.extend(ids.iter().map(|id| ((*id).to_owned(), None)));
        }
        for (number, doc) in rows {
            *left = left.checked_sub(doc.len()).ok_or(LoadError::TooLarge)?;
            // What cannot be looked into is not shown.
            let Ok(mut record) = serde_json::from_str::<Body>(&doc) else {
                continue;
            };
            let seen = usize::try_from(number)
                .ok()
                .and_then(|number| needs.get(number))
                .map(|(seen, _)| *seen);
            let Some((seen, records)) = seen.and_then(|seen| Some((seen, self.0.get_mut(seen)?)))
            else {
                continue;
            };
            record.shift_remove("account_name");
            seen.view.apply(&mut record);
            if let Some(id) = record.get("id").and_then(Json::as_str).map(str::to_owned) {
                records.insert(
                    id,
                    Some(LoadedRecord {
                        size: doc.len(),
                        record,
                    }),
                );
            }
        }
        Ok(())
    }
}

/// The statement that reads for some views, and for how many of them: as many as go into one, in
/// their order. Each row is the number of a view and a document.
fn ask(db: &Db, needs: &[(&ReferencedView, LoadRequest<'_>)]) -> (Stmt, usize) {
    let (mut sql, mut asked) = (db.sql(), 0);
    sql.varied();
    for (seen, (caller, ids)) in needs {
        let collection = seen.view.collection();
        if asked > 0 {
            sql.push(" UNION ALL ");
        }
        sql.push("SELECT CAST(")
            .number(i64::try_from(asked).unwrap_or(i64::MAX))
            .push(" AS BIGINT), ");
        collection.write_document(&mut sql, "r", AccountName::Null, |name| {
            seen.view.shows(name)
        });
        sql.push(" FROM ")
            .fragment(collection.source())
            .push(" r WHERE r.id")
            .one_of_texts(ids.iter().copied());
        match RecordScope::open(caller, collection, Operation::View) {
            Ok(scope) => scope.write_conditions(&mut sql, None),
            Err(_) => {
                sql.push(" AND 1 = 0");
            }
        }
        asked += 1;
        if asked == MAX_VIEWS_PER_STATEMENT || sql.is_full() {
            break;
        }
    }
    (sql.build(), asked)
}

fn reference<'r>(record: &'r Body, step: &PlanStep) -> Option<&'r str> {
    record.get(&step.field)?.as_str()
}
