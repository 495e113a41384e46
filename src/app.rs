//! The application: every service, wired once. Only `http` and `cli` see it whole.

mod dispatch;

use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::accounts::Accounts;
use crate::audit::Audit;
use crate::auth::Auth;
use crate::auth::ticket::Tickets;
use crate::changes::ChangeLog;
use crate::clock::Clock;
use crate::collections::{Collections, apply_quotas};
use crate::config::{Config, DatabaseTarget};
use crate::dashboard::Dashboard;
use crate::db::{Db, Postgres, Sqlite, protect_database, set_record_limit};
use crate::disk::DiskWatch;
use crate::error::{Error, Result};
use crate::files::Files;
use crate::hooks::{AppEvent, Hooks};
use crate::lifecycle::Lifecycle;
use crate::metrics::Metrics;
use crate::realtime::Hub;
use crate::records::Records;
use crate::rooms::Rooms;
use crate::schema::CatalogHandle;
use crate::traffic::{Load, Traffic};

/// How often old entries of the change log are deleted.
const PRUNE_INTERVAL: Duration = Duration::from_secs(15);
/// How often the figures are tidied up, and what the server carries is noted.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);
/// The size of the database is asked for each time the figures were tidied up so often: once a
/// minute.
const UPKEEPS_PER_SIZE: u32 = 12;

/// Every service; cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Services>);

/// The services.
pub struct Services {
    /// The configuration.
    pub config: Arc<Config>,
    /// The database.
    pub db: Db,
    /// The time.
    pub clock: Clock,
    /// Who is calling.
    pub auth: Auth,
    /// One-time tickets for realtime connections.
    pub tickets: Tickets,
    /// Accounts, users and their sessions.
    pub accounts: Accounts,
    /// The collections, in memory.
    pub catalog: CatalogHandle,
    /// Defining collections.
    pub collections: Collections,
    /// Reading and writing records.
    pub records: Records,
    /// Who changed what.
    pub audit: Audit,
    /// Figures of the whole server.
    pub dashboard: Dashboard,
    /// Uploaded files.
    pub files: Files,
    /// What happened.
    pub changes: ChangeLog,
    /// Who is told.
    pub hub: Hub,
    /// Who is where, and what they say there.
    pub rooms: Rooms,
    /// The embedding program's hooks.
    pub hooks: Arc<Hooks>,
    /// The disk of the database.
    pub disk: DiskWatch,
    /// The figures.
    pub metrics: Metrics,
    /// What was answered lately.
    pub traffic: Traffic,
    /// When it ends.
    pub lifecycle: Lifecycle,
}

impl Deref for App {
    type Target = Services;

    fn deref(&self) -> &Services {
        &self.0
    }
}

impl App {
    /// Opens the database, brings it up to date, and starts everything but the listener.
    pub async fn build(config: Config, hooks: Hooks) -> Result<Self> {
        Self::build_with(config, hooks, Clock::System).await
    }

    /// The same with a clock of one's own, for tests.
    pub async fn build_with(config: Config, hooks: Hooks, clock: Clock) -> Result<Self> {
        let metrics = Metrics::install();
        let (config, hooks) = (Arc::new(config), Arc::new(hooks));
        let lifecycle = Lifecycle::new();
        let db = open(&config).await?;
        // Before anything is read that it tells of: what another node changes from here on is heard
        // of.
        let changes = ChangeLog::open(db.clone()).await?;
        let catalog = CatalogHandle::load(db.clone()).await?;
        crate::schema::upgrade_tables(&db, &catalog).await?;
        db.execute(set_record_limit(config.limits.record_bytes))
            .await?;
        let disk = DiskWatch::new(
            database_folder(&config),
            config.database.min_free_disk_bytes,
        );
        let auth = Auth::new(db.clone(), clock.clone(), &config.auth);
        let accounts = Accounts::build(
            db.clone(),
            auth.clone(),
            hooks.clone(),
            clock.clone(),
            &config,
            &lifecycle,
        );
        accounts.bootstrap().await?;
        apply_quotas(&db, &catalog, &config.limits).await?;
        let audit = Audit::open(
            db.clone(),
            changes.clone(),
            catalog.clone(),
            clock.clone(),
            &config.audit,
        )
        .await?;
        let hub = Hub::new(
            db.clone(),
            changes.clone(),
            catalog.clone(),
            clock.clone(),
            &config.realtime,
        );
        let rooms = Rooms::load(db.clone(), clock.clone(), config.rooms.clone()).await?;
        let files = Files::open(db.clone(), catalog.clone(), clock.clone(), &config)?;
        let app = Self(Arc::new(Services {
            collections: Collections::new(db.clone(), catalog.clone(), clock.clone()),
            dashboard: Dashboard::new(db.clone(), catalog.clone(), audit.clone(), clock.clone()),
            records: Records::new(
                db.clone(),
                catalog.clone(),
                hooks.clone(),
                clock.clone(),
                files.clone(),
                &config,
            )
            .with_origins(audit.origins()),
            traffic: Traffic::new(clock.clone()),
            tickets: Tickets::new(db.clone(), clock.clone()),
            config,
            db,
            clock,
            auth,
            accounts,
            catalog,
            audit,
            files,
            changes,
            hub,
            rooms,
            hooks,
            disk,
            metrics,
            lifecycle,
        }));
        app.start();
        app.hooks.bootstrap.run(AppEvent { address: None }).await?;
        Ok(app)
    }

    fn start(&self) {
        let dispatch = dispatch::Dispatch::new(self);
        let following = self
            .changes
            .clone()
            .follow(dispatch, self.lifecycle.stopping().clone());
        self.lifecycle.spawn(following);
        self.lifecycle
            .spawn(self.rooms.clone().run(self.lifecycle.stopping().clone()));
        self.audit.start(&self.lifecycle);
        let app = self.clone();
        self.lifecycle.spawn(async move {
            app.lifecycle.stopping().cancelled().await;
            app.hub.stop().await;
        });
        let app = self.clone();
        self.lifecycle.spawn(async move {
            let stop = app.lifecycle.stopping().clone();
            tokio::select! {
                () = app.disk.clone().watch() => {}
                () = stop.cancelled() => {}
            }
        });
        let app = self.clone();
        self.lifecycle.spawn(async move {
            let stop = app.lifecycle.stopping().clone();
            tokio::select! {
                () = app.files.clone().keep_swept() => {}
                () = stop.cancelled() => {}
            }
        });
        let app = self.clone();
        self.lifecycle.spawn(async move {
            let stop = app.lifecycle.stopping().clone();
            tokio::select! {
                () = app.prune() => {}
                () = stop.cancelled() => {}
            }
        });
        let app = self.clone();
        self.lifecycle.spawn(async move {
            let stop = app.lifecycle.stopping().clone();
            let mut turn = 0;
            while tokio::time::timeout(UPKEEP_INTERVAL, stop.cancelled())
                .await
                .is_err()
            {
                app.metrics.upkeep();
                app.observe(turn % UPKEEPS_PER_SIZE == 0).await;
                turn += 1;
            }
        });
    }

    /// Notes what the server carries at this moment.
    pub async fn observe(&self, size: bool) {
        // Whoever cannot reach the database is told by what they asked of it.
        let database_bytes = if size {
            self.dashboard.database_bytes().await.ok()
        } else {
            None
        };
        self.traffic.observe(Load {
            connections: self.hub.connected(),
            delivered: self.hub.delivered(),
            database_bytes,
        });
    }

    async fn prune(&self) {
        let database = &self.config.database;
        let mut retention = self
            .changes
            .retention(database.change_log_max_rows, database.change_log_max_bytes);
        loop {
            tokio::time::sleep(PRUNE_INTERVAL).await;
            let before =
                self.clock.now() - chrono::Duration::hours(database.change_log_retention_hours);
            let pruned = async { retention.prune(before, self.audit.position().await?).await };
            if let Err(error) = pruned.await {
                tracing::warn!(%error, "old entries of the change log could not be deleted");
            }
        }
    }

    /// Stops what runs in the background and closes the database. Requests must have ended before.
    pub async fn close(&self) {
        let patience = Duration::from_secs(self.config.server.shutdown_seconds);
        self.lifecycle.stop();
        if let Err(error) = self.hooks.terminate.run(AppEvent { address: None }).await {
            tracing::warn!(%error, "a terminate hook failed");
        }
        if !self.lifecycle.drain(patience).await {
            tracing::warn!("some background work did not end in time");
        }
        self.db.close().await;
    }
}

/// The folder of an embedded database.
fn database_folder(config: &Config) -> Option<PathBuf> {
    match config.database.target(&config.server.data_dir) {
        DatabaseTarget::Sqlite(options) => options.path.parent().map(|folder| {
            if folder == Path::new("") {
                PathBuf::from(".")
            } else {
                folder.to_path_buf()
            }
        }),
        DatabaseTarget::Postgres(_) => None,
    }
}

/// Opens the database and brings it up to date, and starts nothing.
pub async fn open(config: &Config) -> Result<Db> {
    let db = match config.database.target(&config.server.data_dir) {
        DatabaseTarget::Sqlite(options) => {
            if let Some(folder) = options.path.parent() {
                std::fs::create_dir_all(folder).map_err(|error| {
                    Error::internal(format!("cannot make {}: {error}", folder.display()))
                })?;
            }
            if let Err(error) = protect_database(&options.path) {
                tracing::warn!(%error, "the permissions of the database's files could not be set");
            }
            Db::from(Sqlite::open(options).await?)
        }
        DatabaseTarget::Postgres(options) => Db::from(Postgres::connect(&options).await?),
    };
    db.migrate().await?;
    Ok(db)
}
