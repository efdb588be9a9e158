//! A key rotation: texts of customers and staff, and answers kept for repetitions, come under the new key.

use crate::world::{World, eventually};

const SECOND: &str = "2=2222222222222222222222222222222222222222222222222222222222222222";

/// XC-45
#[tokio::test]
async fn after_a_rotation_the_old_key_is_removed_and_orders_still_open() {
    let mut world = World::new().await;
    let request = world.burst_pipe();
    let order = world.create(request.clone()).await;
    let first = world.keyring();
    let both = first.replace("current=1", &format!("{SECOND}\ncurrent=2"));
    world.restart_with_keyring(&both).await;
    let db = world.db.clone();
    eventually("nothing to be under the old key", || async {
        let sql = "SELECT count(*) FROM (SELECT unnest(ARRAY[description, location, texts]) AS sealed FROM work_order.work_orders
                                         UNION ALL SELECT response FROM work_order.idempotency_claims WHERE method LIKE '%WorkOrder') AS sealed
                    WHERE substring(sealed FROM 1 FOR 5) = '\\x0100000001'";
        let left: i64 = sqlx::query_scalar(sql).fetch_one(&db).await.unwrap();
        (left == 0).then_some(())
    })
    .await;
    let without_the_first: String = both.lines().filter(|line| !line.starts_with("1=")).map(|line| format!("{line}\n")).collect();
    assert_ne!(without_the_first, both);
    world.restart_with_keyring(&without_the_first).await;
    let now = world.get(&order.id).await;
    assert_eq!((now.description, now.location, now.etag), (order.description.clone(), order.location.clone(), order.etag.clone()));
    assert_eq!(world.create(request).await, order, "the answer of before the rotation");
}
