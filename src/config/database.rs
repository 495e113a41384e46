//! `[database]`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use crate::db::{PostgresOptions, SqliteOptions, Synchronous};
use crate::secret::Secret;

/// Which database, and how it is used.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DatabaseConfig {
    /// `sqlite:///path` or `postgres://user:password@host/database`; empty for `snackbase.db` in
    /// the data folder.
    pub url: Secret<String>,
    /// How durable a commit is on SQLite.
    pub sqlite_synchronous: Synchronous,
    /// Connections that read records from SQLite; one account uses all but one of them at most.
    pub sqlite_readers: usize,
    /// How long to wait for another process's lock on SQLite, in milliseconds.
    pub sqlite_busy_timeout_ms: u64,
    /// Page cache of each SQLite connection, in KiB.
    pub sqlite_cache_kib: u32,
    /// Connections to PostgreSQL at most.
    pub pool_size: u32,
    /// How long a request waits for a connection to PostgreSQL, in seconds.
    pub pool_timeout_seconds: u64,
    /// Free space on the disk of an SQLite database, in bytes, below which writes are refused; 0 to
    /// take them until the disk is full.
    pub min_free_disk_bytes: u64,
    /// How long the change log is kept, in hours.
    pub change_log_retention_hours: i64,
    /// How many entries the change log keeps at most.
    pub change_log_max_rows: i64,
    /// Size of the entries that the change log keeps at most, in bytes.
    pub change_log_max_bytes: u64,
}

impl Default for DatabaseConfig {
    fn default() -> Self {
        Self {
            url: Secret::default(),
            sqlite_synchronous: Synchronous::Full,
            sqlite_readers: 4,
            sqlite_busy_timeout_ms: 5000,
            sqlite_cache_kib: 16_000,
            pool_size: 20,
            pool_timeout_seconds: 10,
            min_free_disk_bytes: 256 << 20,
            change_log_retention_hours: 24,
            change_log_max_rows: 1_000_000,
            change_log_max_bytes: 1 << 30,
        }
    }
}

/// Where the data is.
#[derive(Clone, Debug)]
pub enum DatabaseTarget {
    /// An embedded file.
    Sqlite(SqliteOptions),
    /// A server.
    Postgres(PostgresOptions),
}

impl DatabaseConfig {
    /// Whether the data is on a PostgreSQL server.
    pub fn is_postgres(&self) -> bool {
        matches!(scheme(self.url.expose()), Some("postgres" | "postgresql"))
    }

    /// What to open.
    pub fn target(&self, data_dir: &Path) -> DatabaseTarget {
        let url = self.url.expose();
        if self.is_postgres() {
            let rest = url.split_once("://").map_or("", |(_, rest)| rest);
            return DatabaseTarget::Postgres(PostgresOptions {
                url: format!("postgres://{rest}"),
                max_connections: self.pool_size,
                acquire_timeout: Duration::from_secs(self.pool_timeout_seconds),
            });
        }
        DatabaseTarget::Sqlite(SqliteOptions {
            path: sqlite_path(url).unwrap_or_else(|| data_dir.join("snackbase.db")),
            synchronous: self.sqlite_synchronous,
            readers: self.sqlite_readers,
            busy_timeout: Duration::from_millis(self.sqlite_busy_timeout_ms),
            cache_kib: self.sqlite_cache_kib,
        })
    }

    pub(super) fn check(&self, problems: &mut super::Problems) {
        let url = self.url.expose();
        let understood = url.is_empty() || self.is_postgres() || sqlite_path(url).is_some();
        if !understood {
            // The URL may hold a password: it is not repeated.
            problems.add(
                "database.url",
                "is not understood: write sqlite:///path/to/snackbase.db (four slashes for an absolute path) or \
                 postgres://user:password@host:5432/database",
            );
        }
        problems.range("database.sqlite_readers", self.sqlite_readers, 1..=64);
        problems.range(
            "database.sqlite_cache_kib",
            self.sqlite_cache_kib,
            64..=16_000_000,
        );
        problems.range("database.pool_size", self.pool_size, 2..=1000);
        problems.range(
            "database.pool_timeout_seconds",
            self.pool_timeout_seconds,
            1..=600,
        );
        problems.range(
            "database.change_log_retention_hours",
            self.change_log_retention_hours,
            1..=87_600,
        );
        problems.range(
            "database.change_log_max_rows",
            self.change_log_max_rows,
            1000..=i64::MAX,
        );
        problems.range(
            "database.change_log_max_bytes",
            self.change_log_max_bytes,
            1 << 20..=1 << 50,
        );
    }
}

/// The scheme without the name of a driver: `postgresql+asyncpg` is `postgresql`.
fn scheme(url: &str) -> Option<&str> {
    let scheme = url.split_once(':')?.0;
    Some(scheme.split_once('+').map_or(scheme, |(scheme, _)| scheme))
}

/// The path in `sqlite:path`, `sqlite://path`, `sqlite:///relative` or `sqlite:////absolute`;
/// `None` for other URLs.
fn sqlite_path(url: &str) -> Option<PathBuf> {
    if scheme(url)? != "sqlite" {
        return None;
    }
    let rest = url.split_once(':')?.1;
    let path = rest
        .strip_prefix("///")
        .or_else(|| rest.strip_prefix("//"))
        .unwrap_or(rest);
    let path = path.split_once('?').map_or(path, |(path, _)| path);
    (!path.is_empty() && path != ":memory:").then(|| path.into())
}
