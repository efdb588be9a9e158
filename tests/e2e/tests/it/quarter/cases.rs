//! The orders of the quarter: made by a generator that draws nothing, so that the same quarter is lived whenever the test runs.

use jiff::{SignedDuration, Timestamp, civil::Date};
use steward_proto::common::v1::WorkOrderKind as Kind;

use super::care::BULLETIN_HOMES;
use super::days::{at, day, hour, time};

/// What becomes of one order.
#[derive(Debug, Clone)]
pub(super) struct Case {
    pub(super) kind: Kind,
    /// Category; empty when somebody has to classify it first.
    pub(super) category: &'static str,
    /// Which home reports.
    pub(super) unit: usize,
    pub(super) received: Timestamp,
    /// Cycles; a second one follows a score that reopens.
    pub(super) cycles: Vec<Cycle>,
    /// When the work stood still, for parts.
    pub(super) suspended: Option<(Timestamp, Timestamp)>,
    pub(super) end: End,
}

/// One cycle of the work.
#[derive(Debug, Clone)]
pub(super) struct Cycle {
    pub(super) assigned: Timestamp,
    pub(super) contacted: Option<Timestamp>,
    pub(super) arrived: Option<Timestamp>,
    pub(super) completed: Option<Timestamp>,
    pub(super) callback: Callback,
}

/// What became of the callback.
#[derive(Debug, Clone, Copy)]
pub(super) enum Callback {
    /// Nobody called.
    Never,
    /// The customer answered with a score.
    Score(Timestamp, u32),
    /// The customer would not answer.
    Refused(Timestamp),
    /// Three times nobody answered, in several hours of two days.
    Exhausted([Timestamp; 3]),
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// Closed as resolved.
    Resolved(Timestamp),
    /// Closed, explained and not resolved.
    Explained(Timestamp),
    /// Nobody closed it: it closes by itself.
    Silent,
    /// Withdrawn by the customer.
    Withdrawn(Timestamp),
    /// No real case.
    Invalid(Timestamp),
    /// Still open when the board is looked at.
    Open,
}

impl Case {
    /// When a cycle began: at receipt, or at the score that reopened the order.
    pub(super) fn start_of(&self, cycle: usize) -> Timestamp {
        let before = cycle.checked_sub(1).and_then(|before| self.cycles.get(before));
        match before.map(|before| before.callback) {
            Some(Callback::Score(at, _)) => at,
            Some(Callback::Never | Callback::Refused(_) | Callback::Exhausted(_)) | None => self.received,
        }
    }

    /// When somebody classified it; an order with a category is so at once.
    pub(super) fn classified(&self) -> Timestamp {
        if self.category.is_empty() { self.received + minutes(3) } else { self.received }
    }

    /// Whether the reporter complains of the bulletins, which are for the homes of the first building (WO-67).
    pub(super) fn blames_the_bulletin(&self) -> bool {
        self.kind == Kind::Complaint && self.unit < BULLETIN_HOMES && self.unit.is_multiple_of(3)
    }

    fn last(&self) -> &Cycle {
        self.cycles.last().expect("an order has a cycle")
    }

    /// When it was closed, by somebody or by silence.
    pub(super) fn closed(&self) -> Option<Timestamp> {
        match self.end {
            End::Resolved(at) | End::Explained(at) => Some(at),
            // 24:00 of the seventh day after completion.
            End::Silent => self.last().completed.map(|completed| at(day(completed).checked_add(jiff::Span::new().days(8)).unwrap(), 0, 0)),
            End::Withdrawn(_) | End::Invalid(_) | End::Open => None,
        }
    }
}

impl Callback {
    /// When the customer was reached: who would not answer was reached too.
    pub(super) fn reached(self) -> Option<Timestamp> {
        match self {
            Self::Score(at, _) | Self::Refused(at) => Some(at),
            Self::Never | Self::Exhausted(_) => None,
        }
    }

    /// When the obligation was settled, by an answer or by enough attempts.
    pub(super) fn settled(self) -> Option<Timestamp> {
        match self {
            Self::Exhausted([_, _, last]) => Some(last),
            Self::Score(..) | Self::Refused(_) | Self::Never => self.reached(),
        }
    }
}

pub(super) fn minutes(count: i64) -> SignedDuration {
    SignedDuration::from_mins(count)
}

/// One of `all`, by the number of the case: a quarter of everything, without dice.
fn pick<T: Copy>(all: &[T], number: usize, step: usize) -> T {
    all[(number * step + number / all.len()) % all.len()]
}

/// Cases beside the special ones.
const NUMBER: usize = 32;

/// The cases of the quarter, in the order of their receipt.
pub(super) fn cases() -> Vec<Case> {
    let first: Date = "2026-07-01".parse().unwrap();
    let mut cases: Vec<Case> = (0..NUMBER)
        .map(|number| {
            // Two on a day: each day that passes costs the test its time.
            let on = first.checked_add(jiff::Span::new().days(i64::try_from(number / 2 * 11 / 2).unwrap())).unwrap();
            // Two of seven within the peak windows.
            let hour = pick(&[9, 11, 14, 19, 21, 16, 13], number, 3);
            let received = at(on, hour, i8::try_from(number % 50).unwrap());
            match number % 5 {
                0 | 3 => repair(number, received),
                1 | 2 => complaint(number, received),
                _ => inquiry(number, received),
            }
        })
        .collect();
    cases.extend(special());
    cases.sort_by_key(|case| case.received);
    cases
}

fn unit(number: usize) -> usize {
    // 44 homes are handed over; 13 of them report again and again.
    if number.is_multiple_of(4) { number % 13 } else { (number * 7 + 3) % 44 }
}

fn repair(number: usize, received: Timestamp) -> Case {
    let category = match number % 15 {
        0 => "plumbing.burst_pipe",
        5 => "electrical.power_outage",
        // Somebody has to read it first.
        10 => "",
        _ => "plumbing.leak",
    };
    let assigned = received + minutes(4);
    let contacted = assigned + minutes(pick(&[5, 15, 20, 40, 8], number, 2));
    let arrived = contacted + minutes(pick(&[10, 60, 20, 120], number, 1));
    let completed = arrived + minutes(pick(&[30, 75, 200], number, 1));
    let first = Cycle {
        assigned,
        contacted: Some(contacted),
        arrived: Some(arrived),
        completed: Some(completed),
        callback: callback(number, completed),
    };
    finish(number, Kind::Repair, category, received, first)
}

fn complaint(number: usize, received: Timestamp) -> Case {
    let category = if number.is_multiple_of(3) { "cleaning.poor_cleaning" } else { "staff_conduct" };
    let assigned = received + minutes(6);
    let contacted = assigned + minutes(pick(&[9, 14, 35, 12, 400, 10], number, 1));
    let completed = contacted + minutes(pick(&[300, 1500, 2900, 700], number, 1));
    let first =
        Cycle { assigned, contacted: Some(contacted), arrived: None, completed: Some(completed), callback: callback(number, completed) };
    finish(number, Kind::Complaint, category, received, first)
}

fn inquiry(number: usize, received: Timestamp) -> Case {
    let assigned = received + minutes(3);
    let contacted = assigned + minutes(pick(&[30, 200, 300, 60], number, 1));
    let completed = contacted + minutes(20);
    let first = Cycle { assigned, contacted: Some(contacted), arrived: None, completed: Some(completed), callback: Callback::Never };
    Case {
        kind: Kind::Inquiry,
        category: "payment",
        unit: unit(number),
        received,
        end: End::Resolved(completed + minutes(10)),
        suspended: None,
        cycles: vec![first],
    }
}

/// Whether, when and with what the customer was called back.
fn callback(number: usize, completed: Timestamp) -> Callback {
    let on = |days: i64, hour: i8, minute: i8| at(day(completed).checked_add(jiff::Span::new().days(days)).unwrap(), hour, minute);
    match number % 11 {
        2 => Callback::Never,
        4 => Callback::Refused(completed + minutes(90)),
        // In the morning, the afternoon or the evening of two days: within a day if the work was done by day.
        6 if (9..18).contains(&hour(completed)) => Callback::Exhausted([completed + minutes(20), on(0, 19, 30), on(1, 8, 5)]),
        6 => Callback::Exhausted([on(1, 9, 5), on(1, 15, 5), on(2, 10, 5)]),
        7 => Callback::Score(completed + minutes(26 * 60), 4),
        _ => Callback::Score(completed + minutes(pick(&[60, 180, 30], number, 1)), pick(&[5, 4, 2, 5, 3, 5, 4, 1], number, 1)),
    }
}

/// The second cycle, where the score asks for one, and the end.
fn finish(number: usize, kind: Kind, category: &'static str, received: Timestamp, first: Cycle) -> Case {
    let mut cycles = vec![first];
    if let Callback::Score(again, score) = cycles[0].callback
        && score <= 2
    {
        let assigned = again + minutes(10);
        let contacted = assigned + minutes(if number.is_multiple_of(2) { 10 } else { 50 });
        let arrived = (kind == Kind::Repair).then(|| contacted + minutes(30));
        let completed = arrived.unwrap_or(contacted) + minutes(240);
        let callback = Callback::Score(completed + minutes(120), 4);
        cycles.push(Cycle { assigned, contacted: Some(contacted), arrived, completed: Some(completed), callback });
    }
    let last = cycles.last().expect("there is a cycle");
    let completed = last.completed.expect("it was completed");
    let after = last.callback.settled().unwrap_or(completed) + minutes(45);
    let end = match number % 13 {
        3 => End::Silent,
        8 => End::Explained(after),
        _ => End::Resolved(after),
    };
    Case { kind, category, unit: unit(number), received, cycles, suspended: None, end }
}

/// Cases that a rule has a word of its own for.
fn special() -> Vec<Case> {
    let cycle = |assigned: &str, contacted: Option<&str>, completed: Option<&str>, callback: Callback| Cycle {
        assigned: time(assigned),
        contacted: contacted.map(time),
        arrived: None,
        completed: completed.map(time),
        callback,
    };
    let complaint = |unit: usize, received: &str, cycle: Cycle, end: End| Case {
        kind: Kind::Complaint,
        category: "staff_conduct",
        unit,
        received: time(received),
        cycles: vec![cycle],
        suspended: None,
        end,
    };
    vec![
        // Of the quarter before; done, called back and closed in this one.
        complaint(
            1,
            "2026-06-29T10:00",
            cycle("2026-06-29T10:05", Some("2026-06-29T10:15"), Some("2026-07-02T11:00"), Callback::Score(time("2026-07-02T16:00"), 5)),
            End::Resolved(time("2026-07-02T17:00")),
        ),
        // Withdrawn: dissatisfaction was voiced, nothing is to be resolved.
        complaint(
            20,
            "2026-07-20T12:00",
            cycle("2026-07-20T12:05", Some("2026-07-20T12:12"), None, Callback::Never),
            End::Withdrawn(time("2026-07-20T12:40")),
        ),
        // No real case.
        complaint(
            33,
            "2026-08-04T12:00",
            cycle("2026-08-04T12:05", Some("2026-08-04T12:15"), None, Callback::Never),
            End::Invalid(time("2026-08-05T09:00")),
        ),
        // The work stood still for two days.
        Case {
            suspended: Some((time("2026-08-10T12:00"), time("2026-08-12T12:00"))),
            ..complaint(
                9,
                "2026-08-10T10:00",
                cycle("2026-08-10T10:05", Some("2026-08-10T10:15"), Some("2026-08-13T10:00"), Callback::Score(time("2026-08-13T15:00"), 4)),
                End::Resolved(time("2026-08-13T16:00")),
            )
        },
        // Resolved, but after the cut-off: 30 September, three working days (8 to 10 October), seven days.
        complaint(
            14,
            "2026-09-28T10:00",
            cycle("2026-09-28T10:05", Some("2026-09-28T10:15"), Some("2026-10-19T10:00"), Callback::Score(time("2026-10-19T12:00"), 5)),
            End::Resolved(time("2026-10-19T15:00")),
        ),
        // Nobody has done anything about it.
        complaint(27, "2026-09-29T15:00", cycle("2026-09-29T15:30", None, None, Callback::Never), End::Open),
    ]
}
