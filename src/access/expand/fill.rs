//! Loaded records are put where the references stand.

use serde_json::Value as Json;

use super::plan::PlanStep;
use super::{ExpandPlan, LABEL, LoadError, LoadedRecords};
use crate::db::Db;
use crate::error::{Error, Result};
use crate::schema::{Body, Collection};

/// Where a record goes to which a field refers; `None` if the caller does not see it.
pub type Placement = fn(record: &mut Body, field: &str, found: Option<(Body, &Collection)>);

/// Puts a record in the place of its id.
pub fn replace_reference(record: &mut Body, field: &str, found: Option<(Body, &Collection)>) {
    if let Some(value) = record.get_mut(field) {
        *value = found.map_or(Json::Null, |(record, _)| Json::Object(record));
    }
}

/// The records are larger than the budget.
#[derive(Debug)]
pub struct TooLarge;

/// Bytes of records that are read for one answer.
const MAX_READ_BYTES: usize = 16 * 1024 * 1024;

impl ExpandPlan {
    /// Puts loaded records where the references stand. `budget` is how many bytes of them there may
    /// be; if they are more, the record is not of use any more.
    pub fn fill(
        &self,
        record: &mut Body,
        loaded: &LoadedRecords,
        place: Placement,
        budget: &mut usize,
    ) -> std::result::Result<(), TooLarge> {
        fill(record, &self.steps, loaded, place, budget)
    }

    /// Replaces references in place.
    pub async fn apply(&self, db: &Db, records: &mut [Body], most: usize) -> Result<()> {
        let too_large = || {
            let message =
                "The expanded records are too large: expand fewer fields, or take a smaller page";
            Error::refused(LABEL, message)
        };
        let wanted: Vec<(&Self, &Body)> = records.iter().map(|record| (self, record)).collect();
        let loaded = LoadedRecords::load(db, &wanted, most.min(MAX_READ_BYTES), None)
            .await
            .map_err(|error| match error {
                LoadError::TooLarge => too_large(),
                LoadError::Late => Error::Unavailable("The database is too slow".into()),
                LoadError::Failed(error) => error.into(),
            })?;
        let mut budget = most;
        for record in records {
            self.fill(record, &loaded, replace_reference, &mut budget)
                .map_err(|TooLarge| too_large())?;
        }
        Ok(())
    }
}

fn fill(
    record: &mut Body,
    steps: &[PlanStep],
    loaded: &LoadedRecords,
    place: Placement,
    budget: &mut usize,
) -> std::result::Result<(), TooLarge> {
    let account = record.get("account_id").cloned();
    for step in steps {
        let Some(id) = record.get(&step.field).and_then(Json::as_str) else {
            continue;
        };
        let found = loaded.get(&step.target, id);
        let Some(found) = found.filter(|found| found.record.get("account_id") == account.as_ref())
        else {
            place(record, &step.field, None);
            continue;
        };
        *budget = budget.checked_sub(found.size).ok_or(TooLarge)?;
        let mut expanded = found.record.clone();
        fill(&mut expanded, &step.below, loaded, place, budget)?;
        place(
            record,
            &step.field,
            Some((expanded, step.target.view.collection())),
        );
    }
    Ok(())
}
