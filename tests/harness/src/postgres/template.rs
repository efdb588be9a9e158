//! The template database: roles, schemas and every service's migrations, made once per state of the migration files.

use std::path::Path;

use anyhow::{Context, Result};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use steward_dev::{
    Workspace,
    servers::{Postgres, SharedPostgres},
};
use tokio::sync::OnceCell;

use super::{drop_database, migrations};

/// Where the migrated template is.
#[derive(Debug, Clone)]
pub(super) struct Template {
    pub(super) port: u16,
    pub(super) name: String,
}

/// The template for the migration files as they are now. Asked of the server once per process.
pub(super) async fn get() -> Result<Template> {
    static TEMPLATE: OnceCell<Template> = OnceCell::const_new();
    TEMPLATE.get_or_try_init(find_or_make).await.cloned()
}

async fn find_or_make() -> Result<Template> {
    let workspace = Workspace::find()?;
    let server = SharedPostgres::get(&workspace)?;
    let name = format!("template_{:016x}", migrations::fingerprint(&workspace)?);
    let template = Template { port: server.port(), name };
    let databases = reap(server.port()).await?;
    if databases.contains(&template.name) {
        return Ok(template);
    }
    // Roles belong to the whole server, so only one process may make them at a time.
    let lock = server.lock("roles")?;
    if !reap(server.port()).await?.contains(&template.name) {
        make(&workspace, &server, &template.name).await?;
    }
    drop(lock);
    Ok(template)
}

async fn make(workspace: &Workspace, server: &SharedPostgres, name: &str) -> Result<()> {
    let building = format!("{name}_building");
    drop_database(server.port(), &building).await?;
    let mut admin = PgConnection::connect(&Postgres::url(server.port(), "postgres")).await?;
    sqlx::raw_sql(AssertSqlSafe(format!("CREATE DATABASE {building}"))).execute(&mut admin).await?;
    server.cluster().sql_file(server.port(), "postgres", &building, &workspace.bootstrap_sql())?;
    for (schema, folder) in migrations::SCHEMAS {
        let owner = Postgres::url_as(server.port(), &format!("{schema}_owner"), &building);
        migrations::apply(workspace, schema, folder, owner).await?;
    }
    // Under its final name only once it is complete: a process that dies here leaves nothing that looks usable.
    sqlx::raw_sql(AssertSqlSafe(format!("ALTER DATABASE {building} RENAME TO {name}"))).execute(&mut admin).await?;
    admin.close().await.context("closing the connection")
}

/// Drops databases of test processes that are gone; returns the names of the others.
async fn reap(port: u16) -> Result<Vec<String>> {
    let mut admin = PgConnection::connect(&Postgres::url(port, "postgres")).await.context("connecting to the tests' Postgres")?;
    let names: Vec<String> = sqlx::query_scalar("SELECT datname::text FROM pg_database").fetch_all(&mut admin).await?;
    admin.close().await?;
    let (orphans, others): (Vec<_>, Vec<_>) = names.into_iter().partition(|name| is_orphan(name));
    for orphan in orphans {
        // Another process may be dropping it at this moment; then it is gone all the same.
        let _ = drop_database(port, &orphan).await;
    }
    Ok(others)
}

/// `t_<pid>_<n>` of a process that no longer lives.
fn is_orphan(name: &str) -> bool {
    let pid = name.strip_prefix("t_").and_then(|rest| rest.split('_').next());
    pid.is_some_and(|pid| !Path::new("/proc").join(pid).exists())
}
