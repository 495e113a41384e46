//! The writer's connection on loan: for transactions of cold paths.

use sqlx::sqlite::SqliteConnection;
use sqlx::{AssertSqlSafe, Executor as _};
use tokio::sync::oneshot;

use super::super::query;
use crate::db::DbRow;
use crate::db::error::DbError;
use crate::db::sql::{Ident, Stmt};

/// The writer's connection on loan, inside a transaction; rolled back unless it is committed.
#[derive(Debug)]
pub struct Lease {
    connection: Option<SqliteConnection>,
    back: Option<oneshot::Sender<Returned>>,
}

/// A connection that comes back, and who waits for its commit; `None` to roll back.
#[derive(Debug)]
pub(super) struct Returned {
    pub connection: SqliteConnection,
    pub done: Option<oneshot::Sender<Result<(), DbError>>>,
}

impl Lease {
    /// Lends a connection; it comes back through `back`.
    pub(super) fn new(
        connection: Option<SqliteConnection>,
        back: oneshot::Sender<Returned>,
    ) -> Self {
        Self {
            connection,
            back: Some(back),
        }
    }

    fn connection(&mut self) -> Result<&mut SqliteConnection, DbError> {
        self.connection.as_mut().ok_or(DbError::Closed)
    }

    pub(in crate::db) async fn execute(&mut self, stmt: Stmt) -> Result<u64, DbError> {
        let connection = self.connection()?;
        if stmt.args.is_empty() {
            // DDL and several statements at once go without preparing.
            return Ok(connection
                .execute(sqlx::raw_sql(AssertSqlSafe(stmt.text)))
                .await?
                .rows_affected());
        }
        Ok(query(&stmt).execute(connection).await?.rows_affected())
    }

    pub(in crate::db) async fn rows<T: DbRow>(&mut self, stmt: Stmt) -> Result<Vec<T>, DbError> {
        super::super::fetch(self.connection()?, &stmt).await
    }

    /// Drops the triggers of the tables of collections, other than this one's, and returns the
    /// statements that make them again.
    pub(in crate::db) async fn set_triggers_aside(
        &mut self,
        table: &Ident,
    ) -> Result<Vec<Stmt>, DbError> {
        let select = "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' AND tbl_name LIKE 'col%' \
                      AND tbl_name <> $1 ORDER BY rowid";
        let triggers: Vec<(String, String)> = self
            .rows(Stmt::fixed(select, vec![table.as_str().into()]))
            .await?;
        for (name, _) in &triggers {
            self.execute(Stmt::stored(format!(
                "DROP TRIGGER \"{}\"",
                name.replace('"', "\"\"")
            )))
            .await?;
        }
        Ok(triggers
            .into_iter()
            .map(|(_, text)| Stmt::stored(text))
            .collect())
    }

    pub(in crate::db) async fn commit(mut self) -> Result<(), DbError> {
        let (done, answer) = oneshot::channel();
        self.give_back(Some(done));
        answer.await.map_err(|_| DbError::Closed)?
    }

    fn give_back(&mut self, done: Option<oneshot::Sender<Result<(), DbError>>>) {
        if let (Some(connection), Some(back)) = (self.connection.take(), self.back.take()) {
            // If the writer is gone, the connection is dropped and its transaction with it.
            let _ = back.send(Returned { connection, done });
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.give_back(None);
    }
}
