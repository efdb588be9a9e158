//! `steward-notification serve | migrate | check-config`.

use std::process::ExitCode;

use anyhow::Context;
use steward_kit::process;
use steward_notification::{Config, migrations, serve};

#[tokio::main]
async fn main() -> ExitCode {
    process::run(serve, |config: Config| async move {
        let owner = config.owner_database_url.context("OWNER_DATABASE_URL must be set to migrate")?;
        Ok(migrations().run(&owner).await?)
    })
    .await
}
