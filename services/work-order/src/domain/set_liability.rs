//! The staff say whose matter a case is (WO-50). Rules for that liability hold from then on.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::actor::Actor;
use super::case::{Liability, Milestone};
use super::classify::{rebind_open, start_missing};
use super::clock::BreachReason;
use super::context::Context;
use super::draft::Draft;
use super::history::Action;
use super::refusal::Refusal;
use super::state::Verb;
use super::terms::Terms;
use super::transition::{Fact, Transition};
use super::work_order::WorkOrder;

/// What was said of a case's liability.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Liable {
    /// Whose matter it is.
    pub liability: Liability,
    /// Why, without personal data.
    pub reason: String,
    /// When it was said.
    pub at: Timestamp,
    /// Who said it.
    pub actor: Actor,
}

/// A word on the liability.
#[derive(Clone, Debug)]
pub struct SetLiability {
    /// Who.
    pub actor: Actor,
    /// Whose matter it is.
    pub liability: Liability,
    /// Why, without personal data.
    pub reason: String,
}

/// Sets the liability. Clocks of the liability before that the new one does not have end; a late one stays late.
///
/// # Errors
/// `StateForbids`, `CalendarUnknown`.
pub fn set_liability(order: &WorkOrder, cmd: &SetLiability, ctx: &Context<'_>, now: Timestamp) -> Result<Transition, Refusal> {
    let mut draft = Draft::of(order, &cmd.actor, ctx, now);
    draft.permit(Verb::SetLiability)?;
    draft.settle(now);
    draft.order.liable = Some(Liable { liability: cmd.liability, reason: cmd.reason.clone(), at: now, actor: cmd.actor.clone() });
    draft.order.terms = Terms::of(&draft.order, ctx);
    rebind_open(&mut draft)?;
    draft.reach(Milestone::LiabilitySet, now)?;
    start_missing(&mut draft)?;
    draft.tell(now, Fact::LiabilitySet { liability: cmd.liability });
    let before = order.liable.as_ref().map(|liable| liable.liability.to_string()).unwrap_or_default();
    let detail = [("liability", cmd.liability.to_string()), ("liability_before", before), ("reason", cmd.reason.clone())];
    draft.note(Action::SetLiability, now, detail);
    let open = draft.open_clocks();
    draft.take_steps(&open, now, true, Some(BreachReason::Reclassified));
    Ok(draft.finish())
}
