//! The bounded queue of frames to send to one connection.
//!
//! A publisher never waits for a reader. When the queue is full, the events in it are dropped, and
//! the connection reads them in the change log, at its own pace.

#[cfg(test)]
mod tests;

use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;

use super::frame_buffer::{FrameBuffer, LogMark, QueueLimits, RoomSignals};

/// The part of the limits from which on a queue counts as congested.
const CONGESTED_PART: usize = 4;

/// The reason for which the server ends a connection. Each protocol has its own codes for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseReason {
    /// The credential has expired.
    Expired,
    /// The credential or the user is no longer valid.
    Revoked,
    /// The server stops.
    GoingAway,
    /// The client reads too slowly, or the server cannot serve it now.
    Overload,
    /// A message was too large.
    TooLarge,
    /// Pings were not answered.
    Unanswered,
    /// An administrator ended the connection.
    Dismissed,
}

/// The result of adding a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PushOutcome {
    /// The frame is in the queue.
    Queued,
    /// The frame is in the queue, with many others; the connection has not shown yet that it cannot
    /// keep up.
    Congested,
    /// The frame did not fit. The events in the queue were dropped; the connection must read them
    /// in the log.
    Overflowed,
    /// The connection is ending, or reads the log.
    Refused,
}

/// Signals that a connection takes out of its queue together with frames.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct QueueSignals {
    /// Frames of rooms to complete.
    pub rooms: RoomSignals,
    /// The peer must be pinged now.
    pub ping: bool,
    /// The connection must end after the frames have been sent.
    pub close: Option<CloseReason>,
}

/// See the module. A queue has one reader.
#[derive(Debug)]
pub struct OutboundQueue {
    limits: QueueLimits,
    state: Mutex<QueueState>,
}

#[derive(Debug, Default)]
struct QueueState {
    buffer: FrameBuffer,
    /// The highest position that the connection was told of: by an event, a checkpoint, a control
    /// frame or an answer. A checkpoint below it would send the client back.
    told: i64,
    ping: bool,
    close: Option<CloseReason>,
    /// Set when the reader took nothing although others waited for it. They do not wait for it
    /// again until it reads.
    stalled: bool,
    /// The number of counts that have found unread frames since the reader came last.
    unread_counts: u32,
    waker: Option<Waker>,
    /// The reader is sending and wants to be woken only by the end.
    sending: bool,
}

impl QueueState {
    fn wake_unless_sending(&mut self) -> Option<Waker> {
        if self.sending {
            None
        } else {
            self.waker.take()
        }
    }

    fn is_ready(&self) -> bool {
        !self.buffer.is_empty()
            || self.ping
            || self.close.is_some()
            || self.buffer.has_unnoticed_events()
    }
}

impl OutboundQueue {
    /// An empty queue.
    pub fn new(limits: QueueLimits) -> Self {
        Self {
            limits,
            state: Mutex::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, QueueState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds an answer or a control frame. If there are too many of them, the connection ends.
    pub fn push(&self, frame: Bytes) -> PushOutcome {
        let mut state = self.state();
        if state.close.is_some() {
            return PushOutcome::Refused;
        }
        if !state.buffer.has_room(&frame, self.limits) {
            state.buffer.drop_events();
        }
        if !state.buffer.has_room(&frame, self.limits) {
            drop(state);
            self.close(CloseReason::Overload);
            return PushOutcome::Overflowed;
        }
        state.buffer.add_answer(frame);
        wake(state, QueueState::wake_unless_sending);
        PushOutcome::Queued
    }

    /// Adds an event.
    pub(in crate::realtime) fn push_event(&self, frame: Bytes, mark: LogMark) -> PushOutcome {
        let mut state = self.state();
        if state.close.is_some() || state.buffer.has_dropped_events_of(mark.shard) {
            return PushOutcome::Refused;
        }
        let outcome = if state.buffer.has_room(&frame, self.limits) {
            state.buffer.add_event(frame, mark);
            state.told = state.told.max(mark.position);
            if !state.stalled && self.has_many_frames(&state) {
                PushOutcome::Congested
            } else {
                PushOutcome::Queued
            }
        } else {
            state.buffer.drop_events();
            state.buffer.note_dropped(mark);
            PushOutcome::Overflowed
        };
        wake(state, QueueState::wake_unless_sending);
        outcome
    }

    /// Adds an answer of a room. If there are too many of them, the connection ends.
    pub fn push_room_answer(&self, frame: Bytes) {
        let mut state = self.state();
        if state.close.is_some() {
            return;
        }
        if state.buffer.add_room_answer(frame, self.limits) {
            wake(state, QueueState::wake_unless_sending);
        } else {
            drop(state);
            self.close(CloseReason::Overload);
        }
    }

    /// Adds a message of a room, in the place of the oldest ones if there are too many.
    pub fn push_room_message(&self, room: &Arc<str>, frame: &Bytes) {
        self.change_rooms(|buffer| buffer.add_room_message(room, frame, self.limits));
    }

    /// Adds a change of the members of a room. If an earlier one is still here, the reader is asked
    /// for the present members instead.
    pub fn push_presence_change(&self, room: &Arc<str>, frame: &Bytes) {
        self.change_rooms(|buffer| buffer.add_presence_change(room, frame));
    }

    /// Removes the messages and presence of a room that the connection has left.
    pub fn remove_room(&self, room: &Arc<str>) {
        self.state().buffer.remove_room(room);
    }

    fn change_rooms(&self, change: impl FnOnce(&mut FrameBuffer)) {
        let mut state = self.state();
        if state.close.is_none() {
            change(&mut state.buffer);
            wake(state, QueueState::wake_unless_sending);
        }
    }

    /// Adds a checkpoint, unless the connection was told of the position, or of a later one, or
    /// must not be told of it: it has many frames to read, or reads the log.
    pub(in crate::realtime) fn push_checkpoint(
        &self,
        position: i64,
        encode: impl FnOnce() -> Option<Bytes>,
    ) {
        let mut state = self.state();
        if state.close.is_some() || state.told >= position || state.buffer.dropped().len() > 0 {
            return;
        }
        let Some(frame) = encode().filter(|frame| state.buffer.has_room(frame, self.limits)) else {
            return;
        };
        state.buffer.add_checkpoint(frame);
        state.told = position;
        wake(state, QueueState::wake_unless_sending);
    }

    /// Notes a position that the connection is told of by a frame other than an event: it may be
    /// ahead of the shard that serves the connection. No checkpoint below it follows.
    pub(in crate::realtime) fn note_told(&self, position: i64) {
        let mut state = self.state();
        state.told = state.told.max(position);
    }

    /// The first dropped event of a shard of which the reader does not know yet. The reader must
    /// read the shard's events in the log and then [take events again](Self::resume_events); until then, no
    /// event of that shard is added.
    pub(in crate::realtime) fn take_dropped(&self) -> Option<LogMark> {
        self.state().buffer.notice_dropped()
    }

    /// Takes events of a shard again.
    pub(in crate::realtime) fn resume_events(&self, shard: u32) {
        self.state().buffer.forget_dropped(shard);
    }

    /// Returns `true` if events were dropped that the connection has not read in the log yet.
    pub(in crate::realtime) fn is_behind(&self) -> bool {
        self.state().buffer.dropped().len() > 0
    }

    /// The number of frames in the queue, and their bytes.
    pub(in crate::realtime) fn size(&self) -> (usize, usize) {
        let size = self.state().buffer.size();
        (size.frames, size.bytes)
    }

    /// The first dropped event of each shard whose events the connection has not read in the log
    /// yet.
    pub(in crate::realtime) fn dropped(&self) -> Vec<LogMark> {
        self.state().buffer.dropped().collect()
    }

    /// Asks the reader to ping its peer.
    pub fn ping(&self) {
        let mut state = self.state();
        state.ping = true;
        wake(state, QueueState::wake_unless_sending);
    }

    /// Ends the connection; the first reason stands. The frames in the queue are still sent, unless
    /// there are too many of them.
    pub fn close(&self, reason: CloseReason) {
        let mut state = self.state();
        if state.close.is_some() {
            return;
        }
        state.close = Some(reason);
        if reason == CloseReason::Overload {
            state.buffer.clear();
        }
        wake(state, |state| state.waker.take());
    }

    /// The reason for which the connection ends, if it does.
    pub fn close_reason(&self) -> Option<CloseReason> {
        self.state().close
    }

    /// Returns `true` if the reader has many frames to take, and others still wait for it.
    pub(in crate::realtime) fn is_congested(&self) -> bool {
        let state = self.state();
        state.close.is_none() && !state.stalled && self.has_many_frames(&state)
    }

    /// Stops waiting for the reader: others go on without it.
    pub(in crate::realtime) fn give_up_waiting(&self) {
        self.state().stalled = true;
    }

    /// Counts one more time at which frames are unread, and returns how many times that was so
    /// since the reader came last; 0 if nothing is unread.
    pub(in crate::realtime) fn count_unread(&self) -> u32 {
        let mut state = self.state();
        // A client that does not read from rooms loses messages, and is not closed.
        let is_read = state.buffer.records().frames == 0 && state.buffer.dropped().len() == 0;
        state.unread_counts = if is_read { 0 } else { state.unread_counts + 1 };
        state.unread_counts
    }

    fn has_many_frames(&self, state: &QueueState) -> bool {
        let records = state.buffer.records();
        records.frames * CONGESTED_PART >= self.limits.frames
            || records.bytes * CONGESTED_PART >= self.limits.bytes
    }

    /// Moves frames into `frames`, which must be empty: all of them, or those up to a room's state.
    /// `None` if there is nothing to do.
    pub(in crate::realtime) fn take(&self, frames: &mut Vec<Bytes>) -> Option<QueueSignals> {
        let mut state = self.state();
        state.unread_counts = 0;
        if state.buffer.is_empty() && !state.ping && state.close.is_none() {
            return None;
        }
        state.stalled = false;
        Some(QueueSignals {
            rooms: state.buffer.take(frames),
            ping: std::mem::take(&mut state.ping),
            close: state.close,
        })
    }

    /// Waits until there is something to take, or dropped events to read.
    pub(in crate::realtime) async fn ready(&self) {
        poll_fn(|context| {
            let mut state = self.state();
            state.sending = false;
            if state.is_ready() {
                return Poll::Ready(());
            }
            store_waker(&mut state.waker, context);
            Poll::Pending
        })
        .await;
    }

    /// Waits until the connection must end, without taking anything.
    pub async fn closed(&self) -> CloseReason {
        poll_fn(|context| {
            let mut state = self.state();
            if let Some(reason) = state.close {
                return Poll::Ready(reason);
            }
            state.sending = true;
            store_waker(&mut state.waker, context);
            Poll::Pending
        })
        .await
    }
}

/// Wakes the reader once the lock is free.
fn wake(
    mut state: MutexGuard<'_, QueueState>,
    take_waker: impl FnOnce(&mut QueueState) -> Option<Waker>,
) {
    let waker = take_waker(&mut state);
    drop(state);
    if let Some(waker) = waker {
        waker.wake();
    }
}

fn store_waker(slot: &mut Option<Waker>, context: &Context<'_>) {
    match slot {
        Some(waker) if waker.will_wake(context.waker()) => {}
        slot => *slot = Some(context.waker().clone()),
    }
}
