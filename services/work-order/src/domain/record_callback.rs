//! One callback attempt (WO-25 to WO-31).

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use steward_kit::pii::Pii;

use super::actor::{Actor, ActorKind};
use super::case::Milestone;
use super::context::Context;
use super::draft::Draft;
use super::history::Action;
use super::plausible::event_time;
use super::policy::Attempts;
use super::refusal::{Place, Refusal};
use super::reopen::reopen_in;
use super::roster::Bar;
use super::state::{Step, Verb};
use super::transition::{Fact, TimerKey, Transition};
use super::work_order::{Callback, CallbackMode, CallbackOutcome, WorkOrder};

/// A callback attempt.
#[derive(Clone, Debug)]
pub struct RecordCallback {
    /// Who called, or the customer who filled in the form.
    pub actor: Actor,
    /// When; `None` means now.
    pub occur_time: Option<Timestamp>,
    /// What came of it.
    pub outcome: CallbackOutcome,
    /// 1 to 5; only when reached.
    pub score: u32,
    /// What could be improved.
    pub improvement: Pii<String>,
    /// How.
    pub mode: CallbackMode,
}

/// Records an attempt. A bad score reopens the order in the same step, unless it ended without work; attempts that cover what the policy asks for make
/// the customer unreachable, which settles the obligation too.
///
/// # Errors
/// `StateForbids`, `CallbackByWorker`, `Barred` when the order complains about the caller or their line, `ScoreRequired`, `TimeNotPlausible`, `CalendarUnknown`.
pub fn record_callback(order: &WorkOrder, cmd: &RecordCallback, ctx: &Context<'_>, now: Timestamp) -> Result<Transition, Refusal> {
    let mut draft = Draft::of(order, &cmd.actor, ctx, now);
    let step = draft.permit(Verb::RecordCallback)?;
    if cmd.actor.kind == ActorKind::Staff && order.workers.contains(&cmd.actor.subject) {
        return Err(Refusal::CallbackByWorker { place: Place::of(&draft.order) });
    }
    if cmd.actor.kind == ActorKind::Staff && ctx.lines.involve(&order.accused, &cmd.actor.subject) {
        return Err(Refusal::Barred { bar: Bar::Accused, place: Place::of(&draft.order) });
    }
    let reached = cmd.outcome == CallbackOutcome::Reached;
    if reached && !(1..=5).contains(&cmd.score) {
        return Err(Refusal::ScoreRequired);
    }
    let follows = order.milestone_time(Milestone::Completed).unwrap_or(order.cycle_start());
    let at = event_time(order, cmd.occur_time, follows, ctx, now)?;
    let score = if reached { cmd.score } else { 0 };
    draft.order.callbacks.push(Callback {
        cycle: order.cycle,
        outcome: cmd.outcome,
        score,
        improvement: cmd.improvement.clone(),
        at,
        actor: cmd.actor.clone(),
        mode: cmd.mode,
    });
    let attempts = order.terms.callback.as_ref().map(|terms| terms.attempts);
    let unreachable = match cmd.outcome {
        CallbackOutcome::Reached | CallbackOutcome::Refused => false,
        CallbackOutcome::NoAnswer | CallbackOutcome::WrongNumber => {
            attempts.is_some_and(|attempts| is_exhausted(&draft.order, attempts, ctx.zone))
        }
    };
    let settles = match cmd.outcome {
        CallbackOutcome::Reached | CallbackOutcome::Refused => true,
        CallbackOutcome::NoAnswer | CallbackOutcome::WrongNumber => unreachable,
    };
    if settles {
        draft.reach(Milestone::CalledBack, at)?;
    }
    draft.tell(at, Fact::CallbackRecorded { outcome: cmd.outcome, score });
    let told = |shown: bool, text: String| if shown { text } else { String::new() };
    let detail = [
        ("outcome", cmd.outcome.to_string()),
        ("score", told(reached, score.to_string())),
        ("result", told(unreachable, "unreachable".to_owned())),
    ];
    draft.note(Action::RecordCallback, at, detail);
    let may_reopen = matches!(step, Step::Maybe(_));
    let dissatisfied = reached && order.terms.callback.as_ref().is_some_and(|terms| score <= terms.reopen_at_score);
    if let Some(lead) = order.lineage.duplicate_of.filter(|_| dissatisfied) {
        draft.wake(lead, TimerKey::Dissent, now);
    }
    if dissatisfied && may_reopen {
        reopen_in(&mut draft, at, "dissatisfied")?;
    }
    Ok(draft.finish())
}

/// Whether the failed attempts of the present cycle cover what the policy asks for (WO-30).
fn is_exhausted(order: &WorkOrder, wanted: Attempts, zone: &TimeZone) -> bool {
    let failed: Vec<&Callback> = order
        .callbacks
        .iter()
        .filter(|callback| callback.cycle == order.cycle)
        .filter(|callback| match callback.outcome {
            CallbackOutcome::NoAnswer | CallbackOutcome::WrongNumber => true,
            CallbackOutcome::Reached | CallbackOutcome::Refused => false,
        })
        .collect();
    let local = |callback: &&Callback| zone.to_datetime(callback.at);
    let days: BTreeSet<_> = failed.iter().map(|callback| local(callback).date()).collect();
    let bands: BTreeSet<u8> = failed.iter().map(|callback| band(local(callback).hour())).collect();
    let covers = |have: usize, want: u32| u32::try_from(have).unwrap_or(u32::MAX) >= want;
    covers(failed.len(), wanted.min_count) && covers(bands.len(), wanted.min_time_bands) && covers(days.len(), wanted.min_days)
}

/// Morning to noon, afternoon to 18:00, evening: what the words mean, not a number of a plan.
const fn band(hour: i8) -> u8 {
    match hour {
        ..12 => 0,
        12..18 => 1,
        18.. => 2,
    }
}
