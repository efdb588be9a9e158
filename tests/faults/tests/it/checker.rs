//! The counts see what is lost and what is doubled: in a house where all went well the tables are changed by hand.

use std::{sync::Arc, time::Duration};

use anyhow::{Result, ensure};
use sqlx::PgPool;
use steward_e2e::{House, Room};
use steward_faults::{
    caller::Callers,
    checks::{Sums, hear, judge, take, take_outside, waiting},
    ground::Ground,
    load::Load,
};
use steward_harness::Issuer;

/// What is done to the tables, and what the counts make of it.
const TAMPERED: [(&str, Sums); 6] = [
    ("DELETE FROM customer.timeline_entries WHERE id = (SELECT min(id::text)::uuid FROM customer.timeline_entries)", lost(1)),
    ("DELETE FROM notification.inbox
          WHERE (consumer, event_id) = (SELECT consumer, event_id FROM notification.inbox WHERE consumer LIKE '%routing' LIMIT 1)", lost(1)),
    (
        "INSERT INTO notification.messages SELECT (jsonb_populate_record(m, jsonb_build_object('id', gen_random_uuid()))).*
           FROM notification.messages m WHERE event_id IS NOT NULL LIMIT 1",
        doubled(1),
    ),
    (
        "INSERT INTO work_order.outbox SELECT (jsonb_populate_record(o, jsonb_build_object('id', gen_random_uuid(), 'seq', seq + 100000))).*
           FROM work_order.outbox o WHERE type LIKE '%WorkOrderAccepted' LIMIT 1",
        // Told twice, and nobody applied the second.
        Sums { obligations_lost: 1, effects_doubled: 1, writes_lost: 0 },
    ),
    ("UPDATE work_order.timers SET due_time = '2026-07-14T00:00:00Z', wake_time = '2026-07-14T00:00:00Z' WHERE id = (SELECT id FROM work_order.timers LIMIT 1)", lost(1)),
    (
        "DELETE FROM survey.idempotency_claims WHERE request_id = (SELECT request_id FROM survey.idempotency_claims WHERE method LIKE '%AskHousehold' LIMIT 1)",
        Sums { obligations_lost: 0, effects_doubled: 0, writes_lost: 1 },
    ),
];

const fn lost(count: i64) -> Sums {
    Sums { obligations_lost: count, effects_doubled: 0, writes_lost: 0 }
}

const fn doubled(count: i64) -> Sums {
    Sums { obligations_lost: 0, effects_doubled: count, writes_lost: 0 }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_counts_see_what_is_lost_and_what_is_doubled() -> Result<()> {
    let mut house = House::open("2026-07-14T01:00:00Z".parse()?).await?;
    let begun = house.hand.now();
    let callers = Arc::new(Callers::new(house.gateway().await?, Issuer::of_tests(), house.clock())?);
    let ground = Ground::laid(&callers, begun, &house.webhooks.url("hooks")).await?;
    let load = Load::new(callers.clone(), ground, house.clock(), 7);
    for client in 0..5 {
        load.life(client).await?;
    }
    let db = house.database.superuser().await?;
    tokio::time::sleep(Duration::from_secs(3)).await;
    hear(&db).await?;
    let mut patience = 200;
    while !waiting(&db, house.hand.now(), begun).await?.is_empty() {
        patience -= 1;
        ensure!(patience > 0, "no rest: {:?}", waiting(&db, house.hand.now(), begun).await?);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let mut counted = take(&db, &callers.journal, house.hand.now()).await?;
    counted.extend(take_outside(&db, &house.mail, &house.webhooks).await?);
    ensure!(
        judge(&counted).is_zero(),
        "all went well, and yet: {:#?}",
        counted.iter().filter(|check| !check.off.is_empty()).collect::<Vec<_>>()
    );
    let blind: Vec<_> =
        counted.iter().filter(|check| check.looked_at == 0 && check.check != "dead letters").map(|check| check.check).collect();
    ensure!(
        blind.iter().all(|check| ["claims of what was refused", "steps of clocks in the history"].contains(check)),
        "nothing to see for {blind:?}"
    );
    // Nobody is at work any more, so what is changed stays changed.
    Room::ALL.into_iter().try_for_each(|room| house.stop(room))?;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let mut before = Sums::default();
    for (change, seen) in TAMPERED {
        let changed = sqlx::query(change).execute(&db).await?.rows_affected();
        ensure!(changed == 1, "{change}: {changed} rows");
        let after = tampered(&db, &callers).await?;
        let more = Sums {
            obligations_lost: after.obligations_lost - before.obligations_lost,
            effects_doubled: after.effects_doubled - before.effects_doubled,
            writes_lost: after.writes_lost - before.writes_lost,
        };
        ensure!(more == seen, "{change}: {more:?} where {seen:?} was done");
        before = after;
    }
    db.close().await;
    house.close().await
}

async fn tampered(db: &PgPool, callers: &Callers) -> Result<Sums> {
    Ok(judge(&take(db, &callers.journal, "2026-07-14T01:00:10Z".parse()?).await?))
}
