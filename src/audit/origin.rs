//! Where changes of records come from. Triggers write the change log, and they see rows, not requests.
//!
//! On PostgreSQL a write tells its triggers in the statement itself. On SQLite a second statement would have to, which
//! single writes would pay for; there one process writes and seals, so what it knows waits in memory until the change gets
//! into the trail, a moment later. Deletes, and what the database does because of them, tell who acts anyway, and with it
//! where it comes from.

use std::time::Duration;

use chrono::{DateTime, Utc};
use moka::policy::EvictionPolicy;
use moka::sync::Cache;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::event::Request;
use crate::auth::{Caller, TokenType};
use crate::db::Db;
use crate::id::RecordId;

/// Changes that wait for their entries at most; beyond, the oldest have none.
const WAITING: u64 = 100_000;
/// How long one waits at most: some writes are refused by the database and never get an entry.
const PATIENCE: Duration = Duration::from_mins(2);

/// A record, and when it was changed, in milliseconds.
pub(super) type Place = (Uuid, i64);

/// Where a change came from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Origin {
    pub auth_method: Option<String>,
    pub ip_address: Option<String>,
    pub user_agent: Option<String>,
    pub request_id: Option<String>,
}

/// Tells the trail where changes of records come from; cheap to clone. The default tells nothing.
#[derive(Clone, Debug, Default)]
pub struct Origins {
    enabled: bool,
    waiting: Option<Cache<Place, (Option<TokenType>, Request)>>,
}

impl Origins {
    pub(super) fn new(db: &Db, enabled: bool) -> Self {
        let is_kept_here = enabled && db.is_embedded();
        let cache = Cache::builder().max_capacity(WAITING).eviction_policy(EvictionPolicy::lru());
        Self { enabled, waiting: is_kept_here.then(|| cache.time_to_live(PATIENCE).build()) }
    }

    /// Notes that the request of this moment is about to create or change a record.
    pub fn note(&self, caller: &Caller, record: RecordId, at: DateTime<Utc>) {
        if let Some(waiting) = &self.waiting
            && let Some(request) = Request::current()
        {
            waiting.insert((record.0, at.timestamp_millis()), (token_type(caller), request));
        }
    }

    /// The same as the change log holds it, for statements that tell it themselves; none outside of requests.
    pub fn text(&self, caller: &Caller) -> Option<String> {
        let request = Request::current().filter(|_| self.enabled)?;
        serde_json::to_string(&Origin::new(token_type(caller), &request)).ok()
    }

    /// What was noted about a change.
    pub(super) fn noted(&self, place: &Place) -> Option<Origin> {
        let (token, request) = self.waiting.as_ref()?.get(place)?;
        Some(Origin::new(token, &request))
    }

    /// A change is in the trail.
    pub(super) fn forget(&self, place: &Place) {
        if let Some(waiting) = &self.waiting {
            waiting.invalidate(place);
        }
    }
}

impl Origin {
    fn new(token: Option<TokenType>, request: &Request) -> Self {
        let (ip_address, user_agent, request_id) = request.told();
        Self { auth_method: token.map(|token| token.method().to_owned()), ip_address, user_agent, request_id }
    }
}

fn token_type(caller: &Caller) -> Option<TokenType> {
    caller.principal().map(|principal| principal.token_type)
}
