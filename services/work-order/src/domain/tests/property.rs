//! Whatever is done to an order in whatever order, and however late its timers fire.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use steward_kit::pii::Pii;

use super::super::*;
use super::plans::uplift;
use super::story::{CLERK, TECHNICIAN, World, fire, local, photo, report, staff, step_of};

#[derive(Clone, Debug)]
enum Move {
    Wait(i64),
    FireAll,
    Classify(usize, Urgency),
    Assign(u8),
    Accept,
    Contact { reached: bool, promise: bool, late_by: i64 },
    Assess { informed: bool, late_by: i64 },
    Arrive,
    Complete,
    CallBack(CallbackOutcome, u32),
    Reopen,
    Close,
    Cancel,
    Urge,
    Suspend(SuspensionReason),
    Resume,
}

const CATEGORIES: [&str; 3] = ["plumbing.burst_pipe", "cleaning.poor_cleaning", "other"];

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = prop_oneof![
        4 => (1..4000i64).prop_map(Move::Wait),
        1 => (4000..400_000i64).prop_map(Move::Wait),
        4 => Just(Move::FireAll),
        2 => (0..3usize, prop::sample::select(Urgency::ALL)).prop_map(|(category, urgency)| Move::Classify(category, urgency)),
        3 => (0..2u8).prop_map(Move::Assign),
        2 => Just(Move::Accept),
        3 => (any::<bool>(), any::<bool>(), 0..900i64).prop_map(|(reached, promise, late_by)| Move::Contact { reached, promise, late_by }),
        2 => (any::<bool>(), 0..900i64).prop_map(|(informed, late_by)| Move::Assess { informed, late_by }),
        2 => Just(Move::Arrive),
        3 => Just(Move::Complete),
        3 => (prop::sample::select(CallbackOutcome::ALL), 1..6u32).prop_map(|(outcome, score)| Move::CallBack(outcome, score)),
        1 => Just(Move::Reopen),
        1 => Just(Move::Close),
        1 => prop_oneof![9 => Just(Move::Urge), 1 => Just(Move::Cancel)],
        2 => prop::sample::select(SuspensionReason::ALL).prop_map(Move::Suspend),
        2 => Just(Move::Resume),
    ];
    prop::collection::vec(one, 0..60)
}

#[derive(Clone, Debug, PartialEq)]
struct Life {
    order: WorkOrder,
    events: Vec<DomainEvent>,
    history: Vec<HistoryEntry>,
}

fn take(world: &World, order: &WorkOrder, step: &Move, now: Timestamp) -> Result<Transition, Refusal> {
    let (ctx, technician, clerk) = (&world.ctx(), staff(TECHNICIAN), staff(CLERK));
    match step {
        Move::Wait(_) | Move::FireAll => unreachable!("is not a verb"),
        Move::Classify(category, urgency) => {
            let (category, reason) = (CATEGORIES[*category].into(), "x".into());
            classify(
                order,
                &Classify { actor: clerk, kind: None, category, urgency: *urgency, caused_by: None, accused: None, reason },
                ctx,
                now,
            )
        }
        Move::Assign(who) => {
            let assignee = if *who == 0 { TECHNICIAN.into() } else { "tech-2".into() };
            assign(order, &Assign { actor: clerk, assignee, over_limit_reason: String::new(), roles: Vec::new() }, ctx, now)
        }
        Move::Accept => accept(order, &Accept { actor: technician }, ctx, now),
        Move::Contact { reached, promise, late_by } => {
            let promise = promise.then(|| "2h".parse().expect("is a span"));
            let occur_time = Some(now - SignedDuration::from_secs(*late_by));
            contact(order, &ContactCustomer { actor: technician, occur_time, reached: *reached, promise, note: Pii::default() }, ctx, now)
        }
        Move::Assess { informed, late_by } => {
            let occur_time = Some(now - SignedDuration::from_secs(*late_by));
            assess(order, &Assess { actor: clerk, occur_time, plan: Pii::default(), customer_informed: *informed }, ctx, now)
        }
        Move::Arrive => arrive(order, &Arrive { actor: technician, occur_time: None }, ctx, now),
        Move::Complete => {
            let (summary, media) = (Pii::new("done".into()), vec![photo(MediaKind::After)]);
            complete(order, &Complete { actor: technician, occur_time: None, summary, media }, ctx, now)
        }
        Move::CallBack(outcome, score) => {
            let (improvement, mode) = (Pii::default(), CallbackMode::Phone);
            let cmd = RecordCallback { actor: clerk, occur_time: None, outcome: *outcome, score: *score, improvement, mode };
            record_callback(order, &cmd, ctx, now)
        }
        Move::Reopen => reopen(order, &Reopen { actor: clerk, reason: "x".into() }, ctx, now),
        Move::Close => close(order, &Close { actor: clerk, close_code: CloseCode::Resolved }, ctx, now),
        Move::Cancel => cancel(order, &Cancel { actor: clerk, close_code: CloseCode::Withdrawn, reason: "x".into() }, ctx, now),
        Move::Urge => urge(order, &Urge { actor: clerk }, ctx, now),
        Move::Suspend(reason) => suspend(order, &Suspend { actor: technician, reason: *reason }, ctx, now),
        Move::Resume => resume(order, &Resume { actor: technician }, ctx, now),
    }
}

/// Plays a life, checking every step.
fn live(world: &World, cmd: &Create, moves: &[Move]) -> Result<Life, TestCaseError> {
    let mut now = local("2026-03-02 08:00");
    let mut timers = BTreeMap::new();
    let born = create(cmd, &world.ctx(), now).expect("is taken in");
    let mut life = Life { order: born.order.clone(), events: Vec::new(), history: Vec::new() };
    settle(&mut life, &mut timers, born)?;
    for step in moves {
        if let Move::Wait(seconds) = step {
            now += SignedDuration::from_secs(*seconds);
        } else if matches!(step, Move::FireAll) {
            while let Some((key, _)) = timers.iter().find(|(_, due)| **due <= now).map(|(key, due)| (Clone::clone(key), *due)) {
                timers.remove(&key);
                let fired = fire(&life.order, key, &world.ctx(), now).expect("is computed");
                settle(&mut life, &mut timers, fired)?;
            }
        } else if let Ok(transition) = take(world, &life.order, step, now) {
            settle(&mut life, &mut timers, transition)?;
        }
    }
    Ok(life)
}

fn settle(life: &mut Life, timers: &mut BTreeMap<TimerKey, Timestamp>, transition: Transition) -> Result<(), TestCaseError> {
    for change in transition.timers {
        match change {
            TimerChange::Set { timer, due } => timers.insert(timer, due),
            TimerChange::Cancel { timer } => timers.remove(&timer),
            TimerChange::Wake { .. } => None,
        };
    }
    life.order = transition.order;
    life.events.extend(transition.events);
    life.history.extend(transition.history);
    let order = &life.order;
    prop_assert_eq!(&*timers, &order.pending_timers(), "timers are those of the open clocks");
    prop_assert!(order.auto_close_time.is_none() || order.state == State::Completed, "only a completed order is waited for");
    let mut open: Vec<_> = order.open_clocks().map(|clock| (&clock.name, clock.cycle)).collect();
    let count = open.len();
    open.dedup();
    prop_assert_eq!(open.len(), count, "one open run of a name");
    prop_assert!(order.open_clocks().all(|clock| clock.cycle == order.cycle), "open clocks are of the present cycle");
    for clock in &order.clocks {
        let paused = order.suspension().is_some_and(|suspension| clock.terms.pauses_on.contains(&suspension.reason));
        prop_assert_eq!(clock.state == ClockState::Paused, clock.is_open() && paused, "{}", clock.name);
        prop_assert_eq!(clock.state == ClockState::Stopped, clock.stop_time.is_some());
        prop_assert!(clock.state != ClockState::Stopped || clock.verdict.is_some(), "a stopped clock has a verdict");
        prop_assert!(clock.verdict != Some(Verdict::Late) || clock.last_step_percent() >= BREACH, "late clocks have breached");
    }
    prop_assert!(!order.is_suspended() || allowed(order.state, true).contains(&Verb::Resume), "a suspension can be ended");
    let worked = [State::Assigned, State::Accepted, State::Contacted, State::OnSite, State::Completed, State::Closed];
    prop_assert_eq!(
        order.assignee.is_some(),
        worked.contains(&order.state) || (order.state == State::Cancelled && order.assignee.is_some())
    );
    prop_assert_eq!(order.close_code.is_some(), matches!(order.state, State::Closed | State::Cancelled));
    prop_assert_eq!(order.allowed_actions() == [Verb::RecordCallback], order.state == State::Cancelled);
    prop_assert_eq!(verify(order.id, [0; 32], &life.history), Ok(order.history_hash));
    Ok(())
}

/// How often each step of each run was published, by (clock, cycle, percent); runs of one cycle are told apart by count.
fn steps(life: &Life) -> BTreeMap<(String, u32, u32), usize> {
    let mut seen = BTreeMap::new();
    for event in &life.events {
        let Some((clock, percent)) = step_of(&event.fact) else { continue };
        let key = (clock.to_owned(), event.order.cycle, percent);
        *seen.entry(key).or_default() += 1;
    }
    seen
}

/// A run and what became of it.
type Fate<'a> = (&'a str, u32, u32, ClockState, Option<Timestamp>, Option<Verdict>);

fn verdicts(life: &Life) -> Vec<Fate<'_>> {
    let clocks = life.order.clocks.iter();
    clocks.map(|run| (run.name.as_str(), run.cycle, run.generation, run.state, run.stop_time, run.verdict)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// WO-42, WO-44, WO-45
    #[test]
    fn no_sequence_of_verbs_breaks_an_order(moves in moves(), complaint in any::<bool>()) {
        let world = World::of(uplift());
        let cmd = report(if complaint { Kind::Complaint } else { Kind::Repair }, "漏水");
        let life = live(&world, &cmd, &moves)?;
        for ((clock, cycle, percent), count) in steps(&life) {
            let runs = life.order.clocks.iter().filter(|run| run.name == clock && run.cycle == cycle).count();
            prop_assert!(count <= runs.max(1), "{clock} of cycle {cycle} took {percent} % {count} times in {runs} runs");
        }
        let again = live(&world, &cmd, &moves)?;
        prop_assert_eq!(life, again, "the same moves make the same life");
    }

    /// WO-44, XC-26: verdicts come from event times, never from when a timer was noticed.
    #[test]
    fn verdicts_do_not_depend_on_when_timers_fire(moves in moves(), complaint in any::<bool>()) {
        let world = World::of(uplift());
        let cmd = report(if complaint { Kind::Complaint } else { Kind::Repair }, "漏水");
        let verbs: Vec<Move> = moves.into_iter().filter(|step| !matches!(step, Move::FireAll)).collect();
        let prompt: Vec<Move> = verbs.iter().flat_map(|step| [step.clone(), Move::FireAll]).collect();
        let asleep: Vec<Move> = verbs.into_iter().chain([Move::FireAll]).collect();
        let (prompt, asleep) = (live(&world, &cmd, &prompt)?, live(&world, &cmd, &asleep)?);
        prop_assert_eq!(verdicts(&prompt), verdicts(&asleep));
    }
}
