//! A case can name what care did as its cause; work-order takes it as it is said, and tells of it.

use prost::Message;
use steward_proto::common::v1 as common;
use steward_proto::work_order::v1 as pb;
use steward_proto::work_order::v1::caused_by::Cause;
use tonic::Code;
use uuid::Uuid;

use crate::world::{World, refused, request_id};

fn caused(cause: Cause) -> Option<pb::CausedBy> {
    Some(pb::CausedBy { cause: Some(cause) })
}

async fn classify(world: &World, id: &str, caused_by: Option<pb::CausedBy>) -> pb::WorkOrder {
    let request = pb::ClassifyWorkOrderRequest {
        work_order_id: id.to_owned(),
        request_id: request_id(),
        category: "cleaning.poor_cleaning".to_owned(),
        urgency: common::Urgency::L2.into(),
        reason: "read again".to_owned(),
        caused_by,
        ..Default::default()
    };
    world.orders().classify_work_order(world.desk().asks(request)).await.unwrap().into_inner().work_order.unwrap()
}

/// What the last fact of a kind says that the order is about.
async fn told<M: Message + Default>(world: &World, kind: &str, order: impl Fn(M) -> Option<pb::OrderFacts>) -> Option<pb::CausedBy> {
    let sql = "SELECT payload FROM work_order.outbox WHERE type = 'steward.work_order.v1.' || $1 ORDER BY id DESC LIMIT 1";
    let payload: Vec<u8> = sqlx::query_scalar(sql).bind(kind).fetch_one(&world.db).await.unwrap();
    let facts = order(M::decode(payload.as_slice()).unwrap()).unwrap();
    assert!(facts.case_time.is_some());
    facts.caused_by
}

/// WO-67: a complaint cites a promotion; a later look keeps, corrects and takes back what it said, with its traces in the history. The
/// resident does not see it, and neither does work-order know what care did.
#[tokio::test]
async fn a_complaint_names_the_promotion_that_it_is_about() {
    let world = World::new().await;
    let (touchpoint, campaign) = (Cause::TouchpointId(Uuid::now_v7().to_string()), Cause::CampaignCode("spring-promo_2026".to_owned()));
    let order = world.create(pb::CreateWorkOrderRequest { caused_by: caused(touchpoint.clone()), ..world.complaint() }).await;
    assert_eq!(order.caused_by, caused(touchpoint.clone()));
    let created = told(&world, "WorkOrderCreated", |fact: pb::WorkOrderCreated| fact.order).await;
    assert_eq!(created, caused(touchpoint.clone()));
    let get = pb::GetWorkOrderRequest { work_order_id: order.id.clone() };
    let seen = world.orders().get_work_order(world.resident().asks(get)).await.unwrap().into_inner().work_order.unwrap();
    assert_eq!(seen.caused_by, None);

    let classified = async || told(&world, "WorkOrderClassified", |fact: pb::WorkOrderClassified| fact.order).await;
    let said = [(None, caused(touchpoint)), (caused(campaign.clone()), caused(campaign)), (Some(pb::CausedBy::default()), None)];
    for (given, kept) in said {
        assert_eq!(classify(&world, &order.id, given).await.caused_by, kept);
        assert_eq!(world.get(&order.id).await.caused_by, kept, "as stored");
        assert_eq!(classified().await, kept);
    }
    let list = pb::ListHistoryRequest { work_order_id: order.id, ..Default::default() };
    let entries = world.orders().list_history(world.desk().asks(list)).await.unwrap().into_inner().entries;
    let before: Vec<_> = entries.iter().filter_map(|entry| entry.detail.get("caused_by_before")).collect();
    assert_eq!(before.len(), 2, "{entries:?}");
    assert_eq!(before[1], "campaign/spring-promo_2026");
    let begun = entries.iter().find(|entry| entry.action == "create").unwrap();
    assert!(begun.detail["caused_by"].starts_with("touchpoint/"));

    let words = pb::CreateWorkOrderRequest { caused_by: caused(Cause::CampaignCode("王女士 138".to_owned())), ..world.complaint() };
    refused(world.orders().create_work_order(world.desk().asks(words)).await, Code::InvalidArgument, "string.pattern");
}
