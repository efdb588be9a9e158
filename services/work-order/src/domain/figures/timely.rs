//! F-06 and F-16: deadlines kept; and how long customers wait for an answer (WO-21) and for somebody at the door.

use std::collections::BTreeMap;

use jiff::Timestamp;
use steward_kit::adds_up;
use steward_kit::ids::WorkOrderId;
use steward_kit::metric::{AddsUp, Entry, Figure, Part, Tally, Timeliness, TimelyCounts};

use super::{CaseRow, Cohort, Counted, Counting, DeadlineRow, Row, Sheet, how_many, seconds};

/// Clocks of the first answer, which is owed for invalid and merged reports too.
const FIRST_ANSWER: [&str; 2] = ["first_response", "special_request"];

/// A case is timely only if every deadline of it that was due in the period was kept.
pub(super) fn timely<'a>(counting: &Counting<'_>, sheets: &[&'a Sheet]) -> Counted<'a> {
    let clocks = &counting.definition.parameters.clocks;
    let mut cases: BTreeMap<WorkOrderId, (&DeadlineRow, Timeliness)> = BTreeMap::new();
    let mut rows = Vec::new();
    for deadline in sheets.iter().flat_map(|sheet| &sheet.deadlines).filter(|row| clocks.contains(&row.clock)) {
        if !counting.wants(deadline.kind, &deadline.category) {
            continue;
        }
        let is_first_answer = FIRST_ANSWER.contains(&deadline.clock.as_str());
        if deadline.standing.in_timely_rate(is_first_answer) != Entry::Counts {
            rows.push(row(deadline, None));
            continue;
        }
        let judged = deadline.judged(counting.as_of);
        let worst = cases.entry(deadline.order).or_insert((deadline, judged));
        if judged > worst.1 {
            *worst = (deadline, judged);
        }
    }
    let counts = TimelyCounts::of(cases.values().map(|(_, judged)| *judged));
    rows.extend(cases.into_values().map(|(deadline, judged)| row(deadline, Some(judged))));
    Counted { tally: counts.tally(), rows }
}

fn row(deadline: &DeadlineRow, judged: Option<Timeliness>) -> Row<'_> {
    Row {
        order: deadline.order,
        number: &deadline.number,
        at: deadline.due_time,
        in_numerator: judged == Some(Timeliness::InTime),
        in_denominator: judged.is_some_and(Timeliness::counts),
        reason: judged.map_or(deadline.standing.as_str(), Timeliness::code),
        value: 0,
    }
}

/// The mean time from receipt to the first human answer.
pub(super) fn first_response<'a>(counting: &Counting<'_>, sheets: &[&'a Sheet]) -> Counted<'a> {
    mean_until(counting, sheets, true, |case| case.facts.respond_time)
}

/// The mean time from receipt to the first arrival.
pub(super) fn wait_for_arrival<'a>(counting: &Counting<'_>, sheets: &[&'a Sheet]) -> Counted<'a> {
    mean_until(counting, sheets, false, |case| case.facts.arrive_time)
}

fn mean_until<'a>(
    counting: &Counting<'_>,
    sheets: &[&'a Sheet],
    is_first_answer: bool,
    reached: fn(&CaseRow) -> Option<Timestamp>,
) -> Counted<'a> {
    let mut waits = Waits::default();
    let mut rows = Vec::new();
    for (_, case) in counting.cases(sheets, Cohort::Occurred).into_iter().filter(|(_, case)| case.facts.cycle == 1) {
        let counts = case.facts.standing.in_timely_rate(is_first_answer) == Entry::Counts;
        let took = reached(case).filter(|_| counts).map(|at| seconds(case.facts.receive_time, at));
        let reason = match (counts, took) {
            (false, _) => case.facts.standing.as_str(),
            (true, Some(_)) => "reached",
            (true, None) => "not_reached_yet",
        };
        waits.seconds += took.unwrap_or_default();
        let row = case.row(case.facts.occur_time, took.is_some(), took.is_some(), reason);
        rows.push(Row { value: took.unwrap_or_default(), ..row });
    }
    let of = |reason: &str| how_many(rows.iter().filter(|row| row.reason == reason).count());
    (waits.reached, waits.waiting) = (of("reached"), of("not_reached_yet"));
    Counted { tally: waits.tally(), rows }
}

/// How long cases waited for something, and how many wait still.
#[derive(Clone, Copy, Debug, Default)]
struct Waits {
    seconds: i64,
    reached: i64,
    waiting: i64,
}

adds_up!(Waits { seconds, reached, waiting });

pub(super) fn mean_wait(tally: &Tally) -> Figure {
    let waits = Waits::of_tally(tally);
    Figure::mean(waits.seconds.into(), waits.reached).beside([Part::count("not_reached_yet", waits.waiting)])
}
