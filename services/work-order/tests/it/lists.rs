//! Lists, search and history, page by page.

use steward_proto::work_order::v1 as pb;
use steward_proto::work_order::v1::State;
use tonic::Code;

use crate::world::{World, refused};

#[tokio::test]
async fn a_list_is_paged_newest_first_and_filtered() {
    let world = World::new().await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        world.advance(1);
        ids.push(world.create(world.burst_pipe()).await.id);
    }
    ids.reverse();
    world.assign(&ids[0], "wang").await.unwrap();
    let list = |states: Vec<State>, assignee: &str, token: String| {
        let request = pb::ListWorkOrdersRequest {
            estate_id: world.estate.to_string(),
            states: states.into_iter().map(Into::into).collect(),
            assignee: assignee.to_owned(),
            page_size: 2,
            page_token: token,
            ..Default::default()
        };
        let (mut orders, desk) = (world.orders(), world.desk());
        async move { orders.list_work_orders(desk.asks(request)).await }
    };
    let (mut seen, mut token) = (Vec::new(), String::new());
    loop {
        let page = list(vec![], "", token).await.unwrap().into_inner();
        assert!(page.work_orders.len() <= 2);
        seen.extend(page.work_orders.into_iter().map(|order| order.id));
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(seen, ids);
    let page = list(vec![State::Assigned], "", String::new()).await.unwrap().into_inner();
    assert_eq!(page.work_orders.iter().map(|order| &order.id).collect::<Vec<_>>(), [&ids[0]]);
    let page = list(vec![], "wang", String::new()).await.unwrap().into_inner();
    assert_eq!(page.work_orders.iter().map(|order| &order.id).collect::<Vec<_>>(), [&ids[0]]);
    let page = list(vec![State::Classified], "", String::new()).await.unwrap().into_inner();
    refused(list(vec![State::Closed], "", page.next_page_token).await, Code::InvalidArgument, "page_token");

    let by_customer = pb::ListWorkOrdersRequest { customer_id: world.customer.to_string(), ..Default::default() };
    let page = world.orders().list_work_orders(world.operations().asks(by_customer)).await.unwrap().into_inner();
    assert_eq!(page.work_orders.len(), 5);
    let nothing = pb::ListWorkOrdersRequest::default();
    refused(world.orders().list_work_orders(world.desk().asks(nothing)).await, Code::InvalidArgument, "required");
}

#[tokio::test]
async fn an_order_is_found_by_the_end_of_its_number_and_by_its_category() {
    let world = World::new().await;
    let order = world.create(world.burst_pipe()).await;
    let search = |query: &str| {
        let request = pb::SearchWorkOrdersRequest { estate_id: world.estate.to_string(), query: query.to_owned(), ..Default::default() };
        let (mut orders, desk) = (world.orders(), world.desk());
        async move { orders.search_work_orders(desk.asks(request)).await.unwrap().into_inner().work_orders.len() }
    };
    for found in [order.number.as_str(), "000001", "wo-2026-000001", "plumbing", "plumbing.burst"] {
        assert_eq!(search(found).await, 1, "{found}");
    }
    for absent in ["000002", "electrical", "%%", "水管"] {
        assert_eq!(search(absent).await, 0, "{absent}");
    }
}

#[tokio::test]
async fn history_is_paged_oldest_first() {
    let world = World::new().await;
    let id = world.create(world.burst_pipe()).await.id;
    world.assign(&id, "wang").await.unwrap();
    world.assign(&id, "zhao").await.unwrap();
    let list = |page_token: String| {
        let request = pb::ListHistoryRequest { work_order_id: id.clone(), page_size: 2, page_token };
        let (mut orders, desk) = (world.orders(), world.desk());
        async move { orders.list_history(desk.asks(request)).await.unwrap().into_inner() }
    };
    let first = list(String::new()).await;
    let second = list(first.next_page_token.clone()).await;
    let positions: Vec<u32> = first.entries.iter().chain(&second.entries).map(|entry| entry.position).collect();
    assert_eq!(positions, [1, 2, 3]);
    assert_eq!(second.entries[0].detail["assignee_before"], "wang");
}
