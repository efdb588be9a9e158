//! `steward-care serve | migrate | check-config`.

use std::process::ExitCode;

use steward_care::{Config, migrations, serve};
use steward_kit::process;

#[tokio::main]
async fn main() -> ExitCode {
    process::run(serve, |config: Config| async move { config.groups.migrate(migrations()).await }).await
}
