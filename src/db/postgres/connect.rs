//! Opening connections to PostgreSQL: their settings, and what is checked before the first is used.

use std::str::FromStr as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions as _, Connection as _, Executor as _, PgConnection, Row as _};

use super::PostgresOptions;
use crate::db::error::DbError;

/// What every connection sets, whatever the role or the database says.
const SETTINGS: [(&str, &str); 3] = [
    ("timezone", "UTC"),
    // Statements are written for it, see `RecordLock`.
    ("default_transaction_isolation", "read committed"),
    // Literals are written for it.
    ("standard_conforming_strings", "on"),
];

/// How long to wait between attempts to reach a server that is not there yet.
const CONNECT_RETRY_INTERVAL: Duration = Duration::from_millis(200);
/// How long to look for the reason why no connection could be opened.
const DIAGNOSIS_TIMEOUT: Duration = Duration::from_secs(2);

/// How connections are opened.
pub(super) fn connect_options(options: &PostgresOptions) -> Result<PgConnectOptions, DbError> {
    Ok(PgConnectOptions::from_str(&options.url)
        .map_err(DbError::Other)?
        // The change log notes by this name which process wrote an entry.
        .application_name(&format!("snackbase {}", crate::id::new_id()))
        .statement_cache_capacity(512)
        .options(SETTINGS))
}

/// A pool without connections.
pub(super) fn pool(
    options: &PostgresOptions,
    connect: PgConnectOptions,
    losses: &Arc<Losses>,
) -> sqlx::PgPool {
    let losses = losses.clone();
    PgPoolOptions::new()
        .max_connections(options.max_connections)
        .acquire_timeout(options.acquire_timeout)
        .test_before_acquire(false)
        .after_connect(|connection, _| {
            Box::pin(async move {
                keep_idle_connections(connection).await?;
                notice_lost_clients(connection).await
            })
        })
        .before_acquire(move |connection, metadata| {
            let is_suspect = losses.cast_doubt_on(metadata.idle_for);
            Box::pin(async move {
                if is_suspect {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
        .connect_lazy_with(connect)
}

/// Servers from version 14 on can be told to close idle connections; the pool counts on them.
async fn keep_idle_connections(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let set = "SELECT set_config(name, '0', false) FROM pg_settings WHERE name = 'idle_session_timeout' AND setting <> '0'";
    sqlx::query(set).execute(connection).await.map(drop)
}

/// Lets the server look, while a statement runs, whether its client is still there.
async fn notice_lost_clients(connection: &mut PgConnection) -> sqlx::Result<()> {
    let set = "SELECT set_config('client_connection_check_interval', '500', false)";
    // Servers before 14, and some systems, do not know it: there a statement ends by itself.
    if let Err(error) = connection.execute(set).await {
        tracing::debug!(%error, "statements go on after their client has gone");
    }
    Ok(())
}

/// Waits for the server, and checks that it can be used.
pub(super) async fn check_server(
    options: &PostgresOptions,
    connect: &PgConnectOptions,
) -> Result<(), DbError> {
    let deadline = Instant::now() + options.acquire_timeout;
    let mut connection = loop {
        let reason = match tokio::time::timeout(options.acquire_timeout, connect.connect()).await {
            Ok(Ok(connection)) => break connection,
            Ok(Err(error)) => DbError::from(error),
            Err(_) => DbError::Unreachable("it does not answer".into()),
        };
        let may_come = matches!(reason, DbError::Unreachable(_));
        if !may_come || Instant::now() + CONNECT_RETRY_INTERVAL > deadline {
            return Err(reason);
        }
        tokio::time::sleep(CONNECT_RETRY_INTERVAL).await;
    };
    let ask =
        "SELECT current_setting('server_encoding'), current_setting('session_replication_role')";
    let row = sqlx::query(ask).fetch_one(&mut connection).await?;
    let (encoding, role): (String, String) = (row.try_get(0)?, row.try_get(1)?);
    if encoding != "UTF8" {
        let message = format!(
            "The database's encoding is {encoding}; it must be UTF8: CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0"
        );
        return Err(DbError::Unsuitable(message));
    }
    if role == "replica" {
        let message = "The database or its role sets session_replication_role to 'replica', which switches off the triggers \
                       that write the change log; it must be 'origin'";
        return Err(DbError::Unsuitable(message.into()));
    }
    // Nothing depends on how it ends.
    let _ = connection.close().await;
    Ok(())
}

/// Why the pool gave no connection in time: it has none left, or none can be opened.
pub(super) async fn diagnose(pool: &sqlx::PgPool) -> DbError {
    if pool.size() >= pool.options().get_max_connections() {
        return DbError::Busy;
    }
    let connect = pool.connect_options();
    match tokio::time::timeout(DIAGNOSIS_TIMEOUT, connect.connect()).await {
        Ok(Ok(connection)) => {
            let _ = connection.close().await;
            DbError::Busy
        }
        Ok(Err(error)) => error.into(),
        Err(_) => DbError::Unreachable("it does not answer".into()),
    }
}

/// When a connection was lost: others that were idle then are perhaps dead as well, and are tested
/// before they are used.
#[derive(Debug)]
pub(super) struct Losses {
    started: Instant,
    /// Milliseconds after the start, plus one; 0 for never.
    last: AtomicU64,
}

impl Losses {
    pub fn new() -> Self {
        Self {
            started: Instant::now(),
            last: AtomicU64::new(0),
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Notes a loss, now.
    pub fn note(&self) {
        self.last.store(self.now() + 1, Ordering::Relaxed);
    }

    /// Whether a connection that has been idle for so long was idle at the last loss.
    fn cast_doubt_on(&self, idle_for: Duration) -> bool {
        let last = self.last.load(Ordering::Relaxed);
        let idle_for = u64::try_from(idle_for.as_millis()).unwrap_or(u64::MAX);
        last > 0 && self.now().saturating_sub(idle_for) <= last
    }
}
