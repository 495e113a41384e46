//! The last messages of a room, within the memory that all rooms together may take.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;

/// Upper limit of the messages that one room keeps, in bytes.
const MAX_ROOM_BYTES: usize = 256 * 1024;
/// Upper limit of the messages that all rooms keep, in bytes. Beyond it, a room that gets a message
/// forgets the earlier ones.
const MAX_TOTAL_BYTES: usize = 64 << 20;

/// The bytes that all rooms keep.
#[derive(Debug, Default)]
pub(super) struct HistoryMemory(AtomicUsize);

/// The last messages of one room, oldest first.
#[derive(Debug)]
pub(super) struct RoomHistory {
    frames: VecDeque<Bytes>,
    bytes: usize,
    memory: Arc<HistoryMemory>,
}

impl RoomHistory {
    pub(super) fn new(memory: Arc<HistoryMemory>) -> Self {
        Self {
            frames: VecDeque::new(),
            bytes: 0,
            memory,
        }
    }

    /// The last messages, at most `count` of them.
    pub(super) fn last(&self, count: usize) -> impl Iterator<Item = &Bytes> {
        self.frames
            .iter()
            .skip(self.frames.len().saturating_sub(count))
    }

    /// Adds a message, and keeps at most `count` in all.
    pub(super) fn add(&mut self, frame: &Bytes, count: usize) {
        if count > 0 {
            self.bytes += frame.len();
            self.memory.0.fetch_add(frame.len(), Ordering::Relaxed);
            self.frames.push_back(frame.clone());
        }
        let is_full = |memory: &HistoryMemory| memory.0.load(Ordering::Relaxed) > MAX_TOTAL_BYTES;
        while self.frames.len() > count || self.bytes > MAX_ROOM_BYTES || is_full(&self.memory) {
            let Some(oldest) = self.frames.pop_front() else {
                return;
            };
            self.bytes -= oldest.len();
            self.memory.0.fetch_sub(oldest.len(), Ordering::Relaxed);
        }
    }
}

impl Drop for RoomHistory {
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

    fn lengths(history: &RoomHistory) -> Vec<usize> {
        history.last(usize::MAX).map(Bytes::len).collect()
    }

    #[test]
    fn the_last_ones_stay_in_number_and_in_bytes() {
        let memory = Arc::new(HistoryMemory::default());
        let mut history = RoomHistory::new(memory.clone());
        for length in 1..=5 {
            history.add(&frame(length), 3);
        }
        assert_eq!(lengths(&history), [3, 4, 5]);
        assert_eq!(history.last(1).map(Bytes::len).collect::<Vec<_>>(), [5]);
        history.add(&frame(MAX_ROOM_BYTES - 6), 3);
        assert_eq!(lengths(&history), [5, MAX_ROOM_BYTES - 6]);
        history.add(&frame(1), 0);
        assert_eq!(lengths(&history), Vec::<usize>::new());
        assert_eq!(memory.0.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn all_rooms_together_are_bounded_and_a_room_that_ends_gives_its_memory_back() {
        let memory = Arc::new(HistoryMemory::default());
        let mut rooms: Vec<RoomHistory> = (0..MAX_TOTAL_BYTES / MAX_ROOM_BYTES)
            .map(|_| RoomHistory::new(memory.clone()))
            .collect();
        for room in &mut rooms {
            room.add(&frame(MAX_ROOM_BYTES), 10);
        }
        let mut late = RoomHistory::new(memory.clone());
        late.add(&frame(1), 10);
        assert_eq!(lengths(&late), Vec::<usize>::new(), "there is no room left");
        assert_eq!(memory.0.load(Ordering::Relaxed), MAX_TOTAL_BYTES);
        rooms.pop();
        late.add(&frame(1), 10);
        assert_eq!(lengths(&late), [1]);
        drop((late, rooms));
        assert_eq!(memory.0.load(Ordering::Relaxed), 0);
    }
}
