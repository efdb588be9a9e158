//! One verb done to many orders.

use std::collections::BTreeMap;
use std::sync::Arc;

use steward_proto::work_order::v1 as pb;
use steward_proto::work_order::v1::order_job_service_client::OrderJobServiceClient;
use steward_proto::work_order::v1::start_order_job_request::Task;
use steward_proto::work_order::v1::{CloseCode, OrderJobState, State};
use tokio::task::JoinSet;
use tonic::Code;
use tonic::transport::Channel;
use uuid::Uuid;

use crate::world::{Answer, World, eventually, refused, request_id};

impl World {
    fn jobs(&self) -> OrderJobServiceClient<Channel> {
        OrderJobServiceClient::new(self.channel())
    }

    fn job_request(&self, task: Task) -> pb::StartOrderJobRequest {
        pb::StartOrderJobRequest { request_id: request_id(), estate_id: self.estate.to_string(), task: Some(task) }
    }

    async fn start_job(&self, task: Task) -> Answer<pb::OrderJob> {
        let answer = self.jobs().start_order_job(self.desk().asks(self.job_request(task))).await?;
        Ok(answer.into_inner().order_job.unwrap())
    }

    async fn job(&self, id: &str) -> pb::OrderJob {
        let request = pb::GetOrderJobRequest { order_job_id: id.to_owned() };
        self.jobs().get_order_job(self.desk().asks(request)).await.unwrap().into_inner().order_job.unwrap()
    }

    async fn job_end(&self, id: &str) -> pb::OrderJob {
        eventually("the job ends", || async { Some(self.job(id).await).filter(|job| job.state() == OrderJobState::Ended) }).await
    }

    /// Verdicts and reasons with how often each, read page by page.
    async fn verdicts(&self, id: &str) -> BTreeMap<(String, String), usize> {
        let (mut verdicts, mut page_token) = (BTreeMap::new(), String::new());
        loop {
            let request = pb::ListOrderJobItemsRequest { order_job_id: id.to_owned(), page_size: 200, page_token };
            let page = self.jobs().list_order_job_items(self.desk().asks(request)).await.unwrap().into_inner();
            for item in page.items {
                let verdict = item.verdict().as_str_name().trim_start_matches("ORDER_JOB_VERDICT_").to_owned();
                *verdicts.entry((verdict, item.reason)).or_default() += 1;
            }
            page_token = page.next_page_token;
            if page_token.is_empty() {
                return verdicts;
            }
        }
    }
}

fn reassign(from: &str, to: &str) -> Task {
    Task::Reassign(pb::ReassignOrders { from_assignee: from.to_owned(), to_assignee: to.to_owned() })
}

/// What is made of each of so many orders before the job.
#[derive(Clone, Copy)]
enum Until {
    Accepted,
    Completed,
}

/// So many orders of Wang, taken in and worked by several people at once.
async fn orders_of_wang(world: &Arc<World>, count: usize, until: Until) -> Vec<String> {
    let mut ids = Vec::with_capacity(count);
    while ids.len() < count {
        let mut hands = JoinSet::new();
        for _ in 0..8.min(count - ids.len()) {
            let world = world.clone();
            hands.spawn(async move {
                let id = world.create(world.burst_pipe()).await.id;
                world.assign(&id, "wang").await.unwrap();
                let accept = pb::AcceptWorkOrderRequest { work_order_id: id.clone(), request_id: request_id(), etag: String::new() };
                world.orders().accept_work_order(world.wang().asks(accept)).await.unwrap();
                if matches!(until, Until::Completed) {
                    crate::lifecycle::complete(&world, &id).await;
                }
                id
            });
        }
        while let Some(id) = hands.join_next().await {
            ids.push(id.unwrap());
        }
    }
    ids
}

async fn facts(world: &World, kind: &str) -> i64 {
    let sql = "SELECT count(*) FROM work_order.outbox WHERE type LIKE '%.' || $1";
    sqlx::query_scalar(sql).bind(kind).fetch_one(&world.db).await.unwrap()
}

/// Kills the service as soon as some of the job is done, and starts it again.
async fn kill_in_the_middle(world: &mut World, id: &str) {
    let some = eventually("some of the job is done", || async { Some(world.job(id).await).filter(|job| job.done_count > 0) }).await;
    world.stop().await;
    world.start().await;
    assert!(some.done_count + some.refused_count <= some.item_count);
}

/// Lesson 8: a leaver's 300 orders become another's, through a kill in the middle: a verdict for each, the three that complain about the other
/// refused and left where they were, each handed over once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leavers_300_orders_are_handed_over_with_a_verdict_each() {
    let world = Arc::new(World::new().await);
    orders_of_wang(&world, 297, Until::Accepted).await;
    for _ in 0..3 {
        let accused = Some(pb::Accused { principals: vec!["zhou".to_owned()] });
        let id = world.create(pb::CreateWorkOrderRequest { accused, ..world.complaint() }).await.id;
        world.assign(&id, "wang").await.unwrap();
    }
    let mut world = Arc::into_inner(world).unwrap();
    let before = facts(&world, "WorkOrderAssigned").await;
    let request = world.job_request(reassign("wang", "zhou"));
    let started = world.jobs().start_order_job(world.desk().asks(request.clone())).await.unwrap().into_inner();
    let again = world.jobs().start_order_job(world.desk().asks(request)).await.unwrap().into_inner();
    assert_eq!(started, again, "a repetition starts no second job");
    let id = started.order_job.unwrap().id;
    kill_in_the_middle(&mut world, &id).await;
    let ended = world.job_end(&id).await;
    assert_eq!((ended.item_count, ended.done_count, ended.refused_count), (300, 297, 3));
    let verdict = |verdict: &str, reason: &str| (verdict.to_owned(), reason.to_owned());
    assert_eq!(world.verdicts(&id).await, BTreeMap::from([(verdict("DONE", ""), 297), (verdict("REFUSED", "STAFF_ACCUSED"), 3)]));
    assert_eq!(facts(&world, "WorkOrderAssigned").await - before, 297, "each is told once");
    let sql = "SELECT count(*) FILTER (WHERE assignee = 'zhou'), count(*) FILTER (WHERE assignee = 'wang') FROM work_order.work_orders";
    let held: (i64, i64) = sqlx::query_as(sql).fetch_one(&world.db).await.unwrap();
    assert_eq!(held, (297, 3));
    let sql =
        "SELECT count(*) FROM work_order.history WHERE action = 'assign' AND actor_subject = 'desk-1' AND detail ->> 'assignee' = 'zhou'";
    let lines: i64 = sqlx::query_scalar(sql).fetch_one(&world.db).await.unwrap();
    assert_eq!(lines, 297, "in the name of who started it");

    // Nothing is left to hand over but what was refused; whoever has nothing has an empty job.
    let nothing = world.start_job(reassign("nobody", "zhou")).await.unwrap();
    assert_eq!((nothing.state(), nothing.item_count), (OrderJobState::Ended, 0));
}

/// Lesson 8: a storm's 800 orders are closed, through a kill in the middle: those that are not done keep their state and say so, as does one
/// that is none of the estate's.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storms_800_orders_are_closed_with_a_verdict_each() {
    let world = Arc::new(World::new().await);
    let mut ids = orders_of_wang(&world, 780, Until::Completed).await;
    ids.extend(orders_of_wang(&world, 20, Until::Accepted).await);
    let mut world = Arc::into_inner(world).unwrap();
    ids.push(Uuid::now_v7().to_string());
    ids.push(ids[0].clone());
    let close = |work_order_ids| Task::Close(pb::CloseOrders { work_order_ids, close_code: CloseCode::Resolved.into() });
    let job = world.start_job(close(ids)).await.unwrap();
    assert_eq!((job.item_count, job.refused_count), (801, 1));
    kill_in_the_middle(&mut world, &job.id).await;
    let ended = world.job_end(&job.id).await;
    assert_eq!((ended.item_count, ended.done_count, ended.refused_count), (801, 780, 21));
    let verdict = |verdict: &str, reason: &str| (verdict.to_owned(), reason.to_owned());
    let expected = [(verdict("DONE", ""), 780), (verdict("REFUSED", "STATE_FORBIDS"), 20), (verdict("REFUSED", "WORK_ORDER_NOT_FOUND"), 1)];
    assert_eq!(world.verdicts(&job.id).await, BTreeMap::from(expected));
    assert_eq!(facts(&world, "WorkOrderClosed").await, 780, "each is told once");
    let sql = "SELECT state, count(*) FROM work_order.work_orders GROUP BY state ORDER BY state";
    let states: Vec<(String, i64)> = sqlx::query_as(sql).fetch_all(&world.db).await.unwrap();
    assert_eq!(states, [(State::Accepted, 20), (State::Closed, 780)].map(|(state, count)| (name(state), count)));
}

fn name(state: State) -> String {
    state.as_str_name().trim_start_matches("STATE_").to_lowercase()
}

/// A job of another estate is not found, a resident starts none.
#[tokio::test]
async fn jobs_keep_to_their_estate_and_to_who_may() {
    let world = World::new().await;
    let id = world.create(world.burst_pipe()).await.id;
    world.assign(&id, "wang").await.unwrap();
    let request = world.job_request(reassign("wang", "zhou"));
    refused(world.jobs().start_order_job(world.resident().asks(request)).await, Code::PermissionDenied, "PERMISSION_DENIED");
    let elsewhere = pb::StartOrderJobRequest { estate_id: Uuid::now_v7().to_string(), ..world.job_request(reassign("wang", "zhou")) };
    refused(world.jobs().start_order_job(world.desk().asks(elsewhere)).await, Code::NotFound, "ESTATE_NOT_FOUND");
    let unknown = pb::GetOrderJobRequest { order_job_id: Uuid::now_v7().to_string() };
    refused(world.jobs().get_order_job(world.desk().asks(unknown)).await, Code::NotFound, "ORDER_JOB_NOT_FOUND");

    let job = world.start_job(reassign("wang", "zhou")).await.unwrap();
    assert_eq!(world.job_end(&job.id).await.done_count, 1);
    assert_eq!(world.get(&id).await.assignee, "zhou");
}
