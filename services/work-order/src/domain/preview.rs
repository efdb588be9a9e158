//! What other rules would make of the clocks of an order. Nothing of it is ever written.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::actor;
use super::calendar_loaded::{CalendarLoaded, calendar_loaded};
use super::case::Milestone;
use super::clock::{Clock, ClockState, Verdict};
use super::context::Context;
use super::draft::Draft;
use super::refusal::Refusal;
use super::terms::Terms;
use super::work_order::WorkOrder;

/// The clocks of one order under the rules of now and under others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Compared {
    /// Clocks that either rules have, promises apart.
    pub clock_count: u32,
    /// Those that differ.
    pub differences: Vec<ClockDifference>,
}

/// One clock that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClockDifference {
    /// Name.
    pub clock: String,
    /// Cycle of the order.
    pub cycle: u32,
    /// What it is; `None` when the rules of now do not have it.
    pub before: Option<Standing>,
    /// What it would be; `None` when the other rules do not have it.
    pub after: Option<Standing>,
}

/// What is compared of a clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// When it is due; `None` while it stands still.
    pub due_time: Option<Timestamp>,
    /// Its verdict; an open one is late from its due time on, noticed or not.
    pub verdict: Option<Verdict>,
}

impl ClockDifference {
    /// Late under the other rules only.
    pub fn is_newly_late(&self) -> bool {
        late(self.after) && !late(self.before)
    }

    /// Late under the rules of now only.
    pub fn is_no_longer_late(&self) -> bool {
        late(self.before) && !late(self.after)
    }
}

fn late(standing: Option<Standing>) -> bool {
    standing.is_some_and(|standing| standing.verdict == Some(Verdict::Late))
}

/// The order as loading a calendar would leave it; `ctx` has the calendar already.
///
/// # Errors
/// `CalendarUnknown`.
pub fn under_calendar(order: &WorkOrder, loaded: &CalendarLoaded, ctx: &Context<'_>, now: Timestamp) -> Result<Compared, Refusal> {
    let then = calendar_loaded(order, loaded, ctx, now)?.order;
    Ok(compare(&order.clocks, &then.clocks, now))
}

/// The order as if the policies of `ctx` had been in force at its receipt: its milestones happen again, at the times at which they
/// happened. `None` for a case that was converted: what its milestones were for changed on the way.
///
/// # Errors
/// `CalendarUnknown`.
pub fn under_policies(order: &WorkOrder, ctx: &Context<'_>, now: Timestamp) -> Result<Option<Compared>, Refusal> {
    if order.convert_time.is_some() {
        return Ok(None);
    }
    let mut blank = order.clone();
    blank.clocks.clear();
    blank.milestones.clear();
    let bound = Terms::bind(ctx.policies, order.case(), order.customer_id.map(|_| order.id));
    blank.terms = bound.in_weather(ctx.policies, order.case(), order.receive_time);
    let mut draft = Draft::of(&blank, &actor::system(), ctx, now);
    draft.order.cycle = 1;
    for reached in &order.milestones {
        if reached.cycle != draft.order.cycle {
            draft.settle(reached.at);
            draft.void(reached.at, |_| true);
            draft.order.cycle = reached.cycle;
        }
        draft.reach(reached.milestone, reached.at)?;
        if reached.milestone == Milestone::Closed {
            draft.settle(reached.at);
            draft.void(reached.at, |clock| !clock.terms.stop_on.contains(&Milestone::CalledBack));
        }
    }
    if let Some(cancelled) = order.cancel_time {
        draft.settle(cancelled);
        draft.void(cancelled, |_| true);
    }
    Ok(Some(compare(&order.clocks, &draft.order.clocks, now)))
}

/// Runs of one name in one cycle are compared in their order; what was voided without a verdict is no run that counts.
fn compare(before: &[Clock], after: &[Clock], now: Timestamp) -> Compared {
    let mut runs: BTreeMap<(u32, &str, u32), [Option<Standing>; 2]> = BTreeMap::new();
    for (side, clocks) in [before, after].into_iter().enumerate() {
        let counted = clocks.iter().filter(|clock| !clock.terms.is_promise() && (clock.state != ClockState::Void || clock.is_late()));
        for clock in counted {
            runs.entry((clock.cycle, &clock.name, clock.generation)).or_default()[side] = Some(standing(clock, now));
        }
    }
    let clock_count = u32::try_from(runs.len()).unwrap_or(u32::MAX);
    let differing = runs.into_iter().filter(|(_, [before, after])| before != after);
    let differences =
        differing.map(|((cycle, name, _), [before, after])| ClockDifference { clock: name.to_owned(), cycle, before, after }).collect();
    Compared { clock_count, differences }
}

fn standing(clock: &Clock, now: Timestamp) -> Standing {
    let overdue = clock.is_open() && clock.due_time.is_some_and(|due| due < now);
    Standing { due_time: clock.due_time, verdict: if overdue { Some(Verdict::Late) } else { clock.verdict } }
}
