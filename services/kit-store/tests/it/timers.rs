//! Timers while all is well: on time, once, moved, cancelled.

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use steward_kit::Error;
use steward_kit::clock::Clock;
use steward_kit_store::timers::{FiredTimer, TimerHandler, TimerOptions, TimerService};
use steward_kit_store::{Db, Effects, TimerChange};
use uuid::Uuid;

use crate::support::{Notebook, Running, SOURCE, World, commit, eventually, note};

pub(crate) fn quick() -> TimerOptions {
    TimerOptions { batch: 50, lease: Duration::from_millis(800), sweep_every: Duration::from_millis(200) }
}

/// No sweeper to speak of: what fires in time was woken for.
pub(crate) fn unswept() -> TimerOptions {
    TimerOptions { sweep_every: Duration::from_secs(3600), ..quick() }
}

pub(crate) fn service(clock: &Clock, db: &Db, handler: impl TimerHandler, options: TimerOptions) -> Running {
    let service = TimerService::with(db.clone(), clock.clone(), vec![Arc::new(handler)], options).expect("one handler a kind");
    Running::start(|stop| service.run(stop))
}

pub(crate) fn set(subject: Uuid, key: impl Into<String>, due_time: jiff::Timestamp) -> Effects {
    Effects { timers: vec![TimerChange::set("clock", subject, key, None, due_time)], ..Effects::none() }
}

/// Writes many timers, `chunk` to a statement.
pub(crate) async fn set_many(world: &World, db: &Db, count: usize, due: impl Fn(usize) -> jiff::Timestamp) {
    let all: Vec<usize> = (0..count).collect();
    for chunk in all.chunks(500) {
        let timers = chunk.iter().map(|n| TimerChange::set("clock", Uuid::now_v7(), n.to_string(), None, due(*n))).collect();
        commit(db, &Effects { timers, ..Effects::none() }, world.clock.now()).await;
    }
}

/// XC-26
#[tokio::test]
async fn a_timer_fires_at_its_time_and_not_before() {
    let world = World::new().await;
    let db = world.replica(SOURCE).await;
    let running = service(&world.clock, &db, Notebook::new(), unswept());
    let subject = Uuid::now_v7();
    commit(&db, &set(subject, "late", world.in_(900)), world.clock.now()).await;
    commit(&db, &set(subject, "soon", world.in_(60)), world.clock.now()).await;
    commit(&db, &set(subject, "past", world.in_(-5)), world.clock.now()).await;
    world.expect_notes(1).await;
    world.hand.advance(SignedDuration::from_millis(59_999));
    world.expect_notes(1).await;
    world.hand.advance(SignedDuration::from_millis(1));
    world.expect_notes(2).await;
    world.hand.advance(SignedDuration::from_mins(15));
    world.expect_notes(3).await;
    assert_eq!(world.notes().await.iter().map(|note| note.1.as_str()).collect::<Vec<_>>(), ["past", "soon", "late"]);
    assert_eq!(world.count("SELECT count(*) FROM work_order.timers").await, 0);
    running.stop().await;
}

/// XC-26
#[tokio::test]
async fn on_the_real_clock_a_timer_is_late_by_milliseconds() {
    let world = World::new().await;
    let db = world.replica(SOURCE).await;
    let clock = Clock::system();
    let lateness = Arc::new(std::sync::Mutex::new(Vec::new()));
    let (late, asked) = (lateness.clone(), clock.clone());
    let handler = Notebook::before(move |timer: &FiredTimer| {
        late.lock().expect("not poisoned").push(asked.now().duration_since(timer.due_time));
        async { Ok(()) }
    });
    let running = service(&clock, &db, handler.clone(), unswept());
    // Two replicas: the loops sleep already; those of the one that does not write hear of each earlier timer from Redis.
    let writer = world.replica(SOURCE).await;
    let hinting = service(&clock, &writer, handler, unswept());
    tokio::time::sleep(Duration::from_millis(300)).await;
    for millis in [900, 700, 500, 300] {
        commit(&writer, &set(Uuid::now_v7(), "x", clock.now() + SignedDuration::from_millis(millis)), clock.now()).await;
    }
    world.expect_notes(4).await;
    hinting.stop().await;
    running.stop().await;
    let lateness = lateness.lock().expect("not poisoned").clone();
    assert!(lateness.iter().all(|late| !late.is_negative()), "never early: {lateness:?}");
    assert!(lateness.iter().all(|late| *late < SignedDuration::from_millis(150)), "{lateness:?}");
}

/// XC-26
#[tokio::test]
async fn a_timer_that_was_moved_fires_once_at_its_new_time_and_a_cancelled_one_never() {
    let world = World::new().await;
    let db = world.replica(SOURCE).await;
    let running = service(&world.clock, &db, Notebook::new(), unswept());
    let [earlier, later, cancelled, all] = [(); 4].map(|()| Uuid::now_v7());
    for subject in [earlier, later, cancelled, all] {
        commit(&db, &set(subject, "x", world.in_(100)), world.clock.now()).await;
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    commit(&db, &set(earlier, "x", world.in_(50)), world.clock.now()).await;
    commit(&db, &set(later, "x", world.in_(150)), world.clock.now()).await;
    let cancel = |timers| Effects { timers, ..Effects::none() };
    commit(&db, &cancel(vec![TimerChange::cancel("clock", cancelled, "x")]), world.clock.now()).await;
    commit(&db, &cancel(vec![TimerChange::cancel_all(all)]), world.clock.now()).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    world.hand.advance(SignedDuration::from_secs(50));
    world.expect_notes(1).await;
    world.hand.advance(SignedDuration::from_secs(99));
    world.expect_notes(1).await;
    world.hand.advance(SignedDuration::from_secs(1));
    world.expect_notes(2).await;
    world.hand.advance(SignedDuration::from_hours(1));
    world.expect_notes(2).await;
    assert_eq!(world.notes().await.iter().map(|note| note.0).collect::<Vec<_>>(), [earlier, later]);
    assert_eq!(index_size(&world).await, 0, "stale wake-ups leave the index too");
    running.stop().await;
}

/// Members of every due and leased set.
pub(crate) async fn index_size(world: &World) -> i64 {
    let mut redis = world.redis().await;
    let mut size = 0;
    for shard in 0..8 {
        for what in ["due", "leased"] {
            let key = format!("steward:{{work_order:timers:{shard}}}:{what}");
            let of_set: i64 = redis::cmd("ZCARD").arg(key).query_async(&mut redis).await.expect("counts");
            size += of_set;
        }
    }
    size
}

/// XC-26
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_timers_fire_once_each_under_three_replicas() {
    let world = World::new().await;
    let replicas = [world.replica(SOURCE).await, world.replica(SOURCE).await, world.replica(SOURCE).await];
    let running = replicas.each_ref().map(|db| service(&world.clock, db, Notebook::new(), quick()));
    set_many(&world, &replicas[0], 10_000, |n| world.in_(i64::try_from(n).expect("small") % 600 + 60)).await;
    assert_eq!(world.note_count().await, 0);
    for _ in 0..11 {
        world.hand.advance(SignedDuration::from_mins(1));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    world.expect_notes(10_000).await;
    assert_eq!(world.count("SELECT count(DISTINCT key) FROM probe.notes").await, 10_000);
    for replica in running {
        replica.stop().await;
    }
}

#[tokio::test]
async fn what_an_older_timer_of_the_same_batch_cancels_does_not_fire() {
    struct Cancelling;
    #[tonic::async_trait]
    impl TimerHandler for Cancelling {
        fn kind(&self) -> &'static str {
            "clock"
        }
        async fn fire(&self, tx: &mut sqlx::PgConnection, timer: &FiredTimer, now: jiff::Timestamp) -> steward_kit::Result<Effects> {
            note(tx, timer.subject_id, &timer.key).await?;
            // The breach ends the order's other timers, but for one that it sets anew.
            let again = TimerChange::set("clock", timer.subject_id, "again", None, now + SignedDuration::from_secs(60));
            let timers = if timer.key == "first" { vec![TimerChange::cancel_all(timer.subject_id), again] } else { vec![] };
            Ok(Effects { timers, ..Effects::none() })
        }
    }
    let world = World::new().await;
    let db = world.replica(SOURCE).await;
    let subject = Uuid::now_v7();
    for (key, seconds) in [("second", 20), ("first", 10), ("again", 30), ("later", 500)] {
        commit(&db, &set(subject, key, world.in_(seconds)), world.clock.now()).await;
    }
    world.hand.advance(SignedDuration::from_secs(100));
    let running = service(&world.clock, &db, Cancelling, quick());
    world.expect_notes(1).await;
    world.hand.advance(SignedDuration::from_hours(1));
    world.expect_notes(2).await;
    assert_eq!(world.notes().await.iter().map(|note| note.1.as_str()).collect::<Vec<_>>(), ["first", "again"]);
    running.stop().await;
}

#[tokio::test]
async fn a_timer_whose_handler_fails_is_put_later_alone_and_tried_again() {
    let world = World::new().await;
    let db = world.replica(SOURCE).await;
    let healed = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let is_healed = healed.clone();
    let handler = Notebook::before(move |timer: &FiredTimer| {
        let ok = timer.key != "7" && timer.key != "8" || is_healed.load(std::sync::atomic::Ordering::SeqCst);
        assert!(ok || timer.key == "7", "the test's own panic");
        async move { if ok { Ok(()) } else { Err(Error::bug("not now")) } }
    });
    set_many(&world, &db, 20, |_| world.in_(1)).await;
    world.hand.advance(SignedDuration::from_secs(2));
    let running = service(&world.clock, &db, handler, quick());
    world.expect_notes(18).await;
    let left: Vec<(String, i32, bool)> =
        sqlx::query_as("SELECT key, attempt_count, wake_time > due_time + interval '4 s' FROM work_order.timers ORDER BY key")
            .fetch_all(&world.admin)
            .await
            .expect("reads");
    assert_eq!(left, [("7".to_owned(), 1, true), ("8".to_owned(), 1, true)]);
    world.hand.advance(SignedDuration::from_secs(6));
    eventually(Duration::from_secs(5), || async {
        world.count("SELECT count(*) FROM work_order.timers WHERE attempt_count = 2").await == 2
    })
    .await;
    healed.store(true, std::sync::atomic::Ordering::SeqCst);
    world.hand.advance(SignedDuration::from_secs(11));
    world.expect_notes(20).await;
    running.stop().await;
}

#[tokio::test]
async fn a_kind_that_this_version_does_not_know_waits_for_one_that_does() {
    let world = World::new().await;
    let db = world.replica(SOURCE).await;
    let old = service(&world.clock, &db, Notebook::new().of_kind("other"), quick());
    commit(&db, &set(Uuid::now_v7(), "x", world.in_(1)), world.clock.now()).await;
    world.hand.advance(SignedDuration::from_secs(2));
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(world.count("SELECT count(*) FROM work_order.timers").await, 1);
    old.stop().await;
    let new = service(&world.clock, &db, Notebook::new(), quick());
    world.expect_notes(1).await;
    new.stop().await;
    let twice = TimerService::new(db, world.clock.clone(), vec![Arc::new(Notebook::new()), Arc::new(Notebook::new())]);
    assert!(twice.is_err(), "two handlers of one kind");
}
