//! Programmes: what publication refuses, and naming the place; versions; reports and effects.

use jiff::civil::date;
use steward_kit::predicate::ask;
use steward_proto::care::v1 as pb;
use steward_proto::common::v1 as common;
use tonic::Code;

use crate::planning::{after_delivery, everyone, task};
use crate::world::{World, bad_fields, refused, request_id};

/// CA-01, CA-11: no uniform gift to everybody; every action has a layer.
#[tokio::test]
async fn care_beyond_the_basic_is_not_for_everybody() {
    let world = World::new().await;
    let premium = pb::TouchpointDefinition { layer: pb::CareLayer::Premium.into(), audience: everyone(), ..after_delivery("gift", "3mo") };
    let answer = world.programmes().create_programme(world.manager().asks(world.draft("gifts", vec![premium]))).await;
    let status = refused(answer, Code::InvalidArgument, "AUDIENCE_TOO_WIDE");
    assert_eq!(bad_fields(&status), [("document.touchpoints[0].audience".to_owned(), "AUDIENCE_TOO_WIDE".to_owned())]);

    let layerless = pb::TouchpointDefinition { layer: 0, ..after_delivery("x", "3mo") };
    let answer = world.programmes().create_programme(world.manager().asks(world.draft("layerless", vec![layerless]))).await;
    let status = answer.expect_err("is refused");
    assert!(bad_fields(&status).iter().any(|(field, _)| field == "document.touchpoints[0].layer"), "{status:?}");
}

/// P-5: a duration names its calendar; the place is named, and every fault at once.
#[tokio::test]
async fn a_duration_without_a_calendar_and_an_unknown_fact_are_refused_at_their_places() {
    let world = World::new().await;
    let bad_span = common::Span { value: 3, unit: common::Unit::WorkingDay.into(), calendar: "24x7".to_owned() };
    let first =
        pb::TouchpointDefinition { offset: Some(pb::Offset { before: false, span: Some(bad_span) }), ..after_delivery("visit", "3mo") };
    let unknown = pb::Audience { kind: Some(pb::audience::Kind::Predicate(ask::is_true("household.is_happy"))) };
    let second = pb::TouchpointDefinition { audience: Some(unknown), ..after_delivery("call", "3mo") };
    let answer = world.programmes().create_programme(world.manager().asks(world.draft("faulty", vec![first, second]))).await;
    let fields = bad_fields(&answer.expect_err("is refused"));
    assert!(fields.contains(&("document.touchpoints[0].offset.span".to_owned(), "DURATION_WITHOUT_CALENDAR".to_owned())), "{fields:?}");
    let named =
        fields.iter().any(|(field, why)| field.starts_with("document.touchpoints[1].audience.predicate") && why == "PREDICATE_INVALID");
    assert!(named, "{fields:?}");
}

/// A programme whose audience is empty is refused when it is published.
#[tokio::test]
async fn an_audience_without_a_household_is_refused() {
    let world = World::new().await;
    world.households.add(date(2026, 3, 1));
    let nobody = pb::Audience { kind: Some(pb::audience::Kind::Predicate(ask::has_any("tag", ["elderly"]))) };
    let definition = pb::TouchpointDefinition { audience: Some(nobody), ..after_delivery("visit", "3mo") };
    let draft = world.programmes().create_programme(world.manager().asks(world.draft("elderly", vec![definition]))).await.unwrap();
    let id = draft.into_inner().programme.unwrap().id;
    let request = pb::PublishProgrammeRequest { request_id: request_id(), programme_id: id, etag: String::new() };
    let status =
        refused(world.programmes().publish_programme(world.manager().asks(request)).await, Code::InvalidArgument, "AUDIENCE_EMPTY");
    assert_eq!(bad_fields(&status)[0].0, "document.touchpoints[0].audience");
}

/// CA-09: an action without tags is warned of; a version that was published never changes, and a later one takes its place.
#[tokio::test]
async fn versions_follow_each_other_and_never_change() {
    let world = World::new().await;
    world.households.add(date(2026, 3, 1));
    let first = world.publish_programme("lifecycle", vec![after_delivery("three_month", "3mo")]).await;
    assert_eq!((first.version, first.state()), (1, pb::ProgrammeState::Published));
    assert!(first.warnings.iter().any(|warning| warning.code == "DRIVE_TAGS_MISSING" && warning.place == "touchpoints[0].drive_tags"));
    assert!(first.is_ad_hoc, "CA-29: it is of no annual plan");
    let again = pb::PublishProgrammeRequest { request_id: request_id(), programme_id: first.id.clone(), etag: String::new() };
    refused(world.programmes().publish_programme(world.manager().asks(again)).await, Code::FailedPrecondition, "PROGRAMME_STATE_FORBIDS");

    let second = world.publish_programme("lifecycle", vec![after_delivery("three_month", "4mo")]).await;
    assert_eq!(second.version, 2);
    assert_ne!(first.content_hash, second.content_hash);
    let get = pb::GetProgrammeRequest { programme_id: first.id.clone() };
    let first = world.programmes().get_programme(world.manager().asks(get)).await.unwrap().into_inner().programme.unwrap();
    assert_eq!(first.state(), pb::ProgrammeState::Retired);
    world.until_told("ProgrammePublished", 2).await;
    world.until_told("ProgrammeRetired", 1).await;
}

/// CA-13, CA-14, F-11: spending and effect stand together; what ended without an evaluation is listed as such. CA-10: a figure measured
/// outside the system carries its method and its proof.
#[tokio::test]
async fn a_programme_reports_what_it_did_and_what_came_of_it() {
    let world = World::new().await;
    let household = world.households.add(date(2026, 3, 1));
    let definition = pb::TouchpointDefinition {
        cost_cents: 2500,
        node: pb::JourneyNode::EarlyOccupancy.into(),
        drive_tags: vec![pb::DriveTag::Value.into()],
        ..task("welcome", "steward", None)
    };
    let programme = world.publish_programme("welcome", vec![definition]).await;
    world.until(household.id, pb::TouchpointState::Planned).await;
    world.go_to("2026-03-01T01:00:00Z");
    let due = world.until(household.id, pb::TouchpointState::Due).await;
    let execute = pb::ExecuteTouchpointRequest { request_id: request_id(), touchpoint_id: due.id.clone(), ..Default::default() };
    world.touchpoints().execute_touchpoint(world.steward().asks(execute)).await.unwrap();
    let confirm = pb::ConfirmTouchpointRequest { request_id: request_id(), touchpoint_id: due.id, ..Default::default() };
    world.touchpoints().confirm_touchpoint(world.steward().asks(confirm)).await.unwrap();

    let retire = pb::RetireProgrammeRequest { request_id: request_id(), programme_id: programme.id.clone(), etag: String::new() };
    world.programmes().retire_programme(world.manager().asks(retire)).await.unwrap();
    let report = pb::GetProgrammeReportRequest {
        programme_id: programme.id.clone(),
        estate_id: world.estate.to_string(),
        from_date: "2026-03-01".to_owned(),
        to_date: "2026-03-31".to_owned(),
    };
    let told = world.programmes().get_programme_report(world.manager().asks(report.clone())).await.unwrap().into_inner();
    assert_eq!((told.spent_cents, told.state_counts["confirmed"], told.drive_tag_counts["value"]), (2500, 1, 1));
    assert_eq!(told.node_definition_counts["early_occupancy"], 1);
    assert!(told.is_unevaluated, "CA-13");
    let unevaluated = || async {
        let request = pb::ListProgrammesRequest { estate_id: world.estate.to_string(), unevaluated_only: true, ..Default::default() };
        let all = world.programmes().list_programmes(world.manager().asks(request)).await.unwrap().into_inner().programmes;
        all.into_iter().map(|one| one.id).collect::<Vec<_>>()
    };
    assert_eq!(unevaluated().await, [programme.id.as_str()]);

    let measure = |numerator, denominator| Some(pb::Measure { numerator, denominator });
    let evaluation = pb::ProgrammeEvaluation {
        metric_id: "csat_rate".to_owned(),
        method: "survey".to_owned(),
        treated_before: measure(723, 1000),
        treated_after: measure(839, 1000),
        ..Default::default()
    };
    let record = |evaluation| pb::RecordProgrammeEvaluationRequest {
        request_id: request_id(),
        programme_id: programme.id.clone(),
        estate_id: world.estate.to_string(),
        evaluation: Some(evaluation),
    };
    let recorded = world.programmes().record_programme_evaluation(world.manager().asks(record(evaluation))).await.unwrap().into_inner();
    assert!(unevaluated().await.is_empty());
    let lift = recorded.evaluation.unwrap().lift.unwrap();
    assert!((lift.points - 11.6).abs() < 1e-9 && lift.no_control, "{lift:?}");
    let outside = pb::ProgrammeEvaluation {
        metric_id: "dwell_time_minutes".to_owned(),
        method: "counted at the wall".to_owned(),
        treated_before: measure(100, 10),
        treated_after: measure(118, 10),
        ..Default::default()
    };
    let answer = world.programmes().record_programme_evaluation(world.manager().asks(record(outside.clone()))).await;
    refused(answer, Code::InvalidArgument, "EVALUATION_INVALID");
    let outside = pb::ProgrammeEvaluation { evidence: "record/17".to_owned(), ..outside };
    world.programmes().record_programme_evaluation(world.manager().asks(record(outside))).await.unwrap();
    let told = world.programmes().get_programme_report(world.manager().asks(report)).await.unwrap().into_inner();
    assert!(!told.is_unevaluated && told.evaluations.len() == 2);
}

/// CA-32, CA-33: what the plan names is a publication away from being kept.
#[tokio::test]
async fn a_care_policy_becomes_a_programme() {
    let world = World::under(&[crate::world::BASE, crate::world::UPLIFT, crate::world::BUTLER]).await;
    let household = world.households.add(date(2026, 3, 1));
    let request = pb::DraftProgrammeRequest { estate_id: world.estate.to_string() };
    let document = world.programmes().draft_programme(world.manager().asks(request)).await.unwrap().into_inner().document.unwrap();
    let codes: Vec<_> = document.touchpoints.iter().map(|one| one.code.as_str()).collect();
    assert_eq!(codes, ["three_month", "one_year", "first_contact", "callback_after_signing", "relationship"]);
    assert_eq!(document.touchpoints[0].exclusions.len(), 3);
    assert_eq!(document.touchpoints[4].share_percent, 85);
    let request = pb::CreateProgrammeRequest { document: Some(document), ..world.draft("by_policy", Vec::new()) };
    let draft = world.programmes().create_programme(world.manager().asks(request)).await.unwrap().into_inner().programme.unwrap();
    world.publish_draft(&draft.id).await;
    let planned = crate::world::eventually("three touchpoints", || async {
        let all = world.of_household(household.id).await;
        (all.len() == 3).then_some(all)
    })
    .await;
    let codes: Vec<_> = planned.iter().map(|one| one.definition_code.as_str()).collect();
    assert_eq!(codes, ["one_year", "three_month", "relationship"], "the last due first");
}

/// CA-60: elderly homes are visited each quarter; at its end the home that nobody visited is listed.
#[tokio::test]
async fn elderly_homes_are_visited_each_quarter() {
    let world = World::under(&[crate::world::BASE, crate::world::UPLIFT]).await;
    let [visited, forgotten, young] = [(); 3].map(|()| world.households.add(date(2025, 3, 1)));
    for household in [&visited, &forgotten] {
        world.households.set(household.id, "tag", steward_kit::predicate::Fact::Codes(vec!["elderly".to_owned()]));
    }
    let request = pb::DraftProgrammeRequest { estate_id: world.estate.to_string() };
    let mut document = world.programmes().draft_programme(world.manager().asks(request)).await.unwrap().into_inner().document.unwrap();
    document.touchpoints.retain(|one| one.code == "home_visit_elderly");
    let programme = world.publish_programme("elderly", document.touchpoints).await;
    for household in [&visited, &forgotten] {
        assert_eq!(world.until(household.id, pb::TouchpointState::Planned).await.anchor_date, "2026-04-01");
    }
    assert!(world.of_household(young.id).await.is_empty());
    world.go_to("2026-04-01T01:00:00Z");
    world.until(forgotten.id, pb::TouchpointState::Due).await;
    world.until(visited.id, pb::TouchpointState::Due).await;
    let contact = pb::RecordContactRequest {
        request_id: request_id(),
        estate_id: world.estate.to_string(),
        household_id: visited.id.to_string(),
        way: pb::ContactWay::Visit.into(),
        purpose: "home_visit_elderly".to_owned(),
        is_two_way: true,
        ..Default::default()
    };
    world.relationships().record_contact(world.steward().asks(contact)).await.unwrap();
    world.until(visited.id, pb::TouchpointState::Confirmed).await;
    let unvisited = || async {
        let request = pb::ListTouchpointsRequest {
            estate_id: world.estate.to_string(),
            programme_id: programme.id.clone(),
            states: vec![pb::TouchpointState::Overdue.into()],
            ..Default::default()
        };
        let all = world.touchpoints().list_touchpoints(world.manager().asks(request)).await.unwrap().into_inner().touchpoints;
        all.into_iter().map(|one| one.household_id).collect::<Vec<_>>()
    };
    world.go_to("2026-06-30T15:59:59Z");
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    assert!(unvisited().await.is_empty());
    world.go_to("2026-06-30T16:00:00Z");
    crate::world::eventually("the list", || async { (unvisited().await == [forgotten.id.to_string()]).then_some(()) }).await;
}

/// CA-01, CA-07: the catalogue shows each action with its layer, node, occasion, way and cost, counts them, and says where the plan wants
/// it to stand.
#[tokio::test]
async fn a_catalogue_is_held_against_its_goal() {
    let world = World::under(&[crate::world::BASE, crate::world::CARE_315]).await;
    world.households.add(date(2026, 3, 1));
    let welcome = pb::TouchpointDefinition {
        node: pb::JourneyNode::EarlyOccupancy.into(),
        drive_tags: vec![pb::DriveTag::Delight.into(), pb::DriveTag::Value.into()],
        cost_cents: 2500,
        ..task("welcome", "steward", None)
    };
    let visit = pb::TouchpointDefinition { node: pb::JourneyNode::MidOccupancy.into(), ..after_delivery("three_month", "3mo") };
    let programme = world.publish_programme("lifecycle", vec![welcome.clone(), visit]).await;
    let request = pb::GetCareCatalogueRequest { estate_id: world.estate.to_string() };
    let catalogue = world.programmes().get_care_catalogue(world.manager().asks(request)).await.unwrap().into_inner();
    assert_eq!((catalogue.baseline_count, catalogue.target_count, catalogue.actions.len()), (12, 25, 2));
    let first = &catalogue.actions[0];
    assert_eq!((first.programme_id.as_str(), first.definition_code.as_str(), first.cost_cents), (programme.id.as_str(), "welcome", 2500));
    assert_eq!((first.trigger.clone(), first.action.clone()), (welcome.anchor, welcome.action));
    assert_eq!((catalogue.layer_counts["basic"], catalogue.layer_counts["advanced"]), (1, 1));
    assert_eq!((catalogue.node_counts["early_occupancy"], catalogue.drive_tag_counts["delight"]), (1, 1));
}

/// Who would be reached, who is left out and why, is said before anything is published.
#[tokio::test]
async fn a_preview_counts_the_audience_and_who_is_left_out() {
    let world = World::new().await;
    for _ in 0..3 {
        world.households.add(date(2026, 3, 1));
    }
    let complained = world.households.add(date(2026, 3, 1));
    world.households.set(complained.id, "household.has_major_complaint", steward_kit::predicate::Fact::Boolean(true));
    let request = world.draft("lifecycle", vec![after_delivery("three_month", "3mo")]);
    let draft = world.programmes().create_programme(world.manager().asks(request)).await.unwrap().into_inner().programme.unwrap();
    let preview = pb::PreviewProgrammeRequest {
        programme_id: draft.id,
        estate_id: world.estate.to_string(),
        definition_code: "three_month".to_owned(),
    };
    let preview = world.programmes().preview_programme(world.manager().asks(preview)).await.unwrap().into_inner();
    assert_eq!(preview.member_count, 3);
    assert_eq!(preview.excluded_counts["major_complaint"], 1);
}
