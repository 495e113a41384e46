//! Pieces of the change log that are being read again: after a break many clients read the same ones, and most of them
//! see the same in them.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use tokio::sync::Mutex as AsyncMutex;

use super::expanding::{Errand, Expanded};
use super::frame::{self, Crossing, Resync};
use super::inquiry::{Sources, Unanswered, Verdict, Verdicts, verdicts};
use super::lens::{Lens, LensKey, Subject};
use super::subscription::{Operations, Scope};
use crate::auth::{Caller, access_log};
use crate::changes::{Change, ChangeKind, ChangeLog};
use crate::db::{Db, DbError};
use crate::schema::{Collection, Operation, Rule};

/// How many entries are read at once.
const CHUNK: i64 = 256;
/// How many bytes of entries and frames are kept for the next reader.
const KEPT: usize = 64 << 20;

/// An event as some subscribers see it.
pub(super) struct Told {
    pub(super) position: i64,
    account: Option<crate::id::AccountId>,
    pub(super) operation: frame::Operation,
    pub(super) crossing: Option<Crossing>,
    pub(super) frame: Bytes,
}

impl Told {
    pub(super) fn is_in(&self, scope: Scope) -> bool {
        match scope {
            Scope::Everything => true,
            Scope::Account(account) => self.account == Some(account),
        }
    }
}

/// The entries of an account, or of all, between two positions.
pub(super) struct Segment {
    until: i64,
    changes: Vec<Change>,
    told: Mutex<HashMap<LensKey, Arc<[Told]>>>,
    /// What it costs to keep, counted in the history's total.
    bytes: AtomicUsize,
    total: Arc<AtomicUsize>,
    /// Whether somebody has read it since the last tidying.
    used: std::sync::atomic::AtomicBool,
}

impl Segment {
    /// The position up to which it holds everything.
    pub(super) fn until(&self) -> i64 {
        self.until
    }

    /// Why somebody who knows the collection from before may hold other records than those that are visible now.
    pub(super) fn upheaval(&self, after: i64, known: &Known<'_>, caller: &Caller) -> Option<Resync> {
        let since = self.changes.partition_point(|change| change.position <= after);
        self.changes[since..].iter().find_map(|change| match (change.kind, known.collection) {
            (ChangeKind::Catalog, None) => Some(Resync::Schema),
            (ChangeKind::Catalog, Some(collection)) => {
                let mut concerned = std::iter::once(collection).chain(known.targets.iter().copied());
                concerned.find_map(|collection| redefined(collection, change, caller))
            }
            (ChangeKind::Access, collection) => {
                let user = caller.principal().is_some_and(|principal| principal.user_id_text == change.record_id);
                let account = caller.account().is_some_and(|account| account.id_text == change.record_id);
                let concerned = (user && access_log::changes_rights(change.record.as_deref())) || account;
                let reads = collection.is_none_or(|collection| reads_rights(collection, known.operation, caller));
                let leads = || known.targets.iter().any(|target| reads_rights(target, Operation::View, caller));
                (concerned && (reads || leads())).then_some(Resync::Access)
            }
            _ => known.sources.concern(known.operation, change).then_some(Resync::Access),
        })
    }

    /// Whether one of its entries that is not among those `shown` changes what a rule says about other records.
    pub(super) fn shakes(&self, after: i64, until: i64, shown: &[i64], known: &Known<'_>) -> bool {
        let new = |change: &&Change| {
            change.position > after && change.position <= until && shown.binary_search(&change.position).is_err()
        };
        self.changes.iter().filter(new).any(|change| known.sources.concern(known.operation, change))
    }

    /// What the database says about its entries for a lens that asks.
    pub(super) async fn verdicts(
        &self,
        db: &Db,
        log: &ChangeLog,
        lens: &Lens,
        collection: &Arc<Collection>,
        is_new: impl Fn(&Change) -> bool,
    ) -> Result<Verdicts, Unanswered> {
        verdicts(db, log, lens, collection, self.changes.iter().filter(|change| is_new(change))).await
    }

    /// Notes what a reader needs to be shown its new entries. Where that becomes too much to be read at once, returns the
    /// position up to which it is enough.
    pub(super) fn send_for(
        &self,
        errand: &mut Errand,
        reader: &Reader<'_>,
        operations: Operations,
        is_new: impl Fn(&Change) -> bool,
    ) -> Option<i64> {
        if !reader.lens.expands() {
            return None;
        }
        for change in self.changes.iter().filter(|change| is_new(change)) {
            let Some((subject, operation, crossing)) = reader.judge(change) else { continue };
            if operations.want(operation, crossing) {
                reader.lens.send_for(&subject, operation, errand);
            }
            if errand.is_large() {
                return Some(change.position);
            }
        }
        None
    }

    /// What its new entries are for a reader who needs the database for that. The next one asks again.
    pub(super) fn told_by(
        &self,
        reader: &Reader<'_>,
        expanded: &Expanded,
        is_new: impl Fn(&Change) -> bool,
    ) -> Vec<Told> {
        let told = |change| {
            let (subject, operation, crossing) = reader.judge(change)?;
            Some(told(change, &subject, reader.lens, operation, crossing, expanded))
        };
        self.changes.iter().filter(|change| is_new(change)).filter_map(told).collect()
    }

    /// What its entries are for whoever looks through a lens that asks nothing. Worked out once.
    pub(super) fn told(&self, collection: &Arc<Collection>, lens: &Lens, log: &ChangeLog) -> Arc<[Told]> {
        // Whoever comes meanwhile wants the same and waits for it.
        let mut known = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let key = lens.key();
        if let Some(told) = known.get(&key) {
            return told.clone();
        }
        let of_collection = self.changes.iter().filter(|change| change.collection_id == Some(collection.id));
        let told = |change: &Change| {
            let subject = Subject::new(change, collection, log.cursor(change.position));
            let (operation, crossing) = lens.judge(&subject, Verdict::default())?;
            Some(told(change, &subject, lens, operation, crossing, &Expanded::default()))
        };
        let told: Arc<[Told]> = of_collection.filter_map(told).collect();
        let bytes = told.iter().map(|told| told.frame.len() + size_of::<Told>()).sum();
        if self.total.load(Ordering::Relaxed) < KEPT {
            self.charge(bytes);
            known.insert(key, told.clone());
        }
        told
    }

    fn charge(&self, bytes: usize) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.total.fetch_add(bytes, Ordering::Relaxed);
    }
}

/// What a subscription knows of its collection.
pub(super) struct Known<'a> {
    pub(super) collection: Option<&'a Arc<Collection>>,
    pub(super) operation: Operation,
    /// What the rules read besides.
    pub(super) sources: &'a Sources,
    /// The collections to which expanded references lead.
    pub(super) targets: &'a [&'a Arc<Collection>],
}

/// Somebody who needs the database to understand entries, and what it said.
pub(super) struct Reader<'a> {
    pub(super) collection: &'a Arc<Collection>,
    pub(super) lens: &'a Lens,
    pub(super) verdicts: &'a Verdicts,
    pub(super) log: &'a ChangeLog,
}

impl<'a> Reader<'a> {
    /// What an entry is for the reader.
    fn judge(&self, change: &'a Change) -> Option<(Subject<'a>, frame::Operation, Option<Crossing>)> {
        if change.collection_id != Some(self.collection.id) {
            return None;
        }
        let verdict = self.verdicts.get(&change.position).copied();
        let subject = Subject::new(change, self.collection, self.log.cursor(change.position));
        let (operation, crossing) = self.lens.judge(&subject, verdict.unwrap_or_default())?;
        Some((subject, operation, crossing))
    }
}

/// What an entry is for whoever looks through a lens.
fn told(
    change: &Change,
    subject: &Subject<'_>,
    lens: &Lens,
    operation: frame::Operation,
    crossing: Option<Crossing>,
    expanded: &Expanded,
) -> Told {
    let frame = lens.frame(subject, operation, crossing, expanded);
    Told { position: change.position, account: change.account_id, operation, crossing, frame }
}

/// Whether what the collections were when the catalog changed is not what they are now.
fn redefined(collection: &Collection, change: &Change, caller: &Caller) -> Option<Resync> {
    if collection.row.updated_at >= change.at {
        return Some(Resync::Schema);
    }
    // When the stored macros changed that its rules use is not known.
    let changed = collection.row.rules_updated_at >= change.at || collection.uses_macros;
    (!caller.is_superadmin() && changed).then_some(Resync::Rules)
}

/// Whether what somebody sees of a collection depends on the role, the groups or the address.
fn reads_rights(collection: &Collection, operation: Operation, caller: &Caller) -> bool {
    let reads = match collection.access.rule(operation) {
        Rule::When(rule) => {
            let reads = rule.reads();
            reads.role || reads.email || !reads.groups.is_empty()
        }
        Rule::Public | Rule::Locked => false,
    };
    !caller.is_superadmin() && (reads || collection.has_pii)
}

impl Drop for Segment {
    fn drop(&mut self) {
        self.total.fetch_sub(self.bytes.load(Ordering::Relaxed), Ordering::Relaxed);
    }
}

/// The pieces of one account, by the position after which they begin.
type Shelf = Arc<AsyncMutex<BTreeMap<i64, Arc<Segment>>>>;

/// Reads the log for many.
pub(super) struct History {
    log: ChangeLog,
    shelves: Mutex<HashMap<Scope, Shelf>>,
    total: Arc<AtomicUsize>,
}

impl History {
    pub(super) fn new(log: ChangeLog) -> Self {
        Self { log, shelves: Mutex::default(), total: Arc::default() }
    }

    /// Entries after a position, up to another one that has been handed out; `None` if some of them are no longer kept.
    pub(super) async fn read(&self, scope: Scope, position: i64, until: i64) -> Result<Option<Arc<Segment>>, DbError> {
        let segments = self.segments(scope);
        // One reads for all that want the same.
        let mut segments = segments.lock().await;
        if let Some((_, segment)) = segments.range(..=position).next_back()
            && segment.until > position
        {
            segment.used.store(true, Ordering::Relaxed);
            return Ok(Some(segment.clone()));
        }
        let next = segments.range(position + 1..).next().map(|(from, _)| *from);
        let until = next.map_or(until, |next| next.min(until));
        let account = match scope {
            Scope::Account(account) => Some(account),
            Scope::Everything => None,
        };
        let Some(changes) = self.log.read_between(position, until, account, CHUNK).await? else { return Ok(None) };
        let full = i64::try_from(changes.len()).is_ok_and(|read| read >= CHUNK);
        let until = changes.last().filter(|_| full).map_or(until, |last| last.position);
        let segment = Arc::new(Segment {
            until,
            told: Mutex::default(),
            bytes: AtomicUsize::new(0),
            total: self.total.clone(),
            used: true.into(),
            changes,
        });
        segment.charge(segment.changes.iter().map(Change::size).sum());
        if self.total.load(Ordering::Relaxed) < KEPT {
            segments.insert(position, segment.clone());
        }
        Ok(Some(segment))
    }

    fn segments(&self, scope: Scope) -> Shelf {
        self.shelves.lock().unwrap_or_else(PoisonError::into_inner).entry(scope).or_default().clone()
    }

    /// Forgets what nobody has read since the last time.
    pub(super) fn tidy(&self) {
        let mut shelves = self.shelves.lock().unwrap_or_else(PoisonError::into_inner);
        shelves.retain(|_, shelf| {
            let Ok(mut segments) = shelf.try_lock() else { return true };
            segments.retain(|_, segment| segment.used.swap(false, Ordering::Relaxed));
            !segments.is_empty() || Arc::strong_count(shelf) > 1
        });
    }
}
