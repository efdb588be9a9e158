//! The clocks of an order: data. What moves them is in `clock_run.rs` and `draft.rs`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use steward_kit::calendar::Span;
use steward_kit::codes;

use super::case::{Milestone, SuspensionReason};
use super::policy::{EscalationStep, PolicySource};

codes! {
    /// Where a clock stands.
    ClockState {
        /// Time runs.
        Running = "running",
        /// Time stands still for a suspension.
        Paused = "paused",
        /// Its stop milestone happened.
        Stopped = "stopped",
        /// It no longer applies; without a verdict unless it was late already.
        Void = "void",
    }
}

codes! {
    /// Whether a limit was kept; decided by event times.
    Verdict {
        /// Stopped at or before the due time.
        Kept = "kept",
        /// The due time passed first.
        Late = "late",
    }
}

codes! {
    /// Why a clock is late, when not by time alone.
    BreachReason {
        /// The limit became shorter after the fact (WO-73).
        Reclassified = "reclassified",
        /// The order was split off another after the fact.
        Split = "split",
    }
}

codes! {
    /// What decides when a clock is due.
    DueBasis {
        /// The limit of the policy.
        Limit = "limit",
        /// What was promised.
        Promise = "promise",
        /// The end of the appointment (WO-18).
        Appointment = "appointment",
        /// Until when an authority wants its answer (WO-68).
        External = "external",
    }
}

/// The breach is the step at this percentage. Every clock has it, whether the ladder names it or not.
pub const BREACH: u32 = 100;

/// What a clock of the order is to be, bound at creation: later editions of the policy never touch it (WO-73).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockTerms {
    /// Name of the clock.
    pub clock: String,
    /// What starts it.
    pub start_on: Milestone,
    /// What stops it.
    pub stop_on: Vec<Milestone>,
    /// How long; `None` for a clock of promises, where the promise is the limit.
    pub limit: Option<Span>,
    /// Reasons that pause it.
    pub pauses_on: Vec<SuspensionReason>,
    /// Ladder, ascending, the breach included.
    pub steps: Vec<EscalationStep>,
    /// Not started again by a reopening.
    pub first_cycle_only: bool,
    /// Due no earlier than the end of the appointment (WO-18).
    #[serde(default)]
    pub moves_to_appointment: bool,
    /// Due no later than an authority wants its answer (WO-68).
    #[serde(default)]
    pub heeds_external_due: bool,
    /// The policy version that decided.
    pub source: PolicySource,
}

/// One run of a clock. At most one run of a name is open in a cycle; its key for timers is (`name`, `cycle`), its key as
/// a row is (`cycle`, `name`, `generation`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clock {
    /// Name in the policy.
    pub name: String,
    /// Cycle of the order.
    pub cycle: u32,
    /// Which run in that cycle, from 1.
    pub generation: u32,
    /// Where it stands.
    pub state: ClockState,
    /// When it started.
    pub start_time: Timestamp,
    /// When it is due; `None` while a pause comes first.
    pub due_time: Option<Timestamp>,
    /// When its stop milestone happened.
    pub stop_time: Option<Timestamp>,
    /// Whether it was kept.
    pub verdict: Option<Verdict>,
    /// Why it is late.
    pub breach_reason: Option<BreachReason>,
    /// The limit of this run: the policy's, or the promise.
    pub limit: Span,
    /// The end of the appointment that it moves to; it is due no earlier (WO-18).
    #[serde(default)]
    pub appointment_end: Option<Timestamp>,
    /// Until when an authority wants its answer, if the run heeds that; it is due no later (WO-68).
    #[serde(default)]
    pub external_due: Option<Timestamp>,
    /// Years not announced that the due time rests on; not empty means provisional (XC-20).
    pub provisional_years: Vec<i16>,
    /// Ladder and what became of it, ascending.
    pub steps: Vec<ClockStep>,
    /// What it was bound to.
    pub terms: ClockTerms,
}

/// One step of a running ladder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockStep {
    /// Per cent of the limit.
    pub percent: u32,
    /// Roles told.
    pub notify_roles: Vec<String>,
    /// When it is due; `None` while a pause comes first.
    pub due_time: Option<Timestamp>,
    /// Taken; each step is taken once, at most.
    pub taken: bool,
}

impl Clock {
    /// Whether its stop milestone is still awaited.
    pub const fn is_open(&self) -> bool {
        match self.state {
            ClockState::Running | ClockState::Paused => true,
            ClockState::Stopped | ClockState::Void => false,
        }
    }

    /// Whether the due time rests on a year that is not announced.
    pub fn is_provisional(&self) -> bool {
        !self.provisional_years.is_empty()
    }

    /// The percentage of the last step taken; 0 before the first.
    pub fn last_step_percent(&self) -> u32 {
        self.steps.iter().filter(|step| step.taken).map(|step| step.percent).max().unwrap_or(0)
    }

    /// When the next untaken step is due: what its one timer waits for. `None` when it is not running or has none left.
    pub fn next_step_time(&self) -> Option<Timestamp> {
        match self.state {
            ClockState::Running => self.steps.iter().filter(|step| !step.taken).filter_map(|step| step.due_time).min(),
            ClockState::Paused | ClockState::Stopped | ClockState::Void => None,
        }
    }
}
