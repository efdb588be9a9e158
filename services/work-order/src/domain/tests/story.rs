//! Plays an order's life with a movable clock and perfect timers.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use steward_kit::calendar::Calendars;
use steward_kit::ids::{CustomerId, EstateId, WorkOrderId};
use steward_kit::pii::Pii;

use super::super::*;

pub(super) const TECHNICIAN: &str = "tech-1";
pub(super) const DISPATCHER: &str = "dispatcher-1";
pub(super) const CLERK: &str = "clerk-1";

pub(super) fn staff(subject: &str) -> Actor {
    Actor::new(ActorKind::Staff, subject)
}

/// An instant given as local time in Shanghai: `2026-03-02 02:00`.
pub(super) fn local(text: &str) -> Timestamp {
    let civil: jiff::civil::DateTime = text.parse().expect("is a local time");
    shanghai().to_timestamp(civil).expect("exists")
}

pub(super) fn shanghai() -> TimeZone {
    TimeZone::get("Asia/Shanghai").expect("is bundled")
}

pub(super) struct World {
    pub(super) policies: Policies,
    pub(super) calendars: Calendars,
    pub(super) zone: TimeZone,
}

impl World {
    pub(super) fn of(policies: Policies) -> Self {
        Self { policies, calendars: Calendars::shipped(), zone: shanghai() }
    }

    pub(super) fn ctx(&self) -> Context<'_> {
        Context { policies: &self.policies, calendars: &self.calendars, zone: &self.zone, lines: &NO_LINES, taker: None }
    }
}

pub(super) fn report(kind: Kind, text: &str) -> Create {
    Create {
        id: WorkOrderId::new(),
        number: "WO-2026-000001".into(),
        estate_id: EstateId::new(),
        unit_id: None,
        customer_id: Some(CustomerId::new()),
        kind,
        channel: Channel::App,
        description: Pii::new(text.into()),
        location: Pii::default(),
        media: Vec::new(),
        category: None,
        urgency: None,
        occur_time: None,
        caused_by: None,
        origin: None,
        accused: Vec::new(),
        source: None,
        actor: Actor::new(ActorKind::Customer, "customer-1"),
    }
}

pub(super) struct Story {
    pub(super) world: World,
    pub(super) order: WorkOrder,
    pub(super) now: Timestamp,
    pub(super) events: Vec<DomainEvent>,
    pub(super) history: Vec<HistoryEntry>,
    /// Whom the order may come to.
    pub(super) roster: Roster,
    timers: BTreeMap<TimerKey, Timestamp>,
}

impl Story {
    pub(super) fn begin(policies: Policies, at: &str, cmd: &Create) -> Self {
        let world = World::of(policies);
        let now = local(at);
        let begun = create(cmd, &world.ctx(), now).expect("is taken in");
        let order = begun.order.clone();
        let mut story =
            Self { world, order, now, events: Vec::new(), history: Vec::new(), roster: Roster::default(), timers: BTreeMap::new() };
        story.apply(begun);
        story
    }

    /// Time passes; timers fire at the instant for which they are set.
    pub(super) fn at(&mut self, text: &str) -> &mut Self {
        let until = local(text);
        while let Some((timer, due)) = self.timers.iter().min_by_key(|(_, due)| **due).map(|(key, due)| (key.clone(), *due)) {
            if due > until {
                break;
            }
            self.now = self.now.max(due);
            self.fire_timer(timer);
        }
        self.now = until;
        self
    }

    /// Time passes while nothing works: timers stay where they are.
    pub(super) fn asleep_until(&mut self, text: &str) -> &mut Self {
        self.now = local(text);
        self
    }

    pub(super) fn fire(&mut self, clock: &str, cycle: u32) {
        self.fire_timer(TimerKey::Clock { clock: clock.into(), cycle });
    }

    pub(super) fn fire_timer(&mut self, timer: TimerKey) {
        self.timers.remove(&timer);
        let ctx = self.world.ctx();
        let fired = if timer == TimerKey::Dispatch {
            dispatch_due(&self.order, &self.roster, &ctx, self.now)
        } else {
            fire(&self.order, timer, &ctx, self.now)
        };
        let fired = fired.expect("is computed");
        self.apply(fired);
    }

    pub(super) fn apply(&mut self, transition: Transition) {
        for change in transition.timers {
            match change {
                TimerChange::Set { timer, due } => self.timers.insert(timer, due),
                TimerChange::Cancel { timer } => self.timers.remove(&timer),
                TimerChange::Wake { .. } => None,
            };
        }
        self.order = transition.order;
        self.events.extend(transition.events);
        self.history.extend(transition.history);
        assert_eq!(self.timers, self.order.pending_timers(), "timers are those of the open clocks");
        assert_eq!(verify(self.order.id, [0; 32], &self.history), Ok(self.order.history_hash));
    }

    pub(super) fn attempt(
        &mut self,
        verb: impl FnOnce(&WorkOrder, &Context<'_>, Timestamp) -> Result<Transition, Refusal>,
    ) -> Result<(), Refusal> {
        let transition = verb(&self.order, &self.world.ctx(), self.now)?;
        self.apply(transition);
        Ok(())
    }

    pub(super) fn assign(&mut self) -> Result<(), Refusal> {
        self.assign_to(TECHNICIAN)
    }

    pub(super) fn assign_to(&mut self, assignee: &str) -> Result<(), Refusal> {
        let cmd = Assign { actor: staff(DISPATCHER), assignee: assignee.into(), over_limit_reason: String::new(), roles: Vec::new() };
        self.attempt(|order, ctx, now| assign(order, &cmd, ctx, now))
    }

    pub(super) fn accept(&mut self) -> Result<(), Refusal> {
        let cmd = Accept { actor: staff(TECHNICIAN) };
        self.attempt(|order, ctx, now| accept(order, &cmd, ctx, now))
    }

    pub(super) fn contact(&mut self, reached: bool, promise: Option<&str>) -> Result<(), Refusal> {
        self.contact_by(staff(TECHNICIAN), None, reached, promise)
    }

    pub(super) fn contact_by(
        &mut self,
        actor: Actor,
        occur_time: Option<Timestamp>,
        reached: bool,
        promise: Option<&str>,
    ) -> Result<(), Refusal> {
        let promise = promise.map(|span| span.parse().expect("is a span"));
        let cmd = ContactCustomer { actor, occur_time, reached, promise, note: Pii::default() };
        self.attempt(|order, ctx, now| contact(order, &cmd, ctx, now))
    }

    pub(super) fn assess(&mut self, customer_informed: bool) -> Result<(), Refusal> {
        let cmd = Assess { actor: staff(CLERK), occur_time: None, plan: Pii::new("send a plumber".into()), customer_informed };
        self.attempt(|order, ctx, now| assess(order, &cmd, ctx, now))
    }

    pub(super) fn arrive(&mut self) -> Result<(), Refusal> {
        let cmd = Arrive { actor: staff(TECHNICIAN), occur_time: None };
        self.attempt(|order, ctx, now| arrive(order, &cmd, ctx, now))
    }

    pub(super) fn complete(&mut self) -> Result<(), Refusal> {
        self.complete_with(vec![photo(MediaKind::After)])
    }

    pub(super) fn complete_with(&mut self, media: Vec<MediaRef>) -> Result<(), Refusal> {
        let cmd = Complete { actor: staff(TECHNICIAN), occur_time: None, summary: Pii::new("replaced the joint".into()), media };
        self.attempt(|order, ctx, now| complete(order, &cmd, ctx, now))
    }

    pub(super) fn call_back(&mut self, actor: &str, outcome: CallbackOutcome, score: u32) -> Result<(), Refusal> {
        let cmd = RecordCallback {
            actor: staff(actor),
            occur_time: None,
            outcome,
            score,
            improvement: Pii::default(),
            mode: CallbackMode::Phone,
        };
        self.attempt(|order, ctx, now| record_callback(order, &cmd, ctx, now))
    }

    pub(super) fn reopen(&mut self) -> Result<(), Refusal> {
        let cmd = Reopen { actor: staff(CLERK), reason: "not_fixed".into() };
        self.attempt(|order, ctx, now| reopen(order, &cmd, ctx, now))
    }

    pub(super) fn close(&mut self) -> Result<(), Refusal> {
        self.close_as(staff(CLERK), CloseCode::Resolved)
    }

    pub(super) fn close_as(&mut self, actor: Actor, close_code: CloseCode) -> Result<(), Refusal> {
        let cmd = Close { actor, close_code };
        self.attempt(|order, ctx, now| close(order, &cmd, ctx, now))
    }

    pub(super) fn cancel(&mut self, close_code: CloseCode) -> Result<(), Refusal> {
        let cmd = Cancel { actor: staff(CLERK), close_code, reason: "call of 10:02".into() };
        self.attempt(|order, ctx, now| cancel(order, &cmd, ctx, now))
    }

    pub(super) fn urge(&mut self) -> Result<(), Refusal> {
        let cmd = Urge { actor: Actor::new(ActorKind::Customer, "customer-1") };
        self.attempt(|order, ctx, now| urge(order, &cmd, ctx, now))
    }

    pub(super) fn suspend(&mut self, reason: SuspensionReason) -> Result<(), Refusal> {
        let cmd = Suspend { actor: staff(TECHNICIAN), reason };
        self.attempt(|order, ctx, now| suspend(order, &cmd, ctx, now))
    }

    pub(super) fn resume(&mut self) -> Result<(), Refusal> {
        let cmd = Resume { actor: staff(TECHNICIAN) };
        self.attempt(|order, ctx, now| resume(order, &cmd, ctx, now))
    }

    pub(super) fn classify(&mut self, category: &str, urgency: Urgency) -> Result<(), Refusal> {
        let (category, reason) = (category.into(), "read again".into());
        let cmd = Classify { actor: staff(CLERK), kind: None, category, urgency, caused_by: None, accused: None, reason };
        self.attempt(|order, ctx, now| classify(order, &cmd, ctx, now))
    }

    pub(super) fn convert(&mut self, kind: Kind) -> Result<(), Refusal> {
        let (category, urgency) = (self.order.category.clone(), self.order.urgency);
        let cmd = Classify {
            actor: staff(CLERK),
            kind: Some(kind),
            category,
            urgency,
            caused_by: None,
            accused: None,
            reason: "complains".into(),
        };
        self.attempt(|order, ctx, now| classify(order, &cmd, ctx, now))
    }

    pub(super) fn load_year(&mut self, year: i16) {
        let loaded = calendar_loaded(&self.order, &CalendarLoaded::Year(year), &self.world.ctx(), self.now).expect("is computed");
        self.apply(loaded);
    }

    /// The run of the clock that counts.
    pub(super) fn clock(&self, name: &str) -> &Clock {
        self.order.clock(name, 0).unwrap_or_else(|| panic!("no clock {name}"))
    }

    /// Instants at which the clock warned, broke and escalated.
    pub(super) fn steps_of(&self, name: &str) -> Vec<(u32, Timestamp)> {
        let step =
            |event: &DomainEvent| step_of(&event.fact).filter(|(clock, _)| *clock == name).map(|(_, percent)| (percent, event.occur_time));
        self.events.iter().filter_map(step).collect()
    }
}

/// What a timer does that fires.
pub(super) fn fire(order: &WorkOrder, timer: TimerKey, ctx: &Context<'_>, now: Timestamp) -> Result<Transition, Refusal> {
    match timer {
        TimerKey::Clock { clock, cycle } => clock_due(order, &ClockDue { clock, cycle }, ctx, now),
        TimerKey::AutoClose { cycle } => auto_close_due(order, AutoCloseDue { cycle }, ctx, now),
        TimerKey::JudgeMajor => judge_major(order, &BTreeMap::new(), ctx, now),
        TimerKey::MajorWindow => major_window_over(order, ctx, now),
        TimerKey::PauseOver => pause_over(order, ctx, now),
        TimerKey::Dispatch => dispatch_due(order, &Roster::default(), ctx, now),
        TimerKey::CallbackForm => callback_form_due(order, ctx, now),
        TimerKey::FollowLead => follow_lead(order, None, ctx, now),
        TimerKey::Dissent => hear_dissent(order, ctx, now),
    }
}

/// The clock and the percentage of a fact that is a step of a ladder.
pub(super) fn step_of(fact: &Fact) -> Option<(&str, u32)> {
    if let Fact::ClockWarned { clock, percent, .. } | Fact::Escalated { clock, percent, .. } = fact {
        return Some((clock, *percent));
    }
    if let Fact::ClockBreached { clock, .. } = fact { Some((clock, BREACH)) } else { None }
}

pub(super) fn photo(kind: MediaKind) -> MediaRef {
    MediaRef { key: "orders/1/after.jpg".into(), sha256: "00".repeat(32), kind: Some(kind) }
}
