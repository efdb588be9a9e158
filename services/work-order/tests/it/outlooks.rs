//! Which clocks will be missed at the present pace, and why.

use steward_proto::work_order::v1 as pb;
use steward_proto::work_order::v1::clock_service_client::ClockServiceClient;
use steward_proto::work_order::v1::{Outlook, OutlookReason};
use tonic::Code;
use uuid::Uuid;

use crate::world::{World, at, clock, eventually, refused, time};

/// The clock that the tests look at: 15 minutes for the first response to a burst pipe.
const RESPONSE: &str = "first_response";

impl World {
    pub(crate) fn clocks(&self) -> ClockServiceClient<tonic::transport::Channel> {
        ClockServiceClient::new(self.channel())
    }

    async fn outlooks(&self, request: pb::ListClockOutlooksRequest) -> pb::ListClockOutlooksResponse {
        self.clocks().list_clock_outlooks(self.desk().asks(request)).await.unwrap().into_inner()
    }

    fn of_response(&self) -> pb::ListClockOutlooksRequest {
        pb::ListClockOutlooksRequest { estate_id: self.estate.to_string(), clock: RESPONSE.to_owned(), ..Default::default() }
    }
}

/// Twelve reports that nobody answered in time say what becomes of the thirteenth; one that is nobody's says that too.
#[tokio::test]
async fn a_clock_like_those_that_were_missed_is_expected_to_be_missed() {
    let world = World::new().await;
    for _ in 0..12 {
        world.create(world.burst_pipe()).await;
    }
    let fresh = world.outlooks(world.of_response()).await.clock_outlooks;
    assert_eq!(fresh.len(), 12);
    assert!(
        fresh.iter().all(|outlook| outlook.outlook() == Outlook::Uncertain && outlook.comparable_count == 0),
        "nothing to compare with"
    );
    world.advance(20);
    eventually("twelve breaches", || async { (world.count_late(RESPONSE).await == 12).then_some(()) }).await;

    let order = world.create(world.burst_pipe()).await;
    world.advance(5);
    let outlooks = world.outlooks(world.of_response()).await.clock_outlooks;
    let [outlook] = outlooks.as_slice() else { panic!("one clock runs: {outlooks:?}") };
    assert_eq!((outlook.work_order_id.as_str(), outlook.work_order_number.as_str()), (order.id.as_str(), order.number.as_str()));
    assert_eq!((outlook.outlook(), outlook.comparable_count, outlook.kept_permille), (Outlook::Missed, 12, 0));
    assert_eq!((outlook.used_permille, time(outlook.due_time.as_ref())), (333, at("2026-03-01T18:35:00Z")));
    let reasons: Vec<OutlookReason> = outlook.reasons().collect();
    assert_eq!(reasons, [OutlookReason::Pace, OutlookReason::Unassigned]);

    // Assigned and not accepted, by somebody with another order under way.
    world.assign(&order.id, "wang").await.unwrap();
    let other = world.create(world.burst_pipe()).await;
    world.assign(&other.id, "wang").await.unwrap();
    let of_order = world.outlooks(world.of_response()).await.clock_outlooks.into_iter().find(|outlook| outlook.work_order_id == order.id);
    let outlook = of_order.expect("the clock runs");
    assert_eq!((outlook.assignee.as_str(), outlook.assignee_order_count), ("wang", 2));
    let reasons: Vec<OutlookReason> = outlook.reasons().collect();
    assert_eq!(reasons, [OutlookReason::Pace, OutlookReason::NotAccepted, OutlookReason::Load]);
}

/// The soonest due comes first, page after page; what is paused, due, or of another estate is not shown.
#[tokio::test]
async fn outlooks_are_paged_by_due_time_and_scoped() {
    let world = World::new().await;
    let orders = [world.create(world.burst_pipe()).await, world.create(world.burst_pipe()).await];
    let all = pb::ListClockOutlooksRequest { estate_id: world.estate.to_string(), ..Default::default() };
    let whole = world.outlooks(all.clone()).await;
    assert!(whole.next_page_token.is_empty());
    let due: Vec<_> = whole.clock_outlooks.iter().map(|outlook| time(outlook.due_time.as_ref())).collect();
    assert!(due.is_sorted(), "{due:?}");
    assert!(due.len() >= 4, "two orders with some clocks each");
    let mut shown = Vec::new();
    let mut request = pb::ListClockOutlooksRequest { page_size: 1, ..all.clone() };
    loop {
        let page = world.outlooks(request.clone()).await;
        shown.extend(page.clock_outlooks);
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    assert_eq!(shown, whole.clock_outlooks);
    let until = clock(&orders[0], RESPONSE, 1).due_time;
    let soon = world.outlooks(pb::ListClockOutlooksRequest { due_before_time: until, ..all.clone() }).await.clock_outlooks;
    assert!(
        soon.len() < whole.clock_outlooks.len() && soon.iter().all(|outlook| time(outlook.due_time.as_ref()) <= time(until.as_ref())),
        "{soon:?}"
    );

    let elsewhere = Uuid::now_v7();
    world.register_estate(elsewhere).await;
    let request = pb::ListClockOutlooksRequest { estate_id: elsewhere.to_string(), ..Default::default() };
    let answer = world.clocks().list_clock_outlooks(world.desk().asks(request)).await;
    refused(answer, Code::NotFound, "ESTATE_NOT_FOUND");
    let answer = world.clocks().list_clock_outlooks(world.resident().asks(all)).await;
    refused(answer, Code::PermissionDenied, "PERMISSION_DENIED");
}
