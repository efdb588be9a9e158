//! The mutations of `steward.operation.v1`, at the customer service: every service that consumes events serves the same code.

use anyhow::Result;
use prost::Message as _;
use serde_json::json;
use steward_proto::event::v1::Event;
use uuid::Uuid;

use super::Entry;
use crate::replay::ground::{Ground, id};

pub(super) async fn entries(ground: &Ground<'_, '_>) -> Result<Vec<Entry>> {
    let [one, two, three] = letters(ground).await?;
    let entry = |rpc: &str, body, other| Entry::new(&format!("operation.v1.DeadLetterService/{rpc}"), body, other);
    Ok(vec![
        entry("RedriveDeadLetter", json!({"deadLetterId": one}), json!({"deadLetterId": three})),
        entry("DiscardDeadLetter", json!({"deadLetterId": two, "reason": "made for a test"}), json!({"reason": "something else"})),
        entry("RedriveDeadLetters", json!({"limit": 1}), json!({"limit": 2})),
    ])
}

/// Letters of an event that concerns nobody in the timeline, so that it is applied without effect.
async fn letters(ground: &Ground<'_, '_>) -> Result<[Uuid; 3]> {
    let event = Event { id: id(), r#type: "steward.work_order.v1.CalendarYearLoaded".to_owned(), subject: id(), ..Default::default() };
    let event = Event { payload: Some(prost_types::Any::default()), ..event };
    let db = ground.caller.house().database.superuser().await?;
    let letters = [Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7()];
    for letter in letters {
        sqlx::query(
            "INSERT INTO customer.dead_letters (id, consumer, event_id, cause, preview, event, attempt_count, create_time)
             VALUES ($1, 'customer.timeline', $2, 'internal error', '{}', $3, 6, '2026-07-14T00:00Z')",
        )
        .bind(letter)
        .bind(Uuid::now_v7())
        .bind(event.encode_to_vec())
        .execute(&db)
        .await?;
    }
    db.close().await;
    Ok(letters)
}
