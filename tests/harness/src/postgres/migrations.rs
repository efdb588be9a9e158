//! Every service's migrations, read from its folder: the harness must not depend on the services it tests.

use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use secrecy::SecretString;
use sqlx::migrate::Migrator;
use steward_dev::Workspace;
use steward_kit_store::migrate::Migrations;

/// The schemas in use, and the service's folder of each.
pub const SCHEMAS: [(&str, &str); 5] =
    [("customer", "customer"), ("work_order", "work-order"), ("notification", "notification"), ("survey", "survey"), ("care", "care")];

/// The schema whose service owns the estates, and so keeps no copy of their directory.
const OWNER_OF_ESTATES: &str = "customer";

/// Applies kit-store's and the service's own migrations, as `<service> migrate` does.
pub(super) async fn apply(workspace: &Workspace, schema: &'static str, folder: &str, owner_url: String) -> Result<()> {
    let dir = own(workspace, folder);
    let own = if dir.is_dir() { Migrator::new(dir).await? } else { Migrator::DEFAULT };
    let migrations = Migrations::new(schema, own);
    let migrations = if schema == OWNER_OF_ESTATES { migrations.without_estate_directory() } else { migrations };
    migrations.run(&SecretString::from(owner_url)).await.with_context(|| format!("migrating {schema}"))
}

/// Changes with every change to a migration or to the bootstrap.
pub(super) fn fingerprint(workspace: &Workspace) -> Result<u64> {
    let mut files = vec![workspace.bootstrap_sql(), workspace.root().join("services/kit-store/src/migrate.rs")];
    files.extend(sql_files(&own(workspace, "kit-store")));
    for (_, folder) in SCHEMAS {
        files.extend(sql_files(&own(workspace, folder)));
    }
    let mut hasher = DefaultHasher::new();
    for file in files {
        file.hash(&mut hasher);
        fs::read(&file).with_context(|| format!("reading {}", file.display()))?.hash(&mut hasher);
    }
    Ok(hasher.finish())
}

fn own(workspace: &Workspace, folder: &str) -> PathBuf {
    workspace.root().join("services").join(folder).join("migrations")
}

fn sql_files(dir: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "sql"));
    files.sort();
    files
}
