//! Tables and properties of business time. Each names the requirement it proves.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod due_tables;
mod hours;
mod lunar;
mod properties;
mod quiet;
mod spans;
mod timelines;
mod years;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::*;

fn shanghai() -> TimeZone {
    TimeZone::get("Asia/Shanghai").unwrap()
}

fn berlin() -> TimeZone {
    TimeZone::get("Europe/Berlin").unwrap()
}

/// `2026-02-13T10:00` in a zone; `T24:00` is the next midnight.
fn instant(text: &str, zone: &TimeZone) -> Timestamp {
    if let Some(date) = text.strip_suffix("T24:00") {
        return DayTime::MIDNIGHT_NEXT.on(date.parse().unwrap(), zone).unwrap();
    }
    zone.to_timestamp(text.parse::<DateTime>().unwrap()).unwrap()
}

fn at(text: &str) -> Timestamp {
    instant(text, &shanghai())
}

fn span(text: &str) -> Span {
    text.parse().unwrap()
}

fn due(start: &str, limit: &str) -> Due {
    office().due(at(start), &span(limit), &shanghai()).unwrap()
}

fn pause(from: &str, to: &str) -> Pause {
    Pause::new(at(from), Some(at(to)), "parts")
}

/// The shipped years and three working-hours calendars.
fn office() -> Calendars {
    let hours = |json: &str| serde_json::from_str::<WorkingHours>(json).unwrap();
    Calendars::shipped()
        .with_hours(hours(r#"{"name": "business", "windows": [{"days": "working", "hours": "09:00-18:00"}]}"#))
        .with_hours(hours(
            r#"{"name": "split", "windows": [{"days": "working", "hours": "09:00-12:00"},
                {"days": "working", "hours": "13:30-18:00"}, {"days": "rest", "hours": "10:00-16:00"}]}"#,
        ))
        .with_hours(hours(r#"{"name": "night", "windows": [{"days": {"weekdays": [1, 2, 3, 4, 5]}, "hours": "22:00-06:00"}]}"#))
        .with_hours(hours(r#"{"name": "always", "windows": [{"days": "every", "hours": "00:00-24:00"}]}"#))
}
