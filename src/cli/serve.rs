//! `snackbase serve`.

use crate::Snackbase;
use crate::config::Loaded;
use crate::error::Result;
use crate::telemetry;

pub(super) async fn run(loaded: Loaded) -> Result<()> {
    for notice in &loaded.notices {
        tracing::warn!("{notice}");
    }
    tracing::info!(
        limit = crate::open_files::raise_limit(),
        "files and sockets that may be open at once"
    );
    let config = loaded.config;
    if !config.verification_required() {
        tracing::info!("no mail transport: e-mail addresses are not verified");
    }
    let server = Box::pin(Snackbase::builder().config(config).build()).await?;
    let app = server.app().clone();
    let address = server.address();
    tracing::info!(%address, database = app.db.dialect().name(), "SnackBase {} listens", env!("CARGO_PKG_VERSION"));
    tokio::spawn(app.lifecycle.clone().stop_on_signal());
    telemetry::tell(format_args!(
        "SnackBase is at http://{address}/ (admin UI: http://{address}/admin/)"
    ));
    if let Some(token) = app.accounts.setup_token().await? {
        telemetry::tell(format_args!(
            "First start: create the superadmin at http://{address}/admin/setup?token={token}"
        ));
    }
    server.run().await
}
