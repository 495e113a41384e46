//! Values that are tried out. A clash in a unique field tells that another record has the value,
//! also where the caller sees neither that record nor the field in the clear: of masked and hidden
//! fields it would tell what they hide.
//!
//! So such a clash names neither the field nor the item of a batch, every value that was sent
//! counts as a guess, and after some guesses no more are taken for a while, like wrong passwords. A
//! definition that says `discloses_existence` takes a field out of this.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use moka::sync::Cache;

use crate::access::{FieldView, RecordScope};
use crate::auth::Caller;
use crate::error::{Error, Result};
use crate::id::CollectionId;
use crate::request_facts::RequestFacts;
use crate::schema::{Body, Field, Operation};

/// Wrong guesses of a caller in a collection within [`WINDOW`].
const MAX_GUESSES: usize = 20;
/// How long guesses count.
const WINDOW: Duration = Duration::from_mins(15);
/// Callers whose guesses are counted; beyond, those of callers who have not written for long are
/// forgotten.
const MAX_CALLERS: u64 = 10_000;

/// Counts refused guesses; cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Guesses(Cache<(String, CollectionId), Arc<AtomicUsize>>);

impl Default for Guesses {
    fn default() -> Self {
        Self(
            Cache::builder()
                .max_capacity(MAX_CALLERS)
                .time_to_live(WINDOW)
                .build(),
        )
    }
}

impl Guesses {
    /// Refuses a body with a value for a guarded field, if the caller has guessed too often.
    ///
    /// # Errors
    ///
    /// [`Error::RateLimited`].
    pub fn check(&self, scope: &RecordScope<'_>, body: &Body) -> Result<()> {
        let sends = |field: &&Field| body.get(&field.name).is_some_and(|value| !value.is_null());
        let mut guarded = scope
            .collection
            .fields
            .iter()
            .filter(|field| field.is_unique_and_guarded())
            .filter(sends);
        if !guarded.any(|field| is_guarded(scope, field)) {
            return Ok(());
        }
        let known = self
            .0
            .get(&key(scope))
            .map_or(0, |guesses| guesses.load(Ordering::Relaxed));
        if known < MAX_GUESSES {
            Ok(())
        } else {
            Err(Error::RateLimited {
                retry_after: WINDOW.as_secs(),
            })
        }
    }

    /// What a clash in a field is answered with, if the field is guarded: so many values count as
    /// guessed.
    pub fn refusal(&self, scope: &RecordScope<'_>, field: &Field, values: usize) -> Option<Error> {
        if !is_guarded(scope, field) {
            return None;
        }
        let guesses = self.0.get_with(key(scope), Arc::default);
        if guesses.fetch_add(values, Ordering::Relaxed) < MAX_GUESSES
            && guesses.load(Ordering::Relaxed) >= MAX_GUESSES
        {
            tracing::warn!(
                collection = scope.collection.name,
                field = field.name,
                caller = scope.caller.actor(),
                "values of a unique field that the caller does not see were tried out"
            );
        }
        Some(Error::conflict(
            "Another record has one of these values already",
            None,
        ))
    }
}

/// Whether a clash would tell the caller what it does not see.
fn is_guarded(scope: &RecordScope<'_>, field: &Field) -> bool {
    let sees =
        |operation| FieldView::of(scope.caller, scope.collection, operation).shows_in_clear(field);
    field.is_unique_and_guarded() && !sees(Operation::View) && !sees(Operation::List)
}

/// Visitors are told apart by their address.
fn key(scope: &RecordScope<'_>) -> (String, CollectionId) {
    let caller = match scope.caller {
        Caller::User(principal) => principal.user_id_text.clone(),
        Caller::Anonymous { .. } => {
            let address = RequestFacts::current().and_then(|request| request.address());
            address.map_or_else(String::new, |address| address.to_string())
        }
    };
    (caller, scope.collection.id)
}
