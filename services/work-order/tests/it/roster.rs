//! Who works in an estate: put in batches, read by one and by page.

use steward_harness::Claims;
use steward_proto::work_order::v1 as pb;
use steward_proto::work_order::v1::WorkerOutcome;
use steward_proto::work_order::v1::roster_service_client::RosterServiceClient;
use tonic::Code;
use uuid::Uuid;

use crate::world::{Caller, World, at, refused, request_id};

/// A shift around the clock of the test.
pub(crate) fn shift(start: &str, end: &str) -> pb::Shift {
    let time = |text| Some(steward_kit::proto::to_timestamp(at(text)));
    pb::Shift { start_time: time(start), end_time: time(end) }
}

/// Somebody who mends pipes through the night of the test.
pub(crate) fn plumber(principal: &str, open_limit: u32) -> pb::WorkerEntry {
    pb::WorkerEntry {
        principal: principal.to_owned(),
        skills: vec!["plumbing".to_owned()],
        line_manager: String::new(),
        shifts: vec![shift("2026-03-01T16:00:00Z", "2026-03-02T00:00:00Z")],
        open_limit,
        distance_class: String::new(),
    }
}

impl World {
    pub(crate) fn roster(&self) -> RosterServiceClient<tonic::transport::Channel> {
        RosterServiceClient::new(self.channel())
    }

    pub(crate) fn manager(&self) -> Caller {
        self.staff("li", "estate_manager")
    }

    pub(crate) fn batch(&self, workers: Vec<pb::WorkerEntry>) -> pb::PutWorkersRequest {
        pb::PutWorkersRequest { request_id: request_id(), estate_id: self.estate.to_string(), workers }
    }

    pub(crate) async fn put(&self, workers: Vec<pb::WorkerEntry>) -> Vec<pb::WorkerVerdict> {
        self.roster().put_workers(self.manager().asks(self.batch(workers))).await.unwrap().into_inner().verdicts
    }
}

/// Each worker of a batch has a verdict of their own, what is refused leaves the others alone, and the same request answers the
/// same.
#[tokio::test]
async fn a_batch_is_put_with_a_verdict_for_each() {
    let world = World::new().await;
    world.put(vec![plumber("wang", 3)]).await;
    let reversed = pb::WorkerEntry { shifts: vec![shift("2026-03-02T00:00:00Z", "2026-03-01T16:00:00Z")], ..plumber("zhou", 3) };
    let own = pb::WorkerEntry { line_manager: "qian".to_owned(), ..plumber("qian", 3) };
    let led = pb::WorkerEntry { line_manager: "zhao".to_owned(), ..plumber("wang", 5) };
    let batch = world.batch(vec![led, plumber("sun", 1), reversed, own, plumber("sun", 9)]);
    let put = world.roster().put_workers(world.manager().asks(batch.clone())).await.unwrap().into_inner();
    let verdicts: Vec<_> = put.verdicts.iter().map(|v| (v.index, v.principal.as_str(), v.outcome(), v.reason.as_str())).collect();
    let expected = [
        (0, "wang", WorkerOutcome::Replaced, ""),
        (1, "sun", WorkerOutcome::Created, ""),
        (2, "zhou", WorkerOutcome::Refused, "SHIFT_INVALID"),
        (3, "qian", WorkerOutcome::Refused, "LINE_INVALID"),
        (4, "sun", WorkerOutcome::Refused, "WORKER_REPEATED"),
    ];
    assert_eq!(verdicts, expected);
    let again = world.roster().put_workers(world.manager().asks(batch)).await.unwrap().into_inner();
    assert_eq!(again, put, "the second time it answers what it answered first");

    let get = |principal: &str| pb::GetWorkerRequest { estate_id: world.estate.to_string(), principal: principal.to_owned() };
    let wang = world.roster().get_worker(world.desk().asks(get("wang"))).await.unwrap().into_inner().worker.unwrap();
    assert_eq!((wang.line_manager.as_str(), wang.open_limit, wang.skills), ("zhao", 5, vec!["plumbing".to_owned()]));
    assert_eq!(wang.shifts, [shift("2026-03-01T16:00:00Z", "2026-03-02T00:00:00Z")]);
    refused(world.roster().get_worker(world.desk().asks(get("zhou"))).await, Code::NotFound, "WORKER_NOT_FOUND");
}

/// XC-30: a roster is read page by page, by those of the estate who may, and written by those who keep it.
#[tokio::test]
async fn a_roster_is_listed_by_page_within_its_estate() {
    let world = World::new().await;
    world.put((0..5).map(|n| plumber(&format!("w{n}"), 1)).collect()).await;
    let (mut seen, mut token) = (Vec::new(), String::new());
    loop {
        let list = pb::ListWorkersRequest { estate_id: world.estate.to_string(), page_size: 2, page_token: token };
        let page = world.roster().list_workers(world.desk().asks(list)).await.unwrap().into_inner();
        seen.extend(page.workers.into_iter().map(|worker| worker.principal));
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(seen, ["w0", "w1", "w2", "w3", "w4"]);

    let stranger = Caller::new(&Claims::staff("li").role("estate_manager").estate(Uuid::now_v7()));
    let list = pb::ListWorkersRequest { estate_id: world.estate.to_string(), ..Default::default() };
    refused(world.roster().list_workers(stranger.asks(list)).await, Code::NotFound, "ESTATE_NOT_FOUND");
    let batch = world.batch(vec![plumber("w9", 1)]);
    refused(world.roster().put_workers(stranger.asks(batch.clone())).await, Code::NotFound, "ESTATE_NOT_FOUND");
    refused(world.roster().put_workers(world.wang().asks(batch)).await, Code::PermissionDenied, "PERMISSION_DENIED");
}
