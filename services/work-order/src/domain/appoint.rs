//! A visit is agreed with the customer, or put off (WO-46); clocks that move to it do (WO-18).

use jiff::Timestamp;

use super::actor::Actor;
use super::context::Context;
use super::draft::Draft;
use super::field_work::Appointment;
use super::history::Action;
use super::refusal::Refusal;
use super::state::Verb;
use super::transition::{Fact, Transition};
use super::work_order::WorkOrder;

/// An appointment.
#[derive(Clone, Debug)]
pub struct Appoint {
    /// Who agreed it with the customer.
    pub actor: Actor,
    /// From when the customer expects somebody.
    pub start: Timestamp,
    /// Until when.
    pub end: Timestamp,
    /// The customer was called and apologised to.
    pub apology_call: bool,
}

/// Agrees a visit. One that takes the place of another needs the call to whoever waits; whether they were told before its start is
/// recorded, and the coordinators are told with them. What was late by now stays late.
///
/// # Errors
/// `StateForbids`, `AppointmentInvalid`, `ApologyCallRequired`, `CalendarUnknown`.
pub fn appoint(order: &WorkOrder, cmd: &Appoint, ctx: &Context<'_>, now: Timestamp) -> Result<Transition, Refusal> {
    let mut draft = Draft::of(order, &cmd.actor, ctx, now);
    draft.permit(Verb::Appoint)?;
    if cmd.end <= cmd.start {
        return Err(Refusal::AppointmentInvalid { field: "end_time", detail: "must be after the start" });
    }
    if cmd.start < now {
        return Err(Refusal::AppointmentInvalid { field: "start_time", detail: "must not be in the past" });
    }
    let cycle = order.cycle;
    let old_start = order.field.appointment(cycle).map(|old| old.start);
    if old_start.is_some() && !cmd.apology_call {
        return Err(Refusal::ApologyCallRequired);
    }
    let told_in_time = old_start.is_none_or(|old| now < old);
    draft.settle(now);
    draft.order.field.appointments.push(Appointment {
        cycle,
        start: cmd.start,
        end: cmd.end,
        at: now,
        actor: cmd.actor.clone(),
        apology_call: cmd.apology_call,
        told_in_time,
    });
    for clock in draft.order.clocks.iter_mut().filter(|clock| clock.is_open() && clock.cycle == cycle && !clock.is_late()) {
        if clock.terms.moves_to_appointment {
            clock.appointment_end = Some(cmd.end);
        }
    }
    draft.recompute_open()?;
    let notify_roles = if old_start.is_some() { draft.order.terms.urge_roles.clone() } else { Vec::new() };
    draft.tell(now, Fact::AppointmentAgreed { start: cmd.start, end: cmd.end, old_start, told_in_time, notify_roles });
    let detail = [
        ("start", cmd.start.to_string()),
        ("end", cmd.end.to_string()),
        ("old_start", old_start.map(|old| old.to_string()).unwrap_or_default()),
        ("told_in_time", told_in_time.to_string()),
        ("apology_call", cmd.apology_call.to_string()),
    ];
    draft.note(Action::Appoint, now, detail);
    Ok(draft.finish())
}
