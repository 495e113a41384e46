//! A piece of the change log that is being read again.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use bytes::Bytes;

use super::KEPT;
use crate::auth::{Caller, access_log};
use crate::changes::{Change, ChangeKind, ChangeLog};
use crate::db::Db;
use crate::id::{AccountId, CollectionId};
use crate::realtime::frame::{self, Crossing, Resync};
use crate::realtime::inquiry::{Sources, Unanswered, Verdict, Verdicts, verdicts};
use crate::realtime::lens::{Lens, LensKey, Subject};
use crate::realtime::subscription::Scope;
use crate::schema::{Collection, Operation, Rule};

/// An event as some subscribers see it.
pub(in crate::realtime) struct Told {
    pub(in crate::realtime) position: i64,
    account: Option<AccountId>,
    pub(in crate::realtime) operation: frame::Operation,
    pub(in crate::realtime) crossing: Option<Crossing>,
    pub(in crate::realtime) frame: Bytes,
}

impl Told {
    pub(in crate::realtime) fn is_in(&self, scope: Scope) -> bool {
        match scope {
            Scope::Everything => true,
            Scope::Account(account) => self.account == Some(account),
        }
    }
}

/// The events of a piece for those who look through equal lenses, worked out by the first of them.
type Telling = Arc<OnceLock<Arc<[Told]>>>;

/// The entries of an account, or of all, between two positions.
pub(in crate::realtime) struct Segment {
    until: i64,
    changes: Vec<Arc<Change>>,
    sights: Mutex<HashMap<CollectionId, Arc<Sight>>>,
    /// What it costs to keep, counted in the history's total.
    bytes: AtomicUsize,
    total: Arc<AtomicUsize>,
    /// When it was read last, by the history's count.
    pub(super) used: AtomicU64,
}

/// The entries of one collection, as the collection is now.
struct Sight {
    collection: Arc<Collection>,
    subjects: Box<[Subject]>,
    tellings: Mutex<HashMap<LensKey, Telling>>,
}

impl Sight {
    fn tellings(&self) -> MutexGuard<'_, HashMap<LensKey, Telling>> {
        self.tellings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn size(&self) -> usize {
        let told: usize = self.tellings().values().filter_map(|telling| telling.get()).map(|told| told.len()).sum();
        self.subjects.iter().map(Subject::size).sum::<usize>() + told * size_of::<Told>()
    }
}

impl Segment {
    pub(super) fn new(changes: Vec<Change>, until: i64, total: Arc<AtomicUsize>, used: u64) -> Self {
        let changes = changes.into_iter().map(Arc::new).collect();
        let (sights, bytes) = (Mutex::default(), AtomicUsize::new(0));
        let segment = Self { until, changes, sights, bytes, total, used: used.into() };
        segment.weigh();
        segment
    }

    fn sights(&self) -> MutexGuard<'_, HashMap<CollectionId, Arc<Sight>>> {
        self.sights.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The entries of a collection. What was worked out for the collection as it was before is of no use any more.
    fn sight(&self, collection: &Arc<Collection>, log: &ChangeLog) -> Arc<Sight> {
        let mut sights = self.sights();
        if let Some(sight) = sights.get(&collection.id).filter(|sight| Arc::ptr_eq(&sight.collection, collection)) {
            return sight.clone();
        }
        let of_collection = self.changes.iter().filter(|change| change.collection_id == Some(collection.id));
        let subject =
            |change: &Arc<Change>| Subject::new(change.clone(), collection.clone(), log.cursor(change.position));
        let subjects = of_collection.map(subject).collect();
        let sight = Arc::new(Sight { collection: collection.clone(), subjects, tellings: Mutex::default() });
        sights.insert(collection.id, sight.clone());
        sight
    }

    /// Counts what it costs to keep.
    fn weigh(&self) {
        let changes: usize = self.changes.iter().map(|change| change.size()).sum();
        let bytes = changes + self.sights().values().map(|sight| sight.size()).sum::<usize>();
        self.total.fetch_add(bytes, Ordering::Relaxed);
        self.total.fetch_sub(self.bytes.swap(bytes, Ordering::Relaxed), Ordering::Relaxed);
    }

    /// The position up to which it holds everything.
    pub(in crate::realtime) fn until(&self) -> i64 {
        self.until
    }

    /// Why somebody who knows the collection from before may hold other records than those that are visible now.
    /// `sources` are what its rules read, `expands` says that what is shown depends on other collections' rules, too.
    pub(in crate::realtime) fn upheaval(&self, after: i64, known: &Known<'_>, caller: &Caller) -> Option<Resync> {
        let since = self.changes.partition_point(|change| change.position <= after);
        self.changes[since..].iter().find_map(|change| match (change.kind, known.collection) {
            (ChangeKind::Catalog, None) => Some(Resync::Schema),
            (ChangeKind::Catalog, Some(collection)) if collection.row.updated_at >= change.at => Some(Resync::Schema),
            (ChangeKind::Catalog, Some(collection)) => {
                // When the stored macros changed that its rules use is not known.
                let changed = collection.row.rules_updated_at >= change.at || collection.uses_macros;
                (!caller.is_superadmin() && changed).then_some(Resync::Rules)
            }
            (ChangeKind::Access, collection) => {
                let user = caller.principal().is_some_and(|principal| principal.user_id_text == change.record_id);
                let account = caller.account().is_some_and(|account| account.id_text == change.record_id);
                let concerned = (user && access_log::changes_rights(change.record.as_deref())) || account;
                let reads = collection.is_none_or(|collection| reads_rights(collection, known.operation, caller));
                (concerned && reads).then_some(Resync::Access)
            }
            _ => known.sources.concern(known.operation, change).then_some(Resync::Access),
        })
    }

    /// Whether one of its entries that is not among those `shown` changes what a rule says about other records.
    pub(in crate::realtime) fn shakes(&self, after: i64, until: i64, shown: &[i64], known: &Known<'_>) -> bool {
        let new = |change: &&Arc<Change>| {
            change.position > after && change.position <= until && shown.binary_search(&change.position).is_err()
        };
        self.changes.iter().filter(new).any(|change| known.sources.concern(known.operation, change))
    }

    /// What the database says about its entries for a lens that asks.
    pub(in crate::realtime) async fn verdicts(
        &self,
        db: &Db,
        log: &ChangeLog,
        lens: &Lens,
        collection: &Arc<Collection>,
        is_new: impl Fn(&Change) -> bool,
    ) -> Result<Verdicts, Unanswered> {
        let sight = self.sight(collection, log);
        verdicts(db, lens, sight.subjects.iter().filter(|subject| is_new(&subject.change))).await
    }

    /// What its entries are for whoever looks through a lens that asks, with the answers. The next reader asks again.
    pub(in crate::realtime) fn told_by(
        &self,
        collection: &Arc<Collection>,
        lens: &Lens,
        verdicts: &Verdicts,
        log: &ChangeLog,
    ) -> Vec<Told> {
        let sight = self.sight(collection, log);
        let verdict = |subject: &Subject| verdicts.get(&subject.change.position).copied();
        sight.subjects.iter().filter_map(|subject| told(subject, lens, verdict(subject)?)).collect()
    }

    /// What its entries are for whoever looks through a lens that asks nothing. Worked out once, as long as there is
    /// room to keep it.
    pub(in crate::realtime) fn told(&self, collection: &Arc<Collection>, lens: &Lens, log: &ChangeLog) -> Arc<[Told]> {
        let sight = self.sight(collection, log);
        let key = lens.key();
        let telling = {
            let mut tellings = sight.tellings();
            let is_full = self.total.load(Ordering::Relaxed) >= KEPT;
            if is_full {
                tellings.get(&key).cloned().unwrap_or_default()
            } else {
                tellings.entry(key).or_default().clone()
            }
        };
        let mut is_first = false;
        // Whoever comes meanwhile wants the same and waits for it.
        let told = telling.get_or_init(|| {
            is_first = true;
            sight.subjects.iter().filter_map(|subject| told(subject, lens, Verdict::default())).collect()
        });
        if is_first {
            self.weigh();
        }
        told.clone()
    }
}

/// What a subscription knows of its collection.
pub(in crate::realtime) struct Known<'a> {
    pub(in crate::realtime) collection: Option<&'a Arc<Collection>>,
    pub(in crate::realtime) operation: Operation,
    /// What the rules read besides.
    pub(in crate::realtime) sources: &'a Sources,
}

/// What an entry is for whoever looks through a lens.
fn told(subject: &Subject, lens: &Lens, verdict: Verdict) -> Option<Told> {
    let (operation, crossing) = lens.judge(subject, verdict)?;
    let frame = lens.frame(subject, operation, crossing);
    let change = &subject.change;
    Some(Told { position: change.position, account: change.account_id, operation, crossing, frame })
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
