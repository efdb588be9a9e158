//! Obligations and the dates that bring them about; meetings; handover; the plans of a year.

use jiff::civil::date;
use steward_kit::predicate::Fact;
use steward_proto::care::v1 as pb;
use tonic::Code;

use crate::planning::message;
use crate::world::{BASE, CARE_315, UPLIFT, World, at, eventually, refused, request_id, stamp, time};

async fn set_date(world: &World, kind: &str, date: &str) -> pb::SetEstateDateResponse {
    let request = pb::SetEstateDateRequest {
        request_id: request_id(),
        estate_id: world.estate.to_string(),
        kind: kind.to_owned(),
        subject_code: String::new(),
        date: date.to_owned(),
        is_reached: false,
    };
    world.obligations().set_estate_date(world.manager().asks(request)).await.unwrap().into_inner()
}

async fn list(world: &World) -> Vec<pb::Obligation> {
    let request = pb::ListObligationsRequest { estate_id: world.estate.to_string(), ..Default::default() };
    world.obligations().list_obligations(world.manager().asks(request)).await.unwrap().into_inner().obligations
}

async fn obligation(world: &World, code: &str) -> pb::Obligation {
    list(world).await.into_iter().find(|one| one.code == code).unwrap()
}

async fn check(
    world: &World,
    id: &str,
    item: &str,
    proof: &str,
    finding: &str,
) -> Result<tonic::Response<pb::CheckObligationItemResponse>, tonic::Status> {
    let request = pb::CheckObligationItemRequest {
        request_id: request_id(),
        obligation_id: id.to_owned(),
        etag: String::new(),
        item_code: item.to_owned(),
        proof_reference: proof.to_owned(),
        finding: finding.to_owned(),
    };
    world.obligations().check_obligation_item(world.manager().asks(request)).await
}

/// CA-15 to CA-18: before a sale the site is checked, findings are put right, the handbook and what the hall shows are there; what is
/// missing on the day is told with its flag.
#[tokio::test]
async fn a_sale_brings_about_its_checks() {
    let world = World::new().await;
    let set = set_date(&world, "sale_start", "2026-04-10").await;
    assert_eq!(set.obligation_count, 3);
    let site = obligation(&world, "sales_site_check").await;
    assert_eq!(time(site.due_time.as_ref()), at("2026-04-09T16:00:00Z"), "until the end of the day before");
    let item = "sales_site_rectified";
    refused(check(&world, &site.id, item, "", "").await, Code::InvalidArgument, "PROOF_INCOMPLETE");
    refused(check(&world, &site.id, "nothing", "p", "").await, Code::InvalidArgument, "ITEM_UNKNOWN");
    check(&world, &site.id, item, "photo/1", "broken tiles").await.unwrap();
    let complete = |id: &str| pb::CompleteObligationRequest { request_id: request_id(), obligation_id: id.to_owned(), etag: String::new() };
    let open = world.obligations().complete_obligation(world.manager().asks(complete(&site.id))).await;
    refused(open, Code::FailedPrecondition, "CHECKLIST_INCOMPLETE");
    check(&world, &site.id, item, "photo/2", "").await.unwrap();
    check(&world, &site.id, "comfort_of_signing_room", "photo/3", "").await.unwrap();
    let done = world.obligations().complete_obligation(world.manager().asks(complete(&site.id))).await.unwrap().into_inner();
    let done = done.obligation.unwrap();
    assert!(done.state() == pb::ObligationState::Done && !done.is_late && done.items[0].finding == "broken tiles");

    // CA-16: no handbook by the day before.
    world.go_to("2026-04-09T16:00:01Z");
    world.until_told("ObligationOverdue", 1).await;
    let handbook = obligation(&world, "service_handbook").await;
    assert_eq!((handbook.state(), handbook.flag_code.as_str()), (pb::ObligationState::Overdue, "sale_blocked"));
    // CA-18: one item missing on the day.
    world.go_to("2026-04-10T16:00:01Z");
    world.until_told("ObligationOverdue", 2).await;
    assert_eq!(obligation(&world, "transparency_list").await.flag_code, "opening_not_compliant");
}

/// CA-23 to CA-27, CA-89: the countdown follows the batch; a notice has its enclosures; slots take what they take; F-14 counts.
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

/// CA-56, CA-57: representatives from every building; nine are too few; the minutes are due within a day.
#[tokio::test]
async fn a_forum_hears_every_building_and_writes_it_down_in_a_day() {
    let world = World::under(&[BASE, UPLIFT]).await;
    for at in 0..40 {
        let household = world.households.add(date(2025, 3, 1));
        world.households.set(household.id, "unit.building_code", Fact::Code((at % 4).to_string()));
    }
    let create = |kind: &str| pb::CreateForumRequest {
        request_id: request_id(),
        estate_id: world.estate.to_string(),
        kind: kind.to_owned(),
        title: "停车与健身器材".to_owned(),
        topics: vec!["parking".to_owned(), "fitness_equipment".to_owned()],
        start_time: stamp("2026-03-20T06:00:00Z"),
        invite_count: 12,
        seed: "2026-q1".to_owned(),
        ..Default::default()
    };
    refused(world.forums().create_forum(world.manager().asks(create("tea_party"))).await, Code::InvalidArgument, "FORUM_INVALID");
    let forum = world.forums().create_forum(world.manager().asks(create("forum"))).await.unwrap().into_inner().forum.unwrap();
    assert_eq!((forum.invitations.len(), forum.min_size, forum.max_size), (12, 10, 15));
    for building in 0..4 {
        assert_eq!(forum.invitations.iter().filter(|one| one.building_code == building.to_string()).count(), 3);
    }
    world.until_told("ForumInvitationDue", 12).await;
    for invitation in &forum.invitations[..9] {
        let reply = pb::RecordForumReplyRequest {
            request_id: request_id(),
            forum_id: forum.id.clone(),
            etag: String::new(),
            household_id: invitation.household_id.clone(),
            reply: pb::ForumReply::Comes.into(),
        };
        world.forums().record_forum_reply(world.manager().asks(reply)).await.unwrap();
    }
    let stranger = pb::RecordForumReplyRequest {
        request_id: request_id(),
        forum_id: forum.id.clone(),
        etag: String::new(),
        household_id: request_id(),
        reply: pb::ForumReply::Comes.into(),
    };
    refused(world.forums().record_forum_reply(world.manager().asks(stranger)).await, Code::InvalidArgument, "HOUSEHOLD_NOT_INVITED");
    world.go_to("2026-03-20T08:00:00Z");
    let hold = pb::HoldForumRequest { request_id: request_id(), forum_id: forum.id.clone(), ..Default::default() };
    let held = world.forums().hold_forum(world.manager().asks(hold)).await.unwrap().into_inner().forum.unwrap();
    assert_eq!((held.confirmed_count, held.warnings.as_slice()), (9, ["TOO_FEW".to_owned()].as_slice()));
    assert_eq!(time(held.minutes_due_time.as_ref()), at("2026-03-21T08:00:00Z"), "ended 16:00, due next day 16:00");
    world.go_to("2026-03-21T08:00:01Z");
    world.until_told("ForumMinutesOverdue", 1).await;
    let publish = pb::PublishForumMinutesRequest {
        request_id: request_id(),
        forum_id: forum.id,
        etag: String::new(),
        document_reference: "minutes/1".to_owned(),
    };
    let closed = world.forums().publish_forum_minutes(world.manager().asks(publish)).await.unwrap().into_inner().forum.unwrap();
    assert!(closed.is_late && closed.state() == pb::ForumState::Closed);
    world.until_told("ForumMinutesPublished", 1).await;
}

/// CA-55, CA-58: the half-yearly talk with the management has its managers, or says which are missing.
#[tokio::test]
async fn a_talk_with_the_management_without_managers_is_warned_of() {
    let world = World::new().await;
    let create = pb::CreateForumRequest {
        request_id: request_id(),
        estate_id: world.estate.to_string(),
        kind: "forum".to_owned(),
        title: "物业恳谈会".to_owned(),
        start_time: stamp("2026-03-20T06:00:00Z"),
        ..Default::default()
    };
    let forum = world.forums().create_forum(world.manager().asks(create)).await.unwrap().into_inner().forum.unwrap();
    world.go_to("2026-03-20T08:00:00Z");
    let hold = pb::HoldForumRequest {
        request_id: request_id(),
        forum_id: forum.id,
        attending_roles: vec!["project_management".to_owned()],
        ..Default::default()
    };
    let held = world.forums().hold_forum(world.manager().asks(hold)).await.unwrap().into_inner().forum.unwrap();
    assert_eq!(held.warnings, ["ROLE_MISSING"]);
}

/// CA-29, CA-80: a plan is approved by another than its author; what carries out an item of it is not ad hoc.
#[tokio::test]
async fn what_a_year_plans_is_approved_and_carried_out() {
    let world = World::new().await;
    world.households.add(date(2026, 3, 1));
    let create = || pb::CreateAnnualPlanRequest {
        request_id: request_id(),
        estate_id: world.estate.to_string(),
        year: 2026,
        items: vec![pb::AnnualPlanItem { title: "月度简报".to_owned(), budget_cents: 500_000, ..Default::default() }],
    };
    let plan = world.annual_plans().create_annual_plan(world.manager().asks(create())).await.unwrap().into_inner().annual_plan.unwrap();
    refused(world.annual_plans().create_annual_plan(world.manager().asks(create())).await, Code::AlreadyExists, "ANNUAL_PLAN_EXISTS");
    let draft = |item: String| {
        let anchor = pb::anchor::Kind::Recurrence(pb::RecurrenceAnchor { every: pb::Recurrence::Month.into() });
        pb::CreateProgrammeRequest { plan_item_id: item, ..world.draft("bulletin", vec![message("bulletin", anchor)]) }
    };
    let item = plan.items[0].item_id.clone();
    let early = world.programmes().create_programme(world.manager().asks(draft(item.clone()))).await;
    assert_eq!(early.expect_err("not approved yet").code(), Code::NotFound);
    let approve = || pb::ApproveAnnualPlanRequest {
        request_id: request_id(),
        annual_plan_id: plan.id.clone(),
        etag: String::new(),
        review_date: "2026-03-10".to_owned(),
    };
    refused(
        world.annual_plans().approve_annual_plan(world.manager().asks(approve())).await,
        Code::FailedPrecondition,
        "APPROVER_IS_AUTHOR",
    );
    let approved = world.annual_plans().approve_annual_plan(world.operations().asks(approve())).await.unwrap().into_inner();
    assert_eq!(approved.annual_plan.unwrap().review_date, "2026-03-10", "CA-80");
    let programme = world.programmes().create_programme(world.manager().asks(draft(item))).await.unwrap().into_inner();
    assert!(!programme.programme.unwrap().is_ad_hoc);
}

/// CA-05, CA-06: green only if all three are met: everybody reached, an interview round, five improvements.
#[tokio::test]
async fn the_315_plan_is_green_only_when_all_three_are_met() {
    let world = World::under(&[BASE, CARE_315]).await;
    let household = world.households.add(date(2026, 1, 1));
    let anchor = pb::anchor::Kind::Recurrence(pb::RecurrenceAnchor { every: pb::Recurrence::Month.into() });
    world.publish_programme("bulletin", vec![message("bulletin", anchor)]).await;
    let start =
        || pb::StartPlan315Request { request_id: request_id(), estate_id: world.estate.to_string(), from_date: "2026-03-01".to_owned() };
    let plan = world.annual_plans().start_plan315(world.manager().asks(start())).await.unwrap().into_inner().plan.unwrap();
    assert_eq!((plan.to_date.as_str(), plan.interview_target, plan.improvement_target), ("2026-05-31", 1, 5));
    refused(world.annual_plans().start_plan315(world.manager().asks(start())).await, Code::AlreadyExists, "PLAN_315_EXISTS");
    let record = |part: pb::Plan315Part| pb::RecordPlan315ProgressRequest {
        request_id: request_id(),
        estate_id: world.estate.to_string(),
        part: part.into(),
        reference: "doc/1".to_owned(),
    };
    world.annual_plans().record_plan315_progress(world.manager().asks(record(pb::Plan315Part::InterviewRound))).await.unwrap();
    for _ in 0..5 {
        world.annual_plans().record_plan315_progress(world.manager().asks(record(pb::Plan315Part::Improvement))).await.unwrap();
    }
    let get = || async {
        let request = pb::GetPlan315Request { estate_id: world.estate.to_string() };
        world.annual_plans().get_plan315(world.manager().asks(request)).await.unwrap().into_inner().plan.unwrap()
    };
    let plan = get().await;
    assert_eq!((plan.covered_count, plan.eligible_count, plan.is_green), (0, 1, false));
    world.until(household.id, pb::TouchpointState::Planned).await;
    world.go_to("2026-03-01T01:00:00Z");
    let acted = world.until(household.id, pb::TouchpointState::Acted).await;
    let confirm = pb::ConfirmTouchpointRequest { request_id: request_id(), touchpoint_id: acted.id, ..Default::default() };
    world.touchpoints().confirm_touchpoint(world.steward().asks(confirm)).await.unwrap();
    let plan = get().await;
    assert_eq!((plan.covered_count, plan.is_green), (1, true));
}

/// A plan that says nothing of 315 has none.
#[tokio::test]
async fn an_estate_whose_policy_has_no_315_plan_is_told_so() {
    let world = World::new().await;
    let start =
        pb::StartPlan315Request { request_id: request_id(), estate_id: world.estate.to_string(), from_date: "2026-03-01".to_owned() };
    refused(world.annual_plans().start_plan315(world.manager().asks(start)).await, Code::FailedPrecondition, "PLAN_315_UNDEFINED");
}
