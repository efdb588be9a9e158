//! Major complaints, from the report to the end of their window.

use prost::Message as _;
use steward_proto::common::v1 as common;
use steward_proto::work_order::v1 as pb;
use steward_proto::work_order::v1::MajorComplaintFlagged;
use uuid::Uuid;

use crate::lifecycle::complete;
use crate::world::{World, eventually, request_id};

fn complaint(world: &World, unit: Uuid, text: &str) -> pb::CreateWorkOrderRequest {
    pb::CreateWorkOrderRequest {
        kind: common::WorkOrderKind::Complaint.into(),
        unit_id: unit.to_string(),
        description: text.to_owned(),
        ..world.burst_pipe()
    }
}

async fn major(world: &World, id: &str) -> Option<pb::MajorComplaint> {
    world.get(id).await.major_complaint
}

/// WO-38: told at once to the roles of the plan, seen by staff only, and cleared twelve months after closure, once.
#[tokio::test]
async fn a_major_complaint_is_told_at_once_and_counts_until_a_year_after_closure() {
    let world = World::new().await;
    let id = world.create(complaint(&world, world.unit, "保洁不到位，我要找媒体曝光")).await.id;
    let flag = eventually("the judgement", || major(&world, &id)).await;
    assert_eq!(flag.reason_codes, ["media"]);
    let payload: Vec<u8> = sqlx::query_scalar("SELECT payload FROM work_order.outbox WHERE type LIKE '%MajorComplaintFlagged'")
        .fetch_one(&world.db)
        .await
        .unwrap();
    let told = MajorComplaintFlagged::decode(payload.as_slice()).unwrap();
    assert_eq!(told.notify_roles, ["city_manager", "group_operations"]);
    assert_eq!(told.order.unwrap().unit_id, world.unit.to_string());
    let get = pb::GetWorkOrderRequest { work_order_id: id.clone() };
    let seen = world.orders().get_work_order(world.resident().asks(get)).await.unwrap().into_inner().work_order.unwrap();
    assert_eq!(seen.major_complaint, None);

    world.assign(&id, "wang").await.unwrap();
    let accept = pb::AcceptWorkOrderRequest { work_order_id: id.clone(), request_id: request_id(), etag: String::new() };
    world.orders().accept_work_order(world.wang().asks(accept)).await.unwrap();
    complete(&world, &id).await;
    let close = pb::CloseWorkOrderRequest {
        work_order_id: id.clone(),
        request_id: request_id(),
        close_code: pb::CloseCode::Resolved.into(),
        ..Default::default()
    };
    world.orders().close_work_order(world.desk().asks(close)).await.unwrap();
    assert!(major(&world, &id).await.is_some_and(|flag| flag.clear_time.is_some()));
    world.advance(360 * 24 * 60);
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert_eq!(world.count_facts(&id, "MajorComplaintCleared").await, 0);
    world.advance(10 * 24 * 60);
    eventually("the end of the window", || async { (world.count_facts(&id, "MajorComplaintCleared").await == 1).then_some(()) }).await;
}

/// WO-38: the fifth household within a week makes the matter a major one.
#[tokio::test]
async fn the_fifth_household_makes_a_matter_major() {
    let world = World::new().await;
    let mut orders = Vec::new();
    for number in 0..5 {
        let unit = Uuid::now_v7();
        sqlx::query("INSERT INTO work_order.units (estate_id, id, create_time) VALUES ($1, $2, '2026-01-01Z')")
            .bind(world.estate)
            .bind(unit)
            .execute(&world.db)
            .await
            .unwrap();
        let mut request = complaint(&world, unit, "保洁不到位");
        request.customer_id = Uuid::now_v7().to_string();
        orders.push(world.create(request).await.id);
        world.advance(60);
        if number < 4 {
            eventually("the judgement", || async {
                let pending: i64 = sqlx::query_scalar("SELECT count(*) FROM work_order.timers WHERE kind = 'judge_major'")
                    .fetch_one(&world.db)
                    .await
                    .unwrap();
                (pending == 0).then_some(())
            })
            .await;
        }
    }
    let flag = eventually("the judgement", || major(&world, &orders[4])).await;
    assert_eq!(flag.reason_codes, ["many_households"]);
    assert_eq!(major(&world, &orders[3]).await, None);
}

/// CA-86: a post outside is recorded with its link; what it says makes it a major matter at once, told to city and group; it has an owner,
/// and a response that is kept. It is no complaint of a household that anybody knows.
#[tokio::test]
async fn a_post_outside_is_a_major_matter_with_an_owner_and_a_response() {
    let world = World::new().await;
    let post = pb::CreateWorkOrderRequest {
        unit_id: String::new(),
        customer_id: String::new(),
        channel: common::Channel::Web.into(),
        category: "cleaning.poor_cleaning".to_owned(),
        media: vec![pb::MediaRef { key: "posts/2026-03-01.png".to_owned(), sha256: "0f".repeat(32), kind: pb::MediaKind::Report.into() }],
        ..complaint(&world, world.unit, "有人在微博发帖，称本小区楼道多日无人清扫")
    };
    let id = world.create(post).await.id;
    let flag = eventually("the judgement", || major(&world, &id)).await;
    assert_eq!(flag.reason_codes, ["media"]);
    assert_eq!(world.count_facts(&id, "MajorComplaintFlagged").await, 1);
    world.assign(&id, "wang").await.unwrap();
    world.answer(&id).await;
    let order = world.get(&id).await;
    assert_eq!((order.assignee.as_str(), order.media.len(), order.customer_id.as_str()), ("wang", 1, ""));
    assert_eq!(crate::world::clock(&order, "first_response", 1).verdict(), pb::Verdict::Kept);
}
