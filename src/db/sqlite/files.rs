//! Whole database files: a copy of one that is in use, and a look into one that is not.

use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions as _, Connection as _};

use super::query;
use crate::db::error::DbError;
use crate::db::sql::Stmt;

/// How long a lock of another process is waited for.
const PATIENCE: Duration = Duration::from_secs(2);

/// Keeps other users of the system from reading a database. A new file is made for its owner alone,
/// and SQLite gives the files beside it the same permissions; from files that are there, only what
/// everybody may do is taken: a group may be meant to read them.
#[cfg(unix)]
pub fn protect_database(database: &Path) -> std::io::Result<()> {
    use std::fs::{self, OpenOptions};
    use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
    match OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(database)
    {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
        made => return made.map(drop),
    }
    for suffix in ["", "-wal", "-shm"] {
        let mut file = database.as_os_str().to_owned();
        file.push(suffix);
        let Ok(metadata) = fs::metadata(&file) else {
            continue;
        };
        let mode = metadata.permissions().mode();
        if mode & 0o007 != 0 {
            fs::set_permissions(&file, fs::Permissions::from_mode(mode & !0o007))?;
        }
    }
    Ok(())
}

/// Elsewhere the folder says who may read.
#[cfg(not(unix))]
pub fn protect_database(_: &Path) -> std::io::Result<()> {
    Ok(())
}

/// Writes a copy of a database as it is at this moment into an empty file. Others may write to the
/// database meanwhile.
pub async fn copy_database(database: &Path, to: &Path) -> Result<(), DbError> {
    let mut connection = open(database).await?;
    let to = to.to_string_lossy().into_owned();
    let copied = query(&Stmt::fixed("VACUUM INTO $1", vec![to.into()]))
        .execute(&mut connection)
        .await;
    connection.close().await?;
    copied?;
    Ok(())
}

/// Runs statements on a database file that nobody else uses, and returns whether the file is sound
/// and has the system's tables; if it is not, nothing is run.
pub async fn amend_database(file: &Path, statements: Vec<Stmt>) -> Result<bool, DbError> {
    let mut connection = open(file).await?;
    let sound = amend(&mut connection, statements).await;
    connection.close().await?;
    sound
}

async fn amend(connection: &mut SqliteConnection, statements: Vec<Stmt>) -> Result<bool, DbError> {
    let tables = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name IN ('meta', 'change_log', 'users')";
    let tables: i64 = sqlx::query_scalar(tables)
        .fetch_one(&mut *connection)
        .await?;
    let check: String = sqlx::query_scalar("PRAGMA quick_check(1)")
        .fetch_one(&mut *connection)
        .await?;
    if tables < 3 || check != "ok" {
        return Ok(false);
    }
    // Without a log beside it, the file is all there is.
    sqlx::query("PRAGMA journal_mode = DELETE")
        .execute(&mut *connection)
        .await?;
    for stmt in statements {
        query(&stmt).execute(&mut *connection).await?;
    }
    Ok(true)
}

/// A database file that no other process can open as long as this exists.
#[derive(Debug)]
pub struct Occupied(SqliteConnection);

impl Occupied {
    /// Takes a database that nobody uses: everything is in its file then, and nothing beside it.
    ///
    /// # Errors
    ///
    /// [`DbError::Busy`] if another process has it open.
    pub async fn take(file: &Path) -> Result<Self, DbError> {
        let mut connection = open(file).await?;
        // Leaving write-ahead logging needs the file for itself alone: every other connection has a
        // lock on it.
        let mode: String = sqlx::query_scalar("PRAGMA journal_mode = DELETE")
            .fetch_one(&mut connection)
            .await?;
        if mode != "delete" {
            return Err(DbError::Busy);
        }
        sqlx::query("BEGIN EXCLUSIVE")
            .execute(&mut connection)
            .await?;
        Ok(Self(connection))
    }

    /// Lets it go.
    pub async fn release(self) -> Result<(), DbError> {
        Ok(self.0.close().await?)
    }
}

async fn open(file: &Path) -> Result<SqliteConnection, DbError> {
    let options = SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(false)
        .busy_timeout(PATIENCE);
    Ok(options
        .log_statements(tracing::log::LevelFilter::Off)
        .connect()
        .await?)
}
