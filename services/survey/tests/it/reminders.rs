//! SV-53: reminders are decided when they are sent.

use jiff::SignedDuration;
use steward_proto::survey::v1 as pb;

use crate::content::{only, short};
use crate::world::{World, census, eventually};

async fn reminded(world: &World, count: i64) -> Vec<pb::ReminderDue> {
    eventually("reminders", || async { (world.facts("ReminderDue").await >= count).then_some(()) }).await;
    world.told("ReminderDue").await
}

/// SV-53
#[tokio::test]
async fn who_answered_is_not_reminded_others_twice_at_most_by_another_channel() {
    let world = World::of(3).await;
    let wave = world.running("reminded", short(), census()).await;
    world.submit(&wave, 0, only(5)).await;
    // Three days: to 24:00 of 4 July.
    world.clock.advance(SignedDuration::from_hours(24 * 4));
    let first = reminded(&world, 2).await;
    assert!(first.iter().all(|fact| fact.reminder == 1 && fact.household_id != world.household(0).id.to_string()));
    world.submit(&wave, 1, only(4)).await;
    world.clock.advance(SignedDuration::from_hours(24 * 4));
    let all = reminded(&world, 3).await;
    assert_eq!(all.len(), 3);
    assert_eq!((all[2].reminder, all[2].household_id.clone()), (2, world.household(2).id.to_string()));
    assert_ne!(all[1].channel_code, all[2].channel_code);
    // No third one, ever.
    world.clock.advance(SignedDuration::from_hours(24 * 30));
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    assert_eq!(world.facts("ReminderDue").await, 3);
    let timers: i64 = sqlx::query_scalar("SELECT count(*) FROM survey.timers").fetch_one(&world.db).await.unwrap();
    assert_eq!(timers, 0);
}

/// SV-53
#[tokio::test]
async fn a_closed_wave_reminds_nobody() {
    let world = World::of(2).await;
    let wave = world.running("closed", short(), census()).await;
    world.close(&wave, "").await.unwrap();
    world.clock.advance(SignedDuration::from_hours(24 * 10));
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    assert_eq!(world.facts("ReminderDue").await, 0);
}

/// A crash between two batches loses no invitation and doubles none.
#[tokio::test]
async fn a_restart_in_the_middle_of_a_launch_invites_everybody_once() {
    let mut world = World::of(1_200).await;
    let (questionnaire, _) = world.published("restart", short()).await;
    let programme = world.programme("restart", &questionnaire).await;
    let wave = world.draft(&programme, census()).await;
    world.framed(&wave).await;
    let launch = pb::LaunchWaveRequest { request_id: crate::world::request_id(), wave_id: wave.id.clone(), etag: String::new() };
    world.waves().launch_wave(world.manager().asks(launch)).await.unwrap();
    world.restart().await;
    let wave = eventually("every invitation", || async {
        let wave = world.wave(&wave.id).await;
        (wave.numbers.as_ref().unwrap().invited_count == 1_200).then_some(wave)
    })
    .await;
    assert_eq!(wave.state(), pb::WaveState::Launched);
    assert_eq!(world.facts("InvitationDue").await, 1_200);
}
