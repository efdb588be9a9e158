use sqlx::Row;
use steward_harness::{SCHEMAS, TestDatabase};

#[tokio::test]
async fn every_test_has_a_database_of_its_own() {
    let (first, second) = (TestDatabase::new().await.unwrap(), TestDatabase::new().await.unwrap());
    let pool = first.superuser().await.unwrap();
    sqlx::raw_sql("CREATE TABLE public.only_here (id int)").execute(&pool).await.unwrap();
    let other = second.superuser().await.unwrap();
    let row = sqlx::query("SELECT to_regclass('public.only_here') IS NULL AS absent").fetch_one(&other).await.unwrap();
    assert!(row.get::<bool, _>("absent"));
}

#[tokio::test]
async fn every_schema_is_migrated_before_the_test_begins() {
    let database = TestDatabase::new().await.unwrap();
    for (schema, _) in SCHEMAS {
        let pool = database.pool(schema).await.unwrap();
        let found =
            sqlx::query("SELECT to_regclass($1) IS NOT NULL AS found").bind(format!("{schema}.outbox")).fetch_one(&pool).await.unwrap();
        assert!(found.get::<bool, _>("found"), "{schema}.outbox");
    }
}

#[tokio::test]
async fn a_service_sees_no_schema_but_its_own() {
    let database = TestDatabase::new().await.unwrap();
    for (role, _) in SCHEMAS {
        let pool = database.pool(role).await.unwrap();
        for (schema, _) in SCHEMAS.iter().filter(|(schema, _)| *schema != role) {
            let probe = sqlx::query("SELECT has_schema_privilege($1, 'USAGE') AS may").bind(*schema).fetch_one(&pool).await.unwrap();
            assert!(!probe.get::<bool, _>("may"), "{role}_app may use {schema}");
        }
        let made = sqlx::raw_sql(sqlx::AssertSqlSafe(format!("CREATE TABLE {role}.more (id int)"))).execute(&pool).await;
        assert!(made.is_err(), "{role}_app makes tables");
    }
}

#[tokio::test]
async fn a_database_goes_with_its_test() {
    let database = TestDatabase::new().await.unwrap();
    let other = TestDatabase::new().await.unwrap();
    let name = database.name().to_owned();
    drop(database);
    let pool = other.superuser().await.unwrap();
    let row = sqlx::query("SELECT count(*) AS left FROM pg_database WHERE datname = $1").bind(name).fetch_one(&pool).await.unwrap();
    assert_eq!(row.get::<i64, _>("left"), 0);
}

#[tokio::test]
async fn broken_connections_are_replaced_by_the_pool() {
    let database = TestDatabase::new().await.unwrap();
    let pool = database.pool("customer").await.unwrap();
    sqlx::query("SELECT 1").execute(&pool).await.unwrap();
    database.break_connections().await.unwrap();
    let mut outcome = sqlx::query("SELECT 1").execute(&pool).await;
    for _ in 0..10 {
        if outcome.is_ok() {
            break;
        }
        outcome = sqlx::query("SELECT 1").execute(&pool).await;
    }
    outcome.unwrap();
}
