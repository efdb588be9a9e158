//! Gifts and materials (CA-45, CA-83): never fewer than none, and nobody gets the same gift twice.

use prost::Message;
use steward_proto::care::v1 as pb;
use steward_proto::care::v1::stock_service_client::StockServiceClient;
use tokio::task::JoinSet;
use tonic::Code;
use tonic::transport::Channel;

use crate::world::{World, bad_fields, refused, request_id};

fn client(world: &World) -> StockServiceClient<Channel> {
    StockServiceClient::new(world.channel())
}

async fn keep(world: &World, code: &str, kind: pb::StockItemKind) -> pb::StockItem {
    let request = pb::PutStockItemRequest {
        request_id: request_id(),
        estate_id: world.estate.to_string(),
        code: code.to_owned(),
        name_zh: "杯".to_owned(),
        kind: kind.into(),
        unit_code: "piece".to_owned(),
        low_mark: 5,
        ..Default::default()
    };
    client(world).put_stock_item(world.manager().asks(request)).await.unwrap().into_inner().item.unwrap()
}

async fn receive(world: &World, item: &pb::StockItem, quantity: i64) {
    let request = pb::ReceiveStockRequest { request_id: request_id(), item_id: item.id.clone(), quantity, reason: String::new() };
    client(world).receive_stock(world.manager().asks(request)).await.unwrap();
}

fn issue_of(item: &pb::StockItem, household: &str, visit: &str) -> pb::IssueStockRequest {
    pb::IssueStockRequest {
        request_id: request_id(),
        item_id: item.id.clone(),
        quantity: 1,
        household_id: household.to_owned(),
        subject_kind: "visit".to_owned(),
        subject_id: visit.to_owned(),
        recipient_sign_reference: "sign/1".to_owned(),
        ..Default::default()
    }
}

async fn issue(world: &World, request: pb::IssueStockRequest) -> Result<pb::StockMovement, tonic::Status> {
    Ok(client(world).issue_stock(world.steward().asks(request)).await?.into_inner().movement.unwrap())
}

async fn on_hand(world: &World, item: &pb::StockItem) -> i64 {
    let request = pb::GetStockItemRequest { item_id: item.id.clone() };
    client(world).get_stock_item(world.steward().asks(request)).await.unwrap().into_inner().item.unwrap().on_hand
}

/// CA-45, CA-83: a gift that is given in a visit is one fewer in stock, with who got it, for what, and the signature; the same household
/// does not get it for the same visit again, but for another it does.
#[tokio::test]
async fn a_gift_is_issued_once_for_an_occasion() {
    let world = World::new().await;
    let cup = keep(&world, "cup", pb::StockItemKind::Gift).await;
    receive(&world, &cup, 10).await;
    let (household, visit) = (request_id(), request_id());
    let movement = issue(&world, issue_of(&cup, &household, &visit)).await.unwrap();
    assert_eq!((movement.change, movement.on_hand, movement.number), (-1, 9, 2));
    assert_eq!((movement.household_id.as_str(), movement.recipient_sign_reference.as_str()), (household.as_str(), "sign/1"));
    let again = issue(&world, issue_of(&cup, &household, &visit)).await.map(tonic::Response::new);
    refused(again, Code::AlreadyExists, "ALREADY_ISSUED");
    issue(&world, issue_of(&cup, &household, &request_id())).await.unwrap();
    issue(&world, issue_of(&cup, &request_id(), &visit)).await.unwrap();
    assert_eq!(on_hand(&world, &cup).await, 7);
}

/// CA-83: without household, occasion or proof a gift is not issued; each is named. Material needs none of them.
#[tokio::test]
async fn a_gift_is_signed_for() {
    let world = World::new().await;
    let cup = keep(&world, "cup", pb::StockItemKind::Gift).await;
    receive(&world, &cup, 10).await;
    let bare = |item: &pb::StockItem| pb::IssueStockRequest {
        request_id: request_id(),
        item_id: item.id.clone(),
        quantity: 2,
        ..Default::default()
    };
    let status = issue(&world, bare(&cup)).await.expect_err("is refused");
    let fields: Vec<String> = bad_fields(&status).into_iter().map(|(field, _)| field).collect();
    assert_eq!(fields, ["household_id", "subject_kind", "subject_id", "recipient_sign_reference"]);
    let covers = keep(&world, "shoe_covers", pb::StockItemKind::Material).await;
    receive(&world, &covers, 10).await;
    assert_eq!(issue(&world, bare(&covers)).await.unwrap().on_hand, 8);
    // A picture is as good as a signature.
    let pictured = pb::IssueStockRequest {
        recipient_sign_reference: String::new(),
        attachment_references: vec!["photo/1".to_owned()],
        ..issue_of(&cup, &request_id(), &request_id())
    };
    issue(&world, pictured).await.unwrap();
}

/// CA-83: twenty who take the last five at once: five have them, and there are none left, not fewer. Whoever keeps the stock is told when
/// it runs low, once.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_last_ones_go_to_as_many_as_there_are() {
    let world = World::new().await;
    let cup = keep(&world, "cup", pb::StockItemKind::Gift).await;
    receive(&world, &cup, 5).await;
    let mut calls = JoinSet::new();
    for _ in 0..20 {
        let (mut client, asked) = (client(&world), world.steward().asks(issue_of(&cup, &request_id(), &request_id())));
        calls.spawn(async move { client.issue_stock(asked).await });
    }
    let answers = calls.join_all().await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 5);
    for answer in answers.into_iter().filter(Result::is_err) {
        refused(answer, Code::FailedPrecondition, "STOCK_INSUFFICIENT");
    }
    assert_eq!(on_hand(&world, &cup).await, 0);
    world.until_told("StockRanLow", 1).await;
}

/// CA-83: the same gift asked for at once by many counters for one household and occasion is issued once.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_counters_issue_it_once() {
    let world = World::new().await;
    let cup = keep(&world, "cup", pb::StockItemKind::Gift).await;
    receive(&world, &cup, 50).await;
    let (household, visit) = (request_id(), request_id());
    let mut calls = JoinSet::new();
    for _ in 0..12 {
        let (mut client, asked) = (client(&world), world.steward().asks(issue_of(&cup, &household, &visit)));
        calls.spawn(async move { client.issue_stock(asked).await });
    }
    let answers = calls.join_all().await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    assert_eq!(on_hand(&world, &cup).await, 49);
}

/// CA-83: what was issued comes back once, and may then be issued again; what is lost is written off; a count says what there is. The
/// ledger tells all of it, and its last line is the stock.
#[tokio::test]
async fn the_ledger_tells_what_came_and_went() {
    let world = World::new().await;
    let cup = keep(&world, "cup", pb::StockItemKind::Gift).await;
    receive(&world, &cup, 10).await;
    let (household, visit) = (request_id(), request_id());
    let issued = issue(&world, issue_of(&cup, &household, &visit)).await.unwrap();
    let back = || pb::ReturnStockRequest { request_id: request_id(), movement_id: issued.id.clone(), reason: String::new() };
    client(&world).return_stock(world.steward().asks(back())).await.unwrap();
    refused(client(&world).return_stock(world.steward().asks(back())).await, Code::FailedPrecondition, "ALREADY_RETURNED");
    issue(&world, issue_of(&cup, &household, &visit)).await.unwrap();
    let off =
        |quantity| pb::WriteOffStockRequest { request_id: request_id(), item_id: cup.id.clone(), quantity, reason: "broken".to_owned() };
    client(&world).write_off_stock(world.manager().asks(off(2))).await.unwrap();
    refused(client(&world).write_off_stock(world.manager().asks(off(8))).await, Code::FailedPrecondition, "STOCK_INSUFFICIENT");
    let count = pb::CountStockRequest { request_id: request_id(), item_id: cup.id.clone(), quantity: 6, reason: String::new() };
    client(&world).count_stock(world.manager().asks(count)).await.unwrap();
    let mut changes = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = pb::ListStockMovementsRequest { page_size: 4, page_token, item_id: cup.id.clone() };
        let page = client(&world).list_stock_movements(world.steward().asks(request)).await.unwrap().into_inner();
        changes.extend(page.movements.iter().map(|one| (one.change, one.on_hand)));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert_eq!(changes, [(-1, 6), (-2, 7), (-1, 9), (1, 10), (-1, 9), (10, 10)]);
    assert_eq!(on_hand(&world, &cup).await, 6);
}

/// A movement that comes again is the same; an item is changed by the version that was seen, and stays what it is.
#[tokio::test]
async fn what_comes_again_is_the_same() {
    let world = World::new().await;
    let cup = keep(&world, "cup", pb::StockItemKind::Gift).await;
    receive(&world, &cup, 10).await;
    let request = issue_of(&cup, &request_id(), &request_id());
    let first = client(&world).issue_stock(world.steward().asks(request.clone())).await.unwrap().into_inner();
    receive(&world, &cup, 3).await;
    let again = client(&world).issue_stock(world.steward().asks(request)).await.unwrap().into_inner();
    assert_eq!(first.encode_to_vec(), again.encode_to_vec());
    assert_eq!(on_hand(&world, &cup).await, 12);
    let changed = keep(&world, "cup", pb::StockItemKind::Material).await;
    assert_eq!((changed.id.as_str(), changed.kind(), changed.on_hand), (cup.id.as_str(), pb::StockItemKind::Gift, 12));
    let stale = pb::PutStockItemRequest {
        request_id: request_id(),
        estate_id: world.estate.to_string(),
        code: "cup".to_owned(),
        name_zh: "杯".to_owned(),
        kind: pb::StockItemKind::Gift.into(),
        unit_code: "piece".to_owned(),
        etag: cup.etag,
        ..Default::default()
    };
    let answer = client(&world).put_stock_item(world.manager().asks(stale)).await;
    assert_eq!(answer.expect_err("is stale").code(), Code::Aborted);
}
