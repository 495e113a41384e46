//! Several records of one collection, all or none.

use std::collections::HashSet;

use super::exchange::Exchange;
use super::write::{Mode, Prepared, delete_error, unique_field};
use super::{Records, record_id};
use crate::access::RecordScope;
use crate::auth::Caller;
use crate::db::{Batch, CommitError, DbError, Doc};
use crate::error::{Error, Problem, Result};
use crate::expr::Predicate;
use crate::id::RecordId;
use crate::schema::{Body, Field, OnDelete, Operation};

impl Records {
    /// Creates records and returns them in the order in which they were sent.
    pub(super) async fn try_create_many(
        &self,
        caller: &Caller,
        collection: &str,
        bodies: Vec<Body>,
    ) -> Result<Vec<Doc>> {
        self.check_size("records", bodies.len())?;
        let collection = self.collection(collection)?;
        let scope = RecordScope::open(caller, &collection, Operation::Create)?;
        let mut batch = Batch::new().under(self.locks(&scope));
        let mut prepared = Vec::with_capacity(bodies.len());
        for (index, body) in bodies.into_iter().enumerate() {
            let write = self
                .prepare_create(&scope, body, false)
                .await
                .map_err(|error| at(index, error))?;
            batch = batch.require(write.stmt.clone());
            prepared.push(write);
        }
        if !scope.rule.is_some_and(Predicate::relational) {
            let unique = |write: &Prepared<'_>| {
                let values = write.draft.values.iter().filter(|(field, _)| field.unique);
                values.map(|(_, value)| format!("{value:?}")).collect()
            };
            let keys: Vec<Vec<String>> = prepared.iter().map(unique).collect();
            batch = batch.repeated_in_order_of(&keys);
        }
        let result = self.commit_noted(caller, batch, &prepared).await;
        self.store(&scope, result, &prepared, &[]).await
    }

    /// Changes records by id and returns them in the order in which they were sent.
    pub(super) async fn try_update_many(
        &self,
        caller: &Caller,
        collection: &str,
        items: Vec<(String, Body)>,
    ) -> Result<Vec<Doc>> {
        self.check_size("records", items.len())?;
        let collection = self.collection(collection)?;
        let scope = RecordScope::open(caller, &collection, Operation::Update)?;
        let mut batch = Batch::new().under(self.locks(&scope));
        let mut prepared = Vec::with_capacity(items.len());
        let (mut ids, mut records) = (
            Vec::with_capacity(items.len()),
            Vec::with_capacity(items.len()),
        );
        for (index, (id, body)) in items.into_iter().enumerate() {
            let record = record_id(&id).map_err(|_| missing(index, &id))?;
            let sent = scope.rule.map(|_| body.clone());
            let write = match self.prepare_update(&scope, record, body, Mode::Patch).await {
                Ok(write) => write,
                Err(error) => {
                    return Err(
                        match self.hidden_or(&scope, record, sent.as_ref(), error).await {
                            Error::NotFound(_) => missing(index, &id),
                            error => at(index, error),
                        },
                    );
                }
            };
            batch = batch.require(write.stmt.clone());
            prepared.push(write);
            ids.push(id);
            records.push(record);
        }
        let batch = batch.locking_rows(self.lock_rows(&scope, &records));
        let result = match self.commit_noted(caller, batch, &prepared).await {
            // Perhaps the value is given up by a later item.
            Err(CommitError {
                index,
                source: DbError::Unique { hint },
            }) => match self.exchange(&scope, &prepared, &records) {
                Some(Exchange { batch, places }) => {
                    places.of(self.commit_noted(caller, batch, &prepared).await)
                }
                None => Err(CommitError {
                    index,
                    source: DbError::Unique { hint },
                }),
            },
            other => other,
        };
        self.store(&scope, result, &prepared, &ids).await
    }

    /// Deletes records by id and returns the ids; one that is named twice counts once.
    pub(super) async fn try_delete_many(
        &self,
        caller: &Caller,
        collection: &str,
        ids: Vec<String>,
    ) -> Result<Vec<String>> {
        self.check_size("ids", ids.len())?;
        let collection = self.collection(collection)?;
        let scope = RecordScope::open(caller, &collection, Operation::Delete)?;
        let mut seen = HashSet::new();
        let ids: Vec<String> = ids
            .into_iter()
            .filter(|id| seen.insert(id.clone()))
            .collect();
        let origin = self.origins.text(caller);
        let mut batch =
            Batch::new()
                .under(self.locks(&scope))
                .acting(caller.actor(), self.clock.now(), origin);
        let mut records = Vec::with_capacity(ids.len());
        for (index, id) in ids.iter().enumerate() {
            let record = record_id(id).map_err(|_| missing(index, id))?;
            batch = batch.require(self.prepare_delete(&scope, record).await?);
            records.push(record);
        }
        let batch = batch.locking_rows(self.lock_rows(&scope, &records));
        let result = match self.db.commit(batch.clone()).await {
            // Perhaps what refers to the record is deleted by a later item.
            Err(CommitError {
                source: DbError::ForeignKey,
                ..
            }) if ids.len() > 1 => self.db.commit(batch.deferring_constraints()).await,
            other => other,
        };
        match result {
            Ok(_) => Ok(ids),
            Err(CommitError {
                index,
                source: DbError::Gone,
            }) => Err(missing(index, &ids[index])),
            Err(CommitError {
                index,
                source: DbError::ForeignKey,
            }) => {
                let index = self.referred_to(&scope, &records).await?.unwrap_or(index);
                Err(at(index, delete_error(DbError::ForeignKey)))
            }
            Err(error) => Err(delete_error(error.source)),
        }
    }

    /// The first of some records that a record which stays refers to, and refuses to lose.
    async fn referred_to(
        &self,
        scope: &RecordScope<'_>,
        records: &[RecordId],
    ) -> Result<Option<usize>> {
        let own = scope.collection;
        let mut first: Option<usize> = None;
        for other in self.catalog.current().iter() {
            let refuses =
                |field: &Field| matches!(field.on_delete, Some(OnDelete::Restrict) | None);
            let fields = other
                .references()
                .filter(|(_, target)| target.eq_ignore_ascii_case(&own.name));
            for (field, _) in fields.filter(|(field, _)| refuses(field)) {
                let mut sql = self.db.sql();
                sql.push("SELECT DISTINCT t.")
                    .ident(&field.column)
                    .push(" FROM ")
                    .fragment(other.source());
                sql.push(" t WHERE t.")
                    .ident(&field.column)
                    .push(" IN (")
                    .list(", ", records, |sql, id| {
                        sql.arg(*id);
                    });
                sql.push(")");
                if other.id == own.id {
                    sql.push(" AND t.id NOT IN (")
                        .list(", ", records, |sql, id| {
                            sql.arg(*id);
                        });
                    sql.push(")");
                }
                let found = self.db.docs(sql.build()).await?;
                let found = found.iter().filter_map(|id| RecordId::parse(id));
                let found = found.filter_map(|id| records.iter().position(|record| *record == id));
                first = found.chain(first).min();
            }
        }
        Ok(first)
    }

    async fn store(
        &self,
        scope: &RecordScope<'_>,
        result: Result<Vec<Option<Doc>>, CommitError>,
        writes: &[Prepared<'_>],
        ids: &[String],
    ) -> Result<Vec<Doc>> {
        match result {
            Ok(docs) => Ok(self.answers(scope, docs).await),
            Err(error) => {
                let index = error.index;
                let Some(write) = writes.get(index) else {
                    return Err(error.into());
                };
                if let DbError::Unique { hint } = &error.source
                    && let Some(field) = unique_field(scope.collection, hint)
                    && let Some(refusal) = self.guesses.refusal(scope, field, writes.len())
                {
                    // Not which item: that would tell whose value it was.
                    return Err(refusal);
                }
                Err(
                    match (self.explain(scope, error, write).await, ids.get(index)) {
                        (Error::NotFound(_), Some(id)) => missing(index, id),
                        (error, _) => at(index, error),
                    },
                )
            }
        }
    }

    fn check_size(&self, key: &str, items: usize) -> Result<()> {
        if items == 0 {
            return Err(Error::malformed(Problem::empty_list(key)));
        }
        if items > self.batch_max {
            let message = format!(
                "A batch has at most {} items; this one has {items}",
                self.batch_max
            );
            return Err(Error::refused("batch_too_large", message));
        }
        Ok(())
    }
}

fn missing(index: usize, id: &str) -> Error {
    let message = format!("Item {index}: record '{id}' not found");
    at(index, Error::NotFound(message))
}

/// The error as one of an item, where it is about the item.
fn at(index: usize, error: Error) -> Error {
    let error = match error {
        Error::Refused { message, .. } => Error::invalid("record", "rule_not_satisfied", message),
        error @ (Error::NotFound(_)
        | Error::Invalid { .. }
        | Error::Conflict { .. }
        | Error::RecordTooLarge { .. }
        | Error::QuotaExceeded { .. }) => error,
        other => return other,
    };
    Error::InBatch {
        index,
        error: Box::new(error),
    }
}
