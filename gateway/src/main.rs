//! `steward-gateway serve | check-config | openapi`.

use std::process::ExitCode;

use steward_gateway::{GatewayConfig, openapi_document, serve};
use steward_kit::process;

#[tokio::main]
async fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some("openapi") {
        return print_openapi();
    }
    // The gateway holds no data, so there is nothing to migrate.
    process::run(|config, listener, stop| Box::pin(serve(config, listener, stop)), |_config: GatewayConfig| async { Ok(()) }).await
}

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "the command's answer to who started it")]
fn print_openapi() -> ExitCode {
    match openapi_document() {
        Ok(document) => {
            println!("{document:#}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}
