//! SV-53: reminders are decided when they are sent.

use jiff::SignedDuration;
use steward_proto::common::v1 as common;
use steward_proto::notification::v1 as notification;
use steward_proto::plan::v1 as plan;
use steward_proto::survey::v1 as pb;
use tonic::Code;

use crate::content::{only, short};
use crate::words::reasons;
use crate::world::{World, census, eventually, refused};

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
    // The product's defaults: by e-mail, then in the app again.
    assert_eq!((all[1].channel_code.as_str(), all[2].channel_code.as_str()), ("email", "inbox"));
    // No third one, ever.
    world.clock.advance(SignedDuration::from_hours(24 * 30));
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    assert_eq!(world.facts("ReminderDue").await, 3);
    let timers: i64 = sqlx::query_scalar("SELECT count(*) FROM survey.timers").fetch_one(&world.db).await.unwrap();
    assert_eq!(timers, 0);
}

/// SV-53: how often and by which channel is the policy's; beyond its list notification's rules decide.
#[tokio::test]
async fn counts_and_channels_of_reminders_are_the_policys() {
    let world = World::of(1).await;
    let after = Some(common::Span { value: 12, unit: common::Unit::Hour.into(), calendar: "24x7".to_owned() });
    let channels = vec![notification::Channel::Inbox.into(), notification::Channel::Email.into()];
    let reminders = Some(plan::ReminderTerms { most: 3, after, channels });
    world.estate_policy(plan::SurveyPolicy { reminders, ..Default::default() }).await;
    world.running("three", short(), census()).await;
    for (count, channel) in [(1, "inbox"), (2, "email"), (3, "")] {
        world.advance(13);
        let told = reminded(&world, count).await;
        assert_eq!((told.len(), told.last().unwrap().channel_code.as_str()), (usize::try_from(count).unwrap(), channel));
    }
    world.advance(24 * 9);
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert_eq!(world.facts("ReminderDue").await, 3);
}

/// A channel that reaches no customer is refused with its place.
#[tokio::test]
async fn a_channel_that_reaches_no_customer_is_refused() {
    let world = World::of(0).await;
    let terms = plan::ReminderTerms { channels: vec![notification::Channel::Webhook.into()], ..Default::default() };
    let policy = plan::SurveyPolicy { reminders: Some(terms), ..Default::default() };
    let request = plan::CreatePolicyVersionRequest {
        request_id: crate::world::request_id(),
        scope: Some(plan::PolicyScope { level: plan::PolicyScopeLevel::Estate.into(), id: world.estate.to_string() }),
        document: Some(plan::PolicyDocument { document: Some(plan::policy_document::Document::Survey(policy)) }),
        plan_code: "test".to_owned(),
        ..Default::default()
    };
    let mut policies = plan::policy_service_client::PolicyServiceClient::new(world.channel.clone());
    let status = refused(policies.create_policy_version(world.operations().asks(request)).await, Code::InvalidArgument, "POLICY_INVALID");
    let places: Vec<String> = reasons(&status).into_iter().map(|(place, _)| place).collect();
    assert!(places[0].ends_with("reminders.channels[0]"), "{places:?}");
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
