//! How one clock moves: computed, stopped, stepped. All by event times, so that the result does not depend on when a
//! timer was noticed.

use jiff::Timestamp;
use steward_kit::calendar::{CalendarError, Pause, Span, Timeline};

use super::clock::{BREACH, Clock, ClockState, ClockStep, ClockTerms, DueBasis, Verdict};
use super::context::Context;
use super::suspension::Suspension;

impl Clock {
    /// A run that starts at `start`. `compute` before use.
    pub(super) fn started(terms: &ClockTerms, limit: Span, cycle: u32, generation: u32, start: Timestamp) -> Self {
        let step = |step: &super::policy::EscalationStep| ClockStep {
            percent: step.percent,
            notify_roles: step.notify_roles.clone(),
            due_time: None,
            taken: false,
        };
        Self {
            name: terms.clock.clone(),
            cycle,
            generation,
            state: ClockState::Running,
            start_time: start,
            due_time: None,
            stop_time: None,
            verdict: None,
            breach_reason: None,
            limit,
            appointment_end: None,
            external_due: None,
            provisional_years: Vec::new(),
            steps: terms.steps.iter().map(step).collect(),
            terms: terms.clone(),
        }
    }

    /// The course of the clock: what its due time, steps and explanation are read from.
    pub(super) fn timeline(&self, suspensions: &[Suspension], ctx: &Context<'_>) -> Result<Timeline, CalendarError> {
        Timeline::compute(ctx.calendars, self.start_time, &self.limit, ctx.zone, &self.pauses(suspensions))
    }

    /// Sets due times from the start, the limit and the suspensions. Open clocks pause or run as the last suspension says.
    pub(super) fn compute(&mut self, suspensions: &[Suspension], ctx: &Context<'_>) -> Result<(), CalendarError> {
        let timeline = self.timeline(suspensions, ctx)?;
        let (due, basis) = self.due_by(&timeline);
        self.due_time = due;
        self.provisional_years = timeline.provisional_years().to_vec();
        for step in &mut self.steps {
            step.due_time = match basis {
                DueBasis::Limit | DueBasis::Promise => timeline.at_percent(step.percent),
                DueBasis::Appointment | DueBasis::External => due.map(|end| share_of(self.start_time, end, step.percent)),
            };
        }
        if self.is_open() {
            let stands_still = suspensions.last().is_some_and(|last| last.to.is_none() && self.is_paused_by(last));
            // What an authority wants is wanted also while the work stands still.
            self.state = if stands_still && basis != DueBasis::External { ClockState::Paused } else { ClockState::Running };
        }
        Ok(())
    }

    /// When the run is due, and what decides that: its limit, an appointment after it, and before them what an authority wants. A time
    /// that had passed when the run began is due at once.
    pub(super) fn due_by(&self, timeline: &Timeline) -> (Option<Timestamp>, DueBasis) {
        let own = timeline.due_time().at();
        let (due, basis) = match self.appointment_end.filter(|end| own.is_some_and(|due| due < *end)) {
            Some(end) => (Some(end), DueBasis::Appointment),
            None => (own, if self.terms.is_promise() { DueBasis::Promise } else { DueBasis::Limit }),
        };
        match self.external_due.map(|wanted| wanted.max(self.start_time)) {
            Some(wanted) if due.is_none_or(|due| wanted < due) => (Some(wanted), DueBasis::External),
            Some(_) | None => (due, basis),
        }
    }

    /// Whether the run waits for `milestone` at that time in that cycle.
    pub(super) fn stops_on(&self, milestone: super::case::Milestone, at: Timestamp, cycle: u32) -> bool {
        self.is_open() && self.cycle == cycle && at >= self.start_time && self.terms.stop_on.contains(&milestone)
    }

    /// The verdict of a stop at `at`: what happens at the due instant is in time.
    pub(super) fn verdict_at(&self, at: Timestamp) -> Verdict {
        match self.due_time {
            Some(due) if at > due => Verdict::Late,
            Some(_) | None => Verdict::Kept,
        }
    }

    /// Whether the due time passed unstopped.
    pub(super) fn is_late(&self) -> bool {
        self.verdict == Some(Verdict::Late)
    }

    /// Positions of the untaken steps that were due while the clock ran, up to `until` (with it if `inclusive`).
    pub(super) fn steps_due(&self, until: Timestamp, inclusive: bool) -> Vec<(Timestamp, usize)> {
        let due = |step: &ClockStep| step.due_time.filter(|due| *due < until || (inclusive && *due == until));
        let untaken = self.steps.iter().enumerate().filter(|(_, step)| !step.taken);
        untaken.filter_map(|(at, step)| Some((due(step)?, at))).collect()
    }

    /// Forgets a breach that a corrected calendar has revoked, so that a true one can come.
    pub(super) fn revoke_breach(&mut self, now: Timestamp) {
        self.verdict = None;
        self.breach_reason = None;
        for step in &mut self.steps {
            if step.percent >= BREACH && step.due_time.is_none_or(|due| due > now) {
                step.taken = false;
            }
        }
    }

    fn is_paused_by(&self, suspension: &Suspension) -> bool {
        suspension.counts() && self.terms.pauses_on.contains(&suspension.reason)
    }

    /// The suspensions that pause this clock, as far as they lie behind its start. Once stopped, later ones are not its own.
    fn pauses(&self, suspensions: &[Suspension]) -> Vec<Pause> {
        let own = suspensions.iter().filter(|suspension| self.is_paused_by(suspension));
        own.filter(|suspension| suspension.to.is_none_or(|to| to > self.start_time))
            .filter(|suspension| self.stop_time.is_none_or(|stop| suspension.from < stop))
            .map(|suspension| Pause::new(suspension.from.max(self.start_time), suspension.to, suspension.reason.as_str()))
            .collect()
    }
}

/// The instant at that percentage of the way to an appointment, or to what an authority wants; such a run has no other limit to be a
/// share of.
fn share_of(start: Timestamp, end: Timestamp, percent: u32) -> Timestamp {
    let way = end.as_second().saturating_sub(start.as_second());
    let share = way.saturating_mul(i64::from(percent)) / i64::from(BREACH);
    // Exactly the end at 100 %, whatever its fraction of a second.
    if percent == BREACH { end } else { start.saturating_add(jiff::SignedDuration::from_secs(share)).unwrap_or(end) }
}
