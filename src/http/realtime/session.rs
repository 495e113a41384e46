//! A client that was let in.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use futures_util::future::BoxFuture;
use serde_json::Value;

use super::credential::PresentedCredential;
use crate::access::ExpandPaths;
use crate::access::account::{is_named, named_account};
use crate::app::App;
use crate::auth::Caller;
use crate::error::{Error, Result};
use crate::hooks::{Chain, Hooks, RealtimeEvent};
use crate::http::client::ClientAddress;
use crate::realtime::{AccountScope, ConnectRequest, Connection, Protocol};
use crate::rooms::Participant;

/// Picks the hooks of an event.
type PickHooks = fn(&Hooks) -> &Chain<RealtimeEvent>;

/// See the module. When it is dropped, the connection ends.
pub(super) struct Session {
    pub(super) app: App,
    pub(super) connection: Connection,
    /// `true` if a superadmin listens in a user's place, and so may not send anything.
    pub(super) is_listener: bool,
    credential: Arc<Mutex<PresentedCredential>>,
    /// Set once it has joined a room.
    participant: OnceLock<Participant>,
}

impl Session {
    /// Checks a credential and connects.
    ///
    /// # Errors
    ///
    /// [`Error::Unauthenticated`] without a good credential, the errors of
    /// [`Hub::connect`](crate::realtime::Hub::connect), and those of hooks.
    pub(super) async fn open(
        app: App,
        credential: Option<PresentedCredential>,
        from: ClientAddress,
        protocol: &'static dyn Protocol,
    ) -> Result<Self> {
        let credential = credential.ok_or_else(missing_token)?;
        let (caller, opened_by) = credential.identify(&app).await?;
        let credential = Arc::new(Mutex::new(credential));
        let check = {
            let (app, credential) = (app.clone(), credential.clone());
            move || -> BoxFuture<'static, Result<Caller>> {
                let (app, credential) = (app.clone(), lock(&credential).clone());
                Box::pin(async move { credential.caller(&app).await })
            }
        };
        let connection = app.hub.connect(ConnectRequest {
            caller,
            check: Box::new(check),
            address: from.0,
            opened_by,
            protocol,
        })?;
        let event = RealtimeEvent {
            connection_id: connection.id().to_string(),
            caller: connection.caller(),
            collection: None,
            message: None,
        };
        if !app.hooks.realtime_connect.is_empty() {
            app.hooks.realtime_connect.run(event).await?;
        }
        connection.recheck().await;
        Ok(Self {
            app,
            connection,
            is_listener: opened_by.is_some(),
            credential,
            participant: OnceLock::new(),
        })
    }

    /// Goes on with another access token of the same user, or with the same API key.
    ///
    /// # Errors
    ///
    /// [`Error::Unauthenticated`] if the credential is not valid, [`Error::Forbidden`] if it belongs
    /// to another user.
    pub(super) async fn renew_credential(&self, credential: PresentedCredential) -> Result<()> {
        let caller = credential.caller(&self.app).await?;
        // A listener presented the credential of a superadmin, and never the user's.
        if self.is_listener || !caller.has_identity_of(&self.connection.caller()) {
            let message = "A connection goes on with an access token of the same user and account only: open another one";
            return Err(Error::Forbidden(message.into()));
        }
        *lock(&self.credential) = credential;
        self.connection.recheck().await;
        Ok(())
    }

    /// The paths to expand, cut to the configured depth.
    pub(super) fn limit_expand_depth(&self, expand: Option<ExpandPaths>) -> Option<ExpandPaths> {
        expand.and_then(|expand| expand.within(self.app.config.limits.max_expand_depth))
    }

    /// Runs hooks, if there are any; returns the message, which they may have changed.
    ///
    /// # Errors
    ///
    /// The error of a hook that refuses.
    pub(super) async fn run_hooks(
        &self,
        pick: PickHooks,
        collection: Option<&str>,
        message: Option<&Value>,
    ) -> Result<Option<Value>> {
        let chain = pick(&self.app.hooks);
        if chain.is_empty() {
            return Ok(None);
        }
        let event = self.event(collection.map(str::to_owned), message.cloned());
        Ok(chain.run(event).await?.message)
    }

    fn event(&self, collection: Option<String>, message: Option<Value>) -> RealtimeEvent {
        RealtimeEvent {
            connection_id: self.connection.id().to_string(),
            caller: self.connection.caller(),
            collection,
            message,
        }
    }

    /// The accounts that a subscription is about. Superadmins see the records of all accounts
    /// unless they name one; all others see the records of their own account.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] if the caller may not see the named account, [`Error::NotFound`] if it
    /// does not exist.
    pub(super) async fn resolve_scope(&self, account: Option<&str>) -> Result<AccountScope> {
        let caller = self.connection.caller();
        let own = caller.account().ok_or_else(missing_token)?;
        if caller.is_superadmin() {
            return match account {
                None | Some("*") => Ok(AccountScope::Everything),
                Some(name) => named_account(&self.app.auth, name)
                    .await
                    .map(|account| AccountScope::Account(account.id)),
            };
        }
        if account.is_none_or(|name| is_named(own, name)) {
            Ok(AccountScope::Account(own.id))
        } else {
            Err(Error::Forbidden("Other accounts are not available".into()))
        }
    }

    /// The connection as a participant of rooms, if it has joined one.
    pub(super) fn participant(&self) -> Option<&Participant> {
        self.participant.get()
    }

    /// The connection as a participant of rooms.
    pub(super) fn make_participant(&self) -> &Participant {
        self.participant
            .get_or_init(|| self.app.rooms.admit(self.connection.handle()))
    }
}

/// The error for a client without a credential.
pub(super) fn missing_token() -> Error {
    Error::Unauthenticated("Missing token".into())
}

fn lock(credential: &Mutex<PresentedCredential>) -> MutexGuard<'_, PresentedCredential> {
    credential.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Drop for Session {
    fn drop(&mut self) {
        if self.app.hooks.realtime_disconnect.is_empty() {
            return;
        }
        let (hooks, event) = (self.app.hooks.clone(), self.event(None, None));
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                // The connection is gone; there is nothing left to abort.
                let _ = hooks.realtime_disconnect.run(event).await;
            });
        }
    }
}
