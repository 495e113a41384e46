//! The stages of the pipeline after the match, in their order: ask, judge, expand, encode.
//!
//! A [`EventCandidate`] is one event for one viewpoint, under the key that its user gives the viewpoint:
//! a group of live subscriptions, or one subscription. Candidates that need the database are
//! [asked](Evaluation::ask) about first, many with one statement, and their references are
//! [expanded](Evaluation::expand) together. The others may be judged and encoded at once.

use std::collections::HashMap;
use std::hash::Hash;

use bytes::Bytes;

use super::change_event::{ChangeEvent, EventJudgement};
use super::expand::{ExpandBatch, ExpandedEvents};
use super::rule_query::{QueryFailed, RuleAnswer, RuleQuery, RuleQuestion};
use super::step_budget::StepBudget;
use super::viewpoint::{RuleQuestionKey, Viewpoint};
use crate::db::Db;
use crate::schema::CatalogHandle;

/// An event for a viewpoint.
#[derive(Clone, Copy)]
pub(in crate::realtime) struct EventCandidate<'e, K> {
    /// The viewpoint's key.
    pub(in crate::realtime) key: K,
    pub(in crate::realtime) viewpoint: &'e Viewpoint,
    pub(in crate::realtime) event: &'e ChangeEvent,
}

/// No steps are left to judge an event.
#[derive(Debug)]
pub(in crate::realtime) struct OutOfSteps;

/// The questions of some candidates, which are asked together.
pub(in crate::realtime) struct RuleQuestions<K> {
    query: RuleQuery,
    by_candidate: HashMap<(K, i64), RuleQuestion>,
    by_question: HashMap<(RuleQuestionKey, i64), RuleQuestion>,
}

impl<K: Copy + Eq + Hash> RuleQuestions<K> {
    pub(in crate::realtime) fn new(db: &Db) -> Self {
        Self {
            query: RuleQuery::new(db),
            by_candidate: HashMap::new(),
            by_question: HashMap::new(),
        }
    }

    /// Adds the questions about a candidate, if its viewpoint asks any. Candidates with equal
    /// questions share the answers.
    ///
    /// # Errors
    ///
    /// If no steps are left to find out what to ask.
    pub(in crate::realtime) fn add(
        &mut self,
        candidate: &EventCandidate<'_, K>,
        budget: &mut StepBudget,
    ) -> Result<(), OutOfSteps> {
        let EventCandidate {
            key,
            viewpoint,
            event,
        } = candidate;
        if !viewpoint.asks() {
            return Ok(());
        }
        let question_key = (viewpoint.question_key(), event.position());
        let question = match self.by_question.get(&question_key) {
            Some(known) => *known,
            None => run_within(budget, viewpoint, || viewpoint.ask(event, &mut self.query))?,
        };
        self.by_question.insert(question_key, question);
        self.by_candidate.insert((*key, event.position()), question);
        Ok(())
    }

    /// Asks the database.
    ///
    /// # Errors
    ///
    /// If the database does not answer.
    pub(in crate::realtime) async fn run(self) -> Result<Evaluation<K>, QueryFailed> {
        let answers = self.query.run().await?;
        Ok(Evaluation {
            answers: self
                .by_candidate
                .into_iter()
                .map(|(candidate, question)| (candidate, answers.to(question)))
                .collect(),
            expanded: ExpandedEvents::default(),
        })
    }
}

/// The answers of the database about some candidates, and the records to which their events refer.
pub(in crate::realtime) struct Evaluation<K> {
    answers: HashMap<(K, i64), RuleAnswer>,
    expanded: ExpandedEvents,
}

impl<K> Default for Evaluation<K> {
    /// An evaluation for viewpoints that neither ask nor expand. The others show nothing of an
    /// event without an answer, and ids instead of records.
    fn default() -> Self {
        Self {
            answers: HashMap::new(),
            expanded: ExpandedEvents::default(),
        }
    }
}

impl<K: Copy + Eq + Hash> Evaluation<K> {
    /// The meaning of an event from a viewpoint; `None` if it shows nothing of it.
    ///
    /// # Errors
    ///
    /// If no steps are left to judge.
    pub(in crate::realtime) fn judge(
        &self,
        candidate: &EventCandidate<'_, K>,
        budget: &mut StepBudget,
    ) -> Result<Option<EventJudgement>, OutOfSteps> {
        let EventCandidate {
            key,
            viewpoint,
            event,
        } = candidate;
        let answer = if viewpoint.asks() {
            self.answers.get(&(*key, event.position())).copied()
        } else {
            None
        };
        run_within(budget, viewpoint, || {
            viewpoint.judge(event, answer.unwrap_or_default())
        })
    }

    /// Reads the records that take the place of references; [`encode`](Self::encode) shows them
    /// afterwards. Returns whether all of them could be taken in, or a smaller batch is needed.
    ///
    /// # Errors
    ///
    /// If the database does not answer.
    pub(in crate::realtime) async fn expand(
        &mut self,
        batch: ExpandBatch,
        db: &Db,
        catalog: &CatalogHandle,
    ) -> Result<bool, QueryFailed> {
        self.expanded = batch.run(db, catalog).await?;
        Ok(self.expanded.is_complete())
    }

    /// Encodes the event of a candidate that was judged.
    pub(in crate::realtime) fn encode(
        &self,
        candidate: &EventCandidate<'_, K>,
        judgement: EventJudgement,
    ) -> Bytes {
        candidate
            .viewpoint
            .encode(candidate.event, judgement, &self.expanded)
    }
}

/// Runs what may evaluate expressions within a budget.
fn run_within<T>(
    budget: &mut StepBudget,
    viewpoint: &Viewpoint,
    work: impl FnOnce() -> T,
) -> Result<T, OutOfSteps> {
    if viewpoint.evaluates() {
        budget.run(work).ok_or(OutOfSteps)
    } else {
        Ok(work())
    }
}
