//! Policies in versions: bound at creation, checked at activation, written by those who reach what they bind.

use steward_proto::common::v1 as common;
use steward_proto::plan::v1 as plan;
use steward_proto::plan::v1::policy_document::Document;
use steward_proto::work_order::v1 as pb;
use tonic::Code;
use uuid::Uuid;

use crate::world::{BASE, MANAGEMENT, UPLIFT, World, clock, new_version, refused, time};

fn shorter(world: &World, minutes: u32) -> plan::CreatePolicyVersionRequest {
    let mut sla = crate::world::plan(UPLIFT).sla.unwrap();
    let l1 = sla.clock_rules.iter_mut().find(|rule| rule.clock == "first_response").unwrap();
    l1.limit = Some(common::Span { value: minutes, unit: common::Unit::Minute.into(), calendar: "24x7".to_owned() });
    new_version(plan::PolicyScopeLevel::Estate, &world.estate.to_string(), Document::Sla(sla), "service-uplift")
}

/// WO-73: an order keeps the version it was born with; the next one gets the new one.
#[tokio::test]
async fn an_order_keeps_the_policy_version_of_its_birth() {
    let world = World::new().await;
    let old = world.create(world.burst_pipe()).await;
    world.advance(1);
    let answer = world.policies().create_policy_version(world.operations().asks(shorter(&world, 5))).await.unwrap().into_inner();
    let version = answer.policy_version.unwrap();
    assert_eq!((version.version, version.plan_code.as_str(), version.content_hash.len()), (2, "service-uplift", 64));
    let new = world.create(world.burst_pipe()).await;
    assert_eq!(clock(&new, "first_response", 1).policy_version_id, version.id);
    let minutes = |order: &pb::WorkOrder| {
        let response = clock(order, "first_response", 1);
        time(response.due_time.as_ref()).duration_since(time(response.start_time.as_ref())).as_mins()
    };
    world.assign(&old.id, "wang").await.unwrap();
    let old = world.get(&old.id).await;
    assert_eq!((minutes(&old), minutes(&new)), (15, 5));

    let list = plan::ListPolicyVersionsRequest {
        kind: plan::PolicyKind::Sla.into(),
        level: plan::PolicyScopeLevel::Estate.into(),
        scope_id: world.estate.to_string(),
        page_size: 1,
        ..Default::default()
    };
    let page = world.policies().list_policy_versions(world.desk().asks(list.clone())).await.unwrap().into_inner();
    assert_eq!(page.policy_versions.iter().map(|version| version.version).collect::<Vec<_>>(), [2]);
    let list = plan::ListPolicyVersionsRequest { page_token: page.next_page_token, ..list };
    let page = world.policies().list_policy_versions(world.desk().asks(list)).await.unwrap().into_inner();
    assert_eq!(page.policy_versions.iter().map(|version| version.version).collect::<Vec<_>>(), [1]);
    assert!(page.next_page_token.is_empty());

    let resolve = plan::ResolvePolicyRequest { estate_id: world.estate.to_string(), kind: plan::PolicyKind::Sla.into() };
    let layers = world.policies().resolve_policy(world.desk().asks(resolve)).await.unwrap().into_inner().layers;
    let levels: Vec<_> = layers.iter().map(|layer| layer.scope.as_ref().unwrap().level()).collect();
    assert_eq!(levels, [plan::PolicyScopeLevel::Estate, plan::PolicyScopeLevel::Base]);
}

/// WO-09: a document that contradicts itself is refused with every contradiction named.
#[tokio::test]
async fn a_contradictory_policy_is_refused_by_its_places() {
    let world = World::new().await;
    let mut request = shorter(&world, 5);
    let Some(Document::Sla(sla)) = request.document.as_mut().and_then(|document| document.document.as_mut()) else { panic!("is an SLA") };
    sla.clock_rules[0].limit = None;
    sla.clock_rules[1].applies_to = Some(plan::CaseFilter { categories: vec!["no.such".to_owned()], ..Default::default() });
    let status =
        refused(world.policies().create_policy_version(world.operations().asks(request)).await, Code::InvalidArgument, "POLICY_INVALID");
    let message = status.message();
    assert!(
        message.contains("document.sla.clock_rules[0].limit") && message.contains("document.sla.clock_rules[1].applies_to"),
        "{message}"
    );
}

#[tokio::test]
async fn a_repeated_version_is_one_version() {
    let world = World::new().await;
    let request = shorter(&world, 5);
    let first = world.policies().create_policy_version(world.operations().asks(request.clone())).await.unwrap().into_inner();
    let second = world.policies().create_policy_version(world.operations().asks(request.clone())).await.unwrap().into_inner();
    assert_eq!(first, second);
    let other = plan::CreatePolicyVersionRequest { plan_code: "other".to_owned(), ..request };
    refused(world.policies().create_policy_version(world.operations().asks(other)).await, Code::AlreadyExists, "REQUEST_ID_REUSED");
}

/// A manager writes the rules of their own estates, and no others.
#[tokio::test]
async fn a_policy_is_written_by_those_who_reach_what_it_binds() {
    let world = World::new().await;
    let manager = world.staff("li", "estate_manager");
    let write = |level, id: String| {
        let request = new_version(level, &id, Document::Callback(plan::CallbackPolicy::default()), "");
        let (mut policies, manager) = (world.policies(), manager.clone());
        async move { policies.create_policy_version(manager.asks(request)).await }
    };
    write(plan::PolicyScopeLevel::Estate, world.estate.to_string()).await.unwrap();
    refused(write(plan::PolicyScopeLevel::Estate, Uuid::now_v7().to_string()).await, Code::NotFound, "ESTATE_NOT_FOUND");
    refused(write(plan::PolicyScopeLevel::Base, String::new()).await, Code::PermissionDenied, "PERMISSION_DENIED");
    refused(write(plan::PolicyScopeLevel::Group, Uuid::now_v7().to_string()).await, Code::PermissionDenied, "PERMISSION_DENIED");
}

/// P-3: an order opened under one plan keeps its limits when the estate moves to another.
#[tokio::test]
async fn an_order_keeps_the_limits_of_the_plan_of_its_birth() {
    let world = World::without_plans().await;
    let estate = world.estate.to_string();
    world.load_plan(BASE, plan::PolicyScopeLevel::Base, "").await;
    world.load_plan(MANAGEMENT, plan::PolicyScopeLevel::Estate, &estate).await;
    let complaint = || pb::CreateWorkOrderRequest {
        kind: common::WorkOrderKind::Complaint.into(),
        description: "保洁不到位，楼道三天没有扫".to_owned(),
        ..world.burst_pipe()
    };
    let names = |order: &pb::WorkOrder| {
        let mut names: Vec<_> = order.clocks.iter().map(|clock| clock.name.clone()).collect();
        names.sort();
        names
    };
    let old = world.create(complaint()).await;
    assert_eq!(names(&old), ["first_response", "initial_assessment", "result_feedback"]);
    let hours = |order: &pb::WorkOrder, name: &str| {
        let clock = clock(order, name, 1);
        time(clock.due_time.as_ref()).duration_since(time(clock.start_time.as_ref())).as_mins()
    };
    assert_eq!((hours(&old, "first_response"), hours(&old, "initial_assessment")), (24 * 60, 24 * 60));
    let due = |order: &pb::WorkOrder| order.clocks.iter().map(|clock| (clock.name.clone(), clock.due_time)).collect::<Vec<_>>();

    world.advance(1);
    world.load_plan(UPLIFT, plan::PolicyScopeLevel::Estate, &estate).await;
    assert_eq!(due(&world.get(&old.id).await), due(&old));
    world.assign(&old.id, "wang").await.unwrap();
    let kept = world.get(&old.id).await;
    assert!(kept.clocks.iter().all(|clock| clock.name != "owner_contact"), "002 has no such clock");
    assert_eq!(due(&kept), due(&old));

    let new = world.create(complaint()).await;
    assert_eq!(hours(&new, "first_response"), 30, "poor cleaning is L2 under 003");
    world.assign(&new.id, "wang").await.unwrap();
    assert_eq!(hours(&world.get(&new.id).await, "owner_contact"), 15);
}

#[tokio::test]
async fn a_validation_writes_nothing_and_looks_at_what_comes_along() {
    let world = World::without_plans().await;
    let mut base = crate::world::plan(BASE);
    // Without the rules for categories.
    let own = base.sla.as_mut().unwrap();
    own.warranty_rules.clear();
    own.clock_rules.retain(|rule| rule.applies_to.as_ref().is_none_or(|filter| filter.categories.is_empty()));
    let document = |document| plan::PolicyDocument { document: Some(document) };
    let sla = new_version(plan::PolicyScopeLevel::Base, "", Document::Sla(base.sla.unwrap()), "base");
    let ask = |request: &plan::CreatePolicyVersionRequest| {
        let (mut policies, request) = (world.policies(), world.operations().asks(request.clone()));
        async move { policies.create_policy_version(request).await.map(|answer| answer.into_inner().policy_version.unwrap()) }
    };
    // By itself it would bind nothing: no category is there to limit, and any will do.
    let validated = ask(&plan::CreatePolicyVersionRequest { validate_only: true, ..sla.clone() }).await.unwrap();
    assert_eq!((validated.id.as_str(), validated.version, validated.content_hash.len()), ("", 0, 64));
    // A rule for a category needs the document that brings it.
    let uplift = crate::world::plan(UPLIFT);
    let over = plan::CreatePolicyVersionRequest {
        validate_only: true,
        ..new_version(plan::PolicyScopeLevel::Base, "", Document::Sla(uplift.sla.unwrap()), "service-uplift")
    };
    refused(ask(&over).await, Code::InvalidArgument, "POLICY_INVALID");
    let together = plan::CreatePolicyVersionRequest { alongside: vec![document(Document::Intake(base.intake.unwrap()))], ..over.clone() };
    ask(&together).await.unwrap();
    let added_with = plan::CreatePolicyVersionRequest { validate_only: false, ..together };
    refused(ask(&added_with).await, Code::InvalidArgument, "validate_only");

    // The same id adds it; from then on its validation is answered by what was added.
    let added = ask(&sla).await.unwrap();
    assert_eq!(added.version, 1, "the validations added none");
    assert_eq!(ask(&plan::CreatePolicyVersionRequest { validate_only: true, ..sla }).await.unwrap(), added);
}

#[tokio::test]
async fn a_document_of_another_service_is_refused_with_its_owner() {
    let world = World::without_plans().await;
    let estate = world.estate.to_string();
    let survey = new_version(plan::PolicyScopeLevel::Estate, &estate, Document::Survey(plan::SurveyPolicy::default()), "");
    let answer = world.policies().create_policy_version(world.operations().asks(survey)).await;
    let status = refused(answer, Code::InvalidArgument, "POLICY_KIND_NOT_OWNED");
    assert!(status.message().contains("owned by survey"), "{}", status.message());
    let care = plan::ResolvePolicyRequest { estate_id: estate, kind: plan::PolicyKind::Care.into() };
    refused(world.policies().resolve_policy(world.operations().asks(care)).await, Code::InvalidArgument, "POLICY_KIND_NOT_OWNED");
}
