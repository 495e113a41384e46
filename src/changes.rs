//! The change log: changes of records, in one order. Everything that reacts to a write reads it
//! here, after the commit; a notification is only a hint to read.

mod completion;
mod feed;
mod fields;
mod postgres;
mod read_limit;
mod retention;
mod sqlite;

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

pub use feed::{FeedBatch, FeedItem, FeedReceiver, FeedSender, feed};
pub use fields::Fields;
pub use retention::Retention;

use self::completion::Completion;
use crate::db::{Db, DbError, Dialect, Sql, Stmt, Value};
use crate::id::{AccountId, CollectionId};

/// Pause after a failed read.
const RETRY_DELAY: Duration = Duration::from_millis(200);
/// Upper limit of the time for which the follower is waited for.
const CATCH_UP_TIMEOUT: Duration = Duration::from_millis(500);
/// Size of the entries that the follower hands over at once, in bytes, unless a single one has
/// more.
const MAX_BATCH_BYTES: usize = 4 << 20;

/// A place in the change log, opaque to clients: `epoch:position`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The identity of the database; another one after a restore.
    pub epoch: Arc<str>,
    /// The position of the entry after which to go on.
    pub position: i64,
}

impl Cursor {
    /// Reads a cursor.
    pub fn parse(text: &str) -> Option<Self> {
        let (epoch, position) = text.rsplit_once(':')?;
        let position = position.parse().ok().filter(|position| *position >= 0)?;
        Some(Self {
            epoch: epoch.into(),
            position,
        })
    }

    /// Reads a cursor; a text that is not a cursor is taken for one of an unknown database.
    pub fn parse_or_foreign(text: &str) -> Self {
        Self::parse(text).unwrap_or(Self {
            epoch: "".into(),
            position: 0,
        })
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.epoch, self.position)
    }
}

/// The kind of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChangeKind {
    /// A record was created.
    Create,
    /// A record was changed.
    Update,
    /// A record was deleted.
    Delete,
    /// A collection was defined, changed or dropped.
    Catalog,
    /// The rights of a user changed: deactivation, role, groups, a session that ended.
    Access,
}

impl ChangeKind {
    /// The name in the log and in events.
    pub fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Catalog => "catalog",
            Self::Access => "access",
        }
    }

    /// The kind of that name. Entries of other kinds are for the audit trail alone.
    pub fn parse(name: &str) -> Option<Self> {
        [
            Self::Create,
            Self::Update,
            Self::Delete,
            Self::Catalog,
            Self::Access,
        ]
        .into_iter()
        .find(|kind| kind.name() == name)
    }
}

/// One entry.
#[derive(Clone, Debug)]
pub struct Change {
    /// Its place in the order.
    pub position: i64,
    /// The account of the record or user.
    pub account_id: Option<AccountId>,
    /// The collection of the record.
    pub collection_id: Option<CollectionId>,
    /// The record; for [`ChangeKind::Access`] the user.
    pub record_id: String,
    /// The kind of the change.
    pub kind: ChangeKind,
    /// The time of the write.
    pub at: DateTime<Utc>,
    /// The author: a user's id, `anonymous` or `system`.
    pub actor: String,
    /// The record afterwards, as a document with every field.
    pub record: Option<String>,
    /// The record before, as a document with every field. The log itself has only what changed.
    pub previous: Option<String>,
    /// `true` if this process wrote it.
    pub own: bool,
}

impl Change {
    /// Returns `true` if it is a change of a record.
    pub fn is_of_record(&self) -> bool {
        matches!(
            self.kind,
            ChangeKind::Create | ChangeKind::Update | ChangeKind::Delete
        )
    }

    /// The memory that it takes, in bytes, roughly.
    pub fn size(&self) -> usize {
        let texts = [
            self.record.as_deref(),
            self.previous.as_deref(),
            Some(&self.record_id),
            Some(&self.actor),
        ];
        size_of::<Self>() + texts.into_iter().flatten().map(str::len).sum::<usize>()
    }
}

#[derive(Debug, sqlx::FromRow)]
struct LogRow {
    position: i64,
    account_id: Option<String>,
    collection_id: Option<String>,
    record_id: Option<String>,
    operation: String,
    at: DateTime<Utc>,
    actor: String,
    record: Option<String>,
    previous: Option<String>,
    omitted: Option<String>,
    own: bool,
}

/// Receives what the follower reads, in order. It is awaited: a slow consumer slows the follower,
/// not the writers.
pub trait ChangeConsumer: Send + 'static {
    /// Takes the next entries, and the position up to which there are no others. It may be behind
    /// the last of them: entries for the audit trail alone are not handed over.
    fn consume(&mut self, changes: Vec<Arc<Change>>, until: i64)
    -> impl Future<Output = ()> + Send;
}

/// The change log; cheap to clone.
#[derive(Clone, Debug)]
pub struct ChangeLog {
    db: Db,
    epoch: Arc<str>,
    position: watch::Sender<i64>,
    /// The stable position: every transaction up to it has ended.
    stable: watch::Sender<i64>,
    /// The number of this process's commits that were handed over.
    followed: watch::Sender<u64>,
    /// The last positions that were there when the log was opened, in order.
    recent: Arc<[i64]>,
}

/// Upper limits of the entries that are read at once.
#[derive(Clone, Copy, Debug)]
pub struct ReadLimit {
    /// Number of entries.
    pub entries: i64,
    /// Bytes of their records, unless a single entry has more.
    pub bytes: usize,
}

impl ReadLimit {
    /// The number of entries with these sizes that are within the limits; one at least.
    pub fn count_fitting(&self, sizes: impl Iterator<Item = usize>) -> usize {
        let mut bytes = 0_usize;
        let fits = |size: &usize| {
            bytes = bytes.saturating_add(*size);
            bytes <= self.bytes
        };
        sizes
            .take(usize::try_from(self.entries).unwrap_or(usize::MAX))
            .take_while(fits)
            .count()
            .max(1)
    }
}

/// Entries that follow one another in the log.
#[derive(Debug)]
pub struct LogSlice {
    /// The entries.
    pub changes: Vec<Change>,
    /// The position up to which all entries are among them.
    pub until: i64,
}

/// Number of positions before the end of the log that may be missing because their transactions
/// were still open when the log was opened.
const RECENT_POSITIONS: i64 = 1000;

impl ChangeLog {
    /// Opens the log: makes the database's identity if it has none, and finds the end.
    pub async fn open(db: Db) -> Result<Self, DbError> {
        let insert =
            "INSERT INTO meta (key, value) VALUES ('epoch', $1) ON CONFLICT (key) DO NOTHING";
        db.execute(Stmt::fixed(insert, vec![new_identity()]))
            .await?;
        let epoch: Option<(String,)> = db
            .row(Stmt::fixed(
                "SELECT value FROM meta WHERE key = 'epoch'",
                vec![],
            ))
            .await?;
        // Now, and not when the follower gets to run: everything that is written later is handed
        // over.
        let recent = "SELECT position FROM change_log WHERE position > (SELECT max(position) FROM change_log) - $1 \
                      ORDER BY position";
        let committed = *db.committed().borrow();
        let recent: Vec<(i64,)> = db
            .rows(Stmt::fixed(recent, vec![RECENT_POSITIONS.into()]))
            .await?;
        let recent: Arc<[i64]> = recent.into_iter().map(|(position,)| position).collect();
        let end = recent.last().copied().unwrap_or(0);
        let epoch = epoch.map(|(epoch,)| epoch).unwrap_or_default().into();
        let stable = match db.dialect() {
            Dialect::Sqlite => end,
            Dialect::Postgres => postgres::stable_position(&db, &recent).await?,
        };
        let (position, stable) = (watch::Sender::new(end), watch::Sender::new(stable));
        Ok(Self {
            db,
            epoch,
            position,
            stable,
            followed: watch::Sender::new(committed),
            recent,
        })
    }

    /// The cursor of an entry.
    pub fn cursor(&self, position: i64) -> Cursor {
        Cursor {
            epoch: self.epoch.clone(),
            position,
        }
    }

    /// The database's identity.
    pub fn epoch(&self) -> &str {
        &self.epoch
    }

    /// The position up to which the follower has handed everything over.
    pub fn position(&self) -> i64 {
        *self.position.borrow()
    }

    /// The position, and every new one.
    pub fn positions(&self) -> watch::Receiver<i64> {
        self.position.subscribe()
    }

    /// The stable position, and every new one: no entry can be added up to it.
    pub fn stable_positions(&self) -> watch::Receiver<i64> {
        self.stable.subscribe()
    }

    /// Waits until the present commits of this process are handed over, but at most half a second,
    /// should the follower be far behind. Returns the position of the follower.
    pub async fn caught_up(&self) -> Cursor {
        let committed = *self.db.committed().borrow();
        let mut followed = self.followed.subscribe();
        let caught_up = followed.wait_for(|followed| *followed >= committed);
        // The caller goes on in any case.
        let _ = tokio::time::timeout(CATCH_UP_TIMEOUT, caught_up).await;
        self.cursor(self.position())
    }

    /// The entries between two positions, without the first and with the last, of one account and
    /// of none, or of all; as many as `limit` allows, but one at least. `until` must have been
    /// handed over. `None` if entries after `position` are no longer kept.
    pub async fn read_between(
        &self,
        position: i64,
        until: i64,
        account: Option<AccountId>,
        limit: ReadLimit,
    ) -> Result<Option<LogSlice>, DbError> {
        let mut sizes = self.db.sql();
        sizes.push(
            "SELECT position, CAST(coalesce(octet_length(record), 0) + coalesce(octet_length(previous), 0) AS BIGINT)",
        );
        sizes.push(" FROM change_log");
        let sizes: Vec<(i64, i64)> = self
            .db
            .rows(between(sizes, position, until, account, limit.entries))
            .await?;
        let fitting = limit.count_fitting(
            sizes
                .iter()
                .map(|(_, size)| usize::try_from(*size).unwrap_or(usize::MAX)),
        );
        let last = sizes.get(fitting - 1);
        // There may be more entries behind the ones that were looked at.
        let is_cut = fitting < sizes.len()
            || i64::try_from(sizes.len()).is_ok_and(|read| read >= limit.entries);
        let until = last
            .filter(|_| is_cut)
            .map_or(until, |(position, _)| *position);
        let rows: Vec<LogRow> = self
            .db
            .rows(between(
                self.select(),
                position,
                until,
                account,
                limit.entries,
            ))
            .await?;
        // Only now: entries that were deleted before the read are missing in it.
        let oldest = self
            .db
            .count(Stmt::fixed(
                "SELECT coalesce(min(position), 0) FROM change_log",
                vec![],
            ))
            .await?;
        if position + 1 < oldest {
            return Ok(None);
        }
        let (mut completion, mut changes, mut bytes) =
            (Completion::default(), Vec::with_capacity(rows.len()), 0);
        let mut read = position;
        for mut row in rows {
            let last = row.position;
            let change = completion.complete(&self.db, &mut row).await?;
            bytes += change.as_ref().map_or(0, Change::size);
            if bytes > limit.bytes && !changes.is_empty() {
                return Ok(Some(LogSlice {
                    changes,
                    until: read,
                }));
            }
            changes.extend(change);
            read = last;
        }
        Ok(Some(LogSlice { changes, until }))
    }

    /// The position of the last entry, handed over or not.
    pub async fn end(&self) -> Result<i64, DbError> {
        self.db
            .count(Stmt::fixed(
                "SELECT coalesce(max(position), 0) FROM change_log",
                vec![],
            ))
            .await
    }

    /// Follows the log and hands every new entry to the consumer, in order, until cancelled.
    pub async fn follow(self, mut consumer: impl ChangeConsumer, cancel: CancellationToken) {
        let following = async {
            match self.db.clone() {
                Db::Sqlite(_) => sqlite::follow(&self, &mut consumer).await,
                Db::Postgres(db) => postgres::follow(&self, &db, &mut consumer).await,
            }
        };
        tokio::select! {
            () = following => {}
            () = cancel.cancelled() => {}
        }
    }

    /// The task that deletes entries beyond the limits.
    pub fn retention(&self, max_rows: i64, max_bytes: u64) -> Retention {
        Retention::new(self.clone(), max_rows, max_bytes)
    }

    /// The changes of the next entries, as many as fit into [`MAX_BATCH_BYTES`], and the position of
    /// the last; tries again if the database fails. `None` if it is closed, or if there are no more
    /// entries.
    async fn next_changes(
        &self,
        rows: &mut VecDeque<LogRow>,
        completion: &mut Completion,
    ) -> Option<(Vec<Arc<Change>>, i64)> {
        let (mut changes, mut bytes, mut last) = (Vec::with_capacity(rows.len()), 0, None);
        while let Some(row) = rows.front_mut().filter(|_| bytes < MAX_BATCH_BYTES) {
            match completion.complete(&self.db, row).await {
                Ok(change) => {
                    last = Some(row.position);
                    bytes += change.as_ref().map_or(0, Change::size);
                    changes.extend(change.map(Arc::new));
                    rows.pop_front();
                }
                Err(DbError::Closed) => return None,
                Err(error) => {
                    tracing::error!(%error, "the change log cannot be read; trying again");
                    tokio::time::sleep(RETRY_DELAY).await;
                }
            }
        }
        last.map(|last| (changes, last))
    }

    fn select(&self) -> Sql {
        let mut sql = self.db.sql();
        sql.push(
            "SELECT position, account_id, collection_id, record_id, operation, at, actor, record, previous, omitted, ",
        );
        sql.push(match self.db.dialect() {
            Dialect::Sqlite => "TRUE AS own",
            Dialect::Postgres => "node = current_setting('application_name') AS own",
        });
        sql.push(" FROM change_log");
        sql
    }
}

fn between(
    mut sql: Sql,
    position: i64,
    until: i64,
    account: Option<AccountId>,
    limit: i64,
) -> Stmt {
    sql.push(" WHERE position > ")
        .arg(position)
        .push(" AND position <= ")
        .arg(until);
    sql.push(" AND operation <> 'audit'");
    if let Some(account) = account {
        sql.push(" AND (account_id = ")
            .arg(account)
            .push(" OR account_id IS NULL)");
    }
    sql.push(" ORDER BY position LIMIT ").number(limit);
    sql.build()
}

/// The statement that gives a database another identity: after a restore, earlier cursors belong
/// to a future that it did not have.
pub fn renew_identity() -> Stmt {
    let text = "INSERT INTO meta (key, value) VALUES ('epoch', $1) ON CONFLICT (key) DO UPDATE SET value = excluded.value";
    Stmt::fixed(text, vec![new_identity()])
}

fn new_identity() -> Value {
    let id = crate::id::new_id().simple().to_string();
    id[16..].into()
}

/// The statement that tells every node that the catalog changed; run it in the transaction that
/// changes it.
pub fn catalog_entry(at: DateTime<Utc>, actor: &str) -> Stmt {
    let text = "INSERT INTO change_log (operation, at, actor) VALUES ('catalog', $1, $2)";
    Stmt::fixed(text, vec![Value::from(at), actor.into()])
}
