//! Events become messages, each once, and every message can be explained.

use jiff::SignedDuration;
use steward_harness::Claims;
use steward_kit::ids::WorkOrderId;
use steward_kit_store::NewEvent;
use steward_proto::notification::v1 as pb;
use steward_proto::work_order::v1 as work_order;

use crate::world::{Caller, World};

/// NT-18, NT-40: an order that came in reaches its customer in the inbox and by mail; the same event again changes nothing.
#[tokio::test]
async fn an_order_that_came_in_reaches_its_customer_once() {
    let world = World::new().await;
    let order = WorkOrderId::new();
    let event = world.created(order);
    world.publish("work_order", vec![event.clone()]).await;
    let items = world.items(&world.resident(), 1).await;
    assert_eq!(items[0].title, "已受理：WO-2026-000123");
    assert_eq!(items[0].body, "您的报修 WO-2026-000123 已受理，我们会尽快与您联系。");
    assert_eq!(items[0].subject_kind, "work_order");

    // The same event once more, past the consumer's own memory; another one of the same order comes after it.
    let pool = world.database.superuser().await.unwrap();
    sqlx::query("DELETE FROM notification.inbox").execute(&pool).await.unwrap();
    world.publish("work_order", vec![event, world.created(order)]).await;
    let items = world.items(&world.resident(), 2).await;
    assert_eq!(items.len(), 2, "one message for each of two events");

    let mail = world.mail.wait_for(std::time::Duration::from_secs(10), |_| true).await.unwrap();
    assert_eq!(mail.to, ["li@example.com"]);
    assert_eq!(mail.subject(), "已受理：WO-2026-000123");
    assert!(mail.text().contains("您的报修 WO-2026-000123 已受理"), "{}", mail.text());
}

/// NT-19: the text contains the hours of the promise.
#[tokio::test]
async fn the_promise_is_told_in_hours() {
    let world = World::new().await;
    let order = WorkOrderId::new();
    let promise = steward_kit::proto::to_timestamp(world.now() + SignedDuration::from_hours(2));
    let contacted = work_order::CustomerContacted { order: Some(world.order(order)), reached: true, promise_time: Some(promise) };
    world.publish("work_order", vec![NewEvent::new(order, world.estate, world.now(), &contacted)]).await;
    let items = world.items(&world.resident(), 1).await;
    assert_eq!(items[0].body, "WO-2026-000123 已与您联系，承诺 2 小时内处理（3月2日 12:00 前）。");
}

/// NT-21: a breach is told to the roles of its ladder in the estate, and the assignee in person.
#[tokio::test]
async fn a_breach_is_told_to_roles_and_assignee() {
    let world = World::new().await;
    let order = WorkOrderId::new();
    let breached = work_order::ClockBreached {
        order: Some(world.order(order)),
        clock: "contact_customer".to_owned(),
        due_time: Some(steward_kit::proto::to_timestamp(world.now())),
        notify_roles: vec!["assignee".to_owned(), "estate_manager".to_owned()],
    };
    world.publish("work_order", vec![NewEvent::new(order, world.estate, world.now(), &breached)]).await;
    let items = world.items(&world.manager(), 1).await;
    assert_eq!(items[0].staff_role, "estate_manager");
    assert!(items[0].body.contains("联系客户"), "{}", items[0].body);
    let assignee = Caller::new(&Claims::staff("tech-1").role("technician").estate(world.estate));
    assert_eq!(world.items(&assignee, 1).await[0].staff_role, "");
    // The same role elsewhere hears nothing.
    let elsewhere = Caller::new(&Claims::staff("manager-2").role("estate_manager").estate(uuid::Uuid::now_v7()));
    let list = world.inbox().list_inbox_items(elsewhere.asks(pb::ListInboxItemsRequest::default())).await.unwrap().into_inner();
    assert!(list.items.is_empty());
}

/// NT-36: every step of a message can be read, in order and in words.
#[tokio::test]
async fn a_message_explains_itself() {
    let world = World::new().await;
    world.publish("work_order", vec![world.created(WorkOrderId::new())]).await;
    let item = world.items(&world.resident(), 1).await.remove(0);
    world.mail.wait_for(std::time::Duration::from_secs(10), |_| true).await.unwrap();
    let steps = crate::world::eventually("the mail to be recorded", || async {
        let steps = world.steps(&item.message_id).await;
        steps.iter().any(|step| step.code() == pb::MessageStepCode::Sent).then_some(steps)
    })
    .await;
    let codes: Vec<&str> = steps.iter().map(|step| step.code().as_str_name().trim_start_matches("MESSAGE_STEP_CODE_")).collect();
    assert_eq!(
        codes,
        ["ROUTED", "LANGUAGE_CHOSEN", "CONSENT_NOT_NEEDED", "CHANNEL_CHOSEN", "CHANNEL_CHOSEN", "DELIVERED", "ATTEMPTED", "SENT"]
    );
    assert!(steps[0].text.contains("work_order_created_to_customer"), "{}", steps[0].text);
    assert_eq!(steps.last().unwrap().text, "email has taken it.");
    assert!(!steps.iter().any(|step| step.text.contains("example.com")), "no address anywhere");
}
