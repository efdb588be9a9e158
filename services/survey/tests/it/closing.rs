//! SV-01: a wave has a time, and is closed by it, whatever came in.

use jiff::SignedDuration;
use steward_proto::common::v1 as common;
use steward_proto::plan::v1 as plan;
use steward_proto::survey::v1 as pb;
use tonic::Code;

use crate::content::{only, short};
use crate::words::{time, wire};
use crate::world::{World, census, eventually, refused, request_id};

/// A census that is closed after so many hours, with so many answers wanted.
fn until(world: &World, hours: i64, min_valid_count: u32) -> pb::WaveDesign {
    pb::WaveDesign { close_due_time: wire(world.now() + SignedDuration::from_hours(hours)), min_valid_count, ..census() }
}

async fn closed(world: &World, wave: &pb::Wave) -> pb::Wave {
    eventually("the wave to be closed", || async {
        let wave = world.wave(&wave.id).await;
        (wave.state() == pb::WaveState::Closed).then_some(wave)
    })
    .await
}

/// SV-01: below what is wanted it is closed with the flag, and who reads its figures is told.
#[tokio::test]
async fn a_wave_whose_time_is_over_is_closed_with_its_flag() {
    let world = World::of(3).await;
    let wave = world.running("timed", short(), until(&world, 48, 2)).await;
    world.submit(&wave, 0, only(5)).await;
    world.advance(47);
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert_eq!(world.wave(&wave.id).await.state(), pb::WaveState::Launched, "not an hour too early");
    world.advance(1);
    let closed = closed(&world, &wave).await;
    assert!(closed.is_under_sample && !closed.under_sample_reason.is_empty());
    assert_eq!(time(closed.close_time.as_ref()), world.now());
    let told: Vec<pb::WaveClosed> = world.told("WaveClosed").await;
    assert_eq!((told.len(), told[0].is_under_sample, told[0].is_by_due_time, told[0].valid_count), (1, true, true, 1));
    assert!(world.figures(&wave).await.is_under_sample);
    let late = world.submission(&wave, 1, only(4)).await;
    refused(world.send(1, late).await, Code::FailedPrecondition, "WAVE_NOT_OPEN");
    // Nobody is reminded of it, and nothing waits any more.
    let timers: i64 = sqlx::query_scalar("SELECT count(*) FROM survey.timers").fetch_one(&world.db).await.unwrap();
    assert_eq!((timers, world.facts("ReminderDue").await), (0, 0));
}

/// SV-01: with enough there is no flag; and what somebody closed before by hand is not closed again.
#[tokio::test]
async fn with_enough_it_closes_without_a_flag_and_only_once() {
    let world = World::of(3).await;
    let wave = world.running("enough", short(), until(&world, 24, 1)).await;
    let by_hand = world.running("by-hand", short(), until(&world, 24, 1)).await;
    world.submit(&wave, 0, only(5)).await;
    world.submit(&by_hand, 1, only(5)).await;
    world.close(&by_hand, "").await.unwrap();
    world.advance(25);
    assert!(!closed(&world, &wave).await.is_under_sample);
    let told: Vec<pb::WaveClosed> = world.told("WaveClosed").await;
    assert_eq!(told.iter().map(|fact| fact.is_by_due_time).collect::<Vec<_>>(), [false, true]);
}

/// M2: the promise is a row; a week of downtime later it is kept.
#[tokio::test]
async fn a_wave_is_closed_after_a_restart_too() {
    let mut world = World::of(1).await;
    let wave = world.running("restarted", short(), until(&world, 24, 0)).await;
    world.restart().await;
    world.advance(24 * 7);
    closed(&world, &wave).await;
}

/// A wave that names no day takes answers as long as its programme says; and a day that is over is refused at the launch.
#[tokio::test]
async fn a_wave_without_a_day_takes_answers_as_long_as_its_programme_says() {
    let world = World::of(1).await;
    let open_for = Some(common::Span { value: 48, unit: common::Unit::Hour.into(), calendar: "24x7".to_owned() });
    let programme = plan::SurveyProgramme { code: "open".to_owned(), open_for, ..Default::default() };
    world.estate_policy(plan::SurveyPolicy { programmes: vec![programme], ..Default::default() }).await;
    let wave = world.running("open", short(), census()).await;
    let due = wave.design.as_ref().unwrap().close_due_time.as_ref();
    assert_eq!(time(due), world.now() + SignedDuration::from_hours(48));
    let told: Vec<pb::InvitationDue> = world.told("InvitationDue").await;
    assert_eq!(told[0].close_due_time.as_ref(), due, "and who is asked is told until when");
    world.advance(49);
    closed(&world, &wave).await;

    let (questionnaire, _) = world.published("past", short()).await;
    let programme = world.programme("past", &questionnaire).await;
    let past = world.draft(&programme, until(&world, 1, 0)).await;
    world.framed(&past).await;
    world.advance(2);
    let launch = pb::LaunchWaveRequest { request_id: request_id(), wave_id: past.id.clone(), etag: String::new() };
    let refusal = world.waves().launch_wave(world.manager().asks(launch)).await;
    refused(refusal, Code::InvalidArgument, "TIME_NOT_PLAUSIBLE");
}
