//! The frames in a connection's queue, with the policy for each kind when there are too many.
//!
//! | kind | if there are too many |
//! |---|---|
//! | answer, control frame | events are dropped first; then the connection ends |
//! | event | all events are dropped, and read in the log later |
//! | checkpoint | is not added, and dropped with the events |
//! | room answer | the connection ends |
//! | room message | the oldest messages are dropped, and counted by room |
//! | presence change | changes of one room are merged into its present state |
//!
//! Frames of rooms have limits of their own, so that rooms and records do not push each other out.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;

/// Upper limit of the answers of rooms, as a multiple of the bytes of a queue: the list of members
/// of a large room is long.
const ROOM_ANSWER_FACTOR: usize = 4;

/// Upper limits of the frames in a queue.
#[derive(Clone, Copy, Debug)]
pub struct QueueLimits {
    /// Number of frames.
    pub frames: usize,
    /// Bytes of all frames together; a lone frame may be larger.
    pub bytes: usize,
}

/// A position in the log, as far as one shard has come. The events of a shard are in the order of
/// the log; those of different shards are not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::realtime) struct LogMark {
    /// The shard that delivers the events.
    pub(in crate::realtime) shard: u32,
    /// The position.
    pub(in crate::realtime) position: i64,
}

/// The kind of a frame; rooms are named.
#[derive(Clone, Debug, PartialEq, Eq)]
enum FrameKind {
    /// An answer or a control frame, which is not in the log.
    Answer,
    Event(LogMark),
    /// The position of the log after the events before it.
    Checkpoint,
    RoomAnswer,
    RoomMessage(Arc<str>),
    /// A change of the members of a room.
    PresenceChange(Arc<str>),
    /// A place for the present members of a room, which are encoded when the reader takes it.
    PresenceState(Arc<str>),
}

impl FrameKind {
    fn is_of_room(&self) -> bool {
        !matches!(self, Self::Answer | Self::Event(_) | Self::Checkpoint)
    }
}

/// Events of a shard that were dropped.
#[derive(Debug)]
struct DroppedEvents {
    /// The first of them; the others are the events of the shard that follow.
    first: LogMark,
    /// `true` if the reader knows.
    noticed: bool,
}

/// The number and the size of some frames.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct FrameCount {
    pub(super) frames: usize,
    pub(super) bytes: usize,
}

impl FrameCount {
    fn add(&mut self, frame: &Bytes) {
        self.frames += 1;
        self.bytes += frame.len();
    }

    fn remove(&mut self, frame: &Bytes) {
        self.frames -= 1;
        self.bytes -= frame.len();
    }

    /// Returns `true` if another frame is within the limits; a lone one is in any case.
    fn has_room(self, frame: &Bytes, limits: QueueLimits) -> bool {
        self.frames < limits.frames
            && (self.frames == 0 || self.bytes + frame.len() <= limits.bytes)
    }
}

/// Room frames that the reader of a queue must complete.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct RoomSignals {
    /// The number of dropped messages by room, to be told before all frames.
    pub lost: Vec<(Arc<str>, u64)>,
    /// A room whose present members are to be told after all frames.
    pub state_of: Option<Arc<str>>,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct FrameBuffer {
    frames: Vec<Bytes>,
    /// The kind of each frame.
    kinds: Vec<FrameKind>,
    /// Answers, events and checkpoints.
    records: FrameCount,
    messages: FrameCount,
    room_answers: FrameCount,
    /// Places for presence states.
    states: usize,
    dropped: Vec<DroppedEvents>,
    lost: BTreeMap<Arc<str>, u64>,
}

impl FrameBuffer {
    pub(super) fn is_empty(&self) -> bool {
        self.frames.is_empty() && self.lost.is_empty()
    }

    /// All frames.
    pub(super) fn size(&self) -> FrameCount {
        FrameCount {
            frames: self.frames.len(),
            bytes: self.records.bytes + self.messages.bytes + self.room_answers.bytes,
        }
    }

    /// The answers, events and checkpoints.
    pub(super) fn records(&self) -> FrameCount {
        self.records
    }

    /// Returns `true` if an answer, an event or a checkpoint is within the limits.
    pub(super) fn has_room(&self, frame: &Bytes, limits: QueueLimits) -> bool {
        self.records.has_room(frame, limits)
    }

    pub(super) fn add_answer(&mut self, frame: Bytes) {
        self.add(frame, FrameKind::Answer);
    }

    pub(super) fn add_event(&mut self, frame: Bytes, mark: LogMark) {
        self.add(frame, FrameKind::Event(mark));
    }

    pub(super) fn add_checkpoint(&mut self, frame: Bytes) {
        self.add(frame, FrameKind::Checkpoint);
    }

    /// Adds an answer of a room; returns `false` if there are too many of them. A lone one may be
    /// larger than the limit.
    #[must_use]
    pub(super) fn add_room_answer(&mut self, frame: Bytes, limits: QueueLimits) -> bool {
        let max_bytes = limits.bytes.saturating_mul(ROOM_ANSWER_FACTOR);
        let is_lone = self.room_answers.frames == 0;
        if !is_lone && self.room_answers.bytes + frame.len() > max_bytes {
            return false;
        }
        self.add(frame, FrameKind::RoomAnswer);
        true
    }

    /// Adds a message of a room, in the place of the oldest ones if there are too many.
    pub(super) fn add_room_message(&mut self, room: &Arc<str>, frame: &Bytes, limits: QueueLimits) {
        while self.messages.frames > 0 && !self.messages.has_room(frame, limits) {
            self.drop_oldest_message();
        }
        self.add(frame.clone(), FrameKind::RoomMessage(room.clone()));
    }

    /// Adds a change of the members of a room. If an earlier one is still here, a place for the
    /// present members takes the place of both.
    pub(super) fn add_presence_change(&mut self, room: &Arc<str>, frame: &Bytes) {
        let earlier = self.kinds.iter().position(|kind| match kind {
            FrameKind::PresenceChange(of) | FrameKind::PresenceState(of) => of == room,
            _ => false,
        });
        match earlier {
            Some(earlier) => {
                self.remove(earlier);
                self.add(Bytes::new(), FrameKind::PresenceState(room.clone()));
            }
            None => self.add(frame.clone(), FrameKind::PresenceChange(room.clone())),
        }
    }

    /// Removes the messages and presence of a room that the connection has left.
    pub(super) fn remove_room(&mut self, room: &Arc<str>) {
        self.lost.remove(room);
        self.retain(|kind| match kind {
            FrameKind::RoomMessage(of)
            | FrameKind::PresenceChange(of)
            | FrameKind::PresenceState(of) => of != room,
            _ => true,
        });
    }

    fn add(&mut self, frame: Bytes, kind: FrameKind) {
        if let Some(count) = self.count_of(&kind) {
            count.add(&frame);
        }
        self.states += usize::from(matches!(kind, FrameKind::PresenceState(_)));
        self.frames.push(frame);
        self.kinds.push(kind);
    }

    fn remove(&mut self, index: usize) -> (Bytes, FrameKind) {
        let (frame, kind) = (self.frames.remove(index), self.kinds.remove(index));
        if let Some(count) = self.count_of(&kind) {
            count.remove(&frame);
        }
        self.states -= usize::from(matches!(kind, FrameKind::PresenceState(_)));
        (frame, kind)
    }

    fn count_of(&mut self, kind: &FrameKind) -> Option<&mut FrameCount> {
        match kind {
            FrameKind::Answer | FrameKind::Event(_) | FrameKind::Checkpoint => {
                Some(&mut self.records)
            }
            FrameKind::RoomMessage(_) => Some(&mut self.messages),
            FrameKind::RoomAnswer => Some(&mut self.room_answers),
            FrameKind::PresenceChange(_) | FrameKind::PresenceState(_) => None,
        }
    }

    /// Keeps the frames of the kinds that a predicate accepts.
    fn retain(&mut self, mut accept: impl FnMut(&FrameKind) -> bool) {
        let frames = std::mem::take(&mut self.frames);
        let kinds = std::mem::take(&mut self.kinds);
        self.reset_counts();
        for (frame, kind) in frames.into_iter().zip(kinds) {
            if accept(&kind) {
                self.add(frame, kind);
            }
        }
    }

    fn reset_counts(&mut self) {
        (self.records, self.messages, self.room_answers, self.states) = Default::default();
    }

    fn drop_oldest_message(&mut self) {
        let oldest = self
            .kinds
            .iter()
            .position(|kind| matches!(kind, FrameKind::RoomMessage(_)));
        if let Some((_, FrameKind::RoomMessage(room))) = oldest.map(|index| self.remove(index)) {
            *self.lost.entry(room).or_default() += 1;
        }
    }

    /// Drops the events, and the checkpoints, which would be wrong without them. Answers stay:
    /// they are not in the log.
    pub(super) fn drop_events(&mut self) {
        let marks: Vec<LogMark> = self
            .kinds
            .iter()
            .filter_map(|kind| match kind {
                FrameKind::Event(mark) => Some(*mark),
                _ => None,
            })
            .collect();
        for mark in marks {
            self.note_dropped(mark);
        }
        self.retain(|kind| *kind == FrameKind::Answer || kind.is_of_room());
    }

    pub(super) fn note_dropped(&mut self, mark: LogMark) {
        let of_shard = |events: &&mut DroppedEvents| events.first.shard == mark.shard;
        match self.dropped.iter_mut().find(of_shard) {
            Some(events) => events.first.position = events.first.position.min(mark.position),
            None => self.dropped.push(DroppedEvents {
                first: mark,
                noticed: false,
            }),
        }
    }

    pub(super) fn has_dropped_events_of(&self, shard: u32) -> bool {
        self.dropped
            .iter()
            .any(|events| events.first.shard == shard)
    }

    pub(super) fn has_unnoticed_events(&self) -> bool {
        self.dropped.iter().any(|events| !events.noticed)
    }

    /// The first dropped event of each shard.
    pub(super) fn dropped(&self) -> impl ExactSizeIterator<Item = LogMark> {
        self.dropped.iter().map(|events| events.first)
    }

    /// The first dropped event of a shard of which the reader does not know yet.
    pub(super) fn notice_dropped(&mut self) -> Option<LogMark> {
        let events = self.dropped.iter_mut().find(|events| !events.noticed)?;
        events.noticed = true;
        Some(events.first)
    }

    /// Forgets the dropped events of a shard, which the reader has read in the log.
    pub(super) fn forget_dropped(&mut self, shard: u32) {
        self.dropped.retain(|events| events.first.shard != shard);
    }

    /// Removes all frames, but not the knowledge of dropped events.
    pub(super) fn clear(&mut self) {
        (self.frames, self.kinds) = (Vec::new(), Vec::new());
        self.lost.clear();
        self.reset_counts();
    }

    /// Moves the frames into `frames`, which must be empty, up to the first place for a presence
    /// state.
    pub(super) fn take(&mut self, frames: &mut Vec<Bytes>) -> RoomSignals {
        debug_assert!(frames.is_empty(), "frames would be lost");
        let lost = std::mem::take(&mut self.lost).into_iter().collect();
        if self.states == 0 {
            std::mem::swap(&mut self.frames, frames);
            self.kinds = Vec::new();
            self.reset_counts();
            return RoomSignals {
                lost,
                state_of: None,
            };
        }
        let mut state_of = None;
        while state_of.is_none() && !self.frames.is_empty() {
            match self.remove(0) {
                (_, FrameKind::PresenceState(room)) => state_of = Some(room),
                (frame, _) => frames.push(frame),
            }
        }
        RoomSignals { lost, state_of }
    }
}
