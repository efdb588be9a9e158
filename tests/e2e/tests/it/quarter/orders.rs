//! The cases as they are worked: each verb by whoever would do it, when it is done.

use anyhow::{Context, Result};
use jiff::Timestamp;
use steward_proto::{
    common::v1::{Channel, Span, SuspensionReason, Unit, Urgency, WorkOrderKind},
    work_order::v1::{
        ArriveOnSiteRequest, AssignWorkOrderRequest, CallbackMode, CallbackOutcome, CancelWorkOrderRequest, CausedBy,
        ClassifyWorkOrderRequest, CloseCode, CloseWorkOrderRequest, CompleteWorkOrderRequest, ContactCustomerRequest,
        CreateWorkOrderRequest, ListWorkOrdersRequest, MediaKind, MediaRef, RecordCallbackRequest, ResumeWorkOrderRequest,
        SuspendWorkOrderRequest, caused_by::Cause, work_order_service_client::WorkOrderServiceClient,
    },
};

use super::{
    care::BULLETINS,
    cases::{Callback, Case, End},
    days::wire,
    place::{Place, id, unless_unknown, until},
};

/// One thing that is done to an order.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step {
    Create,
    Classify,
    Assign,
    Contact,
    Arrive,
    Complete,
    CallBack(CallbackOutcome, u32),
    Suspend,
    Resume,
    Close(CloseCode),
    Cancel(CloseCode),
}

/// When what is done to a case.
pub(super) fn steps(case: &Case) -> Vec<(Timestamp, Step)> {
    let mut steps = vec![(case.received, Step::Create)];
    if case.classified() > case.received {
        steps.push((case.classified(), Step::Classify));
    }
    for cycle in &case.cycles {
        steps.push((cycle.assigned, Step::Assign));
        steps.extend(cycle.contacted.map(|at| (at, Step::Contact)));
        steps.extend(cycle.arrived.map(|at| (at, Step::Arrive)));
        steps.extend(cycle.completed.map(|at| (at, Step::Complete)));
        match cycle.callback {
            Callback::Never => {}
            Callback::Score(at, score) => steps.push((at, Step::CallBack(CallbackOutcome::Reached, score))),
            Callback::Refused(at) => steps.push((at, Step::CallBack(CallbackOutcome::Refused, 0))),
            Callback::Exhausted(attempts) => steps.extend(attempts.map(|at| (at, Step::CallBack(CallbackOutcome::NoAnswer, 0)))),
        }
    }
    if let Some((from, to)) = case.suspended {
        steps.extend([(from, Step::Suspend), (to, Step::Resume)]);
    }
    match case.end {
        End::Resolved(at) => steps.push((at, Step::Close(CloseCode::Resolved))),
        End::Explained(at) => steps.push((at, Step::Close(CloseCode::UnresolvedExplained))),
        End::Withdrawn(at) => steps.push((at, Step::Cancel(CloseCode::Withdrawn))),
        End::Invalid(at) => steps.push((at, Step::Cancel(CloseCode::Invalid))),
        End::Silent | End::Open => {}
    }
    steps.sort_by_key(|(at, _)| *at);
    steps
}

impl Place {
    /// Takes a case in; the order's id.
    pub(super) async fn create(&self, case: &Case) -> Result<String> {
        let home = &self.homes[case.unit];
        let request = CreateWorkOrderRequest {
            request_id: id(),
            estate_id: self.id.clone(),
            unit_id: home.unit_id.clone(),
            customer_id: home.customer_id.clone(),
            kind: case.kind.into(),
            channel: Channel::Hotline.into(),
            description: "请处理".to_owned(),
            category: case.category.to_owned(),
            caused_by: case.blames_the_bulletin().then(|| CausedBy { cause: Some(Cause::CampaignCode(BULLETINS.to_owned())) }),
            ..CreateWorkOrderRequest::default()
        };
        // The home reaches work-order by an event; a moment may pass on the first day.
        until("the home in work-order", || {
            let (mut orders, request) = (WorkOrderServiceClient::new(self.gateway.clone()), self.by("desk", request.clone()));
            Box::pin(async move {
                let answer = unless_unknown(orders.create_work_order(request).await)?;
                answer.map(|answer| answer.into_inner().work_order.map(|order| order.id).context("an order")).transpose()
            })
        })
        .await
    }

    /// Does one thing to an order.
    pub(super) async fn work(&self, work_order_id: &str, step: Step) -> Result<()> {
        let mut orders = WorkOrderServiceClient::new(self.gateway.clone());
        let (work_order_id, request_id, etag) = (work_order_id.to_owned(), id(), String::new());
        match step {
            Step::Create => {}
            Step::Classify => {
                let (category, urgency, reason) = ("plumbing.leak".to_owned(), Urgency::L3.into(), "read".to_owned());
                let request = ClassifyWorkOrderRequest {
                    work_order_id,
                    request_id,
                    etag,
                    category,
                    urgency,
                    reason,
                    ..ClassifyWorkOrderRequest::default()
                };
                orders.classify_work_order(self.by("dispatcher", request)).await?;
            }
            Step::Assign => {
                let assignee = self.technician();
                let request = AssignWorkOrderRequest { work_order_id, request_id, etag, assignee, over_limit_reason: String::new() };
                orders.assign_work_order(self.by("dispatcher", request)).await?;
            }
            Step::Contact => {
                // "Handled within": some plans ask for it, and none minds.
                let promise = Some(Span { value: 30, unit: Unit::Day.into(), calendar: "civil".to_owned() });
                let request = ContactCustomerRequest {
                    work_order_id,
                    request_id,
                    etag,
                    occur_time: None,
                    reached: true,
                    promise,
                    note: String::new(),
                };
                orders.contact_customer(self.by("technician", request)).await?;
            }
            Step::Arrive => {
                let request = ArriveOnSiteRequest { work_order_id, request_id, etag, occur_time: None };
                orders.arrive_on_site(self.by("technician", request)).await?;
            }
            Step::Complete => {
                let photo = MediaRef { key: "orders/after.jpg".to_owned(), sha256: "0f".repeat(32), kind: MediaKind::After.into() };
                let (summary, media) = ("已处理".to_owned(), vec![photo]);
                let request = CompleteWorkOrderRequest { work_order_id, request_id, etag, occur_time: None, summary, media };
                orders.complete_work_order(self.by("technician", request)).await?;
            }
            Step::CallBack(outcome, score) => {
                let request = RecordCallbackRequest {
                    work_order_id,
                    request_id,
                    etag,
                    occur_time: None,
                    outcome: outcome.into(),
                    score,
                    improvement: String::new(),
                    mode: CallbackMode::Phone.into(),
                };
                orders.record_callback(self.by("desk", request)).await?;
            }
            Step::Suspend => {
                let request = SuspendWorkOrderRequest { work_order_id, request_id, etag, reason: SuspensionReason::Parts.into() };
                orders.suspend_work_order(self.by("technician", request)).await?;
            }
            Step::Resume => {
                let request = ResumeWorkOrderRequest { work_order_id, request_id, etag };
                orders.resume_work_order(self.by("technician", request)).await?;
            }
            Step::Close(code) => {
                let request = CloseWorkOrderRequest { work_order_id, request_id, etag, close_code: code.into() };
                orders.close_work_order(self.by("desk", request)).await?;
            }
            Step::Cancel(code) => {
                let request =
                    CancelWorkOrderRequest { work_order_id, request_id, etag, close_code: code.into(), reason: "by phone".to_owned() };
                orders.cancel_work_order(self.by("desk", request)).await?;
            }
        }
        Ok(())
    }

    /// Waits until so many orders were asked for by low scores (SV-45).
    pub(super) async fn orders_asked(&self, count: usize, now: Timestamp) -> Result<()> {
        until("the orders that low scores ask for", || {
            let request = ListWorkOrdersRequest { estate_id: self.id.clone(), page_size: 200, ..ListWorkOrdersRequest::default() };
            let (mut orders, request) = (WorkOrderServiceClient::new(self.gateway.clone()), self.by("manager", request));
            Box::pin(async move {
                let listed = orders.list_work_orders(request).await?.into_inner().work_orders;
                let asked = listed.iter().filter(|order| order.kind() == WorkOrderKind::Request && order.receive_time == wire(now));
                Ok((asked.count() == count).then_some(()))
            })
        })
        .await
    }
}
