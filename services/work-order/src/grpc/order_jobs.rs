//! The RPCs of `OrderJobService`.

use std::collections::HashSet;
use std::sync::Arc;

use steward_kit::error::Violations;
use steward_kit::idempotency::RequestKey;
use steward_kit::ids::{EstateId, WorkOrderId};
use steward_kit::paging::{PageTokens, Query};
use steward_kit::proto::to_timestamp;
use steward_proto::work_order::v1 as pb;
use steward_proto::work_order::v1::order_job_service_server::OrderJobService;
use steward_proto::work_order::v1::start_order_job_request::Task as Asked;
use tonic::{Request, Response, Status};

use super::decode::id;
use super::received;
use crate::app::App;
use crate::contract::required;
use crate::domain::{ItemVerdict, JobItem, OrderJob, OrderJobId, Task};

/// The service.
pub(crate) struct OrderJobs {
    app: Arc<App>,
    pages: PageTokens,
}

impl OrderJobs {
    pub(crate) fn new(app: Arc<App>, pages: PageTokens) -> Self {
        Self { app, pages }
    }
}

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl OrderJobService for OrderJobs {
    async fn start_order_job(&self, request: Request<pb::StartOrderJobRequest>) -> Answer<pb::StartOrderJobResponse> {
        let (access, request) = received(request)?;
        let mut bad = Violations::of(&request);
        let estate: Option<EstateId> = id(&mut bad, "estate_id", &request.estate_id);
        let task = request.task.as_ref().and_then(|asked| task(&mut bad, asked));
        let (estate, task) = bad.build(|| Some((estate?, task?)))?;
        let key = RequestKey::of(&access, "StartOrderJob", &request, &request.request_id)?;
        let answer = |job: &OrderJob| pb::StartOrderJobResponse { order_job: Some(encode(job)) };
        Ok(Response::new(self.app.start_order_job(&access, &key, estate, task, answer).await?))
    }

    async fn get_order_job(&self, request: Request<pb::GetOrderJobRequest>) -> Answer<pb::GetOrderJobResponse> {
        let (access, request) = received(request)?;
        let mut bad = Violations::of(&request);
        let job: Option<OrderJobId> = id(&mut bad, "order_job_id", &request.order_job_id);
        let job = bad.build(|| job)?;
        let job = self.app.get_order_job(&access, job).await?;
        Ok(Response::new(pb::GetOrderJobResponse { order_job: Some(encode(&job)) }))
    }

    async fn list_order_job_items(&self, request: Request<pb::ListOrderJobItemsRequest>) -> Answer<pb::ListOrderJobItemsResponse> {
        let (access, mut request) = received(request)?;
        let mut bad = Violations::of(&request);
        let job: Option<OrderJobId> = id(&mut bad, "order_job_id", &request.order_job_id);
        let job = bad.build(|| job)?;
        let (size, token) = (std::mem::take(&mut request.page_size), std::mem::take(&mut request.page_token));
        let query = Query::of("ListOrderJobItems", &request);
        let page = self.pages.request(&query, size, &token)?;
        let items = self.app.list_order_job_items(&access, job, &page).await?;
        let page = self.pages.page(&query, page.size, items, |item| item.place)?;
        let items = page.rows.iter().map(item).collect();
        Ok(Response::new(pb::ListOrderJobItemsResponse { items, next_page_token: page.next_page_token }))
    }
}

/// What is done, and to which orders where the task does not say so itself: each once, in the order given.
fn task(bad: &mut Violations, asked: &Asked) -> Option<(Task, Vec<WorkOrderId>)> {
    match asked {
        Asked::Reassign(asked) => Some((Task::Reassign { from: asked.from_assignee.clone(), to: asked.to_assignee.clone() }, Vec::new())),
        Asked::Close(asked) => {
            let mut orders = bad.ids::<WorkOrderId>("close.work_order_ids", &asked.work_order_ids);
            let mut seen = HashSet::new();
            orders.retain(|order| seen.insert(*order));
            Some((Task::Close { close_code: required(bad, "close.close_code", asked.close_code)? }, orders))
        }
    }
}

fn encode(job: &OrderJob) -> pb::OrderJob {
    let kind = match job.task {
        Task::Reassign { .. } => pb::OrderJobKind::Reassign,
        Task::Close { .. } => pb::OrderJobKind::Close,
    };
    let state = if job.end_time.is_some() { pb::OrderJobState::Ended } else { pb::OrderJobState::Running };
    pb::OrderJob {
        id: job.id.to_string(),
        estate_id: job.estate_id.to_string(),
        kind: kind.into(),
        state: state.into(),
        item_count: job.item_count,
        done_count: job.done_count,
        refused_count: job.refused_count,
        actor: Some(job.actor.wire()),
        create_time: Some(to_timestamp(job.create_time)),
        end_time: job.end_time.map(to_timestamp),
    }
}

fn item(item: &JobItem) -> pb::OrderJobItem {
    let verdict = match item.verdict {
        None => pb::OrderJobVerdict::Waiting,
        Some(ItemVerdict::Done) => pb::OrderJobVerdict::Done,
        Some(ItemVerdict::Refused) => pb::OrderJobVerdict::Refused,
    };
    pb::OrderJobItem {
        index: item.place,
        work_order_id: item.order.to_string(),
        verdict: verdict.into(),
        reason: item.reason.clone(),
        settle_time: item.settle_time.map(to_timestamp),
    }
}
