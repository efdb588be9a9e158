//! The history as proof: the stored chain of a finished order holds, and shows what was done to it.

use std::collections::BTreeMap;

use sqlx::types::Json;
use steward_kit::ids::WorkOrderId;
use steward_proto::work_order::v1 as pb;
use steward_work_order::domain::{Action, Actor, ActorKind, Hash, HistoryEntry, State, verify};

use crate::lifecycle::completed;
use crate::world::{World, request_id};

/// A row of `history`.
#[derive(sqlx::FromRow)]
struct Row {
    position: i32,
    action: String,
    state: String,
    actor_kind: String,
    actor_subject: String,
    occur_time: jiff_sqlx::Timestamp,
    record_time: jiff_sqlx::Timestamp,
    detail: Json<BTreeMap<String, String>>,
    hash: Vec<u8>,
}

/// An order from report to close, with a breach on the way.
async fn finished(world: &World) -> String {
    let id = completed(world).await;
    world.advance(30);
    let close = pb::CloseWorkOrderRequest {
        work_order_id: id.clone(),
        request_id: request_id(),
        close_code: pb::CloseCode::Resolved.into(),
        ..Default::default()
    };
    world.orders().close_work_order(world.desk().asks(close)).await.unwrap();
    id
}

/// The chain as it stands in the database, read past the service.
async fn chain(world: &World, id: &str) -> Vec<HistoryEntry> {
    let rows: Vec<Row> = sqlx::query_as("SELECT * FROM work_order.history WHERE work_order_id = $1::uuid ORDER BY position")
        .bind(id)
        .fetch_all(&world.db)
        .await
        .unwrap();
    rows.into_iter()
        .map(|row| HistoryEntry {
            position: row.position.try_into().unwrap(),
            action: Action::parse(&row.action).unwrap(),
            state: State::parse(&row.state).unwrap(),
            actor: Actor::new(ActorKind::parse(&row.actor_kind).unwrap(), row.actor_subject),
            occur_time: row.occur_time.to_jiff(),
            record_time: row.record_time.to_jiff(),
            detail: row.detail.0,
            hash: row.hash.try_into().unwrap(),
        })
        .collect()
}

fn verified(id: &str, entries: &[HistoryEntry]) -> Result<Hash, u32> {
    verify(WorkOrderId::parse(id).unwrap(), Hash::default(), entries)
}

/// WO-42
#[tokio::test]
async fn the_stored_chain_of_a_finished_order_holds() {
    let world = World::new().await;
    let id = finished(&world).await;
    let entries = chain(&world, &id).await;
    assert!(entries.len() >= 5, "{entries:?}");
    let end: Vec<u8> = sqlx::query_scalar("SELECT history_hash FROM work_order.work_orders WHERE id = $1::uuid")
        .bind(&id)
        .fetch_one(&world.db)
        .await
        .unwrap();
    assert_eq!(verified(&id, &entries).map(|hash| hash.to_vec()), Ok(end), "and ends where the order says");
}

/// Whoever changes, removes or moves a row, with whatever rights, is found at that row.
#[tokio::test]
async fn a_tampered_row_is_found() {
    let world = World::new().await;
    let id = finished(&world).await;
    for tampering in [
        "UPDATE work_order.history SET actor_subject = 'zhao' WHERE work_order_id = $1::uuid AND position = 3",
        "UPDATE work_order.history SET occur_time = occur_time - interval '1 second' WHERE work_order_id = $1::uuid AND position = 3",
        r#"UPDATE work_order.history SET detail = '{"reason": "x"}' WHERE work_order_id = $1::uuid AND position = 3"#,
    ] {
        let before = chain(&world, &id).await;
        let touched = sqlx::query(tampering).bind(&id).execute(&world.db).await.unwrap().rows_affected();
        assert_eq!((touched, verified(&id, &chain(&world, &id).await)), (1, Err(3)), "{tampering}");
        restore(&world, &id, &before[2]).await;
        assert!(verified(&id, &chain(&world, &id).await).is_ok());
    }
    sqlx::query("DELETE FROM work_order.history WHERE work_order_id = $1::uuid AND position = 3")
        .bind(&id)
        .execute(&world.db)
        .await
        .unwrap();
    assert_eq!(verified(&id, &chain(&world, &id).await), Err(4), "what follows no longer follows");
}

async fn restore(world: &World, id: &str, entry: &HistoryEntry) {
    sqlx::query(
        "UPDATE work_order.history SET actor_subject = $3, occur_time = $4, detail = $5 WHERE work_order_id = $1::uuid AND position = $2",
    )
    .bind(id)
    .bind(i32::try_from(entry.position).unwrap())
    .bind(&entry.actor.subject)
    .bind(jiff_sqlx::ToSqlx::to_sqlx(entry.occur_time))
    .bind(Json(&entry.detail))
    .execute(&world.db)
    .await
    .unwrap();
}

/// The service itself can only add.
#[tokio::test]
async fn the_service_cannot_change_its_history() {
    let world = World::new().await;
    finished(&world).await;
    let app = world.database.pool("work_order").await.unwrap();
    for tampering in ["UPDATE work_order.history SET actor_subject = 'zhao'", "DELETE FROM work_order.history"] {
        let error = sqlx::query(tampering).execute(&app).await.unwrap_err();
        assert_eq!(error.as_database_error().and_then(|error| error.code()).as_deref(), Some("42501"), "{error}");
    }
}
