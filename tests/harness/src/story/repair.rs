//! The work, twice: contacted with a promise, arrived, done with proof, called back; dissatisfied, reopened with new clocks; satisfied.

use anyhow::{Context, Result, ensure};
use jiff::SignedDuration;
use steward_proto::{
    common::v1::{Span, Unit},
    work_order::v1::{
        AcceptWorkOrderRequest, ArriveOnSiteRequest, CallbackMode, CallbackOutcome, ClockState, CloseCode, CloseWorkOrderRequest,
        CompleteWorkOrderRequest, ContactCustomerRequest, GetWorkOrderRequest, MediaKind, MediaRef, RecordCallbackRequest, State,
        WorkOrder, work_order_service_client::WorkOrderServiceClient,
    },
};

use super::{
    night::{TECHNICIAN, assign, desk},
    prologue::Estate,
    stage::{Actor, Stage, given, request_id},
};
use crate::tokens::Claims;

pub(super) async fn play(stage: &Stage, estate: &Estate, order: WorkOrder) -> Result<WorkOrder> {
    stage.scene("The technician calls, arrives, and finishes with proof");
    work(stage, estate, &order.id, "更换爆裂的软管").await?;

    stage.scene("The callback finds the resident dissatisfied");
    pass(stage, SignedDuration::from_hours(7))?;
    let reopened = call_back(stage, estate, &order.id, 1, "夜里等了太久，墙角还在渗水").await?;
    ensure!(reopened.state() == State::Reopened, "a bad score reopens the order, it is {}", reopened.state().as_str_name());
    ensure!(reopened.cycle == order.cycle + 1, "reopening starts a new cycle");
    for clock in reopened.clocks.iter().filter(|clock| clock.cycle == reopened.cycle && clock.state() == ClockState::Running) {
        stage.tell(format!("  new clock {} of cycle {}: due {}", clock.name, clock.cycle, stage.local_proto(clock.due_time)));
    }
    ensure!(reopened.clocks.iter().any(|clock| clock.cycle == order.cycle && clock.state() == ClockState::Stopped), "old verdicts stay");

    stage.scene("The work is done again");
    assign(stage, estate, &order.id).await?;
    work(stage, estate, &order.id, "重做墙角防水并复检").await?;

    stage.scene("The second callback finds the resident satisfied, and the order closes");
    pass(stage, SignedDuration::from_hours(1))?;
    let order = call_back(stage, estate, &order.id, 5, "").await?;
    close(stage, estate, order).await
}

/// Accept, contact with a promise, arrive, complete with a photo.
pub(super) async fn work(stage: &Stage, estate: &Estate, id: &str, summary: &str) -> Result<()> {
    let technician = stage.actor("the technician", &Claims::staff(TECHNICIAN).role("technician").estate(&estate.id))?;
    let mut orders = WorkOrderServiceClient::new(stage.gateway.clone());
    let (work_order_id, etag) = (id.to_owned(), String::new());

    let accept = AcceptWorkOrderRequest { work_order_id: work_order_id.clone(), request_id: request_id(), etag: etag.clone() };
    orders.accept_work_order(technician.asks(accept)?).await.context("accepting")?;
    stage.tell(format!("{} accepts", technician.name()));

    pass(stage, SignedDuration::from_mins(1))?;
    let contact = ContactCustomerRequest {
        work_order_id: work_order_id.clone(),
        request_id: request_id(),
        etag: etag.clone(),
        occur_time: None,
        reached: true,
        promise: Some(Span { value: 2, unit: Unit::Hour.into(), calendar: "24x7".to_owned() }),
        note: "关总阀，马上到".to_owned(),
    };
    let contacted =
        given(orders.contact_customer(technician.asks(contact)?).await.context("contacting")?.into_inner().work_order, "work order")?;
    stage.tell(format!("{} reaches the resident and promises it by {}", technician.name(), stage.local_proto(contacted.promise_time)));

    pass(stage, SignedDuration::from_mins(12))?;
    let arrive =
        ArriveOnSiteRequest { work_order_id: work_order_id.clone(), request_id: request_id(), etag: etag.clone(), occur_time: None };
    orders.arrive_on_site(technician.asks(arrive)?).await.context("arriving")?;
    stage.tell(format!("{} is on site", technician.name()));

    pass(stage, SignedDuration::from_mins(40))?;
    let photo = |kind: MediaKind| MediaRef {
        key: format!("orders/{id}/{}.jpg", kind.as_str_name().to_lowercase()),
        sha256: "0f".repeat(32),
        kind: kind.into(),
    };
    let complete = CompleteWorkOrderRequest {
        work_order_id,
        request_id: request_id(),
        etag,
        occur_time: None,
        summary: summary.to_owned(),
        media: vec![photo(MediaKind::Before), photo(MediaKind::After), photo(MediaKind::Signature)],
    };
    let done =
        given(orders.complete_work_order(technician.asks(complete)?).await.context("completing")?.into_inner().work_order, "work order")?;
    ensure!(done.state() == State::Completed, "it is completed");
    stage.tell(format!("{} finishes, with photos and signature", technician.name()));
    Ok(())
}

pub(super) async fn call_back(stage: &Stage, estate: &Estate, id: &str, score: u32, improvement: &str) -> Result<WorkOrder> {
    let desk = desk(stage, estate)?;
    let request = RecordCallbackRequest {
        work_order_id: id.to_owned(),
        request_id: request_id(),
        etag: String::new(),
        occur_time: None,
        outcome: CallbackOutcome::Reached.into(),
        score,
        improvement: improvement.to_owned(),
        mode: CallbackMode::Phone.into(),
    };
    let answer =
        WorkOrderServiceClient::new(stage.gateway.clone()).record_callback(desk.asks(request)?).await.context("recording the callback")?;
    let order = given(answer.into_inner().work_order, "work order")?;
    stage.tell(format!("{} calls: {score} of 5; the order is {} in cycle {}", desk.name(), order.state().as_str_name(), order.cycle));
    Ok(order)
}

pub(super) async fn close(stage: &Stage, estate: &Estate, order: WorkOrder) -> Result<WorkOrder> {
    let desk: Actor = desk(stage, estate)?;
    let mut orders = WorkOrderServiceClient::new(stage.gateway.clone());
    if order.state() != State::Closed {
        let request = CloseWorkOrderRequest {
            work_order_id: order.id.clone(),
            request_id: request_id(),
            etag: order.etag.clone(),
            close_code: CloseCode::Resolved.into(),
        };
        orders.close_work_order(desk.asks(request)?).await.context("closing")?;
    }
    let answer = orders.get_work_order(desk.asks(GetWorkOrderRequest { work_order_id: order.id })?).await.context("reading the order")?;
    let order = given(answer.into_inner().work_order, "work order")?;
    ensure!(order.state() == State::Closed, "the order is closed");
    stage.tell(format!("{} is closed", order.number));
    for clock in order.clocks.iter().filter(|clock| clock.state() != ClockState::Void) {
        let (due, stop) = (stage.local_proto(clock.due_time), stage.local_proto(clock.stop_time));
        stage.tell(format!("  cycle {} {:<18} due {due}  stopped {stop}  {}", clock.cycle, clock.name, clock.verdict().as_str_name()));
    }
    Ok(order)
}

/// Time passes for everybody.
fn pass(stage: &Stage, span: SignedDuration) -> Result<()> {
    stage.move_to(stage.now() + span)
}
