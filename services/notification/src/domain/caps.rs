//! How many contacts there may be in a stretch of time (CA-84, SV-41, NT-37).
//!
//! A contact at a time fits when afterwards no stretch of the cap's length holds more than its limit: those that end with
//! it, and those that end with a contact that is reserved for later.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, ToSpan};

use super::codes::{CapScope, Class};
use super::policy::covers;

/// How far ahead a place is looked for in calendar periods.
const PERIODS_AHEAD: usize = 60;

/// A cap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cap {
    /// The classes counted, together.
    pub classes: Vec<Class>,
    /// Who is counted.
    pub scope: CapScope,
    /// Most contacts in the window.
    pub limit: usize,
    /// The window.
    pub window: Window,
    /// Whether a contact over it waits; otherwise it is refused.
    pub defers: bool,
    /// Contacts about these are not counted.
    pub exempt_subject_kinds: Vec<String>,
    /// Only these topics; none means every topic.
    pub topics: Vec<String>,
}

/// The stretch of time of a cap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// Any stretch of so many hours.
    Hours(i64),
    /// Any stretch of so many local days.
    Days(i64),
    /// Any stretch of so many local months.
    Months(i64),
    /// The local day.
    Day,
    /// The local week, from Monday.
    Week,
    /// The local month.
    Month,
    /// The local quarter.
    Quarter,
    /// The local year.
    Year,
}

/// A contact that counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// When it is or was made.
    pub time: Timestamp,
    /// What it was for.
    pub class: Class,
    /// What it was about.
    pub subject_kind: String,
    /// Its topic.
    pub topic: String,
}

/// What a cap says of one more contact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// Contacts in the window that ends with it, without it.
    pub used: usize,
    /// Whether it fits.
    pub is_free: bool,
    /// When it would fit, if it does not; none when never.
    pub free_from: Option<Timestamp>,
}

impl Cap {
    /// Whether contacts like this are counted.
    pub fn counts(&self, class: Class, subject_kind: &str, topic: &str) -> bool {
        self.classes.contains(&class)
            && !self.exempt_subject_kinds.iter().any(|exempt| exempt == subject_kind)
            && covers(&self.topics, topic)
    }

    /// Whether one more contact at `at` fits beside `counted`.
    pub fn room(&self, counted: &[Counted], at: Timestamp, zone: &TimeZone) -> Room {
        let mut times: Vec<Timestamp> =
            counted.iter().filter(|one| self.counts(one.class, &one.subject_kind, &one.topic)).map(|one| one.time).collect();
        times.sort_unstable();
        let used = self.window.count(&times, at, zone);
        if self.fits(&times, at, zone) {
            return Room { used, is_free: true, free_from: None };
        }
        let never = self.limit == 0;
        let mut later = if never { Vec::new() } else { self.window.changes(&times, at, zone) };
        later.sort_unstable();
        let free_from = later.into_iter().find(|then| *then > at && self.fits(&times, *then, zone));
        Room { used, is_free: false, free_from }
    }

    fn fits(&self, times: &[Timestamp], at: Timestamp, zone: &TimeZone) -> bool {
        let ends = std::iter::once(at).chain(times.iter().copied().filter(|end| *end > at && self.window.holds(at, *end, zone)));
        ends.map(|end| self.window.count(times, end, zone)).all(|others| others < self.limit)
    }
}

impl Window {
    /// The contacts in the stretch that ends with `end`, that one included if it is counted.
    fn count(self, times: &[Timestamp], end: Timestamp, zone: &TimeZone) -> usize {
        let is_period = self.length().is_none();
        times.iter().filter(|time| (is_period || **time <= end) && self.holds(**time, end, zone)).count()
    }

    /// Whether a contact at `time` lies in the stretch that ends with `end`, or in the period of `end`.
    fn holds(self, time: Timestamp, end: Timestamp, zone: &TimeZone) -> bool {
        match self.length() {
            Some(length) => shift(time, length, zone).is_none_or(|out| out > end),
            None => self.period(zone.to_datetime(time).date()) == self.period(zone.to_datetime(end).date()),
        }
    }

    /// The times after `at` when something leaves the window.
    fn changes(self, times: &[Timestamp], at: Timestamp, zone: &TimeZone) -> Vec<Timestamp> {
        if let Some(length) = self.length() {
            return times.iter().filter_map(|time| shift(*time, length, zone)).collect();
        }
        let mut begin = self.period(zone.to_datetime(at).date());
        let mut found = Vec::new();
        for _ in 0..PERIODS_AHEAD {
            let Some(next) = self.next_period(begin) else { break };
            found.extend(zone.to_ambiguous_timestamp(DateTime::from(next)).later().ok());
            begin = next;
        }
        found
    }

    /// How long a rolling window is.
    fn length(self) -> Option<Span> {
        match self {
            Self::Hours(hours) => Some(hours.hours()),
            Self::Days(days) => Some(days.days()),
            Self::Months(months) => Some(months.months()),
            Self::Day | Self::Week | Self::Month | Self::Quarter | Self::Year => None,
        }
    }

    /// First day of the period that a day lies in.
    fn period(self, day: Date) -> Date {
        match self {
            Self::Hours(_) | Self::Days(_) | Self::Months(_) | Self::Day => day,
            Self::Week => {
                let back = i64::from(day.weekday().to_monday_zero_offset());
                day.checked_sub(back.days()).unwrap_or(day)
            }
            Self::Month => day.first_of_month(),
            Self::Quarter => Date::new(day.year(), (day.month() - 1) / 3 * 3 + 1, 1).unwrap_or(day),
            Self::Year => day.first_of_year(),
        }
    }

    fn next_period(self, begin: Date) -> Option<Date> {
        let length = match self {
            Self::Hours(_) | Self::Days(_) | Self::Months(_) | Self::Day => 1.day(),
            Self::Week => 7.days(),
            Self::Month => 1.month(),
            Self::Quarter => 3.months(),
            Self::Year => 1.year(),
        };
        begin.checked_add(length).ok()
    }
}

/// The same local time of day that much later; hours are hours.
fn shift(time: Timestamp, by: Span, zone: &TimeZone) -> Option<Timestamp> {
    time.to_zoned(zone.clone()).checked_add(by).ok().map(|then| then.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cap(limit: usize, window: Window) -> Cap {
        Cap {
            classes: vec![Class::Marketing],
            scope: CapScope::Person,
            limit,
            window,
            defers: false,
            exempt_subject_kinds: vec!["work_order".to_owned()],
            topics: Vec::new(),
        }
    }

    fn counted(times: &[&str]) -> Vec<Counted> {
        let one = |time: &&str| Counted { time: at(time), class: Class::Marketing, subject_kind: String::new(), topic: String::new() };
        times.iter().map(one).collect()
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn zone() -> TimeZone {
        TimeZone::get("Asia/Shanghai").unwrap()
    }

    /// CA-84: four a month, the fifth is told when.
    #[test]
    fn a_month_ends_at_local_midnight() {
        let four = counted(&["2026-03-01T02:00:00Z", "2026-03-02T02:00:00Z", "2026-03-05T02:00:00Z", "2026-03-30T02:00:00Z"]);
        let month = cap(4, Window::Month);
        let full = month.room(&four, at("2026-03-31T15:59:59Z"), &zone());
        assert_eq!(full, Room { used: 4, is_free: false, free_from: Some(at("2026-03-31T16:00:00Z")) });
        assert!(month.room(&four, at("2026-03-31T16:00:00Z"), &zone()).is_free);
        assert!(month.room(&four[..3], at("2026-03-31T02:00:00Z"), &zone()).is_free);
        assert_eq!(cap(0, Window::Month).room(&[], at("2026-03-31T02:00:00Z"), &zone()).free_from, None);
    }

    /// SV-41: invited ten days ago means not yet; after thirty days, at the same local time, again.
    #[test]
    fn a_rolling_window_opens_when_its_oldest_leaves() {
        let one = counted(&["2026-03-01T02:00:00Z"]);
        let rolling = cap(1, Window::Days(30));
        assert_eq!(rolling.room(&one, at("2026-03-11T02:00:00Z"), &zone()).free_from, Some(at("2026-03-31T02:00:00Z")));
        assert!(!rolling.room(&one, at("2026-03-31T01:59:59Z"), &zone()).is_free);
        assert!(rolling.room(&one, at("2026-03-31T02:00:00Z"), &zone()).is_free);
    }

    /// A contact reserved for later counts in every window that holds both.
    #[test]
    fn a_later_reservation_counts_too() {
        let later = counted(&["2026-03-20T02:00:00Z"]);
        let rolling = cap(1, Window::Days(30));
        let room = rolling.room(&later, at("2026-03-10T02:00:00Z"), &zone());
        assert_eq!((room.used, room.is_free, room.free_from), (0, false, Some(at("2026-04-19T02:00:00Z"))));
        assert!(rolling.room(&later, at("2026-02-10T02:00:00Z"), &zone()).is_free);
    }

    /// SV-41: callbacks of work orders are neither counted nor held back.
    #[test]
    fn exempt_subjects_are_not_counted() {
        let cap = cap(1, Window::Days(30));
        assert!(!cap.counts(Class::Marketing, "work_order", ""));
        let mut called_back = counted(&["2026-03-01T02:00:00Z"]);
        called_back[0].subject_kind = "work_order".to_owned();
        assert!(cap.room(&called_back, at("2026-03-02T02:00:00Z"), &zone()).is_free);
    }
}
