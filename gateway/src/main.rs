//! `steward-gateway serve | check-config | openapi`.

use std::process::ExitCode;

use steward_gateway::{GatewayConfig, serve};
use steward_kit::{config, server, telemetry};
use tokio_util::sync::CancellationToken;

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some("openapi") {
        #[expect(clippy::print_stdout, reason = "the command's answer")]
        match steward_gateway::openapi_document() {
            Ok(document) => println!("{document:#}"),
            Err(error) => {
                println!("{error:#}");
                return ExitCode::FAILURE;
            }
        }
        return ExitCode::SUCCESS;
    }
    let (command, config) = match config::load::<GatewayConfig>() {
        Ok(loaded) => loaded,
        Err(code) => return code,
    };
    match command {
        config::Command::Serve => run(config),
        // The gateway holds no data.
        config::Command::Migrate | config::Command::CheckConfig => ExitCode::SUCCESS,
    }
}

#[tokio::main]
async fn run(config: GatewayConfig) -> ExitCode {
    match start(config).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(cause = format!("{error:#}"), "gateway ended");
            ExitCode::FAILURE
        }
    }
}

async fn start(config: GatewayConfig) -> anyhow::Result<()> {
    let _telemetry = telemetry::init("gateway", &config.telemetry).await?;
    let listener = tokio::net::TcpListener::bind(config.server.listen).await?;
    let shutdown = CancellationToken::new();
    server::cancel_on_signal(shutdown.clone())?;
    serve(config, listener, shutdown).await
}
