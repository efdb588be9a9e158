//! Where a report came from, as the call centre, the chat, the front desk and an authority say it.

use prost::Message as _;
use steward_proto::common::v1::{self as common, Channel, WorkOrderKind};
use steward_proto::plan::v1::{self as plan, PolicyScopeLevel, policy_document::Document};
use steward_proto::work_order::v1 as pb;
use steward_proto::work_order::v1::origin::Way;

use crate::world::{World, at, clock, new_version, refused, request_id, time};

fn report(world: &World, kind: WorkOrderKind, channel: Channel, way: Option<Way>) -> pb::CreateWorkOrderRequest {
    let origin = way.map(|way| pb::Origin { way: Some(way) });
    pb::CreateWorkOrderRequest { kind: kind.into(), channel: channel.into(), origin, ..world.burst_pipe() }
}

fn call() -> Way {
    Way::Call(pb::CallOrigin { call_id: "c-0301-17".into(), recording_ref: "calls/c-0301-17.ogg".into(), agent: "desk-1".into() })
}

fn handed_on(external_due: &str) -> Way {
    Way::Authority(pb::AuthorityOrigin {
        organisation: "12345".into(),
        external_number: "GZ-77".into(),
        external_due_time: Some(steward_kit::proto::to_timestamp(at(external_due))),
    })
}

impl World {
    /// What the estate requires to be said of a channel.
    async fn require(&self, channel: Channel, required: &[plan::OriginField]) {
        let rule = plan::OriginRule { channel: channel.into(), required: required.iter().map(|field| (*field).into()).collect() };
        let document = Document::Intake(plan::IntakePolicy { origin_rules: vec![rule], ..Default::default() });
        let request = new_version(PolicyScopeLevel::Estate, &self.estate.to_string(), document, "own");
        self.policies().create_policy_version(self.operations().asks(request)).await.unwrap();
    }
}

/// WO-01: a call at 03:00 is an order of the hotline whose clocks start at 03:00, with the call, its recording and who answered.
#[tokio::test]
async fn a_call_in_the_night_is_kept_with_its_recording() {
    let world = World::new().await;
    world.advance(60);
    world.require(Channel::Hotline, &[plan::OriginField::CallId, plan::OriginField::RecordingRef, plan::OriginField::Agent]).await;
    let bare = report(&world, WorkOrderKind::Repair, Channel::Hotline, None);
    refused(world.orders().create_work_order(world.desk().asks(bare)).await, tonic::Code::InvalidArgument, "ORIGIN_INCOMPLETE");
    let id = world.create(report(&world, WorkOrderKind::Repair, Channel::Hotline, Some(call()))).await.id;
    let order = world.get(&id).await;
    assert_eq!(order.channel(), Channel::Hotline);
    assert_eq!(time(clock(&order, "first_response", 1).start_time.as_ref()), at("2026-03-01T19:00:00Z"), "03:00 in Shanghai");
    assert_eq!(order.origin.and_then(|origin| origin.way), Some(call()));
    assert_eq!(order.first_receiver, "desk-1");
    let get = pb::GetWorkOrderRequest { work_order_id: id };
    let seen = world.orders().get_work_order(world.resident().asks(get)).await.unwrap().into_inner().work_order.unwrap();
    assert_eq!(seen.origin, None, "staff only");
}

/// WO-02: a chat becomes an inquiry, and a complaint when it turns out to be one; its transcript stays linked.
#[tokio::test]
async fn a_converted_chat_links_its_transcript() {
    let world = World::new().await;
    let chat = Way::Chat(pb::ChatOrigin { session_id: "s-9".into(), transcript_ref: "chats/s-9.json".into() });
    let wrong = report(&world, WorkOrderKind::Inquiry, Channel::Hotline, Some(chat.clone()));
    refused(world.orders().create_work_order(world.desk().asks(wrong)).await, tonic::Code::InvalidArgument, "ORIGIN_UNSUITED");
    // The mini program sends it with the resident's own token.
    let inquiry = report(&world, WorkOrderKind::Inquiry, Channel::Wechat, Some(chat.clone()));
    let created = world.orders().create_work_order(world.resident().asks(inquiry)).await.unwrap().into_inner().work_order.unwrap();
    let convert = pb::ClassifyWorkOrderRequest {
        work_order_id: created.id.clone(),
        request_id: request_id(),
        category: "plumbing.burst_pipe".into(),
        urgency: common::Urgency::L1.into(),
        kind: WorkOrderKind::Complaint.into(),
        reason: "第三次了".into(),
        ..Default::default()
    };
    world.orders().classify_work_order(world.desk().asks(convert)).await.unwrap();
    let order = world.get(&created.id).await;
    assert_eq!((order.kind(), order.origin.and_then(|origin| origin.way)), (WorkOrderKind::Complaint, Some(chat)));
}

/// WO-37: a visitor's complaint is an order of the front desk with the entry of the visit log; the fact that the customer's timeline is
/// written from names the customer, and no reference.
#[tokio::test]
async fn a_walk_in_is_an_order_and_a_fact_of_the_customer() {
    let world = World::new().await;
    let visitor = Way::Visitor(pb::VisitorOrigin { visit_log_ref: "visits/2026-03-02/4".into(), receiver: "desk-1".into() });
    let id = world.create(report(&world, WorkOrderKind::Complaint, Channel::FrontDesk, Some(visitor.clone()))).await.id;
    assert_eq!(world.get(&id).await.origin.and_then(|origin| origin.way), Some(visitor));
    let payload: Vec<u8> =
        sqlx::query_scalar("SELECT payload FROM work_order.outbox WHERE type LIKE '%WorkOrderCreated'").fetch_one(&world.db).await.unwrap();
    let fact = pb::WorkOrderCreated::decode(payload.as_slice()).unwrap();
    assert_eq!((fact.channel(), fact.order.unwrap().customer_id), (Channel::FrontDesk, world.customer.to_string()));
}

/// WO-68: the external due is earlier than the limit: the order is due then, and the explanation says so.
#[tokio::test]
async fn a_government_case_is_due_when_the_authority_wants_it() {
    let world = World::new().await;
    let id = world.create(report(&world, WorkOrderKind::Complaint, Channel::Government, Some(handed_on("2026-03-03T10:00:00Z")))).await.id;
    let order = world.get(&id).await;
    assert_eq!(time(clock(&order, "result_feedback", 1).due_time.as_ref()), at("2026-03-03T10:00:00Z"));
    let explain = pb::ExplainClockRequest { work_order_id: id.clone(), clock: "result_feedback".into(), cycle: 1 };
    let explained = world.orders().explain_clock(world.desk().asks(explain)).await.unwrap().into_inner();
    assert_eq!(explained.due_basis(), pb::DueBasis::External);
    assert_eq!(time(explained.external_due_time.as_ref()), at("2026-03-03T10:00:00Z"));
    assert_eq!(explained.intervals.len(), 1);
    let timer: jiff_sqlx::Timestamp =
        sqlx::query_scalar("SELECT due_time FROM work_order.timers WHERE subject_id = $1::uuid AND key = '1/result_feedback'")
            .bind(&id)
            .fetch_one(&world.db)
            .await
            .unwrap();
    assert!(timer.to_jiff() < at("2026-03-03T10:00:00Z"), "the first warning is a share of the way there");
}
