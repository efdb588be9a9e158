//! A database per test: cloned from a migrated template on one Postgres server that all test processes share.

mod migrations;
mod template;

use std::{
    sync::atomic::{AtomicU32, Ordering},
    thread,
};

use anyhow::{Context, Result};
use sqlx::{AssertSqlSafe, Connection, PgConnection, PgPool, postgres::PgPoolOptions};
use steward_dev::servers::Postgres;

pub use migrations::SCHEMAS;

/// A database of one test, with every schema migrated and no rows; dropped with this value.
#[derive(Debug)]
pub struct TestDatabase {
    port: u16,
    name: String,
}

impl TestDatabase {
    /// Clones the template (and makes it, if this is the first test since a migration changed).
    pub async fn new() -> Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let template = template::get().await?;
        let name = format!("t_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let mut server =
            PgConnection::connect(&Postgres::url(template.port, "postgres")).await.context("connecting to the tests' Postgres")?;
        let clone = format!("CREATE DATABASE {name} TEMPLATE {}", template.name);
        sqlx::raw_sql(AssertSqlSafe(clone)).execute(&mut server).await.context("cloning the template database")?;
        server.close().await?;
        Ok(Self { port: template.port, name })
    }

    /// Its name on the server.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The URL that the running service of this schema gets: the app role, which reads and writes rows and makes no tables.
    pub fn app_url(&self, schema: &str) -> String {
        Postgres::url_as(self.port, &format!("{schema}_app"), &self.name)
    }

    /// The URL that the migrations of this schema get.
    pub fn owner_url(&self, schema: &str) -> String {
        Postgres::url_as(self.port, &format!("{schema}_owner"), &self.name)
    }

    /// The superuser's URL, for looking at what no role may see.
    pub fn superuser_url(&self) -> String {
        Postgres::url(self.port, &self.name)
    }

    /// A small pool as the app role of a schema.
    pub async fn pool(&self, schema: &str) -> Result<PgPool> {
        pool(&self.app_url(schema)).await
    }

    /// A small pool as superuser.
    pub async fn superuser(&self) -> Result<PgPool> {
        pool(&self.superuser_url()).await
    }

    /// Breaks every connection to this database, as a failover would.
    pub async fn break_connections(&self) -> Result<()> {
        let mut server = PgConnection::connect(&Postgres::url(self.port, "postgres")).await?;
        let break_all = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1";
        sqlx::query(break_all).bind(&self.name).execute(&mut server).await?;
        server.close().await.context("closing the connection")
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let (port, name) = (self.port, std::mem::take(&mut self.name));
        // A drop cannot await, and the test's runtime may be the one thread we are on.
        let dropping = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(drop_database(port, &name))
        });
        // A database that stays is dropped by the next test process that finds its process gone.
        drop(dropping.join());
    }
}

async fn drop_database(port: u16, name: &str) -> Result<()> {
    let mut server = PgConnection::connect(&Postgres::url(port, "postgres")).await?;
    let drop = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
    sqlx::raw_sql(AssertSqlSafe(drop)).execute(&mut server).await?;
    server.close().await.context("closing the connection")
}

async fn pool(url: &str) -> Result<PgPool> {
    PgPoolOptions::new().max_connections(4).connect(url).await.context("connecting to the test's database")
}
