//! Touchpoints: the loop from planned to felt, what holds them back, what is late.

use jiff::civil::date;
use steward_kit::ids::{CustomerId, MessageId};
use steward_kit_store::NewEvent;
use steward_proto::care::v1 as pb;
use steward_proto::care::v1::action::Kind as ActionKind;
use steward_proto::care::v1::anchor::Kind as AnchorKind;
use steward_proto::notification::v1 as notification;
use tonic::Code;

use crate::planning::{message, span, task};
use crate::world::{World, eventually, refused, request_id, stamp};

fn monthly() -> AnchorKind {
    AnchorKind::Recurrence(pb::RecurrenceAnchor { every: pb::Recurrence::Month.into() })
}

pub(crate) fn about(world: &World, touchpoint: &str) -> notification::MessageFacts {
    notification::MessageFacts {
        message_id: MessageId::new().to_string(),
        estate_id: world.estate.to_string(),
        customer_id: CustomerId::new().to_string(),
        subject_kind: "touchpoint".to_owned(),
        subject_id: touchpoint.to_owned(),
        ..Default::default()
    }
}

/// CA-14: planned, executed with proof, confirmed, felt.
#[tokio::test]
async fn a_task_goes_from_planned_to_felt() {
    let world = World::new().await;
    let household = world.households.add(date(2026, 3, 1));
    let definition =
        pb::TouchpointDefinition { proof: Some(pb::ProofRule { photo: true, ..Default::default() }), ..task("welcome", "steward", None) };
    world.publish_programme("welcome", vec![definition]).await;
    let planned = world.until(household.id, pb::TouchpointState::Planned).await;
    let execute = |photos: &[&str]| pb::ExecuteTouchpointRequest {
        request_id: request_id(),
        touchpoint_id: planned.id.clone(),
        photo_references: photos.iter().map(|photo| (*photo).to_owned()).collect(),
        ..Default::default()
    };
    let early = world.touchpoints().execute_touchpoint(world.steward().asks(execute(&["p"]))).await;
    refused(early, Code::FailedPrecondition, "TOUCHPOINT_STATE_FORBIDS");
    world.go_to("2026-03-01T01:00:00Z");
    world.until(household.id, pb::TouchpointState::Due).await;
    world.until_told("TouchpointTaskDue", 1).await;
    refused(world.touchpoints().execute_touchpoint(world.steward().asks(execute(&[]))).await, Code::InvalidArgument, "PROOF_INCOMPLETE");
    let acted = world.touchpoints().execute_touchpoint(world.steward().asks(execute(&["photo/1"]))).await.unwrap().into_inner();
    let acted = acted.touchpoint.unwrap();
    assert_eq!((acted.state(), acted.actor_subject.as_str()), (pb::TouchpointState::Acted, "steward-1"));
    assert_eq!(acted.proof_references, ["photo/1"]);
    let confirm = pb::ConfirmTouchpointRequest { request_id: request_id(), touchpoint_id: planned.id.clone(), ..Default::default() };
    world.touchpoints().confirm_touchpoint(world.steward().asks(confirm)).await.unwrap();
    let felt =
        pb::RecordTouchpointFeedbackRequest { request_id: request_id(), touchpoint_id: planned.id.clone(), etag: String::new(), score: 5 };
    let felt = world.touchpoints().record_touchpoint_feedback(world.steward().asks(felt)).await.unwrap().into_inner().touchpoint.unwrap();
    assert_eq!((felt.state(), felt.feedback_score), (pb::TouchpointState::Confirmed, 5));
    let codes: Vec<_> = felt.steps.iter().map(|step| step.code.as_str()).collect();
    assert_eq!(codes, ["planned", "due", "acted", "confirmed", "feedback"]);
}

/// CA-14: executed and not confirmed within seven days is overdue; so is what nobody did in its window.
#[tokio::test]
async fn what_is_not_done_or_not_confirmed_in_time_is_overdue() {
    let world = World::new().await;
    let household = world.households.add(date(2026, 3, 1));
    let definition = pb::TouchpointDefinition { act_within: Some(span("1w")), ..task("call", "steward", None) };
    world.publish_programme("calls", vec![definition, message("bulletin", monthly())]).await;
    eventually("both", || async { (world.of_household(household.id).await.len() == 2).then_some(()) }).await;
    world.go_to("2026-03-01T01:00:00Z");
    eventually("both are due", || async {
        let all = world.of_household(household.id).await;
        all.iter().all(|one| one.state() != pb::TouchpointState::Planned).then_some(())
    })
    .await;
    // Seven days end at 24:00 of the eighth day, for the task as for the receipt.
    world.go_to("2026-03-08T15:59:00Z");
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    assert_eq!(world.count_facts("TouchpointOverdue").await, 0);
    world.go_to("2026-03-08T16:00:01Z");
    world.until_told("TouchpointOverdue", 2).await;
    let reasons: Vec<_> = world.of_household(household.id).await.into_iter().map(|one| (one.definition_code, one.reason_code)).collect();
    assert!(reasons.contains(&("call".to_owned(), "not_done".to_owned())), "{reasons:?}");
    assert!(reasons.contains(&("bulletin".to_owned(), "not_confirmed".to_owned())), "{reasons:?}");
}

/// CA-14: a message that arrives confirms its touchpoint; one that the ledger held back is counted as such.
#[tokio::test]
async fn what_became_of_a_message_is_known() {
    let world = World::new().await;
    let (one, other) = (world.households.add(date(2026, 3, 1)), world.households.add(date(2026, 3, 1)));
    let programme = world.publish_programme("bulletin", vec![message("bulletin", monthly())]).await;
    world.until(one.id, pb::TouchpointState::Planned).await;
    world.until(other.id, pb::TouchpointState::Planned).await;
    world.go_to("2026-03-01T01:00:00Z");
    let arrived = world.until(one.id, pb::TouchpointState::Acted).await;
    let held_back = world.until(other.id, pb::TouchpointState::Acted).await;
    let delivered = notification::MessageDelivered { message: Some(about(&world, &arrived.id)), ..Default::default() };
    let suppressed = notification::MessageSuppressed {
        message: Some(about(&world, &held_back.id)),
        reason: notification::SuppressReason::NoConsent.into(),
    };
    // What staff are told of it is no care that arrived.
    let to_staff = notification::MessageFacts { customer_id: String::new(), ..about(&world, &held_back.id) };
    let to_staff = notification::MessageDelivered { message: Some(to_staff), ..Default::default() };
    let (first, second) = (MessageId::new(), MessageId::new());
    world.publish("notification", vec![NewEvent::new(first, world.estate, world.now(), &delivered)]).await;
    world.publish("notification", vec![NewEvent::new(second, world.estate, world.now(), &to_staff)]).await;
    world.publish("notification", vec![NewEvent::new(second, world.estate, world.now(), &suppressed)]).await;
    world.until(one.id, pb::TouchpointState::Confirmed).await;
    assert_eq!(world.until(other.id, pb::TouchpointState::Suppressed).await.reason_code, "no_consent");
    let report = pb::GetProgrammeReportRequest {
        programme_id: programme.id,
        estate_id: world.estate.to_string(),
        from_date: "2026-03-01".to_owned(),
        to_date: "2026-03-31".to_owned(),
    };
    let report = world.programmes().get_programme_report(world.manager().asks(report)).await.unwrap().into_inner();
    assert_eq!((report.state_counts["confirmed"], report.reason_counts["no_consent"]), (1, 1));
}

/// CA-11: care for one household carries its reason; a work order that it asks for leaves once. CA-29: it is ad hoc.
#[tokio::test]
async fn a_single_household_is_cared_for_with_a_reason() {
    let world = World::new().await;
    let household = world.households.add(date(2026, 3, 1));
    let order = ActionKind::Order(pb::OrderAction {
        kind: steward_proto::common::v1::WorkOrderKind::Request.into(),
        category: "special_request".to_owned(),
        description: "wheelchair ramp".to_owned(),
    });
    let request = |household: String, due: &str| pb::CreateTouchpointRequest {
        request_id: request_id(),
        estate_id: world.estate.to_string(),
        household_id: household,
        unit_id: crate::world::request_id(),
        definition_code: "ramp".to_owned(),
        layer: pb::CareLayer::Premium.into(),
        action: Some(pb::Action { kind: Some(order.clone()) }),
        due_time: stamp(due),
        individual_reason: "a member uses a wheelchair, with consent".to_owned(),
        ..Default::default()
    };
    let (id, morning) = (household.id.to_string(), "2026-03-02T01:00:00Z");
    let past = world.touchpoints().create_touchpoint(world.manager().asks(request(id.clone(), "2026-02-01T01:00:00Z"))).await;
    refused(past, Code::InvalidArgument, "TIME_NOT_PLAUSIBLE");
    let unknown = world.touchpoints().create_touchpoint(world.manager().asks(request(crate::world::request_id(), morning))).await;
    assert_eq!(unknown.expect_err("is refused").code(), Code::NotFound);
    let created = world.touchpoints().create_touchpoint(world.manager().asks(request(id, morning))).await.unwrap().into_inner();
    assert!(created.touchpoint.unwrap().is_ad_hoc);
    world.go_to(morning);
    world.until(household.id, pb::TouchpointState::Acted).await;
    world.until_told("TouchpointOrderDue", 1).await;
    // What was written for one household alone stays with its touchpoint.
    let told = "SELECT payload FROM care.outbox WHERE type = 'steward.care.v1.TouchpointOrderDue'";
    let payload: Vec<u8> = sqlx::query_scalar(told).fetch_one(&world.db).await.unwrap();
    let asked = <pb::TouchpointOrderDue as prost::Message>::decode(payload.as_slice()).unwrap();
    assert_eq!((asked.description.as_str(), asked.category.as_str()), ("", "special_request"));
}

/// Somebody decides against one, for a reason; and a programme that ends takes what waits with it.
#[tokio::test]
async fn what_is_skipped_or_ended_is_not_done() {
    let world = World::new().await;
    let (one, other) = (world.households.add(date(2026, 3, 1)), world.households.add(date(2026, 3, 1)));
    let programme = world.publish_programme("calls", vec![task("call", "steward", None)]).await;
    let planned = world.until(one.id, pb::TouchpointState::Planned).await;
    world.until(other.id, pb::TouchpointState::Planned).await;
    let skip = pb::SkipTouchpointRequest {
        request_id: request_id(),
        touchpoint_id: planned.id,
        etag: planned.etag,
        reason_code: "customer_declined".to_owned(),
    };
    let skipped = world.touchpoints().skip_touchpoint(world.steward().asks(skip)).await.unwrap().into_inner().touchpoint.unwrap();
    assert_eq!((skipped.state(), skipped.reason_code.as_str()), (pb::TouchpointState::Skipped, "customer_declined"));
    let retire = pb::RetireProgrammeRequest { request_id: request_id(), programme_id: programme.id, etag: String::new() };
    world.programmes().retire_programme(world.manager().asks(retire)).await.unwrap();
    assert_eq!(world.until(other.id, pb::TouchpointState::Cancelled).await.reason_code, "programme_ended");
    world.go_to("2026-03-02T01:00:00Z");
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    assert_eq!(world.count_facts("TouchpointTaskDue").await, 0);
}
