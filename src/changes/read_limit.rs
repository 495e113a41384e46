//! The number of entries that the follower reads at once.

use super::LogRow;

/// Upper limit, for small entries.
const MAX_ENTRIES: i64 = 512;
/// Size of the documents that are read at once, in bytes, roughly.
const TARGET_BYTES: usize = 4 << 20;

/// A number of entries that shrinks while they are large, so that not too much is read at once.
#[derive(Debug)]
pub(super) struct AdaptiveReadLimit(i64);

impl Default for AdaptiveReadLimit {
    fn default() -> Self {
        Self(MAX_ENTRIES)
    }
}

impl AdaptiveReadLimit {
    pub fn entries(&self) -> i64 {
        self.0
    }

    /// Returns `true` if the limit was reached, so that there may be more entries.
    pub fn is_reached(&self, rows: &[LogRow]) -> bool {
        i64::try_from(rows.len()).is_ok_and(|read| read >= self.0)
    }

    /// Takes the next number from the size of the entries that were read.
    pub fn adapt(&mut self, rows: &[LogRow]) {
        if rows.is_empty() {
            return;
        }
        let documents = |row: &LogRow| {
            row.record.as_ref().map_or(0, String::len)
                + row.previous.as_ref().map_or(0, String::len)
        };
        let mean = rows.iter().map(documents).sum::<usize>() / rows.len();
        self.0 = i64::try_from(TARGET_BYTES / mean.max(1))
            .unwrap_or(MAX_ENTRIES)
            .clamp(1, MAX_ENTRIES);
    }
}
