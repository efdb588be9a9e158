//! What the figures of the quarter must be, counted from the generator's own cases by the words of `domain/metrics.md`: no code of the
//! product counts here.

use std::collections::BTreeSet;

use jiff::Timestamp;
use steward_proto::common::v1::WorkOrderKind as Kind;

use super::{
    care::{AGREED_IN_AUGUST, AGREED_IN_JUNE, BULLETIN_HOMES, TALKED},
    cases::{Callback, Case, Cycle, End, minutes},
    days::{Days, hour, time},
    register::{self, DELIVERED, HANDED_OVER, HOMES, count},
    voices::{Voice, first_wave, second_wave},
};

/// A figure as a fraction; a denominator of 0 means that there is no data.
pub(super) type Fraction = (i64, i64);

/// A mean of seconds, as a fraction.
fn mean(seconds: &[i64]) -> Fraction {
    (seconds.iter().sum(), count(seconds.len()))
}

/// How many of all hold.
fn share<T>(all: &[T], holds: impl Fn(&T) -> bool) -> Fraction {
    (count(all.iter().filter(|one| holds(one)).count()), count(all.len()))
}

fn is_real(case: &Case) -> bool {
    !matches!(case.end, End::Invalid(_))
}

fn is_worked(case: &Case) -> bool {
    !matches!(case.end, End::Invalid(_) | End::Withdrawn(_))
}

/// Cases of a kind that happened in the period.
fn received(cases: &[Case], kind: Kind, days: Days) -> Vec<&Case> {
    cases.iter().filter(|case| case.kind == kind && days.has(case.received)).collect()
}

/// Cycles of a kind that were completed in the period.
fn completed(cases: &[Case], kind: Option<Kind>, days: Days) -> Vec<(&Case, usize, &Cycle)> {
    let of_kind = cases.iter().filter(|case| kind.is_none_or(|kind| case.kind == kind));
    let cycles = of_kind.flat_map(|case| case.cycles.iter().enumerate().map(move |(at, cycle)| (case, at, cycle)));
    cycles.filter(|(_, _, cycle)| cycle.completed.is_some_and(|at| days.has(at))).collect()
}

/// F-05a: distinct homes that complained, of all that are managed.
pub(super) fn complaint_rate(cases: &[Case], days: Days) -> Fraction {
    let homes: BTreeSet<usize> =
        received(cases, Kind::Complaint, days).into_iter().filter(|case| is_real(case)).map(|case| case.unit).collect();
    (count(homes.len()), count(HOMES))
}

/// WO-21: from receipt to the first answer by a human.
pub(super) fn first_response(cases: &[Case], days: Days) -> Fraction {
    let all = received(cases, Kind::Complaint, days);
    let took: Vec<i64> = all.iter().filter_map(|case| Some(case.cycles[0].contacted?.duration_since(case.received).as_secs())).collect();
    mean(&took)
}

/// From the report of a repair to the first arrival.
pub(super) fn repair_wait(cases: &[Case], days: Days) -> Fraction {
    let all = received(cases, Kind::Repair, days);
    let took: Vec<i64> = all.iter().filter_map(|case| Some(case.cycles[0].arrived?.duration_since(case.received).as_secs())).collect();
    mean(&took)
}

/// F-07: resolved and not objected to by the cut-off.
pub(super) fn resolution(cases: &[Case], days: Days, cut_off: Timestamp) -> Fraction {
    let all: Vec<&Case> = received(cases, Kind::Complaint, days).into_iter().filter(|case| is_worked(case)).collect();
    share(&all, |case| {
        let last = case.cycles.last().expect("a cycle");
        let objects = matches!(last.callback, Callback::Score(_, score) if score <= 2);
        let explained = matches!(case.end, End::Explained(_));
        case.closed().is_some_and(|at| at <= cut_off) && !objects && !explained
    })
}

/// F-07b: closed in any way, of what was no mistake.
pub(super) fn handled(cases: &[Case], days: Days) -> Fraction {
    let all: Vec<&Case> = received(cases, Kind::Complaint, days).into_iter().filter(|case| is_real(case)).collect();
    share(&all, |case| case.closed().is_some() || matches!(case.end, End::Withdrawn(_)))
}

/// F-07c: from receipt to the last close, less what it stood still.
pub(super) fn handling_time(cases: &[Case], days: Days) -> Fraction {
    let closed = cases.iter().filter(|case| case.kind == Kind::Complaint).filter_map(|case| {
        let at = case.closed().filter(|at| days.has(*at))?;
        let still = case.suspended.map_or(0, |(from, to)| to.duration_since(from).as_secs());
        Some(at.duration_since(case.received).as_secs() - still)
    });
    mean(&closed.collect::<Vec<_>>())
}

/// F-01 at the callback: the last score of each repair whose cycle was completed in the period.
pub(super) fn repair_csat(cases: &[Case], days: Days) -> Fraction {
    let scores: Vec<u32> = completed(cases, Some(Kind::Repair), days)
        .into_iter()
        .filter_map(|(case, at, cycle)| match cycle.callback {
            Callback::Score(_, score) if !case.cycles[at + 1..].iter().any(|later| matches!(later.callback, Callback::Score(..))) => {
                Some(score)
            }
            Callback::Score(..) | Callback::Never | Callback::Refused(_) | Callback::Exhausted(_) => None,
        })
        .collect();
    share(&scores, |score| *score >= 4)
}

/// The loop is closed: the customer was heard after the last completion.
pub(super) fn feedback_loop(cases: &[Case], days: Days) -> Fraction {
    let last: Vec<_> = completed(cases, None, days).into_iter().filter(|(case, at, _)| at + 1 == case.cycles.len()).collect();
    share(&last, |(_, _, cycle)| cycle.callback.reached().is_some())
}

/// F-08 under service-uplift: complaints whose callback was due in the period, a day after completion, and of what was no real case a day
/// after that was said (§10.1); reached or properly tried by then.
pub(super) fn attempted_in_window(cases: &[Case], days: Days) -> Fraction {
    let due = |case: &Case, cycle: &Cycle| {
        let told = if let End::Invalid(at) = case.end { Some(at) } else { None };
        cycle.completed.or(told).map(|at| at + minutes(24 * 60))
    };
    let of_complaints = cases.iter().filter(|case| case.kind == Kind::Complaint);
    let all: Vec<(Timestamp, Option<Timestamp>)> = of_complaints
        .flat_map(|case| case.cycles.iter().filter_map(move |cycle| Some((due(case, cycle)?, cycle.callback.settled()))))
        .filter(|(due, _)| days.has(*due))
        .collect();
    share(&all, |(due, settled)| settled.is_some_and(|at| at <= *due))
}

/// WO-56: the share of all reports that come from 8 to 10 and from 18 to 20. Orders that low scores asked for are reports too.
pub(super) fn peak(cases: &[Case], days: Days, asked: &[Timestamp]) -> Fraction {
    let real = cases.iter().filter(|case| days.has(case.received) && is_real(case)).map(|case| case.received);
    let all: Vec<Timestamp> = real.chain(asked.iter().copied()).collect();
    share(&all, |at| matches!(hour(*at), 8 | 9 | 18 | 19))
}

/// A deadline of service-uplift.
struct Deadline {
    due: Timestamp,
    reached: Option<Timestamp>,
    /// When the order was cancelled, so that nothing was owed any more.
    ended: Option<Timestamp>,
}

/// F-06: of the cases with a deadline in the period, those that kept every one of them.
fn timely(cases: &[Case], days: Days, now: Timestamp, deadlines: impl Fn(&Case) -> Vec<Deadline>) -> Fraction {
    let judged: Vec<bool> = cases
        .iter()
        .filter_map(|case| {
            let owed: Vec<bool> = deadlines(case)
                .into_iter()
                .filter(|one| days.has(one.due))
                .filter(|one| one.reached.is_some() || (one.ended.is_none_or(|ended| ended > one.due) && one.due <= now))
                .map(|one| one.reached.is_some_and(|at| at <= one.due))
                .collect();
            (!owed.is_empty()).then(|| owed.iter().all(|kept| *kept))
        })
        .collect();
    share(&judged, |kept| *kept)
}

fn ended(case: &Case) -> Option<Timestamp> {
    match case.end {
        End::Withdrawn(at) | End::Invalid(at) => Some(at),
        End::Resolved(_) | End::Explained(_) | End::Silent | End::Open => None,
    }
}

/// The deadlines of service-uplift by the name of the figure.
pub(super) fn timely_rate(milestone: &str, cases: &[Case], days: Days, now: Timestamp) -> Fraction {
    let cycles = |case: &Case, limit: i64, reached: fn(&Cycle) -> Option<Timestamp>| {
        let one = |(at, cycle): (usize, &Cycle)| Deadline {
            due: case.start_of(at) + minutes(limit),
            reached: reached(cycle),
            ended: ended(case),
        };
        case.cycles.iter().enumerate().map(one).collect()
    };
    timely(cases, days, now, |case| match (milestone, case.kind) {
        // WO-16: in the estate's queue within a minute.
        ("push", Kind::Repair) => {
            vec![Deadline { due: case.received + minutes(1), reached: Some(case.classified()), ended: None }]
        }
        // WO-17
        ("contact", Kind::Repair) => cycles(case, 30, |cycle| cycle.contacted),
        // WO-18, WO-19
        ("arrive", Kind::Repair) if case.category == "plumbing.burst_pipe" => cycles(case, 30, |cycle| cycle.arrived),
        ("arrive", Kind::Repair) => cycles(case, 120, |cycle| cycle.arrived),
        // WO-12, WO-13; and those of base: 24 hours for a complaint, four for an inquiry. Once.
        ("first_response", kind) => {
            let limit = match (kind, case.category) {
                (_, "plumbing.burst_pipe") => 15,
                (_, "electrical.power_outage" | "cleaning.poor_cleaning") => 30,
                (Kind::Complaint, _) => 24 * 60,
                (Kind::Inquiry, _) => 4 * 60,
                _ => return Vec::new(),
            };
            vec![Deadline { due: case.received + minutes(limit), reached: case.cycles[0].contacted, ended: ended(case) }]
        }
        // WO-14: from each assignment. A report that was none is out of it.
        ("owner_contact", Kind::Complaint) if is_real(case) => {
            let one = |cycle: &Cycle| Deadline { due: cycle.assigned + minutes(15), reached: cycle.contacted, ended: ended(case) };
            case.cycles.iter().map(one).collect()
        }
        // WO-26
        ("callback", Kind::Complaint | Kind::Repair) => {
            let one = |cycle: &Cycle| {
                let due = cycle.completed? + minutes(24 * 60);
                Some(Deadline { due, reached: cycle.callback.settled(), ended: None })
            };
            case.cycles.iter().filter_map(one).collect()
        }
        _ => Vec::new(),
    })
}

/// What the answers of both waves come to.
pub(super) struct Said {
    pub(super) csat: Fraction,
    pub(super) score: Fraction,
    pub(super) loyalty: Fraction,
    pub(super) complained: Fraction,
    pub(super) timely: Fraction,
    pub(super) suggestions: Fraction,
    /// How much the second wave is above the first.
    pub(super) lift: Fraction,
}

pub(super) fn said() -> Said {
    let (first, second) = (first_wave(), second_wave());
    let all: Vec<Voice> = first.iter().chain(&second).copied().collect();
    let satisfied = |voice: &Voice| voice.overall >= 4;
    let complained: Vec<bool> = all.iter().filter_map(|voice| voice.complaint_was_timely).collect();
    let (before, after) = (share(&first, satisfied), share(&second, satisfied));
    Said {
        csat: share(&all, satisfied),
        score: (all.iter().map(|voice| i64::from(voice.overall) * 20).sum(), count(all.len())),
        loyalty: share(&all, |voice| satisfied(voice) && voice.recommend >= 8 && voice.stays),
        complained: (count(complained.len()), count(all.len())),
        timely: share(&complained, |timely| *timely),
        suggestions: (count(all.iter().filter(|voice| voice.suggests).count()), 1),
        lift: (after.0 * before.1 - before.0 * after.1, after.1 * before.1),
    }
}

/// F-09: homes that the bulletin of the quarter reached, of those handed over on average that did not decline.
pub(super) fn care_coverage() -> Fraction {
    // 44 homes, and three more from 20 August on: 45 whole ones on average.
    let on_average = (DELIVERED * 92 + HANDED_OVER * 42) / 92;
    (count(AGREED_IN_AUGUST), count(on_average - (BULLETIN_HOMES - AGREED_IN_AUGUST)))
}

/// F-10: the share that a bulletin reached in this quarter, against the one before.
pub(super) fn reach_lift() -> Fraction {
    (count(AGREED_IN_AUGUST - AGREED_IN_JUNE), count(AGREED_IN_JUNE))
}

/// F-08b: homes with a talk, of those that were handed over on the first day.
pub(super) fn talks() -> Fraction {
    (count(TALKED), count(DELIVERED))
}

/// F-14: of the homes noticed for the batch, those that were handed over in its window.
pub(super) fn handed_over() -> Fraction {
    (count(HANDED_OVER), count(HOMES - DELIVERED))
}

/// F-05c: of the homes that the bulletin of August reached, those that complained of it from its hour on until thirty days after the
/// quarter.
pub(super) fn campaign_complaints(cases: &[Case]) -> Fraction {
    let laid = |case: &&Case| case.received >= time("2026-08-15T09:00") && case.received < time("2026-10-31T00:00");
    let blaming = cases.iter().filter(|case| case.blames_the_bulletin() && is_real(case));
    let homes: BTreeSet<usize> = blaming.filter(laid).map(|case| case.unit).filter(|home| *home < AGREED_IN_AUGUST).collect();
    (count(homes.len()), count(AGREED_IN_AUGUST))
}

/// F-13b, which is of the year: whoever left by what the service is answerable for, of those on record on its first day.
pub(super) fn churn() -> Fraction {
    (count(register::LEFT.iter().filter(|left| left.is_lost).count()), register::active_at_new_year())
}

/// CP-53, CP-02
pub(super) fn files() -> [Fraction; 2] {
    [register::recorded_twice(), register::complete()]
}

/// F-07 under service-management: three working days after 30 September, which are 8 to 10 October, and seven days more.
pub(super) fn cut_off() -> Timestamp {
    time("2026-10-18T00:00")
}
