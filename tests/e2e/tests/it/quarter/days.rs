//! Days and hours on site, in Shanghai.

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use steward_proto::metric::v1::MetricPeriod;

fn zone() -> TimeZone {
    TimeZone::get("Asia/Shanghai").unwrap()
}

/// An instant of a local day.
pub(super) fn at(date: Date, hour: i8, minute: i8) -> Timestamp {
    date.at(hour, minute, 0, 0).to_zoned(zone()).unwrap().timestamp()
}

/// An instant by its local time, `2026-07-01T09:00`.
pub(super) fn time(text: &str) -> Timestamp {
    let local: jiff::civil::DateTime = text.parse().unwrap();
    local.to_zoned(zone()).unwrap().timestamp()
}

/// The local day of an instant.
pub(super) fn day(instant: Timestamp) -> Date {
    instant.to_zoned(zone()).date()
}

/// The local hour of an instant.
pub(super) fn hour(instant: Timestamp) -> i8 {
    instant.to_zoned(zone()).hour()
}

pub(super) fn wire(instant: Timestamp) -> Option<prost_types::Timestamp> {
    Some(prost_types::Timestamp { seconds: instant.as_second(), nanos: instant.subsec_nanosecond() })
}

/// Local days from one to another, both included.
#[derive(Debug, Clone, Copy)]
pub(super) struct Days {
    pub(super) from: Date,
    pub(super) to: Date,
}

impl Days {
    pub(super) fn of(from: &str, to: &str) -> Self {
        Self { from: from.parse().unwrap(), to: to.parse().unwrap() }
    }

    pub(super) fn has(self, instant: Timestamp) -> bool {
        let day = day(instant);
        self.from <= day && day <= self.to
    }

    pub(super) fn wire(self) -> MetricPeriod {
        MetricPeriod { from_date: self.from.to_string(), to_date: self.to.to_string() }
    }
}
