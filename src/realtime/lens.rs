//! How a subscriber sees a collection: which records (rule and filter), and what of them (fields
//! and masks). Subscribers with equal lenses form a group, for which an event is judged once.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use bytes::Bytes;
use serde_json::{Map, Value as Json, json};

use super::expanding::{Errand, Expanded, Filled};
use super::frame::{Crossing, Dialect, Event, Operation};
use super::inquiry::{Asked, Inquiry, Verdict};
use super::subscription::Selection;
use crate::access::{Access, ExpandPlan, ExpandPlanKey, FieldView, Gate, GateKey};
use crate::auth::Caller;
use crate::changes::{Change, Cursor};
use crate::expr::{Auth, Predicate};
use crate::schema::{self, Catalog, Collection, SYSTEM_FIELDS};

type Record = Map<String, Json>;

/// How many times larger than its text a parsed document is, about.
const PARSED: usize = 6;

/// How some subscribers see a collection. A subscription to a whole collection shows what the
/// collection's list shows, one to a record what a view of it shows.
pub(super) struct Lens {
    access: Access,
    filter: Filter,
    selection: Arc<Selection>,
    view: FieldView,
    expansion: Option<ExpandPlan>,
    dialect: &'static dyn Dialect,
}

/// Which of the records that pass the gate are wanted.
enum Filter {
    All,
    When(Predicate),
    /// The text was a filter once, and does not fit the collection any more, for this reason: it
    /// lets nothing through.
    Unusable(String),
}

impl Filter {
    fn compile(text: Option<&str>, view: &FieldView) -> Self {
        match text.map(|text| view.compile_filter(text)) {
            None => Self::All,
            Some(Ok(filter)) => Self::When(filter),
            Some(Err(error)) => Self::Unusable(error.to_string()),
        }
    }
}

/// Equal lenses have equal keys, as long as the collection is the same.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct LensKey {
    gate: GateKey,
    selection: Arc<Selection>,
    view: FieldView,
    expansion: Option<ExpandPlanKey>,
    dialect: &'static str,
}

/// Lenses that ask the same about an event.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct QuestionKey {
    gate: GateKey,
    operation: schema::Operation,
    record: Option<Box<str>>,
    filter: Option<Box<str>>,
}

impl LensKey {
    pub(super) fn question(&self) -> QuestionKey {
        let Selection { record, filter, .. } = &*self.selection;
        let operation = self.selection.operation();
        QuestionKey {
            gate: self.gate.clone(),
            operation,
            record: record.clone(),
            filter: filter.clone(),
        }
    }
}

/// Which events a lens can show at all; an index spares all others the judgement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Those of any record.
    Anywhere,
    /// Those of one record.
    Record(Box<str>),
    /// Those of records whose field has a value.
    Value { field: Box<str>, value: Box<str> },
    /// None.
    Nowhere,
}

impl Lens {
    pub(super) fn new(
        catalog: &Catalog,
        collection: &Arc<Collection>,
        caller: &Caller,
        dialect: &'static dyn Dialect,
        selection: &Arc<Selection>,
    ) -> Self {
        let access = Access::of(caller, collection, selection.operation());
        let view = access.field_view();
        let filter = Filter::compile(selection.filter.as_deref(), &view);
        let expansion = selection.expansion(catalog, caller, &view);
        Self {
            access,
            filter,
            selection: selection.clone(),
            view,
            expansion,
            dialect,
        }
    }

    /// Why it shows nothing, if its filter does not fit the collection or the caller's rights any
    /// more.
    pub(super) fn defect(&self) -> Option<&str> {
        match &self.filter {
            Filter::Unusable(error) => Some(error),
            Filter::All | Filter::When(_) => None,
        }
    }

    /// The operation whose rule and field list decide.
    pub(super) fn operation(&self) -> schema::Operation {
        self.access.operation()
    }

    pub(super) fn key(&self) -> LensKey {
        let gate = if self.defect().is_some() {
            GateKey::Nothing
        } else {
            self.access.key()
        };
        let (selection, view) = (self.selection.clone(), self.view.clone());
        let expansion = self.expansion.as_ref().map(ExpandPlan::key);
        LensKey {
            gate,
            selection,
            view,
            expansion,
            dialect: self.dialect.name(),
        }
    }

    pub(super) fn place(&self) -> Place {
        if let Some(record) = &self.selection.record {
            return Place::Record(record.clone());
        }
        match self.access.gate() {
            _ if self.defect().is_some() => Place::Nowhere,
            Gate::Nothing(_) => Place::Nowhere,
            Gate::Everything => Place::Anywhere,
            Gate::When(predicate) => match predicate.caller_match() {
                None => Place::Anywhere,
                Some((field, attribute)) => {
                    match attribute.of(&self.access.caller().attributes()) {
                        Some(value) => Place::Value {
                            field: field.into(),
                            value: value.into(),
                        },
                        None => Place::Nowhere,
                    }
                }
            },
        }
    }

    /// Whether an expression is evaluated in memory to judge events.
    pub(super) fn evaluates(&self) -> bool {
        let gate = self.access.gate();
        matches!(self.filter, Filter::When(_))
            || (gate.predicate().is_some() && gate.relational().is_none())
    }

    /// Whether the database must be asked before events can be judged.
    pub(super) fn asks(&self) -> bool {
        self.access.gate().relational().is_some()
    }

    /// Asks what must be known to judge an event.
    pub(super) fn ask(&self, subject: &Subject, inquiry: &mut Inquiry) -> Asked {
        let Some(rule) = self
            .access
            .gate()
            .relational()
            .filter(|_| self.is_about(&subject.change))
        else {
            return Asked::default();
        };
        let caller = self.access.caller();
        let mut side = |side: Side<'_>| {
            let record = side.document.and_then(|_| side.record())?;
            self.fits(side).then(|| inquiry.ask(rule, caller, record))
        };
        Asked {
            before: side(subject.before()),
            after: side(subject.after()),
        }
    }

    /// Whether records to which an event's record refers must be read before the event can be
    /// shown.
    pub(super) fn expands(&self) -> bool {
        self.expansion.is_some()
    }

    /// The collections to which expanded references lead.
    pub(super) fn targets(&self) -> Vec<&Arc<Collection>> {
        self.expansion
            .as_ref()
            .map(ExpandPlan::targets)
            .unwrap_or_default()
    }

    /// Notes what must be read to show an event; says whether it is anything.
    pub(super) fn send_for(
        &self,
        subject: &Subject,
        operation: Operation,
        errand: &mut Errand,
    ) -> bool {
        let Some(expansion) = self
            .expansion
            .as_ref()
            .filter(|_| operation != Operation::Delete)
        else {
            return false;
        };
        let Some(stub) = subject
            .after()
            .record()
            .and_then(|record| expansion.stub(record))
        else {
            return false;
        };
        errand.add(expansion, self.dialect, subject.change.position, stub);
        true
    }

    fn is_about(&self, change: &Change) -> bool {
        self.selection
            .record
            .as_deref()
            .is_none_or(|record| record == change.record_id)
    }

    /// What an event is for whoever looks through this lens; `None` if it is nothing. The verdict
    /// counts if the lens [asks](Self::asks).
    pub(super) fn judge(
        &self,
        subject: &Subject,
        verdict: Verdict,
    ) -> Option<(Operation, Option<Crossing>)> {
        let change = &subject.change;
        if !self.is_about(change) {
            return None;
        }
        let before = change.previous.is_some() && self.shows(subject.before(), verdict.before);
        let after = change.record.is_some() && self.shows(subject.after(), verdict.after);
        match (
            before,
            after,
            change.previous.is_some(),
            change.record.is_some(),
        ) {
            (false, false, ..) => None,
            (true, true, ..) => Some((Operation::Update, None)),
            (false, true, false, _) => Some((Operation::Create, None)),
            (false, true, true, _) => Some((Operation::Update, Some(Crossing::Entered))),
            (true, false, _, false) => Some((Operation::Delete, None)),
            (true, false, _, true) => Some((Operation::Delete, Some(Crossing::Left))),
        }
    }

    fn shows(&self, side: Side<'_>, answer: bool) -> bool {
        let passes = match self.access.gate() {
            // Whole records pass without being looked into.
            Gate::Everything => true,
            gate if gate.relational().is_some() => answer,
            gate => side
                .record()
                .is_some_and(|record| gate.passes(record, self.access.caller())),
        };
        passes && self.fits(side)
    }

    fn fits(&self, side: Side<'_>) -> bool {
        match &self.filter {
            Filter::All => true,
            Filter::When(filter) => side
                .record()
                .is_some_and(|record| filter.eval(record, &Auth::default(), None) == Some(true)),
            Filter::Unusable(_) => false,
        }
    }

    /// The frame of an event. It is encoded once for all lenses that show the same. `expanded` is
    /// what was [sent for](Self::send_for).
    pub(super) fn frame(
        &self,
        subject: &Subject,
        operation: Operation,
        crossing: Option<Crossing>,
        expanded: &Expanded,
    ) -> Bytes {
        let expansion = self
            .expansion
            .as_ref()
            .filter(|_| operation != Operation::Delete);
        let filled = expansion
            .and_then(|expansion| expanded.of(expansion, self.dialect, subject.change.position));
        let shows_old = self.selection.old
            && matches!(
                (operation, crossing),
                (Operation::Update | Operation::Delete, None)
            );
        // A record that is gone looks the same through every view.
        let looks = (operation != Operation::Delete || shows_old).then_some(Looks {
            view: &self.view,
            fields: self.selection.fields.as_deref(),
            old: shows_old,
        });
        let same = |frame: &&Encoded| {
            frame.operation == operation
                && frame.crossing == crossing
                && frame.dialect == self.dialect.name()
                && frame.looks.as_ref().map(Kept::as_looks) == looks
        };
        let mut frames = filled.map_or_else(|| subject.frames(), Filled::frames);
        if let Some(frame) = frames.iter().find(same) {
            return frame.bytes.clone();
        }
        let change = &subject.change;
        let data = match &looks {
            Some(looks) if operation != Operation::Delete => subject
                .after()
                .render(looks, filled.map(|filled| &filled.fields)),
            _ => Cow::Owned(json!({"id": change.record_id}).to_string()),
        };
        let old = looks
            .as_ref()
            .filter(|_| shows_old)
            .map(|looks| subject.before().render(looks, None));
        let bytes = self.dialect.event(&Event {
            collection: &subject.collection.name,
            collection_id: subject.collection.id,
            operation,
            crossing,
            id: &change.record_id,
            at: change.at,
            cursor: &subject.cursor,
            data: &data,
            old: old.as_deref(),
        });
        frames.push(Encoded {
            operation,
            crossing,
            dialect: self.dialect.name(),
            looks: looks.map(|looks| looks.keep()),
            bytes: bytes.clone(),
        });
        bytes
    }
}

/// What of a record is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Looks<'a> {
    view: &'a FieldView,
    fields: Option<&'a [String]>,
    old: bool,
}

impl Looks<'_> {
    fn keep(&self) -> Kept {
        Kept {
            view: self.view.clone(),
            fields: self.fields.map(Into::into),
            old: self.old,
        }
    }

    fn is_plain(&self) -> bool {
        self.view.is_plain() && self.fields.is_none()
    }

    fn apply(&self, record: &mut Record) {
        self.view.apply(record);
        if let Some(fields) = self.fields {
            let system = |key: &str| SYSTEM_FIELDS.contains(&key) || key == "account_name";
            record.retain(|key, _| system(key) || fields.iter().any(|field| field == key));
        }
    }
}

struct Kept {
    view: FieldView,
    fields: Option<Box<[String]>>,
    old: bool,
}

impl Kept {
    fn as_looks(&self) -> Looks<'_> {
        Looks {
            view: &self.view,
            fields: self.fields.as_deref(),
            old: self.old,
        }
    }
}

/// A frame, and what it shows.
pub(super) struct Encoded {
    operation: Operation,
    crossing: Option<Crossing>,
    dialect: &'static str,
    looks: Option<Kept>,
    bytes: Bytes,
}

/// One entry of the change log while it is handed out: what is worked out for one group serves the
/// next. Documents are parsed only if some lens must look inside.
pub(super) struct Subject {
    pub(super) change: Arc<Change>,
    pub(super) collection: Arc<Collection>,
    cursor: Cursor,
    before: OnceLock<Option<Record>>,
    after: OnceLock<Option<Record>>,
    frames: Mutex<Vec<Encoded>>,
}

impl Subject {
    pub(super) fn new(change: Arc<Change>, collection: Arc<Collection>, cursor: Cursor) -> Self {
        let (before, after) = Default::default();
        Self {
            change,
            collection,
            cursor,
            before,
            after,
            frames: Mutex::default(),
        }
    }

    fn frames(&self) -> MutexGuard<'_, Vec<Encoded>> {
        self.frames.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What it costs to keep what was worked out, about.
    pub(super) fn size(&self) -> usize {
        let documents = [
            (&self.before, &self.change.previous),
            (&self.after, &self.change.record),
        ];
        let parsed = documents
            .into_iter()
            .filter(|(parsed, _)| parsed.get().is_some());
        let parsed = parsed
            .filter_map(|(_, document)| document.as_ref())
            .map(|document| document.len() * PARSED);
        let encoded = self
            .frames()
            .iter()
            .map(|frame| size_of::<Encoded>() + frame.bytes.len())
            .sum::<usize>();
        size_of::<Self>() + parsed.sum::<usize>() + encoded
    }

    fn before(&self) -> Side<'_> {
        Side {
            subject: self,
            document: self.change.previous.as_deref(),
            parsed: &self.before,
        }
    }

    fn after(&self) -> Side<'_> {
        Side {
            subject: self,
            document: self.change.record.as_deref(),
            parsed: &self.after,
        }
    }

    /// The texts that a field has and had.
    pub(super) fn values(&self, field: &str) -> (Option<&str>, Option<&str>) {
        (self.before().text(field), self.after().text(field))
    }

    /// Whether the record may have been written before the collection was given the fields that it
    /// has now.
    fn is_older_than_schema(&self) -> bool {
        self.change.at <= self.collection.row.updated_at
    }

    /// A record as the collection's fields are now.
    fn conform(&self, mut record: Record) -> Record {
        if self.is_older_than_schema() {
            let known =
                |key: &str| self.collection.field(key).is_some() || SYSTEM_FIELDS.contains(&key);
            record.retain(|key, _| known(key) || key == "account_name");
            for field in &self.collection.fields {
                record.entry(field.name.as_str()).or_insert(Json::Null);
            }
        }
        record
    }
}

/// The record before or after a change.
#[derive(Clone, Copy)]
struct Side<'s> {
    subject: &'s Subject,
    document: Option<&'s str>,
    parsed: &'s OnceLock<Option<Record>>,
}

impl<'s> Side<'s> {
    fn record(self) -> Option<&'s Record> {
        let parse = || {
            serde_json::from_str(self.document?)
                .ok()
                .map(|record| self.subject.conform(record))
        };
        self.parsed.get_or_init(parse).as_ref()
    }

    fn text(self, field: &str) -> Option<&'s str> {
        self.document?;
        self.record()?.get(field)?.as_str()
    }

    fn render(self, looks: &Looks<'_>, expanded: Option<&Record>) -> Cow<'s, str> {
        if looks.is_plain() && expanded.is_none() && !self.subject.is_older_than_schema() {
            return Cow::Borrowed(self.document.unwrap_or("{}"));
        }
        // Never show what cannot be looked into.
        let mut record = self.record().cloned().unwrap_or_default();
        looks.apply(&mut record);
        record.extend(
            expanded
                .into_iter()
                .flatten()
                .map(|(field, value)| (field.clone(), value.clone())),
        );
        Cow::Owned(Json::Object(record).to_string())
    }
}
