//! The bounded queue between the hub and a connection. A publisher never waits for a reader: a queue that is full
//! ends its connection.

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
}

impl Close {
    /// The WebSocket close code.
    pub fn code(self) -> u16 {
        match self {
            Self::Expired => 4401,
            Self::Revoked => 1008,
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
    /// It did not fit: the queue was emptied and the connection ends.
    Overflowed,
    /// The connection is ending.
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

/// The queue. It has one reader.
#[derive(Debug)]
pub struct Queue {
    limits: Limits,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    frames: Vec<Bytes>,
    bytes: usize,
    ping: bool,
    close: Option<Close>,
    /// Set when the reader took nothing although others waited for it; its slowness counts no more until it reads.
    stalled: bool,
    waker: Option<Waker>,
    /// The reader is sending and only wants to hear of the end.
    sending: bool,
}

impl State {
    fn wake_unless_sending(&mut self) -> Option<Waker> {
        if self.sending { None } else { self.waker.take() }
    }
}

impl Queue {
    /// An empty queue.
    pub fn new(limits: Limits) -> Self {
        Self { limits, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a frame.
    pub fn push(&self, frame: Bytes) -> Pushed {
        let mut state = self.state();
        if state.close.is_some() {
            return Pushed::Refused;
        }
        let waiting = state.frames.len();
        if waiting >= self.limits.frames || (waiting > 0 && state.bytes + frame.len() > self.limits.bytes) {
            drop(state);
            self.close(Close::Overload);
            return Pushed::Overflowed;
        }
        state.bytes += frame.len();
        state.frames.push(frame);
        let congested = !state.stalled && self.has_much(&state);
        let waker = state.wake_unless_sending();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
        if congested { Pushed::Congested } else { Pushed::Queued }
    }

    /// Asks the reader to ping its peer.
    pub fn ping(&self) {
        let mut state = self.state();
        state.ping = true;
        let waker = state.wake_unless_sending();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Ends the connection; the first reason stands. What waits is still sent, unless there is too much of it.
    pub fn close(&self, reason: Close) {
        let mut state = self.state();
        if state.close.is_some() {
            return;
        }
        state.close = Some(reason);
        if reason == Close::Overload {
            state.frames = Vec::new();
            state.bytes = 0;
        }
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
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

    fn has_much(&self, state: &State) -> bool {
        state.frames.len() * 4 >= self.limits.frames || state.bytes * 4 >= self.limits.bytes
    }

    /// Waits until there is something to do and moves all frames into `frames`, which must be empty.
    pub async fn take(&self, frames: &mut Vec<Bytes>) -> Taken {
        poll_fn(|context| self.poll_take(context, frames)).await
    }

    /// See [`Queue::take`].
    pub fn poll_take(&self, context: &mut Context<'_>, frames: &mut Vec<Bytes>) -> Poll<Taken> {
        let mut state = self.state();
        if state.frames.is_empty() && !state.ping && state.close.is_none() {
            state.sending = false;
            remember(&mut state.waker, context);
            return Poll::Pending;
        }
        debug_assert!(frames.is_empty(), "frames would be lost");
        std::mem::swap(&mut state.frames, frames);
        state.bytes = 0;
        state.stalled = false;
        Poll::Ready(Taken { ping: std::mem::take(&mut state.ping), close: state.close })
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

    #[tokio::test]
    async fn frames_come_out_in_order_and_at_once() {
        let queue = queue(100, 100);
        for text in ["a", "b", "c"] {
            assert_eq!(queue.push(Bytes::from_static(text.as_bytes())), Pushed::Queued);
        }
        let mut frames = Vec::new();
        assert_eq!(queue.take(&mut frames).await, Taken::default());
        assert_eq!(frames, ["a", "b", "c"]);
    }

    #[tokio::test]
    async fn too_many_frames_or_bytes_end_the_connection_and_free_the_queue() {
        let many = queue(8, 1000);
        let answers = [(); 9].map(|()| many.push(Bytes::from_static(b"x")));
        assert_eq!(answers[..2], [Pushed::Queued, Pushed::Congested]);
        assert_eq!(answers[8], Pushed::Overflowed);
        assert_eq!(many.push(Bytes::from_static(b"x")), Pushed::Refused);
        let mut frames = Vec::new();
        assert_eq!(many.take(&mut frames).await.close, Some(Close::Overload));
        assert!(frames.is_empty());

        let large = queue(100, 10);
        assert_eq!(large.push(Bytes::from(vec![b'x'; 50])), Pushed::Congested, "a lone frame always fits");
        assert_eq!(large.push(Bytes::from_static(b"x")), Pushed::Overflowed);
    }

    #[tokio::test]
    async fn a_reader_that_was_given_up_on_counts_again_when_it_reads() {
        let queue = queue(8, 1000);
        queue.push(Bytes::from_static(b"x"));
        assert_eq!(queue.push(Bytes::from_static(b"x")), Pushed::Congested);
        queue.give_up_waiting();
        assert!(!queue.is_congested());
        assert_eq!(queue.push(Bytes::from_static(b"x")), Pushed::Queued);
        let mut frames = Vec::new();
        queue.take(&mut frames).await;
        assert_eq!(frames.len(), 3);
        queue.push(Bytes::from_static(b"x"));
        assert_eq!(queue.push(Bytes::from_static(b"x")), Pushed::Congested);
    }

    #[tokio::test]
    async fn what_waits_is_sent_before_an_orderly_end() {
        let queue = queue(8, 100);
        queue.push(Bytes::from_static(b"last"));
        queue.close(Close::GoingAway);
        queue.close(Close::Revoked);
        let mut frames = Vec::new();
        assert_eq!(queue.take(&mut frames).await.close, Some(Close::GoingAway));
        assert_eq!(frames, ["last"]);
        assert_eq!(queue.closed().await, Close::GoingAway);
    }
}
