//! The last changes that a shard has handed out: whoever has read the log almost to its end joins
//! with these.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::changes::Change;

/// How many changes are kept.
const MOST: usize = 512;
/// How many bytes of them.
const MOST_BYTES: usize = 4 << 20;

pub(super) struct Ring {
    changes: VecDeque<Arc<Change>>,
    bytes: usize,
    /// Every change after this position is here.
    after: i64,
}

impl Ring {
    pub(super) fn new(position: i64) -> Self {
        Self {
            changes: VecDeque::new(),
            bytes: 0,
            after: position,
        }
    }

    pub(super) fn push(&mut self, change: Arc<Change>) {
        self.bytes += change.size();
        self.changes.push_back(change);
        while self.changes.len() > MOST || self.bytes > MOST_BYTES {
            let Some(oldest) = self.changes.pop_front() else {
                return;
            };
            self.bytes -= oldest.size();
            self.after = oldest.position;
        }
    }

    /// Everything after a position; `None` if that is not all here.
    pub(super) fn since(&self, position: i64) -> Option<impl Iterator<Item = &Arc<Change>>> {
        let start = self
            .changes
            .partition_point(|change| change.position <= position);
        (position >= self.after).then(|| self.changes.range(start..))
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::changes::ChangeKind;

    fn change(position: i64, bytes: usize) -> Arc<Change> {
        Arc::new(Change {
            position,
            account_id: None,
            collection_id: None,
            record_id: String::new(),
            kind: ChangeKind::Create,
            at: DateTime::UNIX_EPOCH,
            actor: String::new(),
            record: Some("x".repeat(bytes)),
            previous: None,
            own: true,
        })
    }

    fn since(ring: &Ring, position: i64) -> Option<Vec<i64>> {
        Some(
            ring.since(position)?
                .map(|change| change.position)
                .collect(),
        )
    }

    #[test]
    fn it_gives_all_or_nothing() {
        let mut ring = Ring::new(5);
        for position in [7, 8, 10] {
            ring.push(change(position, 1));
        }
        assert_eq!(since(&ring, 4), None);
        assert_eq!(since(&ring, 5), Some(vec![7, 8, 10]));
        assert_eq!(since(&ring, 8), Some(vec![10]));
        assert_eq!(since(&ring, 12), Some(vec![]));
        for position in 11..=10 + i64::try_from(MOST).unwrap() {
            ring.push(change(position, 1));
        }
        assert_eq!(since(&ring, 9), None);
        assert_eq!(since(&ring, 10).map(|found| found.len()), Some(MOST));
    }

    #[test]
    fn large_changes_push_others_out() {
        let mut ring = Ring::new(0);
        ring.push(change(1, 10));
        ring.push(change(2, MOST_BYTES / 2));
        ring.push(change(3, MOST_BYTES / 2));
        assert_eq!(since(&ring, 0), None);
        assert_eq!(since(&ring, 2), Some(vec![3]));
    }
}
