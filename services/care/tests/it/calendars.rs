//! A year that is loaded again: what care counted by it is counted anew (XC-20).

use jiff::civil::date;
use steward_kit::calendar::{Calendars, HolidayYear, YearState};
use steward_kit::plan::{documents_of, read_plan};
use steward_kit::predicate::Fact;
use steward_kit_store::calendars::{CalendarStore, LoadedYear};
use steward_proto::care::v1 as pb;
use steward_proto::plan::v1 as plan;
use steward_proto::plan::v1::policy_document::Document;

use crate::obligations::{obligation, set_date};
use crate::planning::{after_delivery, span};
use crate::visiting::{create, make_visit, round_of, train, visits};
use crate::world::{BASE, BUTLER, World, at, eventually, request_id, time};

/// 2026 as it ships, but for the make-up Saturday of 28 February, which is a day off like any other.
fn without_the_saturday() -> HolidayYear {
    let mut document = match Calendars::shipped().years().state(2026) {
        YearState::Announced(year) => year.to_json(),
        YearState::NotAnnounced => panic!("2026 ships"),
    };
    let days = document["days"].as_array_mut().unwrap();
    let count = days.len();
    days.retain(|day| day["date"] != "2026-02-28");
    assert_eq!(days.len() + 1, count);
    HolidayYear::parse(&document.to_string()).unwrap()
}

/// XC-20, CA-54: the form of a talk, an obligation and a touchpoint that count working days move with the year, and their alerts too: a
/// form that is not late any more is not told.
#[tokio::test]
async fn a_year_loaded_again_moves_what_counts_working_days() {
    let world = World::starting("2026-02-24T01:00:00Z", &[BASE, BUTLER]).await;
    let template = plan::ObligationTemplate {
        code: "file".to_owned(),
        anchor: "handbook_approved".to_owned(),
        offset: Some(span("5wd")),
        ..Default::default()
    };
    // The estate's own document, with one thing more that is owed.
    let own = documents_of(&read_plan("plan.yaml", BUTLER).unwrap()).into_iter().find_map(|document| match document {
        Document::Care(policy) => Some(policy),
        Document::Intake(_)
        | Document::Sla(_)
        | Document::Callback(_)
        | Document::Survey(_)
        | Document::Contact(_)
        | Document::Metrics(_) => None,
    });
    let mut policy = own.unwrap();
    policy.obligations.push(template);
    let document = Document::Care(policy);
    let request = plan::CreatePolicyVersionRequest {
        request_id: request_id(),
        scope: Some(plan::PolicyScope { level: plan::PolicyScopeLevel::Estate.into(), id: world.estate.to_string() }),
        document: Some(plan::PolicyDocument { document: Some(document) }),
        ..Default::default()
    };
    world.policies().create_policy_version(world.operations().asks(request)).await.unwrap();
    world.advance(1);
    set_date(&world, "handbook_approved", "2026-02-24").await;
    let household = world.households.add(date(2026, 2, 25));
    world.households.set(household.id, "household.delivered_date", Fact::Date(date(2026, 2, 25)));
    world.publish_programme("welcome", vec![after_delivery("welcome", "3wd")]).await;
    assert_eq!(time(world.until(household.id, pb::TouchpointState::Planned).await.due_time.as_ref()).to_string(), "2026-02-28T01:00:00Z");

    let round = create(&world, round_of(&world, pb::RoundKind::General, ("2026-02-24", "2026-03-31"))).await;
    train(&world, &round.id, "wang", "steward").await;
    let visit = visits(&world, &round.id).await.remove(0);
    let over = make_visit(&world, &visit.id, "wang", "2026-02-24T02:00:00Z", 45).await;
    let second = at("2026-03-02T16:00:00Z");
    assert_eq!(time(over.form_due_time.as_ref()), second);
    assert_eq!(time(obligation(&world, "file").await.due_time.as_ref()), second);

    let loaded = LoadedYear { year: without_the_saturday(), load_time: world.now(), loaded_by: "ops-1".to_owned() };
    world.publish("work_order", vec![CalendarStore::year_fact(&loaded)]).await;
    let third = at("2026-03-03T16:00:00Z");
    eventually("the recount", || async {
        let request = pb::GetVisitRequest { visit_id: visit.id.clone() };
        let visit = world.visits().get_visit(world.manager().asks(request)).await.unwrap().into_inner().visit.unwrap();
        (time(visit.form_due_time.as_ref()) == third).then_some(())
    })
    .await;
    eventually("the obligation", || async { (time(obligation(&world, "file").await.due_time.as_ref()) == third).then_some(()) }).await;
    let moved = world.until(household.id, pb::TouchpointState::Planned).await;
    assert_eq!((time(moved.due_time.as_ref()), moved.steps.last().unwrap().code.as_str()), (at("2026-03-02T01:00:00Z"), "moved"));

    world.go_to("2026-03-03T15:59:59Z");
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    assert_eq!((world.count_facts("VisitFormOverdue").await, world.count_facts("ObligationOverdue").await), (0, 0));
    world.go_to("2026-03-03T16:00:01Z");
    world.until_told("VisitFormOverdue", 1).await;
    world.until_told("ObligationOverdue", 1).await;
}
