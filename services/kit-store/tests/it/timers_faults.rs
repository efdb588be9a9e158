//! Timers while things break: every one fires, once, oldest first.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use jiff::SignedDuration;
use steward_kit_store::timers::{FiredTimer, TimerOptions};
use tokio::sync::Notify;
use uuid::Uuid;

use crate::support::{Notebook, SOURCE, World, commit, eventually};
use crate::timers::{index_size, quick, service, set, set_many};

/// XC-26
#[tokio::test]
async fn a_replica_killed_between_the_claim_and_the_effect_leaves_the_timers_to_another() {
    let world = World::new().await;
    let db = world.replica(SOURCE).await;
    set_many(&world, &db, 30, |_| world.in_(1)).await;
    world.hand.advance(SignedDuration::from_secs(2));
    let claimed = Arc::new(Notify::new());
    let reached = claimed.clone();
    let dying = Notebook::before(move |_: &FiredTimer| {
        reached.notify_one();
        std::future::pending()
    });
    let dying = service(&world.clock, &world.replica(SOURCE).await, dying, quick());
    claimed.notified().await;
    dying.kill().await;
    assert_eq!(world.note_count().await, 0, "its transaction is undone");
    assert!(index_size(&world).await > 0);
    // Not the writer, whose hints would put the timers in anew: nothing but the end of the leases brings them back.
    let running = service(&world.clock, &world.replica(SOURCE).await, Notebook::new(), quick());
    world.expect_notes(30).await;
    running.stop().await;
}

/// XC-26
#[tokio::test]
async fn a_replica_killed_between_the_effect_and_the_acknowledgement_does_not_let_the_timer_fire_again() {
    let world = World::new().await;
    let db = world.replica(SOURCE).await;
    let url = world.redis.url();
    let dying = Notebook::before(move |_: &FiredTimer| {
        let url = url.clone();
        async move {
            let client = redis::Client::open(url).expect("an address");
            let mut redis = client.get_multiplexed_async_connection().await.expect("connects");
            redis::cmd("CLIENT").arg("PAUSE").arg(1200).arg("ALL").exec_async(&mut redis).await.expect("pauses");
            Ok(())
        }
    });
    // Its connection goes with it, or what it had sent would be done when Redis answers again.
    let dying = service(&world.clock, &world.replica(SOURCE).await, dying, quick());
    commit(&db, &set(Uuid::now_v7(), "x", world.in_(-1)), world.clock.now()).await;
    eventually(Duration::from_secs(5), || async { world.note_count().await == 1 }).await;
    dying.kill().await;
    tokio::time::sleep(Duration::from_millis(1300)).await;
    assert_eq!(index_size(&world).await, 1, "fired, and still leased");
    let running = service(&world.clock, &db, Notebook::new(), quick());
    eventually(Duration::from_secs(10), || async { index_size(&world).await == 0 }).await;
    world.expect_notes(1).await;
    running.stop().await;
}

/// XC-26
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flush_of_redis_in_the_middle_of_thousands_of_timers_loses_and_doubles_nothing() {
    let world = World::new().await;
    let replicas = [world.replica(SOURCE).await, world.replica(SOURCE).await];
    set_many(&world, &replicas[0], 4000, |n| world.in_(if n < 2000 { 10 } else { 3600 })).await;
    let slow = || {
        Notebook::before(|_: &FiredTimer| async {
            tokio::time::sleep(Duration::from_millis(1)).await;
            Ok(())
        })
    };
    let running = replicas.each_ref().map(|db| service(&world.clock, db, slow(), quick()));
    eventually(Duration::from_secs(10), || async { index_size(&world).await >= 4000 }).await;
    world.hand.advance(SignedDuration::from_secs(11));
    eventually(Duration::from_secs(20), || async { world.note_count().await > 100 }).await;
    world.flush_redis().await;
    assert!(world.note_count().await < 2000, "it was in the middle");
    world.expect_notes(2000).await;
    world.flush_redis().await;
    // Those of an hour from now are filled in again, not only what is due soon.
    eventually(Duration::from_secs(10), || async { index_size(&world).await >= 2000 }).await;
    world.hand.advance(SignedDuration::from_hours(1));
    world.expect_notes(4000).await;
    assert_eq!(world.count("SELECT count(DISTINCT key) FROM probe.notes").await, 4000);
    for replica in running {
        replica.stop().await;
    }
}

/// XC-26
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_redis_timers_fire_from_postgres_within_seconds_and_once() {
    let mut world = World::new().await;
    let replicas = [world.replica(SOURCE).await, world.replica(SOURCE).await];
    let running = replicas.each_ref().map(|db| service(&world.clock, db, Notebook::new(), quick()));
    set_many(&world, &replicas[0], 300, |_| world.in_(60)).await;
    world.redis.stop();
    set_many(&world, &replicas[0], 300, |_| world.in_(60)).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(world.note_count().await, 0, "not before they are due");
    world.hand.advance(SignedDuration::from_secs(60));
    let start = Instant::now();
    eventually(Duration::from_secs(20), || async { world.note_count().await >= 600 }).await;
    assert!(start.elapsed() < Duration::from_secs(8), "took {:?}", start.elapsed());
    world.expect_notes(600).await;
    world.redis.start().expect("starts again, empty");
    set_many(&world, &replicas[1], 10, |_| world.in_(30)).await;
    world.hand.advance(SignedDuration::from_secs(31));
    world.expect_notes(610).await;
    for replica in running {
        replica.stop().await;
    }
}

/// XC-26
#[tokio::test]
async fn after_a_week_without_anybody_everything_fires_oldest_first() {
    let mut world = World::new().await;
    let db = world.replica(SOURCE).await;
    // Written in no order, and Redis has never heard of them.
    let subject = Uuid::now_v7();
    for n in 0..200 {
        commit(&db, &set(subject, format!("{:03}", n * 77 % 200), world.in_((n * 77 % 200) * 2000)), world.clock.now()).await;
    }
    world.redis.stop();
    world.hand.advance(SignedDuration::from_hours(24 * 7));
    world.redis.start().expect("starts, empty");
    let running = service(&world.clock, &world.replica(SOURCE).await, Notebook::new(), quick());
    world.expect_notes(200).await;
    let fired: Vec<String> = world.notes().await.into_iter().map(|note| note.1).collect();
    let wanted: Vec<String> = (0..200).map(|n| format!("{n:03}")).collect();
    assert_eq!(fired, wanted);
    running.stop().await;
}

/// XC-26
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn broken_database_connections_delay_timers_and_neither_lose_nor_double_them() {
    let mut world = World::new().await;
    let db = world.replica(SOURCE).await;
    set_many(&world, &db, 500, |_| world.in_(1)).await;
    let fired = Arc::new(AtomicUsize::new(0));
    let counter = fired.clone();
    let slow = Notebook::before(move |_: &FiredTimer| {
        counter.fetch_add(1, Ordering::SeqCst);
        async {
            tokio::time::sleep(Duration::from_millis(2)).await;
            Ok(())
        }
    });
    world.hand.advance(SignedDuration::from_secs(2));
    // Leases are longer than anybody waits here, and the clock stands still: what was claimed is given back, and none is put later.
    let running = service(&world.clock, &db, slow, TimerOptions { lease: Duration::from_secs(600), ..quick() });
    eventually(Duration::from_secs(10), || async { fired.load(Ordering::SeqCst) > 60 }).await;
    world.database.break_connections().await.expect("breaks");
    world.admin = world.database.superuser().await.expect("connects again");
    assert!(world.note_count().await < 500, "it was in the middle");
    world.expect_notes(500).await;
    running.stop().await;
}

/// XC-26
#[tokio::test]
async fn a_row_that_redis_never_heard_of_is_found_by_the_sweeper() {
    let world = World::new().await;
    let db = world.replica(SOURCE).await;
    let running = service(&world.clock, &db, Notebook::new(), quick());
    tokio::time::sleep(Duration::from_millis(500)).await;
    // A process that died between its commit and the hint: no wake.
    let effects = set(Uuid::now_v7(), "x", world.in_(30));
    let mut tx = db.begin().await.expect("begins");
    effects.write(&db, &mut tx, world.clock.now()).await.expect("writes");
    tx.commit().await.expect("commits");
    world.hand.advance(SignedDuration::from_secs(31));
    world.expect_notes(1).await;
    running.stop().await;
}

/// XC-26
#[tokio::test]
async fn a_service_that_starts_without_redis_takes_work_at_once_and_keeps_its_promises() {
    let mut world = World::new().await;
    world.redis.stop();
    let db = world.replica(SOURCE).await;
    let running = service(&world.clock, &db, Notebook::new(), quick());
    let start = Instant::now();
    commit(&db, &set(Uuid::now_v7(), "x", world.in_(-1)), world.clock.now()).await;
    assert!(start.elapsed() < Duration::from_millis(500), "a caller does not wait for Redis: {:?}", start.elapsed());
    world.expect_notes(1).await;
    running.stop().await;
}
