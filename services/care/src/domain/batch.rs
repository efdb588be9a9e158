//! Homes that are handed over together (恭迎乔迁).

use jiff::civil::{Date, Time};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use steward_kit::error::Violations;
use steward_kit::ids::UnitId;
use steward_kit::{Error, Result};

use super::base::{Change, Document, Stored};
use super::terms::Rules;

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Batch {
    /// Code in the estate.
    pub code: String,
    /// First day of its window.
    pub from_date: Date,
    /// Last day.
    pub to_date: Date,
    /// What a notice encloses.
    pub enclosures: Vec<String>,
    /// What each home gets by its decoration design (CA-89).
    pub delivery_items: Vec<String>,
    /// Slots of a day.
    pub slots: Slots,
    /// Homes of the batch.
    pub unit_count: u32,
}

/// Slots of a handover day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slots {
    /// First minute of the day.
    pub from_minute: u32,
    /// End of the last slot.
    pub to_minute: u32,
    /// Length; 0 for no booking.
    pub minutes: u32,
    /// Homes of a slot.
    pub capacity: u32,
}

/// A home of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    /// The unit.
    pub unit_id: UnitId,
    /// When its notice was mailed.
    pub notice_time: Option<Timestamp>,
    /// Tracking number of the mail.
    pub tracking_number: String,
    /// Defects of mock acceptance; -1 before it.
    pub defect_count: i32,
    /// Slot booked.
    pub slot_time: Option<Timestamp>,
    /// Day of handover.
    pub handover_date: Option<Date>,
    /// Accepted on the first visit.
    pub is_first_visit: bool,
    /// What was handed over with it.
    pub delivered_items: Vec<String>,
}

/// What a batch amounts to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Homes.
    pub unit_count: i64,
    /// Notices mailed.
    pub noticed_count: i64,
    /// Handed over within the window.
    pub handed_over_count: i64,
    /// Of those, on the first visit.
    pub first_visit_count: i64,
    /// Defects of mock acceptance.
    pub defect_count: i64,
}

impl Document for Batch {
    type Fact = std::convert::Infallible;

    const NOUN: &'static str = "delivery batch";

    fn state(&self) -> &'static str {
        "open"
    }

    fn sort_time(&self) -> Timestamp {
        self.from_date.to_zoned(jiff::tz::TimeZone::UTC).map_or(Timestamp::MIN, |day| day.timestamp())
    }

    fn unique_key(&self) -> Option<String> {
        Some(self.code.clone())
    }
}

impl Batch {
    /// Notes what does not fit.
    pub fn check(&self, bad: &mut Violations) {
        check_days(self.from_date, self.to_date, bad);
        let Slots { from_minute, to_minute, minutes, capacity } = self.slots;
        if minutes > 0 && (capacity == 0 || to_minute < from_minute + minutes) {
            bad.add("slot_minutes", "BATCH_INVALID", "slots must fit between slot_from_minute and slot_to_minute, and take a home");
        }
    }

    /// Every slot of a day of the window.
    pub fn slots_of(&self, date: Date, rules: &Rules) -> Result<Vec<Timestamp>> {
        let Slots { from_minute, to_minute, minutes, .. } = self.slots;
        if minutes == 0 || date < self.from_date || date > self.to_date {
            return Ok(Vec::new());
        }
        let midnight = rules.at(date, Time::midnight())?;
        let count = to_minute.saturating_sub(from_minute) / minutes;
        (0..count)
            .map(|at| midnight.checked_add(SignedDuration::from_mins((from_minute + at * minutes).into())).map_err(Error::internal))
            .collect()
    }
}

/// The days of a window.
pub fn check_days(from: Date, to: Date, bad: &mut Violations) {
    const MOST_DAYS: i64 = 200;
    let days = to.duration_since(from).as_hours() / 24;
    if !(0..=MOST_DAYS).contains(&days) {
        bad.add("to_date", "BATCH_INVALID", format!("must lie from 0 to {MOST_DAYS} days after from_date"));
    }
}

/// Other days.
pub fn shift(before: &Stored<Batch>, from_date: Date, to_date: Date) -> Result<Change<Batch>> {
    let mut bad = Violations::new();
    check_days(from_date, to_date, &mut bad);
    bad.finish()?;
    Ok(Change::to(Batch { from_date, to_date, ..before.value.clone() }))
}
