//! Events while all is well: order, once, duplicates, trimming.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use steward_kit_store::inbox::{Consumer, ConsumerOptions};
use steward_kit_store::outbox::{RedisStreams, Relay, RelayOptions};
use steward_kit_store::{Db, Effects};
use uuid::Uuid;

use crate::support::{Notebook, Running, SINK, SOURCE, World, commit, event, eventually};

pub(crate) fn quick_relay() -> RelayOptions {
    RelayOptions { batch: 50, scan_every: Duration::from_millis(50), tend_every: Duration::from_millis(100), ..RelayOptions::default() }
}

pub(crate) fn quick_consumer() -> ConsumerOptions {
    ConsumerOptions {
        batch: 20,
        lease: Duration::from_millis(900),
        scan_every: Duration::from_millis(100),
        retry_after: Duration::from_millis(5),
        ..ConsumerOptions::default()
    }
}

pub(crate) fn relay(world: &World, db: &Db, options: RelayOptions) -> Running {
    let transport = Arc::new(RedisStreams::new(db.redis().clone(), db.schema()));
    let relay = Relay::with(db.clone(), world.clock.clone(), transport, options);
    Running::start(|stop| relay.run(stop))
}

pub(crate) fn consumer(world: &World, db: Db, handler: Notebook<steward_proto::event::v1::Event>) -> (Consumer, Running) {
    let consumer = Consumer::with(db, world.clock.clone(), SOURCE, "notes", Arc::new(handler), quick_consumer());
    let running = Running::start(|stop| consumer.clone().run(stop));
    (consumer, running)
}

/// Writes events 0.. of each subject, one transaction each, subjects interleaved.
pub(crate) async fn write_events(world: &World, db: &Db, subjects: &[Uuid], numbers: std::ops::Range<usize>) {
    for number in numbers {
        for subject in subjects {
            let effects = Effects { events: vec![event(*subject, number, world.clock.now())], ..Effects::none() };
            commit(db, &effects, world.clock.now()).await;
        }
    }
}

/// Every subject's events 0..count stand in the notebook, in order and once.
pub(crate) async fn expect_in_order(world: &World, subjects: &[Uuid], count: usize) {
    world.expect_notes(i64::try_from(subjects.len() * count).expect("small")).await;
    let mut seen: HashMap<Uuid, Vec<String>> = HashMap::new();
    for (subject, number) in world.notes().await {
        seen.entry(subject).or_default().push(number);
    }
    let wanted: Vec<String> = (0..count).map(|number| number.to_string()).collect();
    for subject in subjects {
        assert_eq!(seen.get(subject), Some(&wanted), "the events of a subject, in order");
    }
}

/// XC-60
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_relays_and_two_consumers_keep_the_order_of_each_subject_and_apply_once() {
    let world = World::new().await;
    let sources = [world.replica(SOURCE).await, world.replica(SOURCE).await];
    let relays = sources.each_ref().map(|db| relay(&world, db, quick_relay()));
    let (_, first) = consumer(&world, world.replica(SINK).await, Notebook::new());
    let (_, second) = consumer(&world, world.replica(SINK).await, Notebook::new());
    let subjects: Vec<Uuid> = (0..40).map(|_| Uuid::now_v7()).collect();
    let (left, right) = subjects.split_at(20);
    tokio::join!(write_events(&world, &sources[0], left, 0..15), write_events(&world, &sources[1], right, 0..15));
    expect_in_order(&world, &subjects, 15).await;
    assert_eq!(world.count("SELECT count(*) FROM work_order.outbox WHERE publish_time IS NULL").await, 0);
    first.stop().await;
    second.stop().await;
    for relay in relays {
        relay.stop().await;
    }
}

/// XC-60
#[tokio::test]
async fn an_event_that_stands_in_the_stream_three_times_is_applied_once() {
    let world = World::new().await;
    let db = world.replica(SOURCE).await;
    let relay = relay(&world, &db, quick_relay());
    let (_, consumer) = consumer(&world, world.replica(SINK).await, Notebook::new());
    let subject = Uuid::now_v7();
    write_events(&world, &db, &[subject], 0..3).await;
    world.expect_notes(3).await;
    // What a broker that delivers again looks like to the consumer.
    let mut redis = world.redis().await;
    for shard in 0..8 {
        let stream = format!("steward:{{work_order:events:{shard}}}");
        let entries: Vec<Entry> = redis::cmd("XRANGE").arg(&stream).arg("-").arg("+").query_async(&mut redis).await.expect("reads");
        for (_, fields) in entries.iter().chain(&entries) {
            let id: String =
                redis::cmd("XADD").arg(&stream).arg("*").arg("event").arg(&fields[0].1).query_async(&mut redis).await.expect("adds");
            assert!(!id.is_empty());
        }
    }
    eventually(Duration::from_secs(10), || async { pending_or_unread(&world).await == 0 }).await;
    expect_in_order(&world, &[subject], 3).await;
    consumer.stop().await;
    relay.stop().await;
}

/// An entry id with its fields.
type Entry = (String, Vec<(String, Vec<u8>)>);

/// Entries that the group has not acknowledged, over all shards.
async fn pending_or_unread(world: &World) -> i64 {
    let mut redis = world.redis().await;
    let mut left = 0;
    for shard in 0..8 {
        let stream = format!("steward:{{work_order:events:{shard}}}");
        let groups: Result<redis::streams::StreamInfoGroupsReply, _> =
            redis::cmd("XINFO").arg("GROUPS").arg(&stream).query_async(&mut redis).await;
        for group in groups.map(|reply| reply.groups).unwrap_or_default() {
            left += i64::try_from(group.pending + group.lag.unwrap_or(0)).expect("small");
        }
    }
    left
}

#[tokio::test]
async fn what_everybody_has_acknowledged_leaves_the_stream_after_the_retention_and_not_before() {
    let world = World::new().await;
    let db = world.replica(SOURCE).await;
    let relay = relay(&world, &db, RelayOptions { retention: SignedDuration::from_hours(1), ..quick_relay() });
    let (_, running) = consumer(&world, world.replica(SINK).await, Notebook::new());
    let subject = Uuid::now_v7();
    write_events(&world, &db, &[subject], 0..250).await;
    world.expect_notes(250).await;
    running.stop().await;
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert_eq!(stream_length(&world).await, 250, "young entries stay");

    // New events that nobody has acknowledged, then the retention passes.
    write_events(&world, &db, &[subject], 250..253).await;
    tokio::time::sleep(Duration::from_millis(400)).await;
    world.hand.advance(SignedDuration::from_hours(2));
    // Trimming is by whole nodes of the stream (100 entries), so something below the watermark may stay.
    eventually(Duration::from_secs(10), || async { stream_length(&world).await < 150 }).await;
    assert!(stream_length(&world).await >= 3, "what is not acknowledged stays");
    let (_, running) = consumer(&world, world.replica(SINK).await, Notebook::new());
    expect_in_order(&world, &[subject], 253).await;
    running.stop().await;
    relay.stop().await;
}

async fn stream_length(world: &World) -> i64 {
    let mut redis = world.redis().await;
    let mut length = 0;
    for shard in 0..8 {
        let of_shard: i64 =
            redis::cmd("XLEN").arg(format!("steward:{{work_order:events:{shard}}}")).query_async(&mut redis).await.expect("counts");
        length += of_shard;
    }
    length
}
