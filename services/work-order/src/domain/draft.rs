//! A transition while it is put together: the order as it becomes, and what follows from it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use steward_kit::calendar::Span;
use steward_kit::ids::WorkOrderId;

use super::actor::{self, Actor, ActorKind};
use super::case::Milestone;
use super::clock::{BREACH, BreachReason, Clock, ClockState, ClockTerms, Verdict};
use super::context::Context;
use super::history::{Action, HistoryEntry};
use super::refusal::{Place, Refusal};
use super::roster::{Bar, Take};
use super::state::{Step, Verb, step};
use super::transition::{DomainEvent, Fact, OrderFacts, TimerChange, TimerKey, Transition, timer_changes};
use super::work_order::{Reached, WorkOrder};

/// Codes of a history line.
pub(super) type Detail = BTreeMap<String, String>;

/// The order as it becomes, with the facts and history lines collected on the way.
pub(super) struct Draft<'a> {
    pub(super) order: WorkOrder,
    pub(super) ctx: &'a Context<'a>,
    pub(super) now: Timestamp,
    actor: Actor,
    events: Vec<DomainEvent>,
    history: Vec<HistoryEntry>,
    timers_before: BTreeMap<TimerKey, Timestamp>,
    fired: Option<TimerKey>,
    take: Option<Take>,
    /// Timers of other orders.
    woken: Vec<TimerChange>,
    /// Verdicts given on the way, for the history line of the verb.
    verdicts: Detail,
}

impl<'a> Draft<'a> {
    /// A draft of an order that exists.
    pub(super) fn of(order: &WorkOrder, actor: &Actor, ctx: &'a Context<'a>, now: Timestamp) -> Self {
        Self { timers_before: order.pending_timers(), ..Self::of_new(order.clone(), actor, ctx, now) }
    }

    /// A draft of an order that begins.
    pub(super) fn of_new(order: WorkOrder, actor: &Actor, ctx: &'a Context<'a>, now: Timestamp) -> Self {
        Self {
            order,
            ctx,
            now,
            actor: actor.clone(),
            events: Vec::new(),
            history: Vec::new(),
            timers_before: BTreeMap::new(),
            fired: None,
            take: None,
            woken: Vec::new(),
            verdicts: Detail::new(),
        }
    }

    /// What the state table says of the verb, unless it refuses. A silence or a pause that is over by now ends first.
    pub(super) fn permit(&mut self, verb: Verb) -> Result<Step, Refusal> {
        self.close_if_silent()?;
        self.resume_if_over()?;
        match step(self.order.state, self.order.is_suspended(), verb) {
            Step::Refused => Err(Refusal::StateForbids { verb, place: Place::of(&self.order) }),
            allowed @ (Step::Stays | Step::To(_) | Step::Maybe(_)) => Ok(allowed),
        }
    }

    /// Whether the actor is accountable for the order now.
    pub(super) fn is_by_assignee(&self) -> bool {
        self.actor.kind == ActorKind::Staff && self.order.assignee.as_deref() == Some(self.actor.subject.as_str())
    }

    /// Refuses everybody but the assignee.
    pub(super) fn only_assignee(&self) -> Result<(), Refusal> {
        if self.is_by_assignee() { Ok(()) } else { Err(Refusal::NotTheAssignee { place: Place::of(&self.order) }) }
    }

    /// The actor has worked on this cycle.
    pub(super) fn note_worker(&mut self) {
        if !self.order.workers.contains(&self.actor.subject) {
            self.order.workers.push(self.actor.subject.clone());
        }
    }

    /// Refused for that reason.
    pub(super) fn barred(&self, bar: Bar) -> Refusal {
        Refusal::Barred { bar, place: Place::of(&self.order) }
    }

    /// Whoever becomes accountable stands in the roster as they were looked at, or not at all.
    pub(super) fn note_take(&mut self) {
        self.take = self.ctx.taker.map(|candidate| Take { principal: candidate.worker.principal.clone(), takes: candidate.takes });
    }

    /// That timer fired: it no longer exists.
    pub(super) fn note_fired(&mut self, timer: TimerKey) {
        self.fired = Some(timer);
    }

    /// Another order has something to do: a timer of its own is due then.
    pub(super) fn wake(&mut self, order: WorkOrderId, timer: TimerKey, due: Timestamp) {
        self.woken.push(TimerChange::Wake { order, timer, due });
    }

    /// Does something in the name of this service, whoever the actor is.
    pub(super) fn as_system<T>(&mut self, act: impl FnOnce(&mut Self) -> T) -> T {
        let actor = std::mem::replace(&mut self.actor, actor::system());
        let done = act(self);
        self.actor = actor;
        done
    }

    /// Publishes a fact about the order as it is at this moment of the draft.
    pub(super) fn tell(&mut self, occur_time: Timestamp, fact: Fact) {
        let (order, actor) = (OrderFacts::of(&self.order), self.actor.clone());
        self.events.push(DomainEvent { occur_time, actor, order, fact });
    }

    /// Adds a line to the history, with the verdicts given since the last one.
    pub(super) fn note<const N: usize>(&mut self, action: Action, occur_time: Timestamp, detail: [(&str, String); N]) {
        let mut all = std::mem::take(&mut self.verdicts);
        all.extend(detail.into_iter().filter(|(_, value)| !value.is_empty()).map(|(key, value)| (key.to_owned(), value)));
        self.write(action, occur_time, all);
    }

    /// A milestone happened at `at`: clocks that wait for it stop, clocks that it starts start.
    pub(super) fn reach(&mut self, milestone: Milestone, at: Timestamp) -> Result<(), Refusal> {
        self.reach_with(milestone, at, None)
    }

    /// The same for a promise, which is the limit of the clocks that it starts.
    pub(super) fn reach_with(&mut self, milestone: Milestone, at: Timestamp, promise: Option<&Span>) -> Result<(), Refusal> {
        let cycle = self.order.cycle;
        self.order.milestones.push(Reached { milestone, cycle, at });
        for index in 0..self.order.clocks.len() {
            if self.order.clocks[index].stops_on(milestone, at, cycle) {
                self.stop(index, at);
            }
        }
        let starting: Vec<ClockTerms> =
            self.order.terms.clocks.iter().filter(|terms| terms.start_on == milestone && terms.runs_in(cycle)).cloned().collect();
        for terms in starting {
            let Some(limit) = promise.or(terms.limit.as_ref()).cloned() else { continue };
            self.start(&terms, limit, at)?;
        }
        Ok(())
    }

    /// Starts a run of a clock. An open run of the same name gives way to it; what that one was late with stays.
    pub(super) fn start(&mut self, terms: &ClockTerms, limit: Span, at: Timestamp) -> Result<usize, Refusal> {
        let cycle = self.order.cycle;
        let of_name = |clock: &Clock| clock.name == terms.clock && clock.cycle == cycle;
        if let Some(open) = self.order.clocks.iter().position(|clock| of_name(clock) && clock.is_open()) {
            self.take_steps(&[open], at, true, None);
            self.void_one(open, at);
        }
        let generation = self.order.clocks.iter().filter(|clock| of_name(clock)).map(|clock| clock.generation).max().unwrap_or(0) + 1;
        let mut clock = Clock::started(terms, limit, cycle, generation, at);
        clock.appointment_end = self.order.field.appointment(cycle).filter(|_| terms.moves_to_appointment).map(|made| made.end);
        clock.external_due = self.order.external_due_of(terms, cycle);
        clock.compute(&self.order.suspensions, self.ctx).map_err(|error| Refusal::of_calendar("clock", error))?;
        self.order.clocks.push(clock);
        Ok(self.order.clocks.len() - 1)
    }

    /// Stops a run by an event at `at`. Steps that were due before it are taken first, also when their timer is late; a
    /// breach that was noticed before the event was told is taken back if the event was in time.
    pub(super) fn stop(&mut self, index: usize, at: Timestamp) {
        self.take_steps(&[index], at, false, None);
        let clock = &mut self.order.clocks[index];
        let verdict = clock.verdict_at(at);
        let corrected = clock.is_late() && verdict == Verdict::Kept;
        clock.state = ClockState::Stopped;
        clock.stop_time = Some(at);
        clock.verdict = Some(verdict);
        if verdict == Verdict::Kept {
            clock.breach_reason = None;
        }
        let name = clock.name.clone();
        if corrected {
            self.note_correction(index, at);
        }
        self.verdicts.insert(format!("clock.{name}"), verdict.to_string());
    }

    /// Takes the steps of every open clock that are due by then: before clocks are paused, recomputed or voided.
    pub(super) fn settle(&mut self, until: Timestamp) {
        let open = self.open_clocks();
        self.take_steps(&open, until, true, None);
    }

    /// Positions of the clocks still waiting for their stop.
    pub(super) fn open_clocks(&self) -> Vec<usize> {
        (0..self.order.clocks.len()).filter(|index| self.order.clocks[*index].is_open()).collect()
    }

    /// Voids the open clocks that `stale` picks: they ceased to matter at `at`. What was late by then stays late. `settle`
    /// first.
    pub(super) fn void(&mut self, at: Timestamp, stale: impl Fn(&Clock) -> bool) {
        for index in self.open_clocks() {
            if stale(&self.order.clocks[index]) {
                self.void_one(index, at);
            }
        }
    }

    /// A breach between `at` and now was noticed only because the end was told late: it is taken back.
    fn void_one(&mut self, index: usize, at: Timestamp) {
        let clock = &mut self.order.clocks[index];
        clock.state = ClockState::Void;
        if clock.is_late() && clock.due_time.is_some_and(|due| due > at) {
            clock.verdict = None;
            clock.breach_reason = None;
            self.note_correction(index, at);
        }
    }

    /// The verdict of a clock is another than was published.
    fn note_correction(&mut self, index: usize, at: Timestamp) {
        let clock = &self.order.clocks[index];
        let detail = Detail::from([
            ("clock".to_owned(), clock.name.clone()),
            ("cycle".to_owned(), clock.cycle.to_string()),
            ("verdict".to_owned(), clock.verdict.map_or("none", Verdict::as_str).to_owned()),
        ]);
        self.write(Action::ClockCorrected, at, detail);
    }

    /// Computes open clocks anew, after a suspension began or ended.
    pub(super) fn recompute_open(&mut self) -> Result<(), Refusal> {
        let suspensions = &self.order.suspensions;
        for clock in self.order.clocks.iter_mut().filter(|clock| clock.is_open()) {
            clock.compute(suspensions, self.ctx).map_err(|error| Refusal::of_calendar("clock", error))?;
        }
        Ok(())
    }

    /// The work no longer stands still. Never ends before it began, whatever the clocks of two replicas say.
    pub(super) fn end_suspension(&mut self, at: Timestamp) {
        if let Some(last) = self.order.suspensions.last_mut().filter(|last| last.to.is_none()) {
            last.to = Some(at.max(last.from));
        }
    }

    /// Takes untaken steps of these clocks in the order in which they were due; each is an event at its own instant.
    pub(super) fn take_steps(&mut self, clocks: &[usize], until: Timestamp, inclusive: bool, reason: Option<BreachReason>) {
        let mut due: Vec<(Timestamp, usize, usize)> = Vec::new();
        for index in clocks {
            let steps = self.order.clocks[*index].steps_due(until, inclusive);
            due.extend(steps.into_iter().map(|(at, step)| (at, *index, step)));
        }
        due.sort_unstable();
        for (at, clock, step) in due {
            self.take_step(clock, step, at, reason);
        }
    }

    fn take_step(&mut self, index: usize, step: usize, at: Timestamp, reason: Option<BreachReason>) {
        let clock = &mut self.order.clocks[index];
        clock.steps[step].taken = true;
        let (percent, notify_roles) = (clock.steps[step].percent, clock.steps[step].notify_roles.clone());
        let (name, due_time) = (clock.name.clone(), clock.due_time.unwrap_or(at));
        let mut detail = Detail::from([
            ("clock".to_owned(), name.clone()),
            ("cycle".to_owned(), clock.cycle.to_string()),
            ("percent".to_owned(), percent.to_string()),
        ]);
        if percent == BREACH {
            clock.verdict = Some(Verdict::Late);
            clock.breach_reason = reason;
            detail.extend(reason.map(|reason| ("reason".to_owned(), reason.to_string())));
        }
        let (action, fact) = match percent.cmp(&BREACH) {
            std::cmp::Ordering::Less => (Action::ClockWarned, Fact::ClockWarned { clock: name, percent, due_time, notify_roles }),
            std::cmp::Ordering::Equal => (Action::ClockLate, Fact::ClockBreached { clock: name, due_time, notify_roles }),
            std::cmp::Ordering::Greater => (Action::ClockEscalated, Fact::Escalated { clock: name, percent, notify_roles }),
        };
        let (order, actor) = (OrderFacts::of(&self.order), actor::system());
        self.events.push(DomainEvent { occur_time: at, actor: actor.clone(), order, fact });
        self.write_by(actor, action, at, detail);
    }

    /// Adds a history line of the actor without the collected verdicts.
    pub(super) fn write(&mut self, action: Action, occur_time: Timestamp, detail: Detail) {
        self.write_by(self.actor.clone(), action, occur_time, detail);
    }

    fn write_by(&mut self, actor: Actor, action: Action, occur_time: Timestamp, detail: Detail) {
        let mut entry = HistoryEntry {
            position: self.order.history_position + 1,
            action,
            state: self.order.state,
            actor,
            occur_time,
            record_time: self.now,
            detail,
            hash: [0; 32],
        };
        entry.hash = entry.expected_hash(self.order.id, &self.order.history_hash);
        self.order.history_position = entry.position;
        self.order.history_hash = entry.hash;
        self.history.push(entry);
    }

    /// The transition.
    pub(super) fn finish(mut self) -> Transition {
        self.look_for_somebody();
        let mut timers = timer_changes(self.timers_before, self.order.pending_timers(), self.fired.as_ref());
        timers.append(&mut self.woken);
        if !self.history.is_empty() {
            self.order.update_time = self.now;
        }
        Transition { order: self.order, events: self.events, timers, history: self.history, take: self.take }
    }
}
