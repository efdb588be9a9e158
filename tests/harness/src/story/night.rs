//! 02:00: a pipe bursts. Taken in, classified, dispatched; and then nobody calls the resident back in time.

use anyhow::{Context, Result, ensure};
use jiff::SignedDuration;
use steward_proto::{
    common::v1::{Channel, Urgency, WorkOrderKind},
    gateway::v1::{Reporter, SubmitReportRequest, intake_service_client::IntakeServiceClient},
    plan::v1::Milestone,
    work_order::v1::{
        AssignWorkOrderRequest, Clock, ClockState, ExplainClockRequest, HistoryEntry, ListHistoryRequest, WorkOrder,
        work_order_service_client::WorkOrderServiceClient,
    },
};

use super::{
    prologue::Estate,
    stage::{Actor, Stage, given, instant, request_id},
};
use crate::tokens::Claims;

/// What the technician is called in tokens and assignments.
pub(super) const TECHNICIAN: &str = "tech.zhou";

pub(super) async fn play(stage: &Stage, estate: &Estate) -> Result<WorkOrder> {
    let order = report(stage, estate).await?;
    let order = assign(stage, estate, &order.id).await?;
    miss_the_contact(stage, estate, &order).await?;
    Ok(order)
}

async fn report(stage: &Stage, estate: &Estate) -> Result<WorkOrder> {
    stage.scene("02:00, the hotline rings: a burst pipe");
    stage.move_to(stage.next_local_hour(2)?)?;
    let desk = desk(stage, estate)?;
    let request = SubmitReportRequest {
        request_id: request_id(),
        channel: Channel::Hotline.into(),
        estate_id: estate.id.clone(),
        unit_id: estate.unit_id.clone(),
        reporter: Some(Reporter { phone: "199 0000 0001".to_owned(), ..Reporter::default() }),
        kind: WorkOrderKind::Repair.into(),
        text: "厨房水管爆裂，水漏到楼下了".to_owned(),
        location: "厨房".to_owned(),
        ..SubmitReportRequest::default()
    };
    let answer =
        IntakeServiceClient::new(stage.gateway.clone()).submit_report(desk.asks(request)?).await.context("reporting")?.into_inner();
    let (order, class) = (given(answer.work_order, "work order")?, given(answer.classification, "classification")?);
    stage.tell(format!("{} takes in {} ({})", desk.name(), order.number, order.id));
    stage.tell(format!("classified as {} {} by {}", class.category, class.urgency().as_str_name(), class.classified_by));
    ensure!(class.urgency() == Urgency::L1, "a burst pipe is L1");
    ensure!(order.customer_id == estate.customer_id, "the phone leads to the owner of the unit");
    for promise in &answer.promises {
        stage.tell(format!("  promised: {} by {}", promise.clock, stage.local_proto(promise.due_time)));
    }
    ensure!(!answer.promises.is_empty(), "the plan's clocks run");
    Ok(order)
}

/// The dispatcher makes the technician accountable.
pub(super) async fn assign(stage: &Stage, estate: &Estate, order_id: &str) -> Result<WorkOrder> {
    let dispatcher = stage.actor("the dispatcher", &Claims::staff("dispatch.he").role("dispatcher").estate(&estate.id))?;
    let request = AssignWorkOrderRequest {
        work_order_id: order_id.to_owned(),
        request_id: request_id(),
        etag: String::new(),
        assignee: TECHNICIAN.to_owned(),
        over_limit_reason: String::new(),
    };
    let answer =
        WorkOrderServiceClient::new(stage.gateway.clone()).assign_work_order(dispatcher.asks(request)?).await.context("assigning")?;
    let order = given(answer.into_inner().work_order, "work order")?;
    stage.tell(format!("{} assigns {} to {TECHNICIAN}", dispatcher.name(), order.number));
    Ok(order)
}

/// Lets the first contact's due time pass, and measures how late the escalation was.
async fn miss_the_contact(stage: &Stage, estate: &Estate, order: &WorkOrder) -> Result<()> {
    stage.scene("Nobody calls back: the contact is missed and escalates");
    let clock = next_contact_clock(order)?;
    let due = instant(clock.due_time)?;
    stage.tell(format!("clock {} is due at {}", clock.name, stage.local(due)));
    stage.move_to(due - SignedDuration::from_secs(2))?;
    let desk = desk(stage, estate)?;
    let orders = WorkOrderServiceClient::new(stage.gateway.clone());
    let early = history(stage, &desk, &order.id).await?;
    ensure!(!is_late(&early, &clock), "nothing is late two seconds before it is due");
    stage.wait_until(due).await?;
    let explained = stage
        .await_some("the escalation", || {
            let request = ExplainClockRequest { work_order_id: order.id.clone(), clock: clock.name.clone(), cycle: clock.cycle };
            let (mut orders, request) = (orders.clone(), desk.asks(request));
            async move {
                let answer = orders.explain_clock(request?).await.context("explaining the clock")?.into_inner();
                let is_late = answer.steps.iter().any(|step| step.percent == 100 && step.taken);
                Ok(is_late.then_some(answer))
            }
        })
        .await?;
    for step in explained.steps.iter().filter(|step| step.taken) {
        stage.tell(format!("  at {} percent ({}) told {}", step.percent, stage.local_proto(step.due_time), step.notify_roles.join(", ")));
    }
    let lines = history(stage, &desk, &order.id).await?;
    let late = lines
        .iter()
        .filter(|line| line.action == "clock_late" && line.detail.get("clock").is_none_or(|name| *name == clock.name))
        .collect::<Vec<_>>();
    let first = late.first().context("the history has a line for the missed due time")?;
    let lateness = instant(first.record_time)?.duration_since(due);
    stage.tell(format!("escalated {} ms after it was due; level 100 percent exactly {} time(s)", lateness.as_millis(), late.len()));
    ensure!(late.len() == 1, "a level of a clock happens exactly once");
    ensure!(lateness < stage.lateness_allowed() && !lateness.is_negative(), "it escalates in the second it is due, not {lateness:#} later");
    Ok(())
}

/// Whether the history says that the clock was missed.
fn is_late(history: &[HistoryEntry], clock: &Clock) -> bool {
    history.iter().any(|line| line.action == "clock_late" && line.detail.get("clock") == Some(&clock.name))
}

/// The running clock that a contact stops and that is due first.
fn next_contact_clock(order: &WorkOrder) -> Result<Clock> {
    let running = order.clocks.iter().filter(|clock| clock.state() == ClockState::Running && clock.due_time.is_some());
    let by_contact = running.filter(|clock| clock.stop_on().any(|milestone| milestone == Milestone::Contacted));
    by_contact
        .min_by_key(|clock| clock.due_time.map(|time| (time.seconds, time.nanos)))
        .cloned()
        .context("a running clock that a contact stops")
}

/// The history of an order, oldest first.
pub(super) async fn history(stage: &Stage, reader: &Actor, order_id: &str) -> Result<Vec<HistoryEntry>> {
    let request = ListHistoryRequest { work_order_id: order_id.to_owned(), page_size: 200, page_token: String::new() };
    let answer =
        WorkOrderServiceClient::new(stage.gateway.clone()).list_history(reader.asks(request)?).await.context("reading the history")?;
    Ok(answer.into_inner().entries)
}

/// The call centre.
pub(super) fn desk(stage: &Stage, estate: &Estate) -> Result<Actor> {
    stage.actor("the call centre", &Claims::staff("desk.li").role("customer_service").estate(&estate.id))
}
