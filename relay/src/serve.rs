//! Serving.

use anyhow::Context;
use tokio::net::TcpListener;

use crate::app::{self, AppState};
use crate::config::Config;
use crate::shutdown;
use crate::store::Store;

/// Serves until a signal ends it.
pub async fn run(config: Config) -> anyhow::Result<()> {
    let store = Store::open(&config.database_url, config.database_max_connections).await?;
    let listener =
        TcpListener::bind(config.listen).await.with_context(|| format!("cannot listen on {}", config.listen))?;
    let address = listener.local_addr()?;
    let state = AppState::new(config, store);
    println!("http://{address}");
    axum::serve(listener, app::router(state)).with_graceful_shutdown(shutdown::signal()).await?;
    Ok(())
}
