//! What a client missed: entries of the change log between the one it knows and the first that it gets live, judged
//! with its rights and the rules of now.

use std::collections::HashMap;

use bytes::Bytes;

use super::connection::{Connection, Subscribe, TooMany};
use super::lens::{Lens, Subject};
use super::subscription::{Operations, Scope};
use crate::changes::{Change, Cursor};
use crate::error::Result;

/// How many entries are read at once.
const CHUNK: i64 = 256;

/// Reads what was missed. Its frames must be sent before anything is taken out of the connection's queue.
#[derive(Debug)]
pub struct Replay {
    scope: Scope,
    position: i64,
    until: i64,
    wanted: HashMap<String, Wanted>,
}

#[derive(Clone, Copy, Debug)]
struct Wanted {
    operations: Operations,
    /// Later entries come live.
    until: i64,
}

impl Connection {
    /// Subscribes, all with the same scope, and goes on after a cursor. A cursor of another database is too old for
    /// anything: then there is nothing to replay.
    pub async fn resume(&self, scope: Scope, subscribe: Vec<Subscribe>, since: &Cursor) -> Result<Replay, TooMany> {
        let known = *since.epoch == *self.hub().0.log.epoch();
        let after = if known { since.position } else { 0 };
        let mut replay = Replay { scope, position: after, until: after, wanted: HashMap::new() };
        for subscribe in subscribe {
            let (collection, operations) = (subscribe.collection.clone(), subscribe.operations);
            let until = self.subscribe_at(Subscribe { scope, after, ..subscribe }).await?.unwrap_or(after);
            if known {
                replay.until = replay.until.max(until);
                replay.wanted.insert(collection, Wanted { operations, until });
            }
        }
        Ok(replay)
    }
}

impl Replay {
    /// Appends the next frames. Returns whether there may be more.
    pub async fn next(&mut self, connection: &Connection, frames: &mut Vec<Bytes>) -> Result<bool> {
        if self.position >= self.until {
            return Ok(false);
        }
        let log = &connection.hub().0.log;
        // What a shard has handed out, the log has given out; it may not have said so yet.
        if log.positions().wait_for(|position| *position >= self.until).await.is_err() {
            return Ok(false);
        }
        let account = match self.scope {
            Scope::Account(account) => Some(account),
            Scope::Everything => None,
        };
        let Some(changes) = log.read_after(self.position, account, CHUNK).await? else {
            // The history is gone: what follows is live.
            self.position = self.until;
            return Ok(false);
        };
        let full = i64::try_from(changes.len()).is_ok_and(|read| read >= CHUNK);
        self.position = changes.last().filter(|_| full).map_or(self.until, |last| last.position);
        frames.extend(changes.iter().filter_map(|change| self.frame(connection, change)));
        Ok(self.position < self.until)
    }

    fn frame(&self, connection: &Connection, change: &Change) -> Option<Bytes> {
        let inner = &connection.hub().0;
        let catalog = inner.catalog.current();
        let collection = catalog.by_id(change.collection_id?)?;
        let wanted = self.wanted.get(&collection.name).filter(|wanted| change.position <= wanted.until)?;
        let lens = Lens::new(collection, &connection.caller(), connection.dialect());
        let subject = Subject::new(change, collection, inner.log.cursor(change.position));
        let (operation, crossing) = lens.judge(&subject)?;
        wanted.operations.want(operation, crossing).then(|| lens.frame(&subject, operation, crossing))
    }
}
