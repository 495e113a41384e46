//! A subscriber's view of a collection: the records it sees (rule and filter), and the parts of
//! them (fields and masks). Subscribers with equal viewpoints form a group, for which an event is
//! evaluated once.

use std::sync::Arc;

use bytes::Bytes;

use super::change_event::{ChangeEvent, EventJudgement, RecordProjection, RecordSide};
use super::expand::{ExpandBatch, ExpandedEvents};
use super::rule_query::{RuleAnswer, RuleQuery, RuleQuestion};
use crate::access::{Access, ExpandPlan, ExpandPlanKey, FieldView, Gate, GateKey};
use crate::auth::Caller;
use crate::changes::Change;
use crate::expr::{Auth, Predicate};
use crate::realtime::protocol::{EventOperation, Protocol, VisibilityChange};
use crate::realtime::subscription::RecordSelection;
use crate::schema::{self, Catalog, Collection};

/// See the module. A subscription to a whole collection shows what the collection's list shows, one
/// to a record what a view of it shows.
pub(in crate::realtime) struct Viewpoint {
    access: Access,
    filter: RecordFilter,
    selection: Arc<RecordSelection>,
    view: FieldView,
    expand_plan: Option<ExpandPlan>,
    protocol: &'static dyn Protocol,
}

/// The condition on the records that pass the gate.
enum RecordFilter {
    All,
    When(Predicate),
    /// The text no longer fits the collection or the caller's rights, for this reason: no record
    /// passes.
    Unusable(String),
}

impl RecordFilter {
    fn compile(text: Option<&str>, view: &FieldView) -> Self {
        match text.map(|text| view.compile_filter(text)) {
            None => Self::All,
            Some(Ok(filter)) => Self::When(filter),
            Some(Err(error)) => Self::Unusable(error.to_string()),
        }
    }
}

/// The identity of a viewpoint: viewpoints of the same state of a collection with equal keys show
/// the same.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(in crate::realtime) struct ViewpointKey {
    gate: GateKey,
    selection: Arc<RecordSelection>,
    view: FieldView,
    expand_plan: Option<ExpandPlanKey>,
    protocol: &'static str,
}

/// The identity of a question: viewpoints with equal keys ask the same about an event.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(in crate::realtime) struct RuleQuestionKey {
    gate: GateKey,
    operation: schema::Operation,
    record: Option<Box<str>>,
    filter: Option<Box<str>>,
}

/// The events that a viewpoint can show at all; an index of these spares all others the judgement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::realtime) enum MatchKey {
    /// Events of any record.
    AnyRecord,
    /// Events of one record.
    Record(Box<str>),
    /// Events of records whose field has a value.
    FieldValue { field: Box<str>, value: Box<str> },
    /// No events.
    Nothing,
}

impl Viewpoint {
    pub(in crate::realtime) fn new(
        catalog: &Catalog,
        collection: &Arc<Collection>,
        caller: &Caller,
        protocol: &'static dyn Protocol,
        selection: &Arc<RecordSelection>,
    ) -> Self {
        let access = Access::of(caller, collection, selection.operation());
        let view = access.field_view();
        let filter = RecordFilter::compile(selection.filter.as_deref(), &view);
        let expand_plan = selection.expand_plan(catalog, caller, &view);
        Self {
            access,
            filter,
            selection: selection.clone(),
            view,
            expand_plan,
            protocol,
        }
    }

    /// The problem with the filter, if it no longer fits the collection or the caller's rights;
    /// then the viewpoint shows nothing.
    pub(in crate::realtime) fn filter_problem(&self) -> Option<&str> {
        match &self.filter {
            RecordFilter::Unusable(error) => Some(error),
            RecordFilter::All | RecordFilter::When(_) => None,
        }
    }

    /// The operation whose rule and field list decide.
    pub(in crate::realtime) fn operation(&self) -> schema::Operation {
        self.access.operation()
    }

    pub(in crate::realtime) fn key(&self) -> ViewpointKey {
        ViewpointKey {
            gate: self.gate_key(),
            selection: self.selection.clone(),
            view: self.view.clone(),
            expand_plan: self.expand_plan.as_ref().map(ExpandPlan::key),
            protocol: self.protocol.name(),
        }
    }

    pub(in crate::realtime) fn question_key(&self) -> RuleQuestionKey {
        let RecordSelection { record, filter, .. } = &*self.selection;
        RuleQuestionKey {
            gate: self.gate_key(),
            operation: self.selection.operation(),
            record: record.clone(),
            filter: filter.clone(),
        }
    }

    fn gate_key(&self) -> GateKey {
        if self.filter_problem().is_some() {
            GateKey::Nothing
        } else {
            self.access.key()
        }
    }

    pub(in crate::realtime) fn match_key(&self) -> MatchKey {
        if let Some(record) = &self.selection.record {
            return MatchKey::Record(record.clone());
        }
        match self.access.gate() {
            _ if self.filter_problem().is_some() => MatchKey::Nothing,
            Gate::Nothing(_) => MatchKey::Nothing,
            Gate::Everything => MatchKey::AnyRecord,
            Gate::When(predicate) => match predicate.caller_match() {
                None => MatchKey::AnyRecord,
                Some((field, attribute)) => {
                    match attribute.of(&self.access.caller().attributes()) {
                        Some(value) => MatchKey::FieldValue {
                            field: field.into(),
                            value: value.into(),
                        },
                        None => MatchKey::Nothing,
                    }
                }
            },
        }
    }

    /// Returns `true` if judging evaluates an expression in memory.
    pub(in crate::realtime) fn evaluates(&self) -> bool {
        let gate = self.access.gate();
        matches!(self.filter, RecordFilter::When(_))
            || (gate.predicate().is_some() && gate.relational().is_none())
    }

    /// Returns `true` if the database must be asked before an event can be judged.
    pub(in crate::realtime) fn asks(&self) -> bool {
        self.access.gate().relational().is_some()
    }

    /// Returns `true` if referenced records must be read before an event can be encoded.
    pub(in crate::realtime) fn expands(&self) -> bool {
        self.expand_plan.is_some()
    }

    /// The collections to which expanded references lead.
    pub(in crate::realtime) fn expand_targets(&self) -> Vec<&Arc<Collection>> {
        self.expand_plan
            .as_ref()
            .map(ExpandPlan::targets)
            .unwrap_or_default()
    }

    /// Adds the questions about an event to a query.
    pub(in crate::realtime) fn ask(
        &self,
        event: &ChangeEvent,
        query: &mut RuleQuery,
    ) -> RuleQuestion {
        let Some(rule) = self
            .access
            .gate()
            .relational()
            .filter(|_| self.is_about(&event.change))
        else {
            return RuleQuestion::default();
        };
        let caller = self.access.caller();
        let mut ask_about = |side: RecordSide<'_>| {
            let record = side.record().filter(|_| side.exists())?;
            self.passes_filter(side)
                .then(|| query.add(rule, caller, record))
        };
        RuleQuestion {
            before: ask_about(event.before()),
            after: ask_about(event.after()),
        }
    }

    /// The meaning of an event from this viewpoint; `None` if it shows nothing of it. The answer
    /// counts if the viewpoint [asks](Self::asks).
    pub(in crate::realtime) fn judge(
        &self,
        event: &ChangeEvent,
        answer: RuleAnswer,
    ) -> Option<EventJudgement> {
        if !self.is_about(&event.change) {
            return None;
        }
        let (before, after) = (event.before(), event.after());
        let was_visible = before.exists() && self.shows(before, answer.before);
        let is_visible = after.exists() && self.shows(after, answer.after);
        let (operation, visibility_change) = match (was_visible, is_visible) {
            (false, false) => return None,
            (true, true) => (EventOperation::Update, None),
            (false, true) if !before.exists() => (EventOperation::Create, None),
            (false, true) => (EventOperation::Update, Some(VisibilityChange::Entered)),
            (true, false) if !after.exists() => (EventOperation::Delete, None),
            (true, false) => (EventOperation::Delete, Some(VisibilityChange::Left)),
        };
        Some(EventJudgement {
            operation,
            visibility_change,
        })
    }

    /// Adds the references of an event's record to a batch; returns whether there are any.
    pub(in crate::realtime) fn request_expansion(
        &self,
        event: &ChangeEvent,
        judgement: EventJudgement,
        batch: &mut ExpandBatch,
    ) -> bool {
        let Some(plan) = self.expand_plan_for(judgement) else {
            return false;
        };
        let Some(stub) = event.after().record().and_then(|record| plan.stub(record)) else {
            return false;
        };
        batch.add(plan, self.protocol, event.position(), stub);
        true
    }

    /// Encodes an event. `expanded` has the records that were
    /// [requested](Self::request_expansion) for it.
    pub(in crate::realtime) fn encode(
        &self,
        event: &ChangeEvent,
        judgement: EventJudgement,
        expanded: &ExpandedEvents,
    ) -> Bytes {
        let expanded = self
            .expand_plan_for(judgement)
            .and_then(|plan| expanded.find(plan, self.protocol, event.position()));
        let has_old =
            judgement.operation != EventOperation::Create && judgement.visibility_change.is_none();
        let projection = RecordProjection {
            view: &self.view,
            fields: self.selection.fields.as_deref(),
            shows_old: self.selection.old && has_old,
        };
        event.encode(self.protocol, judgement, projection, expanded)
    }

    /// The references to expand in an event; a deleted record has none.
    fn expand_plan_for(&self, judgement: EventJudgement) -> Option<&ExpandPlan> {
        self.expand_plan
            .as_ref()
            .filter(|_| judgement.operation != EventOperation::Delete)
    }

    fn is_about(&self, change: &Change) -> bool {
        self.selection
            .record
            .as_deref()
            .is_none_or(|record| record == change.record_id)
    }

    fn shows(&self, side: RecordSide<'_>, answer: bool) -> bool {
        let passes_gate = match self.access.gate() {
            // Records that all callers see pass without being parsed.
            Gate::Everything => true,
            gate if gate.relational().is_some() => answer,
            gate => side
                .record()
                .is_some_and(|record| gate.passes(record, self.access.caller())),
        };
        passes_gate && self.passes_filter(side)
    }

    fn passes_filter(&self, side: RecordSide<'_>) -> bool {
        match &self.filter {
            RecordFilter::All => true,
            RecordFilter::When(filter) => side
                .record()
                .is_some_and(|record| filter.eval(record, &Auth::default(), None) == Some(true)),
            RecordFilter::Unusable(_) => false,
        }
    }
}
