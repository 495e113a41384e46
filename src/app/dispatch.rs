//! Hands what happened to everyone who must react, in the order of the log.

use std::sync::Arc;

use super::App;
use crate::auth::Auth;
use crate::changes::{
    Change, ChangeConsumer, ChangeKind, FeedItem, FeedReceiver, FeedSender, feed,
};
use crate::hooks::{Hooks, RecordChanged};
use crate::id::UserId;
use crate::realtime::Hub;
use crate::rooms::Rooms;
use crate::schema::CatalogHandle;

/// Changes that may wait in memory for the `after` hooks.
const HOOK_BACKLOG: usize = 8192;

pub(super) struct Dispatch {
    catalog: CatalogHandle,
    auth: Auth,
    hub: Hub,
    rooms: Rooms,
    /// For the `after` hooks.
    hooks: Option<FeedSender>,
}

impl Dispatch {
    pub fn new(app: &App) -> Self {
        let hooks = app.hooks.clone();
        let wanted = [
            &hooks.record_after_create,
            &hooks.record_after_update,
            &hooks.record_after_delete,
        ];
        let hooks = wanted.iter().any(|chain| !chain.is_empty()).then(|| {
            // On several nodes each runs the hooks of its own writes, so that they run once.
            let (sender, feed) = feed(&app.changes, HOOK_BACKLOG, |change| {
                change.own && change.is_of_record()
            });
            app.lifecycle
                .spawn(run_hooks(hooks.clone(), app.catalog.clone(), feed));
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

    async fn catalog_changed(&self) {
        if let Err(error) = self.catalog.reload().await {
            tracing::error!(%error, "the catalog could not be read again");
        }
        if let Err(error) = self.rooms.reload().await {
            tracing::error!(%error, "the definitions of rooms could not be read again");
        }
        self.hub.catalog_changed();
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
}

impl ChangeConsumer for Dispatch {
    async fn consume(&mut self, changes: Vec<Arc<Change>>, until: i64) {
        // Rights and rules first: what is handed out is always judged by those of the moment.
        for change in &changes {
            match change.kind {
                ChangeKind::Create | ChangeKind::Update | ChangeKind::Delete => {}
                ChangeKind::Catalog => self.catalog_changed().await,
                ChangeKind::Access => self.access_changed(change).await,
            }
        }
        self.hub.publish(&changes, until);
        if let Some(hooks) = &self.hooks {
            hooks.send(&changes, until);
        }
    }
}

/// Runs the `after` hooks one after another. Nothing can be stopped any more, so a failure is only
/// logged.
async fn run_hooks(hooks: Arc<Hooks>, catalog: CatalogHandle, feed: FeedReceiver) {
    loop {
        feed.ready().await;
        let changes = match feed.take().await {
            FeedItem::Batch(batch) => batch.changes,
            FeedItem::Gone(until) => {
                tracing::error!(
                    until,
                    "hooks are too slow: the change log no longer has what they are to be told of"
                );
                continue;
            }
            FeedItem::End => return,
        };
        for change in changes {
            let catalog = catalog.current();
            let Some(collection) = change.collection_id.and_then(|id| catalog.by_id(id)) else {
                continue;
            };
            let chain = match change.kind {
                ChangeKind::Create => &hooks.record_after_create,
                ChangeKind::Update => &hooks.record_after_update,
                _ => &hooks.record_after_delete,
            };
            if let Err(error) = chain
                .run(RecordChanged {
                    collection: collection.name.clone(),
                    change,
                })
                .await
            {
                tracing::warn!(%error, "a hook failed after the write it was told of");
            }
        }
    }
}
