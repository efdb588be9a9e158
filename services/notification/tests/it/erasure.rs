//! A customer is erased: what is known of them goes, what was said to them loses its words, what was counted stays.

use steward_kit::ids::WorkOrderId;
use steward_kit_store::NewEvent;
use steward_proto::customer::v1 as customer;
use steward_proto::notification::v1 as pb;
use tonic::Code;

use crate::templates::send;
use crate::world::{World, eventually, refused};

/// XC-45, NT-27: forgotten here as everywhere; the proof of a consent stays, withdrawn, and so do states and counts.
#[tokio::test]
async fn an_erased_customer_is_forgotten() {
    let world = World::new().await;
    crate::consent::advert(&world).await;
    crate::consent::agree(&world).await;
    assert_eq!(crate::consent::send_advert(&world).await.state(), pb::MessageState::Delivered);
    world.publish("work_order", vec![world.created(WorkOrderId::new())]).await;
    world.items(&world.resident(), 2).await;
    let fact = customer::CustomerErased {
        customer_id: world.customer.to_string(),
        home_estate_id: world.estate.to_string(),
        ..Default::default()
    };
    world.publish("customer", vec![NewEvent::new(world.customer, world.estate, world.now(), &fact)]).await;
    let request = || pb::ListMessagesRequest { customer_id: world.customer.to_string(), ..Default::default() };
    let messages = eventually("messages without words", || async {
        let messages = world.messages().list_messages(world.operations().asks(request())).await.unwrap().into_inner().messages;
        messages.iter().all(|message| message.title.is_empty() && message.body.is_empty()).then_some(messages)
    })
    .await;
    assert_eq!(messages.len(), 2, "that there were messages stays");
    let items = world.items(&world.resident(), 2).await;
    assert!(items.iter().all(|item| item.title.is_empty() && item.body.is_empty()));
    let pool = world.database.superuser().await.unwrap();
    let count = async |sql: &'static str| sqlx::query_scalar::<_, i64>(sql).fetch_one(&pool).await.unwrap();
    assert_eq!(count("SELECT count(*) FROM notification.customers").await, 0);
    assert_eq!(count("SELECT count(*) FROM notification.customer_estates").await, 0);
    assert_eq!(count("SELECT count(*) FROM notification.consents WHERE withdraw_time IS NOT NULL").await, 1, "the proof stays");
    assert_eq!(count("SELECT count(*) FROM notification.contacts").await, 1, "so does what was counted");
    let refusal = refused(world.messages().send_message(world.manager().asks(send(&world, "advert"))).await);
    assert_eq!(refusal.0, Code::NotFound);
}
