//! The single statement: all of it, or nothing.

use prost_types::Duration as Answer;
use sqlx::Row;
use steward_kit::Error;
use steward_kit::idempotency::RequestKey;
use steward_kit::ids::RequestId;
use steward_kit_store::idempotency::{REQUEST_ID_REUSED, is_replay, replay, replayed};
use steward_kit_store::{Claim, Db, Effects, StoreResult, TimerChange};
use uuid::Uuid;

use crate::support::{SOURCE, World, event};

/// Changes a row guarded by its version, with the effects derived from it, as the module's doc says.
async fn update(db: &Db, id: i64, version: bool, effects: &Effects, world: &World) -> Result<i64, sqlx::Error> {
    let row = sqlx::query(
        "WITH updated AS (UPDATE probe.notes SET done = NOT done WHERE place = $1 AND done = $2 RETURNING place)
         SELECT (SELECT count(*) FROM updated) AS updated, (SELECT work_order.write_effects($3) FROM updated)::text AS effects",
    )
    .bind(id)
    .bind(version)
    .bind(effects.json(world.clock.now()))
    .fetch_one(db.pool())
    .await?;
    row.try_get("updated")
}

fn key(request_id: RequestId, body: u8) -> RequestKey {
    RequestKey { request_id, principal: "wang".into(), method: "Assign".into(), body_hash: [body; 32] }
}

fn full(world: &World, key: &RequestKey, seconds: i64) -> Effects {
    let subject = Uuid::now_v7();
    Effects {
        claim: Some(Claim::new(key, &Answer { seconds, nanos: 0 })),
        events: vec![event(subject, 1, world.clock.now())],
        timers: vec![TimerChange::set("clock", subject, "contact", None, world.in_(900))],
    }
}

async fn written(world: &World) -> (i64, i64, i64) {
    (
        world.count("SELECT count(*) FROM work_order.idempotency_claims").await,
        world.count("SELECT count(*) FROM work_order.outbox").await,
        world.count("SELECT count(*) FROM work_order.timers").await,
    )
}

async fn one_row(world: &World) -> i64 {
    world.count("INSERT INTO probe.notes (key) VALUES ('row') RETURNING place").await
}

#[tokio::test]
async fn a_stale_update_writes_nothing_at_all() {
    let world = World::new().await;
    let db = world.replica(SOURCE).await;
    let row = one_row(&world).await;
    let effects = full(&world, &key(RequestId::new(), 1), 1);
    assert_eq!(update(&db, row, false, &effects, &world).await.expect("runs"), 0);
    assert_eq!(written(&world).await, (0, 0, 0));
    assert_eq!(update(&db, row, true, &effects, &world).await.expect("runs"), 1);
    assert_eq!(written(&world).await, (1, 1, 1));
}

/// XC-60
#[tokio::test]
async fn a_repeated_request_is_void_and_gets_the_first_answer() {
    let world = World::new().await;
    let db = world.replica(SOURCE).await;
    let row = one_row(&world).await;
    let request = key(RequestId::new(), 1);
    assert!(replay(&db, &request).await.expect("reads").is_none());
    assert_eq!(update(&db, row, true, &full(&world, &request, 7), &world).await.expect("runs"), 1);

    let error = update(&db, row, false, &full(&world, &request, 8), &world).await.expect_err("claimed");
    assert!(is_replay(&error), "{error}");
    assert_eq!(written(&world).await, (1, 1, 1));
    assert_eq!(world.count("SELECT count(*) FROM probe.notes WHERE done").await, 0, "the update was undone");
    assert_eq!(replayed::<Answer>(&db, &request).await.expect("reads").seconds, 7);

    let other_body = replay(&db, &key(request.request_id, 2)).await;
    assert!(matches!(other_body, Err(Error::AlreadyExists { reason: REQUEST_ID_REUSED, .. })), "{other_body:?}");
    let other_caller = RequestKey { principal: "li".into(), ..request };
    assert!(replay(&db, &other_caller).await.expect("reads").is_none());
}

#[tokio::test]
async fn of_two_equal_requests_at_once_one_is_done() {
    let world = World::new().await;
    let db = world.replica(SOURCE).await;
    let request = key(RequestId::new(), 1);
    let rows = [one_row(&world).await, one_row(&world).await];
    let effects = [full(&world, &request, 1), full(&world, &request, 2)];
    let (first, second) = tokio::join!(update(&db, rows[0], true, &effects[0], &world), update(&db, rows[1], true, &effects[1], &world));
    let refused = [first, second].into_iter().filter(|outcome| outcome.as_ref().is_err_and(is_replay)).count();
    assert_eq!(refused, 1);
    assert_eq!(written(&world).await, (1, 1, 1));
}

#[tokio::test]
async fn timers_are_set_moved_and_cancelled_by_name() {
    let world = World::new().await;
    let db = world.replica(SOURCE).await;
    let subject = Uuid::now_v7();
    let set = |key: &str, seconds| TimerChange::set("clock", subject, key, None, world.in_(seconds));
    let change = |timers| Effects { timers, ..Effects::none() };
    crate::support::commit(&db, &change(vec![set("a", 10), set("b", 20), set("c", 30)]), world.clock.now()).await;
    let read = "SELECT key, id, due_time::text FROM work_order.timers ORDER BY key";
    let before: Vec<(String, Uuid, String)> = sqlx::query_as(read).fetch_all(&world.admin).await.expect("reads");
    crate::support::commit(&db, &change(vec![set("a", 5), TimerChange::cancel("clock", subject, "b")]), world.clock.now()).await;
    let after: Vec<(String, Uuid, String)> = sqlx::query_as(read).fetch_all(&world.admin).await.expect("reads");
    assert_eq!(after.iter().map(|timer| timer.0.as_str()).collect::<Vec<_>>(), ["a", "c"]);
    assert_eq!(after[0].2, "2026-03-01 02:00:05+00");
    assert_ne!(after[0].1, before[0].1, "a moved timer is a new one to whoever holds the old id");
    assert_eq!(after[1], before[2]);
    crate::support::commit(&db, &change(vec![TimerChange::cancel_all(subject), set("d", 1)]), world.clock.now()).await;
    let left: Vec<String> = sqlx::query_scalar("SELECT key FROM work_order.timers").fetch_all(&world.admin).await.expect("reads");
    assert_eq!(left, ["d"]);
}

#[tokio::test]
async fn a_text_that_no_postgres_can_hold_is_refused_and_no_fault_of_ours() {
    let world = World::new().await;
    let db = world.replica(SOURCE).await;
    let as_text = sqlx::query("SELECT $1::text").bind("a\0b").execute(db.pool()).await.store();
    let in_json = sqlx::query("SELECT $1::jsonb ->> 'code'").bind(serde_json::json!({"code": "a\0b"})).execute(db.pool()).await.store();
    for refused in [as_text, in_json] {
        assert!(matches!(refused, Err(Error::Invalid(_))), "{refused:?}");
    }
}
