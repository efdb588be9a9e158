//! Policies in versions: bound at creation, checked at activation, written by those who reach what they bind.

use steward_proto::common::v1 as common;
use steward_proto::plan::v1 as plan;
use steward_proto::work_order::v1 as pb;
use steward_proto::work_order::v1::policy_document::Document;
use tonic::Code;
use uuid::Uuid;

use crate::world::{UPLIFT, World, clock, new_version, refused, time};

fn shorter(world: &World, minutes: u32) -> pb::CreatePolicyVersionRequest {
    let mut sla = crate::world::plan(UPLIFT).sla.unwrap();
    let l1 = sla.clock_rules.iter_mut().find(|rule| rule.clock == "first_response").unwrap();
    l1.limit = Some(common::Span { value: minutes, unit: common::Unit::Minute.into(), calendar: "24x7".to_owned() });
    new_version(pb::PolicyScopeLevel::Estate, &world.estate.to_string(), Document::Sla(sla), "service-uplift")
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

    let list = pb::ListPolicyVersionsRequest {
        kind: pb::PolicyKind::Sla.into(),
        level: pb::PolicyScopeLevel::Estate.into(),
        scope_id: world.estate.to_string(),
        page_size: 1,
        ..Default::default()
    };
    let page = world.policies().list_policy_versions(world.desk().asks(list.clone())).await.unwrap().into_inner();
    assert_eq!(page.policy_versions.iter().map(|version| version.version).collect::<Vec<_>>(), [2]);
    let list = pb::ListPolicyVersionsRequest { page_token: page.next_page_token, ..list };
    let page = world.policies().list_policy_versions(world.desk().asks(list)).await.unwrap().into_inner();
    assert_eq!(page.policy_versions.iter().map(|version| version.version).collect::<Vec<_>>(), [1]);
    assert!(page.next_page_token.is_empty());

    let resolve = pb::ResolvePolicyRequest { estate_id: world.estate.to_string(), kind: pb::PolicyKind::Sla.into() };
    let layers = world.policies().resolve_policy(world.desk().asks(resolve)).await.unwrap().into_inner().layers;
    let levels: Vec<_> = layers.iter().map(|layer| layer.scope.as_ref().unwrap().level()).collect();
    assert_eq!(levels, [pb::PolicyScopeLevel::Estate, pb::PolicyScopeLevel::Base]);
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
    let other = pb::CreatePolicyVersionRequest { plan_code: "other".to_owned(), ..request };
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
    write(pb::PolicyScopeLevel::Estate, world.estate.to_string()).await.unwrap();
    refused(write(pb::PolicyScopeLevel::Estate, Uuid::now_v7().to_string()).await, Code::NotFound, "ESTATE_NOT_FOUND");
    refused(write(pb::PolicyScopeLevel::Base, String::new()).await, Code::PermissionDenied, "PERMISSION_DENIED");
    refused(write(pb::PolicyScopeLevel::Group, Uuid::now_v7().to_string()).await, Code::PermissionDenied, "PERMISSION_DENIED");
}
