//! What a resident sees, and what a dump of the database shows.

use steward_harness::Claims;
use steward_proto::work_order::v1 as pb;
use tonic::Code;
use uuid::Uuid;

use crate::lifecycle::completed;
use crate::world::{Caller, World, refused};

/// WO-76: a resident sees their own orders, and of the staff no more than who is accountable.
#[tokio::test]
async fn a_resident_sees_their_own_orders_and_no_internal_fields() {
    let world = World::new().await;
    let id = completed(&world).await;
    let get = || pb::GetWorkOrderRequest { work_order_id: id.clone() };
    let order = world.orders().get_work_order(world.resident().asks(get())).await.unwrap().into_inner().work_order.unwrap();
    assert_eq!(order.assignee, "wang");
    assert!(order.first_receiver.is_empty());
    assert!(order.proof.as_ref().is_some_and(|proof| proof.actor.is_none() && !proof.summary.is_empty()));
    let history = pb::ListHistoryRequest { work_order_id: id.clone(), ..Default::default() };
    let entries = world.orders().list_history(world.resident().asks(history)).await.unwrap().into_inner().entries;
    assert!(!entries.is_empty() && entries.iter().all(|entry| entry.actor.is_none() && entry.detail.is_empty()));

    let neighbour = Caller::new(&Claims::customer("resident-2", Uuid::now_v7()).role("resident").estate(world.estate));
    refused(world.orders().get_work_order(neighbour.asks(get())).await, Code::NotFound, "WORK_ORDER_NOT_FOUND");
    let list = pb::ListWorkOrdersRequest { estate_id: world.estate.to_string(), ..Default::default() };
    let seen = |caller: Caller| {
        let (mut orders, list) = (world.orders(), list.clone());
        async move { orders.list_work_orders(caller.asks(list)).await.unwrap().into_inner().work_orders.len() }
    };
    assert_eq!((seen(world.resident()).await, seen(neighbour).await), (1, 0));
}

/// A resident's report is their own, whatever it says, and never anybody else's.
#[tokio::test]
async fn a_resident_reports_for_themselves() {
    let world = World::new().await;
    let mut report = world.burst_pipe();
    report.customer_id = String::new();
    let order = world.orders().create_work_order(world.resident().asks(report)).await.unwrap().into_inner().work_order.unwrap();
    assert_eq!(order.customer_id, world.customer.to_string());
    let mut report = world.burst_pipe();
    report.customer_id = Uuid::now_v7().to_string();
    refused(world.orders().create_work_order(world.resident().asks(report)).await, Code::NotFound, "CUSTOMER_NOT_FOUND");
}

/// XC-45: a dump of the database shows no word of what anybody wrote.
#[tokio::test]
async fn what_people_wrote_is_nowhere_in_clear() {
    let world = World::new().await;
    completed(&world).await;
    let tables = ["work_orders", "clocks", "history", "outbox", "idempotency_claims", "timers"];
    for table in tables {
        let sql = format!("SELECT coalesce(string_agg(t::text, ' '), '') FROM work_order.{table} t");
        let dump: String = sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_one(&world.db).await.unwrap();
        for word in ["水漫到客厅", "厨房水槽", "replaced the pipe"] {
            let encoded = hex::encode(word);
            assert!(!dump.contains(word) && !dump.contains(&encoded), "{word} is in {table}");
        }
    }
}
