//! The RPCs of `RosterService`.

use std::sync::Arc;

use steward_kit::error::Violations;
use steward_kit::idempotency::RequestKey;
use steward_kit::ids::EstateId;
use steward_kit::paging::{PageTokens, Query};
use steward_kit::proto::to_timestamp;
use steward_proto::work_order::v1 as pb;
use steward_proto::work_order::v1::roster_service_server::RosterService;
use tonic::{Request, Response, Status};

use super::decode::id;
use super::received;
use crate::app::{App, WorkerVerdict};
use crate::domain::{Shift, Worker};
use crate::store::Rostered;

/// The service.
pub(crate) struct Roster {
    app: Arc<App>,
    pages: PageTokens,
}

impl Roster {
    pub(crate) fn new(app: Arc<App>, pages: PageTokens) -> Self {
        Self { app, pages }
    }
}

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl RosterService for Roster {
    async fn put_workers(&self, request: Request<pb::PutWorkersRequest>) -> Answer<pb::PutWorkersResponse> {
        let (access, request) = received(request)?;
        let mut bad = Violations::of(&request);
        let estate: Option<EstateId> = id(&mut bad, "estate_id", &request.estate_id);
        let given = request.workers.iter().enumerate();
        let workers: Option<Vec<Worker>> = given.map(|(index, entry)| worker(&mut bad, index, entry)).collect();
        let (estate, workers) = bad.build(|| Some((estate?, workers?)))?;
        let key = RequestKey::of(&access, "PutWorkers", &request, &request.request_id)?;
        let answer = |verdicts: &[WorkerVerdict]| pb::PutWorkersResponse {
            verdicts: (0..).zip(&workers).zip(verdicts).map(|((index, worker), verdict)| told(index, worker, *verdict)).collect(),
        };
        Ok(Response::new(self.app.put_workers(&access, &key, estate, &workers, answer).await?))
    }

    async fn get_worker(&self, request: Request<pb::GetWorkerRequest>) -> Answer<pb::GetWorkerResponse> {
        let (access, request) = received(request)?;
        let mut bad = Violations::of(&request);
        let estate: Option<EstateId> = id(&mut bad, "estate_id", &request.estate_id);
        let estate = bad.build(|| estate)?;
        let found = self.app.get_worker(&access, estate, &request.principal).await?;
        Ok(Response::new(pb::GetWorkerResponse { worker: Some(encode(estate, &found)) }))
    }

    async fn list_workers(&self, request: Request<pb::ListWorkersRequest>) -> Answer<pb::ListWorkersResponse> {
        let (access, mut request) = received(request)?;
        let mut bad = Violations::of(&request);
        let estate: Option<EstateId> = id(&mut bad, "estate_id", &request.estate_id);
        let estate = bad.build(|| estate)?;
        let (size, token) = (std::mem::take(&mut request.page_size), std::mem::take(&mut request.page_token));
        let query = Query::of("ListWorkers", &request);
        let page = self.pages.request(&query, size, &token)?;
        let workers = self.app.list_workers(&access, estate, &page).await?;
        let page = self.pages.page(&query, page.size, workers, |found| found.worker.principal.clone())?;
        let workers = page.rows.iter().map(|found| encode(estate, found)).collect();
        Ok(Response::new(pb::ListWorkersResponse { workers, next_page_token: page.next_page_token }))
    }
}

fn worker(bad: &mut Violations, index: usize, entry: &pb::WorkerEntry) -> Option<Worker> {
    let shift = |(place, given): (usize, &pb::Shift)| -> Option<Shift> {
        let field = |end: &str| format!("workers[{index}].shifts[{place}].{end}");
        let start = bad.optional_timestamp(&field("start_time"), given.start_time.as_ref());
        let end = bad.optional_timestamp(&field("end_time"), given.end_time.as_ref());
        Some(Shift { start: start?, end: end? })
    };
    // A fault of one is noted; the others are read all the same.
    let shifts: Vec<Option<Shift>> = entry.shifts.iter().enumerate().map(shift).collect();
    Some(Worker {
        principal: entry.principal.clone(),
        skills: entry.skills.clone(),
        line_manager: Some(entry.line_manager.clone()).filter(|manager| !manager.is_empty()),
        shifts: shifts.into_iter().collect::<Option<_>>()?,
        open_limit: entry.open_limit,
        distance_class: entry.distance_class.clone(),
    })
}

fn told(index: u32, worker: &Worker, verdict: WorkerVerdict) -> pb::WorkerVerdict {
    let (outcome, reason) = match verdict {
        WorkerVerdict::Created => (pb::WorkerOutcome::Created, ""),
        WorkerVerdict::Replaced => (pb::WorkerOutcome::Replaced, ""),
        WorkerVerdict::Refused(fault) => (pb::WorkerOutcome::Refused, fault.reason()),
    };
    pb::WorkerVerdict { index, principal: worker.principal.clone(), outcome: outcome.into(), reason: reason.to_owned() }
}

fn encode(estate: EstateId, found: &Rostered) -> pb::Worker {
    let worker = &found.worker;
    let shift = |shift: &Shift| pb::Shift { start_time: Some(to_timestamp(shift.start)), end_time: Some(to_timestamp(shift.end)) };
    pb::Worker {
        estate_id: estate.to_string(),
        principal: worker.principal.clone(),
        skills: worker.skills.clone(),
        line_manager: worker.line_manager.clone().unwrap_or_default(),
        shifts: worker.shifts.iter().map(shift).collect(),
        open_limit: worker.open_limit,
        update_time: Some(to_timestamp(found.update_time)),
        distance_class: worker.distance_class.clone(),
    }
}
