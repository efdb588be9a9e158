//! Timers when many are due at once: in runs, and without making new ones wait behind all of them.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use sqlx::PgConnection;
use steward_kit::Result;
use steward_kit_store::timers::{FiredTimer, TimerHandler, TimerOptions};
use steward_kit_store::{Effects, TimerChange};
use uuid::Uuid;

use crate::support::{Notebook, SOURCE, World, commit, eventually, note};
use crate::timers::{index_size, quick, service, set, set_many, unswept};

/// Writes its notes for many at once, and remembers how many came together. One with the key "poison" fails; one with the key
/// "cancel" cancels the timer "cancelled" of its subject.
#[derive(Clone, Default)]
struct Runs(Arc<Mutex<Vec<usize>>>);

#[tonic::async_trait]
impl TimerHandler for Runs {
    fn kind(&self) -> &'static str {
        "clock"
    }

    fn takes_many(&self) -> bool {
        true
    }

    async fn fire(&self, tx: &mut PgConnection, timer: &FiredTimer, now: Timestamp) -> Result<Effects> {
        self.fire_all(tx, std::slice::from_ref(timer), now).await
    }

    async fn fire_all(&self, tx: &mut PgConnection, timers: &[FiredTimer], _now: Timestamp) -> Result<Effects> {
        self.0.lock().expect("not poisoned").push(timers.len());
        let mut effects = Effects::none();
        for timer in timers {
            if timer.key == "poison" {
                return Err(steward_kit::Error::bug("the test's own"));
            }
            note(tx, timer.subject_id, &timer.key).await?;
            if timer.key == "cancel" {
                effects.timers.push(TimerChange::cancel("clock", timer.subject_id, "cancelled"));
            }
        }
        Ok(effects)
    }
}

/// XC-26
#[tokio::test]
async fn a_handler_that_takes_many_gets_runs_and_never_what_an_older_one_of_its_subject_cancelled() {
    let world = World::new().await;
    let db = world.replica(SOURCE).await;
    set_many(&world, &db, 400, |_| world.in_(5)).await;
    let subject = Uuid::now_v7();
    commit(&db, &set(subject, "cancel", world.in_(3)), world.clock.now()).await;
    commit(&db, &set(subject, "cancelled", world.in_(4)), world.clock.now()).await;
    commit(&db, &set(Uuid::now_v7(), "poison", world.in_(5)), world.clock.now()).await;
    world.hand.advance(SignedDuration::from_secs(6));
    let runs = Runs::default();
    let running = service(&world.clock, &db, runs.clone(), quick());
    world.expect_notes(401).await;
    assert_eq!(world.count("SELECT count(DISTINCT key) FROM probe.notes").await, 401);
    assert_eq!(world.count("SELECT count(*) FROM probe.notes WHERE key = 'cancelled'").await, 0);
    assert_eq!(world.count("SELECT attempt_count::bigint FROM work_order.timers WHERE key = 'poison'").await, 1);
    let longest = runs.0.lock().expect("not poisoned").iter().copied().max();
    assert!(longest > Some(20), "they go together: {longest:?}");
    running.stop().await;
}

/// XC-26
#[tokio::test]
async fn what_comes_due_during_a_backlog_does_not_wait_behind_it_and_never_overtakes_its_own_subject() {
    let world = World::new().await;
    let db = world.replica(SOURCE).await;
    let slow = Notebook::before(|_: &FiredTimer| async {
        tokio::time::sleep(Duration::from_millis(5)).await;
        Ok(())
    });
    // All of one subject's, so of one shard; the fresh ones' subjects are of that shard too, or nothing would be overtaken.
    let crowd = Uuid::now_v7();
    let all: Vec<usize> = (0..400).collect();
    for chunk in all.chunks(100) {
        let timers = chunk.iter().map(|n| TimerChange::set("clock", crowd, format!("old {n}"), None, world.in_(10))).collect();
        commit(&db, &Effects { timers, ..Effects::none() }, world.clock.now()).await;
    }
    let neighbours = neighbours(crowd, 2);
    commit(&db, &set(neighbours[0], "older", world.in_(11)), world.clock.now()).await;
    world.hand.advance(SignedDuration::from_secs(60));
    let options = TimerOptions { batch: 20, lease: Duration::from_secs(15), ..unswept() };
    let running = service(&world.clock, &db, slow, options);
    eventually(Duration::from_secs(10), || async { world.note_count().await >= 20 }).await;
    for subject in neighbours {
        commit(&db, &set(subject, "fresh", world.clock.now()), world.clock.now()).await;
    }
    let fresh = "SELECT count(*) FROM probe.notes WHERE key IN ('fresh', 'older')";
    eventually(Duration::from_secs(10), || async { world.count(fresh).await == 3 }).await;
    assert!(world.note_count().await < 350, "the backlog is not done yet");
    let order = "SELECT (SELECT place FROM probe.notes WHERE key = 'older') - min(place) FROM probe.notes
                  WHERE key = 'fresh' AND subject = (SELECT subject FROM probe.notes WHERE key = 'older')";
    assert!(world.count(order).await < 0, "the older one of the subject went first");
    world.expect_notes(403).await;
    eventually(Duration::from_secs(10), || async { index_size(&world).await == 0 }).await;
    running.stop().await;
}

/// Subjects of the same shard as `subject`.
fn neighbours(subject: Uuid, count: usize) -> Vec<Uuid> {
    let shard = |id: Uuid| {
        let hash =
            id.as_bytes().iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
        (hash ^ (hash >> 32)) % 8
    };
    std::iter::repeat_with(Uuid::now_v7).filter(|id| shard(*id) == shard(subject)).take(count).collect()
}

/// XC-26
#[tokio::test]
async fn a_member_that_is_no_timer_leaves_the_index_and_disturbs_nobody() {
    let world = World::new().await;
    let db = world.replica(SOURCE).await;
    let mut redis = world.redis().await;
    for shard in 0..8 {
        let key = format!("steward:{{work_order:timers:{shard}}}:due");
        redis::cmd("ZADD").arg(key).arg(1).arg(Uuid::now_v7().to_string()).exec_async(&mut redis).await.expect("adds");
    }
    let running = service(&world.clock, &db, Notebook::new(), quick());
    commit(&db, &set(Uuid::now_v7(), "x", world.in_(-1)), world.clock.now()).await;
    world.expect_notes(1).await;
    eventually(Duration::from_secs(5), || async { index_size(&world).await == 0 }).await;
    running.stop().await;
}
