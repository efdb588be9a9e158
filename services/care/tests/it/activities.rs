//! The life of an activity: planned, approved, published, moved, called off, closed.

use jiff::civil::date;
use prost::Message;
use steward_harness::Claims;
use steward_kit::ids::EstateId;
use steward_kit::predicate::{Fact, ask};
use steward_proto::care::v1 as pb;
use tonic::Code;
use uuid::Uuid;

use crate::community::{Activities, resident};
use crate::households::Household;
use crate::residences::family_member;
use crate::world::{Caller, World, bad_fields, eventually, refused, request_id, stamp};

/// CA-70: the catalogue lists four families with examples of each, and the two of the plans beside them, page by page.
#[tokio::test]
async fn the_catalogue_has_the_four_families() {
    let world = World::new().await;
    let activities = Activities(&world);
    let mut found = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = pb::ListActivityTypesRequest { page_size: 4, page_token, ..Default::default() };
        let page = activities.client().list_activity_types(world.steward().asks(request)).await.unwrap().into_inner();
        found.extend(page.activity_types);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    use pb::ActivityFamily as Family;
    for family in [Family::ParentChild, Family::Elderly, Family::Young, Family::Festival] {
        assert!(found.iter().any(|one| one.family() == family), "{family:?}");
    }
    let mut codes: Vec<&str> = found.iter().map(|one| one.code.as_str()).collect();
    codes.sort_unstable();
    let count = codes.len();
    codes.dedup();
    assert_eq!(codes.len(), count, "a page repeats one of the page before");
}

/// CA-87: an outdoor activity is not approved without a risk sheet; with one it is.
#[tokio::test]
async fn an_outdoor_activity_is_not_approved_without_its_risks() {
    let world = World::new().await;
    let activities = Activities(&world);
    let draft = activities.create(pb::ActivityPlan { is_outdoor: true, ..activities.plan(30) }).await;
    let approve = |etag: String| pb::ApproveActivityRequest { request_id: request_id(), activity_id: draft.id.clone(), etag };
    let answer = activities.client().approve_activity(world.manager().asks(approve(String::new()))).await;
    refused(answer, Code::FailedPrecondition, "RISK_SHEET_MISSING");
    let risk = pb::ActivityRisk { risk: "rain".to_owned(), action: "into the hall".to_owned(), owner: "steward-1".to_owned() };
    let update = pb::UpdateActivityRequest {
        request_id: request_id(),
        activity_id: draft.id.clone(),
        update_mask: Some(prost_types::FieldMask { paths: vec!["risks".to_owned()] }),
        plan: Some(pb::ActivityPlan { risks: vec![risk], is_outdoor: false, ..activities.plan(99) }),
        etag: draft.etag.clone(),
    };
    let updated = activities.client().update_activity(world.manager().asks(update)).await.unwrap().into_inner().activity.unwrap();
    let plan = updated.plan.unwrap();
    assert_eq!((plan.capacity, plan.is_outdoor, plan.risks.len()), (30, true, 1), "only what the mask names changes");
    let stale = activities.client().approve_activity(world.manager().asks(approve(draft.etag.clone()))).await;
    assert_eq!(stale.expect_err("is stale").code(), Code::Aborted);
    let approved = activities.client().approve_activity(world.manager().asks(approve(updated.etag))).await.unwrap().into_inner();
    assert_eq!(approved.activity.unwrap().state(), pb::ActivityState::Approved);
}

/// What contradicts itself is refused with every place named; what must not change after approval does not.
#[tokio::test]
async fn a_plan_that_contradicts_itself_is_refused() {
    let world = World::new().await;
    let activities = Activities(&world);
    let good = activities.plan(3);
    let plan = pb::ActivityPlan {
        max_party_size: 4,
        place: " ".to_owned(),
        end_time: good.start_time,
        registration_to_time: good.registration_from_time,
        ..good
    };
    let request = pb::CreateActivityRequest { request_id: request_id(), estate_id: world.estate.to_string(), plan: Some(plan) };
    let status = activities.client().create_activity(world.manager().asks(request)).await.expect_err("is refused");
    let fields: Vec<String> = bad_fields(&status).into_iter().map(|(field, _)| field).collect();
    assert_eq!(fields, ["plan.place", "plan.end_time", "plan.registration_to_time", "plan.max_party_size"]);

    let shown = activities.published(activities.plan(3)).await;
    let update = pb::UpdateActivityRequest {
        request_id: request_id(),
        activity_id: shown.id.clone(),
        update_mask: Some(prost_types::FieldMask { paths: vec!["family".to_owned(), "title".to_owned()] }),
        plan: Some(pb::ActivityPlan { family: pb::ActivityFamily::Young.into(), title: "x".to_owned(), ..activities.plan(3) }),
        etag: String::new(),
    };
    let answer = activities.client().update_activity(world.manager().asks(update)).await;
    refused(answer, Code::InvalidArgument, "ACTIVITY_INVALID");
}

/// CA-82: who is no member of the club does not register for what is for members; who has a card does. The refusal names the fact.
#[tokio::test]
async fn what_is_for_members_takes_members_only() {
    let world = World::new().await;
    let activities = Activities(&world);
    let shown = activities.published(pb::ActivityPlan { is_members_only: true, ..activities.plan(30) }).await;
    let household = world.households.add(date(2026, 3, 1));
    world.households.set(household.id, "household.tag", Fact::Codes(vec!["pet".to_owned()]));
    let ask = activities.ask(&shown, household.id, 1);
    let status = refused(activities.client().register(world.steward().asks(ask)).await, Code::FailedPrecondition, "NOT_IN_AUDIENCE");
    assert!(status.message().contains("household.tag"), "{status:?}");
    assert_eq!(activities.get(&shown.id).await.confirmed_count, 0);
    world.households.set(household.id, "household.tag", Fact::Codes(vec!["gold".to_owned()]));
    assert_eq!(activities.register(&shown, household.id, 1).await.state(), pb::RegistrationState::Confirmed);
}

/// An estate whose policy names no cards has no members: what is for members only cannot be planned there.
#[tokio::test]
async fn members_need_a_club() {
    let world = World::under(&[crate::world::BASE]).await;
    let activities = Activities(&world);
    let plan = pb::ActivityPlan { is_members_only: true, ..activities.plan(30) };
    let request = pb::CreateActivityRequest { request_id: request_id(), estate_id: world.estate.to_string(), plan: Some(plan) };
    refused(activities.client().create_activity(world.manager().asks(request)).await, Code::FailedPrecondition, "CLUB_UNDEFINED");
}

/// CA-71, CA-72: an audience is asked at the moment of registering.
#[tokio::test]
async fn an_audience_is_asked_when_somebody_registers() {
    let world = World::new().await;
    let activities = Activities(&world);
    let audience = Some(ask::equals("unit.building_code", ["2"]));
    let shown = activities.published(pb::ActivityPlan { audience, ..activities.plan(30) }).await;
    let household = world.households.add(date(2026, 3, 1));
    let ask = activities.ask(&shown, household.id, 1);
    refused(activities.client().register(world.steward().asks(ask)).await, Code::FailedPrecondition, "NOT_IN_AUDIENCE");
    let ask = activities.ask(&shown, Uuid::now_v7(), 1);
    refused(activities.client().register(world.steward().asks(ask)).await, Code::NotFound, "HOUSEHOLD_NOT_FOUND");
    world.households.set(household.id, "unit.building_code", Fact::Code("2".to_owned()));
    activities.register(&shown, household.id, 1).await;
}

/// A customer registers the household they live in, as its main contact or not, and no other; sees their own registration, no budget and
/// no draft; does not let anybody in.
#[tokio::test]
async fn a_customer_registers_their_own_household() {
    let world = World::new().await;
    let activities = Activities(&world);
    let shown = activities.published(activities.plan(30)).await;
    let (mine, other): (Household, Household) = (world.households.add(date(2026, 3, 1)), world.households.add(date(2026, 3, 1)));
    let me = resident(&world, family_member(&mine));
    let stranger = activities.ask(&shown, other.id, 1);
    refused(activities.client().register(me.asks(stranger)).await, Code::NotFound, "HOUSEHOLD_NOT_FOUND");
    activities.register(&shown, other.id, 1).await;
    let answer = activities.client().register(me.asks(activities.ask(&shown, mine.id, 2))).await.unwrap().into_inner();
    let own = answer.registration.unwrap();
    assert_eq!((own.state(), own.sequence, own.unit_id), (pb::RegistrationState::Confirmed, 2, mine.unit.to_string()));
    assert!(!own.check_in_code.is_empty());

    let list = pb::ListRegistrationsRequest { activity_id: shown.id.clone(), ..Default::default() };
    let seen = activities.client().list_registrations(me.asks(list)).await.unwrap().into_inner().registrations;
    assert_eq!(seen.iter().map(|one| one.id.as_str()).collect::<Vec<_>>(), [own.id.as_str()]);
    let get = pb::GetActivityRequest { activity_id: shown.id.clone() };
    let as_seen = activities.client().get_activity(me.asks(get)).await.unwrap().into_inner().activity.unwrap();
    assert_eq!((as_seen.plan.unwrap().budget_cents, as_seen.author_subject.as_str()), (0, ""));
    let draft = activities.create(activities.plan(5)).await;
    let get = pb::GetActivityRequest { activity_id: draft.id.clone() };
    refused(activities.client().get_activity(me.asks(get)).await, Code::NotFound, "ACTIVITY_NOT_FOUND");
    let list = pb::ListActivitiesRequest { estate_id: world.estate.to_string(), ..Default::default() };
    assert_eq!(activities.client().list_activities(me.asks(list)).await.unwrap().into_inner().activities.len(), 1);
    let door = pb::CheckInRequest { request_id: request_id(), activity_id: shown.id.clone(), check_in_code: own.check_in_code };
    refused(activities.client().check_in(me.asks(door)).await, Code::PermissionDenied, "PERMISSION_DENIED");
}

/// Nobody sees the activities of another estate, or who registered for them.
#[tokio::test]
async fn another_estate_has_none_of_it() {
    let world = World::new().await;
    let activities = Activities(&world);
    let shown = activities.published(activities.plan(30)).await;
    let household = world.households.add(date(2026, 3, 1));
    let registered = activities.register(&shown, household.id, 1).await;
    let other = Caller::new(&Claims::staff("m-2").role("estate_manager").estate(EstateId::new()));
    let get = pb::GetActivityRequest { activity_id: shown.id.clone() };
    refused(activities.client().get_activity(other.asks(get)).await, Code::NotFound, "ACTIVITY_NOT_FOUND");
    let get = pb::GetRegistrationRequest { registration_id: registered.id.clone() };
    refused(activities.client().get_registration(other.asks(get)).await, Code::NotFound, "REGISTRATION_NOT_FOUND");
    let cancel = pb::CancelRegistrationRequest { request_id: request_id(), registration_id: registered.id };
    refused(activities.client().cancel_registration(other.asks(cancel)).await, Code::NotFound, "REGISTRATION_NOT_FOUND");
    assert_eq!(activities.get(&shown.id).await.confirmed_count, 1);
}

/// CA-88: when an activity is moved, each household that is registered is told once, those who wait among them, whoever registers
/// afterwards is not; the registrations stand.
#[tokio::test]
async fn moving_an_activity_tells_every_registrant() {
    let world = World::new().await;
    let activities = Activities(&world);
    let shown = activities.published(activities.plan(2)).await;
    for _ in 0..3 {
        activities.register(&shown, world.households.add(date(2026, 3, 1)).id, 1).await;
    }
    let gone = activities.register(&shown, world.households.add(date(2026, 3, 1)).id, 1).await;
    activities.cancel(&gone.id).await;
    let reschedule = pb::RescheduleActivityRequest {
        request_id: request_id(),
        activity_id: shown.id.clone(),
        etag: String::new(),
        start_time: stamp("2026-03-14T02:00:00Z"),
        end_time: stamp("2026-03-14T04:00:00Z"),
        registration_to_time: None,
        reason_code: "weather".to_owned(),
    };
    let moved = activities.client().reschedule_activity(world.manager().asks(reschedule.clone())).await.unwrap().into_inner();
    let again = activities.client().reschedule_activity(world.manager().asks(reschedule)).await.unwrap().into_inner();
    assert_eq!(moved.encode_to_vec(), again.encode_to_vec());
    let moved = moved.activity.unwrap();
    assert_eq!((moved.reschedule_count, moved.reason_code.as_str()), (1, "weather"));
    world.until_told("ActivityRescheduled", 3).await;
    activities.register(&shown, world.households.add(date(2026, 3, 1)).id, 1).await;
    assert_eq!(world.count_facts("ActivityRescheduled").await, 3);
    assert_eq!(activities.list(&shown.id).await.iter().filter(|one| one.state() == pb::RegistrationState::Confirmed).count(), 2);
}

/// CA-88: when an activity is called off, all registrants are told, however many: more than one transaction takes. Then nobody registers,
/// and nobody is let in.
#[tokio::test]
async fn calling_an_activity_off_tells_every_registrant() {
    let world = World::new().await;
    let activities = Activities(&world);
    let shown = activities.published(activities.plan(30)).await;
    let one = activities.register(&shown, world.households.add(date(2026, 3, 1)).id, 1).await;
    // As 1,200 more registrations would leave the tables.
    let fill = "
        INSERT INTO care.registrations (estate_id, activity_id, id, household_id, unit_id, party_size, state, sequence, waiting_number,
               check_in_code, register_time)
        SELECT estate_id, activity_id, gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 1, 'waiting', 1 + n, n, n::text, register_time
          FROM care.registrations, generate_series(1, 1200) n;
        UPDATE care.activities SET last_sequence = 1201, last_waiting = 1200, waiting_count = 1200;";
    sqlx::raw_sql(fill).execute(&world.db).await.unwrap();
    let cancel = pb::CancelActivityRequest {
        request_id: request_id(),
        activity_id: shown.id.clone(),
        etag: String::new(),
        reason_code: "typhoon".to_owned(),
    };
    activities.client().cancel_activity(world.manager().asks(cancel)).await.unwrap();
    world.until_told("ActivityCancelled", 1201).await;
    let get = pb::GetRegistrationRequest { registration_id: one.id.clone() };
    let after = activities.client().get_registration(world.steward().asks(get)).await.unwrap().into_inner().registration.unwrap();
    assert_eq!((after.state(), after.check_in_code.as_str()), (pb::RegistrationState::Cancelled, ""));
    let late = activities.ask(&shown, world.households.add(date(2026, 3, 1)).id, 1);
    refused(activities.client().register(world.steward().asks(late)).await, Code::FailedPrecondition, "ACTIVITY_STATE_FORBIDS");
    let door = pb::CheckInRequest { request_id: request_id(), activity_id: shown.id.clone(), check_in_code: one.check_in_code };
    refused(activities.client().check_in(world.steward().asks(door)).await, Code::FailedPrecondition, "ACTIVITY_STATE_FORBIDS");
}

/// CA-72, CA-73: who came is checked in by the code, once, whatever is scanned again; at the close who had a place and did not come is a
/// no-show and who waited waits no more; opinions that were collected there are counted, each once.
#[tokio::test]
async fn an_activity_is_held_and_counted() {
    let world = World::new().await;
    let activities = Activities(&world);
    let shown = activities.published(activities.plan(2)).await;
    let first = activities.register(&shown, world.households.add(date(2026, 3, 1)).id, 1).await;
    let second = activities.register(&shown, world.households.add(date(2026, 3, 1)).id, 1).await;
    let third = activities.register(&shown, world.households.add(date(2026, 3, 1)).id, 1).await;
    assert_eq!((third.state(), third.check_in_code.as_str()), (pb::RegistrationState::Waiting, ""));
    let close = || pb::CloseActivityRequest { request_id: request_id(), activity_id: shown.id.clone(), etag: String::new() };
    refused(activities.client().close_activity(world.manager().asks(close())).await, Code::InvalidArgument, "TIME_NOT_PLAUSIBLE");
    world.go_to("2026-03-11T02:30:00Z");
    let door = |code: &str| pb::CheckInRequest { request_id: request_id(), activity_id: shown.id.clone(), check_in_code: code.to_owned() };
    for _ in 0..2 {
        let answer = activities.client().check_in(world.steward().asks(door(&first.check_in_code))).await.unwrap().into_inner();
        assert_eq!(answer.registration.unwrap().state(), pb::RegistrationState::CheckedIn);
    }
    refused(activities.client().check_in(world.steward().asks(door("guess"))).await, Code::InvalidArgument, "CHECK_IN_CODE_INVALID");
    let other = activities.published(activities.plan_at("2026-03-20")).await;
    let elsewhere = pb::CheckInRequest { activity_id: other.id, ..door(&second.check_in_code) };
    refused(activities.client().check_in(world.steward().asks(elsewhere)).await, Code::InvalidArgument, "CHECK_IN_CODE_INVALID");
    let item = request_id();
    for feedback_item_id in [&item, &item, &request_id()] {
        let link = pb::LinkActivityOpinionRequest {
            request_id: request_id(),
            activity_id: shown.id.clone(),
            feedback_item_id: feedback_item_id.clone(),
        };
        activities.client().link_activity_opinion(world.steward().asks(link)).await.unwrap();
    }
    let closed = activities.client().close_activity(world.manager().asks(close())).await.unwrap().into_inner().activity.unwrap();
    let counts = |one: &pb::Activity| (one.checked_in_count, one.no_show_count, one.waiting_count, one.opinion_count);
    assert_eq!(counts(&closed), (1, 1, 0, 2));
    assert_eq!(counts(&activities.get(&shown.id).await), counts(&closed));
    let states: Vec<_> = activities.list(&shown.id).await.iter().map(pb::Registration::state).collect();
    assert_eq!(states, [pb::RegistrationState::CheckedIn, pb::RegistrationState::NoShow, pb::RegistrationState::Lapsed]);
    world.until_told("ActivityClosed", 1).await;
}

/// A notice under way when the process dies is given by the next, to each registrant once.
#[tokio::test]
async fn a_notice_survives_a_crash() {
    let mut world = World::new().await;
    let (id, count) = {
        let activities = Activities(&world);
        let shown = activities.published(activities.plan(5)).await;
        for _ in 0..5 {
            activities.register(&shown, world.households.add(date(2026, 3, 1)).id, 1).await;
        }
        let cancel = pb::CancelActivityRequest {
            request_id: request_id(),
            activity_id: shown.id.clone(),
            etag: String::new(),
            reason_code: "holiday".to_owned(),
        };
        activities.client().cancel_activity(world.manager().asks(cancel)).await.unwrap();
        (shown.id, 5)
    };
    world.restart().await;
    world.until_told("ActivityCancelled", count).await;
    eventually("all are cancelled", || async {
        let all = Activities(&world).list(&id).await;
        all.iter().all(|one| one.state() == pb::RegistrationState::Cancelled).then_some(())
    })
    .await;
}
