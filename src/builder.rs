//! Embedding: a program of its own configures, registers hooks, and serves.

use std::net::SocketAddr;

use tokio::net::TcpListener;

use crate::app::App;
use crate::config::{Config, Sources};
use crate::error::{Error, Result};
use crate::hooks::{AppEvent, Hooks};
use crate::rooms::RoomsHandle;

/// The server, ready to serve.
pub struct Snackbase {
    app: App,
    listener: TcpListener,
    address: SocketAddr,
}

impl Snackbase {
    /// Begins with the default configuration and no hooks.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// The address it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The services.
    pub fn app(&self) -> &App {
        &self.app
    }

    /// Serves until the app is told to stop (`app().lifecycle.stop()`), then closes everything in
    /// order.
    pub async fn run(self) -> Result<()> {
        let event = AppEvent {
            address: Some(self.address),
        };
        self.app.hooks.serve.run(event).await?;
        let patience = std::time::Duration::from_secs(self.app.config.server.shutdown_seconds);
        let stopping = self.app.lifecycle.stopping().clone();
        let overtime = async {
            stopping.cancelled().await;
            tokio::time::sleep(patience).await;
        };
        let served = tokio::select! {
            served = crate::http::serve(self.app.clone(), self.listener) => served,
            () = overtime => {
                tracing::warn!("some requests did not end in time");
                Ok(())
            }
        };
        self.app.close().await;
        served.map_err(|error| Error::internal(format!("serving failed: {error}")))
    }
}

/// Collects what an embedding program wants.
#[derive(Default)]
pub struct Builder {
    config: Option<Config>,
    hooks: Hooks,
    rooms: RoomsHandle,
}

impl Builder {
    /// Uses this configuration instead of file and environment.
    #[must_use]
    pub fn config(mut self, config: Config) -> Self {
        self.config = Some(config);
        self
    }

    /// Registers hooks.
    #[must_use]
    pub fn hooks(mut self, register: impl FnOnce(Hooks) -> Hooks) -> Self {
        self.hooks = register(self.hooks);
        self
    }

    /// Publishes in rooms once the server is built. Hooks may keep it.
    pub fn rooms(&self) -> RoomsHandle {
        self.rooms.clone()
    }

    /// Opens the database and the listener.
    pub async fn build(self) -> Result<Snackbase> {
        let config = match self.config {
            Some(config) => config.prepare().map_err(Error::internal)?,
            None => {
                Config::load(&Sources::process())
                    .map_err(Error::internal)?
                    .config
            }
        };
        let wanted = (config.server.host.clone(), config.server.port);
        let app = App::build(config, self.hooks).await?;
        self.rooms.fill(&app.rooms);
        let listener = TcpListener::bind(wanted.clone()).await.map_err(|error| {
            Error::internal(format!(
                "cannot listen on {}:{}: {error}",
                wanted.0, wanted.1
            ))
        })?;
        let address = listener.local_addr().map_err(Error::internal)?;
        Ok(Snackbase {
            app,
            listener,
            address,
        })
    }

    /// Builds and serves until SIGTERM or SIGINT. Raises the process's limit of open files as far
    /// as it may.
    pub async fn serve(self) -> Result<()> {
        crate::open_files::raise_limit();
        // On the heap, so that the programs that embed this keep small futures.
        let server = Box::pin(self.build()).await?;
        tokio::spawn(server.app.lifecycle.clone().stop_on_signal());
        server.run().await
    }
}
