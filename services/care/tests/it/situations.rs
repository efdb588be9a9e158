//! What the situation of a household lets happen: companions for the lonely, nothing sold at the wrong moment, questions that were
//! answered.

use jiff::civil::date;
use steward_kit::predicate::{Fact, ask};
use steward_kit_store::NewEvent;
use steward_proto::care::v1 as pb;
use steward_proto::care::v1::action::Kind as ActionKind;
use steward_proto::care::v1::anchor::Kind as AnchorKind;
use steward_proto::survey::v1 as survey;
use tonic::Code;
use uuid::Uuid;

use crate::planning::{message, task};
use crate::world::{BASE, CARE_315, World, eventually, refused, request_id};

fn every(period: pb::Recurrence) -> AnchorKind {
    AnchorKind::Recurrence(pb::RecurrenceAnchor { every: period.into() })
}

fn tags(codes: &[&str]) -> Fact {
    Fact::Codes(codes.iter().map(|code| (*code).to_owned()).collect())
}

/// CA-04: a companion visits an old person who lives alone and agreed to it each week, and writes down how it was; a week without a visit
/// is told the day after it is over. Whoever did not agree is not visited.
#[tokio::test]
async fn a_companion_who_does_not_come_is_missed() {
    let world = World::under(&[BASE, CARE_315]).await;
    let (agreed, silent) = (world.households.add(date(2025, 3, 1)), world.households.add(date(2025, 3, 1)));
    world.households.set(agreed.id, "tag", tags(&["elderly_living_alone", "companion_consent"]));
    world.households.set(silent.id, "tag", tags(&["elderly_living_alone"]));
    let both = ask::all([ask::has_any("tag", ["elderly_living_alone"]), ask::has_any("tag", ["companion_consent"])]);
    let companion = pb::TouchpointDefinition {
        layer: pb::CareLayer::Premium.into(),
        anchor: Some(pb::Anchor { kind: Some(every(pb::Recurrence::Week)) }),
        audience: Some(pb::Audience { kind: Some(pb::audience::Kind::Predicate(both)) }),
        proof: Some(pb::ProofRule { note: true, ..Default::default() }),
        ..task("companion", "companion", None)
    };
    world.publish_programme("companions", vec![companion]).await;
    // The first Monday.
    world.until(agreed.id, pb::TouchpointState::Planned).await;
    world.go_to("2026-03-02T01:00:00Z");
    let due = world.until(agreed.id, pb::TouchpointState::Due).await;
    assert_eq!(due.role, "companion");
    let execute = pb::ExecuteTouchpointRequest {
        request_id: request_id(),
        touchpoint_id: due.id,
        note: "played chess with Mr Li".to_owned(),
        ..Default::default()
    };
    let done = world.touchpoints().execute_touchpoint(world.steward().asks(execute)).await.unwrap().into_inner().touchpoint.unwrap();
    assert_eq!((done.note.as_str(), done.actor_subject.as_str()), ("played chess with Mr Li", "steward-1"));

    // The second Monday: nobody comes all week.
    for day in ["03", "04"] {
        world.go_to(&format!("2026-03-{day}T02:00:00Z"));
        world.until_planned(&format!("2026-03-{day}")).await;
    }
    let next = world.until(agreed.id, pb::TouchpointState::Planned).await;
    assert_eq!(next.anchor_date, "2026-03-09");
    world.go_to("2026-03-09T01:00:00Z");
    world.until(agreed.id, pb::TouchpointState::Due).await;
    world.go_to("2026-03-15T15:59:59Z");
    let missed = || async {
        let all = world.of_household(agreed.id).await;
        all.into_iter().find(|one| one.state() == pb::TouchpointState::Overdue && one.reason_code == "not_done")
    };
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    assert!(missed().await.is_none());
    world.go_to("2026-03-15T16:00:00Z");
    assert_eq!(eventually("the alert", missed).await.id, next.id);
    assert!(world.of_household(silent.id).await.is_empty());
}

/// CA-12: while a household renovates, the plan holds back what sells building materials; it is counted as suppressed, and what is about
/// something else still goes. Others get it.
#[tokio::test]
async fn building_materials_are_not_sold_to_whoever_renovates() {
    let world = World::under(&[BASE, CARE_315]).await;
    let (renovating, other) = (world.households.add(date(2025, 3, 1)), world.households.add(date(2025, 3, 1)));
    world.households.set(renovating.id, "household.occupancy", Fact::Code("renovating".to_owned()));
    let about = |code: &str, topic: &str| {
        let mut definition = message(code, every(pb::Recurrence::Month));
        if let Some(ActionKind::Message(message)) = definition.action.as_mut().and_then(|action| action.kind.as_mut()) {
            message.topic = topic.to_owned();
            message.purpose_class = "marketing".to_owned();
        }
        definition
    };
    let definitions = vec![about("tiles", "marketing.building_materials.tiles"), about("concert", "community.concert")];
    let programme = world.publish_programme("offers", definitions).await;
    eventually("two each", || async {
        (world.of_household(renovating.id).await.len() == 2 && world.of_household(other.id).await.len() == 2).then_some(())
    })
    .await;
    world.go_to("2026-03-01T01:00:00Z");
    world.until_told("TouchpointMessageDue", 3).await;
    let held = world.until(renovating.id, pb::TouchpointState::Suppressed).await;
    assert_eq!((held.definition_code.as_str(), held.reason_code.as_str()), ("tiles", "renovation_active"));
    assert_eq!(world.until(renovating.id, pb::TouchpointState::Acted).await.definition_code, "concert");
    assert!(world.of_household(other.id).await.iter().all(|one| one.state() == pb::TouchpointState::Acted));
    let report = pb::GetProgrammeReportRequest {
        programme_id: programme.id,
        estate_id: world.estate.to_string(),
        from_date: "2026-03-01".to_owned(),
        to_date: "2026-03-31".to_owned(),
    };
    let report = world.programmes().get_programme_report(world.manager().asks(report)).await.unwrap().into_inner();
    assert_eq!((report.state_counts["suppressed"], report.reason_counts["renovation_active"]), (1, 1));
}

/// CA-14: a touchpoint that asks is confirmed by the answer to it, and by no other.
#[tokio::test]
async fn an_answer_confirms_the_touchpoint_that_asked() {
    let world = World::new().await;
    let (answers, silent) = (world.households.add(date(2025, 3, 1)), world.households.add(date(2025, 3, 1)));
    let ask = ActionKind::Survey(pb::SurveyAction { questionnaire_code: "settling_in".to_owned() });
    let question = pb::TouchpointDefinition { action: Some(pb::Action { kind: Some(ask) }), ..task("settling_in", "", None) };
    world.publish_programme("questions", vec![question]).await;
    world.until(answers.id, pb::TouchpointState::Planned).await;
    world.until(silent.id, pb::TouchpointState::Planned).await;
    world.go_to("2026-03-01T01:00:00Z");
    let asked = world.until(answers.id, pb::TouchpointState::Acted).await;
    let other = world.until(silent.id, pb::TouchpointState::Acted).await;
    world.until_told("TouchpointSurveyDue", 2).await;
    let accepted = |kind: &str, subject: &str| survey::ResponseAccepted {
        response_id: Uuid::now_v7().to_string(),
        estate_id: world.estate.to_string(),
        subject_kind: kind.to_owned(),
        subject_code: subject.to_owned(),
        ..Default::default()
    };
    for fact in [accepted("work_order", &other.id), accepted("touchpoint", &asked.id), accepted("touchpoint", &asked.id)] {
        world.publish("survey", vec![NewEvent::new(Uuid::now_v7(), world.estate, world.now(), &fact)]).await;
    }
    let confirmed = world.until(answers.id, pb::TouchpointState::Confirmed).await;
    assert_eq!(confirmed.steps.iter().filter(|step| step.reason_code == "survey").count(), 1);
    world.until_told("TouchpointConfirmed", 1).await;
    assert_eq!(world.until(silent.id, pb::TouchpointState::Acted).await.id, other.id);
}

/// CA-67: a storm alert for a building is a task for each of its households that is away and lets staff in to close the windows, at once;
/// who is at home, who gave no authorisation and other buildings have none. What was done is shown by a photo and signed for.
#[tokio::test]
async fn a_storm_alert_sends_staff_to_those_who_are_away_and_let_them_in() {
    let world = World::new().await;
    let home = |building: &str, known: &[&str]| {
        let household = world.households.add(date(2025, 3, 1));
        world.households.set(household.id, "unit.building_code", Fact::Code(building.to_owned()));
        world.households.set(household.id, "tag", tags(known));
        household.id
    };
    let away = home("3", &["absent", "entry_authorised"]);
    let others = [home("3", &["entry_authorised"]), home("3", &["absent"]), home("5", &["absent", "entry_authorised"])];
    let playbook = pb::TouchpointDefinition {
        anchor: Some(pb::Anchor { kind: Some(AnchorKind::EstateDate(pb::EstateDateAnchor { kind: "storm_alert".to_owned() })) }),
        audience: Some(pb::Audience {
            kind: Some(pb::audience::Kind::Predicate(ask::all([
                ask::has_any("tag", ["absent"]),
                ask::has_any("tag", ["entry_authorised"]),
            ]))),
        }),
        layer: pb::CareLayer::Advanced.into(),
        proof: Some(pb::ProofRule { photo: true, signature: true, ..Default::default() }),
        ..task("close_windows", "security", None)
    };
    world.publish_programme("storm", vec![playbook]).await;
    world.go_to("2026-03-05T06:00:00Z");
    let alert = pb::SetEstateDateRequest {
        request_id: request_id(),
        estate_id: world.estate.to_string(),
        kind: "storm_alert".to_owned(),
        subject_code: "3".to_owned(),
        date: "2026-03-05".to_owned(),
        is_reached: true,
    };
    world.obligations().set_estate_date(world.manager().asks(alert)).await.unwrap();
    let due = world.until(away, pb::TouchpointState::Due).await;
    assert_eq!(due.role, "security");
    world.until_told("TouchpointTaskDue", 1).await;
    for other in others {
        assert!(world.of_household(other).await.is_empty());
    }
    let execute = |signature: &str| pb::ExecuteTouchpointRequest {
        request_id: request_id(),
        touchpoint_id: due.id.clone(),
        photo_references: vec!["windows.jpg".to_owned()],
        signature_reference: signature.to_owned(),
        ..Default::default()
    };
    let alone = world.touchpoints().execute_touchpoint(world.steward().asks(execute(""))).await;
    refused(alone, Code::InvalidArgument, "PROOF_INCOMPLETE");
    let done = world.touchpoints().execute_touchpoint(world.steward().asks(execute("second-guard.png"))).await.unwrap().into_inner();
    assert_eq!(done.touchpoint.unwrap().proof_references.len(), 2);
}
