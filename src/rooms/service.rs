//! The rooms service.

use std::fmt;
use std::sync::{Arc, Weak};
use std::time::Duration;

use serde::Serialize;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::cluster_link;
use super::definition::RoomDefinitionRow;
use super::definition_input::RoomChange;
use super::definition_store::DefinitionStore;
use super::participant::{Participant, ParticipantRegistry, ParticipantState};
use super::publish::{publish_for_caller, publish_for_server};
use super::rooms_core::RoomsCore;
use crate::auth::Caller;
use crate::clock::Clock;
use crate::config::RoomsConfig;
use crate::db::Db;
use crate::error::Result;
use crate::id::{AccountId, UserId};
use crate::realtime::ConnectionHandle;

/// Interval at which rooms with work for later are looked at.
const WORK_INTERVAL: Duration = Duration::from_millis(100);

/// The rooms service; cheap to clone.
#[derive(Clone)]
pub struct Rooms {
    core: Arc<RoomsCore>,
    participants: Arc<ParticipantRegistry>,
    /// Held while definitions are loaded, so that an older state never replaces a newer one.
    loading: Arc<tokio::sync::Mutex<()>>,
}

impl fmt::Debug for Rooms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rooms")
            .field("limits", &self.core.limits)
            .finish_non_exhaustive()
    }
}

impl Rooms {
    /// Reads the definitions. No background work is done before [`Rooms::run`].
    ///
    /// # Errors
    ///
    /// If the database fails.
    pub async fn load(db: Db, clock: Clock, limits: RoomsConfig) -> Result<Self> {
        let rooms = Self {
            core: Arc::new(RoomsCore::new(db, clock, limits)),
            participants: Arc::default(),
            loading: Arc::default(),
        };
        rooms.reload().await?;
        Ok(rooms)
    }

    /// Sends changes of members, removes the ones that do not come back, and exchanges messages with
    /// other nodes, until cancelled.
    pub async fn run(self, stop: CancellationToken) {
        tokio::select! {
            () = work(&self.core) => {}
            () = cluster_link::run(&self.core) => {}
            () = stop.cancelled() => {}
        }
    }

    /// Makes a connection a participant, which can join rooms.
    pub fn admit(&self, connection: ConnectionHandle) -> Participant {
        Participant::new(connection, self.core.clone(), self.participants.clone())
    }

    /// Applies a change of a user's rights. The hub must have applied it before.
    pub fn access_changed(&self, user: UserId) {
        self.recheck(|participant| participant.user() == Some(user));
    }

    /// Applies a change of an account, in the same way.
    pub fn account_changed(&self, account: AccountId) {
        self.recheck(|participant| participant.account() == Some(account));
    }

    fn recheck(&self, accept: impl Fn(&ParticipantState) -> bool) {
        self.participants.recheck(&self.core, accept);
    }

    /// The number of rooms with somebody in them.
    pub fn occupied(&self) -> usize {
        self.core.room_count()
    }

    /// Publishes for a caller who need not be in the room. The number of receivers is not known.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`](crate::error::Error::NotFound) if no pattern matches the room's name,
    /// [`Error::Forbidden`](crate::error::Error::Forbidden) if the publish rule does not allow it,
    /// [`Error::RateLimited`](crate::error::Error::RateLimited) if there are too many messages in
    /// the room, and a 422 for a bad event or too much data.
    pub fn publish_as(
        &self,
        caller: &Caller,
        account: AccountId,
        name: &str,
        event: &str,
        data: &impl Serialize,
    ) -> Result<()> {
        publish_for_caller(&self.core, caller, account, name, (event, data))
    }

    /// Publishes for the server itself, which no rule and no rate limit stops. The room must be
    /// defined.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`](crate::error::Error::NotFound) if no pattern matches the room's name,
    /// [`Error::Refused`](crate::error::Error::Refused) for a bad event or too much data.
    pub fn publish(
        &self,
        account: AccountId,
        name: &str,
        event: &str,
        data: &impl Serialize,
    ) -> Result<()> {
        publish_for_server(&self.core, account, name, event, data)
    }

    /// All definitions, in the order in which they match.
    pub fn definitions(&self) -> Vec<RoomDefinitionRow> {
        let definitions = self.core.definitions();
        definitions
            .iter()
            .map(|definition| definition.row.clone())
            .collect()
    }

    /// One definition.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`](crate::error::Error::NotFound) if there is none with this id.
    pub async fn definition(&self, id: &str) -> Result<RoomDefinitionRow> {
        self.store().find(id).await
    }

    /// Defines rooms. Rules that are not given are locked.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`](crate::error::Error::Invalid) for bad input,
    /// [`Error::Conflict`](crate::error::Error::Conflict) if there is a pattern like this.
    pub async fn define(&self, caller: &Caller, input: &RoomChange) -> Result<RoomDefinitionRow> {
        let row = self.store().create(caller, input).await?;
        self.reload().await?;
        Ok(row)
    }

    /// Changes a definition. Participants that may no longer be in a room leave it at once.
    ///
    /// # Errors
    ///
    /// As [`define`](Self::define), and [`Error::NotFound`](crate::error::Error::NotFound).
    pub async fn redefine(
        &self,
        caller: &Caller,
        id: &str,
        input: &RoomChange,
    ) -> Result<RoomDefinitionRow> {
        let row = self.store().update(caller, id, input).await?;
        self.reload().await?;
        Ok(row)
    }

    /// Deletes a definition; participants leave the rooms that no other pattern defines.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`](crate::error::Error::NotFound) if there is none with this id.
    pub async fn undefine(&self, caller: &Caller, id: &str) -> Result<()> {
        self.store().delete(caller, id).await?;
        self.reload().await
    }

    /// Reads the definitions again and applies them to all participants.
    ///
    /// # Errors
    ///
    /// If the database fails.
    pub async fn reload(&self) -> Result<()> {
        let _order = self.loading.lock().await;
        let before = self.core.definitions();
        if let Some(definitions) = self.store().load_if_changed(&before).await? {
            self.core.replace_definitions(definitions);
            self.recheck(|_| true);
        }
        Ok(())
    }

    fn store(&self) -> DefinitionStore<'_> {
        DefinitionStore {
            db: &self.core.db,
            clock: &self.core.clock,
        }
    }

    /// Access that does not keep the service alive.
    pub(super) fn downgrade(&self) -> Weak<RoomsCore> {
        Arc::downgrade(&self.core)
    }
}

/// Does the work of rooms when it is due; never ends.
async fn work(core: &RoomsCore) {
    loop {
        core.has_work.notified().await;
        loop {
            tokio::time::sleep(WORK_INTERVAL).await;
            if !core.work(Instant::now()) {
                break;
            }
        }
    }
}
