//! Reports that are owed to management by a date (SV-32).

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use steward_kit::Result;
use steward_kit::ids::EstateId;
use uuid::Uuid;

use super::codes::{ReportKind, ReportState};
use super::ids::{ImprovementPlanId, ReportId, WaveId};
use super::refusal::forbids;

/// A report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Its id, made of estate, kind and year: two replicas make one report.
    pub id: ReportId,
    /// Its estate.
    pub estate_id: EstateId,
    /// Which report.
    pub kind: ReportKind,
    /// The days it is about.
    pub period: (Date, Date),
    /// Where it stands.
    pub state: ReportState,
    /// By when it is owed.
    pub due_time: Timestamp,
    /// When it was submitted.
    pub submit_time: Option<Timestamp>,
    /// The written report.
    pub document_ref: String,
    /// Waves closed in the period.
    pub wave_ids: Vec<WaveId>,
    /// Measures that were late when the draft was made (SV-33).
    pub overdue_measures: Vec<OverdueMeasure>,
    /// When the draft was made.
    pub create_time: Timestamp,
    /// When it last changed.
    #[serde(skip)]
    pub update_time: Timestamp,
    /// Its version as a row.
    #[serde(skip)]
    pub row_version: i64,
}

/// A measure that is late.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OverdueMeasure {
    /// Its plan.
    pub plan_id: ImprovementPlanId,
    /// Its code.
    pub code: String,
    /// When it was due.
    pub due_date: Date,
}

impl Report {
    /// The id of the report of an estate, a kind and a year.
    pub fn id_of(estate: EstateId, kind: ReportKind, year: i16) -> ReportId {
        let text = steward_kit::ids::derive_request_id(&estate.to_string(), &format!("{}/{year}", kind.as_str()));
        Uuid::parse_str(&text).unwrap_or_default().into()
    }

    /// The days that the report of a year is about.
    pub fn period_of(kind: ReportKind, year: i16) -> (Date, Date) {
        let last = match kind {
            ReportKind::MidYear => jiff::civil::date(year, 6, 30),
            ReportKind::Annual => jiff::civil::date(year, 12, 31),
        };
        (jiff::civil::date(year, 1, 1), last)
    }

    /// Hands it in.
    ///
    /// # Errors
    /// STATE_FORBIDS.
    pub fn submit(&self, document_ref: String, now: Timestamp) -> Result<Self> {
        match self.state {
            ReportState::Draft => {
                Ok(Self { state: ReportState::Submitted, document_ref, submit_time: Some(now), update_time: now, ..self.clone() })
            }
            ReportState::Submitted => Err(forbids(format!("report {}", self.id), self.state.as_str(), &[], "it was handed in")),
        }
    }

    /// Whether it was or is late.
    pub fn is_late(&self, now: Timestamp) -> bool {
        self.submit_time.unwrap_or(now) > self.due_time
    }
}

/// When the draft of a year is made: the start of that day; its month's last one where it has none.
pub fn draft_instant(year: i16, month: i8, day: i8, zone: &TimeZone) -> Option<Timestamp> {
    let first = Date::new(year, month, 1).ok()?;
    let date = Date::new(year, month, day.min(first.days_in_month())).ok()?;
    zone.to_timestamp(date.to_datetime(jiff::civil::Time::midnight())).ok()
}
