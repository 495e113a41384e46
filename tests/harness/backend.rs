//! Which database a test runs on, and a new one of that kind.

use std::path::PathBuf;

use snackbase::config::Config;
use snackbase::db::Synchronous;
use snackbase::secret::Secret;
use tempfile::TempDir;

use super::postgres;

/// A kind of database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    Sqlite,
    Postgres,
}

impl Backend {
    /// PostgreSQL, where there is a server.
    pub fn postgres() -> Option<Self> {
        postgres::url().map(|_| Self::Postgres)
    }
}

/// A new database and a data folder; both go away with this.
#[derive(Debug)]
pub struct Database {
    folder: TempDir,
    postgres: Option<String>,
}

impl Database {
    pub async fn create(backend: Backend) -> Self {
        let folder = TempDir::new().unwrap();
        let postgres = match backend {
            Backend::Sqlite => None,
            Backend::Postgres => Some(postgres::create().await),
        };
        Self { folder, postgres }
    }

    /// The data folder.
    pub fn folder(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    /// The URL for the server's configuration and for looking into the database directly.
    pub fn url(&self) -> String {
        match &self.postgres {
            Some(url) => url.clone(),
            None => format!(
                "sqlite:///{}",
                self.folder.path().join("snackbase.db").display()
            ),
        }
    }

    /// A configuration for a server in this process.
    pub fn config(&self) -> Config {
        let mut config = Config::for_tests(self.folder.path());
        config.database.url = Secret::new(self.url());
        config.database.pool_size = 6;
        config.database.sqlite_synchronous = Synchronous::Normal;
        config.database.sqlite_readers = 2;
        config
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Some(url) = &self.postgres {
            postgres::drop_database(url);
        }
    }
}
