//! The customer was contacted, or an attempt failed; what was promised (WO-14 to WO-17, WO-21).

use jiff::Timestamp;
use steward_kit::calendar::Span;
use steward_kit::pii::Pii;

use super::actor::{Actor, ActorKind};
use super::case::Milestone;
use super::context::Context;
use super::draft::Draft;
use super::history::Action;
use super::plausible::event_time;
use super::refusal::Refusal;
use super::state::{State, Step, Verb};
use super::transition::{Fact, Transition};
use super::work_order::{Contact, WorkOrder};

/// A contact, or an attempt.
#[derive(Clone, Debug)]
pub struct ContactCustomer {
    /// Who.
    pub actor: Actor,
    /// When; `None` means now.
    pub occur_time: Option<Timestamp>,
    /// Whether the customer was reached.
    pub reached: bool,
    /// "Handled within", from the time of the contact. Nothing is promised to somebody who was not reached.
    pub promise: Option<Span>,
    /// What was said.
    pub note: Pii<String>,
}

/// Records a contact. An attempt that was not answered is kept and stops no clock (WO-17). Anybody of the staff may give
/// the first answer; only the assignee's contact counts as that of the one who does the work, and implies acceptance.
///
/// # Errors
/// `StateForbids`, `PromiseRequired`, `TimeNotPlausible`, `CalendarUnknown`.
pub fn contact(order: &WorkOrder, cmd: &ContactCustomer, ctx: &Context<'_>, now: Timestamp) -> Result<Transition, Refusal> {
    let mut draft = Draft::of(order, &cmd.actor, ctx, now);
    let step = draft.permit(Verb::Contact)?;
    let at = event_time(order, cmd.occur_time, order.cycle_start(), ctx, now)?;
    let promise = cmd.promise.as_ref().filter(|_| cmd.reached);
    if cmd.reached && promise.is_none() && order.promise_time.is_none() && order.terms.wants_promise() {
        return Err(Refusal::PromiseRequired);
    }
    let promise_time = match promise {
        Some(span) => {
            let due = ctx.calendars.due(at, span, ctx.zone).map_err(|error| Refusal::of_calendar("promise", error))?;
            Some(due.time)
        }
        None => None,
    };
    let by_assignee = draft.is_by_assignee();
    if by_assignee {
        draft.note_worker();
    }
    let from = draft.order.state;
    if let (Step::Maybe(next), true, true) = (step, cmd.reached, by_assignee) {
        draft.order.state = next;
    }
    if cmd.reached {
        draft.order.promise_time = promise_time.or(draft.order.promise_time);
        if cmd.actor.kind == ActorKind::Staff && order.milestone_time(Milestone::Responded).is_none() {
            draft.reach(Milestone::Responded, at)?;
        }
        if by_assignee {
            if from == State::Assigned {
                draft.reach(Milestone::Accepted, at)?;
            }
            draft.reach(Milestone::Contacted, at)?;
        }
        if promise.is_some() {
            draft.reach_with(Milestone::Promised, at, promise)?;
        }
    }
    draft.order.contacts.push(Contact {
        cycle: order.cycle,
        reached: cmd.reached,
        at,
        actor: cmd.actor.clone(),
        promise_time,
        note: cmd.note.clone(),
    });
    draft.tell(at, Fact::Contacted { reached: cmd.reached, promise_time });
    let detail = [("reached", cmd.reached.to_string()), ("promise", promise.map(Span::to_string).unwrap_or_default())];
    draft.note(Action::Contact, at, detail);
    Ok(draft.finish())
}
