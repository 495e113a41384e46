//! A batch whose records exchange unique values: A gets B's value, and B gets A's. What counts is
//! what holds in the end.

use std::collections::HashMap;

use super::Records;
use super::write::{FIRST_VALUE, Prepared};
use crate::access::RecordScope;
use crate::db::{Batch, CommitError, Doc, Stmt, Value};
use crate::id::RecordId;
use crate::schema::Field;

/// A batch of updates in two steps: every update with its unique values left empty, then these
/// values.
pub(super) struct Exchange {
    pub batch: Batch,
    pub places: Places,
}

/// Which statement of an exchange belongs to which update.
pub(super) struct Places {
    /// The update that each statement belongs to.
    items: Vec<usize>,
    /// The statement whose document answers each update.
    answers: Vec<usize>,
}

impl Places {
    /// Documents and errors of the updates, out of those of the statements.
    pub fn of(
        self,
        result: Result<Vec<Option<Doc>>, CommitError>,
    ) -> Result<Vec<Option<Doc>>, CommitError> {
        match result {
            Ok(docs) => Ok(self
                .answers
                .iter()
                .map(|&statement| docs.get(statement).cloned().flatten())
                .collect()),
            Err(CommitError { index, source }) => Err(CommitError {
                index: self.items.get(index).copied().unwrap_or_default(),
                source,
            }),
        }
    }
}

impl Records {
    /// The same updates in two steps; `None` if none of them sets a unique value. Rules are judged
    /// in the first step, on records as they are.
    pub(super) fn exchange(
        &self,
        scope: &RecordScope<'_>,
        writes: &[Prepared<'_>],
        records: &[RecordId],
    ) -> Option<Exchange> {
        let dialect = self.db.dialect();
        let batch = Batch::new()
            .under(self.locks(scope))
            .locking_rows(self.lock_rows(scope, records));
        let mut batch = batch.with(dialect.begin_parking());
        let mut items = vec![0];
        let mut answers: HashMap<RecordId, usize> = HashMap::new();
        for (item, (write, record)) in writes.iter().zip(records).enumerate() {
            answers.insert(*record, items.len());
            batch = batch.require(parked(write));
            items.push(item);
        }
        let parked = items.len();
        for (item, (write, record)) in writes.iter().zip(records).enumerate() {
            let is_last = |field: &Field| {
                let later = records[item + 1..]
                    .iter()
                    .zip(&writes[item + 1..])
                    .filter(|(other, _)| *other == record);
                !later
                    .flat_map(|(_, write)| unique_values(write))
                    .any(|(_, other, _)| other.name == field.name)
            };
            let values: Vec<(&Field, &Value)> = unique_values(write)
                .filter(|(_, field, _)| is_last(field))
                .map(|(_, f, value)| (f, value))
                .collect();
            if values.is_empty() {
                continue;
            }
            answers.insert(*record, items.len());
            batch = batch.require(self.place(scope, *record, &values));
            items.push(item);
        }
        if items.len() == parked {
            return None;
        }
        for stmt in dialect.end_parking(scope.collection.id.0) {
            batch = batch.with(stmt);
            items.push(writes.len().saturating_sub(1));
        }
        let answers = records
            .iter()
            .filter_map(|record| answers.get(record).copied())
            .collect();
        Some(Exchange {
            batch,
            places: Places { items, answers },
        })
    }

    /// The statement that gives a record its unique values. It may: the first step has asked the
    /// rule.
    fn place(
        &self,
        scope: &RecordScope<'_>,
        record: RecordId,
        values: &[(&Field, &Value)],
    ) -> Stmt {
        let mut sql = self.db.sql();
        sql.push("UPDATE ")
            .fragment(scope.collection.source())
            .push(" AS r SET ");
        sql.list(", ", values, |sql, (field, value)| {
            sql.ident(&field.column).push(" = ").arg((*value).clone());
        });
        sql.push(" WHERE r.id = ").arg(record);
        if let Some(account) = scope.account {
            sql.push(" AND r.account_id = ").arg(account);
        }
        sql.push(" RETURNING ")
            .fragment(scope.collection.returning_document());
        sql.build()
    }
}

/// The update with its unique values left empty.
fn parked(write: &Prepared<'_>) -> Stmt {
    unique_values(write).fold(write.stmt.clone(), |stmt, (index, field, _)| {
        stmt.with_arg(FIRST_VALUE + index, field.kind.null())
    })
}

/// The values of unique fields, each with its place among the values.
fn unique_values<'w>(
    write: &'w Prepared<'_>,
) -> impl Iterator<Item = (usize, &'w Field, &'w Value)> {
    let values = write.draft.values.iter().enumerate();
    values
        .filter(|(_, (field, _))| field.unique)
        .map(|(index, (field, value))| (index, *field, value))
}
