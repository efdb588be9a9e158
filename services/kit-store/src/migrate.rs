//! The tables of the mechanisms and of the service, in one history.
//!
//! The mechanisms' files are templates in `{schema}` (versions below 1000); the service's own come from its
//! `migrations/` folder (1000 and above). Both are recorded in `<schema>._sqlx_migrations`. A service only *checks* at
//! start; `migrate` runs them, as the schema's owner, over a direct connection (the migrator takes a session lock).

use std::collections::HashMap;
use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{AssertSqlSafe, Connection, PgConnection, PgPool, Row, SqlSafeStr};
use steward_kit::{Error, Result};

use crate::db::{check_schema, qualified};
use crate::error::StoreResult;
use crate::shard::SHARDS;

/// The lowest version of a service's own migration.
pub const FIRST_OWN_VERSION: i64 = 1000;

const ESTATES: i64 = 7;

/// File by file, oldest first. A released file never changes: its checksum is stored.
const MECHANISMS: [(i64, &str, &str); 13] = [
    (1, "partitions", include_str!("../migrations/0001_partitions.sql")),
    (2, "idempotency", include_str!("../migrations/0002_idempotency.sql")),
    (3, "events", include_str!("../migrations/0003_events.sql")),
    (4, "timers", include_str!("../migrations/0004_timers.sql")),
    (5, "write effects", include_str!("../migrations/0005_write_effects.sql")),
    (6, "reference", include_str!("../migrations/0006_reference.sql")),
    (ESTATES, "estates", include_str!("../migrations/0007_estates.sql")),
    (8, "grants", include_str!("../migrations/0008_grants.sql")),
    (9, "dead letters", include_str!("../migrations/0009_dead_letters.sql")),
    (10, "rekey", include_str!("../migrations/0010_rekey.sql")),
    (11, "working hours", include_str!("../migrations/0011_working_hours.sql")),
    (12, "timer traces", include_str!("../migrations/0012_timer_traces.sql")),
    (13, "rollups", include_str!("../migrations/0013_rollups.sql")),
];

/// The migrations of one service.
#[derive(Debug)]
pub struct Migrations {
    schema: &'static str,
    own: Migrator,
    estate_directory: bool,
}

impl Migrations {
    /// The mechanisms plus the service's own: `Migrations::new("work_order", sqlx::migrate!())`.
    pub fn new(schema: &'static str, own: Migrator) -> Self {
        Self { schema, own, estate_directory: true }
    }

    /// Without the `estates` table: for the service that owns the estates and has a table of that name, with at least
    /// the columns `id, group_id, region_id, name, time_zone`.
    #[must_use]
    pub fn without_estate_directory(mut self) -> Self {
        self.estate_directory = false;
        self
    }

    /// Applies what is missing, as the schema's owner. The schema is made if it is not there and the role may.
    ///
    /// # Errors
    /// Postgres does not answer; a file that was applied has changed since; a statement fails (it is rolled back).
    pub async fn run(&self, owner_url: &SecretString) -> Result<()> {
        let migrator = self.migrator()?;
        let mut owner = PgConnection::connect(owner_url.expose_secret()).await.store()?;
        let absent: bool =
            sqlx::query_scalar("SELECT to_regnamespace($1) IS NULL").bind(self.schema).fetch_one(&mut owner).await.store()?;
        if absent {
            sqlx::query(qualified(self.schema, "CREATE SCHEMA {schema}")).execute(&mut owner).await.store()?;
        }
        migrator.run(&mut owner).await.map_err(Error::internal)?;
        owner.close().await.store()
    }

    /// Compares versions without changing anything. A database that is ahead of this binary is fine (a rolling
    /// deployment goes through it); one that is behind is not.
    ///
    /// # Errors
    /// `Internal` naming the first version that is missing or differs; `Unavailable` when Postgres does not answer.
    pub async fn check(&self, pool: &PgPool) -> Result<()> {
        let applied = sqlx::query(qualified(self.schema, "SELECT version, checksum FROM {schema}._sqlx_migrations WHERE success"))
            .fetch_all(pool)
            .await
            .store()?;
        let applied = applied
            .iter()
            .map(|row| Ok((row.try_get("version")?, row.try_get("checksum")?)))
            .collect::<Result<HashMap<i64, Vec<u8>>, sqlx::Error>>()
            .store()?;
        for wanted in self.migrator()?.iter() {
            let (schema, version) = (self.schema, wanted.version);
            match applied.get(&version) {
                Some(checksum) if *checksum == *wanted.checksum => {}
                Some(_) => return Err(Error::bug(format_args!("migration {version} of {schema} differs from the one applied"))),
                None => return Err(Error::bug(format_args!("migration {version} of {schema} is not applied: run `migrate` first"))),
            }
        }
        Ok(())
    }

    fn migrator(&self) -> Result<Migrator> {
        check_schema(self.schema)?;
        let mut all = Vec::new();
        for (version, name, template) in MECHANISMS {
            if version == ESTATES && !self.estate_directory {
                continue;
            }
            let sql = template.replace("{schema}", self.schema).replace("{event_shards}", &SHARDS.to_string());
            let sql = AssertSqlSafe(Arc::<str>::from(sql)).into_sql_str();
            all.push(Migration::new(version, name.into(), MigrationType::Simple, sql, false));
        }
        for own in self.own.iter() {
            if own.version < FIRST_OWN_VERSION {
                return Err(Error::bug(format_args!("migration {} of {} must be {FIRST_OWN_VERSION} or above", own.version, self.schema)));
            }
            all.push(own.clone());
        }
        let mut migrator = Migrator::with_migrations(all);
        migrator.dangerous_set_table_name(format!("{}._sqlx_migrations", self.schema));
        Ok(migrator)
    }
}
