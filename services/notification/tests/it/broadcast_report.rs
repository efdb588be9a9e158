//! What becomes of an audience: every household is counted once, every person has a verdict.

use std::collections::HashMap;

use steward_kit::ids::{CustomerId, HouseholdId};
use steward_kit::predicate::{Fact, ask};
use steward_proto::notification::v1 as pb;
use steward_proto::plan::v1 as plan;
use tonic::Code;

use crate::broadcasts::{begin, broadcast, client, exclusion, get, move_in, notice, told, until, with_notice};
use crate::neighbours::Home;
use crate::world::{Caller, NIGHT, World, refused, request_id};
use steward_harness::Claims;

/// Everything that the report counts.
fn sum(report: &pb::BroadcastReport) -> i32 {
    let messages: i32 = report.messages.iter().map(|alike| alike.count).sum();
    let excluded: i32 = report.excluded.iter().map(|alike| alike.count).sum();
    messages + excluded + report.without_contact_count + report.told_already_count
}

fn count(report: &pb::BroadcastReport, state: pb::MessageState, reason: pb::SuppressReason) -> i32 {
    let alike = |one: &&pb::BroadcastMessageCount| one.state() == state && one.suppress_reason() == reason;
    report.messages.iter().filter(alike).map(|one| one.count).sum()
}

fn know(world: &World, home: &Home, facts: &[(&'static str, Fact)]) {
    let facts: HashMap<&'static str, Fact> = facts.iter().cloned().collect();
    world.situations.1.lock().unwrap().facts.insert(home.household.to_string(), facts);
}

/// What people said before, written as their requests would have.
async fn agree(world: &World, purpose: &str, customers: &[CustomerId]) {
    let pool = world.database.superuser().await.unwrap();
    let ids: Vec<uuid::Uuid> = customers.iter().map(|id| id.as_uuid()).collect();
    sqlx::query(
        "INSERT INTO notification.consents (id, customer_id, purpose, channel, text_version, language, proof_method, proof_reference,
             actor_kind, actor_subject, give_time, row_version, create_time)
         SELECT gen_random_uuid(), c, $2, 'inbox', '1', 'zh-CN', 'app', 'x', 'customer', 'x', '2026-01-01Z', 1, '2026-01-01Z' FROM unnest($1) c",
    )
    .bind(ids)
    .bind(purpose)
    .execute(&pool)
    .await
    .unwrap();
}

/// NT-14, NT-24, NT-38, NT-44, NT-45: the counts sum to the audience, whatever keeps each household from being told: an exclusion, no
/// contact, a person who was told through another home, a refusal of the class, no consent, an open major complaint.
#[tokio::test]
async fn the_report_sums_to_the_audience() {
    let world = with_notice(pb::MessageClass::Marketing).await;
    let other = steward_kit::ids::EstateId::new();
    world.register_estate(other).await;
    let homes = move_in(&world, world.estate, 20);
    let customers: Vec<CustomerId> = homes.iter().map(|home| home.customer.unwrap()).collect();
    agree(&world, "marketing", &customers[..12]).await;
    know(&world, &homes[0], &[("household.is_renovating", Fact::Boolean(true))]);
    know(&world, &homes[1], &[("household.is_renovating", Fact::Boolean(true))]);
    know(&world, &homes[2], &[("household.has_major_complaint", Fact::Boolean(true))]);
    let pool = world.database.superuser().await.unwrap();
    let refuses = "INSERT INTO notification.preferences (customer_id, language, classes, row_version, update_time)
                   VALUES ($1, '', '{\"marketing\": []}', 1, '2026-01-01Z')";
    sqlx::query(refuses).bind(customers[3].as_uuid()).execute(&pool).await.unwrap();
    {
        let mut register = world.situations.1.lock().unwrap();
        let home = |estate, customer| Home { estate, household: HouseholdId::new(), customer };
        // Nobody to talk to; a second home in the same estate; one in another.
        register.homes.push(home(world.estate, None));
        register.homes.push(home(world.estate, homes[4].customer));
        register.homes.push(home(other, homes[5].customer));
        register.homes.push(home(other, Some(CustomerId::new())));
    }
    let request = pb::CreateBroadcastRequest {
        estate_ids: [world.estate, other].map(|id| id.to_string()).to_vec(),
        // Called as a situation of the policy is: the two are told apart.
        exclusions: vec![exclusion("major_complaint", ask::is_true("household.is_renovating"))],
        ..broadcast(&world)
    };
    let made = begin(&world, request).await;
    let (done, report) = until(&world, &made.id, pb::BroadcastState::Done).await;
    assert_eq!((report.household_count, sum(&report), done.progress.unwrap().household_count), (24, 24, 24), "{report:?}");
    assert_eq!(report.excluded, [pb::BroadcastExcludedCount { code: "major_complaint".to_owned(), count: 2 }]);
    assert_eq!((report.without_contact_count, report.told_already_count), (1, 2));
    use pb::MessageState::{Delivered, Suppressed};
    use pb::SuppressReason::{NoConsent, Preference, Situation, Unspecified};
    assert_eq!(count(&report, Delivered, Unspecified), 8);
    assert_eq!(count(&report, Suppressed, Situation), 1);
    assert_eq!(count(&report, Suppressed, Preference), 1);
    assert_eq!(count(&report, Suppressed, NoConsent), 9);
    assert_eq!(told(&world, &made.id).await.len(), 19);
    let list = pb::ListMessagesRequest { broadcast_id: made.id.clone(), customer_id: customers[2].to_string(), ..Default::default() };
    let verdict = world.messages().list_messages(world.operations().asks(list)).await.unwrap().into_inner().messages.remove(0);
    assert_eq!((verdict.suppress_reason(), verdict.household_id), (Situation, homes[2].household.to_string()));
    let said: Vec<String> = world.steps(&verdict.id).await.into_iter().map(|step| step.text).collect();
    assert_eq!(said.first().map(String::as_str), Some("Asked for by ops-1."));

    // NT-44: chosen by traits, only who agreed to that is told.
    agree(&world, "profiling", &customers[5..7]).await;
    let chosen = begin(&world, pb::CreateBroadcastRequest { uses_profile: true, ..broadcast(&world) }).await;
    let (_, report) = until(&world, &chosen.id, pb::BroadcastState::Done).await;
    assert_eq!((count(&report, Delivered, Unspecified), sum(&report)), (2, 22), "{report:?}");
    assert!(count(&report, Suppressed, pb::SuppressReason::Profiling) > 0);
}

/// NT-37: a cap holds inside a page too: of two contacts with one household the second finds it reached.
#[tokio::test]
async fn a_cap_holds_inside_a_page() {
    let world = with_notice(pb::MessageClass::Survey).await;
    let household = HouseholdId::new();
    let home = || Home { estate: world.estate, household, customer: Some(CustomerId::new()) };
    world.situations.1.lock().unwrap().homes.extend([home(), home()]);
    move_in(&world, world.estate, 5);
    let made = begin(&world, broadcast(&world)).await;
    let (_, report) = until(&world, &made.id, pb::BroadcastState::Done).await;
    assert_eq!(count(&report, pb::MessageState::Delivered, pb::SuppressReason::Unspecified), 6);
    assert_eq!(count(&report, pb::MessageState::Suppressed, pb::SuppressReason::Cap), 1);
    let counted: i64 = sqlx::query_scalar("SELECT count(*) FROM notification.contacts")
        .fetch_one(&world.database.superuser().await.unwrap())
        .await
        .unwrap();
    assert_eq!(counted, 6);
    // The next one meets the caps of all of them.
    let again = begin(&world, broadcast(&world)).await;
    let (_, report) = until(&world, &again.id, pb::BroadcastState::Done).await;
    assert_eq!(count(&report, pb::MessageState::Suppressed, pb::SuppressReason::Cap), 7);
}

/// NT-38: situations that do not fit into one question beside the caller's exclusions are asked by one of their own, and hold all the
/// same.
#[tokio::test]
async fn many_situations_are_asked_apart() {
    let world = with_notice(pb::MessageClass::Survey).await;
    let situation = |at: usize| plan::ContactSuppression {
        code: format!("situation_{at}"),
        classes: vec![pb::MessageClass::Survey.into()],
        when: Some(ask::is_true("household.is_renovating")),
        ..Default::default()
    };
    let suppressions = (0..11).map(situation).collect();
    world.set_policy(plan::ContactPolicy { suppressions, ..Default::default() }).await;
    let homes = move_in(&world, world.estate, 3);
    world.situations.0.lock().unwrap().insert(homes[1].household.to_string(), "situation_10".to_owned());
    let exclusions = (0..10).map(|at| exclusion(&format!("reason_{at}"), ask::is_true("household.is_renovating"))).collect();
    let made = begin(&world, pb::CreateBroadcastRequest { exclusions, ..broadcast(&world) }).await;
    let (_, report) = until(&world, &made.id, pb::BroadcastState::Done).await;
    assert_eq!(count(&report, pb::MessageState::Suppressed, pb::SuppressReason::Situation), 1);
    assert_eq!(count(&report, pb::MessageState::Delivered, pb::SuppressReason::Unspecified), 2);
    assert_eq!(world.situations.1.lock().unwrap().asked, 1);
}

/// NT-39: an emergency goes to a building at night, past refusals and caps, by a permission of its own; the ledger keeps who and why.
#[tokio::test]
async fn an_emergency_goes_past_everything() {
    let world = World::at(NIGHT).await;
    notice(&world, pb::MessageClass::Emergency).await;
    let homes = move_in(&world, world.estate, 4);
    for (at, home) in homes.iter().enumerate() {
        know(&world, home, &[("unit.building_code", Fact::Code(if at < 3 { "3" } else { "4" }.to_owned()))]);
    }
    let plain = refused(client(&world).create_broadcast(world.manager().asks(broadcast(&world))).await);
    assert_eq!(plain, (Code::PermissionDenied, "PERMISSION_DENIED".to_owned()));
    let request = pb::CreateEmergencyBroadcastRequest {
        request_id: request_id(),
        title: "Gas".to_owned(),
        estate_ids: vec![world.estate.to_string()],
        audience: Some(ask::equals("unit.building_code", ["3"])),
        template_key: "notice".to_owned(),
        variables: [("name".to_owned(), "3".to_owned())].into(),
        reason: "gas leak in building 3".to_owned(),
        ..Default::default()
    };
    let steward = Caller::new(&Claims::staff("steward-1").role("steward").estate(world.estate));
    assert_eq!(refused(client(&world).create_emergency_broadcast(steward.asks(request.clone())).await).0, Code::PermissionDenied);
    let answer = client(&world).create_emergency_broadcast(world.manager().asks(request.clone())).await.unwrap().into_inner();
    let id = answer.broadcast.unwrap().id;
    let (done, report) = until(&world, &id, pb::BroadcastState::Done).await;
    assert_eq!((report.household_count, count(&report, pb::MessageState::Delivered, pb::SuppressReason::Unspecified)), (3, 3));
    assert_eq!((done.emergency_reason.as_str(), done.message_class()), ("gas leak in building 3", pb::MessageClass::Emergency));
    let list = pb::ListContactsRequest { household_id: homes[0].household.to_string(), ..Default::default() };
    let entry = world.ledger().list_contacts(world.manager().asks(list)).await.unwrap().into_inner().entries.remove(0);
    assert_eq!((entry.kind(), entry.note.as_str()), (pb::ContactEntryKind::Overridden, "gas leak in building 3"));
    assert_eq!(entry.actor.unwrap().subject, "manager-1");

    let version = crate::templates::create(&world, crate::templates::template("plain", pb::MessageClass::Service)).await;
    crate::templates::activate(&world, &version).await;
    let wrong = pb::CreateEmergencyBroadcastRequest { request_id: request_id(), template_key: "plain".to_owned(), ..request };
    let refusal = crate::world::bad_fields(client(&world).create_emergency_broadcast(world.manager().asks(wrong)).await);
    assert_eq!(refusal, [("template_key".to_owned(), "TEMPLATE_NOT_EMERGENCY".to_owned())]);
    assert_eq!(get(&world, &id).await.0.changes[0].reason, "gas leak in building 3");
}
