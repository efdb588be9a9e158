//! Events while things break: at every step, nothing is lost and nothing is doubled.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use steward_kit::{Error, Result};
use steward_kit_store::outbox::{Appended, RedisStreams, Relay, Transport};
use tokio::sync::Notify;
use uuid::Uuid;

use crate::events::{consumer, expect_in_order, quick_relay, relay, write_events};
use crate::support::{Notebook, Running, SINK, SOURCE, World, eventually};

/// Appends, says so, and never returns: a relay that dies between XADD and COMMIT.
struct Hanging {
    inner: RedisStreams,
    appended: Arc<Notify>,
}

#[tonic::async_trait]
impl Transport for Hanging {
    async fn append(&self, shard: u16, stream_end: i64, position: i64, events: &[Vec<u8>]) -> Result<Appended> {
        let appended = self.inner.append(shard, stream_end, position, events).await?;
        if events.is_empty() {
            return Ok(appended);
        }
        self.appended.notify_one();
        std::future::pending().await
    }

    async fn acknowledged(&self, shard: u16) -> Result<Vec<(String, i64)>> {
        self.inner.acknowledged(shard).await
    }

    async fn trim(&self, shard: u16, position: i64) -> Result<()> {
        self.inner.trim(shard, position).await
    }
}

/// XC-26, XC-60
#[tokio::test]
async fn a_relay_killed_between_the_stream_and_the_commit_repeats_and_loses_nothing() {
    let world = World::new().await;
    let db = world.replica(SOURCE).await;
    let subjects = [Uuid::now_v7()];
    write_events(&world, &db, &subjects, 0..10).await;
    let appended = Arc::new(Notify::new());
    let transport = Hanging { inner: RedisStreams::new(db.redis().clone(), SOURCE), appended: appended.clone() };
    let dying = Relay::with(world.replica(SOURCE).await, world.clock.clone(), Arc::new(transport), quick_relay());
    let dying = Running::start(|stop| dying.run(stop));
    appended.notified().await;
    dying.kill().await;
    assert_eq!(world.count("SELECT count(*) FROM work_order.outbox WHERE publish_time IS NULL").await, 10, "not committed");

    // A row that is older than those in the stream, and was not visible to the dead relay: the positions it gets must
    // not swallow it.
    write_events(&world, &db, &subjects, 10..12).await;
    let relay = relay(&world, &db, quick_relay());
    let (_, consumer) = consumer(&world, world.replica(SINK).await, Notebook::new());
    expect_in_order(&world, &subjects, 12).await;
    let mut redis = world.redis().await;
    let mut entries = 0;
    for shard in 0..8 {
        let length: i64 =
            redis::cmd("XLEN").arg(format!("steward:{{work_order:events:{shard}}}")).query_async(&mut redis).await.expect("counts");
        entries += length;
    }
    assert_eq!(entries, 22, "ten events stand in the stream twice");
    consumer.stop().await;
    relay.stop().await;
}

/// XC-26, XC-60
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flush_of_redis_in_the_middle_of_thousands_of_events_loses_and_doubles_nothing() {
    let world = World::new().await;
    let sources = [world.replica(SOURCE).await, world.replica(SOURCE).await];
    let subjects: Vec<Uuid> = (0..100).map(|_| Uuid::now_v7()).collect();
    write_events(&world, &sources[0], &subjects, 0..20).await;
    let relays = sources.each_ref().map(|db| relay(&world, db, quick_relay()));
    let slow = || {
        Notebook::before(|_| async {
            tokio::time::sleep(Duration::from_millis(1)).await;
            Ok(())
        })
    };
    let (_, first) = consumer(&world, world.replica(SINK).await, slow());
    let (_, second) = consumer(&world, world.replica(SINK).await, slow());
    let unpublished = "SELECT count(*) FROM work_order.outbox WHERE publish_time IS NULL";
    eventually(Duration::from_secs(20), || async { world.note_count().await > 200 && world.count(unpublished).await < 1500 }).await;
    let flushed_at = world.note_count().await;
    world.flush_redis().await;
    assert!(flushed_at < 2000, "it was in the middle");
    write_events(&world, &sources[1], &subjects, 20..22).await;
    eventually(Duration::from_secs(20), || async { world.note_count().await > 1200 }).await;
    world.flush_redis().await;
    expect_in_order(&world, &subjects, 22).await;
    first.stop().await;
    second.stop().await;
    for relay in relays {
        relay.stop().await;
    }
}

/// XC-26, XC-60
#[tokio::test]
async fn events_written_while_redis_is_away_are_delivered_when_it_comes_back() {
    let mut world = World::new().await;
    let db = world.replica(SOURCE).await;
    let subjects = [Uuid::now_v7(), Uuid::now_v7()];
    let relay = relay(&world, &db, quick_relay());
    let (_, consumer) = consumer(&world, world.replica(SINK).await, Notebook::new());
    write_events(&world, &db, &subjects, 0..5).await;
    world.expect_notes(10).await;
    world.redis.stop();
    write_events(&world, &db, &subjects, 5..10).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(world.note_count().await, 10);
    assert_eq!(world.count("SELECT count(*) FROM work_order.outbox WHERE publish_time IS NULL").await, 10, "they wait");
    world.redis.start().expect("starts again, empty");
    expect_in_order(&world, &subjects, 10).await;
    consumer.stop().await;
    relay.stop().await;
}

/// XC-26, XC-60
#[tokio::test]
async fn a_consumer_killed_between_the_effect_and_the_acknowledgement_does_not_repeat_the_effect() {
    let world = World::new().await;
    let db = world.replica(SOURCE).await;
    let subjects = [Uuid::now_v7()];
    let relay = relay(&world, &db, quick_relay());
    write_events(&world, &db, &subjects, 0..1).await;
    let url = world.redis.url();
    // Redis stops answering while the handler works, so the commit goes through and the acknowledgement does not.
    let dying = Notebook::before(move |_| {
        let url = url.clone();
        async move {
            let client = redis::Client::open(url).expect("an address");
            let mut redis = client.get_multiplexed_async_connection().await.expect("connects");
            redis::cmd("CLIENT").arg("PAUSE").arg(1500).arg("ALL").exec_async(&mut redis).await.expect("pauses");
            Ok(())
        }
    });
    let (_, running) = consumer(&world, world.replica(SINK).await, dying);
    eventually(Duration::from_secs(10), || async { world.note_count().await == 1 }).await;
    running.kill().await;
    tokio::time::sleep(Duration::from_millis(1600)).await;
    let shard_pending = pending(&world).await;
    assert_eq!(shard_pending, 1, "delivered, applied, not acknowledged");
    write_events(&world, &db, &subjects, 1..3).await;
    let (_, running) = consumer(&world, world.replica(SINK).await, Notebook::new());
    expect_in_order(&world, &subjects, 3).await;
    eventually(Duration::from_secs(5), || async { pending(&world).await == 0 }).await;
    running.stop().await;
    relay.stop().await;
}

async fn pending(world: &World) -> usize {
    let mut redis = world.redis().await;
    let mut pending = 0;
    for shard in 0..8 {
        let groups: Result<redis::streams::StreamInfoGroupsReply, _> =
            redis::cmd("XINFO").arg("GROUPS").arg(format!("steward:{{work_order:events:{shard}}}")).query_async(&mut redis).await;
        pending += groups.map(|reply| reply.groups).unwrap_or_default().iter().map(|group| group.pending).sum::<usize>();
    }
    pending
}

/// XC-26
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_consumer_killed_in_the_middle_of_a_batch_leaves_it_to_the_next() {
    let world = World::new().await;
    let db = world.replica(SOURCE).await;
    let subjects: Vec<Uuid> = (0..5).map(|_| Uuid::now_v7()).collect();
    write_events(&world, &db, &subjects, 0..20).await;
    let relay = relay(&world, &db, quick_relay());
    let reached = Arc::new(AtomicUsize::new(0));
    let counter = reached.clone();
    let dying = Notebook::before(move |_| {
        let place = counter.fetch_add(1, Ordering::SeqCst);
        async move { if place == 33 { std::future::pending().await } else { Ok(()) } }
    });
    let (_, running) = consumer(&world, world.replica(SINK).await, dying);
    eventually(Duration::from_secs(10), || async { reached.load(Ordering::SeqCst) > 33 }).await;
    running.kill().await;
    assert!(world.note_count().await < 100);
    let (_, running) = consumer(&world, world.replica(SINK).await, Notebook::new());
    expect_in_order(&world, &subjects, 20).await;
    running.stop().await;
    relay.stop().await;
}

/// XC-26
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn broken_database_connections_and_peers_that_are_down_are_waited_out_and_bury_nothing() {
    let world = World::new().await;
    let db = world.replica(SOURCE).await;
    let subjects: Vec<Uuid> = (0..5).map(|_| Uuid::now_v7()).collect();
    write_events(&world, &db, &subjects, 0..20).await;
    let relay = relay(&world, &db, quick_relay());
    let down = Arc::new(AtomicBool::new(true));
    let refusals = Arc::new(AtomicUsize::new(0));
    let (is_down, counter) = (down.clone(), refusals.clone());
    let handler = Notebook::before(move |_| {
        let down = is_down.load(Ordering::SeqCst);
        counter.fetch_add(usize::from(down), Ordering::SeqCst);
        async move { if down { Err(Error::unavailable("peer", anyhow::anyhow!("down"))) } else { Ok(()) } }
    });
    let (_, running) = consumer(&world, world.replica(SINK).await, handler);
    eventually(Duration::from_secs(20), || async { refusals.load(Ordering::SeqCst) > 30 }).await;
    world.database.break_connections().await.expect("breaks");
    down.store(false, Ordering::SeqCst);
    let mut world = world;
    world.admin = world.database.superuser().await.expect("connects again");
    expect_in_order(&world, &subjects, 20).await;
    assert_eq!(world.count("SELECT count(*) FROM notification.dead_letters").await, 0);
    running.stop().await;
    relay.stop().await;
}

/// XC-26, XC-60
#[tokio::test]
async fn a_redis_that_comes_back_with_an_older_state_gets_the_rest_again() {
    let world = World::new().await;
    let db = world.replica(SOURCE).await;
    let subjects: Vec<Uuid> = (0..10).map(|_| Uuid::now_v7()).collect();
    let relay = relay(&world, &db, quick_relay());
    let (_, running) = consumer(&world, world.replica(SINK).await, Notebook::new());
    write_events(&world, &db, &subjects, 0..4).await;
    world.expect_notes(40).await;
    let mut redis = world.redis().await;
    let mut snapshot = Vec::new();
    for shard in 0..8 {
        let stream = format!("steward:{{work_order:events:{shard}}}");
        let dump: Option<Vec<u8>> = redis::cmd("DUMP").arg(&stream).query_async(&mut redis).await.expect("dumps");
        snapshot.extend(dump.map(|dump| (stream, dump)));
    }
    running.stop().await;
    write_events(&world, &db, &subjects, 4..8).await;
    let unpublished = "SELECT count(*) FROM work_order.outbox WHERE publish_time IS NULL";
    eventually(Duration::from_secs(5), || async { world.count(unpublished).await == 0 }).await;
    // A failover to a replica that had not heard of the last forty events.
    for (stream, dump) in snapshot {
        redis::cmd("RESTORE").arg(stream).arg(0).arg(dump).arg("REPLACE").exec_async(&mut redis).await.expect("restores");
    }
    let (_, running) = consumer(&world, world.replica(SINK).await, Notebook::new());
    expect_in_order(&world, &subjects, 8).await;
    running.stop().await;
    relay.stop().await;
}
