//! The price of a call in round trips, which DESIGN budgets: a proxy between the service and Postgres reads what is asked.

use steward_harness::Asked;

use crate::content::{answers, content};
use crate::world::{World, census};

/// Statements since the last look that touch what an RPC works with. Relay, timers and jobs have their own tables.
fn asked(log: &Asked) -> Vec<String> {
    let background = |sql: &String| {
        ["outbox", "relay_shards", ".timers", "inbox", "FROM survey.frame_jobs WHERE state", "pg_attribute", "FROM 1 FOR 5"]
            .iter()
            .any(|table| sql.contains(table))
            || sql == "SELECT epoch FROM survey.policy_epoch"
    };
    log.take().into_iter().filter(|sql| !background(sql)).collect()
}

/// DESIGN §4: an answer with its revision, invitation, quota, events and claim in two trips.
#[tokio::test]
async fn taking_an_answer_in_takes_two_trips() {
    let log = Asked::default();
    let world = World::noted(3, &log).await;
    let wave = world.running("trips", content(), census()).await;
    // The first answer fills the memory of instruments and policies.
    world.submit(&wave, 0, answers(5)).await;
    let request = world.submission(&wave, 1, answers(2)).await;
    asked(&log);
    world.send(1, request.clone()).await.unwrap();
    let statements = asked(&log);
    assert_eq!(statements.len(), 2, "{statements:#?}");
    assert!(statements[0].starts_with("SELECT w.body") && statements[1].contains("INSERT INTO survey.responses"));
    assert!(statements[1].contains("write_effects"));
}
