//! A process that dies between an attempt and its record.

use std::time::Duration;

use steward_kit::ids::WorkOrderId;
use steward_proto::notification::v1 as pb;

use crate::world::{World, eventually};

/// NT-40: the attempt is made again with the same id, so the mail goes at least once and the message is shown once.
#[tokio::test]
async fn an_attempt_whose_record_was_lost_is_made_again_with_the_same_id() {
    let mut world = World::new().await;
    world.publish("work_order", vec![world.created(WorkOrderId::new())]).await;
    let first = world.mail.wait_for(Duration::from_secs(10), |_| true).await.unwrap();
    let item = world.items(&world.resident(), 1).await.remove(0);
    eventually("the record", || async {
        let steps = world.steps(&item.message_id).await;
        steps.iter().any(|step| step.code() == pb::MessageStepCode::Sent).then_some(())
    })
    .await;

    // As the rows stand when the process dies before recording: claimed, not reported on, the timer of the lease set.
    let pool = world.database.superuser().await.unwrap();
    for sql in [
        "UPDATE notification.deliveries SET state = 'queued', attempt_count = 0, attempts = '[]', next_attempt_time = create_time,
                claim_until = create_time + interval '2 minutes' WHERE channel = 'email'",
        "INSERT INTO notification.timers (id, kind, subject_id, key, estate_id, due_time, wake_time, create_time)
         SELECT gen_random_uuid(), 'delivery_attempt', id, '', estate_id, create_time + interval '2 minutes',
                create_time + interval '2 minutes', create_time FROM notification.deliveries WHERE channel = 'email'",
    ] {
        sqlx::query(sql).execute(&pool).await.unwrap();
    }
    world.restart().await;
    world.advance(121);
    eventually("the second mail", || async { (world.mail.mails().len() == 2).then_some(()) }).await;
    let second = world.mail.mails().remove(1);
    assert_eq!(first.header("Message-ID"), second.header("Message-ID"));
    assert_eq!(world.items(&world.resident(), 1).await.len(), 1);
}
