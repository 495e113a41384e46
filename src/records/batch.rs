//! Several records of one collection, all or none.

use std::collections::HashSet;

use super::write::{Mode, Prepared, delete_error};
use super::{Records, record_id};
use crate::access::RecordScope;
use crate::auth::Caller;
use crate::db::{Batch, CommitError, DbError, Doc};
use crate::error::{Error, Problem, Result};
use crate::schema::{Body, Operation};

impl Records {
    /// Creates records and returns them in the order in which they were sent.
    pub async fn create_many(&self, caller: &Caller, collection: &str, bodies: Vec<Body>) -> Result<Vec<Doc>> {
        self.check_size("records", bodies.len())?;
        let collection = self.collection(collection)?;
        let scope = RecordScope::open(caller, &collection, Operation::Create)?;
        let mut batch = Batch::new();
        let mut prepared = Vec::with_capacity(bodies.len());
        for (index, body) in bodies.into_iter().enumerate() {
            let write = self.prepare_create(&scope, body, false).await.map_err(|error| at(index, error))?;
            batch = batch.require(write.stmt.clone());
            prepared.push(write);
        }
        self.store(&scope, batch, &prepared, &[]).await
    }

    /// Changes records by id and returns them in the order in which they were sent.
    pub async fn update_many(&self, caller: &Caller, collection: &str, items: Vec<(String, Body)>) -> Result<Vec<Doc>> {
        self.check_size("records", items.len())?;
        let collection = self.collection(collection)?;
        let scope = RecordScope::open(caller, &collection, Operation::Update)?;
        let mut batch = Batch::new();
        let mut prepared = Vec::with_capacity(items.len());
        let mut ids = Vec::with_capacity(items.len());
        for (index, (id, body)) in items.into_iter().enumerate() {
            let record = record_id(&id).map_err(|_| missing(index, &id))?;
            let write = match self.prepare_update(&scope, record, body, Mode::Patch).await {
                Ok(write) => write,
                Err(error) => {
                    return Err(match self.hidden_or(&scope, record, error).await {
                        Error::NotFound(_) => missing(index, &id),
                        error => at(index, error),
                    });
                }
            };
            batch = batch.require(write.stmt.clone());
            prepared.push(write);
            ids.push(id);
        }
        self.store(&scope, batch, &prepared, &ids).await
    }

    /// Deletes records by id and returns the ids; one that is named twice counts once.
    pub async fn delete_many(&self, caller: &Caller, collection: &str, ids: Vec<String>) -> Result<Vec<String>> {
        self.check_size("ids", ids.len())?;
        let collection = self.collection(collection)?;
        let scope = RecordScope::open(caller, &collection, Operation::Delete)?;
        let mut seen = HashSet::new();
        let ids: Vec<String> = ids.into_iter().filter(|id| seen.insert(id.clone())).collect();
        let origin = self.origins.text(caller);
        let mut batch = Batch::new().acting(caller.actor(), self.clock.now(), origin);
        for (index, id) in ids.iter().enumerate() {
            let record = record_id(id).map_err(|_| missing(index, id))?;
            batch = batch.require(self.prepare_delete(&scope, record).await?);
        }
        match self.db.commit(batch).await {
            Ok(_) => Ok(ids),
            Err(CommitError { index, source: DbError::Gone }) => Err(missing(index, &ids[index])),
            Err(error) => Err(delete_error(error.source)),
        }
    }

    async fn store(
        &self,
        scope: &RecordScope<'_>,
        batch: Batch,
        writes: &[Prepared<'_>],
        ids: &[String],
    ) -> Result<Vec<Doc>> {
        match self.commit_noted(scope.caller, batch, writes).await {
            Ok(docs) => Ok(docs.into_iter().map(|doc| scope.answer(vec![doc])).collect()),
            Err(error) => {
                let index = error.index;
                let Some(write) = writes.get(index) else { return Err(error.into()) };
                Err(match (self.explain(scope, error, write).await, ids.get(index)) {
                    (Error::NotFound(_), Some(id)) => missing(index, id),
                    (error, _) => at(index, error),
                })
            }
        }
    }

    fn check_size(&self, key: &str, items: usize) -> Result<()> {
        if items == 0 {
            return Err(Error::malformed(Problem::empty_list(key)));
        }
        if items > self.batch_max {
            let message = format!("A batch has at most {} items; this one has {items}", self.batch_max);
            return Err(Error::refused("batch_too_large", message));
        }
        Ok(())
    }
}

fn missing(index: usize, id: &str) -> Error {
    Error::ItemNotFound { message: format!("Item {index}: record '{id}' not found"), index }
}

/// Says of which item an error speaks.
fn at(index: usize, error: Error) -> Error {
    match error {
        Error::Invalid { fields, .. } => Error::Invalid { fields, index: Some(index) },
        Error::Conflict { message, field, .. } => Error::Conflict { message, field, index: Some(index) },
        Error::RecordTooLarge { message, field, .. } => Error::RecordTooLarge { message, field, index: Some(index) },
        Error::QuotaExceeded { message, quota, limit, .. } => {
            Error::QuotaExceeded { message, quota, limit, index: Some(index) }
        }
        Error::Refused { message, .. } => Error::Invalid {
            fields: vec![crate::error::FieldError::new("record", "rule_not_satisfied", message)],
            index: Some(index),
        },
        other => other,
    }
}
