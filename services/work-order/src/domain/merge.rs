//! Several reports of one matter (WO-39): the duplicates end, the lead goes on, and their reporters hear what came of it.
//!
//! Clocks of a duplicate no longer apply from the merge on: nothing of it escalates. Its callback falls due when the lead is completed.

use jiff::Timestamp;
use steward_kit::ids::WorkOrderId;

use super::actor::{self, Actor};
use super::case::Milestone;
use super::context::Context;
use super::draft::Draft;
use super::history::Action;
use super::lineage::MOST_DUPLICATES;
use super::refusal::{Place, Refusal};
use super::state::{State, Step, Verb, step};
use super::terms::CALLBACK_CLOCK;
use super::transition::{Fact, TimerKey, Transition};
use super::work_order::{CloseCode, WorkOrder};

/// Orders are taken into one that leads.
#[derive(Clone, Debug)]
pub struct Lead {
    /// Who.
    pub actor: Actor,
    /// What it leads from now on, in order.
    pub duplicates: Vec<WorkOrderId>,
}

/// An order becomes a duplicate.
#[derive(Clone, Debug)]
pub struct Merge<'a> {
    /// Who.
    pub actor: Actor,
    /// What it is merged into, as it is then.
    pub lead: &'a WorkOrder,
}

/// Takes duplicates in.
///
/// # Errors
/// `StateForbids`, `AlreadyMerged`, `TooManyDuplicates`.
pub fn lead(order: &WorkOrder, cmd: &Lead, ctx: &Context<'_>, now: Timestamp) -> Result<Transition, Refusal> {
    let mut draft = Draft::of(order, &cmd.actor, ctx, now);
    refuse_merged(order)?;
    draft.permit(Verb::Lead)?;
    draft.order.lineage.duplicates.extend(&cmd.duplicates);
    if draft.order.lineage.duplicates.len() > MOST_DUPLICATES {
        return Err(Refusal::TooManyDuplicates { place: Place::of(&draft.order) });
    }
    let ids: Vec<String> = cmd.duplicates.iter().map(ToString::to_string).collect();
    draft.note(Action::Lead, now, [("duplicates", ids.join(","))]);
    Ok(draft.finish())
}

/// Ends an order as the duplicate of another. What was late before stays late.
///
/// # Errors
/// `StateForbids`, `AlreadyMerged`, `CalendarUnknown`.
pub fn merge(order: &WorkOrder, cmd: &Merge<'_>, ctx: &Context<'_>, now: Timestamp) -> Result<Transition, Refusal> {
    let mut draft = Draft::of(order, &cmd.actor, ctx, now);
    refuse_merged(order)?;
    draft.permit(Verb::Merge)?;
    draft.settle(now);
    draft.void(now, |_| true);
    draft.end_suspension(now);
    draft.order.state = State::Cancelled;
    draft.order.close_code = Some(CloseCode::Duplicate);
    draft.order.cancel_time = Some(now);
    draft.order.lineage.duplicate_of = Some(cmd.lead.id);
    // Those whom it led are the other's from now on.
    draft.order.lineage.duplicates.clear();
    draft.clear_major(now);
    if settled(cmd.lead).is_some() {
        draft.order.lineage.settle_time = Some(now);
        draft.owe_callback(now)?;
    }
    draft.tell(now, Fact::Cancelled { close_code: CloseCode::Duplicate, lead_number: cmd.lead.number.clone() });
    draft.note(Action::Merge, now, [("duplicate_of", cmd.lead.id.to_string())]);
    Ok(draft.finish())
}

/// A duplicate follows when its lead is merged into another.
pub fn follow_to(order: &WorkOrder, cmd: &Merge<'_>, ctx: &Context<'_>, now: Timestamp) -> Transition {
    let mut draft = Draft::of(order, &cmd.actor, ctx, now);
    draft.order.lineage.duplicate_of = Some(cmd.lead.id);
    draft.note(Action::Merge, now, [("duplicate_of", cmd.lead.id.to_string())]);
    draft.finish()
}

/// Something became of the lead: it was completed, ended or opened again. A callback is owed from the completion on to every reporter who
/// has not said yet that they are content; while the lead is open again nobody is asked. A timer that fired for what was told already makes
/// an empty transition.
///
/// # Errors
/// `CalendarUnknown`.
pub fn follow_lead(order: &WorkOrder, lead: Option<&WorkOrder>, ctx: &Context<'_>, now: Timestamp) -> Result<Transition, Refusal> {
    let mut draft = Draft::of(order, &actor::system(), ctx, now);
    draft.note_fired(TimerKey::FollowLead);
    let Some(lead) = lead.filter(|lead| order.lineage.duplicate_of == Some(lead.id)) else { return Ok(draft.finish()) };
    let settled = settled(lead);
    if settled == order.lineage.settle_time {
        return Ok(draft.finish());
    }
    draft.order.lineage.settle_time = settled;
    draft.settle(now);
    match settled {
        None => {
            draft.void(now, |clock| clock.name == CALLBACK_CLOCK);
            draft.note(Action::FollowLead, now, [("lead", lead.id.to_string()), ("lead_state", lead.state.to_string())]);
        }
        Some(at) => {
            if !is_content(order) {
                draft.owe_callback(at)?;
            }
            draft.tell(at, Fact::DuplicateSettled { lead: lead.id, lead_number: lead.number.clone() });
            draft.note(Action::FollowLead, at, [("lead", lead.id.to_string()), ("lead_state", lead.state.to_string())]);
        }
    }
    Ok(draft.finish())
}

/// The reporter of a duplicate is dissatisfied with what came of the matter: it is opened again, as if its own reporter had said so (WO-31).
/// An order that is open anyway, or closed for too long, makes an empty transition.
///
/// # Errors
/// `CalendarUnknown`.
pub fn hear_dissent(order: &WorkOrder, ctx: &Context<'_>, now: Timestamp) -> Result<Transition, Refusal> {
    let mut draft = Draft::of(order, &actor::system(), ctx, now);
    draft.note_fired(TimerKey::Dissent);
    draft.close_if_silent()?;
    let allowed = step(draft.order.state, draft.order.is_suspended(), Verb::Reopen) != Step::Refused;
    if allowed && !draft.reopening_is_too_late()? {
        super::reopen::reopen_in(&mut draft, now, "duplicate_dissatisfied")?;
    }
    Ok(draft.finish())
}

/// When the matter of an order was done with; `None` while it is open.
fn settled(order: &WorkOrder) -> Option<Timestamp> {
    match order.state {
        State::Completed | State::Closed => order.milestone_time(Milestone::Completed),
        State::Cancelled => order.cancel_time,
        State::Received | State::Classified | State::Assigned | State::Accepted | State::Contacted | State::OnSite | State::Reopened => {
            None
        }
    }
}

/// Whether the reporter of a duplicate has said all there is to say: they were reached, and what they said reopens nothing.
fn is_content(order: &WorkOrder) -> bool {
    let bad = order.terms.callback.as_ref().map_or(0, |terms| terms.reopen_at_score);
    let last = order.callbacks.iter().rfind(|callback| callback.score > 0);
    last.is_some_and(|callback| callback.score > bad)
}

fn refuse_merged(order: &WorkOrder) -> Result<(), Refusal> {
    match order.lineage.duplicate_of {
        Some(lead) => Err(Refusal::AlreadyMerged { lead, place: Place::of(order) }),
        None => Ok(()),
    }
}

impl Draft<'_> {
    /// The callback that the policy asks for falls due from `at`.
    pub(super) fn owe_callback(&mut self, at: Timestamp) -> Result<(), Refusal> {
        let callback = self.order.terms.clocks.iter().find(|terms| terms.clock == CALLBACK_CLOCK).cloned();
        if let Some(terms) = callback
            && let Some(limit) = terms.limit.clone()
        {
            self.start(&terms, limit, at)?;
        }
        Ok(())
    }

    /// Something became of the order: its duplicates follow, each by a timer of its own that is due at once.
    pub(super) fn have_duplicates_follow(&mut self) {
        let now = self.now;
        for duplicate in self.order.lineage.duplicates.clone() {
            self.wake(duplicate, TimerKey::FollowLead, now);
        }
    }
}
