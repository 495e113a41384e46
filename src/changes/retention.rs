//! Retention of the log: by age, by number and by bytes. The oldest entries go first, in
//! portions with pauses between them, so that writers are not held up.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};

use super::ChangeLog;
use crate::db::{DbError, Stmt};

/// Number of entries that are counted, and later deleted, at once …
const PORTION_ENTRIES: i64 = 1000;
/// … and their size in bytes, unless a single one has more; at most a [`PORTION_SHARE`]th of what
/// the log keeps.
const PORTION_BYTES: u64 = 16 << 20;
/// See [`PORTION_BYTES`].
const PORTION_SHARE: u64 = 16;
/// Size of an entry without its documents, in bytes, roughly.
const ENTRY_BYTES: u64 = 256;
/// Pause after a portion was deleted, as a multiple of the time that it took.
const PAUSE_FACTOR: u32 = 4;
/// Shortest pause after a portion was deleted.
const MIN_PAUSE: Duration = Duration::from_millis(5);

/// Entries that follow one another.
#[derive(Clone, Copy, Debug)]
struct LogPortion {
    last: i64,
    entries: i64,
    bytes: u64,
}

/// Deletes entries that are not kept. It remembers the size of the log in portions: each entry is
/// counted once, and entries that another node has deleted are forgotten with their portion.
#[derive(Debug)]
pub struct Retention {
    log: ChangeLog,
    max_rows: i64,
    max_bytes: u64,
    portions: VecDeque<LogPortion>,
    counted: i64,
}

impl Retention {
    pub(super) fn new(log: ChangeLog, max_rows: i64, max_bytes: u64) -> Self {
        Self {
            log,
            max_rows,
            max_bytes,
            portions: VecDeque::new(),
            counted: 0,
        }
    }

    /// Size of the entries that have been counted and are kept, in bytes.
    pub fn bytes(&self) -> u64 {
        self.portions.iter().map(|portion| portion.bytes).sum()
    }

    /// Deletes entries older than `before`, and the oldest beyond the numbers of entries and bytes,
    /// but none after `audited`. The newest entry stays, so that a position is never given out
    /// twice.
    ///
    /// # Errors
    ///
    /// If the database fails; what was deleted until then stays deleted.
    pub async fn prune(&mut self, before: DateTime<Utc>, audited: i64) -> Result<(), DbError> {
        self.count().await?;
        let (first, last) = (self.position("min").await?, self.position("max").await?);
        self.portions.retain(|portion| portion.last >= first);
        let limit = audited.min(last - 1);
        let mut bound =
            limit.min((last - self.max_rows).max(self.last_before(before, first, last).await?));
        let mut kept = self.bytes();
        while let Some(portion) = self.portions.front().copied() {
            if kept > self.max_bytes {
                bound = bound.max(portion.last.min(limit));
            }
            let until = portion.last.min(bound);
            if until < first {
                break;
            }
            self.delete(until).await?;
            if until < portion.last {
                break;
            }
            self.portions.pop_front();
            kept -= portion.bytes;
        }
        Ok(())
    }

    /// Counts the entries that have come since the last time.
    async fn count(&mut self) -> Result<(), DbError> {
        let select = "SELECT position, \
                      CAST(coalesce(octet_length(record), 0) + coalesce(octet_length(previous), 0) AS BIGINT) \
                      FROM change_log WHERE position > $1 ORDER BY position LIMIT $2";
        loop {
            let args = vec![self.counted.into(), PORTION_ENTRIES.into()];
            let sizes: Vec<(i64, i64)> = self.log.db.rows(Stmt::fixed(select, args)).await?;
            let is_last = i64::try_from(sizes.len()).is_ok_and(|read| read < PORTION_ENTRIES);
            for (position, size) in sizes {
                let bytes = ENTRY_BYTES + u64::try_from(size).unwrap_or_default();
                self.add(position, bytes);
            }
            if is_last {
                return Ok(());
            }
        }
    }

    fn add(&mut self, position: i64, bytes: u64) {
        self.counted = position;
        let max_bytes = PORTION_BYTES.min(self.max_bytes / PORTION_SHARE);
        let has_room = |portion: &&mut LogPortion| {
            portion.entries < PORTION_ENTRIES && portion.bytes + bytes <= max_bytes
        };
        match self.portions.back_mut().filter(has_room) {
            Some(portion) => {
                *portion = LogPortion {
                    last: position,
                    entries: portion.entries + 1,
                    bytes: portion.bytes + bytes,
                };
            }
            None => self.portions.push_back(LogPortion {
                last: position,
                entries: 1,
                bytes,
            }),
        }
    }

    async fn position(&self, function: &'static str) -> Result<i64, DbError> {
        let mut sql = self.log.db.sql();
        sql.push("SELECT coalesce(")
            .push(function)
            .push("(position), 0) FROM change_log");
        self.log.db.count(sql.build()).await
    }

    /// The last position before the first entry that is not older than `before`: it is searched for
    /// by halves, as times grow with positions, but for the clocks of several nodes.
    async fn last_before(
        &self,
        before: DateTime<Utc>,
        first: i64,
        last: i64,
    ) -> Result<i64, DbError> {
        let (mut low, mut high) = (first, last + 1);
        while low < high {
            let middle = low + (high - low) / 2;
            let select = "SELECT at FROM change_log WHERE position >= $1 ORDER BY position LIMIT 1";
            let at: Option<(DateTime<Utc>,)> = self
                .log
                .db
                .row(Stmt::fixed(select, vec![middle.into()]))
                .await?;
            if at.is_none_or(|(at,)| at >= before) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        Ok(low - 1)
    }

    async fn delete(&self, until: i64) -> Result<(), DbError> {
        let started = Instant::now();
        // What is left has no holes, whatever the clocks of several nodes say: its first entry
        // tells what is gone.
        self.log
            .db
            .execute(Stmt::fixed(
                "DELETE FROM change_log WHERE position <= $1",
                vec![until.into()],
            ))
            .await?;
        tokio::time::sleep((started.elapsed() * PAUSE_FACTOR).max(MIN_PAUSE)).await;
        Ok(())
    }
}
