//! Who has which place: exact, in order, however many ask at once, and whatever dies on the way.

use std::collections::BTreeMap;

use jiff::civil::date;
use prost::Message;
use steward_proto::care::v1 as pb;
use tokio::task::JoinSet;
use tonic::Code;

use crate::community::Activities;
use crate::world::{World, refused, request_id};

use pb::RegistrationState as State;

/// Registers so many households at once, each by a call of its own, and gives their requests and answers.
async fn rush(world: &World, activity: &pb::Activity, count: usize) -> Vec<(pb::RegisterRequest, pb::Registration)> {
    let activities = Activities(world);
    let mut calls = JoinSet::new();
    for _ in 0..count {
        let household = world.households.add(date(2026, 3, 1));
        let request = activities.ask(activity, household.id, 1);
        let (mut client, asked) = (activities.client(), world.steward().asks(request.clone()));
        calls.spawn(async move { (request, client.register(asked).await.unwrap().into_inner().registration.unwrap()) });
    }
    calls.join_all().await
}

/// CA-72: a quota of 30 and 100 simultaneous registrations: exactly 30 confirmed, the rest waiting in the order of their arrival, 1 to 70.
/// Five who cancel at once make room for the first five who wait, in their order, and every one of them is told.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn thirty_places_and_a_hundred_registrations_at_once() {
    let world = World::new().await;
    let activities = Activities(&world);
    let shown = activities.published(activities.plan(30)).await;
    let answers = rush(&world, &shown, 100).await;

    let listed = activities.list(&shown.id).await;
    let sequences: Vec<i32> = listed.iter().map(|one| one.sequence).collect();
    assert_eq!(sequences, (1..=100).collect::<Vec<_>>(), "arrival has no gaps, and the list is in its order");
    let (confirmed, waiting): (Vec<_>, Vec<_>) = listed.iter().partition(|one| one.state() == State::Confirmed);
    assert_eq!((confirmed.len(), waiting.len()), (30, 70));
    assert!(confirmed.iter().all(|one| one.sequence <= 30), "who came first has a place");
    assert_eq!(waiting.iter().map(|one| one.waiting_number).collect::<Vec<_>>(), (1..=70).collect::<Vec<_>>());
    // What each was answered is what came of it.
    let by_id: BTreeMap<&str, &pb::Registration> = listed.iter().map(|one| (one.id.as_str(), one)).collect();
    for (_, answer) in &answers {
        let row = by_id[answer.id.as_str()];
        assert_eq!((answer.state(), answer.sequence, answer.waiting_number), (row.state(), row.sequence, row.waiting_number));
    }
    let now = activities.get(&shown.id).await;
    assert_eq!((now.confirmed_seat_count, now.confirmed_count, now.waiting_count), (30, 30, 70));
    world.until_told("RegistrationConfirmed", 30).await;
    world.until_told("RegistrationWaitlisted", 70).await;

    let mut cancels = JoinSet::new();
    for one in &confirmed[10..15] {
        let request = pb::CancelRegistrationRequest { request_id: request_id(), registration_id: one.id.clone() };
        let (mut client, asked) = (activities.client(), world.steward().asks(request));
        cancels.spawn(async move { client.cancel_registration(asked).await.unwrap() });
    }
    cancels.join_all().await;
    let after = activities.list(&shown.id).await;
    let state_of = |numbers: std::ops::RangeInclusive<i32>, state: State| {
        after.iter().filter(|one| numbers.contains(&one.waiting_number)).all(|one| one.state() == state)
    };
    assert!(state_of(1..=5, State::Confirmed) && state_of(6..=70, State::Waiting), "the first five who wait, and no other");
    let now = activities.get(&shown.id).await;
    assert_eq!((now.confirmed_seat_count, now.confirmed_count, now.waiting_count), (30, 30, 65));
    world.until_told("RegistrationConfirmed", 35).await;
    world.until_told("RegistrationCancelled", 5).await;
}

/// CA-22: of a site open day with 50 places the 51st to register waits.
#[tokio::test]
async fn the_fifty_first_of_an_open_day_waits() {
    let world = World::new().await;
    let activities = Activities(&world);
    let plan = pb::ActivityPlan { family: pb::ActivityFamily::OpenDay.into(), type_code: "site_visit".to_owned(), ..activities.plan(50) };
    let shown = activities.published(plan).await;
    rush(&world, &shown, 50).await;
    let last = activities.register(&shown, world.households.add(date(2026, 3, 1)).id, 1).await;
    assert_eq!((last.state(), last.sequence, last.waiting_number), (State::Waiting, 51, 1));
}

/// Registrations and cancellations at once: places are never over-sold, nobody waits who would fit, and the counts are those of the rows.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn places_stay_exact_while_some_come_and_others_go() {
    let world = World::new().await;
    let activities = Activities(&world);
    let shown = activities.published(activities.plan(10)).await;
    let first = rush(&world, &shown, 20).await;
    let mut calls = JoinSet::new();
    for (at, (_, one)) in first.iter().enumerate() {
        let household = world.households.add(date(2026, 3, 1));
        let come = world.steward().asks(activities.ask(&shown, household.id, 1 + u32::try_from(at % 3).unwrap()));
        let cancel = pb::CancelRegistrationRequest { request_id: request_id(), registration_id: one.id.clone() };
        let go = world.steward().asks(cancel);
        let (mut coming, mut going) = (activities.client(), activities.client());
        calls.spawn(async move { coming.register(come).await.map(drop) });
        if at % 2 == 0 {
            calls.spawn(async move { going.cancel_registration(go).await.map(drop) });
        }
    }
    for answer in calls.join_all().await {
        answer.unwrap();
    }
    let all = activities.list(&shown.id).await;
    let of = |state: State| all.iter().filter(move |one| one.state() == state);
    let seats: u32 = of(State::Confirmed).map(|one| one.party_size).sum();
    let now = activities.get(&shown.id).await;
    assert!(seats <= 10, "{seats} of 10");
    assert_eq!(u32::try_from(now.confirmed_seat_count).unwrap(), seats);
    let counted = |state| i32::try_from(of(state).count()).unwrap();
    assert_eq!((now.confirmed_count, now.waiting_count), (counted(State::Confirmed), counted(State::Waiting)));
    assert!(of(State::Waiting).all(|one| one.party_size > 10 - seats), "somebody waits who would fit");
}

/// Free places go to the first who waits whose party fits: a larger party before is not passed over for ever, only while it does not fit.
#[tokio::test]
async fn the_first_who_fits_is_next() {
    let world = World::new().await;
    let activities = Activities(&world);
    let shown = activities.published(activities.plan(4)).await;
    let household = || world.households.add(date(2026, 3, 1)).id;
    let three = activities.register(&shown, household(), 3).await;
    let one = activities.register(&shown, household(), 1).await;
    let pair = activities.register(&shown, household(), 2).await;
    let single = activities.register(&shown, household(), 1).await;
    let late = activities.register(&shown, household(), 1).await;
    let states = || async { activities.list(&shown.id).await.iter().map(pb::Registration::state).collect::<Vec<_>>() };
    assert_eq!((pair.waiting_number, single.waiting_number, late.waiting_number), (1, 2, 3));
    activities.cancel(&one.id).await;
    assert_eq!(states().await, [State::Confirmed, State::Cancelled, State::Waiting, State::Confirmed, State::Waiting]);
    activities.cancel(&three.id).await;
    assert_eq!(states().await, [State::Cancelled, State::Cancelled, State::Confirmed, State::Confirmed, State::Confirmed]);
}

/// More places go to those who wait; fewer than are taken there cannot be.
#[tokio::test]
async fn more_places_go_to_those_who_wait() {
    let world = World::new().await;
    let activities = Activities(&world);
    let shown = activities.published(activities.plan(2)).await;
    rush(&world, &shown, 5).await;
    let update = |capacity| pb::UpdateActivityRequest {
        request_id: request_id(),
        activity_id: shown.id.clone(),
        update_mask: Some(prost_types::FieldMask { paths: vec!["capacity".to_owned(), "max_party_size".to_owned()] }),
        plan: Some(pb::ActivityPlan { max_party_size: 1, ..activities.plan(capacity) }),
        etag: String::new(),
    };
    let more = update(4);
    let updated = activities.client().update_activity(world.manager().asks(more.clone())).await.unwrap().into_inner();
    let activity = updated.activity.clone().unwrap();
    assert_eq!((activity.confirmed_count, activity.waiting_count), (4, 1));
    world.until_told("RegistrationConfirmed", 4).await;
    let again = activities.client().update_activity(world.manager().asks(more)).await.unwrap().into_inner();
    assert_eq!(again.encode_to_vec(), updated.encode_to_vec());
    refused(activities.client().update_activity(world.manager().asks(update(3))).await, Code::InvalidArgument, "ACTIVITY_INVALID");
}

/// A registration that is asked for again is answered as it was, by another replica and after whatever happened since; a household has
/// one that stands; a cancelled one may register anew, at the end.
#[tokio::test]
async fn a_registration_that_comes_again_is_the_same() {
    let mut world = World::new().await;
    let (shown, asks, answers, household) = {
        let activities = Activities(&world);
        let shown = activities.published(activities.plan(1)).await;
        let household = world.households.add(date(2026, 3, 1)).id;
        let other = world.households.add(date(2026, 3, 1)).id;
        let asks = [activities.ask(&shown, household, 1), activities.ask(&shown, other, 1)];
        let mut answers = Vec::new();
        for ask in &asks {
            answers.push(activities.client().register(world.steward().asks(ask.clone())).await.unwrap().into_inner());
        }
        (shown, asks, answers, household)
    };
    let of = |at: usize| answers[at].registration.clone().unwrap();
    assert_eq!((of(0).state(), of(1).state()), (State::Confirmed, State::Waiting));
    world.restart().await;
    let activities = Activities(&world);
    activities.cancel(&of(0).id).await;
    for (ask, answer) in asks.iter().zip(&answers) {
        let again = activities.client().register(world.steward().asks(ask.clone())).await.unwrap().into_inner();
        assert_eq!(again.encode_to_vec(), answer.encode_to_vec());
    }
    let reused = pb::RegisterRequest { party_size: 2, ..asks[0].clone() };
    let status = activities.client().register(world.steward().asks(reused)).await.expect_err("another body");
    assert_eq!(status.code(), Code::AlreadyExists);
    let anew = activities.register(&shown, household, 1).await;
    assert_eq!((anew.state(), anew.sequence, anew.waiting_number), (State::Waiting, 3, 2));
    let twice = activities.ask(&shown, household, 1);
    refused(activities.client().register(world.steward().asks(twice)).await, Code::AlreadyExists, "ALREADY_REGISTERED");
    let all = activities.list(&shown.id).await;
    assert_eq!(all.len(), 3, "a repetition left a row");
}

/// The same request sent many times at once is one registration; a household that asks by many requests at once has one.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_same_request_many_times_at_once_is_one() {
    let world = World::new().await;
    let activities = Activities(&world);
    let shown = activities.published(activities.plan(30)).await;
    let household = world.households.add(date(2026, 3, 1)).id;
    let request = activities.ask(&shown, household, 2);
    let mut calls = JoinSet::new();
    for at in 0..16 {
        let own = activities.ask(&shown, household, 2);
        let asked = world.steward().asks(if at % 2 == 0 { request.clone() } else { own });
        let mut client = activities.client();
        calls.spawn(async move { (at % 2 == 0, client.register(asked).await) });
    }
    let answers = calls.join_all().await;
    let ids: std::collections::BTreeSet<String> = answers
        .iter()
        .filter_map(|(_, answer)| answer.as_ref().ok())
        .map(|answer| answer.get_ref().registration.clone().unwrap().id)
        .collect();
    assert_eq!(ids.len(), 1, "one registration, whoever made it");
    let now = activities.get(&shown.id).await;
    assert_eq!((now.confirmed_count, now.confirmed_seat_count), (1, 2));
}

/// The window: before it opens and after it closes nobody registers; a party has its limit.
#[tokio::test]
async fn registration_has_its_window_and_a_party_its_limit() {
    let world = World::new().await;
    let activities = Activities(&world);
    let plan = pb::ActivityPlan { registration_from_time: crate::world::stamp("2026-03-02T00:00:00Z"), ..activities.plan(30) };
    let shown = activities.published(plan).await;
    let household = world.households.add(date(2026, 3, 1)).id;
    let ask = |size| activities.ask(&shown, household, size);
    refused(activities.client().register(world.steward().asks(ask(1))).await, Code::FailedPrecondition, "REGISTRATION_NOT_OPEN");
    world.go_to("2026-03-02T00:00:00Z");
    refused(activities.client().register(world.steward().asks(ask(5))).await, Code::InvalidArgument, "PARTY_TOO_LARGE");
    activities.register(&shown, household, 4).await;
    world.go_to("2026-03-10T00:00:00Z");
    let late = activities.ask(&shown, world.households.add(date(2026, 3, 1)).id, 1);
    refused(activities.client().register(world.steward().asks(late)).await, Code::FailedPrecondition, "REGISTRATION_NOT_OPEN");
}

/// A registration is cancelled once; its request may come again.
#[tokio::test]
async fn a_cancellation_that_comes_again_is_the_same() {
    let world = World::new().await;
    let activities = Activities(&world);
    let shown = activities.published(activities.plan(30)).await;
    let one = activities.register(&shown, world.households.add(date(2026, 3, 1)).id, 1).await;
    let request = pb::CancelRegistrationRequest { request_id: request_id(), registration_id: one.id.clone() };
    let first = activities.client().cancel_registration(world.steward().asks(request.clone())).await.unwrap().into_inner();
    let again = activities.client().cancel_registration(world.steward().asks(request)).await.unwrap().into_inner();
    assert_eq!(first.encode_to_vec(), again.encode_to_vec());
    let anew = pb::CancelRegistrationRequest { request_id: request_id(), registration_id: one.id };
    let answer = activities.client().cancel_registration(world.steward().asks(anew)).await;
    refused(answer, Code::FailedPrecondition, "REGISTRATION_STATE_FORBIDS");
    assert_eq!(activities.get(&shown.id).await.confirmed_seat_count, 0);
}

/// DESIGN §4: a registration is two trips, whatever it decides.
#[tokio::test]
async fn a_registration_takes_two_trips() {
    let world = World::new().await;
    let activities = Activities(&world);
    let shown = activities.published(activities.plan(1)).await;
    for state in [State::Confirmed, State::Waiting] {
        let household = world.households.add(date(2026, 3, 1)).id;
        world.asked.take();
        let one = activities.register(&shown, household, 1).await;
        assert_eq!(one.state(), state);
        let asked = world.asked.take();
        let own: Vec<_> = asked.iter().filter(|sql| sql.contains("care.activities") || sql.contains("care.registrations")).collect();
        assert_eq!(own.len(), 2, "{own:#?}");
    }
}

/// At the door while others cancel: each party either came or cancelled, never both, and the counts say how many of each.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_party_comes_or_cancels_but_not_both() {
    let world = World::new().await;
    let activities = Activities(&world);
    let shown = activities.published(activities.plan(20)).await;
    let all = rush(&world, &shown, 20).await;
    let mut calls = JoinSet::new();
    for (_, one) in &all {
        let door = pb::CheckInRequest { request_id: request_id(), activity_id: shown.id.clone(), check_in_code: one.check_in_code.clone() };
        let cancel = pb::CancelRegistrationRequest { request_id: request_id(), registration_id: one.id.clone() };
        let (door, cancel) = (world.steward().asks(door), world.steward().asks(cancel));
        let (mut at_door, mut away) = (activities.client(), activities.client());
        calls.spawn(async move { ("came", at_door.check_in(door).await.is_ok()) });
        calls.spawn(async move { ("cancelled", away.cancel_registration(cancel).await.is_ok()) });
    }
    let answers = calls.join_all().await;
    let count = |what: &str| i32::try_from(answers.iter().filter(|(did, held)| *did == what && *held).count()).unwrap();
    let (came, cancelled) = (count("came"), count("cancelled"));
    assert_eq!(came + cancelled, 20);
    let now = activities.get(&shown.id).await;
    assert_eq!((now.checked_in_count, now.confirmed_count, now.confirmed_seat_count), (came, came, came));
    let states = activities.list(&shown.id).await;
    let of = |state: State| i32::try_from(states.iter().filter(|one| one.state() == state).count()).unwrap();
    assert_eq!((of(State::CheckedIn), of(State::Cancelled)), (came, cancelled));
}
