//! What the `main` of every deployable does: read the configuration, set up telemetry, serve until asked to end.
//!
//! ```ignore
//! #[tokio::main]
//! async fn main() -> ExitCode {
//!     process::run(serve, |config: Config| async move { Ok(migrations().run(&config.owner_database_url?).await?) }).await
//! }
//! ```

use std::process::ExitCode;

use anyhow::Context;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::config::{Command, ServiceConfig, load};
use crate::server::cancel_on_signal;
use crate::{crypto, telemetry};

/// Does what the process was started for: `serve`, `migrate` or `check-config`. What ends it is logged once, here.
pub async fn run<C, S, M>(serve: impl FnOnce(C, TcpListener, CancellationToken) -> S, migrate: impl FnOnce(C) -> M) -> ExitCode
where
    C: ServiceConfig,
    S: Future<Output = anyhow::Result<()>>,
    M: Future<Output = anyhow::Result<()>>,
{
    let (command, config) = match load::<C>() {
        Ok(loaded) => loaded,
        Err(code) => return code,
    };
    match start(command, config, serve, migrate).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error = format!("{error:#}"), service = C::SERVICE, "the process ends");
            ExitCode::FAILURE
        }
    }
}

async fn start<C, S, M>(
    command: Command,
    config: C,
    serve: impl FnOnce(C, TcpListener, CancellationToken) -> S,
    migrate: impl FnOnce(C) -> M,
) -> anyhow::Result<()>
where
    C: ServiceConfig,
    S: Future<Output = anyhow::Result<()>>,
    M: Future<Output = anyhow::Result<()>>,
{
    // TLS to Postgres, Redis and peers takes its cryptography from here.
    crypto::install_tls_provider();
    let _telemetry = telemetry::init(C::SERVICE, config.telemetry()).await?;
    match command {
        Command::Serve => {
            let listener = TcpListener::bind(config.server().listen).await.context("listening for callers")?;
            let shutdown = CancellationToken::new();
            cancel_on_signal(shutdown.clone())?;
            serve(config, listener, shutdown).await
        }
        Command::Migrate => migrate(config).await,
        // Answered by `load` already.
        Command::CheckConfig => Ok(()),
    }
}
