//! Taking back the room of files that nobody needs: uploads that came to nothing or that no record
//! named, and files that no record names any longer.
//!
//! ```text
//! pending ──(never finished)──┐
//! stored, unclaimed ──(kept for a while)──┴─► row deleted ─► file_garbage ─► bytes deleted ─► forgotten
//! ```
//!
//! Every arrow can be interrupted; the next sweep goes on from there. On several nodes the sweeps
//! may overlap.

use std::time::{Duration, SystemTime};

use chrono::{DateTime, TimeDelta, Utc};

use super::Files;
use super::registry::{StoredFile, key_of, select_files, store_of};
use super::thumbnail::FOLDER;
use crate::db::Stmt;
use crate::error::Result;

/// How often the room is looked for.
const SWEEP_INTERVAL: Duration = Duration::from_mins(1);
/// How long an upload may be under way, in seconds, where those that are not claimed are kept for
/// ever.
const MAX_UPLOAD_SECONDS: u64 = 86_400;

impl Files {
    /// Sweeps once a minute, for ever.
    pub async fn keep_swept(self) {
        loop {
            tokio::time::sleep(SWEEP_INTERVAL).await;
            if let Err(error) = self.sweep().await {
                tracing::warn!(%error, "files that nobody needs could not all be removed");
            }
        }
    }

    /// Removes what nobody needs any longer. Returns how many files that were.
    ///
    /// # Errors
    ///
    /// If the database or a store fails; what was removed by then stays removed.
    pub async fn sweep(&self) -> Result<usize> {
        let mut removed = 0;
        loop {
            let expired = self.expired().await?;
            let mut forgotten = 0;
            for file in &expired {
                forgotten += usize::from(self.forget(file, None).await?);
            }
            removed += forgotten;
            // Those that were not forgotten are named by a record again.
            if forgotten == 0 {
                break;
            }
        }
        removed += self.abandon_expired().await?;
        self.cancel_expired_uploads(self.seconds_ago(self.pending_seconds()))
            .await?;
        while self.collect_garbage().await? {}
        let before = SystemTime::from(self.seconds_ago(self.pending_seconds()));
        self.stores.sweep_unfinished(before).await;
        Ok(removed)
    }

    /// Files that no record has named for too long, 200 at most.
    async fn expired(&self) -> Result<Vec<StoredFile>> {
        let released = self.seconds_ago(self.config.grace_seconds);
        let unclaimed = if self.config.unclaimed_seconds == 0 {
            // Nothing is older than that.
            DateTime::UNIX_EPOCH
        } else {
            self.seconds_ago(self.config.unclaimed_seconds)
        };
        let expired = select_files!(
            "WHERE state = 'stored' AND unclaimed_since IS NOT NULL \
             AND ((was_claimed AND unclaimed_since <= $1) OR (NOT was_claimed AND unclaimed_since <= $2)) \
             AND NOT EXISTS (SELECT 1 FROM file_uses u WHERE u.path = files.path) ORDER BY unclaimed_since LIMIT 200"
        );
        let expired = Stmt::fixed(expired, vec![released.into(), unclaimed.into()]);
        Ok(self.db.rows(expired).await?)
    }

    /// Forgets uploads that have been under way for too long, and says how many.
    async fn abandon_expired(&self) -> Result<usize> {
        let before = self.seconds_ago(self.pending_seconds());
        let expired = "SELECT path FROM files WHERE state = 'pending' AND created_at <= $1";
        let expired: Vec<(String,)> = self
            .db
            .rows(Stmt::fixed(expired, vec![before.into()]))
            .await?;
        for (path,) in &expired {
            self.abandon(path).await?;
        }
        Ok(expired.len())
    }

    /// Deletes bytes whose rows are gone. Returns whether there may be more.
    async fn collect_garbage(&self) -> Result<bool> {
        let garbage = "SELECT path, store FROM file_garbage ORDER BY path LIMIT 500";
        let garbage: Vec<(String, String)> = self.db.rows(Stmt::fixed(garbage, Vec::new())).await?;
        for (path, store) in &garbage {
            self.delete_bytes(path, store).await?;
        }
        Ok(!garbage.is_empty())
    }

    /// The same for one path.
    pub(super) async fn collect_garbage_of(&self, path: &str) -> Result<()> {
        let garbage = "SELECT store FROM file_garbage WHERE path = $1";
        let garbage: Vec<(String,)> = self
            .db
            .rows(Stmt::fixed(garbage, vec![path.into()]))
            .await?;
        for (store,) in &garbage {
            self.delete_bytes(path, store).await?;
        }
        Ok(())
    }

    async fn delete_bytes(&self, path: &str, store: &str) -> Result<()> {
        let (store, key) = (store_of(store)?, key_of(path));
        self.stores.delete(store, key).await?;
        for thumbnail in self.stores.list(store, &format!("{FOLDER}/{key}")).await? {
            self.stores.delete(store, &thumbnail.key).await?;
        }
        let forget = "DELETE FROM file_garbage WHERE path = $1 AND store = $2";
        self.db
            .execute(Stmt::fixed(
                forget,
                vec![path.into(), store.as_str().into()],
            ))
            .await?;
        Ok(())
    }

    fn pending_seconds(&self) -> u64 {
        match self.config.unclaimed_seconds {
            0 => MAX_UPLOAD_SECONDS,
            seconds => seconds,
        }
    }

    fn seconds_ago(&self, seconds: u64) -> DateTime<Utc> {
        let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
        let ago = TimeDelta::try_seconds(seconds)
            .and_then(|ago| self.clock.now().checked_sub_signed(ago));
        ago.unwrap_or(DateTime::UNIX_EPOCH)
    }
}
