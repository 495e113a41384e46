//! One entry of the change log while it is evaluated: parsed documents and encoded frames, worked
//! out for one viewpoint and used for the next ones.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use bytes::Bytes;
use serde_json::{Map, Value as Json, json};

use crate::access::FieldView;
use crate::changes::{Change, Cursor};
use crate::realtime::protocol::{EventOperation, Protocol, RecordEvent, VisibilityChange};
use crate::schema::{Collection, SYSTEM_FIELDS};

/// A record as a JSON object.
pub(in crate::realtime) type RecordObject = Map<String, Json>;

/// The size of a parsed document, as a multiple of its text, roughly.
const PARSED_SIZE_FACTOR: usize = 6;

/// The meaning of a change for a viewpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::realtime) struct EventJudgement {
    pub(in crate::realtime) operation: EventOperation,
    pub(in crate::realtime) visibility_change: Option<VisibilityChange>,
}

/// An entry of the change log and its collection. Documents are parsed only if some viewpoint must
/// look inside.
pub(in crate::realtime) struct ChangeEvent {
    pub(in crate::realtime) change: Arc<Change>,
    pub(in crate::realtime) collection: Arc<Collection>,
    cursor: Cursor,
    before: OnceLock<Option<RecordObject>>,
    after: OnceLock<Option<RecordObject>>,
    frames: FrameCache,
}

impl ChangeEvent {
    pub(in crate::realtime) fn new(
        change: Arc<Change>,
        collection: Arc<Collection>,
        cursor: Cursor,
    ) -> Self {
        let (before, after) = Default::default();
        Self {
            change,
            collection,
            cursor,
            before,
            after,
            frames: FrameCache::default(),
        }
    }

    pub(in crate::realtime) fn position(&self) -> i64 {
        self.change.position
    }

    /// The memory that parsed documents and encoded frames take, in bytes, roughly.
    pub(in crate::realtime) fn size(&self) -> usize {
        let documents = [
            (&self.before, &self.change.previous),
            (&self.after, &self.change.record),
        ];
        let parsed = documents
            .into_iter()
            .filter(|(parsed, _)| parsed.get().is_some())
            .filter_map(|(_, document)| document.as_ref())
            .map(|document| document.len() * PARSED_SIZE_FACTOR);
        size_of::<Self>() + parsed.sum::<usize>() + self.frames.size()
    }

    /// The record before the change.
    pub(in crate::realtime) fn before(&self) -> RecordSide<'_> {
        RecordSide {
            event: self,
            document: self.change.previous.as_deref(),
            parsed: &self.before,
        }
    }

    /// The record after the change.
    pub(in crate::realtime) fn after(&self) -> RecordSide<'_> {
        RecordSide {
            event: self,
            document: self.change.record.as_deref(),
            parsed: &self.after,
        }
    }

    /// The texts of a field before and after the change.
    pub(in crate::realtime) fn texts(&self, field: &str) -> (Option<&str>, Option<&str>) {
        (self.before().text(field), self.after().text(field))
    }

    /// Encodes the event, once for all viewpoints that show the same. `expanded` has the fields
    /// that take the place of references, with the frames that were encoded with them.
    pub(in crate::realtime) fn encode(
        &self,
        protocol: &dyn Protocol,
        judgement: EventJudgement,
        projection: RecordProjection<'_>,
        expanded: Option<(&RecordObject, &FrameCache)>,
    ) -> Bytes {
        let EventJudgement {
            operation,
            visibility_change,
        } = judgement;
        // A deleted record looks the same in every projection.
        let projection =
            (operation != EventOperation::Delete || projection.shows_old).then_some(projection);
        let is_same = |frame: &&EncodedFrame| {
            frame.judgement == judgement
                && frame.protocol == protocol.name()
                && frame
                    .projection
                    .as_ref()
                    .map(OwnedProjection::as_projection)
                    == projection
        };
        let mut frames = expanded.map_or(&self.frames, |(_, frames)| frames).lock();
        if let Some(frame) = frames.iter().find(is_same) {
            return frame.bytes.clone();
        }
        let data = match &projection {
            Some(projection) if operation != EventOperation::Delete => self
                .after()
                .render(projection, expanded.map(|(fields, _)| fields)),
            _ => Cow::Owned(json!({"id": self.change.record_id}).to_string()),
        };
        let old = projection
            .as_ref()
            .filter(|projection| projection.shows_old)
            .map(|projection| self.before().render(projection, None));
        let bytes = protocol.event_frame(&RecordEvent {
            collection: &self.collection.name,
            collection_id: self.collection.id,
            operation,
            visibility_change,
            id: &self.change.record_id,
            at: self.change.at,
            cursor: &self.cursor,
            data: &data,
            old: old.as_deref(),
        });
        frames.push(EncodedFrame {
            judgement,
            protocol: protocol.name(),
            projection: projection.map(RecordProjection::keep),
            bytes: bytes.clone(),
        });
        bytes
    }

    /// Returns `true` if the record may have been written before the collection was given its
    /// present fields.
    fn is_older_than_schema(&self) -> bool {
        self.change.at <= self.collection.row.updated_at
    }

    /// The record with the present fields of the collection.
    fn conform(&self, mut record: RecordObject) -> RecordObject {
        if self.is_older_than_schema() {
            record.retain(|key, _| self.collection.field(key).is_some() || is_system_field(key));
            for field in &self.collection.fields {
                record.entry(field.name.as_str()).or_insert(Json::Null);
            }
        }
        record
    }
}

fn is_system_field(name: &str) -> bool {
    SYSTEM_FIELDS.contains(&name) || name == "account_name"
}

/// The record before or after a change.
#[derive(Clone, Copy)]
pub(in crate::realtime) struct RecordSide<'e> {
    event: &'e ChangeEvent,
    document: Option<&'e str>,
    parsed: &'e OnceLock<Option<RecordObject>>,
}

impl<'e> RecordSide<'e> {
    /// Returns `true` if there is a record on this side of the change.
    pub(in crate::realtime) fn exists(self) -> bool {
        self.document.is_some()
    }

    /// The parsed record; `None` if there is none, or if it cannot be read.
    pub(in crate::realtime) fn record(self) -> Option<&'e RecordObject> {
        let parse = || {
            serde_json::from_str(self.document?)
                .ok()
                .map(|record| self.event.conform(record))
        };
        self.parsed.get_or_init(parse).as_ref()
    }

    fn text(self, field: &str) -> Option<&'e str> {
        self.document?;
        self.record()?.get(field)?.as_str()
    }

    fn render(
        self,
        projection: &RecordProjection<'_>,
        expanded: Option<&RecordObject>,
    ) -> Cow<'e, str> {
        if projection.is_whole() && expanded.is_none() && !self.event.is_older_than_schema() {
            return Cow::Borrowed(self.document.unwrap_or("{}"));
        }
        // A document that cannot be parsed is never shown.
        let mut record = self.record().cloned().unwrap_or_default();
        projection.apply(&mut record);
        record.extend(
            expanded
                .into_iter()
                .flatten()
                .map(|(field, value)| (field.clone(), value.clone())),
        );
        Cow::Owned(Json::Object(record).to_string())
    }
}

/// The part of a record that is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::realtime) struct RecordProjection<'a> {
    pub(in crate::realtime) view: &'a FieldView,
    /// The fields that were asked for; `None` for all.
    pub(in crate::realtime) fields: Option<&'a [String]>,
    /// `true` if the previous values are shown as well.
    pub(in crate::realtime) shows_old: bool,
}

impl RecordProjection<'_> {
    fn keep(self) -> OwnedProjection {
        OwnedProjection {
            view: self.view.clone(),
            fields: self.fields.map(Into::into),
            shows_old: self.shows_old,
        }
    }

    /// Returns `true` if it shows the stored document as it is.
    fn is_whole(&self) -> bool {
        self.view.is_plain() && self.fields.is_none()
    }

    fn apply(&self, record: &mut RecordObject) {
        self.view.apply(record);
        if let Some(fields) = self.fields {
            record.retain(|key, _| is_system_field(key) || fields.iter().any(|field| field == key));
        }
    }
}

struct OwnedProjection {
    view: FieldView,
    fields: Option<Box<[String]>>,
    shows_old: bool,
}

impl OwnedProjection {
    fn as_projection(&self) -> RecordProjection<'_> {
        RecordProjection {
            view: &self.view,
            fields: self.fields.as_deref(),
            shows_old: self.shows_old,
        }
    }
}

/// A frame, and what it shows.
struct EncodedFrame {
    judgement: EventJudgement,
    protocol: &'static str,
    /// `None` for a deleted record, of which only the id is shown.
    projection: Option<OwnedProjection>,
    bytes: Bytes,
}

/// The frames that were encoded for one event.
#[derive(Default)]
pub(in crate::realtime) struct FrameCache(Mutex<Vec<EncodedFrame>>);

impl FrameCache {
    fn lock(&self) -> MutexGuard<'_, Vec<EncodedFrame>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The memory that the frames take, in bytes, roughly.
    fn size(&self) -> usize {
        self.lock()
            .iter()
            .map(|frame| size_of::<EncodedFrame>() + frame.bytes.len())
            .sum()
    }
}
