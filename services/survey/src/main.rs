//! `steward-survey serve | migrate | check-config`.

use std::process::ExitCode;

use steward_kit::process;
use steward_survey::{Config, migrations, serve};

#[tokio::main]
async fn main() -> ExitCode {
    process::run(serve, |config: Config| async move { config.groups.migrate(migrations()).await }).await
}
