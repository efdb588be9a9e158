//! Category and urgency are set by hand; clocks are computed anew from the original receipt (WO-11, WO-73).
//!
//! What stays: verdicts of stopped clocks, pauses, steps already taken, promises, and a breach once it was announced. A case that
//! turns out to be of another kind is converted: the clocks of its new kind start then (WO-07).

use jiff::Timestamp;

use super::actor::Actor;
use super::case::{CausedBy, Kind, Milestone, Urgency};
use super::clock::{BreachReason, ClockState, ClockStep, ClockTerms};
use super::context::Context;
use super::create::MANUAL;
use super::draft::Draft;
use super::history::Action;
use super::refusal::{Place, Refusal};
use super::roster::Bar;
use super::state::{State, Verb};
use super::terms::Terms;
use super::transition::{Fact, Transition};
use super::work_order::WorkOrder;

/// A classification by hand.
#[derive(Clone, Debug)]
pub struct Classify {
    /// Who.
    pub actor: Actor,
    /// What kind of case it turned out to be; `None` keeps the kind.
    pub kind: Option<Kind>,
    /// Category code of the estate's tree.
    pub category: String,
    /// Urgency.
    pub urgency: Urgency,
    /// What care did that it turned out to be about: something or nothing; `None` keeps what was said (WO-67).
    pub caused_by: Option<Option<CausedBy>>,
    /// Staff subjects whom it turned out to complain about; `None` keeps what was said (WO-79).
    pub accused: Option<Vec<String>>,
    /// Why, without personal data.
    pub reason: String,
}

/// Sets category and urgency.
///
/// # Errors
/// `StateForbids`, `CategoryUnknown`, `Barred` when whoever is accountable is among the accused or their line, `CalendarUnknown`.
pub fn classify(order: &WorkOrder, cmd: &Classify, ctx: &Context<'_>, now: Timestamp) -> Result<Transition, Refusal> {
    let mut draft = Draft::of(order, &cmd.actor, ctx, now);
    draft.permit(Verb::Classify)?;
    ctx.policies.category(&cmd.category).ok_or(Refusal::CategoryUnknown)?;
    if let Some(accused) = &cmd.accused {
        if draft.order.state.is_under_way() && order.assignee.as_ref().is_some_and(|assignee| ctx.lines.involve(accused, assignee)) {
            return Err(Refusal::Barred { bar: Bar::Accused, place: Place::of(&draft.order) });
        }
        draft.order.accused.clone_from(accused);
    }
    draft.settle(now);
    let is_first = draft.order.state == State::Received;
    if is_first {
        draft.order.state = State::Classified;
    }
    draft.order.category.clone_from(&cmd.category);
    draft.order.urgency = cmd.urgency;
    MANUAL.clone_into(&mut draft.order.classified_by);
    let converted = cmd.kind.filter(|kind| *kind != order.kind);
    if let Some(kind) = converted {
        draft.order.kind = kind;
        draft.order.convert_time = Some(now);
    }
    if let Some(caused_by) = &cmd.caused_by {
        draft.order.caused_by.clone_from(caused_by);
    }
    draft.order.terms = Terms::of(&draft.order, ctx);
    if converted.is_some() {
        start_anew(&mut draft, now)?;
    } else {
        rebind_open(&mut draft)?;
        start_missing(&mut draft)?;
    }
    if is_first {
        draft.reach(Milestone::Pushed, now)?;
    }
    draft.have_majority_judged();
    // Somebody else may suit it now.
    if (&order.category, order.kind, order.urgency, &order.accused) != (&cmd.category, draft.order.kind, cmd.urgency, &draft.order.accused)
    {
        draft.order.dispatch.restart();
    }
    draft.tell(now, Fact::Classified);
    let kinds = converted.map(|kind| (kind.to_string(), order.kind.to_string())).unwrap_or_default();
    let recaused = draft.order.caused_by != order.caused_by;
    let cause = |of: &WorkOrder| if recaused { CausedBy::code(of.caused_by.as_ref()) } else { String::new() };
    let accused = |of: &WorkOrder| if draft.order.accused == order.accused { String::new() } else { of.accused.join(",") };
    let detail = [
        ("accused", accused(&draft.order)),
        ("accused_before", accused(order)),
        ("caused_by", cause(&draft.order)),
        ("caused_by_before", cause(order)),
        ("kind", kinds.0),
        ("kind_before", kinds.1),
        ("category", cmd.category.clone()),
        ("urgency", cmd.urgency.to_string()),
        ("urgency_before", order.urgency.to_string()),
        ("reason", cmd.reason.clone()),
    ];
    draft.note(Action::Classify, now, detail);
    let open = draft.open_clocks();
    draft.take_steps(&open, now, true, Some(BreachReason::Reclassified));
    Ok(draft.finish())
}

/// The clocks of the old kind end, a promise apart; those of the new kind count from now, if what starts them has happened, and
/// what was done before does not stop them.
fn start_anew(draft: &mut Draft<'_>, now: Timestamp) -> Result<(), Refusal> {
    draft.void(now, |clock| !clock.terms.is_promise());
    for terms in draft.order.terms.clocks.clone() {
        let (Some(_), Some(limit)) = (draft.order.milestone_time(terms.start_on), terms.limit.clone()) else { continue };
        if terms.runs_in(draft.order.cycle) && !terms.is_promise() {
            draft.start(&terms, limit, now)?;
        }
    }
    Ok(())
}

/// Open clocks get their new terms, or end. A late one stays as it is: the breach is out, and a smaller urgency does not
/// unsay it.
pub(super) fn rebind_open(draft: &mut Draft<'_>) -> Result<(), Refusal> {
    for index in draft.open_clocks() {
        let clock = &draft.order.clocks[index];
        if clock.is_late() || clock.terms.is_promise() {
            continue;
        }
        let terms = draft.order.terms.clocks.iter().find(|terms| terms.clock == clock.name);
        match terms.filter(|terms| terms.start_on == clock.terms.start_on).cloned() {
            Some(terms) if terms == clock.terms => {}
            Some(terms) => rebind(draft, index, terms)?,
            None => draft.order.clocks[index].state = ClockState::Void,
        }
    }
    Ok(())
}

fn rebind(draft: &mut Draft<'_>, index: usize, terms: ClockTerms) -> Result<(), Refusal> {
    let Some(limit) = terms.limit.clone() else { return Ok(()) };
    let external_due = draft.order.external_due_of(&terms, draft.order.clocks[index].cycle);
    let clock = &mut draft.order.clocks[index];
    clock.external_due = external_due;
    let taken: Vec<u32> = clock.steps.iter().filter(|step| step.taken).map(|step| step.percent).collect();
    let step = |step: &super::policy::EscalationStep| ClockStep {
        percent: step.percent,
        notify_roles: step.notify_roles.clone(),
        due_time: None,
        taken: taken.contains(&step.percent),
    };
    clock.steps = terms.steps.iter().map(step).collect();
    clock.limit = limit;
    clock.terms = terms;
    clock.compute(&draft.order.suspensions, draft.ctx).map_err(|error| Refusal::of_calendar("clock", error))
}

/// Clocks that only the new terms have: they count from their milestone in this cycle, and are stopped already if what
/// stops them has happened.
pub(super) fn start_missing(draft: &mut Draft<'_>) -> Result<(), Refusal> {
    let cycle = draft.order.cycle;
    for terms in draft.order.terms.clocks.clone() {
        let has_run = draft
            .order
            .clocks
            .iter()
            .any(|clock| clock.cycle == cycle && clock.name == terms.clock && (clock.state != ClockState::Void || clock.is_late()));
        let (Some(start), Some(limit), false) = (draft.order.milestone_time(terms.start_on), terms.limit.clone(), has_run) else {
            continue;
        };
        if !terms.runs_in(cycle) {
            continue;
        }
        let index = draft.start(&terms, limit, start)?;
        let milestones = draft.order.milestones.iter().filter(|reached| reached.cycle == cycle && reached.at >= start);
        if let Some(stop) = milestones.filter(|reached| terms.stop_on.contains(&reached.milestone)).map(|reached| reached.at).min() {
            draft.take_steps(&[index], stop, false, Some(BreachReason::Reclassified));
            draft.stop(index, stop);
        }
    }
    Ok(())
}
