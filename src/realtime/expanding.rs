//! References that are expanded in events. What they lead to is read while the event is handed out,
//! for all who are told of it at once, and shows what each may see of it then.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::time::sleep;

use super::frame::Dialect;
use super::inquiry::{PATIENCE, PAUSE, Unanswered};
use super::lens::Encoded;
use crate::access::{ExpandPlan, ExpandPlanKey, LoadError, LoadedRecords, Placement};
use crate::db::Db;
use crate::schema::{Body, Catalog, CatalogHandle};

/// Bytes of records that an event may take in. If there are more, it shows ids.
const MOST: usize = 1 << 20;
/// Bytes that are read, and bytes that are taken in, for all that is expanded at once.
const MOST_AT_ONCE: usize = 32 << 20;
/// After so many records that must be expanded, those who read the log are sent what they have.
const MANY: usize = 32;

/// What is shown is the same for equal keys: what the caller sees, and how the protocol writes it.
type Key = (ExpandPlanKey, &'static str);

/// What must be read before some events can be handed out.
#[derive(Default)]
pub(super) struct Errand {
    wanted: HashMap<Key, Wanted>,
    count: usize,
}

struct Wanted {
    expansion: ExpandPlan,
    place: Placement,
    /// What is known of the records, by the event's position.
    stubs: HashMap<i64, Body>,
}

impl Errand {
    pub(super) fn add(
        &mut self,
        expansion: &ExpandPlan,
        dialect: &dyn Dialect,
        position: i64,
        stub: Body,
    ) {
        let wanted = self
            .wanted
            .entry((expansion.key(), dialect.name()))
            .or_insert_with(|| Wanted {
                expansion: expansion.clone(),
                place: dialect.place(),
                stubs: HashMap::new(),
            });
        self.count += usize::from(wanted.stubs.insert(position, stub).is_none());
    }

    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Whether it is time to read what is wanted so far.
    pub(super) fn is_large(&self) -> bool {
        self.count >= MANY
    }

    /// Reads it. What is too large to be taken in is left out.
    pub(super) async fn run(
        mut self,
        db: &Db,
        catalog: &CatalogHandle,
    ) -> Result<Expanded, Unanswered> {
        if self.is_empty() {
            return Ok(Expanded::default());
        }
        let pool = match self.read(db).await {
            Err(LoadError::Failed(_)) => {
                sleep(PAUSE).await;
                self.renew(&catalog.current());
                self.read(db).await
            }
            read => read,
        };
        match pool {
            Ok(pool) => Ok(self.fill(&pool)),
            Err(LoadError::TooLarge) => Ok(Expanded {
                lacks: true,
                ..Expanded::default()
            }),
            Err(LoadError::Failed(error)) => {
                tracing::warn!(%error, "references could not be expanded for an event");
                Err(Unanswered)
            }
            Err(LoadError::Late) => {
                tracing::warn!("expanding references for an event took too long");
                Err(Unanswered)
            }
        }
    }

    async fn read(&self, db: &Db) -> Result<LoadedRecords, LoadError> {
        let each = |wanted: &'_ Wanted| wanted.stubs.len();
        let mut records = Vec::with_capacity(self.wanted.values().map(each).sum());
        for wanted in self.wanted.values() {
            records.extend(wanted.stubs.values().map(|stub| (&wanted.expansion, stub)));
        }
        LoadedRecords::load(db, &records, MOST_AT_ONCE, Some(PATIENCE)).await
    }

    /// Fields may have come and gone since the collections were looked at.
    fn renew(&mut self, catalog: &Catalog) {
        for wanted in self.wanted.values_mut() {
            wanted.expansion = wanted.expansion.renewed(catalog);
        }
    }

    fn fill(self, pool: &LoadedRecords) -> Expanded {
        let (mut left, mut lacks) = (MOST_AT_ONCE, false);
        let each = self.wanted.into_iter().map(
            |(
                key,
                Wanted {
                    expansion,
                    place,
                    stubs,
                },
            )| {
                let mut filled = HashMap::with_capacity(stubs.len());
                for (position, mut stub) in stubs {
                    let most = MOST.min(left);
                    let mut budget = most;
                    if expansion.fill(&mut stub, pool, place, &mut budget).is_ok() {
                        left -= most - budget;
                        filled.insert(
                            position,
                            Filled {
                                fields: stub,
                                frames: Mutex::default(),
                            },
                        );
                    } else {
                        lacks |= most < MOST;
                    }
                }
                (key, filled)
            },
        );
        Expanded {
            filled: each.collect(),
            lacks,
        }
    }
}

/// What takes the place of the references in some events.
#[derive(Default)]
pub(super) struct Expanded {
    filled: HashMap<Key, HashMap<i64, Filled>>,
    /// Whether something was left out that there would be room for with fewer events.
    lacks: bool,
}

/// The record of an event with what was read for it.
pub(super) struct Filled {
    /// The fields that are shown otherwise.
    pub(super) fields: Body,
    frames: Mutex<Vec<Encoded>>,
}

impl Filled {
    /// What was encoded with it. The next who reads the event sees it as it is then.
    pub(super) fn frames(&self) -> MutexGuard<'_, Vec<Encoded>> {
        self.frames.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Expanded {
    /// Whether all is there that can be taken in.
    pub(super) fn is_complete(&self) -> bool {
        !self.lacks
    }

    /// What was read for an event.
    pub(super) fn of(
        &self,
        expansion: &ExpandPlan,
        dialect: &dyn Dialect,
        position: i64,
    ) -> Option<&Filled> {
        if self.filled.is_empty() {
            return None;
        }
        self.filled
            .get(&(expansion.key(), dialect.name()))?
            .get(&position)
    }
}
