//! What is said to many never delays what is said to one.

use std::sync::Arc;
use std::time::Duration;

use steward_kit::ids::HouseholdId;
use steward_proto::notification::v1 as pb;
use tokio::sync::Semaphore;

use crate::broadcasts::{begin, broadcast, get, move_in};
use crate::neighbours::Home;
use crate::templates::{activate, create, send, template, text};
use crate::world::{World, eventually};

/// A template that goes by mail.
async fn mailed(world: &World, key: &str) {
    let mail = |language: &str| pb::TemplateText { channel: pb::Channel::Email.into(), ..text(language, "{{ name }}") };
    let texts = vec![mail("zh-CN"), mail("en")];
    let version = create(world, pb::CreateTemplateVersionRequest { texts, ..template(key, pb::MessageClass::Service) }).await;
    activate(world, &version).await;
}

async fn bulk(world: &World, states: &[&str]) -> i64 {
    let pool = world.database.superuser().await.unwrap();
    let states: Vec<String> = states.iter().map(|state| (*state).to_owned()).collect();
    let sql = "SELECT count(*) FROM notification.deliveries WHERE is_bulk AND state = ANY($1)";
    sqlx::query_scalar(sql).bind(states).fetch_one(&pool).await.unwrap()
}

/// NT-41: mails wait for an address book that does not answer, in every place that they may have; a service message goes out at once
/// all the same, and no further page is made until the backlog is gone.
#[tokio::test]
async fn a_service_message_overtakes_a_backlog() {
    let world = World::new().await;
    mailed(&world, "notice").await;
    mailed(&world, "order").await;
    // A page of a thousand households, most of them without anybody to tell, and one more.
    move_in(&world, world.estate, 150);
    let empty = || Home { estate: world.estate, household: HouseholdId::new(), customer: None };
    world.situations.1.lock().unwrap().homes.extend((0..850).map(|_| empty()));
    move_in(&world, world.estate, 50);
    let gate = Arc::new(Semaphore::new(0));
    *world.addresses.1.lock().unwrap() = Some(gate.clone());
    let made = begin(&world, broadcast(&world)).await;
    eventually("the backlog", || async { (bulk(&world, &["queued"]).await == 150).then_some(()) }).await;
    // Every place that what is said to many may have waits for an address.
    eventually("busy places", || async {
        let pool = world.database.superuser().await.unwrap();
        let sql = "SELECT count(*) FROM notification.deliveries WHERE claim_until IS NOT NULL";
        let busy: i64 = sqlx::query_scalar(sql).fetch_one(&pool).await.unwrap();
        (busy >= 24).then_some(())
    })
    .await;
    let message = world.messages().send_message(world.manager().asks(send(&world, "order"))).await.unwrap().into_inner().message.unwrap();
    world.mail.wait_for(Duration::from_secs(4), |mail| mail.to.iter().any(|to| to.contains("li@example.com"))).await.unwrap();
    world.until_state(&message.id, pb::MessageState::Sent).await;
    assert_eq!(bulk(&world, &["sent", "delivered", "dead"]).await, 0, "none of the backlog is through");
    let (waits, _) = get(&world, &made.id).await;
    assert_eq!((waits.state(), waits.progress.unwrap().page_count), (pb::BroadcastState::Running, 1), "the next page waits");

    gate.add_permits(100_000);
    eventually("the rest", || async {
        world.advance(60);
        (get(&world, &made.id).await.0.state() == pb::BroadcastState::Done).then_some(())
    })
    .await;
    assert_eq!(get(&world, &made.id).await.1.messages.iter().map(|alike| alike.count).sum::<i32>(), 200);
}
