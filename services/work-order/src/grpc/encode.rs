//! From the domain to the contract's messages, as far as the caller may see.

use jiff::Timestamp;
use steward_kit::auth::Access;
use steward_kit::proto::{to_date, to_span, to_timestamp};
use steward_proto::work_order::v1 as pb;

use super::{dispatch, field_work, lineage, origin};
use crate::contract::Code;
use crate::domain::{
    Assessment, Callback, CausedBy, Clock, ClockStep, CompletionProof, Estimate, Explanation, HistoryEntry, MediaRef, Milestone, Stretch,
    StretchKind, Suspension, WorkOrder,
};

fn text(id: Option<impl ToString>) -> String {
    id.map(|id| id.to_string()).unwrap_or_default()
}

fn time(at: Option<Timestamp>) -> Option<prost_types::Timestamp> {
    at.map(to_timestamp)
}

/// A whole order. A customer sees who is accountable, and no more of the staff than that (WO-76).
pub(super) fn work_order(order: &WorkOrder, access: &Access) -> pb::WorkOrder {
    let is_staff = access.scope.own_customer().is_none();
    pb::WorkOrder {
        id: order.id.to_string(),
        number: order.number.clone(),
        etag: order.row_version.to_string(),
        state: order.state.number(),
        estate_id: order.estate_id.to_string(),
        unit_id: text(order.unit_id),
        customer_id: text(order.customer_id),
        kind: order.kind.number(),
        category: order.category.clone(),
        urgency: order.urgency.number(),
        classified_by: order.classified_by.clone(),
        channel: order.channel.number(),
        description: order.description.expose().clone(),
        location: order.location.expose().clone(),
        media: order.media.iter().map(media).collect(),
        assignee: order.assignee.clone().unwrap_or_default(),
        first_receiver: order.first_receiver.clone().filter(|_| is_staff).unwrap_or_default(),
        occur_time: Some(to_timestamp(order.occur_time)),
        receive_time: Some(to_timestamp(order.receive_time)),
        update_time: Some(to_timestamp(order.update_time)),
        cycle: order.cycle,
        urge_count: order.urge_count,
        promise_time: time(order.promise_time),
        clocks: order.clocks.iter().map(clock).collect(),
        suspension: order.suspension().map(suspension),
        close_code: order.close_code.map(Code::number).unwrap_or_default(),
        callbacks: order.callbacks.iter().map(|made| callback(made, is_staff)).collect(),
        allowed_actions: order.allowed_actions().iter().map(ToString::to_string).collect(),
        proof: order.proof().map(|given| proof(given, is_staff)),
        auto_close_time: time(order.auto_close_time),
        assessments: order.assessments.iter().map(|made| assessment(made, is_staff)).collect(),
        major_complaint: order.major.flag.as_ref().filter(|_| is_staff).map(|flag| pb::MajorComplaint {
            reason_codes: flag.reasons.clone(),
            flag_time: Some(to_timestamp(flag.flag_time)),
            clear_time: time(flag.clear_time),
        }),
        liability: liability(order).filter(|_| is_staff),
        offer: order.dispatch.offer.as_ref().filter(|_| is_staff).map(dispatch::offer),
        duty_queue_time: time(order.dispatch.queue_time.filter(|_| is_staff)),
        accused: order.accused.iter().filter(|_| is_staff).cloned().collect(),
        lineage: lineage::lineage(&order.lineage).filter(|_| is_staff),
        caused_by: order.caused_by.as_ref().filter(|_| is_staff).map(CausedBy::wire),
        origin: order.origin.as_ref().filter(|_| is_staff).map(origin::encode),
        appointments: order.field.appointments.iter().map(|made| field_work::appointment(made, is_staff)).collect(),
        work_start: order.field.start(order.cycle).map(|start| field_work::work_start(start, is_staff)),
        quotes: order.field.quotes.iter().map(|quote| field_work::quote(quote, is_staff)).collect(),
        required_checklist: order.terms.checklist.clone(),
        price_codes: order.terms.prices.iter().map(|item| item.code.clone()).collect(),
        callback_form_expire_time: time(order.awaited_form().map(|form| form.expire_time)),
        call_due_time: time(order.call_due_time().filter(|_| is_staff)),
        weather_extension: order.terms.weather.as_ref().map(field_work::weather),
    }
}

/// An order as lists show it: of its clocks only those that are open.
pub(super) fn listed(order: &WorkOrder, access: &Access) -> pb::WorkOrder {
    pb::WorkOrder { clocks: order.open_clocks().map(clock).collect(), ..work_order(order, access) }
}

fn clock(clock: &Clock) -> pb::Clock {
    let is_promise = clock.terms.start_on == Milestone::Promised;
    pb::Clock {
        name: clock.name.clone(),
        cycle: clock.cycle,
        state: clock.state.number(),
        start_time: Some(to_timestamp(clock.start_time)),
        due_time: time(clock.due_time),
        stop_time: time(clock.stop_time),
        verdict: clock.verdict.map(Code::number).unwrap_or_default(),
        limit: (!is_promise).then(|| to_span(&clock.limit)),
        policy_version_id: clock.terms.source.version_id.to_string(),
        provisional: clock.is_provisional(),
        last_step_percent: clock.last_step_percent(),
        stop_on: clock.terms.stop_on.iter().map(|milestone| milestone.number()).collect(),
        generation: clock.generation,
        breach_reason: clock.breach_reason.map(|reason| reason.to_string()).unwrap_or_default(),
    }
}

/// How a due time came about.
pub(super) fn explanation(of: &Clock, explanation: &Explanation) -> pb::ExplainClockResponse {
    pb::ExplainClockResponse {
        clock: Some(clock(of)),
        intervals: explanation.stretches.iter().map(stretch).collect(),
        steps: of.steps.iter().map(step).collect(),
        policy_scope: explanation.source.scope.to_string(),
        policy_version: explanation.source.version,
        provisional_years: explanation.provisional_years.iter().copied().map(i32::from).collect(),
        due_basis: explanation.basis.number(),
        external_due_time: time(of.external_due),
    }
}

/// What a deadline would be.
pub(super) fn estimate(estimate: &Estimate) -> pb::ComputeDueTimeResponse {
    pb::ComputeDueTimeResponse {
        due_time: Some(to_timestamp(estimate.due_time)),
        provisional_years: estimate.provisional_years.iter().copied().map(i32::from).collect(),
        intervals: estimate.stretches.iter().map(stretch).collect(),
    }
}

fn step(step: &ClockStep) -> pb::ClockStep {
    pb::ClockStep { percent: step.percent, due_time: time(step.due_time), taken: step.taken, notify_roles: step.notify_roles.clone() }
}

fn stretch(stretch: &Stretch) -> pb::ClockInterval {
    let kind = match stretch.kind {
        StretchKind::Counted => pb::ClockIntervalKind::Counted,
        StretchKind::Rest => pb::ClockIntervalKind::Rest,
        StretchKind::OutsideHours => pb::ClockIntervalKind::OutsideHours,
        StretchKind::Paused => pb::ClockIntervalKind::Paused,
    };
    pb::ClockInterval {
        from_time: Some(to_timestamp(stretch.from)),
        to_time: Some(to_timestamp(stretch.to)),
        kind: kind.into(),
        label: stretch.label.clone(),
    }
}

/// A line of the history. A customer sees what happened and when; of the staff's codes and names nothing (WO-76).
pub(super) fn entry(entry: &HistoryEntry, access: &Access) -> pb::HistoryEntry {
    let is_staff = access.scope.own_customer().is_none();
    pb::HistoryEntry {
        position: entry.position,
        action: entry.action.to_string(),
        state: entry.state.number(),
        actor: is_staff.then(|| entry.actor.wire()),
        occur_time: Some(to_timestamp(entry.occur_time)),
        record_time: Some(to_timestamp(entry.record_time)),
        detail: entry.detail.iter().filter(|_| is_staff).map(|(key, value)| (key.clone(), value.clone())).collect(),
        hash: hex::encode(entry.hash),
    }
}

fn media(file: &MediaRef) -> pb::MediaRef {
    let kind = file.kind.map(Code::number).unwrap_or_default();
    pb::MediaRef { key: file.key.clone(), sha256: file.sha256.clone(), kind }
}

fn suspension(suspension: &Suspension) -> pb::Suspension {
    pb::Suspension {
        reason: suspension.reason.number(),
        from_time: Some(to_timestamp(suspension.from)),
        to_time: time(suspension.to),
        max_time: time(suspension.max_to),
        awaits_approval: !suspension.counts(),
    }
}

fn callback(made: &Callback, is_staff: bool) -> pb::Callback {
    pb::Callback {
        cycle: made.cycle,
        outcome: made.outcome.number(),
        score: made.score,
        improvement: made.improvement.expose().clone(),
        attempt_time: Some(to_timestamp(made.at)),
        actor: is_staff.then(|| made.actor.wire()),
        mode: made.mode.number(),
    }
}

/// A customer sees that the case was assessed, and no internal plan.
fn assessment(made: &Assessment, is_staff: bool) -> pb::Assessment {
    pb::Assessment {
        cycle: made.cycle,
        assess_time: Some(to_timestamp(made.at)),
        plan: if is_staff { made.plan.expose().clone() } else { String::new() },
        customer_informed: made.customer_informed,
        actor: is_staff.then(|| made.actor.wire()),
    }
}

fn proof(given: &CompletionProof, is_staff: bool) -> pb::CompletionProof {
    pb::CompletionProof {
        summary: given.summary.expose().clone(),
        media: given.media.iter().map(media).collect(),
        complete_time: Some(to_timestamp(given.complete_time)),
        actor: is_staff.then(|| given.actor.wire()),
    }
}

/// Whose matter it is; nothing when nobody said and no warranty speaks.
fn liability(order: &WorkOrder) -> Option<pb::OrderLiability> {
    let (suggestion, said) = (order.warranty(), order.liable.as_ref());
    if suggestion.is_none() && said.is_none() {
        return None;
    }
    Some(pb::OrderLiability {
        suggested: suggestion.and_then(|suggestion| suggestion.liability).map(Code::number).unwrap_or_default(),
        warranty_last_date: suggestion.map(|suggestion| to_date(suggestion.last_day)).unwrap_or_default(),
        said: said.map(|liable| liable.liability.number()).unwrap_or_default(),
        reason: said.map(|liable| liable.reason.clone()).unwrap_or_default(),
        set_time: said.map(|liable| to_timestamp(liable.at)),
        actor: said.map(|liable| liable.actor.wire()),
    })
}
