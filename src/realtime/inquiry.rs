//! Rules about other records. Only the database can judge them: it is asked about a record as an
//! event shows it, and about everything else as it is when it is asked.
//!
//! What such a rule says of a record can change without any change of that record. Which records
//! that concerns is not known, so subscribers are told to fetch everything again whenever something
//! changes that the rule reads. Thereby it does no harm that an event is judged a little later than
//! it happened: whatever changed since is told after it.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value as Json};
use tokio::time::{sleep, timeout};

use super::lens::{Lens, Subject};
use super::shard::Allowance;
use crate::access::gate::other_records_read;
use crate::auth::Caller;
use crate::changes::{Change, ChangeKind};
use crate::db::{Db, Sql, Stmt};
use crate::expr::Predicate;
use crate::id::CollectionId;
use crate::schema::{Catalog, Collection, Operation};

/// How many questions one statement asks. An expression binds at most 500 values, and SQLite takes
/// 32,766.
const QUESTIONS: usize = 64;
/// How long the database may take for a statement.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);
/// How long to wait before a statement that failed is tried once more.
pub(super) const PAUSE: Duration = Duration::from_millis(50);

/// The database did not answer.
#[derive(Debug)]
pub(super) struct Unanswered;

/// Whether a rule lets a record through, before and after a change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) before: bool,
    pub(super) after: bool,
}

/// The numbers of the questions about both sides of a change, as far as there is anything to ask.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Asked {
    pub(super) before: Option<usize>,
    pub(super) after: Option<usize>,
}

/// Questions that are asked together.
pub(super) struct Inquiry {
    db: Db,
    stmts: Vec<Stmt>,
    open: Option<Sql>,
    count: usize,
}

impl Inquiry {
    pub(super) fn new(db: &Db) -> Self {
        Self {
            db: db.clone(),
            stmts: Vec::new(),
            open: None,
            count: 0,
        }
    }

    /// Whether a rule lets a record through for a caller; returns the number of the question.
    pub(super) fn ask(
        &mut self,
        rule: &Predicate,
        caller: &Caller,
        record: &Map<String, Json>,
    ) -> usize {
        let number = self.count;
        self.count += 1;
        let open = self.open.take();
        let is_first = open.is_none();
        let mut sql = open.unwrap_or_else(|| self.db.sql());
        sql.varied();
        if !is_first {
            sql.push(" UNION ALL ");
        }
        sql.push("SELECT CAST(")
            .number(i64::try_from(number).unwrap_or(i64::MAX))
            .push(" AS BIGINT) WHERE ");
        rule.write_sql_about(&mut sql, record, &caller.attributes(), None);
        if self.count.is_multiple_of(QUESTIONS) || sql.is_full() {
            self.stmts.push(sql.build());
        } else {
            self.open = Some(sql);
        }
        number
    }

    /// The answers to all that was asked.
    pub(super) async fn answers(self) -> Result<Answers, Unanswered> {
        let mut yes = HashSet::new();
        for stmt in self.stmts.into_iter().chain(self.open.map(Sql::build)) {
            let rows = if let Ok(rows) = read(&self.db, stmt.clone()).await {
                rows
            } else {
                sleep(PAUSE).await;
                read(&self.db, stmt).await?
            };
            yes.extend(
                rows.into_iter()
                    .filter_map(|(number,)| usize::try_from(number).ok()),
            );
        }
        Ok(Answers(yes))
    }
}

async fn read(db: &Db, stmt: Stmt) -> Result<Vec<(i64,)>, Unanswered> {
    match timeout(PATIENCE, db.reads(None).rows(stmt)).await {
        Ok(Ok(rows)) => Ok(rows),
        Ok(Err(error)) => {
            tracing::warn!(%error, "a rule about other records could not be judged for an event");
            Err(Unanswered)
        }
        Err(_) => {
            tracing::warn!("judging a rule about other records for an event took too long");
            Err(Unanswered)
        }
    }
}

/// The questions that were answered with yes.
pub(super) struct Answers(HashSet<usize>);

impl Answers {
    /// What they say about both sides of a change.
    pub(super) fn verdict(&self, asked: Asked) -> Verdict {
        let yes = |number: Option<usize>| number.is_some_and(|number| self.0.contains(&number));
        Verdict {
            before: yes(asked.before),
            after: yes(asked.after),
        }
    }
}

/// What the database says about several changes, by position.
pub(super) type Verdicts = HashMap<i64, Verdict>;

/// Asks for one lens, as far as the allowance reaches for finding out what to ask. A lens that
/// needs no answers gets none.
pub(super) async fn verdicts<'s>(
    db: &Db,
    lens: &Lens,
    subjects: impl Iterator<Item = &'s Subject>,
    allowance: &mut Allowance,
) -> Result<Verdicts, Unanswered> {
    if !lens.asks() {
        return Ok(Verdicts::new());
    }
    let mut inquiry = Inquiry::new(db);
    let mut asked: Vec<(i64, Asked)> = Vec::new();
    for subject in subjects {
        let question = allowance
            .run(|| lens.ask(subject, &mut inquiry))
            .ok_or(Unanswered)?;
        asked.push((subject.change.position, question));
    }
    let answers = inquiry.answers().await?;
    Ok(asked
        .into_iter()
        .map(|(position, asked)| (position, answers.verdict(asked)))
        .collect())
}

/// What the rules of a collection read besides its own records.
#[derive(Debug, Default)]
pub(super) struct Sources {
    list: Reads,
    view: Reads,
}

/// Collections, and the fields of them that a rule reads.
type Reads = Vec<(CollectionId, BTreeSet<Arc<str>>)>;

impl Sources {
    pub(super) fn of(catalog: &Catalog, collection: Option<&Arc<Collection>>) -> Self {
        let reads = |operation| {
            let read = collection
                .into_iter()
                .flat_map(|read| other_records_read(read.access.rule(operation)));
            read.filter_map(|(written, fields)| {
                let name = catalog.library().collection_name(written)?;
                Some((catalog.by_name_ignoring_case(name)?.id, fields.clone()))
            })
            .collect()
        };
        Self {
            list: reads(Operation::List),
            view: reads(Operation::View),
        }
    }

    /// Whether a change can change what the rule of an operation says about records that did not
    /// change.
    pub(super) fn concern(&self, operation: Operation, change: &Change) -> bool {
        let reads = if operation == Operation::View {
            &self.view
        } else {
            &self.list
        };
        let mut of_change = reads
            .iter()
            .filter(|(id, _)| change.collection_id == Some(*id));
        of_change.any(|(_, fields)| change.kind != ChangeKind::Update || differ(change, fields))
    }

    pub(super) fn are_none(&self) -> bool {
        self.list.is_empty() && self.view.is_empty()
    }
}

/// Whether an update changed one of these fields; what cannot be told counts as a change.
fn differ(change: &Change, fields: &BTreeSet<Arc<str>>) -> bool {
    let parse =
        |text: Option<&str>| -> Option<Map<String, Json>> { serde_json::from_str(text?).ok() };
    let before = parse(change.previous.as_deref());
    let (Some(before), Some(after)) = (before, parse(change.record.as_deref())) else {
        return true;
    };
    fields
        .iter()
        .any(|field| match (before.get(&**field), after.get(&**field)) {
            (Some(before), Some(after)) => before != after,
            _ => true,
        })
}
