//! SV-37: quotas are exact, however many answer at once.

use steward_proto::survey::v1 as pb;
use tonic::Code;

use crate::content::{only, short};
use crate::peers::Household;
use crate::world::{World, census, eventually, refused, request_id};

async fn quota_wave(households: usize, target: u32) -> (World, pb::Wave) {
    let age = |at: usize| if at.is_multiple_of(2) { "60+" } else { "30-59" };
    let world = World::with((0..households).map(|at| Household::new().with("customer.age_band", age(at))).collect()).await;
    let sampling = pb::Sampling {
        method: pb::SamplingMethod::Quota.into(),
        strata_fields: vec!["customer.age_band".to_owned()],
        quotas: vec![pb::QuotaCell { stratum: "60+".to_owned(), target }],
        ..Default::default()
    };
    let wave = world.running("quota", short(), pb::WaveDesign { sampling: Some(sampling), ..census() }).await;
    (world, wave)
}

fn cell(wave: &pb::Wave) -> (u32, u32, u32) {
    let cell = &wave.numbers.as_ref().unwrap().quotas[0];
    (cell.target, cell.filled, cell.reserved)
}

/// SV-10, SV-37
#[tokio::test]
async fn of_thirty_answers_at_once_exactly_the_quota_counts() {
    let (world, wave) = quota_wave(60, 10).await;
    // Only the households of the cell are asked.
    assert_eq!(wave.numbers.as_ref().unwrap().invited_count, 30);
    let mut requests = Vec::new();
    for at in (0..60).step_by(2) {
        requests.push((at, world.submission(&wave, at, only(4)).await));
    }
    let sent = futures::future::join_all(requests.into_iter().map(|(at, request)| world.send(at, request))).await;
    let count = |verdict| sent.iter().flatten().filter(|response| response.verdict() == verdict).count();
    assert_eq!((count(pb::ResponseVerdict::Valid), count(pb::ResponseVerdict::OverQuota)), (10, 20), "{sent:?}");
    assert_eq!(cell(&world.wave(&wave.id).await), (10, 10, 0));
}

/// SV-37
#[tokio::test]
async fn a_place_is_held_for_who_begins_and_given_back_when_they_do_not_end() {
    let (world, wave) = quota_wave(6, 1).await;
    let start = async |at: usize| {
        let invitation_id = world.invitation(&wave, at).await.id;
        let start = pb::StartResponseRequest { request_id: request_id(), invitation_id };
        world.responses().start_response(world.resident(at).asks(start)).await
    };
    let held = start(0).await.unwrap().into_inner();
    assert!(held.hold_until_time.is_some());
    assert_eq!(cell(&world.wave(&wave.id).await), (1, 0, 1));
    refused(start(2).await, Code::FailedPrecondition, "QUOTA_FULL");
    // Somebody who did not begin comes too late as well: the place is held.
    assert_eq!(world.submit(&wave, 4, only(5)).await.verdict(), pb::ResponseVerdict::OverQuota);
    // Two hours later it is free again, and goes to who answers.
    world.advance(3);
    eventually("the place to be free", || async { (cell(&world.wave(&wave.id).await) == (1, 0, 0)).then_some(()) }).await;
    assert_eq!(world.submit(&wave, 2, only(5)).await.verdict(), pb::ResponseVerdict::Valid);
    assert_eq!(cell(&world.wave(&wave.id).await), (1, 1, 0));
}

/// SV-37
#[tokio::test]
async fn who_holds_a_place_fills_it() {
    let (world, wave) = quota_wave(4, 1).await;
    let invitation_id = world.invitation(&wave, 0).await.id;
    let start = pb::StartResponseRequest { request_id: request_id(), invitation_id };
    world.responses().start_response(world.resident(0).asks(start)).await.unwrap();
    assert_eq!(world.submit(&wave, 0, only(5)).await.verdict(), pb::ResponseVerdict::Valid);
    assert_eq!(cell(&world.wave(&wave.id).await), (1, 1, 0));
}
