//! Connections that a balancer forgot: nothing comes on them any more, and nobody says so.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use secrecy::SecretString;
use steward_harness::proxy::Link;
use steward_kit_store::{Db, JobSet, StoreConfig, StoreResult};
use tokio::time::timeout;

use crate::support::{SOURCE, World, eventually};

/// Few, so that a place that is lost is missed.
const CONNECTIONS: u32 = 4;

async fn asked(db: &Db, sql: &'static str) -> steward_kit::Result<()> {
    sqlx::query(sql).execute(db.pool()).await.store().map(drop)
}

#[tokio::test]
async fn jobs_and_callers_go_on_after_connections_fell_silent() {
    let world = World::new().await;
    let direct = world.database.app_url(SOURCE);
    let server = direct.split(['@', '/']).find(|part| part.starts_with("127.0.0.1:")).expect("an address");
    let link = Link::to(server.parse().expect("an address")).await.expect("a link");
    let linked = direct.replace(server, &link.address().to_string());
    let mut config = StoreConfig::new(linked, SecretString::from(world.redis.url()));
    (config.database_connections, config.database_patience_ms) = (CONNECTIONS, 500);
    let db = Db::connect(&config, SOURCE).await.expect("connects");
    let jobs = JobSet::default();
    jobs.mind(&db);
    let rounds = Arc::new(AtomicUsize::new(0));
    let (turned, used) = (rounds.clone(), db.clone());
    jobs.spawn("asks without end", move |stop| {
        let (turned, used) = (turned.clone(), used.clone());
        async move {
            while !stop.is_cancelled() {
                // On a machine with much to do a statement may take longer than it may; silence itself is no failure.
                if asked(&used, "SELECT pg_sleep(0.02)").await.is_ok() {
                    turned.fetch_add(1, Ordering::SeqCst);
                }
            }
        }
    });
    // Every place of the pool is taken once, and is at rest when the link forgets.
    let at_once = (1..CONNECTIONS).map(|_| asked(&db, "SELECT pg_sleep(0.3)"));
    futures::future::try_join_all(at_once).await.expect("answers");
    eventually(Duration::from_secs(20), || async { rounds.load(Ordering::SeqCst) > 10 }).await;
    // The one beside the pool is there.
    let sessions = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND usename <> current_user";
    eventually(Duration::from_secs(10), || async { world.count(sessions).await > i64::from(CONNECTIONS) }).await;
    link.forget();
    let before = rounds.load(Ordering::SeqCst);
    assert!(timeout(Duration::from_millis(300), asked(&db, "SELECT 1")).await.is_err(), "nobody says that the connection is dead");
    eventually(Duration::from_secs(20), || async { rounds.load(Ordering::SeqCst) > before + 10 }).await;
    // The places are free again of those that rested and of the job; that of the caller who gave up before anybody doubted is not.
    let places = futures::future::try_join_all((2..CONNECTIONS).map(|_| db.pool().acquire()));
    let held = timeout(Duration::from_secs(10), places).await.expect("in time").expect("places");
    let before = rounds.load(Ordering::SeqCst);
    eventually(Duration::from_secs(20), || async { rounds.load(Ordering::SeqCst) > before + 3 }).await;
    drop(held);
    assert!(jobs.stop(Duration::from_secs(5)).await);
}
