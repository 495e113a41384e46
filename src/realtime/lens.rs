//! How a subscriber sees a collection: which records (the rule), and what of them (fields and masks). Subscribers with
//! equal lenses form a group, for which an event is judged once.

use std::borrow::Cow;
use std::cell::{OnceCell, RefCell};
use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Map, Value as Json, json};

use super::frame::{Crossing, Dialect, Event, Operation};
use crate::auth::Caller;
use crate::changes::{Change, Cursor};
use crate::expr::{CallerKey, Predicate};
use crate::schema::{self, Collection, Rule, SYSTEM_FIELDS, View};

type Record = Map<String, Json>;

/// Which records are seen.
enum Gate {
    All,
    Nothing,
    When(Predicate, Caller),
}

/// How some subscribers see a collection. A subscription to a whole collection shows what the collection's list shows:
/// the list rule decides about records, the list's fields about what of them is sent.
pub(super) struct Lens {
    gate: Gate,
    view: View,
    dialect: &'static dyn Dialect,
}

/// Equal lenses have equal keys, as long as the collection is the same.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct LensKey {
    gate: GateKey,
    view: View,
    dialect: &'static str,
}

#[derive(Clone, PartialEq, Eq, Hash)]
enum GateKey {
    All,
    Nothing,
    When(CallerKey),
}

impl Lens {
    pub(super) fn new(collection: &Arc<Collection>, caller: &Caller, dialect: &'static dyn Dialect) -> Self {
        let operation = schema::Operation::List;
        let superadmin = caller.is_superadmin();
        let gate = match collection.access.rule(operation) {
            _ if superadmin => Gate::All,
            Rule::Public => Gate::All,
            Rule::Locked => Gate::Nothing,
            Rule::When(predicate) => Gate::When(predicate.clone(), caller.clone()),
        };
        let view = View::new(collection.clone(), operation, superadmin, caller.sees_pii());
        Self { gate, view, dialect }
    }

    pub(super) fn key(&self) -> LensKey {
        let gate = match &self.gate {
            Gate::All => GateKey::All,
            Gate::Nothing => GateKey::Nothing,
            Gate::When(predicate, caller) => GateKey::When(predicate.caller_key(&caller.attributes())),
        };
        LensKey { gate, view: self.view.clone(), dialect: self.dialect.name() }
    }

    /// What an event is for whoever looks through this lens; `None` if it is nothing.
    pub(super) fn judge(&self, subject: &Subject<'_>) -> Option<(Operation, Option<Crossing>)> {
        let change = subject.change;
        let before = change.previous.is_some() && self.shows(subject, &subject.before, change.previous.as_deref());
        let after = change.record.is_some() && self.shows(subject, &subject.after, change.record.as_deref());
        match (before, after, change.previous.is_some(), change.record.is_some()) {
            (false, false, ..) => None,
            (true, true, ..) => Some((Operation::Update, None)),
            (false, true, false, _) => Some((Operation::Create, None)),
            (false, true, true, _) => Some((Operation::Update, Some(Crossing::Entered))),
            (true, false, _, false) => Some((Operation::Delete, None)),
            (true, false, _, true) => Some((Operation::Delete, Some(Crossing::Left))),
        }
    }

    fn shows(&self, subject: &Subject<'_>, parsed: &OnceCell<Option<Record>>, document: Option<&str>) -> bool {
        match &self.gate {
            Gate::All => true,
            Gate::Nothing => false,
            Gate::When(predicate, caller) => subject
                .parse(parsed, document)
                .is_some_and(|record| predicate.eval(record, &caller.attributes(), None) == Some(true)),
        }
    }

    /// The frame of an event. It is encoded once for all lenses that show the same.
    pub(super) fn frame(&self, subject: &Subject<'_>, operation: Operation, crossing: Option<Crossing>) -> Bytes {
        // A record that is gone looks the same through every view.
        let view = (operation != Operation::Delete).then_some(&self.view);
        let same = |frame: &&Encoded| {
            frame.operation == operation
                && frame.crossing == crossing
                && frame.dialect == self.dialect.name()
                && frame.view.as_ref() == view
        };
        if let Some(frame) = subject.frames.borrow().iter().find(same) {
            return frame.bytes.clone();
        }
        let change = subject.change;
        let data = match view {
            Some(view) => subject.render(view),
            None => Cow::Owned(json!({"id": change.record_id}).to_string()),
        };
        let bytes = self.dialect.event(&Event {
            collection: &subject.collection.name,
            operation,
            crossing,
            id: &change.record_id,
            at: change.at,
            cursor: &subject.cursor,
            data: &data,
        });
        subject.frames.borrow_mut().push(Encoded {
            operation,
            crossing,
            dialect: self.dialect.name(),
            view: view.cloned(),
            bytes: bytes.clone(),
        });
        bytes
    }
}

struct Encoded {
    operation: Operation,
    crossing: Option<Crossing>,
    dialect: &'static str,
    view: Option<View>,
    bytes: Bytes,
}

/// One entry of the change log while it is handed out: what is worked out for one group serves the next. Documents are
/// parsed only if some lens must look inside.
pub(super) struct Subject<'a> {
    change: &'a Change,
    collection: &'a Arc<Collection>,
    cursor: Cursor,
    before: OnceCell<Option<Record>>,
    after: OnceCell<Option<Record>>,
    frames: RefCell<Vec<Encoded>>,
}

impl<'a> Subject<'a> {
    pub(super) fn new(change: &'a Change, collection: &'a Arc<Collection>, cursor: Cursor) -> Self {
        let (before, after) = Default::default();
        Self { change, collection, cursor, before, after, frames: RefCell::default() }
    }

    fn parse<'r>(&self, parsed: &'r OnceCell<Option<Record>>, document: Option<&str>) -> Option<&'r Record> {
        parsed.get_or_init(|| serde_json::from_str(document?).ok().map(|record| self.conform(record))).as_ref()
    }

    /// Whether the record may have been written before the collection was given the fields that it has now.
    fn is_older_than_schema(&self) -> bool {
        self.change.at <= self.collection.row.updated_at
    }

    /// A record as the collection's fields are now.
    fn conform(&self, mut record: Record) -> Record {
        if self.is_older_than_schema() {
            let known = |key: &str| self.collection.field(key).is_some() || SYSTEM_FIELDS.contains(&key);
            record.retain(|key, _| known(key) || key == "account_name");
            for field in &self.collection.fields {
                record.entry(field.name.as_str()).or_insert(Json::Null);
            }
        }
        record
    }

    fn render(&self, view: &View) -> Cow<'a, str> {
        let document = self.change.record.as_deref();
        if view.is_plain() && !self.is_older_than_schema() {
            return Cow::Borrowed(document.unwrap_or("{}"));
        }
        // Never show what cannot be looked into.
        let mut record = self.parse(&self.after, document).cloned().unwrap_or_default();
        view.apply(&mut record);
        Cow::Owned(Json::Object(record).to_string())
    }
}
