//! What waits to be sent to one connection from its rooms. Publishers never wait: where a reader is
//! too slow, the oldest messages make room, and it is told how many they were. Of presence, only
//! the last state counts.

use std::collections::{BTreeMap, VecDeque};
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

use bytes::Bytes;

use crate::realtime::queue::Limits;

/// How many times as many bytes of answers may wait as of messages: who is there in large rooms is
/// long.
const ANSWERS: usize = 4;

/// Something to send.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Item {
    /// An answer; never dropped.
    Answer(Bytes),
    /// A message of a room.
    Message(Arc<str>, Bytes),
    /// What changed in who is there.
    Diff(Arc<str>, Bytes),
    /// The reader missed a change: it is to be told who is there, as of when it reads.
    State(Arc<str>),
    /// So many messages of a room were dropped.
    Lost(Arc<str>, u64),
}

/// Whether there was room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kept {
    /// It waits to be sent.
    Yes,
    /// There are too many answers that nobody reads.
    Full,
}

/// See the module. It has one reader.
#[derive(Debug)]
pub(super) struct Outbox {
    limits: Limits,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    items: VecDeque<Item>,
    /// The messages among them.
    messages: usize,
    message_bytes: usize,
    answer_bytes: usize,
    lost: BTreeMap<Arc<str>, u64>,
    waker: Option<Waker>,
}

impl Outbox {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            state: Mutex::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds an answer to what the connection asked for.
    pub(super) fn answer(&self, frame: Bytes) -> Kept {
        let mut state = self.state();
        let waits = state.answer_bytes > 0;
        state.answer_bytes += frame.len();
        if waits && state.answer_bytes > self.limits.bytes.saturating_mul(ANSWERS) {
            return Kept::Full;
        }
        state.items.push_back(Item::Answer(frame));
        state.wake();
        Kept::Yes
    }

    /// Adds a message, in the place of the oldest ones if there are too many.
    pub(super) fn message(&self, room: &Arc<str>, frame: &Bytes) {
        let mut state = self.state();
        while state.messages > 0
            && (state.messages >= self.limits.frames
                || state.message_bytes + frame.len() > self.limits.bytes)
        {
            state.drop_oldest();
        }
        state.messages += 1;
        state.message_bytes += frame.len();
        state
            .items
            .push_back(Item::Message(room.clone(), frame.clone()));
        state.wake();
    }

    /// Adds a change of who is there. If an earlier one still waits, the whole state is sent
    /// instead.
    pub(super) fn diff(&self, room: &Arc<str>, frame: &Bytes) {
        let mut state = self.state();
        let earlier = state.items.iter().position(|item| match item {
            Item::Diff(of, _) | Item::State(of) => of == room,
            _ => false,
        });
        let item = match earlier {
            Some(earlier) => {
                state.items.remove(earlier);
                Item::State(room.clone())
            }
            None => Item::Diff(room.clone(), frame.clone()),
        };
        state.items.push_back(item);
        state.wake();
    }

    /// Forgets what waits of a room that the connection has left.
    pub(super) fn forget(&self, room: &Arc<str>) {
        let mut state = self.state();
        let state = &mut *state;
        state.lost.remove(room);
        state.items.retain(|item| match item {
            Item::Message(of, frame) if of == room => {
                state.messages -= 1;
                state.message_bytes -= frame.len();
                false
            }
            Item::Diff(of, _) | Item::State(of) => of != room,
            _ => true,
        });
    }

    /// Waits until there is something, and takes it, up to the first state: who is there is written
    /// down when it is taken, and may be long. Notes of what was lost come first.
    pub(super) async fn take(&self) -> Vec<Item> {
        poll_fn(|context| {
            let mut state = self.state();
            if state.items.is_empty() && state.lost.is_empty() {
                match &mut state.waker {
                    Some(waker) if waker.will_wake(context.waker()) => {}
                    slot => *slot = Some(context.waker().clone()),
                }
                return Poll::Pending;
            }
            let lost = std::mem::take(&mut state.lost)
                .into_iter()
                .map(|(room, count)| Item::Lost(room, count));
            let mut taken: Vec<Item> = lost.collect();
            while let Some(item) = state.items.pop_front() {
                match &item {
                    Item::Message(_, frame) => {
                        state.messages -= 1;
                        state.message_bytes -= frame.len();
                    }
                    Item::Answer(frame) => state.answer_bytes -= frame.len(),
                    Item::Diff(..) | Item::State(_) | Item::Lost(..) => {}
                }
                let is_state = matches!(item, Item::State(_));
                taken.push(item);
                if is_state {
                    break;
                }
            }
            Poll::Ready(taken)
        })
        .await
    }
}

impl State {
    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    fn drop_oldest(&mut self) {
        let oldest = self
            .items
            .iter()
            .position(|item| matches!(item, Item::Message(..)));
        if let Some(Item::Message(room, frame)) = oldest.and_then(|index| self.items.remove(index))
        {
            self.messages -= 1;
            self.message_bytes -= frame.len();
            *self.lost.entry(room).or_default() += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outbox(frames: usize, bytes: usize) -> Outbox {
        Outbox::new(Limits { frames, bytes })
    }

    fn room(name: &str) -> Arc<str> {
        name.into()
    }

    fn frame(text: &'static str) -> Bytes {
        Bytes::from_static(text.as_bytes())
    }

    #[tokio::test]
    async fn the_oldest_messages_make_room_and_are_counted() {
        let (a, b) = (room("a"), room("b"));
        let outbox = outbox(2, 100);
        outbox.message(&a, &frame("1"));
        outbox.message(&b, &frame("2"));
        assert_eq!(outbox.answer(frame("ack")), Kept::Yes);
        for text in ["3", "4", "5"] {
            outbox.message(&a, &frame(text));
        }
        let message = |text| Item::Message(a.clone(), frame(text));
        let answer = Item::Answer(frame("ack"));
        let expected = vec![
            Item::Lost(a.clone(), 2),
            Item::Lost(b.clone(), 1),
            answer,
            message("4"),
            message("5"),
        ];
        assert_eq!(outbox.take().await, expected);
        outbox.message(&a, &frame("6"));
        assert_eq!(outbox.take().await, [message("6")]);
    }

    #[tokio::test]
    async fn messages_are_bounded_in_bytes_but_a_lone_one_fits() {
        let a = room("a");
        let outbox = outbox(100, 4);
        outbox.message(&a, &frame("123456"));
        outbox.message(&a, &frame("12"));
        outbox.message(&a, &frame("34"));
        let message = |text| Item::Message(a.clone(), frame(text));
        assert_eq!(
            outbox.take().await,
            [Item::Lost(a.clone(), 1), message("12"), message("34")]
        );
    }

    #[tokio::test]
    async fn changes_that_nobody_reads_become_the_whole_state() {
        let (a, b) = (room("a"), room("b"));
        let outbox = outbox(2, 100);
        outbox.diff(&a, &frame("1"));
        outbox.diff(&b, &frame("2"));
        outbox.diff(&a, &frame("3"));
        outbox.diff(&a, &frame("4"));
        assert_eq!(
            outbox.take().await,
            [Item::Diff(b, frame("2")), Item::State(a.clone())]
        );
        outbox.diff(&a, &frame("5"));
        assert_eq!(outbox.take().await, [Item::Diff(a, frame("5"))]);
    }

    #[tokio::test]
    async fn states_are_taken_one_by_one() {
        let (a, b) = (room("a"), room("b"));
        let outbox = outbox(2, 100);
        for room in [&a, &a, &b, &b] {
            outbox.diff(room, &frame("1"));
        }
        assert_eq!(outbox.answer(frame("ack")), Kept::Yes);
        assert_eq!(outbox.take().await, [Item::State(a)]);
        assert_eq!(outbox.take().await, [Item::State(b)]);
        assert_eq!(outbox.take().await, [Item::Answer(frame("ack"))]);
    }

    #[tokio::test]
    async fn nothing_of_a_room_comes_after_it_was_left() {
        let (a, b) = (room("a"), room("b"));
        let outbox = outbox(2, 100);
        for text in ["1", "2", "3"] {
            outbox.message(&a, &frame(text));
        }
        outbox.diff(&a, &frame("4"));
        outbox.forget(&a);
        outbox.message(&b, &frame("5"));
        outbox.message(&b, &frame("6"));
        let message = |text| Item::Message(b.clone(), frame(text));
        assert_eq!(outbox.take().await, [message("5"), message("6")]);
    }

    #[test]
    fn answers_that_nobody_reads_are_bounded() {
        let outbox = outbox(2, 4);
        assert_eq!(
            outbox.answer(frame("a very long answer, which is alone")),
            Kept::Yes
        );
        assert_eq!(outbox.answer(frame("x")), Kept::Full);
    }
}
