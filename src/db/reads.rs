//! Reads in somebody's name: they use the share of an account, and end when nobody waits for them
//! any more.

use super::sqlite::ReadOwner;
use super::{Db, DbError, DbRow, Doc, Stmt};
use crate::id::{AccountId, SYSTEM_ACCOUNT};

/// Reads for an account. If one is dropped before it has an answer, the database is told to stop.
#[derive(Clone, Copy, Debug)]
pub struct AccountReads<'d> {
    db: &'d Db,
    account: AccountId,
}

impl Db {
    /// Reads in the name of an account; without one, in the name of those who administer the
    /// server. Whatever the caller of an API can make large or slow is read this way, so that other
    /// accounts, credentials and health are not held up.
    pub fn reads(&self, account: Option<AccountId>) -> AccountReads<'_> {
        AccountReads {
            db: self,
            account: account.unwrap_or(SYSTEM_ACCOUNT),
        }
    }
}

impl AccountReads<'_> {
    /// The first column of every row: one JSON document each.
    ///
    /// # Errors
    ///
    /// [`DbError::TooLarge`] if they have more than `bytes` bytes; no more than that is held in
    /// memory.
    pub async fn docs(&self, stmt: Stmt, bytes: usize) -> Result<Vec<Doc>, DbError> {
        let rows = self
            .rows_within(stmt, bytes, |(doc,): &(Option<Doc>,)| {
                doc.as_ref().map_or(0, Doc::len)
            })
            .await?;
        Ok(rows
            .into_iter()
            .map(|(doc,)| doc.unwrap_or_default())
            .collect())
    }

    /// The first document, if there is one.
    pub async fn doc(&self, stmt: Stmt) -> Result<Option<Doc>, DbError> {
        Ok(self
            .rows::<(Option<Doc>,)>(stmt)
            .await?
            .into_iter()
            .next()
            .and_then(|(doc,)| doc))
    }

    /// The rows of a system table.
    pub async fn rows<T: DbRow>(&self, stmt: Stmt) -> Result<Vec<T>, DbError> {
        self.rows_within(stmt, usize::MAX, |_| 0).await
    }

    /// The rows, as long as their sizes do not exceed `bytes` together.
    ///
    /// # Errors
    ///
    /// [`DbError::TooLarge`] as soon as they do; what follows is not read.
    pub async fn rows_within<T: DbRow>(
        &self,
        stmt: Stmt,
        bytes: usize,
        size: fn(&T) -> usize,
    ) -> Result<Vec<T>, DbError> {
        let budget = ByteBudget { left: bytes, size };
        match self.db {
            Db::Sqlite(db) => {
                db.rows_within(ReadOwner::Account(self.account), stmt, budget)
                    .await
            }
            Db::Postgres(db) => db.rows_within(self.account, stmt, budget).await,
        }
    }

    /// The first row, if there is one.
    pub async fn row<T: DbRow>(&self, stmt: Stmt) -> Result<Option<T>, DbError> {
        Ok(self.rows(stmt).await?.into_iter().next())
    }

    /// One number: a count.
    pub async fn count(&self, stmt: Stmt) -> Result<i64, DbError> {
        Ok(self.row::<(i64,)>(stmt).await?.map_or(0, |(count,)| count))
    }
}

/// How much may be taken in.
pub(super) struct ByteBudget<T> {
    left: usize,
    size: fn(&T) -> usize,
}

impl<T> ByteBudget<T> {
    /// Takes a row in.
    pub fn spend(&mut self, row: &T) -> Result<(), DbError> {
        self.left = self
            .left
            .checked_sub((self.size)(row))
            .ok_or(DbError::TooLarge)?;
        Ok(())
    }
}
