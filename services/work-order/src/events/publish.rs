//! From what the domain decided to what the outbox and the timers hold.

use steward_kit::proto::to_timestamp;
use steward_kit_store::{Claim, Effects, NewEvent, TimerChange};
use steward_proto::work_order::v1 as pb;

use crate::contract::Code;
use crate::domain::{self, CausedBy, DomainEvent, Fact, TimerKey, Transition};

/// Kind of the timer of a clock's next step. Its key is `<cycle>/<clock>`: an order has one for each clock of a cycle.
pub(crate) const CLOCK_STEP: &str = "clock_step";

/// Kind of the timer that ends the silence after completion. Its key is the cycle.
pub(crate) const AUTO_CLOSE: &str = "auto_close";

/// Kind of the timer that judges whether an order is a major complaint. Its key is empty.
pub(crate) const JUDGE_MAJOR: &str = "judge_major";

/// Kind of the timer that ends the window in which an order counts as a major complaint. Its key is empty.
pub(crate) const MAJOR_WINDOW: &str = "major_window";

/// Kind of the timer that ends the longest pause of an order's work. Its key is empty.
pub(crate) const PAUSE_OVER: &str = "pause_over";

/// Kind of the timer of the customer's form in the app. Its key is empty.
pub(crate) const CALLBACK_FORM: &str = "callback_form";

/// Kind of the timer of an estate's local day. Its subject is the estate, its key empty.
pub(crate) const ESTATE_DAY: &str = "estate_day";
/// Kind of the timer by which a duplicate hears what became of its lead. Its key is empty.
pub(crate) const FOLLOW_LEAD: &str = "follow_lead";

/// Kind of the timer by which a lead hears that the reporter of a duplicate is dissatisfied. Its key is empty.
pub(crate) const DISSENT: &str = "dissent";

/// Kind of the timer that draws the spot checks of an estate's week. Its subject is the estate, its key is empty.
pub(crate) const DRAW_SPOT_CHECKS: &str = "draw_spot_checks";

/// Kind of the timer of a spot check's due time. Its key is empty.
pub(crate) const SPOT_CHECK_DUE: &str = "spot_check_due";

/// Kind of the timer that looks for somebody who takes an order. Its key is empty.
pub(crate) const DISPATCH: &str = "dispatch";

/// Everything that follows from a transition, for the statement that writes it.
pub(crate) fn effects_of(transition: &Transition, claim: Option<Claim>) -> Effects {
    let (order, estate) = (transition.order.id, transition.order.estate_id);
    let timers = transition.timers.iter().map(|change| match change {
        domain::TimerChange::Set { timer, due } => {
            let (kind, key) = kind_and_key(timer);
            TimerChange::set(kind, order, key, estate, *due)
        }
        domain::TimerChange::Wake { order, timer, due } => {
            let (kind, key) = kind_and_key(timer);
            TimerChange::set(kind, *order, key, estate, *due)
        }
        domain::TimerChange::Cancel { timer } => {
            let (kind, key) = kind_and_key(timer);
            TimerChange::cancel(kind, order, key)
        }
    });
    Effects { claim, events: transition.events.iter().map(published).collect(), timers: timers.collect() }
}

fn kind_and_key(timer: &TimerKey) -> (&'static str, String) {
    match timer {
        TimerKey::Clock { clock, cycle } => (CLOCK_STEP, format!("{cycle}/{clock}")),
        TimerKey::AutoClose { cycle } => (AUTO_CLOSE, cycle.to_string()),
        TimerKey::JudgeMajor => (JUDGE_MAJOR, String::new()),
        TimerKey::MajorWindow => (MAJOR_WINDOW, String::new()),
        TimerKey::PauseOver => (PAUSE_OVER, String::new()),
        TimerKey::FollowLead => (FOLLOW_LEAD, String::new()),
        TimerKey::Dissent => (DISSENT, String::new()),
        TimerKey::Dispatch => (DISPATCH, String::new()),
        TimerKey::CallbackForm => (CALLBACK_FORM, String::new()),
    }
}

/// The clock and the cycle that a timer's key names.
pub(crate) fn clock_of_key(key: &str) -> Option<(String, u32)> {
    let (cycle, clock) = key.split_once('/')?;
    Some((clock.to_owned(), cycle.parse().ok()?))
}

/// One fact as its message in `events.proto`.
fn published(event: &DomainEvent) -> NewEvent {
    let order = Some(facts(event));
    match event.fact.clone() {
        Fact::Created { channel, source } => {
            let (source_kind, source_id) = source.map(|source| (source.kind.to_owned(), source.id)).unwrap_or_default();
            about(event, &pb::WorkOrderCreated { order, channel: channel.number(), source_kind, source_id })
        }
        Fact::Classified => about(event, &pb::WorkOrderClassified { order }),
        Fact::Assigned => about(event, &pb::WorkOrderAssigned { order }),
        Fact::Accepted => about(event, &pb::WorkOrderAccepted { order }),
        Fact::Contacted { reached, promise_time } => {
            about(event, &pb::CustomerContacted { order, reached, promise_time: promise_time.map(to_timestamp) })
        }
        Fact::Assessed { customer_informed } => about(event, &pb::WorkOrderAssessed { order, customer_informed }),
        Fact::Arrived => about(event, &pb::TechnicianArrived { order }),
        Fact::Completed { form_expire_time } => {
            about(event, &pb::WorkOrderCompleted { order, callback_form_expire_time: form_expire_time.map(to_timestamp) })
        }
        Fact::CallbackFormExpired { due_time, notify_roles } => {
            about(event, &pb::CallbackFormExpired { order, due_time: Some(to_timestamp(due_time)), notify_roles })
        }
        Fact::CallbackRecorded { outcome, score } => about(event, &pb::CallbackRecorded { order, outcome: outcome.number(), score }),
        Fact::Reopened => about(event, &pb::WorkOrderReopened { order }),
        Fact::Closed { close_code } => about(event, &pb::WorkOrderClosed { order, close_code: close_code.number() }),
        Fact::Cancelled { close_code, lead_number } => {
            about(event, &pb::WorkOrderCancelled { order, close_code: close_code.number(), lead_number })
        }
        Fact::DuplicateSettled { lead, lead_number } => {
            about(event, &pb::DuplicateSettled { order, lead_id: lead.to_string(), lead_number })
        }
        Fact::Split { part, part_number } => about(event, &pb::WorkOrderSplit { order, part_id: part.to_string(), part_number }),
        Fact::Urged { urge_count } => about(event, &pb::WorkOrderUrged { order, urge_count }),
        Fact::Suspended { reason, awaits_approval } => {
            about(event, &pb::WorkOrderSuspended { order, reason: reason.number(), awaits_approval })
        }
        Fact::AppointmentAgreed { start, end, old_start, told_in_time, notify_roles } => {
            let (start_time, end_time) = (Some(to_timestamp(start)), Some(to_timestamp(end)));
            let old_start_time = old_start.map(to_timestamp);
            about(event, &pb::AppointmentAgreed { order, start_time, end_time, old_start_time, told_in_time, notify_roles })
        }
        Fact::WorkStarted => about(event, &pb::WorkStarted { order }),
        Fact::QuoteGiven { total_fen } => about(event, &pb::QuoteGiven { order, total_fen }),
        Fact::QuoteConfirmed { total_fen } => about(event, &pb::QuoteConfirmed { order, total_fen }),
        Fact::Offered { to, until } => {
            about(event, &pb::WorkOrderOffered { order, offered_to: to, expire_time: Some(to_timestamp(until)) })
        }
        Fact::DutyManagerCalled { reason, notify_roles } => {
            about(event, &pb::DutyManagerCalled { order, reason: reason.number(), notify_roles })
        }
        Fact::SuspensionApproved { reason } => about(event, &pb::SuspensionApproved { order, reason: reason.number() }),
        Fact::LiabilitySet { liability } => about(event, &pb::LiabilitySet { order, liability: liability.number() }),
        Fact::Resumed => about(event, &pb::WorkOrderResumed { order }),
        Fact::ClockWarned { clock, percent, due_time, notify_roles } => {
            about(event, &pb::ClockWarned { order, clock, percent, due_time: Some(to_timestamp(due_time)), notify_roles })
        }
        Fact::ClockBreached { clock, due_time, notify_roles } => {
            about(event, &pb::ClockBreached { order, clock, due_time: Some(to_timestamp(due_time)), notify_roles })
        }
        Fact::MajorFlagged { reasons, notify_roles } => {
            let flag_time = Some(to_timestamp(event.occur_time));
            about(event, &pb::MajorComplaintFlagged { order, reason_codes: reasons, flag_time, notify_roles })
        }
        Fact::MajorCleared => about(event, &pb::MajorComplaintCleared { order, clear_time: Some(to_timestamp(event.occur_time)) }),
        Fact::Escalated { clock, percent, notify_roles } => about(event, &pb::WorkOrderEscalated { order, clock, percent, notify_roles }),
    }
}

fn about<M: prost::Message + prost::Name>(event: &DomainEvent, payload: &M) -> NewEvent {
    NewEvent::new(event.order.id, event.order.estate_id, event.occur_time, payload)
}

fn facts(event: &DomainEvent) -> pb::OrderFacts {
    let order = &event.order;
    pb::OrderFacts {
        work_order_id: order.id.to_string(),
        number: order.number.clone(),
        estate_id: order.estate_id.to_string(),
        unit_id: order.unit_id.map(|id| id.to_string()).unwrap_or_default(),
        customer_id: order.customer_id.map(|id| id.to_string()).unwrap_or_default(),
        kind: order.kind.number(),
        category: order.category.clone(),
        urgency: order.urgency.number(),
        state: order.state.number(),
        cycle: order.cycle,
        assignee: order.assignee.clone().unwrap_or_default(),
        actor: Some(event.actor.wire()),
        caused_by: order.caused_by.as_ref().map(CausedBy::wire),
        case_time: Some(to_timestamp(order.case_time)),
    }
}
