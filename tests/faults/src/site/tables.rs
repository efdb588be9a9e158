//! The tables of every service, as no service sees them.

use std::{path::PathBuf, process::Command};

use anyhow::{Context as _, Result, ensure};
use sqlx::{PgPool, postgres::PgPoolOptions};
use steward_dev::servers::{Binaries, Postgres};
use steward_harness::stack::DATABASE;

use super::Site;

impl Site {
    /// Everybody's tables, as superuser.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn database(&self) -> Result<PgPool> {
        let url = Postgres::url(self.ports.of("postgres"), DATABASE);
        PgPoolOptions::new().max_connections(2).connect(&url).await.context("connecting to Postgres")
    }

    /// Writes down every table as it is now, for whoever looks for a cause, beside the logs. Returns the file.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub fn write_down(&self) -> Result<PathBuf> {
        let file = self.logs().join("found.sql");
        let mut dump = Command::new(Binaries::find()?.postgres.join("pg_dump"));
        dump.arg("--dbname").arg(Postgres::url(self.ports.of("postgres"), DATABASE)).arg("--file").arg(&file);
        ensure!(dump.status().context("running pg_dump")?.success(), "the tables cannot be written down");
        Ok(file)
    }
}
