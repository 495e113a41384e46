//! The last changes that a shard has delivered. A connection that has read the log almost to its
//! end catches up with these.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::changes::Change;

/// Upper limit of the changes that are kept.
const MAX_CHANGES: usize = 512;
/// Upper limit of their size, in bytes.
const MAX_BYTES: usize = 4 << 20;

/// A ring buffer of changes, in the order of the log.
pub(in crate::realtime) struct RecentChanges {
    changes: VecDeque<Arc<Change>>,
    bytes: usize,
    /// Every change after this position is here.
    after: i64,
}

impl RecentChanges {
    pub(in crate::realtime) fn after(position: i64) -> Self {
        Self {
            changes: VecDeque::new(),
            bytes: 0,
            after: position,
        }
    }

    pub(in crate::realtime) fn push(&mut self, change: Arc<Change>) {
        self.bytes += change.size();
        self.changes.push_back(change);
        while self.changes.len() > MAX_CHANGES || self.bytes > MAX_BYTES {
            let Some(oldest) = self.changes.pop_front() else {
                return;
            };
            self.bytes -= oldest.size();
            self.after = oldest.position;
        }
    }

    /// The changes after a position; `None` if not all of them are here.
    pub(in crate::realtime) fn since(
        &self,
        position: i64,
    ) -> Option<impl Iterator<Item = &Arc<Change>>> {
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

    fn since(recent: &RecentChanges, position: i64) -> Option<Vec<i64>> {
        Some(
            recent
                .since(position)?
                .map(|change| change.position)
                .collect(),
        )
    }

    #[test]
    fn it_gives_all_or_nothing() {
        let mut recent = RecentChanges::after(5);
        for position in [7, 8, 10] {
            recent.push(change(position, 1));
        }
        assert_eq!(since(&recent, 4), None);
        assert_eq!(since(&recent, 5), Some(vec![7, 8, 10]));
        assert_eq!(since(&recent, 8), Some(vec![10]));
        assert_eq!(since(&recent, 12), Some(vec![]));
        for position in 11..=10 + i64::try_from(MAX_CHANGES).unwrap() {
            recent.push(change(position, 1));
        }
        assert_eq!(since(&recent, 9), None);
        assert_eq!(
            since(&recent, 10).map(|found| found.len()),
            Some(MAX_CHANGES)
        );
    }

    #[test]
    fn large_changes_push_others_out() {
        let mut recent = RecentChanges::after(0);
        recent.push(change(1, 10));
        recent.push(change(2, MAX_BYTES / 2));
        recent.push(change(3, MAX_BYTES / 2));
        assert_eq!(since(&recent, 0), None);
        assert_eq!(since(&recent, 2), Some(vec![3]));
    }
}
