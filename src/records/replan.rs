//! Requests whose statement no longer fits: the definition of the collection changed after the
//! statement was planned. They are planned again with the definition as it is then. `before` hooks
//! run again, too.

use super::{Aggregate, AggregateQuery, ListQuery, Mode, Moment, Page, Records, SnapshotQuery};
use crate::access::ExpandPaths;
use crate::auth::Caller;
use crate::db::Doc;
use crate::error::{Error, Result};
use crate::schema::Body;

/// How often a request is planned again.
const MAX_REPLANS: u32 = 4;

macro_rules! planned {
    ($records:ident, $request:expr) => {{
        let mut left = MAX_REPLANS;
        loop {
            match $request.await {
                Err(Error::DefinitionChanged) if left > 0 => {
                    left -= 1;
                    $records.catalog.reload().await?;
                }
                outcome => break outcome,
            }
        }
    }};
}

impl Records {
    /// One record, as the caller may see it. `fields` narrows it, `expand` replaces references by
    /// their records.
    pub async fn get(
        &self,
        caller: &Caller,
        collection: &str,
        id: &str,
        fields: Option<&[String]>,
        expand: Option<&ExpandPaths>,
    ) -> Result<Doc> {
        planned!(self, self.try_get(caller, collection, id, fields, expand))
    }

    /// One page of records.
    pub async fn list(&self, caller: &Caller, collection: &str, query: &ListQuery) -> Result<Page> {
        planned!(self, self.try_list(caller, collection, query))
    }

    /// Figures over records, in groups.
    pub async fn aggregate(
        &self,
        caller: &Caller,
        collection: &str,
        query: &AggregateQuery,
    ) -> Result<Aggregate> {
        planned!(self, self.try_aggregate(caller, collection, query))
    }

    /// What a subscription begins with.
    pub async fn snapshot(&self, caller: &Caller, query: &SnapshotQuery<'_>) -> Result<Moment> {
        planned!(self, self.try_snapshot(caller, query))
    }

    /// Creates a record and returns it.
    pub async fn create(&self, caller: &Caller, collection: &str, body: Body) -> Result<Doc> {
        planned!(self, self.try_create(caller, collection, body.clone()))
    }

    /// Changes a record and returns it.
    pub async fn update(
        &self,
        caller: &Caller,
        collection: &str,
        id: &str,
        body: Body,
        mode: Mode,
    ) -> Result<Doc> {
        planned!(
            self,
            self.try_update(caller, collection, id, body.clone(), mode)
        )
    }

    /// Deletes a record.
    pub async fn delete(&self, caller: &Caller, collection: &str, id: &str) -> Result<()> {
        planned!(self, self.try_delete(caller, collection, id))
    }

    /// Creates records and returns them in the order in which they were sent.
    pub async fn create_many(
        &self,
        caller: &Caller,
        collection: &str,
        bodies: Vec<Body>,
    ) -> Result<Vec<Doc>> {
        planned!(
            self,
            self.try_create_many(caller, collection, bodies.clone())
        )
    }

    /// Changes records by id and returns them in the order in which they were sent.
    pub async fn update_many(
        &self,
        caller: &Caller,
        collection: &str,
        items: Vec<(String, Body)>,
    ) -> Result<Vec<Doc>> {
        planned!(
            self,
            self.try_update_many(caller, collection, items.clone())
        )
    }

    /// Deletes records by id and returns the ids; one that is named twice counts once.
    pub async fn delete_many(
        &self,
        caller: &Caller,
        collection: &str,
        ids: Vec<String>,
    ) -> Result<Vec<String>> {
        planned!(self, self.try_delete_many(caller, collection, ids.clone()))
    }
}
