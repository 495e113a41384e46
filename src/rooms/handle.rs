//! Rooms for hooks, which are registered before there are any.

use std::fmt;
use std::sync::{Arc, OnceLock, Weak};

use serde::Serialize;

use super::publish::publish_for_server;
use super::rooms_core::RoomsCore;
use super::service::Rooms;
use crate::error::{Error, Result};
use crate::id::AccountId;

/// Publishes in rooms once the server is built; cheap to clone, so that hooks can keep it.
#[derive(Clone, Default)]
pub struct RoomsHandle(Arc<OnceLock<Weak<RoomsCore>>>);

impl fmt::Debug for RoomsHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RoomsHandle").finish_non_exhaustive()
    }
}

impl RoomsHandle {
    /// Publishes in a room of an account, as [`Rooms::publish`].
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if no pattern matches the room's name, [`Error::Refused`] if the event
    /// has no name or the data is too large, [`Error::Unavailable`] while the server is not built,
    /// and after it has ended.
    pub fn publish(
        &self,
        account: AccountId,
        room: &str,
        event: &str,
        data: &impl Serialize,
    ) -> Result<()> {
        let core = self
            .0
            .get()
            .and_then(Weak::upgrade)
            .ok_or_else(|| Error::Unavailable("There is no server to publish with".into()))?;
        publish_for_server(&core, account, room, event, data)
    }

    /// Makes the handle stand for these rooms; the first call counts.
    pub fn fill(&self, rooms: &Rooms) {
        self.0.get_or_init(|| rooms.downgrade());
    }
}
