//! `steward-work-order serve | migrate | check-config`.

use std::process::ExitCode;

use anyhow::Context;
use steward_kit::config::{Command, load};
use steward_kit::server::cancel_on_signal;
use steward_kit::telemetry;
use steward_work_order::{Config, migrations, serve};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

#[tokio::main]
async fn main() -> ExitCode {
    let (command, config) = match load::<Config>() {
        Ok(loaded) => loaded,
        Err(code) => return code,
    };
    match run(command, config).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error = format!("{error:#}"), "work-order ends");
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command, config: Config) -> anyhow::Result<()> {
    // TLS to Postgres, Redis and peers takes its cryptography from here; the only other provider would be none.
    drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
    let _telemetry = telemetry::init("work-order", &config.telemetry).await?;
    match command {
        Command::Serve => {
            let listener = TcpListener::bind(config.server.listen).await.context("listening")?;
            let shutdown = CancellationToken::new();
            cancel_on_signal(shutdown.clone())?;
            serve(config, listener, shutdown).await
        }
        Command::Migrate => {
            let owner = config.owner_database_url.context("OWNER_DATABASE_URL must be set to migrate")?;
            Ok(migrations().run(&owner).await?)
        }
        // Answered by `load` already.
        Command::CheckConfig => Ok(()),
    }
}
