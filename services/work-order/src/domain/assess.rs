//! What was found and what will be done, and whether the customer was told (WO-20).

use jiff::Timestamp;
use steward_kit::pii::Pii;

use super::actor::{Actor, ActorKind};
use super::case::Milestone;
use super::context::Context;
use super::draft::Draft;
use super::history::Action;
use super::plausible::event_time;
use super::refusal::Refusal;
use super::state::Verb;
use super::transition::{Fact, Transition};
use super::work_order::{Assessment, WorkOrder};

/// An assessment. Category and urgency are the order's own.
#[derive(Clone, Debug)]
pub struct Assess {
    /// Who.
    pub actor: Actor,
    /// When; `None` means now.
    pub occur_time: Option<Timestamp>,
    /// Plan of action.
    pub plan: Pii<String>,
    /// Whether the customer was told.
    pub customer_informed: bool,
}

/// Records an assessment. One that nobody told the customer is kept and stops no clock; the first that was told is the
/// one that counts, and answers the customer too if nobody had.
///
/// # Errors
/// `StateForbids`, `TimeNotPlausible`, `CalendarUnknown`.
pub fn assess(order: &WorkOrder, cmd: &Assess, ctx: &Context<'_>, now: Timestamp) -> Result<Transition, Refusal> {
    let mut draft = Draft::of(order, &cmd.actor, ctx, now);
    draft.permit(Verb::Assess)?;
    let at = event_time(order, cmd.occur_time, order.cycle_start(), ctx, now)?;
    if draft.is_by_assignee() {
        draft.note_worker();
    }
    if cmd.customer_informed {
        if cmd.actor.kind == ActorKind::Staff && order.milestone_time(Milestone::Responded).is_none() {
            draft.reach(Milestone::Responded, at)?;
        }
        if order.milestone_time(Milestone::Assessed).is_none() {
            draft.reach(Milestone::Assessed, at)?;
        }
    }
    draft.order.assessments.push(Assessment {
        cycle: order.cycle,
        at,
        actor: cmd.actor.clone(),
        customer_informed: cmd.customer_informed,
        plan: cmd.plan.clone(),
    });
    draft.tell(at, Fact::Assessed { customer_informed: cmd.customer_informed });
    draft.note(Action::Assess, at, [("customer_informed", cmd.customer_informed.to_string())]);
    Ok(draft.finish())
}
