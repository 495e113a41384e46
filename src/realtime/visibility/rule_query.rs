//! Rules about other records, which only the database can judge. It is asked about a record as an
//! event shows it, and about all other records as they are when it is asked.
//!
//! The answer of such a rule about a record can change without a change of that record. Nobody
//! knows which records that concerns, so subscribers are told to fetch everything again whenever
//! something changes that the rule reads (see [`super::dependencies`]). So it does no harm that an
//! event is judged a little later than it happened: the later changes are told after it.

use std::collections::HashSet;
use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::change_event::RecordObject;
use crate::auth::Caller;
use crate::db::{Db, Sql, Stmt};
use crate::expr::Predicate;

/// Upper limit of the questions in one statement. An expression binds at most 500 values, and
/// SQLite takes 32,766.
const MAX_QUESTIONS_PER_STATEMENT: usize = 64;
/// Upper limit of the time that the database may take for a statement.
pub(in crate::realtime) const QUERY_TIMEOUT: Duration = Duration::from_secs(2);
/// Pause before a statement that failed is tried once more.
pub(in crate::realtime) const RETRY_DELAY: Duration = Duration::from_millis(50);

/// The database did not answer, or there was no time left to ask it.
#[derive(Debug)]
pub(in crate::realtime) struct QueryFailed;

/// The answer of a rule about the record before and after a change: `true` lets it through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::realtime) struct RuleAnswer {
    pub(in crate::realtime) before: bool,
    pub(in crate::realtime) after: bool,
}

/// The questions about both sides of a change, as numbers in a [`RuleQuery`]; `None` where there is
/// nothing to ask.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::realtime) struct RuleQuestion {
    pub(in crate::realtime) before: Option<usize>,
    pub(in crate::realtime) after: Option<usize>,
}

/// Questions that are asked together.
pub(in crate::realtime) struct RuleQuery {
    db: Db,
    stmts: Vec<Stmt>,
    open: Option<Sql>,
    count: usize,
}

impl RuleQuery {
    pub(in crate::realtime) fn new(db: &Db) -> Self {
        Self {
            db: db.clone(),
            stmts: Vec::new(),
            open: None,
            count: 0,
        }
    }

    /// Adds the question whether a rule lets a record through for a caller; returns its number.
    pub(in crate::realtime) fn add(
        &mut self,
        rule: &Predicate,
        caller: &Caller,
        record: &RecordObject,
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
        if self.count.is_multiple_of(MAX_QUESTIONS_PER_STATEMENT) || sql.is_full() {
            self.stmts.push(sql.build());
        } else {
            self.open = Some(sql);
        }
        number
    }

    /// Asks all questions.
    ///
    /// # Errors
    ///
    /// If the database fails twice, or takes too long.
    pub(in crate::realtime) async fn run(self) -> Result<RuleAnswers, QueryFailed> {
        let mut accepted = HashSet::new();
        for stmt in self.stmts.into_iter().chain(self.open.map(Sql::build)) {
            let rows = if let Ok(rows) = read_numbers(&self.db, stmt.clone()).await {
                rows
            } else {
                sleep(RETRY_DELAY).await;
                read_numbers(&self.db, stmt).await?
            };
            accepted.extend(
                rows.into_iter()
                    .filter_map(|(number,)| usize::try_from(number).ok()),
            );
        }
        Ok(RuleAnswers(accepted))
    }
}

async fn read_numbers(db: &Db, stmt: Stmt) -> Result<Vec<(i64,)>, QueryFailed> {
    match timeout(QUERY_TIMEOUT, db.reads(None).rows(stmt)).await {
        Ok(Ok(rows)) => Ok(rows),
        Ok(Err(error)) => {
            tracing::warn!(%error, "a rule about other records could not be judged for an event");
            Err(QueryFailed)
        }
        Err(_) => {
            tracing::warn!("judging a rule about other records for an event took too long");
            Err(QueryFailed)
        }
    }
}

/// The numbers of the questions that the database answered with yes.
pub(in crate::realtime) struct RuleAnswers(HashSet<usize>);

impl RuleAnswers {
    /// The answer to a question about both sides of a change.
    pub(in crate::realtime) fn to(&self, question: RuleQuestion) -> RuleAnswer {
        RuleAnswer {
            before: self.accepts(question.before),
            after: self.accepts(question.after),
        }
    }

    fn accepts(&self, number: Option<usize>) -> bool {
        number.is_some_and(|number| self.0.contains(&number))
    }
}
