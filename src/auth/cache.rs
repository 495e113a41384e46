//! What was read from the database about credentials, kept for seconds and forgotten at once when
//! it is invalidated.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use moka::sync::Cache;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::{AccountRef, Principal};
use crate::id::{AccountId, UserId};

const TOKENS: u64 = 50_000;
const ACCOUNTS: u64 = 10_000;
/// How long an account's name and code may be out of date on a node that has not heard of a change.
const ACCOUNT_SECONDS: Duration = Duration::from_secs(10);

/// Counters, one for each of a few thousand groups of ids. Invalidating an id raises its group's
/// counter; what was read under another count is not used any more. So a value that was read before
/// an invalidation and stored after it cannot live on, and neighbours in a group are merely read
/// again.
struct Generations(Box<[AtomicU64]>);

impl Generations {
    const SLOTS: usize = 4096;

    fn new() -> Self {
        Self((0..Self::SLOTS).map(|_| AtomicU64::new(0)).collect())
    }

    fn slot(&self, id: Uuid) -> &AtomicU64 {
        let mut hasher = DefaultHasher::new();
        id.hash(&mut hasher);
        let hash = usize::try_from(hasher.finish() % Self::SLOTS as u64).unwrap_or_default();
        &self.0[hash % self.0.len()]
    }
}

/// The state of the invalidation counters before something was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stamp {
    everything: u64,
    user: u64,
    credential: u64,
    account: u64,
}

/// A token's key in the cache: tokens themselves are not kept.
pub(super) type TokenKey = [u8; 32];

/// The key of a token.
pub(super) fn token_key(token: &str) -> TokenKey {
    Sha256::digest(token.as_bytes()).into()
}

/// Principals by token, accounts by identifier.
pub(super) struct Caches {
    tokens: Cache<TokenKey, Arc<Principal>>,
    accounts: Cache<String, (u64, Arc<AccountRef>)>,
    generations: Generations,
    everything: AtomicU64,
    account_names: AtomicU64,
}

impl Caches {
    pub(super) fn new(lifetime: Duration) -> Self {
        Self {
            tokens: Cache::builder()
                .max_capacity(TOKENS)
                .time_to_live(lifetime)
                .build(),
            accounts: Cache::builder()
                .max_capacity(ACCOUNTS)
                .time_to_live(ACCOUNT_SECONDS)
                .build(),
            generations: Generations::new(),
            everything: AtomicU64::new(0),
            account_names: AtomicU64::new(0),
        }
    }

    /// The counters now, for a user with a session or a key. Take the stamp before the database is
    /// read.
    pub(super) fn stamp(
        &self,
        user: UserId,
        credential: Option<Uuid>,
        account: AccountId,
    ) -> Stamp {
        let count = |id| self.generations.slot(id).load(Ordering::Acquire);
        Stamp {
            everything: self.everything.load(Ordering::Acquire),
            user: count(user.0),
            credential: credential.map_or(0, count),
            account: count(account.0),
        }
    }

    pub(super) fn is_current(&self, principal: &Principal) -> bool {
        let credential = principal
            .session_id
            .or(principal.key.as_ref().map(|key| key.id));
        self.stamp(principal.user_id, credential, principal.account.id) == principal.stamp
    }

    pub(super) fn principal(&self, key: &TokenKey) -> Option<Arc<Principal>> {
        self.tokens
            .get(key)
            .filter(|principal| self.is_current(principal))
    }

    pub(super) fn keep(&self, key: TokenKey, principal: Arc<Principal>) {
        self.tokens.insert(key, principal);
    }

    pub(super) fn account(&self, identifier: &str) -> Option<Arc<AccountRef>> {
        let (generation, account) = self.accounts.get(identifier)?;
        (generation == self.account_generation()).then_some(account)
    }

    /// The counter of accounts' names; take it before the database is read.
    pub(super) fn account_generation(&self) -> u64 {
        self.account_names.load(Ordering::Acquire)
    }

    pub(super) fn keep_account(
        &self,
        identifier: String,
        generation: u64,
        account: Arc<AccountRef>,
    ) {
        self.accounts.insert(identifier, (generation, account));
    }

    pub(super) fn invalidate_user(&self, user: UserId) {
        self.generations.slot(user.0).fetch_add(1, Ordering::AcqRel);
    }

    pub(super) fn invalidate_credential(&self, credential: Uuid) {
        self.generations
            .slot(credential)
            .fetch_add(1, Ordering::AcqRel);
    }

    pub(super) fn invalidate_account(&self, account: AccountId) {
        self.generations
            .slot(account.0)
            .fetch_add(1, Ordering::AcqRel);
        self.account_names.fetch_add(1, Ordering::AcqRel);
    }

    pub(super) fn invalidate_all(&self) {
        self.everything.fetch_add(1, Ordering::AcqRel);
        self.account_names.fetch_add(1, Ordering::AcqRel);
    }
}
