//! What a room remembers of its messages, within what all rooms together may remember.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;

/// The most bytes that one room remembers.
const MOST: usize = 256 * 1024;
/// The most bytes that all of them remember. Beyond that, a room in which something is said forgets
/// what was before.
const MOST_TOGETHER: usize = 64 << 20;

/// How many bytes all rooms remember.
#[derive(Debug, Default)]
pub(super) struct Memory(AtomicUsize);

/// The last messages of one room, oldest first.
#[derive(Debug)]
pub(super) struct History {
    frames: VecDeque<Bytes>,
    bytes: usize,
    memory: Arc<Memory>,
}

impl History {
    pub(super) fn new(memory: Arc<Memory>) -> Self {
        Self {
            frames: VecDeque::new(),
            bytes: 0,
            memory,
        }
    }

    /// The last messages, at most so many.
    pub(super) fn last(&self, count: usize) -> impl Iterator<Item = &Bytes> {
        self.frames
            .iter()
            .skip(self.frames.len().saturating_sub(count))
    }

    /// Remembers a message, and at most `count` in all.
    pub(super) fn add(&mut self, frame: &Bytes, count: usize) {
        if count > 0 {
            self.bytes += frame.len();
            self.memory.0.fetch_add(frame.len(), Ordering::Relaxed);
            self.frames.push_back(frame.clone());
        }
        let is_full = |memory: &Memory| memory.0.load(Ordering::Relaxed) > MOST_TOGETHER;
        while self.frames.len() > count || self.bytes > MOST || is_full(&self.memory) {
            let Some(oldest) = self.frames.pop_front() else {
                return;
            };
            self.bytes -= oldest.len();
            self.memory.0.fetch_sub(oldest.len(), Ordering::Relaxed);
        }
    }
}

impl Drop for History {
    fn drop(&mut self) {
        self.memory.0.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(length: usize) -> Bytes {
        vec![b'x'; length].into()
    }

    fn lengths(history: &History) -> Vec<usize> {
        history.last(usize::MAX).map(Bytes::len).collect()
    }

    #[test]
    fn the_last_ones_stay_in_number_and_in_bytes() {
        let memory = Arc::new(Memory::default());
        let mut history = History::new(memory.clone());
        for length in 1..=5 {
            history.add(&frame(length), 3);
        }
        assert_eq!(lengths(&history), [3, 4, 5]);
        assert_eq!(history.last(1).map(Bytes::len).collect::<Vec<_>>(), [5]);
        history.add(&frame(MOST - 6), 3);
        assert_eq!(lengths(&history), [5, MOST - 6]);
        history.add(&frame(1), 0);
        assert_eq!(lengths(&history), Vec::<usize>::new());
        assert_eq!(memory.0.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn all_rooms_together_are_bounded_and_what_ends_gives_back() {
        let memory = Arc::new(Memory::default());
        let mut rooms: Vec<History> = (0..MOST_TOGETHER / MOST)
            .map(|_| History::new(memory.clone()))
            .collect();
        for room in &mut rooms {
            room.add(&frame(MOST), 10);
        }
        let mut late = History::new(memory.clone());
        late.add(&frame(1), 10);
        assert_eq!(lengths(&late), Vec::<usize>::new(), "there is no room left");
        assert_eq!(memory.0.load(Ordering::Relaxed), MOST_TOGETHER);
        rooms.pop();
        late.add(&frame(1), 10);
        assert_eq!(lengths(&late), [1]);
        drop((late, rooms));
        assert_eq!(memory.0.load(Ordering::Relaxed), 0);
    }
}
