//! What the database roles may do, tried: a join across services is impossible, not forbidden (DESIGN §4); a running service
//! changes rows and no tables; what is proof, it can only add to.

use std::fmt::Write as _;

use anyhow::{Context as _, Result};
use sqlx::{AssertSqlSafe, PgPool};
use steward_harness::{SCHEMAS, TestDatabase};

use crate::golden::assert_golden;

/// SQLSTATE of "permission denied".
const INSUFFICIENT_PRIVILEGE: &str = "42501";

/// Records that are proof: rows come in and stay as they are. The list only grows.
const APPEND_ONLY: [(&str, &[&str]); 5] = [
    ("customer", &["audit_entries", "audit_heads", "household_bases", "tag_versions", "audiences", "audience_entries", "policies"]),
    ("work_order", &["history", "policies"]),
    ("notification", &["contact_entries", "inbox_reads", "policies"]),
    ("survey", &["questionnaire_versions", "response_keys", "spent_tokens", "policies"]),
    ("care", &["fund_entries", "activity_opinions", "package_uses", "programme_evaluations", "policies"]),
];

async fn code(pool: &PgPool, sql: &str) -> Option<String> {
    let refused = sqlx::raw_sql(AssertSqlSafe(sql)).execute(pool).await.err()?;
    refused.as_database_error().and_then(|error| error.code().map(std::borrow::Cow::into_owned))
}

async fn is_denied(pool: &PgPool, sql: &str) -> Result<()> {
    anyhow::ensure!(code(pool, sql).await.as_deref() == Some(INSUFFICIENT_PRIVILEGE), "is not denied: {sql}");
    Ok(())
}

async fn texts(pool: &PgPool, sql: &'static str) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar(sql).fetch_all(pool).await?)
}

/// Tables of a schema, partitions too.
async fn tables(database: &PgPool, schema: &str) -> Result<Vec<String>> {
    let names = "SELECT relname::text FROM pg_class WHERE relnamespace = to_regnamespace($1) AND relkind IN ('r', 'p') ORDER BY 1";
    Ok(sqlx::query_scalar(names).bind(schema).fetch_all(database).await?)
}

/// XC-30
#[tokio::test]
async fn no_service_reads_another_services_tables() -> Result<()> {
    let database = TestDatabase::new().await?;
    let everything = database.superuser().await?;
    for (own, _) in SCHEMAS {
        let pool = database.pool(own).await?;
        for (other, _) in SCHEMAS.into_iter().filter(|(other, _)| *other != own) {
            is_denied(&pool, &format!("SELECT 1 FROM {other}.outbox")).await?;
            is_denied(&pool, &format!("SELECT {other}.write_effects('{{}}')")).await?;
            is_denied(&pool, &format!("SET ROLE {other}_app")).await?;
        }
        sqlx::raw_sql(AssertSqlSafe(format!("SELECT 1 FROM {own}.outbox"))).execute(&pool).await.context("its own table")?;
    }
    // The same of every table and function, as the catalogue has it.
    let across = "SELECT r.rolname || ' reaches ' || c.oid::regclass::text
        FROM pg_roles r, pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE r.rolname ~ '_(app|owner)$' AND EXISTS (SELECT FROM pg_roles o WHERE o.rolname = n.nspname || '_owner')
          AND n.nspname <> regexp_replace(r.rolname, '_(app|owner)$', '') AND c.relkind IN ('r', 'p', 'v', 'm', 'S')
          AND (has_schema_privilege(r.oid, n.oid, 'USAGE')
               OR (c.relkind <> 'S' AND has_table_privilege(r.oid, c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE')))";
    assert_eq!(texts(&everything, across).await?, Vec::<String>::new());
    Ok(())
}

#[tokio::test]
async fn a_running_service_changes_rows_and_no_tables() -> Result<()> {
    let database = TestDatabase::new().await?;
    let everything = database.superuser().await?;
    for (schema, _) in SCHEMAS {
        let pool = database.pool(schema).await?;
        for sql in [
            format!("CREATE TABLE {schema}.intruder (id int)"),
            "CREATE TABLE public.intruder (id int)".to_owned(),
            "CREATE SCHEMA intruder".to_owned(),
            format!("CREATE FUNCTION {schema}.intruder() RETURNS int LANGUAGE sql AS 'SELECT 1'"),
            "CREATE ROLE intruder".to_owned(),
            "CREATE DATABASE intruder".to_owned(),
            format!("SET ROLE {schema}_owner"),
            format!("GRANT {schema}_owner TO {schema}_app"),
            format!("ALTER ROLE {schema}_app SUPERUSER"),
            format!("ALTER DEFAULT PRIVILEGES FOR ROLE {schema}_owner GRANT ALL ON TABLES TO {schema}_app"),
            format!("INSERT INTO {schema}._sqlx_migrations SELECT * FROM {schema}._sqlx_migrations"),
            format!("DELETE FROM {schema}._sqlx_migrations"),
            "COPY (SELECT 1) TO PROGRAM 'true'".to_owned(),
            "SELECT pg_read_file('PG_VERSION')".to_owned(),
        ] {
            is_denied(&pool, &sql).await?;
        }
        for table in tables(&everything, schema).await? {
            is_denied(&pool, &format!("DROP TABLE {schema}.{table}")).await?;
            is_denied(&pool, &format!("ALTER TABLE {schema}.{table} ADD COLUMN intruder int")).await?;
            is_denied(&pool, &format!("TRUNCATE {schema}.{table}")).await?;
        }
    }
    Ok(())
}

/// XC-32, CP-54
#[tokio::test]
async fn what_is_proof_can_only_be_added_to() -> Result<()> {
    let database = TestDatabase::new().await?;
    let everything = database.superuser().await?;
    for (schema, proofs) in APPEND_ONLY {
        let pool = database.pool(schema).await?;
        for table in proofs {
            is_denied(&pool, &format!("DELETE FROM {schema}.{table}")).await?;
            let columns = "SELECT attname::text FROM pg_attribute
                WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped AND attgenerated = '' AND attidentity = ''";
            let columns: Vec<String> = sqlx::query_scalar(columns).bind(format!("{schema}.{table}")).fetch_all(&everything).await?;
            assert!(!columns.is_empty(), "there is no {schema}.{table}");
            for column in columns {
                is_denied(&pool, &format!("UPDATE {schema}.{table} SET {column} = {column}")).await?;
            }
        }
    }
    // Audited reads come in by the one function that chains them.
    let customer = database.pool("customer").await?;
    is_denied(&customer, "INSERT INTO customer.audit_entries SELECT * FROM customer.audit_entries").await?;
    Ok(())
}

/// Rows are reached through their table: a partition that gave more would be a way around it.
#[tokio::test]
async fn a_partition_allows_nothing_that_its_table_does_not() -> Result<()> {
    let database = TestDatabase::new().await?;
    let everything = database.superuser().await?;
    // Months that are made while the service runs, too.
    let mut made = 0;
    for (schema, _) in SCHEMAS {
        let pool = database.pool(schema).await?;
        let parents = "SELECT relname::text FROM pg_class WHERE relnamespace = to_regnamespace($1) AND relkind = 'p'";
        let parents: Vec<String> = sqlx::query_scalar(parents).bind(schema).fetch_all(&everything).await?;
        for parent in parents {
            let make = format!("SELECT {schema}.ensure_partitions('{parent}', '2031-01-01', '2031-01-01')");
            let count: i32 = sqlx::query_scalar(AssertSqlSafe(make)).fetch_one(&pool).await.with_context(|| parent.clone())?;
            made += count;
        }
    }
    assert!(made >= 10, "only {made} partitions were made");
    let wider = "SELECT i.inhrelid::regclass::text || ' allows ' || p.privilege
        FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid AND c.relkind IN ('r', 'p') JOIN pg_namespace n ON n.oid = c.relnamespace,
             unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']) p (privilege)
        WHERE has_table_privilege(n.nspname || '_app', i.inhrelid, p.privilege)
          AND NOT has_table_privilege(n.nspname || '_app', i.inhparent, p.privilege) ORDER BY 1";
    assert_eq!(texts(&everything, wider).await?, Vec::<String>::new());
    Ok(())
}

/// What each running service may do with each table, as a file that a person reads: whoever widens a grant sees it in the diff.
#[tokio::test]
async fn the_grants_are_those_reviewed() -> Result<()> {
    let database = TestDatabase::new().await?;
    let everything = database.superuser().await?;
    let roles = "SELECT rolname || ' has more than a login' FROM pg_roles
        WHERE rolname ~ '_(app|owner)$' AND (rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls)
        UNION ALL SELECT m.roleid::regrole || ' is granted to ' || m.member::regrole FROM pg_auth_members m
        WHERE m.member::regrole::text ~ '_(app|owner)$'
        UNION ALL SELECT c.oid::regclass || ' belongs to an app role' FROM pg_class c WHERE pg_get_userbyid(c.relowner) ~ '_app$'
        UNION ALL SELECT p.oid::regprocedure || ' runs as its owner, with a path that its caller chooses' FROM pg_proc p
        WHERE p.prosecdef AND pg_get_userbyid(p.proowner) ~ '_owner$' AND NOT coalesce(p.proconfig::text ~ 'search_path=', false)
        UNION ALL SELECT p.oid::regprocedure || ' runs as its owner, for everybody' FROM pg_proc p
        WHERE p.prosecdef AND pg_get_userbyid(p.proowner) ~ '_owner$'
          AND EXISTS (SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a WHERE a.grantee = 0)";
    assert_eq!(texts(&everything, roles).await?, Vec::<String>::new());

    let grants = "SELECT c.oid::regclass || ': ' || coalesce(nullif(concat_ws(' ',
            CASE WHEN has_table_privilege(n.nspname || '_app', c.oid, 'SELECT') THEN 'read' END,
            CASE WHEN has_table_privilege(n.nspname || '_app', c.oid, 'INSERT') THEN 'add' END,
            CASE WHEN has_table_privilege(n.nspname || '_app', c.oid, 'UPDATE') THEN 'change'
                 WHEN has_any_column_privilege(n.nspname || '_app', c.oid, 'UPDATE') THEN 'change-some-columns' END,
            CASE WHEN has_table_privilege(n.nspname || '_app', c.oid, 'DELETE') THEN 'remove' END,
            CASE WHEN has_table_privilege(n.nspname || '_app', c.oid, 'TRUNCATE, REFERENCES, TRIGGER') THEN 'TOO MUCH' END), ''), 'nothing')
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname IN ('customer', 'work_order', 'notification', 'survey', 'care') AND c.relkind IN ('r', 'p', 'v', 'm') AND NOT c.relispartition
        ORDER BY 1";
    let grants = texts(&everything, grants).await?;
    assert!(grants.iter().all(|line| !line.contains("TOO MUCH")), "{grants:#?}");
    let mut out = String::from("# What a running service may do with each of its tables. It may do nothing elsewhere.\n");
    for line in grants {
        writeln!(out, "{line}")?;
    }
    assert_golden("database_grants.txt", &out);
    Ok(())
}
