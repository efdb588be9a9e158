//! The history of a schema.

use secrecy::SecretString;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{AssertSqlSafe, SqlSafeStr};
use steward_kit::Error;
use steward_kit_store::migrate::Migrations;

use crate::support::World;

fn own(version: i64, sql: &str) -> Migrator {
    let sql = AssertSqlSafe(sql.to_owned()).into_sql_str();
    Migrator::with_migrations(vec![Migration::new(version, "own".into(), MigrationType::Simple, sql, false)])
}

fn says(result: steward_kit::Result<()>, what: &str) -> bool {
    matches!(result, Err(Error::Internal(cause)) if cause.to_string().contains(what))
}

#[tokio::test]
async fn a_service_starts_on_its_own_version_or_a_later_one_and_on_no_earlier_or_other() {
    let world = World::new().await;
    let url = SecretString::from(world.database.superuser_url());
    let first = || Migrations::new("fresh", Migrator::DEFAULT);
    let second = |sql| Migrations::new("fresh", own(1000, sql));
    first().run(&url).await.expect("migrates");
    first().run(&url).await.expect("and again, which does nothing");
    first().check(&world.admin).await.expect("is at its version");
    let table = "CREATE TABLE fresh.things (id uuid CONSTRAINT things_pkey PRIMARY KEY)";
    assert!(says(second(table).check(&world.admin).await, "not applied"), "the database is behind");
    second(table).run(&url).await.expect("migrates");
    second(table).check(&world.admin).await.expect("is at its version");
    first().check(&world.admin).await.expect("an older binary still runs");
    assert!(says(second("SELECT 1").check(&world.admin).await, "differs"));
    assert!(second("SELECT 1").run(&url).await.is_err(), "what was applied does not change");
}

#[tokio::test]
async fn names_and_versions_that_would_collide_are_refused() {
    let world = World::new().await;
    let url = SecretString::from(world.database.superuser_url());
    assert!(says(Migrations::new("fresh", own(7, "SELECT 1")).run(&url).await, "must be 1000 or above"));
    assert!(Migrations::new("fresh; DROP SCHEMA x", Migrator::DEFAULT).run(&url).await.is_err());
    let owner = Migrations::new("owner_of_estates", own(1000, "CREATE TABLE owner_of_estates.estates (id uuid)"));
    owner.without_estate_directory().run(&url).await.expect("its own table of that name");
}
