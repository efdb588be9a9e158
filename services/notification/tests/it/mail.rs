//! Mail over real SMTP: retried on the clock, given up, put back to work.

use std::time::Duration;

use steward_kit::ids::WorkOrderId;
use steward_proto::common::v1::{Span, Unit};
use steward_proto::notification::v1 as pb;
use steward_proto::notification::v1::delivery_service_client::DeliveryServiceClient;
use steward_proto::plan::v1 as plan;

use crate::world::{World, eventually, request_id};

async fn email(world: &World, message_id: &str) -> pb::Delivery {
    let request = pb::ListDeliveriesRequest { message_id: message_id.to_owned(), channel: pb::Channel::Email.into(), ..Default::default() };
    let list = DeliveryServiceClient::new(world.channel()).list_deliveries(world.operations().asks(request)).await.unwrap();
    list.into_inner().deliveries.remove(0)
}

async fn until(world: &World, message_id: &str, what: &str, is_it: impl Fn(&pb::Delivery) -> bool) -> pb::Delivery {
    eventually(what, || async { Some(email(world, message_id).await).filter(&is_it) }).await
}

/// NT-35, NT-36: a server that asks to come again is asked again on the clock, with growing pauses, until the delivery is
/// dead; a redrive sends it, under the same id.
#[tokio::test]
async fn a_mail_is_retried_on_the_clock_then_dead_then_redriven() {
    let world = World::new().await;
    world.mail.refuse_next(1000, false);
    world.publish("work_order", vec![world.created(WorkOrderId::new())]).await;
    let item = world.items(&world.resident(), 1).await.remove(0);
    let mut pauses = Vec::new();
    for attempt in 1..8 {
        let delivery = until(&world, &item.message_id, "an attempt", |delivery| delivery.attempt_count == attempt).await;
        assert_eq!(delivery.state(), pb::DeliveryState::Queued);
        assert_eq!(delivery.attempts.last().unwrap().response_code, 451);
        let next = steward_kit::proto::timestamp(delivery.next_attempt_time.as_ref().unwrap()).unwrap();
        pauses.push(next.duration_since(world.now()).as_secs());
        world.clock.set(next);
    }
    assert!(pauses.windows(2).all(|two| two[1] > two[0] || two[1] > 17_000), "pauses grow to their cap: {pauses:?}");
    let dead = until(&world, &item.message_id, "the dead letter", |delivery| delivery.state() == pb::DeliveryState::Dead).await;
    assert_eq!(dead.attempt_count, 8);
    assert!(world.mail.mails().is_empty());

    world.mail.refuse_next(0, false);
    let request = pb::RedriveDeliveryRequest { request_id: request_id(), delivery_id: dead.id.clone(), etag: dead.etag };
    let redriven = DeliveryServiceClient::new(world.channel()).redrive_delivery(world.operations().asks(request)).await.unwrap();
    assert_eq!(redriven.into_inner().delivery.unwrap().state(), pb::DeliveryState::Queued);
    let mail = world.mail.wait_for(Duration::from_secs(10), |_| true).await.unwrap();
    assert_eq!(mail.header("Message-ID").unwrap(), format!("<{}@example.org>", dead.id));
    until(&world, &item.message_id, "the sent mail", |delivery| delivery.state() == pb::DeliveryState::Sent).await;
}

/// A mailbox that does not exist is not asked for twice.
#[tokio::test]
async fn a_refusal_for_good_is_not_retried() {
    let world = World::new().await;
    world.mail.refuse_next(1, true);
    world.publish("work_order", vec![world.created(WorkOrderId::new())]).await;
    let item = world.items(&world.resident(), 1).await.remove(0);
    let dead = until(&world, &item.message_id, "the dead letter", |delivery| delivery.state() == pb::DeliveryState::Dead).await;
    assert_eq!((dead.attempt_count, dead.attempts[0].response_code), (1, 550));
    // The inbox has it: the message arrived all the same.
    world.until_state(&item.message_id, pb::MessageState::Delivered).await;
}

/// NT-35: where the policy waits for the inbox to be read, the mail goes only to those who did not read in time.
#[tokio::test]
async fn a_mail_is_spared_when_the_inbox_was_read() {
    let world = World::new().await;
    let service = plan::ContactClassRule {
        message_class: pb::MessageClass::Service.into(),
        channels: vec![pb::Channel::Inbox.into(), pb::Channel::Email.into()],
        heeds_preferences: true,
        inbox_stays: true,
        quiet_holds: plan::QuietHolds::OutsideInbox.into(),
        fallback_when_unread: Some(Span { value: 2, unit: Unit::Hour.into(), calendar: "24x7".to_owned() }),
        ..Default::default()
    };
    world.set_policy(plan::ContactPolicy { classes: vec![service], ..Default::default() }).await;
    world.publish("work_order", vec![world.created(WorkOrderId::new())]).await;
    let read = world.items(&world.resident(), 1).await.remove(0);
    let reading = pb::MarkInboxItemsReadRequest { request_id: request_id(), message_ids: vec![read.message_id.clone()] };
    world.inbox().mark_inbox_items_read(world.resident().asks(reading)).await.unwrap();
    world.publish("work_order", vec![world.created(WorkOrderId::new())]).await;
    let unread = world.items(&world.resident(), 2).await.remove(0);
    world.advance(7199);
    assert_eq!(email(&world, &unread.message_id).await.attempt_count, 0, "two hours are not over");
    world.advance(1);
    until(&world, &unread.message_id, "the mail", |delivery| delivery.state() == pb::DeliveryState::Sent).await;
    until(&world, &read.message_id, "the spared mail", |delivery| delivery.state() == pb::DeliveryState::Read).await;
    assert_eq!(world.mail.mails().len(), 1);
    assert!(world.steps(&unread.message_id).await.iter().any(|step| step.code() == pb::MessageStepCode::Unread));
}
