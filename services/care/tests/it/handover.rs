//! Homes that are handed over together: counted down to, announced, accepted, and how many of them in time.

use steward_proto::care::v1 as pb;
use steward_proto::metric::v1 as metric;
use tonic::Code;

use crate::obligations::{check, list, obligation};
use crate::world::{World, at, eventually, refused, request_id, stamp, time};

/// CA-23, CA-24, CA-26, CA-89: the countdown follows the batch; a notice has its enclosures; slots take what they take; F-14 counts.
#[tokio::test]
async fn a_batch_is_counted_down_to_and_handed_over() {
    let world = World::new().await;
    let units: Vec<String> = (0..4).map(|_| request_id()).collect();
    let create = |code: &str| pb::CreateDeliveryBatchRequest {
        request_id: request_id(),
        estate_id: world.estate.to_string(),
        code: code.to_owned(),
        from_date: "2026-09-01".to_owned(),
        to_date: "2026-09-03".to_owned(),
        unit_ids: units.clone(),
        delivery_items: vec!["wardrobe".to_owned()],
        slot_from_minute: 540,
        slot_to_minute: 660,
        slot_minutes: 60,
        slot_capacity: 2,
    };
    let batch = world.batches().create_delivery_batch(world.manager().asks(create("batch-1"))).await.unwrap().into_inner();
    let batch = batch.delivery_batch.unwrap();
    refused(world.batches().create_delivery_batch(world.manager().asks(create("batch-1"))).await, Code::AlreadyExists, "BATCH_CODE_TAKEN");
    assert_eq!(time(obligation(&world, "delivery_risk_group").await.due_time.as_ref()), at("2026-06-01T16:00:00Z"));
    assert_eq!(time(obligation(&world, "delivery_notice").await.due_time.as_ref()), at("2026-08-22T16:00:00Z"));

    // CA-23: the batch moves, and the plan with it.
    let shift = pb::MoveDeliveryBatchRequest {
        request_id: request_id(),
        delivery_batch_id: batch.id.clone(),
        etag: String::new(),
        from_date: "2026-10-01".to_owned(),
        to_date: "2026-10-03".to_owned(),
    };
    world.batches().move_delivery_batch(world.manager().asks(shift)).await.unwrap();
    assert_eq!(time(obligation(&world, "delivery_risk_group").await.due_time.as_ref()), at("2026-07-01T16:00:00Z"));
    assert_eq!(list(&world).await.len(), 4, "moved, not doubled");

    // CA-25: five enclosures at least; who has no notice is listed.
    let notice = |unit: &str, enclosures: &[String]| pb::RecordUnitNoticeRequest {
        request_id: request_id(),
        delivery_batch_id: batch.id.clone(),
        unit_id: unit.to_owned(),
        tracking_number: "EMS 1".to_owned(),
        enclosures: enclosures.to_vec(),
    };
    let short = world.batches().record_unit_notice(world.manager().asks(notice(&units[0], &batch.enclosures[..4]))).await;
    refused(short, Code::InvalidArgument, "ENCLOSURE_MISSING");
    for unit in &units[..3] {
        world.batches().record_unit_notice(world.manager().asks(notice(unit, &batch.enclosures))).await.unwrap();
    }
    let unsent = pb::ListBatchUnitsRequest { delivery_batch_id: batch.id.clone(), without_notice: true, ..Default::default() };
    let unsent = world.batches().list_batch_units(world.manager().asks(unsent)).await.unwrap().into_inner().units;
    assert_eq!(unsent.iter().map(|unit| &unit.unit_id).collect::<Vec<_>>(), [&units[3]]);

    // CA-26: a slot takes two; the third is told which are free.
    let book = |unit: &str, slot: &str| pb::BookHandoverSlotRequest {
        request_id: request_id(),
        delivery_batch_id: batch.id.clone(),
        unit_id: unit.to_owned(),
        slot_time: stamp(slot),
    };
    let nine = "2026-10-01T01:00:00Z";
    world.batches().book_handover_slot(world.manager().asks(book(&units[0], nine))).await.unwrap();
    world.batches().book_handover_slot(world.manager().asks(book(&units[1], nine))).await.unwrap();
    let full = refused(
        world.batches().book_handover_slot(world.manager().asks(book(&units[2], nine))).await,
        Code::FailedPrecondition,
        "SLOT_FULL",
    );
    assert!(full.message().contains("2026-10-01T02:00:00Z"), "{full:?}");
    refused(
        world.batches().book_handover_slot(world.manager().asks(book(&units[2], "2026-10-01T01:10:00Z"))).await,
        Code::InvalidArgument,
        "SLOT_UNKNOWN",
    );
    // One moves, and gives its place back.
    world.batches().book_handover_slot(world.manager().asks(book(&units[0], "2026-10-01T02:00:00Z"))).await.unwrap();
    world.batches().book_handover_slot(world.manager().asks(book(&units[2], nine))).await.unwrap();

    // CA-24, CA-27, CA-89.
    let mock = |unit: &str| pb::RecordMockAcceptanceRequest {
        request_id: request_id(),
        delivery_batch_id: batch.id.clone(),
        unit_id: unit.to_owned(),
        defect_count: 3,
    };
    world.batches().record_mock_acceptance(world.manager().asks(mock(&units[0]))).await.unwrap();
    let all = pb::ListBatchUnitsRequest { delivery_batch_id: batch.id.clone(), ..Default::default() };
    let all = world.batches().list_batch_units(world.manager().asks(all)).await.unwrap().into_inner().units;
    let defects: Vec<_> = all.iter().map(|unit| (unit.unit_id == units[0], unit.defect_count)).collect();
    assert!(defects.iter().all(|(is_first, count)| if *is_first { *count == 3 } else { *count <= 0 }), "{defects:?}");
    world.go_to("2026-10-01T04:00:00Z");
    // Half a year later the months of the outbox are made anew: a row on its way in would be refused, to be sent again.
    eventually("the month of the outbox", || async {
        let sql = "SELECT to_regclass('care.outbox_y2026m10') IS NOT NULL AND to_regclass('care.contacts_y2026m10') IS NOT NULL";
        let is_there: bool = sqlx::query_scalar(sql).fetch_one(&world.db).await.unwrap();
        is_there.then_some(())
    })
    .await;
    let handover = |unit: &str, day: &str, items: &[&str]| pb::RecordHandoverRequest {
        request_id: request_id(),
        delivery_batch_id: batch.id.clone(),
        unit_id: unit.to_owned(),
        handover_date: day.to_owned(),
        is_first_visit: true,
        delivered_items: items.iter().map(|item| (*item).to_owned()).collect(),
    };
    let today = "2026-10-01";
    refused(
        world.batches().record_handover(world.manager().asks(handover(&units[0], "2026-10-02", &[]))).await,
        Code::InvalidArgument,
        "DATE_INVALID",
    );
    refused(
        world.batches().record_handover(world.manager().asks(handover(&units[0], today, &["sofa"]))).await,
        Code::InvalidArgument,
        "BATCH_INVALID",
    );
    for unit in &units[..2] {
        world.batches().record_handover(world.manager().asks(handover(unit, today, &["wardrobe"]))).await.unwrap();
    }
    world.until_told("UnitHandedOver", 2).await;
    let get = pb::GetDeliveryBatchRequest { delivery_batch_id: batch.id };
    let batch = world.batches().get_delivery_batch(world.manager().asks(get)).await.unwrap().into_inner().delivery_batch.unwrap();
    assert_eq!(
        (batch.unit_count, batch.noticed_count, batch.handed_over_count, batch.first_visit_count, batch.defect_count),
        (4, 3, 2, 2, 3)
    );
}

async fn batch_of(world: &World, units: &[String], days: (&str, &str)) -> pb::DeliveryBatch {
    let request = pb::CreateDeliveryBatchRequest {
        request_id: request_id(),
        estate_id: world.estate.to_string(),
        code: "spring".to_owned(),
        from_date: days.0.to_owned(),
        to_date: days.1.to_owned(),
        unit_ids: units.to_vec(),
        ..Default::default()
    };
    world.batches().create_delivery_batch(world.manager().asks(request)).await.unwrap().into_inner().delivery_batch.unwrap()
}

async fn mail(world: &World, batch: &pb::DeliveryBatch, unit: &str) {
    let notice = pb::RecordUnitNoticeRequest {
        request_id: request_id(),
        delivery_batch_id: batch.id.clone(),
        unit_id: unit.to_owned(),
        tracking_number: "EMS 1".to_owned(),
        enclosures: batch.enclosures.clone(),
    };
    world.batches().record_unit_notice(world.manager().asks(notice)).await.unwrap();
}

/// CA-25: ten days before the handover the notices that are not mailed are listed, and whoever owes them is told.
#[tokio::test]
async fn notices_that_are_not_mailed_ten_days_before_are_told() {
    let world = World::new().await;
    let units: Vec<String> = (0..3).map(|_| request_id()).collect();
    let batch = batch_of(&world, &units, ("2026-03-20", "2026-03-22")).await;
    assert_eq!(batch.enclosures.len(), 5);
    mail(&world, &batch, &units[0]).await;
    world.go_to("2026-03-10T15:59:00Z");
    assert_eq!(obligation(&world, "delivery_notice").await.state(), pb::ObligationState::Open);
    world.go_to("2026-03-10T16:00:01Z");
    eventually("the alert", || async {
        (obligation(&world, "delivery_notice").await.state() == pb::ObligationState::Overdue).then_some(())
    })
    .await;
    let sql = "SELECT count(*) FROM care.outbox WHERE type = 'steward.care.v1.ObligationOverdue' AND subject_id = $1::uuid";
    let id = obligation(&world, "delivery_notice").await.id;
    let told: i64 = sqlx::query_scalar(sql).bind(id).fetch_one(&world.db).await.unwrap();
    assert_eq!(told, 1);
    let unsent = pb::ListBatchUnitsRequest { delivery_batch_id: batch.id, without_notice: true, ..Default::default() };
    let unsent = world.batches().list_batch_units(world.manager().asks(unsent)).await.unwrap().into_inner().units;
    assert_eq!(unsent.len(), 2);
}

/// CA-58: the scene of a handover is not ready without the roster of the managers who receive the owners.
#[tokio::test]
async fn managers_receive_owners_at_a_handover() {
    let world = World::new().await;
    batch_of(&world, &[request_id()], ("2026-03-20", "2026-03-22")).await;
    let scene = obligation(&world, "delivery_scene").await;
    for item in ["decoration", "flow", "welcome_gift"] {
        check(&world, &scene.id, item, "photo/1", "").await.unwrap();
    }
    let complete = || pb::CompleteObligationRequest { request_id: request_id(), obligation_id: scene.id.clone(), etag: String::new() };
    let early = world.obligations().complete_obligation(world.manager().asks(complete())).await;
    refused(early, Code::FailedPrecondition, "CHECKLIST_INCOMPLETE");
    refused(check(&world, &scene.id, "reception_desk", "", "").await, Code::InvalidArgument, "PROOF_INCOMPLETE");
    check(&world, &scene.id, "reception_desk", "roster/2026-03-20", "").await.unwrap();
    let done = world.obligations().complete_obligation(world.manager().asks(complete())).await.unwrap().into_inner().obligation.unwrap();
    let roster = done.items.iter().find(|item| item.code == "reception_desk").unwrap();
    assert_eq!((done.state(), roster.proof_reference.as_str()), (pb::ObligationState::Done, "roster/2026-03-20"));
}

/// CA-27, F-14: of twenty homes eighteen are handed over within the window: 90 %.
#[tokio::test]
async fn the_delivery_rate_is_what_was_handed_over_in_its_window() {
    let world = World::new().await;
    let units: Vec<String> = (0..20).map(|_| request_id()).collect();
    let batch = batch_of(&world, &units, ("2026-03-02", "2026-03-04")).await;
    for unit in &units {
        mail(&world, &batch, unit).await;
    }
    world.go_to("2026-03-06T02:00:00Z");
    for (position, unit) in units.iter().enumerate().take(19) {
        // The last of them comes too late.
        let handover_date = if position < 18 { "2026-03-03" } else { "2026-03-05" };
        let handover = pb::RecordHandoverRequest {
            request_id: request_id(),
            delivery_batch_id: batch.id.clone(),
            unit_id: unit.clone(),
            handover_date: handover_date.to_owned(),
            is_first_visit: true,
            delivered_items: Vec::new(),
        };
        world.batches().record_handover(world.manager().asks(handover)).await.unwrap();
    }
    let definition = metric::MetricDefinition { metric_id: "delivery_rate".to_owned(), version: 1, ..Default::default() };
    let request = metric::ComputeMetricsRequest {
        estate_ids: vec![world.estate.to_string()],
        period: Some(metric::MetricPeriod { from_date: "2026-03-01".to_owned(), to_date: "2026-03-31".to_owned() }),
        definitions: vec![definition],
        ..Default::default()
    };
    let values = world.metrics().compute_metrics(world.operations().asks(request)).await.unwrap().into_inner().values;
    assert_eq!(values[0].display, "90.0", "{values:?}");
}
