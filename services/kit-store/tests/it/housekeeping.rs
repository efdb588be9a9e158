//! What is made ahead and what is forgotten.

use jiff::SignedDuration;
use steward_kit_store::housekeeping::Housekeeping;
use steward_kit_store::{Db, Effects};
use uuid::Uuid;

use crate::events::{consumer, quick_relay, relay, write_events};
use crate::support::{Notebook, SINK, SOURCE, World, commit, event, eventually};

async fn months(world: &World) -> Vec<String> {
    sqlx::query_scalar("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'work_order.outbox'::regclass ORDER BY 1")
        .fetch_all(&world.admin)
        .await
        .expect("reads")
}

async fn write(world: &World, db: &Db) {
    commit(db, &Effects { events: vec![event(Uuid::now_v7(), 1, world.clock.now())], ..Effects::none() }, world.clock.now()).await;
}

#[tokio::test]
async fn months_are_made_ahead_and_rows_that_came_before_their_month_move_into_it() {
    let world = World::new().await;
    let db = world.replica(SOURCE).await;
    write(&world, &db).await;
    assert_eq!(months(&world).await, ["work_order.outbox_default"]);
    let keeper = Housekeeping::new(db.clone(), world.clock.clone(), &[]);
    keeper.round().await.expect("keeps house");
    assert_eq!(
        months(&world).await,
        ["work_order.outbox_default", "work_order.outbox_y2026m03", "work_order.outbox_y2026m04", "work_order.outbox_y2026m05"]
    );
    assert_eq!(world.count("SELECT count(*) FROM work_order.outbox_y2026m03").await, 1);
    assert_eq!(world.count("SELECT count(*) FROM work_order.outbox_default").await, 0);
    let around = sqlx::query("DELETE FROM work_order.outbox_y2026m03").execute(db.pool()).await;
    assert!(around.is_err(), "no way around the grants of the table");
    let foreign = steward_kit_store::partitions::ensure(&db, "timers", world.clock.now()).await;
    assert!(foreign.is_err(), "only partitioned tables of the schema");
    // Half a year is skipped, as a movable clock does.
    world.hand.advance(SignedDuration::from_hours(24 * 200));
    write(&world, &db).await;
    keeper.round().await.expect("keeps house");
    assert_eq!(world.count("SELECT count(*) FROM work_order.outbox_y2026m09").await, 1);
}

/// XC-60
#[tokio::test]
async fn old_months_of_the_outbox_go_when_everybody_has_their_events_and_not_before() {
    let world = World::new().await;
    let db = world.replica(SOURCE).await;
    let keeper = Housekeeping::new(db.clone(), world.clock.clone(), &[]);
    keeper.round().await.expect("keeps house");
    let first = "work_order.outbox_y2026m03".to_owned();
    let subjects = [Uuid::now_v7()];
    write_events(&world, &db, &subjects, 0..3).await;
    world.hand.advance(SignedDuration::from_hours(24 * 60));
    keeper.round().await.expect("keeps house");
    assert!(months(&world).await.contains(&first), "unpublished");
    let relay = relay(&world, &db, quick_relay());
    let (_, running) = consumer(&world, world.replica(SINK).await, Notebook::new());
    world.expect_notes(3).await;
    eventually(std::time::Duration::from_secs(5), || async {
        world.count("SELECT coalesce(max(position), 0) FROM work_order.outbox_watermarks").await == 3
    })
    .await;
    running.stop().await;
    relay.stop().await;
    sqlx::query("UPDATE work_order.outbox_watermarks SET position = 2 WHERE position = 3").execute(&world.admin).await.expect("sets back");
    keeper.round().await.expect("keeps house");
    assert!(months(&world).await.contains(&first), "not acknowledged");
    sqlx::query("UPDATE work_order.outbox_watermarks SET position = 3 WHERE position = 2").execute(&world.admin).await.expect("sets");
    keeper.round().await.expect("keeps house");
    assert!(!months(&world).await.contains(&first));
}

#[tokio::test]
async fn claims_and_inbox_marks_are_forgotten_after_their_time() {
    let world = World::new().await;
    let db = world.replica(SOURCE).await;
    sqlx::query(
        "INSERT INTO work_order.idempotency_claims SELECT 'wang', 'Assign', gen_random_uuid(), '', '', '2026-03-01T02:00:00Z'::timestamptz + n * interval '1 day'
           FROM generate_series(0, 9) AS n",
    )
    .execute(&world.admin)
    .await
    .expect("writes");
    sqlx::query(
        "INSERT INTO work_order.inbox SELECT 'c', gen_random_uuid(), '2026-03-01T02:00:00Z'::timestamptz + n * interval '1 second'
           FROM generate_series(0, 11999) AS n",
    )
    .execute(&world.admin)
    .await
    .expect("writes");
    let keeper = Housekeeping::new(db, world.clock.clone(), &[]);
    world.hand.advance(SignedDuration::from_hours(24 * 5));
    keeper.round().await.expect("keeps house");
    assert_eq!(world.count("SELECT count(*) FROM work_order.idempotency_claims").await, 7);
    assert_eq!(world.count("SELECT count(*) FROM work_order.inbox").await, 12_000);
    world.hand.advance(SignedDuration::from_hours(24 * 58));
    keeper.round().await.expect("keeps house");
    assert_eq!(world.count("SELECT count(*) FROM work_order.inbox").await, 0);
}
