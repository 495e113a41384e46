//! A piece of the change log that is being read again.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use bytes::Bytes;

use super::KEPT;
use crate::access::Gate;
use crate::auth::{Caller, access_log};
use crate::changes::{Change, ChangeKind, ChangeLog};
use crate::db::Db;
use crate::id::{AccountId, CollectionId};
use crate::realtime::expanding::{Errand, Expanded};
use crate::realtime::frame::{self, Crossing, Resync};
use crate::realtime::inquiry::{Sources, Unanswered, Verdict, Verdicts, verdicts};
use crate::realtime::lens::{Lens, LensKey, Subject};
use crate::realtime::shard::Allowance;
use crate::realtime::subscription::{Operations, Scope};
use crate::realtime::workers::apart;
use crate::schema::{Collection, Operation};

/// Bytes up to which evaluating expressions is quick.
const LARGE_BYTES: usize = 64 * 1024;

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
    /// Held while expressions are evaluated over many bytes: one thread at a time does that for an
    /// account.
    evaluating: Arc<Mutex<()>>,
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
        let told: usize = self
            .tellings()
            .values()
            .filter_map(|telling| telling.get())
            .map(|told| told.len())
            .sum();
        self.subjects.iter().map(Subject::size).sum::<usize>() + told * size_of::<Told>()
    }
}

impl Segment {
    pub(super) fn new(
        changes: Vec<Change>,
        until: i64,
        total: Arc<AtomicUsize>,
        used: u64,
        evaluating: Arc<Mutex<()>>,
    ) -> Self {
        let changes = changes.into_iter().map(Arc::new).collect();
        let (sights, bytes) = (Mutex::default(), AtomicUsize::new(0));
        let segment = Self {
            until,
            changes,
            sights,
            bytes,
            total,
            used: used.into(),
            evaluating,
        };
        segment.weigh();
        segment
    }

    fn sights(&self) -> MutexGuard<'_, HashMap<CollectionId, Arc<Sight>>> {
        self.sights.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The entries of a collection. What was worked out for the collection as it was before is of
    /// no use any more.
    fn sight(&self, collection: &Arc<Collection>, log: &ChangeLog) -> Arc<Sight> {
        let mut sights = self.sights();
        if let Some(sight) = sights
            .get(&collection.id)
            .filter(|sight| Arc::ptr_eq(&sight.collection, collection))
        {
            return sight.clone();
        }
        let of_collection = self
            .changes
            .iter()
            .filter(|change| change.collection_id == Some(collection.id));
        let subject = |change: &Arc<Change>| {
            Subject::new(
                change.clone(),
                collection.clone(),
                log.cursor(change.position),
            )
        };
        let subjects = of_collection.map(subject).collect();
        let sight = Arc::new(Sight {
            collection: collection.clone(),
            subjects,
            tellings: Mutex::default(),
        });
        sights.insert(collection.id, sight.clone());
        sight
    }

    /// Counts what it costs to keep.
    fn weigh(&self) {
        let changes: usize = self.changes.iter().map(|change| change.size()).sum();
        let bytes = changes
            + self
                .sights()
                .values()
                .map(|sight| sight.size())
                .sum::<usize>();
        self.total.fetch_add(bytes, Ordering::Relaxed);
        self.total
            .fetch_sub(self.bytes.swap(bytes, Ordering::Relaxed), Ordering::Relaxed);
    }

    /// Runs what looks at its entries through a lens. Where that can take long, other tasks go on
    /// elsewhere.
    fn look<T>(&self, lens: &Lens, work: impl FnOnce() -> T) -> T {
        if !lens.evaluates() || self.bytes.load(Ordering::Relaxed) <= LARGE_BYTES {
            return work();
        }
        apart(|| {
            let _turn = self
                .evaluating
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            work()
        })
    }

    /// The position up to which it holds everything.
    pub(in crate::realtime) fn until(&self) -> i64 {
        self.until
    }

    /// Why somebody who knows the collection from before may hold other records than those that are
    /// visible now.
    pub(in crate::realtime) fn upheaval(
        &self,
        after: i64,
        known: &Known<'_>,
        caller: &Caller,
    ) -> Option<Resync> {
        let since = self
            .changes
            .partition_point(|change| change.position <= after);
        self.changes[since..]
            .iter()
            .find_map(|change| match (change.kind, known.collection) {
                (ChangeKind::Catalog, None) => Some(Resync::Schema),
                (ChangeKind::Catalog, Some(collection)) => {
                    let mut concerned =
                        std::iter::once(collection).chain(known.targets.iter().copied());
                    concerned.find_map(|collection| redefined(collection, change, caller))
                }
                (ChangeKind::Access, collection) => {
                    let user = caller
                        .principal()
                        .is_some_and(|principal| principal.user_id_text == change.record_id);
                    let account = caller
                        .account()
                        .is_some_and(|account| account.id_text == change.record_id);
                    let concerned =
                        (user && access_log::changes_rights(change.record.as_deref())) || account;
                    let reads = collection
                        .is_none_or(|collection| reads_rights(collection, known.operation, caller));
                    let leads = || {
                        known
                            .targets
                            .iter()
                            .any(|target| reads_rights(target, Operation::View, caller))
                    };
                    (concerned && (reads || leads())).then_some(Resync::Access)
                }
                _ => known
                    .sources
                    .concern(known.operation, change)
                    .then_some(Resync::Access),
            })
    }

    /// Whether one of its entries that is not among those `shown` changes what a rule says about
    /// other records.
    pub(in crate::realtime) fn shakes(
        &self,
        after: i64,
        until: i64,
        shown: &[i64],
        known: &Known<'_>,
    ) -> bool {
        let new = |change: &&Arc<Change>| {
            change.position > after
                && change.position <= until
                && shown.binary_search(&change.position).is_err()
        };
        self.changes
            .iter()
            .filter(new)
            .any(|change| known.sources.concern(known.operation, change))
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
        let new = sight
            .subjects
            .iter()
            .filter(|subject| is_new(&subject.change));
        verdicts(db, lens, new, &mut Allowance::unlimited()).await
    }

    /// Notes what a reader needs to be shown its new entries. Where that becomes too much to be
    /// read at once, returns the position up to which it is enough.
    pub(in crate::realtime) fn send_for(
        &self,
        errand: &mut Errand,
        reader: &Reader<'_>,
        operations: Operations,
        is_new: impl Fn(&Change) -> bool,
    ) -> Option<i64> {
        if !reader.lens.expands() {
            return None;
        }
        let sight = self.sight(reader.collection, reader.log);
        for subject in sight
            .subjects
            .iter()
            .filter(|subject| is_new(&subject.change))
        {
            let Some((operation, crossing)) = reader.judge(subject) else {
                continue;
            };
            if operations.want(operation, crossing) {
                reader.lens.send_for(subject, operation, errand);
            }
            if errand.is_large() {
                return Some(subject.change.position);
            }
        }
        None
    }

    /// What its new entries are for a reader who needs the database for that. The next one asks
    /// again.
    pub(in crate::realtime) fn told_by(
        &self,
        reader: &Reader<'_>,
        expanded: &Expanded,
        is_new: impl Fn(&Change) -> bool,
    ) -> Vec<Told> {
        let sight = self.sight(reader.collection, reader.log);
        let new = sight
            .subjects
            .iter()
            .filter(|subject| is_new(&subject.change));
        let told =
            new.filter_map(|subject| told(subject, reader.lens, reader.verdict(subject), expanded));
        self.look(reader.lens, || told.collect())
    }

    /// What its entries are for whoever looks through a lens that asks nothing. Worked out once, as
    /// long as there is room to keep it.
    pub(in crate::realtime) fn told(
        &self,
        collection: &Arc<Collection>,
        lens: &Lens,
        log: &ChangeLog,
    ) -> Arc<[Told]> {
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
            let told = |subject| told(subject, lens, Verdict::default(), &Expanded::default());
            self.look(lens, || sight.subjects.iter().filter_map(told).collect())
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
    /// The collections to which expanded references lead.
    pub(in crate::realtime) targets: &'a [&'a Arc<Collection>],
}

/// Somebody who needs the database to understand entries, and what it said.
pub(in crate::realtime) struct Reader<'a> {
    pub(in crate::realtime) collection: &'a Arc<Collection>,
    pub(in crate::realtime) lens: &'a Lens,
    pub(in crate::realtime) verdicts: &'a Verdicts,
    pub(in crate::realtime) log: &'a ChangeLog,
}

impl Reader<'_> {
    fn verdict(&self, subject: &Subject) -> Verdict {
        self.verdicts
            .get(&subject.change.position)
            .copied()
            .unwrap_or_default()
    }

    fn judge(&self, subject: &Subject) -> Option<(frame::Operation, Option<Crossing>)> {
        self.lens.judge(subject, self.verdict(subject))
    }
}

/// What an entry is for whoever looks through a lens.
fn told(subject: &Subject, lens: &Lens, verdict: Verdict, expanded: &Expanded) -> Option<Told> {
    let (operation, crossing) = lens.judge(subject, verdict)?;
    let frame = lens.frame(subject, operation, crossing, expanded);
    let change = &subject.change;
    Some(Told {
        position: change.position,
        account: change.account_id,
        operation,
        crossing,
        frame,
    })
}

/// Why somebody who knows a collection from before a change of the catalog must fetch everything
/// again.
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
    let reads = Gate::of(collection.access.rule(operation), caller)
        .predicate()
        .is_some_and(|rule| {
            let reads = rule.reads();
            reads.role || reads.email || !reads.groups.is_empty()
        });
    reads || (collection.has_pii && !caller.is_superadmin())
}

impl Drop for Segment {
    fn drop(&mut self) {
        self.total
            .fetch_sub(self.bytes.load(Ordering::Relaxed), Ordering::Relaxed);
    }
}
