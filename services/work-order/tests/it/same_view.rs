//! Every way of reading shows the same orders to the same person.

use std::collections::BTreeSet;

use steward_harness::Claims;
use steward_proto::work_order::v1 as pb;
use uuid::Uuid;

use crate::world::{Caller, World, request_id};

/// Lesson 9: get, list, search, history, clock and stream agree, for whoever reaches one estate, every estate, another one, or their
/// own orders only.
#[tokio::test]
async fn every_way_of_reading_shows_the_same_orders_to_the_same_person() {
    let world = World::new().await;
    let elsewhere = Uuid::now_v7();
    world.register_estate(elsewhere).await;
    let neighbour = Uuid::now_v7();
    let mut orders = Vec::new();
    for (estate, customer) in
        [(world.estate, Some(world.customer)), (world.estate, Some(neighbour)), (world.estate, None), (elsewhere, Some(world.customer))]
    {
        let report = pb::CreateWorkOrderRequest {
            request_id: request_id(),
            estate_id: estate.to_string(),
            unit_id: String::new(),
            customer_id: customer.map(|customer| customer.to_string()).unwrap_or_default(),
            ..world.burst_pipe()
        };
        let answer = world.orders().create_work_order(world.operations().asks(report)).await.unwrap();
        orders.push(answer.into_inner().work_order.unwrap());
    }
    let staff_elsewhere = Caller::new(&Claims::staff("desk-2").role("customer_service").estate(elsewhere));
    let resident_of =
        |customer| Caller::new(&Claims::customer("resident", customer).role("resident").estate(world.estate).estate(elsewhere));
    let callers: [(&str, Caller, &[usize]); 6] = [
        ("the desk of the estate", world.desk(), &[0, 1, 2]),
        ("a technician of the estate", world.wang(), &[0, 1, 2]),
        ("the desk of another estate", staff_elsewhere, &[3]),
        ("the group", world.operations(), &[0, 1, 2, 3]),
        ("who lives in both estates", resident_of(world.customer), &[0, 3]),
        ("a neighbour", resident_of(neighbour), &[1]),
    ];
    for (who, caller, expected) in callers {
        let expected: BTreeSet<String> = expected.iter().map(|place| orders[*place].id.clone()).collect();
        for (way, seen) in ways(&world, &caller, &orders, &[world.estate, elsewhere]).await {
            assert_eq!(seen, expected, "{who}, by {way}");
        }
    }
}

/// What somebody sees, by each way there is.
async fn ways(world: &World, caller: &Caller, orders: &[pb::WorkOrder], estates: &[Uuid]) -> Vec<(&'static str, BTreeSet<String>)> {
    let mut client = world.orders();
    let [mut got, mut listed, mut searched, mut told, mut explained, mut watched] = [const { BTreeSet::<String>::new() }; 6];
    for order in orders {
        let work_order_id = order.id.clone();
        let seen = client.get_work_order(caller.asks(pb::GetWorkOrderRequest { work_order_id: work_order_id.clone() })).await;
        got.extend(seen.ok().map(|_| order.id.clone()));
        let history = pb::ListHistoryRequest { work_order_id: work_order_id.clone(), ..Default::default() };
        told.extend(client.list_history(caller.asks(history)).await.ok().map(|_| order.id.clone()));
        let clock = pb::ExplainClockRequest { work_order_id: work_order_id.clone(), clock: order.clocks[0].name.clone(), cycle: 0 };
        explained.extend(client.explain_clock(caller.asks(clock)).await.ok().map(|_| order.id.clone()));
        let watch = pb::WatchWorkOrderRequest { work_order_id, after_etag: String::new() };
        if let Ok(stream) = client.watch_work_order(caller.asks(watch)).await {
            watched.extend(stream.into_inner().message().await.unwrap().and_then(|answer| answer.work_order).map(|order| order.id));
        }
    }
    for estate in estates {
        let list = pb::ListWorkOrdersRequest { estate_id: estate.to_string(), ..Default::default() };
        if let Ok(page) = client.list_work_orders(caller.asks(list)).await {
            listed.extend(page.into_inner().work_orders.into_iter().map(|order| order.id));
        }
        let search = pb::SearchWorkOrdersRequest { estate_id: estate.to_string(), query: "plumbing".to_owned(), ..Default::default() };
        if let Ok(page) = client.search_work_orders(caller.asks(search)).await {
            searched.extend(page.into_inner().work_orders.into_iter().map(|order| order.id));
        }
    }
    vec![
        ("getting it", got),
        ("the list", listed),
        ("the search", searched),
        ("its history", told),
        ("its clock", explained),
        ("watching it", watched),
    ]
}
