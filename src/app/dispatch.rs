//! Hands what happened to everyone who must react, in the order of the log.

use std::sync::Arc;

use tokio::sync::mpsc;

use super::App;
use crate::auth::Auth;
use crate::changes::{Change, ChangeKind, Consumer};
use crate::hooks::{Hooks, RecordChanged};
use crate::id::UserId;
use crate::realtime::Hub;
use crate::rooms::Rooms;
use crate::schema::CatalogHandle;

/// Changes that may wait for the `after` hooks before the follower waits, too.
const HOOK_QUEUE: usize = 8192;

pub(super) struct Dispatch {
    catalog: CatalogHandle,
    auth: Auth,
    hub: Hub,
    rooms: Rooms,
    hooks: Option<mpsc::Sender<RecordChanged>>,
}

impl Dispatch {
    pub fn new(app: &App) -> Self {
        let hooks = app.hooks.clone();
        let wanted = [&hooks.record_after_create, &hooks.record_after_update, &hooks.record_after_delete];
        let hooks = wanted.iter().any(|chain| !chain.is_empty()).then(|| {
            let (sender, receiver) = mpsc::channel(HOOK_QUEUE);
            app.lifecycle.spawn(run_hooks(hooks.clone(), receiver));
            sender
        });
        Self {
            catalog: app.catalog.clone(),
            auth: app.auth.clone(),
            hub: app.hub.clone(),
            rooms: app.rooms.clone(),
            hooks,
        }
    }

    async fn after(&self, changes: &[Arc<Change>]) {
        let Some(hooks) = &self.hooks else { return };
        let catalog = self.catalog.current();
        // On several nodes each runs the hooks of its own writes, so that they run once.
        for change in changes.iter().filter(|change| change.own) {
            if let Some(collection) = change.collection_id.and_then(|id| catalog.by_id(id)) {
                let event = RecordChanged { collection: collection.name.clone(), change: change.clone() };
                if hooks.send(event).await.is_err() {
                    return;
                }
            }
        }
    }

    /// Whose rights changed is read anew: a user's, or those of everyone of an account.
    async fn access_changed(&self, change: &Change) {
        match (UserId::parse(&change.record_id), change.account_id) {
            (Some(id), Some(account)) if id.0 == account.0 => {
                self.auth.invalidate_account(account);
                self.hub.account_changed(account).await;
                self.rooms.account_changed(account);
            }
            (Some(user), _) => {
                self.auth.invalidate_user(user);
                self.hub.access_changed(user).await;
                self.rooms.access_changed(user);
            }
            (None, _) => {}
        }
    }

    async fn flush(&mut self, pending: &mut Vec<Arc<Change>>) {
        if !pending.is_empty() {
            self.after(pending).await;
            self.hub.publish(std::mem::take(pending)).await;
        }
    }
}

impl Consumer for Dispatch {
    async fn consume(&mut self, changes: Vec<Arc<Change>>, until: i64) {
        let last = changes.last().map(|change| change.position);
        let mut pending = Vec::with_capacity(changes.len());
        for change in changes {
            match change.kind {
                ChangeKind::Create | ChangeKind::Update | ChangeKind::Delete => pending.push(change),
                ChangeKind::Catalog => {
                    self.flush(&mut pending).await;
                    if let Err(error) = self.catalog.reload().await {
                        tracing::error!(%error, "the catalog could not be read again");
                    }
                    if let Err(error) = self.rooms.reload().await {
                        tracing::error!(%error, "the definitions of rooms could not be read again");
                    }
                    self.hub.catalog_changed();
                    self.hub.publish(vec![change]).await;
                }
                ChangeKind::Access => {
                    self.flush(&mut pending).await;
                    self.access_changed(&change).await;
                    self.hub.publish(vec![change]).await;
                }
            }
        }
        self.flush(&mut pending).await;
        if last.is_none_or(|last| last < until) {
            self.hub.advance(until).await;
        }
    }
}

/// Runs the `after` hooks one after another. Nothing can be stopped any more, so a failure is only logged.
async fn run_hooks(hooks: Arc<Hooks>, mut events: mpsc::Receiver<RecordChanged>) {
    while let Some(event) = events.recv().await {
        let chain = match event.change.kind {
            ChangeKind::Create => &hooks.record_after_create,
            ChangeKind::Update => &hooks.record_after_update,
            _ => &hooks.record_after_delete,
        };
        if let Err(error) = chain.run(event).await {
            tracing::warn!(%error, "a hook failed after the write it was told of");
        }
    }
}
