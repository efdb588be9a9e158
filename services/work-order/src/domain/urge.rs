//! The customer urges (WO-75).

use jiff::Timestamp;

use super::actor::Actor;
use super::context::Context;
use super::draft::Draft;
use super::history::Action;
use super::refusal::Refusal;
use super::state::Verb;
use super::transition::{Fact, Transition};
use super::work_order::WorkOrder;

/// An urging.
#[derive(Clone, Debug)]
pub struct Urge {
    /// Who.
    pub actor: Actor,
}

/// Counts each urging; the first of a cycle escalates.
///
/// # Errors
/// `StateForbids`.
pub fn urge(order: &WorkOrder, cmd: &Urge, ctx: &Context<'_>, now: Timestamp) -> Result<Transition, Refusal> {
    let mut draft = Draft::of(order, &cmd.actor, ctx, now);
    draft.permit(Verb::Urge)?;
    draft.order.urge_count += 1;
    let urge_count = draft.order.urge_count;
    draft.tell(now, Fact::Urged { urge_count });
    let escalates = !std::mem::replace(&mut draft.order.urge_escalated, true);
    if escalates {
        let notify_roles = draft.order.terms.urge_roles.clone();
        draft.tell(now, Fact::Escalated { clock: String::new(), percent: 0, notify_roles });
    }
    draft.note(Action::Urge, now, [("count", urge_count.to_string()), ("escalated", escalates.to_string())]);
    Ok(draft.finish())
}
