//! Where changes of records come from. Triggers write the change log, and they see rows, not
//! requests.
//!
//! On PostgreSQL a write tells its triggers in the statement itself. On SQLite a second statement
//! would have to, which single writes would pay for; there one process writes and seals, so what it
//! knows waits in memory from the commit until the change gets into the trail, a moment later. A
//! refused write leaves nothing. Deletes, and what the database does because of them, tell who acts
//! anyway, and with it where it comes from.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use moka::policy::EvictionPolicy;
use moka::sync::Cache;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::auth::{Caller, TokenType};
use crate::db::Db;
use crate::id::RecordId;
use crate::request_facts::RequestFacts;

/// Upper limit of the changes that wait for their entries; beyond it, the oldest get entries
/// without an origin.
const MAX_WAITING: u64 = 100_000;
/// How long an origin waits: the client of a write may hang up before it is known whether there
/// will be an entry.
const WAITING_TIMEOUT: Duration = Duration::from_mins(2);

/// The key of a change: the record, and when it was changed, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ChangeKey(Uuid, i64);

impl ChangeKey {
    /// The key of the change that a record undergoes at that time.
    pub fn new(record: RecordId, at: DateTime<Utc>) -> Self {
        Self(record.0, at.timestamp_millis())
    }
}

/// Where a change came from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Origin {
    pub auth_method: Option<String>,
    pub ip_address: Option<String>,
    pub user_agent: Option<String>,
    pub request_id: Option<String>,
}

/// The request that a change comes from, and the kind of its credential.
type NotedRequest = (Option<TokenType>, Arc<RequestFacts>);

/// Tells the trail where changes of records come from; cheap to clone. The default tells nothing.
#[derive(Clone, Debug, Default)]
pub struct Origins {
    enabled: bool,
    waiting: Option<Cache<ChangeKey, NotedRequest>>,
}

impl Origins {
    pub(super) fn new(db: &Db, enabled: bool) -> Self {
        let is_kept_here = enabled && db.is_embedded();
        let cache = Cache::builder()
            .max_capacity(MAX_WAITING)
            .eviction_policy(EvictionPolicy::lru());
        Self {
            enabled,
            waiting: is_kept_here.then(|| cache.time_to_live(WAITING_TIMEOUT).build()),
        }
    }

    /// Notes that the current request is about to create or change records. Once the commit is
    /// refused, the note must be [forgotten](Self::forget).
    pub fn note(&self, caller: &Caller, changes: impl IntoIterator<Item = ChangeKey>) {
        if let Some(waiting) = &self.waiting
            && let Some(request) = RequestFacts::current()
        {
            for change in changes {
                waiting.insert(change, (token_type(caller), request.clone()));
            }
        }
    }

    /// The same as the change log holds it, for statements that tell it themselves; none outside of
    /// requests.
    pub fn text(&self, caller: &Caller) -> Option<String> {
        let request = RequestFacts::current().filter(|_| self.enabled)?;
        serde_json::to_string(&Origin::new(token_type(caller), &request)).ok()
    }

    /// What was noted about a change.
    pub(super) fn noted(&self, change: &ChangeKey) -> Option<Origin> {
        let (token, request) = self.waiting.as_ref()?.get(change)?;
        Some(Origin::new(token, &request))
    }

    /// Forgets changes that are in the trail, or that were refused.
    pub fn forget(&self, changes: impl IntoIterator<Item = ChangeKey>) {
        if let Some(waiting) = &self.waiting {
            changes
                .into_iter()
                .for_each(|change| waiting.invalidate(&change));
        }
    }

    /// The number of changes that wait for their entries.
    pub fn waiting(&self) -> u64 {
        self.waiting.as_ref().map_or(0, |waiting| {
            waiting.run_pending_tasks();
            waiting.entry_count()
        })
    }
}

impl Origin {
    fn new(token: Option<TokenType>, request: &RequestFacts) -> Self {
        Self {
            auth_method: token.map(|token| token.method().to_owned()),
            ip_address: request
                .address()
                .map(|address| address.to_canonical().to_string()),
            user_agent: request.user_agent().map(str::to_owned),
            request_id: Some(request.correlation_id().to_owned()),
        }
    }
}

fn token_type(caller: &Caller) -> Option<TokenType> {
    caller.principal().map(|principal| principal.token_type)
}
