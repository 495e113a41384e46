//! The system tables' migrations, embedded for each dialect.

use sqlx::migrate::Migrator;

use super::error::DbError;
use super::{Postgres, Sqlite};

static SQLITE: Migrator = sqlx::migrate!("migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("migrations/postgres");

pub(super) async fn sqlite(db: &Sqlite) -> Result<(), DbError> {
    let mut connection = db.dedicated().await?;
    SQLITE
        .run(&mut connection)
        .await
        .map_err(|e| DbError::Migration(e.to_string()))
}

pub(super) async fn postgres(db: &Postgres) -> Result<(), DbError> {
    POSTGRES
        .run(db.pool())
        .await
        .map_err(|e| DbError::Migration(e.to_string()))
}
