//! Inboxes: pages, reading, and a stream that loses nothing.

use std::time::Duration;

use steward_kit::ids::WorkOrderId;
use steward_proto::notification::v1 as pb;
use tonic::Code;

use crate::world::{World, bad_fields, refused, request_id};

async fn next(stream: &mut tonic::Streaming<pb::WatchInboxResponse>) -> pb::WatchInboxResponse {
    tokio::time::timeout(Duration::from_secs(10), stream.message()).await.expect("an item in time").unwrap().unwrap()
}

/// A watcher that comes back with its last cursor gets what came in meanwhile, each once and in order.
#[tokio::test]
async fn a_watcher_resumes_without_loss() {
    let mut world = World::new().await;
    let resident = world.resident();
    let watch = |cursor: &str| pb::WatchInboxRequest { cursor: cursor.to_owned() };
    let mut stream = world.inbox().watch_inbox(resident.asks(watch(""))).await.unwrap().into_inner();
    world.publish("work_order", vec![world.created(WorkOrderId::new())]).await;
    let first = next(&mut stream).await;
    assert_eq!(first.item.unwrap().title, "已受理：WO-2026-000123");
    drop(stream);

    let orders: Vec<WorkOrderId> = (0..30).map(|_| WorkOrderId::new()).collect();
    let (before, after) = orders.split_at(15);
    world.publish("work_order", before.iter().map(|id| world.created(*id)).collect()).await;
    world.items(&resident, 16).await;
    world.restart().await;
    let mut stream = world.inbox().watch_inbox(resident.asks(watch(&first.cursor))).await.unwrap().into_inner();
    world.publish("work_order", after.iter().map(|id| world.created(*id)).collect()).await;
    let mut seen = Vec::new();
    while seen.len() < 30 {
        if let Some(item) = next(&mut stream).await.item {
            seen.push(item.subject_id);
        }
    }
    let (mut expected, mut got): (Vec<String>, Vec<String>) = (orders.iter().map(ToString::to_string).collect(), seen.clone());
    expected.sort();
    got.sort();
    assert_eq!(got, expected);
    assert_eq!(
        bad_fields(world.inbox().watch_inbox(world.manager().asks(watch(&first.cursor))).await.map(|_| ())),
        [("cursor".into(), "CURSOR_INVALID".into())]
    );
}

/// NT-36: reading is remembered per reader, told in the message, and counted.
#[tokio::test]
async fn reading_is_remembered() {
    let world = World::new().await;
    world.publish("work_order", (0..3).map(|_| world.created(WorkOrderId::new())).collect()).await;
    let resident = world.resident();
    let items = world.items(&resident, 3).await;
    let request = pb::MarkInboxItemsReadRequest { request_id: request_id(), message_ids: vec![items[0].message_id.clone()] };
    let left = world.inbox().mark_inbox_items_read(resident.asks(request.clone())).await.unwrap().into_inner();
    assert_eq!(left.unread_count, 2);
    assert_eq!(world.inbox().mark_inbox_items_read(resident.asks(request)).await.unwrap().into_inner(), left);
    world.until_state(&items[0].message_id, pb::MessageState::Read).await;
    let unread = pb::ListInboxItemsRequest { unread_only: true, page_size: 1, ..Default::default() };
    let first = world.inbox().list_inbox_items(resident.asks(unread.clone())).await.unwrap().into_inner();
    let second = pb::ListInboxItemsRequest { page_token: first.next_page_token, ..unread };
    let second = world.inbox().list_inbox_items(resident.asks(second)).await.unwrap().into_inner();
    assert_eq!([&first.items[0].message_id, &second.items[0].message_id], [&items[1].message_id, &items[2].message_id]);
    assert_eq!((first.unread_count, second.next_page_token.as_str()), (2, ""));

    // Another's item is not there to be read, and nothing is marked with it.
    let both = pb::MarkInboxItemsReadRequest {
        request_id: request_id(),
        message_ids: vec![items[1].message_id.clone(), uuid::Uuid::now_v7().to_string()],
    };
    assert_eq!(refused(world.inbox().mark_inbox_items_read(resident.asks(both)).await).0, Code::NotFound);
    let foreign = pb::MarkInboxItemsReadRequest { request_id: request_id(), message_ids: vec![items[1].message_id.clone()] };
    assert_eq!(refused(world.inbox().mark_inbox_items_read(world.manager().asks(foreign)).await).0, Code::NotFound);
    assert_eq!(
        world.inbox().list_inbox_items(resident.asks(pb::ListInboxItemsRequest::default())).await.unwrap().into_inner().unread_count,
        2
    );
}
