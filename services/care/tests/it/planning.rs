//! The planner: which touchpoints there are, each exactly once, whatever breaks.

use jiff::civil::date;
use steward_kit::predicate::{Fact, ask};
use steward_proto::care::v1 as pb;
use steward_proto::care::v1::action::Kind as ActionKind;
use steward_proto::care::v1::anchor::Kind as AnchorKind;
use steward_proto::common::v1 as common;

use crate::world::{World, at, eventually, request_id, time};

pub(crate) fn span(text: &str) -> common::Span {
    steward_kit::proto::to_span(&text.parse().unwrap())
}

pub(crate) fn everyone() -> Option<pb::Audience> {
    Some(pb::Audience { kind: Some(pb::audience::Kind::Everyone(pb::Everyone {})) })
}

pub(crate) fn delivered() -> Option<pb::Audience> {
    Some(pb::Audience { kind: Some(pb::audience::Kind::Predicate(ask::is_true("household.is_delivered"))) })
}

fn exclusion(code: &str, predicate: common::Predicate) -> pb::Exclusion {
    pb::Exclusion { code: code.to_owned(), predicate: Some(predicate) }
}

/// Whom CA-37 to CA-39 leave out.
pub(crate) fn exclusions() -> Vec<pb::Exclusion> {
    vec![
        exclusion("major_complaint", ask::is_true("household.has_major_complaint")),
        exclusion("renovating", ask::is_true("household.is_renovating")),
        exclusion("not_moved_in", ask::equals("household.occupancy", ["undelivered", "delivered", "vacant"])),
    ]
}

/// A visit some time after delivery.
pub(crate) fn after_delivery(code: &str, offset: &str) -> pb::TouchpointDefinition {
    pb::TouchpointDefinition {
        code: code.to_owned(),
        name_zh: "回访".to_owned(),
        name_en: "Visit".to_owned(),
        layer: pb::CareLayer::Advanced.into(),
        stage: pb::LifeStage::Settling.into(),
        anchor: Some(pb::Anchor { kind: Some(AnchorKind::Fact(pb::FactAnchor { field: "household.delivered_date".to_owned() })) }),
        offset: Some(pb::Offset { before: false, span: Some(span(offset)) }),
        audience: delivered(),
        exclusions: exclusions(),
        action: Some(pb::Action { kind: Some(ActionKind::Visit(pb::VisitAction { round_kind: pb::RoundKind::ThreeMonth.into() })) }),
        ..Default::default()
    }
}

/// A task on the first of each month.
pub(crate) fn task(code: &str, role: &str, share: Option<u32>) -> pb::TouchpointDefinition {
    let kind = ActionKind::Task(pb::TaskAction { role: role.to_owned(), instructions: String::new() });
    pb::TouchpointDefinition {
        code: code.to_owned(),
        layer: pb::CareLayer::Basic.into(),
        anchor: Some(pb::Anchor { kind: Some(AnchorKind::Recurrence(pb::RecurrenceAnchor { every: pb::Recurrence::Month.into() })) }),
        offset: None,
        exclusions: Vec::new(),
        action: Some(pb::Action { kind: Some(kind) }),
        share_percent: share.unwrap_or(0),
        ..after_delivery(code, "3mo")
    }
}

/// A message of care on an anchor.
pub(crate) fn message(code: &str, anchor: AnchorKind) -> pb::TouchpointDefinition {
    let kind = ActionKind::Message(pb::MessageAction {
        template_key: format!("care.{code}"),
        purpose_class: "care".to_owned(),
        ..Default::default()
    });
    pb::TouchpointDefinition {
        anchor: Some(pb::Anchor { kind: Some(anchor) }),
        action: Some(pb::Action { kind: Some(kind) }),
        ..task(code, "", None)
    }
}

async fn count(world: &World, state: &str) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM care.touchpoints WHERE state = $1").bind(state).fetch_one(&world.db).await.unwrap()
}

/// CA-32: delivered on 1 March, due on 1 June; CA-33: and after a year.
#[tokio::test]
async fn visits_are_due_three_months_and_a_year_after_delivery() {
    let world = World::new().await;
    let household = world.households.add(date(2026, 3, 1));
    world.publish_programme("lifecycle", vec![after_delivery("three_month", "3mo"), after_delivery("one_year", "1y")]).await;
    let planned = eventually("two touchpoints", || async {
        let all = world.of_household(household.id).await;
        (all.len() == 2).then_some(all)
    })
    .await;
    // The last due first; 09:00 in Shanghai.
    let due: Vec<_> = planned.iter().map(|one| (one.definition_code.as_str(), time(one.due_time.as_ref()))).collect();
    assert_eq!(due, [("one_year", at("2027-03-01T01:00:00Z")), ("three_month", at("2026-06-01T01:00:00Z"))]);
    assert!(planned.iter().all(|one| one.anchor_date == "2026-03-01" && one.steps[0].code == "planned"));
}

/// CA-37, and the demo: the three-month visit is left out because of the open major complaint, and planned again when it closes.
#[tokio::test]
async fn a_visit_is_left_out_while_a_major_complaint_stands_and_planned_again_when_it_closes() {
    let world = World::new().await;
    let household = world.households.add(date(2026, 3, 1));
    world.publish_programme("lifecycle", vec![after_delivery("three_month", "3mo")]).await;
    world.until(household.id, pb::TouchpointState::Planned).await;
    world.households.set(household.id, "household.has_major_complaint", Fact::Boolean(true));
    world.go_to("2026-06-01T01:00:00Z");
    let left_out = world.until(household.id, pb::TouchpointState::Excluded).await;
    assert_eq!(left_out.reason_code, "major_complaint");
    world.until_told("TouchpointExcluded", 1).await;

    world.go_to("2026-06-10T06:00:00Z");
    world.households.set(household.id, "household.has_major_complaint", Fact::Boolean(false));
    world.tell_changed(household.id, "household.has_major_complaint").await;
    let again = world.until(household.id, pb::TouchpointState::Planned).await;
    assert_eq!(again.id, left_out.id, "the same one");
    assert_eq!(time(again.due_time.as_ref()), at("2026-06-11T01:00:00Z"), "the next morning");
    world.until_told("TouchpointIncluded", 1).await;
    world.go_to("2026-06-11T01:00:00Z");
    world.until(household.id, pb::TouchpointState::Due).await;
}

/// CA-38, CA-39: as well while a household renovates, or has not moved in; looked at again each day without being told.
#[tokio::test]
async fn whoever_is_left_out_is_looked_at_again_each_day() {
    let world = World::new().await;
    let (renovating, empty) = (world.households.add(date(2026, 3, 1)), world.households.add(date(2026, 3, 1)));
    world.households.set(renovating.id, "household.is_renovating", Fact::Boolean(true));
    world.households.set(empty.id, "household.occupancy", Fact::Code("delivered".to_owned()));
    world.publish_programme("lifecycle", vec![after_delivery("three_month", "3mo")]).await;
    world.until(empty.id, pb::TouchpointState::Planned).await;
    world.until(renovating.id, pb::TouchpointState::Planned).await;
    world.go_to("2026-06-01T01:00:00Z");
    assert_eq!(world.until(renovating.id, pb::TouchpointState::Excluded).await.reason_code, "renovating");
    assert_eq!(world.until(empty.id, pb::TouchpointState::Excluded).await.reason_code, "not_moved_in");
    world.households.set(empty.id, "household.occupancy", Fact::Code("occupied".to_owned()));
    world.go_to("2026-06-02T01:00:00Z");
    world.until(empty.id, pb::TouchpointState::Due).await;
    assert_eq!(world.until(renovating.id, pb::TouchpointState::Excluded).await.reason_code, "renovating");
}

/// CA-30: of a thousand households 850 are called, all of them tasks on the first day.
#[tokio::test]
async fn the_monthly_round_has_its_share_of_tasks_on_the_first_day() {
    let world = World::new().await;
    for _ in 0..1000 {
        world.households.add(date(2025, 3, 1));
    }
    world.publish_programme("relationship", vec![task("relationship", "steward", Some(85))]).await;
    eventually("850 tasks", || async { (count(&world, "planned").await == 850).then_some(()) }).await;
    world.go_to("2026-03-01T01:00:00Z");
    eventually("850 tasks are due", || async { (count(&world, "due").await == 850).then_some(()) }).await;
    assert_eq!(world.count_facts("TouchpointTaskDue").await, 850);
}

/// Exactly one for each programme version, household and occurrence, although the planner is killed and started again in the middle,
/// and runs again and again.
#[tokio::test]
async fn a_planner_that_is_killed_plans_each_touchpoint_once() {
    let mut world = World::new().await;
    for _ in 0..1500 {
        world.households.add(date(2026, 3, 1));
    }
    let definitions = ["a", "b", "c"].map(|code| after_delivery(code, "3mo"));
    world.publish_programme("lifecycle", definitions.into()).await;
    for _ in 0..4 {
        tokio::time::sleep(std::time::Duration::from_millis(60)).await;
        world.restart().await;
        // The lease of the planner that was killed ends.
        world.advance(3);
    }
    eventually("all of them", || async {
        world.advance(1);
        (count(&world, "planned").await == 4500).then_some(())
    })
    .await;
    world.go_to("2026-03-03T00:00:00Z");
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    let sql =
        "SELECT count(DISTINCT (programme_id, household_id, definition_code, document ->> 'anchor_date')), count(*) FROM care.touchpoints";
    let (distinct, all): (i64, i64) = sqlx::query_as(sql).fetch_one(&world.db).await.unwrap();
    assert_eq!((distinct, all), (4500, 4500));
}

/// Acting is done once too: what was due when the process was killed is done after it, and each message leaves once.
#[tokio::test]
async fn a_worker_that_is_killed_acts_once() {
    let mut world = World::new().await;
    for _ in 0..600 {
        world.households.add(date(2026, 3, 1));
    }
    let anchor = AnchorKind::Recurrence(pb::RecurrenceAnchor { every: pb::Recurrence::Month.into() });
    world.publish_programme("bulletin", vec![message("bulletin", anchor)]).await;
    eventually("all planned", || async { (count(&world, "planned").await == 600).then_some(()) }).await;
    world.go_to("2026-03-01T01:00:00Z");
    for _ in 0..3 {
        tokio::time::sleep(std::time::Duration::from_millis(40)).await;
        world.restart().await;
        world.advance(3);
    }
    eventually("all acted", || async {
        world.advance(1);
        (count(&world, "acted").await == 600).then_some(())
    })
    .await;
    assert_eq!(world.count_facts("TouchpointMessageDue").await, 600);
}

/// CA-28: a birthday that the customer keeps by the lunar calendar, at 09:00, once, although two of the household have it.
#[tokio::test]
async fn a_birthday_is_greeted_once_a_household_on_the_day_it_is_kept() {
    let world = World::new().await;
    let household = world.households.add(date(2025, 3, 1));
    for _ in 0..2 {
        world.households.keep(household.id, "birthday", date(2026, 3, 20));
    }
    let anchor = AnchorKind::KeyDate(pb::KeyDateAnchor { kind: "birthday".to_owned() });
    world.publish_programme("birthdays", vec![message("birthday", anchor)]).await;
    let planned = world.until(household.id, pb::TouchpointState::Planned).await;
    assert_eq!(time(planned.due_time.as_ref()), at("2026-03-20T01:00:00Z"));
    world.go_to("2026-03-20T01:00:00Z");
    world.until(household.id, pb::TouchpointState::Acted).await;
    world.until_told("TouchpointMessageDue", 1).await;
}

/// CA-66: the Mid-Autumn Festival is where the moon puts it.
#[tokio::test]
async fn a_festival_is_planned_by_the_lunar_calendar() {
    let world = World::new().await;
    let household = world.households.add(date(2025, 3, 1));
    let anchor = AnchorKind::Festival(pb::FestivalAnchor { festival: pb::Festival::MidAutumn.into() });
    let definition =
        pb::TouchpointDefinition { offset: Some(pb::Offset { before: true, span: Some(span("3d")) }), ..message("mid_autumn", anchor) };
    world.publish_programme("festivals", vec![definition]).await;
    let planned = world.until(household.id, pb::TouchpointState::Planned).await;
    assert_eq!((planned.anchor_date.as_str(), time(planned.due_time.as_ref())), ("2026-09-25", at("2026-09-22T01:00:00Z")));
}

/// CA-21: a building's topping out is told once, to the households of that building.
#[tokio::test]
async fn a_milestone_of_a_building_is_told_to_its_households_once() {
    let world = World::new().await;
    let (of_three, of_one) = (world.households.add(date(2026, 3, 1)), world.households.add(date(2026, 3, 1)));
    world.households.set(of_three.id, "unit.building_code", Fact::Code("3".to_owned()));
    let anchor = AnchorKind::EstateDate(pb::EstateDateAnchor { kind: "topping_out".to_owned() });
    world.publish_programme("milestones", vec![message("topping_out", anchor)]).await;
    world.go_to("2026-03-05T06:00:00Z");
    let set = |date: &str| pb::SetEstateDateRequest {
        request_id: request_id(),
        estate_id: world.estate.to_string(),
        kind: "topping_out".to_owned(),
        subject_code: "3".to_owned(),
        date: date.to_owned(),
        is_reached: true,
    };
    // Recorded a day late, and once more.
    world.obligations().set_estate_date(world.manager().asks(set("2026-03-04"))).await.unwrap();
    world.until(of_three.id, pb::TouchpointState::Acted).await;
    world.obligations().set_estate_date(world.manager().asks(set("2026-03-04"))).await.unwrap();
    world.go_to("2026-03-07T06:00:00Z");
    world.until_told("TouchpointMessageDue", 1).await;
    assert!(world.of_household(of_one.id).await.is_empty());
}

/// A household whose day of delivery moves is visited by the new day, and not by both.
#[tokio::test]
async fn a_fact_that_moves_moves_what_is_planned() {
    let world = World::new().await;
    let household = world.households.add(date(2026, 3, 1));
    world.publish_programme("lifecycle", vec![after_delivery("three_month", "3mo")]).await;
    world.until(household.id, pb::TouchpointState::Planned).await;
    world.households.set(household.id, "household.delivered_date", Fact::Date(date(2026, 3, 20)));
    world.tell_changed(household.id, "household.delivered_date").await;
    eventually("the plan follows", || async {
        world.advance(1);
        let all = world.of_household(household.id).await;
        let moved = all.iter().any(|one| one.state() == pb::TouchpointState::Cancelled && one.reason_code == "anchor_moved");
        let planned = all.iter().any(|one| one.state() == pb::TouchpointState::Planned && one.anchor_date == "2026-03-20");
        (moved && planned && all.len() == 2).then_some(())
    })
    .await;
}

/// CA-85: of those held out nobody gets anything, and who they are is fixed.
#[tokio::test]
async fn a_group_that_is_held_out_gets_nothing() {
    let world = World::new().await;
    for _ in 0..200 {
        world.households.add(date(2026, 3, 1));
    }
    let anchor = AnchorKind::Recurrence(pb::RecurrenceAnchor { every: pb::Recurrence::Month.into() });
    let mut request = world.draft("campaign", vec![message("campaign", anchor)]);
    request.document.as_mut().unwrap().holdout = Some(pb::Holdout { percent: 10, seed: "spring".to_owned() });
    let draft = world.programmes().create_programme(world.manager().asks(request)).await.unwrap().into_inner().programme.unwrap();
    world.publish_draft(&draft.id).await;
    eventually("all of them", || async { (count(&world, "planned").await + count(&world, "held_out").await == 200).then_some(()) }).await;
    let held_out = count(&world, "held_out").await;
    assert!((5..=40).contains(&held_out), "{held_out}");
    world.go_to("2026-03-01T01:00:00Z");
    eventually("the others", || async { (count(&world, "acted").await == 200 - held_out).then_some(()) }).await;
    assert_eq!(count(&world, "held_out").await, held_out);
    assert_eq!(world.count_facts("TouchpointMessageDue").await, 200 - held_out);
}
