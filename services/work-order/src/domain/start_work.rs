//! The work on site begins, once what the policy asks for is confirmed (WO-47, WO-49).

use jiff::Timestamp;

use super::actor::Actor;
use super::case::Milestone;
use super::context::Context;
use super::draft::Draft;
use super::field_work::WorkStart;
use super::history::Action;
use super::plausible::event_time;
use super::refusal::{Place, Refusal};
use super::state::{State, Verb};
use super::transition::{Fact, Transition};
use super::work_order::WorkOrder;

/// A start of work.
#[derive(Clone, Debug)]
pub struct StartWork {
    /// Who; must be the assignee.
    pub actor: Actor,
    /// When; `None` means now.
    pub occur_time: Option<Timestamp>,
    /// Points of the checklist that are confirmed.
    pub checked: Vec<String>,
}

/// Begins the work on site.
///
/// # Errors
/// `StateForbids`, `NotTheAssignee`, `ChecklistIncomplete`, `QuoteUnconfirmed`, `TimeNotPlausible`, `CalendarUnknown`.
pub fn start_work(order: &WorkOrder, cmd: &StartWork, ctx: &Context<'_>, now: Timestamp) -> Result<Transition, Refusal> {
    let mut draft = Draft::of(order, &cmd.actor, ctx, now);
    draft.permit(Verb::StartWork)?;
    draft.only_assignee()?;
    let follows = order.milestone_time(Milestone::Arrived).unwrap_or(order.cycle_start()).max(order.cycle_start());
    let at = event_time(order, cmd.occur_time, follows, ctx, now)?;
    let missing: Vec<String> = order.terms.checklist.iter().filter(|point| !cmd.checked.contains(point)).cloned().collect();
    if !missing.is_empty() {
        return Err(Refusal::ChecklistIncomplete { missing });
    }
    if order.owes_confirmed_quote() {
        return Err(Refusal::QuoteUnconfirmed { place: Place::of(order) });
    }
    draft.note_worker();
    let checked = cmd.checked.clone();
    let count = checked.len().to_string();
    draft.order.field.starts.push(WorkStart { cycle: order.cycle, at, actor: cmd.actor.clone(), checked });
    draft.tell(at, Fact::WorkStarted);
    draft.note(Action::StartWork, at, [("checked", count)]);
    Ok(draft.finish())
}

impl WorkOrder {
    /// The work costs money, and the customer has not agreed to what it costs.
    pub(super) fn owes_confirmed_quote(&self) -> bool {
        !self.terms.prices.is_empty() && self.field.quote(self.cycle).is_none_or(|quote| quote.confirmed.is_none())
    }

    /// Refuses to end work on site that never began as the policy asks. Work without a visit needs no checklist, but no less a
    /// customer who agreed to its price.
    pub(super) fn check_started(&self) -> Result<(), Refusal> {
        if self.owes_confirmed_quote() {
            return Err(Refusal::QuoteUnconfirmed { place: Place::of(self) });
        }
        if self.state == State::OnSite && !self.terms.checklist.is_empty() && self.field.start(self.cycle).is_none() {
            return Err(Refusal::WorkNotStarted { place: Place::of(self) });
        }
        Ok(())
    }
}
