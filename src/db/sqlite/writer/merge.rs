//! Several inserts as one: each statement costs a trip to the driver's thread, so jobs that are
//! alike share one.

use std::collections::HashMap;

use super::{Answer, QueuedBatch};
use crate::db::error::{CommitError, DbError};
use crate::db::sql::Stmt;
use crate::db::{Batch, Doc, Write};

/// The most rows of one statement. Sizes are powers of two, so that few texts are prepared.
const MAX_ROWS: usize = 32;

/// How many jobs at the front of the queue can run as one statement; at least 1. A batch whose
/// rules read other records must find those that were written before it, so it does not share a
/// statement.
pub(super) fn alike(waiting: &[QueuedBatch]) -> usize {
    let mergeable = |batch: &Batch| match batch.writes.as_slice() {
        [write]
            if write.stmt.row.is_some() && batch.context.is_none() && batch.locks.is_empty() =>
        {
            Some(write.stmt.text.clone())
        }
        _ => None,
    };
    let Some(text) = waiting.first().and_then(|job| mergeable(&job.batch)) else {
        return 1;
    };
    let run = waiting
        .iter()
        .take(MAX_ROWS)
        .take_while(|job| mergeable(&job.batch).as_ref() == Some(&text))
        .count();
    // The largest power of two that is not larger.
    1 << run.ilog2()
}

/// One statement for all the writes, a row each. `None` if they are no inserts of a row.
pub(super) fn merge<'w>(writes: impl Iterator<Item = &'w Write> + Clone) -> Option<Stmt> {
    let first = writes.clone().next()?;
    let row = first.stmt.row.as_ref()?;
    let (head, rest) = first.stmt.text.split_at(row.start);
    let (select, tail) = rest.split_at(row.end - row.start);
    let mut text =
        String::with_capacity(first.stmt.text.len() + writes.clone().count() * (select.len() + 11));
    text.push_str(head);
    let mut args = Vec::new();
    for (index, write) in writes.enumerate() {
        if index > 0 {
            text.push_str(" UNION ALL ");
        }
        text.push_str(select);
        args.extend_from_slice(&write.stmt.args);
    }
    text.push_str(tail);
    Some(Stmt {
        text: text.into(),
        args,
        row: None,
        varied: false,
    })
}

/// The documents by the id that each begins with.
pub(super) fn by_id(docs: Vec<Doc>) -> HashMap<String, Doc> {
    let id = |doc: &Doc| doc.split('"').nth(3).unwrap_or_default().to_owned();
    docs.into_iter().map(|doc| (id(&doc), doc)).collect()
}

/// What a job gets out of the merged statement.
pub(super) fn answer(write: &Write, found: &HashMap<String, Doc>) -> Answer {
    let doc = write
        .stmt
        .row
        .as_ref()
        .and_then(|row| found.get(&row.id))
        .cloned();
    if doc.is_none() && write.required {
        return Err(CommitError {
            index: 0,
            source: DbError::Gone,
        });
    }
    Ok(vec![doc])
}
