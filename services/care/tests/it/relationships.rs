//! Talks: what they cover, which clocks they stop, what managers owe.

use jiff::civil::date;
use steward_proto::care::v1 as pb;
use steward_proto::care::v1::anchor::Kind as AnchorKind;
use tonic::Code;

use crate::planning::{span, task};
use crate::visiting::{create, make_visit, round_of, train, verb, visits};
use crate::world::{World, eventually, refused, request_id, stamp};

fn talk(world: &World, household: uuid::Uuid, purpose: &str, is_two_way: bool) -> pb::RecordContactRequest {
    pb::RecordContactRequest {
        request_id: request_id(),
        estate_id: world.estate.to_string(),
        household_id: household.to_string(),
        way: pb::ContactWay::Phone.into(),
        purpose: purpose.to_owned(),
        is_two_way,
        ..Default::default()
    }
}

/// CA-30, F-08b: a household that answered counts once in the month; what nobody answered does not count; a talk confirms the task.
#[tokio::test]
async fn a_month_is_covered_by_talks_that_were_answered() {
    let world = World::new().await;
    let all: Vec<_> = (0..20).map(|_| world.households.add(date(2025, 3, 1))).collect();
    world.publish_programme("relationship", vec![task("relationship", "steward", Some(85))]).await;
    eventually("17 tasks", || async {
        let sql = "SELECT count(*) FROM care.touchpoints";
        let count: i64 = sqlx::query_scalar(sql).fetch_one(&world.db).await.unwrap();
        (count == 17).then_some(())
    })
    .await;
    world.go_to("2026-03-02T02:00:00Z");
    for household in &all[..5] {
        world.relationships().record_contact(world.steward().asks(talk(&world, household.id, "relationship", true))).await.unwrap();
    }
    // Once more, in vain, and about something else.
    world.relationships().record_contact(world.steward().asks(talk(&world, all[0].id, "relationship", true))).await.unwrap();
    world.relationships().record_contact(world.steward().asks(talk(&world, all[6].id, "relationship", false))).await.unwrap();
    world.relationships().record_contact(world.steward().asks(talk(&world, all[7].id, "fees", true))).await.unwrap();
    let request = pb::GetRelationshipCoverageRequest { estate_id: world.estate.to_string(), month_date: "2026-03-15".to_owned() };
    let coverage = world.relationships().get_relationship_coverage(world.manager().asks(request)).await.unwrap().into_inner();
    assert_eq!((coverage.base_count, coverage.reached_count, coverage.target_count), (20, 5, 17));
    assert_eq!((coverage.reached_by_date["2026-03-02"], coverage.reached_by_subject["steward-1"]), (5, 5));
    eventually("tasks are confirmed", || async {
        let mut confirmed = 0;
        for household in &all[..5] {
            let of = world.of_household(household.id).await;
            confirmed += of.iter().filter(|one| one.state() == pb::TouchpointState::Confirmed).count();
        }
        // Those whose household was drawn.
        (confirmed >= 3).then_some(())
    })
    .await;
}

/// CA-19: within a week after subscription the first contact; the talk stops the clock, on the eighth day it is overdue.
#[tokio::test]
async fn a_first_contact_is_owed_within_a_week_of_subscription() {
    let world = World::new().await;
    let (kept, missed) = (world.households.add(date(2026, 12, 1)), world.households.add(date(2026, 12, 1)));
    let anchor = AnchorKind::Fact(pb::FactAnchor { field: "care.subscription_date".to_owned() });
    let definition = pb::TouchpointDefinition {
        anchor: Some(pb::Anchor { kind: Some(anchor) }),
        act_within: Some(span("1w")),
        ..task("first_contact", "steward", None)
    };
    world.publish_programme("buyers", vec![definition]).await;
    for household in [&kept, &missed] {
        let request = pb::SetHouseholdDateRequest {
            request_id: request_id(),
            estate_id: world.estate.to_string(),
            household_id: household.id.to_string(),
            kind: pb::HouseholdDateKind::Subscription.into(),
            date: "2026-03-01".to_owned(),
        };
        world.relationships().set_household_date(world.manager().asks(request)).await.unwrap();
        world.until(household.id, pb::TouchpointState::Planned).await;
    }
    world.go_to("2026-03-01T01:00:00Z");
    world.until(kept.id, pb::TouchpointState::Due).await;
    world.until(missed.id, pb::TouchpointState::Due).await;
    world.go_to("2026-03-06T02:00:00Z");
    world.relationships().record_contact(world.steward().asks(talk(&world, kept.id, "first_contact", true))).await.unwrap();
    world.until(kept.id, pb::TouchpointState::Confirmed).await;
    world.go_to("2026-03-08T16:00:01Z");
    let overdue = world.until(missed.id, pb::TouchpointState::Overdue).await;
    assert_eq!((overdue.role.as_str(), overdue.reason_code.as_str()), ("steward", "not_done"));
    world.until_told("TouchpointOverdue", 1).await;
}

/// CA-20: within a week after signing the callback of the service; done on the sixth day it is in time.
#[tokio::test]
async fn a_callback_is_owed_within_a_week_of_signing() {
    let world = World::new().await;
    let household = world.households.add(date(2026, 12, 1));
    let request = pb::DraftProgrammeRequest { estate_id: world.estate.to_string() };
    let document = world.programmes().draft_programme(world.manager().asks(request)).await.unwrap().into_inner().document.unwrap();
    let callback = document.touchpoints.into_iter().find(|one| one.code == "callback_after_signing").unwrap();
    world.publish_programme("buyers", vec![callback]).await;
    let request = pb::SetHouseholdDateRequest {
        request_id: request_id(),
        estate_id: world.estate.to_string(),
        household_id: household.id.to_string(),
        kind: pb::HouseholdDateKind::Signing.into(),
        date: "2026-03-01".to_owned(),
    };
    world.relationships().set_household_date(world.manager().asks(request)).await.unwrap();
    world.until(household.id, pb::TouchpointState::Planned).await;
    world.go_to("2026-03-01T01:00:00Z");
    world.until(household.id, pb::TouchpointState::Due).await;
    world.go_to("2026-03-07T02:00:00Z");
    let asked = talk(&world, household.id, "callback_after_signing", true);
    world.relationships().record_contact(world.steward().asks(asked)).await.unwrap();
    world.until(household.id, pb::TouchpointState::Confirmed).await;
    world.go_to("2026-03-09T16:00:01Z");
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    assert_eq!(world.count_facts("TouchpointOverdue").await, 0);
}

/// CA-50, CA-51, CA-52, CA-53: positions owe talks of half an hour at home; whoever is behind a month before the end is warned of, and at
/// the end has missed. A talk of 25 minutes does not count.
#[tokio::test]
async fn managers_owe_talks_at_home() {
    let world = World::new().await;
    for _ in 0..3 {
        world.households.add(date(2025, 3, 1));
    }
    let put = |subject: &str, position: &str| pb::SetOfficerRequest {
        request_id: request_id(),
        estate_id: world.estate.to_string(),
        subject: subject.to_owned(),
        position: position.to_owned(),
    };
    for (subject, position) in [("boss", "executives"), ("head", "customer_facing_heads"), ("other", "other_heads")] {
        world.relationships().set_officer(world.manager().asks(put(subject, position))).await.unwrap();
    }
    let unknown = world.relationships().set_officer(world.manager().asks(put("x", "gardener"))).await;
    refused(unknown, Code::InvalidArgument, "POSITION_UNKNOWN");
    let list = || async {
        let request = pb::ListFaceToFaceQuotasRequest { estate_id: world.estate.to_string(), year: 2026, ..Default::default() };
        let quotas = world.relationships().list_face_to_face_quotas(world.manager().asks(request)).await.unwrap().into_inner().quotas;
        quotas.into_iter().map(|one| (one.subject, one.required_count, one.done_count, one.standing)).collect::<Vec<_>>()
    };
    let row = |subject: &str, required, done, standing: &str| (subject.to_owned(), required, done, standing.to_owned());
    assert_eq!(list().await, [row("boss", 1, 0, "open"), row("head", 2, 0, "open"), row("other", 1, 0, "open")]);

    let round = create(&world, round_of(&world, pb::RoundKind::General, ("2026-03-01", "2026-03-31"))).await;
    let all = visits(&world, &round.id).await;
    for (visit, subject, start, minutes) in [
        (&all[0], "head", "2026-03-10T02:00:00Z", 35),
        (&all[1], "head", "2026-03-11T02:00:00Z", 25),
        (&all[2], "other", "2026-03-12T02:00:00Z", 30),
    ] {
        train(&world, &round.id, subject, "manager").await;
        make_visit(&world, &visit.id, subject, start, minutes).await;
        let form = Some(pb::VisitForm { position: subject.to_owned(), ..Default::default() });
        verb!(world, submit_visit_form, SubmitVisitFormRequest, visit.id, form: form).unwrap();
    }
    world.go_to("2026-11-29T15:59:59Z");
    assert_eq!(list().await, [row("boss", 1, 0, "open"), row("head", 2, 1, "open"), row("other", 1, 1, "met")]);
    world.go_to("2026-11-29T16:00:00Z");
    assert_eq!(list().await, [row("boss", 1, 0, "warning"), row("head", 2, 1, "warning"), row("other", 1, 1, "met")]);
    world.go_to("2026-12-31T16:00:00Z");
    assert_eq!(list().await, [row("boss", 1, 0, "missed"), row("head", 2, 1, "missed"), row("other", 1, 1, "met")]);
}

#[tokio::test]
async fn a_talk_in_the_future_is_refused_and_lists_are_paged() {
    let world = World::new().await;
    let household = world.households.add(date(2025, 3, 1));
    let ahead =
        pb::RecordContactRequest { contact_time: stamp("2026-04-01T00:00:00Z"), ..talk(&world, household.id, "relationship", true) };
    refused(world.relationships().record_contact(world.steward().asks(ahead)).await, Code::InvalidArgument, "TIME_NOT_PLAUSIBLE");
    for _ in 0..3 {
        world.advance(1);
        world.relationships().record_contact(world.steward().asks(talk(&world, household.id, "relationship", true))).await.unwrap();
    }
    let mut seen = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = pb::ListContactsRequest {
            page_size: 2,
            page_token,
            estate_id: world.estate.to_string(),
            household_id: household.id.to_string(),
        };
        let page = world.relationships().list_contacts(world.manager().asks(request)).await.unwrap().into_inner();
        seen.extend(page.contacts.into_iter().map(|one| one.id));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert_eq!(seen.len(), 3);
}
