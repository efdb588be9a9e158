//! What figures of one estate and one period are counted from. Read by the store, one range of an index a cohort.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use steward_kit::calendar::{Calendars, Family, Span};
use steward_kit::ids::{CustomerId, EstateId, UnitId, WorkOrderId};
use steward_kit::metric::{Passed, Standing, Timeliness};
use uuid::Uuid;

use super::Cohort;
use crate::domain::{CaseFacts, ClockState, Kind, Verdict};

/// A cycle of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseRow {
    /// The order.
    pub order: WorkOrderId,
    /// Its number.
    pub number: String,
    /// Its unit.
    pub unit: Option<UnitId>,
    /// Its customer.
    pub customer: Option<CustomerId>,
    /// The facts of the cycle.
    pub facts: CaseFacts,
    /// When the household's case before it happened; only where asked for.
    pub previous_time: Option<Timestamp>,
    /// When the household's next case happened; with the same category where repeats are asked for.
    pub next_time: Option<Timestamp>,
}

impl CaseRow {
    /// The household that a case is of: a unit is one household whoever of it reports; a matter of common parts is its
    /// reporter's. `None` for visitors and anonymous reports.
    pub fn household(&self) -> Option<Uuid> {
        self.unit.map(Uuid::from).or_else(|| self.customer.map(Uuid::from))
    }
}

/// A deadline of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadlineRow {
    /// The order.
    pub order: WorkOrderId,
    /// Its number.
    pub number: String,
    /// Its kind.
    pub kind: Kind,
    /// Its category.
    pub category: String,
    /// How it stands to figures.
    pub standing: Standing,
    /// Name of the clock.
    pub clock: String,
    /// When it was due.
    pub due_time: Timestamp,
    /// Where the clock stands.
    pub state: ClockState,
    /// Whether it was kept.
    pub verdict: Option<Verdict>,
    /// The due time rests on a year that is not announced.
    pub is_provisional: bool,
}

impl DeadlineRow {
    /// How it counts as of an instant (F-06).
    pub fn judged(&self, as_of: impl Passed) -> Timeliness {
        match (self.state, self.verdict) {
            _ if self.is_provisional => Timeliness::Provisional,
            (_, Some(Verdict::Kept)) => Timeliness::InTime,
            (ClockState::Running | ClockState::Paused, Some(Verdict::Late)) => Timeliness::OpenLate,
            (ClockState::Stopped | ClockState::Void, Some(Verdict::Late)) => Timeliness::Late,
            // It ceased to matter before it was due; what was late by then is late still.
            (ClockState::Stopped | ClockState::Void, None) => Timeliness::Ended,
            // A timer that has not fired yet changes nothing: the due time has passed or not.
            (ClockState::Running | ClockState::Paused, None) if as_of.has_passed(self.due_time) => Timeliness::OpenLate,
            (ClockState::Running | ClockState::Paused, None) => Timeliness::NotYetDue,
        }
    }
}

/// The facts of one estate in one period.
#[derive(Clone, Debug)]
pub struct Sheet {
    /// The estate.
    pub estate: EstateId,
    /// 00:00 of the first local day.
    pub start: Timestamp,
    /// 24:00 of the last local day.
    pub end: Timestamp,
    /// Zone of the estate.
    pub zone: TimeZone,
    /// Calendars of the estate.
    pub calendars: Calendars,
    /// Cases by cohort.
    pub cases: BTreeMap<Cohort, Vec<CaseRow>>,
    /// Deadlines due in the period.
    pub deadlines: Vec<DeadlineRow>,
    /// Codes of the buildings of units; only where asked for.
    pub buildings: HashMap<UnitId, String>,
}

impl Sheet {
    /// An estate of which nothing is known yet.
    pub fn new(estate: EstateId, (start, end): (Timestamp, Timestamp), zone: TimeZone, calendars: Calendars) -> Self {
        Self { estate, start, end, zone, calendars, cases: BTreeMap::new(), deadlines: Vec::new(), buildings: HashMap::new() }
    }

    /// Cases of a cohort.
    pub fn cases(&self, cohort: Cohort) -> &[CaseRow] {
        let read = self.cases.get(&cohort).or_else(|| self.cases.get(&cohort.with_neighbours()?));
        read.map(Vec::as_slice).unwrap_or_default()
    }

    /// Where spans laid after the period's end lead, one after the other: the last day of the period is the day that they
    /// start on.
    pub fn after_end(&self, spans: &[Span]) -> Timestamp {
        spans.iter().fold(self.end, |from, span| {
            let start = match span.unit().family() {
                Family::Clock => from,
                // 24:00 of a day belongs to it; the next day would start a day late.
                Family::WorkingDays | Family::CivilDays => from.checked_sub(jiff::SignedDuration::from_micros(1)).unwrap_or(from),
            };
            self.due(start, span).unwrap_or(from)
        })
    }

    /// When a span that starts at an instant is over; `None` for working hours that the estate does not have.
    pub fn due(&self, start: Timestamp, span: &Span) -> Option<Timestamp> {
        self.calendars.due(start, span, &self.zone).ok().map(|due| due.time)
    }
}
