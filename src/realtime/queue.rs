//! The bounded queue between the hub and a connection. A publisher never waits for a reader: when
//! the queue is full, the events in it are dropped, and the connection reads them in the change
//! log, at its own pace.

use std::future::poll_fn;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;

/// Why the server ends a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Close {
    /// The credential has expired.
    Expired,
    /// The credential or the user is not valid any more.
    Revoked,
    /// The server stops.
    GoingAway,
    /// The client reads too slowly, or the server cannot serve it now.
    Overload,
    /// A message was too large.
    TooLarge,
    /// Pings were not answered.
    Unanswered,
    /// Somebody who runs the server ended it.
    Dismissed,
}

impl Close {
    /// The WebSocket close code.
    pub fn code(self) -> u16 {
        match self {
            Self::Expired => 4401,
            Self::Revoked | Self::Dismissed => 1008,
            Self::GoingAway | Self::Unanswered => 1001,
            Self::Overload => 1013,
            Self::TooLarge => 1009,
        }
    }

    /// The reason for people.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Expired => "Token expired",
            Self::Revoked => "Credentials are no longer valid",
            Self::GoingAway => "The server is stopping, reconnect",
            Self::Overload => "Too slow, try again later",
            Self::TooLarge => "Message too large",
            Self::Unanswered => "Pings were not answered",
            Self::Dismissed => "Closed by an administrator",
        }
    }
}

/// How much may wait in a queue.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Frames.
    pub frames: usize,
    /// Bytes; a lone frame may be larger.
    pub bytes: usize,
}

/// What became of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pushed {
    /// It waits to be sent.
    Queued,
    /// It waits, with many others; the connection has not shown yet that it cannot keep up.
    Congested,
    /// It did not fit: the events that waited were dropped, and are to be read in the log.
    Overflowed,
    /// The connection is ending, or reads the log.
    Refused,
}

/// What a connection takes out of its queue besides frames.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// It is time to ping the peer.
    pub ping: bool,
    /// The connection must end, after the frames were sent.
    pub close: Option<Close>,
}

/// Where an event comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    /// The shard that handed it out; its events are in the order of the log.
    pub(super) lane: u32,
    /// Its position in the log.
    pub(super) position: i64,
}

/// What a frame is that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// An answer or a notice, which is in no log.
    Answer,
    Event(Mark),
    /// How far the log is, after the events before it.
    Checkpoint,
}

/// The events of a shard that were dropped: from a position on.
#[derive(Debug)]
struct Lag {
    first: Mark,
    /// Whether the connection knows.
    noticed: bool,
}

/// The queue. It has one reader.
#[derive(Debug)]
pub struct Queue {
    limits: Limits,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    frames: Vec<Bytes>,
    /// One for each frame.
    kinds: Vec<Kind>,
    bytes: usize,
    lags: Vec<Lag>,
    /// The highest position that the connection was told of: by an event, a checkpoint, a notice or
    /// an answer. A checkpoint below it would send the client back.
    told: i64,
    ping: bool,
    close: Option<Close>,
    /// Set when the reader took nothing although others waited for it; its slowness counts no more
    /// until it reads.
    stalled: bool,
    /// How many looks have found something that waits, since the reader came last.
    looks: u32,
    waker: Option<Waker>,
    /// The reader is sending and only wants to hear of the end.
    sending: bool,
}

impl State {
    fn wake_unless_sending(&mut self) -> Option<Waker> {
        if self.sending {
            None
        } else {
            self.waker.take()
        }
    }

    fn fits(&self, frame: &Bytes, limits: Limits) -> bool {
        let waiting = self.frames.len();
        waiting < limits.frames && (waiting == 0 || self.bytes + frame.len() <= limits.bytes)
    }

    fn add(&mut self, frame: Bytes, kind: Kind) {
        self.bytes += frame.len();
        self.frames.push(frame);
        self.kinds.push(kind);
    }

    fn is_lagging(&self, lane: u32) -> bool {
        self.lags.iter().any(|lag| lag.first.lane == lane)
    }

    fn note_lost(&mut self, mark: Mark) {
        match self.lags.iter_mut().find(|lag| lag.first.lane == mark.lane) {
            Some(lag) => lag.first.position = lag.first.position.min(mark.position),
            None => self.lags.push(Lag {
                first: mark,
                noticed: false,
            }),
        }
    }

    /// Drops the events that wait, and checkpoints, which would be wrong without them. Answers
    /// stay: they are in no log.
    fn drop_events(&mut self) {
        let (frames, kinds) = (
            std::mem::take(&mut self.frames),
            std::mem::take(&mut self.kinds),
        );
        self.bytes = 0;
        for (frame, kind) in frames.into_iter().zip(kinds) {
            match kind {
                Kind::Answer => self.add(frame, kind),
                Kind::Event(mark) => self.note_lost(mark),
                Kind::Checkpoint => {}
            }
        }
    }

    fn has_news(&self) -> bool {
        !self.frames.is_empty()
            || self.ping
            || self.close.is_some()
            || self.lags.iter().any(|lag| !lag.noticed)
    }
}

impl Queue {
    /// An empty queue.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            state: Mutex::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a frame that is no event: an answer, a notice. If there are too many of them, the
    /// connection ends.
    pub fn push(&self, frame: Bytes) -> Pushed {
        let mut state = self.state();
        if state.close.is_some() {
            return Pushed::Refused;
        }
        if !state.fits(&frame, self.limits) {
            state.drop_events();
        }
        if !state.fits(&frame, self.limits) {
            drop(state);
            self.close(Close::Overload);
            return Pushed::Overflowed;
        }
        state.add(frame, Kind::Answer);
        wake(state, State::wake_unless_sending);
        Pushed::Queued
    }

    /// Adds an event.
    pub(super) fn push_event(&self, frame: Bytes, mark: Mark) -> Pushed {
        let mut state = self.state();
        if state.close.is_some() || state.is_lagging(mark.lane) {
            return Pushed::Refused;
        }
        let pushed = if state.fits(&frame, self.limits) {
            state.add(frame, Kind::Event(mark));
            state.told = state.told.max(mark.position);
            let congested = !state.stalled && self.has_much(&state);
            if congested {
                Pushed::Congested
            } else {
                Pushed::Queued
            }
        } else {
            state.drop_events();
            state.note_lost(mark);
            Pushed::Overflowed
        };
        wake(state, State::wake_unless_sending);
        pushed
    }

    /// Says how far the log is, unless the connection knows or cannot be told: it has much to read,
    /// or has fallen behind.
    pub(super) fn push_checkpoint(&self, position: i64, frame: impl FnOnce() -> Option<Bytes>) {
        let mut state = self.state();
        if state.close.is_some() || state.told >= position || !state.lags.is_empty() {
            return;
        }
        let Some(frame) = frame().filter(|frame| state.fits(frame, self.limits)) else {
            return;
        };
        state.add(frame, Kind::Checkpoint);
        state.told = position;
        wake(state, State::wake_unless_sending);
    }

    /// Remembers a position that the connection is told of by something else than an event: shards
    /// may hand events out more slowly than it is told of them. No checkpoint below it follows.
    pub(super) fn note_told(&self, position: i64) {
        let mut state = self.state();
        state.told = state.told.max(position);
    }

    /// The next shard whose events were dropped, and the first position of those. The reader must
    /// read them in the log and then [`Queue::rejoin`]; until then, no event of that shard is
    /// queued.
    pub(super) fn lag(&self) -> Option<Mark> {
        let mut state = self.state();
        let lag = state.lags.iter_mut().find(|lag| !lag.noticed)?;
        lag.noticed = true;
        Some(lag.first)
    }

    /// Takes events of a shard again.
    pub(super) fn rejoin(&self, lane: u32) {
        self.state().lags.retain(|lag| lag.first.lane != lane);
    }

    /// Whether events of a shard were dropped that have not been read in the log yet.
    pub(super) fn is_lagging(&self) -> bool {
        !self.state().lags.is_empty()
    }

    /// What waits in it: frames and bytes.
    pub(super) fn waiting(&self) -> (usize, usize) {
        let state = self.state();
        (state.frames.len(), state.bytes)
    }

    /// The events that were dropped and have not been read in the log yet: the first of each shard.
    pub(super) fn lags(&self) -> Vec<Mark> {
        self.state().lags.iter().map(|lag| lag.first).collect()
    }

    /// Asks the reader to ping its peer.
    pub fn ping(&self) {
        let mut state = self.state();
        state.ping = true;
        wake(state, State::wake_unless_sending);
    }

    /// Ends the connection; the first reason stands. What waits is still sent, unless there is too
    /// much of it.
    pub fn close(&self, reason: Close) {
        let mut state = self.state();
        if state.close.is_some() {
            return;
        }
        state.close = Some(reason);
        if reason == Close::Overload {
            (state.frames, state.kinds, state.bytes) = (Vec::new(), Vec::new(), 0);
        }
        wake(state, |state| state.waker.take());
    }

    /// Why the connection ends, if it does.
    pub fn ending(&self) -> Option<Close> {
        self.state().close
    }

    /// Whether the reader has much to take and has not been given up on.
    pub(super) fn is_congested(&self) -> bool {
        let state = self.state();
        state.close.is_none() && !state.stalled && self.has_much(&state)
    }

    /// Gives up waiting for the reader: others go on without it.
    pub(super) fn give_up_waiting(&self) {
        self.state().stalled = true;
    }

    /// Counts the looks since the reader came last, if something waits for it.
    pub(super) fn look(&self) -> u32 {
        let mut state = self.state();
        state.looks = if state.frames.is_empty() && state.lags.is_empty() {
            0
        } else {
            state.looks + 1
        };
        state.looks
    }

    fn has_much(&self, state: &State) -> bool {
        state.frames.len() * 4 >= self.limits.frames || state.bytes * 4 >= self.limits.bytes
    }

    /// Moves all frames into `frames`, which must be empty. `None` if there is nothing to do.
    pub(super) fn take(&self, frames: &mut Vec<Bytes>) -> Option<Taken> {
        let mut state = self.state();
        state.looks = 0;
        if state.frames.is_empty() && !state.ping && state.close.is_none() {
            return None;
        }
        debug_assert!(frames.is_empty(), "frames would be lost");
        std::mem::swap(&mut state.frames, frames);
        state.kinds = Vec::new();
        state.bytes = 0;
        state.stalled = false;
        Some(Taken {
            ping: std::mem::take(&mut state.ping),
            close: state.close,
        })
    }

    /// Waits until there is something to do.
    pub(super) async fn ready(&self) {
        poll_fn(|context| {
            let mut state = self.state();
            state.sending = false;
            if state.has_news() {
                return Poll::Ready(());
            }
            remember(&mut state.waker, context);
            Poll::Pending
        })
        .await;
    }

    /// Waits until the connection must end, without taking anything.
    pub async fn closed(&self) -> Close {
        poll_fn(|context| {
            let mut state = self.state();
            if let Some(reason) = state.close {
                return Poll::Ready(reason);
            }
            state.sending = true;
            remember(&mut state.waker, context);
            Poll::Pending
        })
        .await
    }
}

/// Wakes the reader once the lock is free.
fn wake(mut state: MutexGuard<'_, State>, waker: impl FnOnce(&mut State) -> Option<Waker>) {
    let waker = waker(&mut state);
    drop(state);
    if let Some(waker) = waker {
        waker.wake();
    }
}

fn remember(slot: &mut Option<Waker>, context: &Context<'_>) {
    match slot {
        Some(waker) if waker.will_wake(context.waker()) => {}
        slot => *slot = Some(context.waker().clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(frames: usize, bytes: usize) -> Queue {
        Queue::new(Limits { frames, bytes })
    }

    fn event(queue: &Queue, lane: u32, position: i64) -> Pushed {
        queue.push_event(Bytes::from_static(b"x"), Mark { lane, position })
    }

    fn taken(queue: &Queue) -> (Vec<Bytes>, Option<Taken>) {
        let mut frames = Vec::new();
        let taken = queue.take(&mut frames);
        (frames, taken)
    }

    #[tokio::test]
    async fn frames_come_out_in_order_and_at_once() {
        let queue = queue(100, 100);
        for text in ["a", "b", "c"] {
            assert_eq!(
                queue.push(Bytes::from_static(text.as_bytes())),
                Pushed::Queued
            );
        }
        queue.ready().await;
        let (frames, answer) = taken(&queue);
        assert_eq!(
            (frames, answer),
            (
                vec!["a".into(), "b".into(), "c".into()],
                Some(Taken::default())
            )
        );
        assert_eq!(taken(&queue).1, None);
    }

    #[test]
    fn too_many_events_are_dropped_and_answers_stay() {
        let queue = queue(8, 1000);
        queue.push(Bytes::from_static(b"ack"));
        let answers: Vec<Pushed> = (10..18)
            .map(|position| event(&queue, 1, position))
            .collect();
        assert_eq!(
            answers[..3],
            [Pushed::Congested, Pushed::Congested, Pushed::Congested]
        );
        assert_eq!(answers[7], Pushed::Overflowed);
        assert_eq!(event(&queue, 1, 18), Pushed::Refused);
        assert_eq!(
            event(&queue, 2, 3),
            Pushed::Congested,
            "another shard's events are not concerned"
        );
        assert_eq!(
            queue.lag(),
            Some(Mark {
                lane: 1,
                position: 10
            })
        );
        assert_eq!(queue.lag(), None, "the reader is told once");
        assert_eq!(taken(&queue).0, ["ack", "x"]);
        assert_eq!(event(&queue, 1, 19), Pushed::Refused);
        queue.rejoin(1);
        assert_eq!(event(&queue, 1, 20), Pushed::Queued);
        assert!(!queue.is_lagging());
    }

    #[test]
    fn a_checkpoint_that_is_dropped_takes_no_event_with_it() {
        let queue = queue(3, 1000);
        let checkpoint =
            |position| queue.push_checkpoint(position, || Some(Bytes::from_static(b"checkpoint")));
        checkpoint(10);
        checkpoint(10);
        event(&queue, 1, 11);
        assert_eq!(event(&queue, 1, 12), Pushed::Congested);
        checkpoint(13);
        assert_eq!(event(&queue, 1, 14), Pushed::Overflowed);
        // What was before it has been sent, and would come twice.
        assert_eq!(
            queue.lag(),
            Some(Mark {
                lane: 1,
                position: 11
            })
        );
        checkpoint(15);
        assert_eq!(taken(&queue).1, None);
        queue.rejoin(1);
        checkpoint(15);
        assert_eq!(taken(&queue).0, ["checkpoint"]);
    }

    #[test]
    fn a_lone_frame_always_fits_and_too_many_answers_end_the_connection() {
        let queue = queue(100, 10);
        let large = Bytes::from(vec![b'x'; 50]);
        assert_eq!(
            queue.push_event(
                large,
                Mark {
                    lane: 0,
                    position: 1
                }
            ),
            Pushed::Congested
        );
        assert_eq!(queue.push(Bytes::from_static(b"answer")), Pushed::Queued);
        assert_eq!(
            queue.push(Bytes::from_static(b"answer")),
            Pushed::Overflowed
        );
        assert_eq!(queue.push(Bytes::from_static(b"x")), Pushed::Refused);
        let (frames, answer) = taken(&queue);
        assert_eq!(
            (frames.len(), answer.unwrap().close),
            (0, Some(Close::Overload))
        );
    }

    #[test]
    fn a_reader_that_was_given_up_on_counts_again_when_it_reads() {
        let queue = queue(8, 1000);
        event(&queue, 0, 1);
        assert_eq!(event(&queue, 0, 2), Pushed::Congested);
        queue.give_up_waiting();
        assert!(!queue.is_congested());
        assert_eq!(event(&queue, 0, 3), Pushed::Queued);
        assert_eq!(queue.look(), 1);
        assert_eq!(queue.look(), 2);
        assert_eq!(taken(&queue).0.len(), 3);
        assert_eq!(queue.look(), 0);
        event(&queue, 0, 4);
        assert_eq!(event(&queue, 0, 5), Pushed::Congested);
    }

    #[tokio::test]
    async fn what_waits_is_sent_before_an_orderly_end() {
        let queue = queue(8, 100);
        queue.push(Bytes::from_static(b"last"));
        queue.close(Close::GoingAway);
        queue.close(Close::Revoked);
        let (frames, answer) = taken(&queue);
        assert_eq!(answer.unwrap().close, Some(Close::GoingAway));
        assert_eq!(frames, ["last"]);
        assert_eq!(queue.closed().await, Close::GoingAway);
    }
}
